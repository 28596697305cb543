//! Reading a permit and finding out what it would change here and now. Changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tre_core::codes::{self, Problem};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::{DatasetName, ProjectId, base32_lower};
use tre_core::manifest::{ColumnMeta, Manifest};
use tre_core::permit::{Permit, Phase};
use tre_home::catalogue::CatalogueError;
use tre_home::store::{PinnedPolicy, Project as StoredProject};
use tre_home::vault::{sha256, sha256_hex};

use super::changes::{Change, changes};
use super::compile::{Draft, drafts, no_dataset};
use super::terms::Terms;
use super::{internal, policies};
use crate::authz::ProjectFacts;
use crate::core::{Core, Project};

/// A permit that was read, beside the project of that name as it is.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(super) text: String,
    pub(super) permit: Permit,
    pub(super) current: Option<Project>,
}

/// What a permit comes to here and now.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Names exactly this: the project as it is, and as it would be.
    pub(crate) id: String,
    pub(crate) changes: Vec<Change>,
    pub(super) proposal: Proposal,
    pub(super) compiled: Compiled,
}

/// A permit, compiled.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) grant: Grant,
    pub(super) grant_json: String,
    pub(super) policies: Vec<PinnedPolicy>,
}

impl Proposal {
    /// Reads a permit.
    ///
    /// # Errors
    /// A `TRE-PRJ` code when it is not well-formed, or names people who cannot be in a permit.
    pub(crate) async fn read(core: &Core, text: &str) -> Result<Proposal, Problem> {
        let permit = Permit::parse(text)?;
        people_are_outsiders(&permit)?;
        let current = match core.store.projects().get(&permit.project).await? {
            Some(stored) => Some(core.parsed(stored)?),
            None => None,
        };
        Ok(Proposal {
            text: text.to_owned(),
            permit,
            current,
        })
    }

    /// The project, for the access policies: as it is, or the wish for one that nobody is in.
    pub(crate) fn subject(&self, core: &Core) -> Result<Project, Problem> {
        if let Some(current) = &self.current {
            return Ok(current.clone());
        }
        let id = self.permit.project.clone();
        let stored = StoredProject {
            id: id.clone(),
            revision: 0,
            permit: self.text.clone(),
            permit_sha256: String::new(),
            grant_json: String::new(),
            policies: Vec::new(),
            pseudonym_key: None,
            applied_at: core.now(),
            applied_by: core.system()?.user,
            closed: None,
        };
        let facts = ProjectFacts {
            id: id.clone(),
            in_force: false,
            analysts: Vec::new(),
            checkers: Vec::new(),
        };
        Ok(Project {
            stored,
            limits: core.limits(&self.permit),
            permit: self.permit.clone(),
            grant: Grant {
                project: id,
                tables: vec![],
            },
            facts,
        })
    }

    /// The project that it is about.
    pub(crate) fn project(&self) -> &ProjectId {
        &self.permit.project
    }
}

impl Plan {
    /// The project that it is about.
    pub(crate) fn project(&self) -> &ProjectId {
        self.proposal.project()
    }

    /// Whether there is no such project yet.
    pub(crate) fn is_new(&self) -> bool {
        self.proposal.current.is_none()
    }
}

/// Finds out what a permit would change.
///
/// # Errors
/// A `TRE-PRJ` code for a project that is closed, a permit that is over, and data, row conditions or policies that cannot be
/// used.
pub(crate) async fn plan(core: &Arc<Core>, proposal: Proposal) -> Result<Plan, Problem> {
    still_possible(core, &proposal)?;
    let compiled = compile(core, &proposal.permit).await?;
    let before = proposal.current.as_ref().map(|project| Terms {
        permit: &project.permit,
        grant: &project.grant,
        policies: &project.stored.policies,
        limits: project.limits,
    });
    let after = Terms {
        permit: &proposal.permit,
        grant: &compiled.grant,
        policies: &compiled.policies,
        limits: core.limits(&proposal.permit),
    };
    let changes = changes(before, after);
    let id = plan_id(&proposal, &compiled);
    Ok(Plan {
        id,
        changes,
        proposal,
        compiled,
    })
}

/// Names that the log keeps for the system and for people at the home's own files are nobody's in a permit.
fn people_are_outsiders(permit: &Permit) -> Result<(), Problem> {
    let reserved = |name: &str| name.starts_with("local:") || name.starts_with("tre:");
    match permit.people.iter().find(|member| reserved(member.user.as_str())) {
        None => Ok(()),
        Some(member) => Err(Problem::new(
            &codes::PRJ_PEOPLE,
            format!("`{}` is a name that the system uses itself", member.user),
            "choose a user name that does not start with `local:` or `tre:`",
        )),
    }
}

fn still_possible(core: &Core, proposal: &Proposal) -> Result<(), Problem> {
    let id = proposal.project();
    if proposal
        .current
        .as_ref()
        .is_some_and(|project| project.stored.closed.is_some())
    {
        return Err(Problem::of(
            &codes::PRJ_CLOSED,
            format!("the project `{id}` is closed"),
        ));
    }
    let valid = &proposal.permit.valid;
    if valid.phase(core.now(), core.home.config().timezone.zone()) == Phase::Expired {
        let what = format!("valid.until {} is over", valid.until);
        return Err(Problem::new(
            &codes::PRJ_DATES,
            what,
            "a permit that is applied ends today or later",
        ));
    }
    Ok(())
}

async fn compile(core: &Arc<Core>, permit: &Permit) -> Result<Compiled, Problem> {
    let (shared, wanted) = (Arc::clone(core), permit.clone());
    let read = tokio::task::spawn_blocking(move || pinned(&shared, &wanted));
    let (drafts, policies) = read.await.map_err(internal)??;
    let mut tables = Vec::new();
    for draft in drafts {
        tables.push(filtered(core, draft).await?);
    }
    let grant = Grant {
        project: permit.project.clone(),
        tables,
    };
    let grant_json = serde_json::to_string(&grant).map_err(internal)?;
    Ok(Compiled {
        grant,
        grant_json,
        policies,
    })
}

/// The newest version of each dataset and the policies, as they lie in the home. Blocks the thread.
fn pinned(core: &Core, permit: &Permit) -> Result<(Vec<Draft>, Vec<PinnedPolicy>), Problem> {
    let mut manifests: BTreeMap<DatasetName, Manifest> = BTreeMap::new();
    for dataset in &permit.datasets {
        let newest = core
            .home
            .catalogue()
            .newest(&dataset.id)
            .map_err(|error| match error {
                CatalogueError::Unknown(_) => no_dataset(&dataset.id),
                error @ (CatalogueError::Damaged { .. } | CatalogueError::File(_)) => Problem::from(error),
            })?;
        manifests.insert(dataset.id.clone(), newest);
    }
    let drafts = drafts(permit, &manifests)?;
    let policies = policies::pin(permit, &core.home.layout().sdc_policies())?;
    Ok((drafts, policies))
}

/// A table with its row condition lowered.
async fn filtered(core: &Arc<Core>, draft: Draft) -> Result<GrantedTable, Problem> {
    let Draft { mut table, rows } = draft;
    if let Some(condition) = rows {
        let place = format!("dataset.{}.{}.rows", table.version.dataset(), table.table);
        let lowered = core.lower_filter(&condition, &table.stored).await;
        table.row_filter = Some(lowered.map_err(|problem| of_condition(problem, &place, &table.stored))?);
    }
    Ok(table)
}

/// What the desk says of the SQL is said of the permit; anything else is no fault of the permit.
fn of_condition(problem: Problem, place: &str, stored: &[ColumnMeta]) -> Problem {
    if *problem.code == codes::SQL_UNKNOWN_NAME {
        let names: Vec<_> = stored.iter().map(|column| format!("`{}`", column.name)).collect();
        let hint = format!("the table stores {}", names.join(", "));
        return Problem::new(&codes::PRJ_ROWS, format!("{place}: {}", problem.what), hint);
    }
    if problem.code.id.starts_with("TRE-SQL-") {
        return Problem::new(
            &codes::PRJ_ROWS,
            format!("{place}: {}", problem.what),
            problem.hint,
        );
    }
    problem
}

fn plan_id(proposal: &Proposal, compiled: &Compiled) -> String {
    let revision = proposal
        .current
        .as_ref()
        .map_or(0, |project| project.stored.revision);
    let mut text = format!(
        "tre/plan/v1\n{}\n{revision}\n{}\n{}\n",
        proposal.project(),
        sha256_hex(proposal.text.as_bytes()),
        sha256_hex(compiled.grant_json.as_bytes())
    );
    for policy in &compiled.policies {
        text.push_str(&format!("{} {}\n", policy.id, policy.sha256));
    }
    let mut id = base32_lower(&sha256(text.as_bytes()));
    id.truncate(26);
    id
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::tests::{PERMIT, grant_of, manifest, pinned};
    use super::*;

    fn proposal(text: &str) -> Proposal {
        Proposal {
            text: text.to_owned(),
            permit: Permit::parse(text).unwrap(),
            current: None,
        }
    }

    fn compiled(policy: &str) -> Compiled {
        let grant = grant_of(&Permit::parse(PERMIT).unwrap());
        let grant_json = serde_json::to_string(&grant).unwrap();
        Compiled {
            grant,
            grant_json,
            policies: vec![pinned("ndb", policy)],
        }
    }

    #[test]
    fn a_plans_id_changes_with_whatever_it_would_put_in_force() {
        let id = plan_id(&proposal(PERMIT), &compiled("a"));
        assert_eq!(id, plan_id(&proposal(PERMIT), &compiled("a")));
        assert_ne!(id, plan_id(&proposal(PERMIT), &compiled("b")));
        assert_ne!(
            id,
            plan_id(&proposal(&PERMIT.replace("2 GiB", "3 GiB")), &compiled("a"))
        );
        let mut other_grant = compiled("a");
        other_grant.grant_json.push(' ');
        assert_ne!(id, plan_id(&proposal(PERMIT), &other_grant));
    }

    #[test]
    fn nobody_is_in_a_permit_under_a_name_of_the_system() {
        assert!(people_are_outsiders(&Permit::parse(PERMIT).unwrap()).is_ok());
        for name in ["local:root", "tre:system"] {
            let permit = Permit::parse(&PERMIT.replace("\"alice\"", &format!("\"{name}\""))).unwrap();
            let problem = people_are_outsiders(&permit).unwrap_err();
            assert!(problem.code.id == "TRE-PRJ-004" && problem.what.contains(name));
        }
    }

    #[test]
    fn a_condition_that_cannot_be_lowered_is_a_problem_of_the_permit_and_a_lost_desk_is_not() {
        let stored = &manifest().tables.first().unwrap().columns.clone();
        let said = |code| {
            of_condition(
                Problem::of(code, "no `height`"),
                "dataset.liver.visit.rows",
                stored,
            )
        };
        let unknown = said(&codes::SQL_UNKNOWN_NAME);
        assert_eq!(unknown.code.id, "TRE-PRJ-009");
        assert_eq!(unknown.what, "dataset.liver.visit.rows: no `height`");
        assert_eq!(unknown.hint, "the table stores `age`, `sex`, `cost`, `clinic`");
        assert_eq!(said(&codes::SQL_NOT_ALLOWED).code.id, "TRE-PRJ-009");
        assert_eq!(said(&codes::RUN_WORKER_LOST).code.id, "TRE-RUN-001");
    }
}
