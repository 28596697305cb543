//! Calls about projects.

use std::sync::Arc;

use tre_core::audit::Event;
use tre_core::codes::Problem;
use tre_proto::v1;

use super::place::{listing, named};
use super::words;
use crate::authz::Action;
use crate::core::{Core, On, Project};
use crate::fault::Fault;
use crate::identity::Caller;
use crate::projects::{self, Kind, Plan, Proposal};

pub(super) async fn plan(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::PlanProjectRequest,
) -> Result<v1::ProjectPlan, Fault> {
    let proposal = Proposal::read(core, &message.permit).await?;
    let proposal = may(core, caller, Action::PlanProject, proposal).await?;
    Ok(shown_plan(projects::plan(core, proposal).await?, false))
}

pub(super) async fn apply(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ApplyProjectRequest,
) -> Result<v1::ProjectPlan, Fault> {
    let actor = core.actor(caller, None);
    let read = Proposal::read(core, &message.permit).await;
    if let Err(problem) = &read {
        let code = problem.code.id.to_owned();
        // A permit that cannot be read names no project that could be believed.
        core.audit(actor.clone(), Event::ProjectRefused { project: None, code })
            .await?;
    }
    let proposal = may(core, caller, Action::ApplyProject, read?).await?;
    let id = proposal.project().clone();
    let plan = match projects::plan(core, proposal).await {
        Ok(plan) => plan,
        Err(problem) => {
            projects::log_refusal(core, actor, &id, &problem).await?;
            return Err(problem.into());
        }
    };
    projects::apply(core, actor, &plan, &message.plan_id).await?;
    Ok(shown_plan(plan, true))
}

/// Asks whether the caller may do this with the project that the permit names.
async fn may(
    core: &Arc<Core>,
    caller: &Caller,
    action: Action,
    proposal: Proposal,
) -> Result<Proposal, Problem> {
    let _allowed = core
        .authorize(caller, action, On::Project(&proposal.subject(core)?))
        .await?;
    Ok(proposal)
}

pub(super) async fn list(
    core: &Arc<Core>,
    caller: &Caller,
    _: v1::ListProjectsRequest,
) -> Result<v1::ListProjectsResponse, Fault> {
    let only = listing(core, caller, Action::ListProjects).await?;
    let mut listed = Vec::new();
    for stored in core.store.projects().list().await.map_err(Problem::from)? {
        if only.is_none_or(|id| *id == stored.id) {
            listed.push(summary(core, &core.parsed(stored)?));
        }
    }
    Ok(v1::ListProjectsResponse { projects: listed })
}

pub(super) async fn show(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ShowProjectRequest,
) -> Result<v1::Project, Fault> {
    let project = named(core, caller, Action::ShowProject, &message.id).await?;
    let permit = &project.permit;
    let member = |member: &tre_core::permit::Member| v1::Member {
        user: member.user.to_string(),
        roles: member.roles.iter().map(ToString::to_string).collect(),
    };
    Ok(v1::Project {
        summary: Some(summary(core, &project)),
        purpose: permit.purpose.text.clone(),
        purpose_code: permit.purpose.code.clone().unwrap_or_default(),
        legal_basis: permit.legal_basis.clone(),
        people: permit.people.iter().map(member).collect(),
        tables: tables(&project),
        exits: words::exits(&project)?,
        limits: Some(v1::Limits {
            memory_bytes: project.limits.memory,
            query_seconds: project.limits.query_seconds.into(),
            sessions: project.limits.sessions.into(),
        }),
        permit: project.stored.permit.clone(),
        permit_sha256: project.stored.permit_sha256.clone(),
    })
}

pub(super) async fn close(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::CloseProjectRequest,
) -> Result<v1::CloseProjectResponse, Fault> {
    let project = named(core, caller, Action::CloseProject, &message.id).await?;
    let ended = projects::close(core, core.actor(caller, None), &project, "closed by an operator").await?;
    Ok(v1::CloseProjectResponse {
        sessions_ended: ended.sessions,
        requests_lapsed: ended.requests,
    })
}

fn summary(core: &Core, project: &Project) -> v1::ProjectSummary {
    v1::ProjectSummary {
        id: project.stored.id.to_string(),
        title: project.permit.title.clone(),
        state: projects::state(core, project).to_owned(),
        from: project.permit.valid.from.to_string(),
        until: project.permit.valid.until.to_string(),
        applied: project.stored.applied_at.to_string(),
    }
}

/// What the project may use, as the permit lists it, at the pinned versions.
fn tables(project: &Project) -> Vec<v1::ProjectTable> {
    let mut tables = Vec::new();
    for dataset in &project.permit.datasets {
        for (name, table) in &dataset.tables {
            let granted = project.grant.table(&dataset.id, name);
            tables.push(v1::ProjectTable {
                version: granted
                    .map(|granted| granted.version.to_string())
                    .unwrap_or_default(),
                table: name.to_string(),
                columns: table.columns.iter().map(ToString::to_string).collect(),
                rows: table.rows.clone().unwrap_or_default(),
            });
        }
    }
    tables
}

/// `applied`: the plan is in force now, also where there was nothing to change.
fn shown_plan(plan: Plan, applied: bool) -> v1::ProjectPlan {
    let (project, is_new) = (plan.project().to_string(), plan.is_new());
    let change = |change: projects::Change| v1::Change {
        kind: match change.kind {
            Kind::Added => v1::ChangeKind::Added,
            Kind::Removed => v1::ChangeKind::Removed,
            Kind::Changed => v1::ChangeKind::Changed,
        }
        .into(),
        what: change.what,
        before: change.before,
        after: change.after,
        widens: change.widens,
    };
    v1::ProjectPlan {
        project,
        plan_id: plan.id,
        is_new,
        changes: plan.changes.into_iter().map(change).collect(),
        applied,
    }
}
