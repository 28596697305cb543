//! Putting a permit in force.

use std::sync::Arc;

use tre_core::audit::{Actor, Event, PolicyStamp};
use tre_core::codes::{self, Problem};
use tre_core::ids::{ProjectId, VersionId};
use tre_home::store::{PinnedPolicy, Project as StoredProject};
use tre_home::vault::sha256_hex;

use super::changes::ends_session;
use super::plan::Plan;
use crate::core::Core;
use crate::sessions::Sessions;

/// Puts a plan in force: the entry, then the store, then the end of the sessions that it takes something from. A plan
/// without changes does nothing. `expected` is the id of a plan seen before, empty for whatever the plan is now.
///
/// # Errors
/// `TRE-PRJ-011` when the plan is not the expected one, or the project changed meanwhile.
pub(crate) async fn apply(
    core: &Arc<Core>,
    actor: Actor,
    plan: &Plan,
    expected: &str,
) -> Result<(), Problem> {
    if !expected.is_empty() && expected != plan.id {
        return refuse(core, actor, plan).await;
    }
    if plan.changes.is_empty() {
        return Ok(());
    }
    let row = row(core, &actor, plan)?;
    core.audit(actor.clone(), entry(plan, &row)).await?;
    if !core.store.projects().apply(&row).await? {
        return refuse(core, actor, plan).await;
    }
    let lost = |session: &crate::sessions::Session| {
        session.project.stored.id == row.id && ends_session(&plan.changes, &session.caller.user)
    };
    Sessions::end_where(core, "the permit changed", lost).await;
    Ok(())
}

/// Logs that a permit was not put in force, with the code of why.
pub(crate) async fn log_refusal(
    core: &Core,
    actor: Actor,
    project: &ProjectId,
    problem: &Problem,
) -> Result<(), Problem> {
    let (project, code) = (Some(project.clone()), problem.code.id.to_owned());
    core.audit(actor, Event::ProjectRefused { project, code }).await
}

async fn refuse(core: &Core, actor: Actor, plan: &Plan) -> Result<(), Problem> {
    let what = format!("the plan of project `{}` is out of date", plan.project());
    let problem = Problem::of(&codes::PRJ_STALE, what);
    log_refusal(core, actor, plan.project(), &problem).await?;
    Err(problem)
}

fn row(core: &Core, actor: &Actor, plan: &Plan) -> Result<StoredProject, Problem> {
    let id = plan.project();
    let current = plan.proposal.current.as_ref().map(|project| &project.stored);
    let pseudonym_key = match current {
        Some(current) => current.pseudonym_key.clone(),
        None => Some(core.home.vault().new_pseudonym_key(id)?),
    };
    Ok(StoredProject {
        id: id.clone(),
        revision: current.map_or(0, |current| current.revision).saturating_add(1),
        permit: plan.proposal.text.clone(),
        permit_sha256: sha256_hex(plan.proposal.text.as_bytes()),
        grant_json: plan.compiled.grant_json.clone(),
        policies: plan.compiled.policies.clone(),
        pseudonym_key,
        applied_at: core.now(),
        applied_by: actor.user.clone(),
        closed: None,
    })
}

fn entry(plan: &Plan, row: &StoredProject) -> Event {
    let mut versions: Vec<VersionId> = plan
        .compiled
        .grant
        .tables
        .iter()
        .map(|table| table.version.clone())
        .collect();
    versions.sort();
    versions.dedup();
    let stamp = |policy: &PinnedPolicy| PolicyStamp {
        id: policy.id.clone(),
        sha256: policy.sha256.clone(),
    };
    Event::ProjectApplied {
        project: row.id.clone(),
        created: plan.is_new(),
        permit_sha256: row.permit_sha256.clone(),
        grant_sha256: sha256_hex(row.grant_json.as_bytes()),
        versions,
        policies: row.policies.iter().map(stamp).collect(),
        pseudonym_key_sha256: key_sha256(row),
    }
}

/// Names a project's wrapped key, so that its destruction can be shown.
pub(super) fn key_sha256(row: &StoredProject) -> String {
    sha256_hex(row.pseudonym_key.as_deref().unwrap_or_default().as_bytes())
}
