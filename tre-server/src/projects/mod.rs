//! Projects: permits in force.
//!
//! ```text
//! permit text ─▶ Proposal ─▶ compiled: versions pinned ▸ columns found ▸ row conditions lowered ▸ policies pinned
//!                               └─▶ Plan: the differences to what is in force ─▶ applied: entry ▸ store ▸ sessions end
//! ```
//!
//! What sessions work with is the compiled form and nothing else: a file of the home that changes later changes no project
//! before a permit is applied again, and then stands in the plan. Limits that a permit leaves out are tre.toml's: they bound the
//! machine's load, and hold from the server's start on. The functions here are told who acts; whether they may is
//! asked before, by [`crate::control`].

mod changes;
mod compile;
mod plan;
pub(crate) mod policies;
mod terms;

mod apply;
mod close;

use std::fmt::Display;

use tre_core::codes::{self, Problem};
use tre_core::permit::Phase;

pub(crate) use apply::{apply, log_refusal};
pub(crate) use changes::{Change, Kind};
pub(crate) use close::{close, close_expired};
pub(crate) use plan::{Plan, Proposal, plan};

use crate::core::{Core, Project};

/// Two parts of the system disagree, or one does not work. The detail is for the operator's log; callers hear a constant.
pub(crate) fn internal(detail: impl Display) -> Problem {
    Problem::of(&codes::RUN_INTERNAL, detail.to_string())
}

/// Where a project stands, in a word: `open`, `not-yet`, `expired` or `closed`.
pub(crate) fn state(core: &Core, project: &Project) -> &'static str {
    if project.stored.closed.is_some() {
        return "closed";
    }
    match project
        .permit
        .valid
        .phase(core.now(), core.home.config().timezone.zone())
    {
        Phase::NotYet => "not-yet",
        Phase::InForce => "open",
        Phase::Expired => "expired",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use tre_core::algebra::{Comparison, Expr};
    use tre_core::grant::{Grant, GrantedTable};
    use tre_core::ids::VersionId;
    use tre_core::manifest::{ColumnMeta, FileManifest, Manifest, TableManifest};
    use tre_core::permit::Permit;
    use tre_core::types::{ColumnType, Value};
    use tre_home::store::PinnedPolicy;

    /// The permit of the design, with a second analyst and a third checker.
    pub(crate) const PERMIT: &str = r#"
project = "liver-outcomes"
title   = "Outcomes by age band"
purpose = { text = "How it goes on.", code = "EHDS-53-1-e" }
legal_basis = "Article 68"
valid   = { from = 2026-01-01, until = 2027-03-31 }
people  = [ { user = "alice", roles = ["analyst"] }, { user = "dora", roles = ["analyst"] }, { user = "bo", roles = ["checker"] }, { user = "cy", roles = ["checker"] }, { user = "di", roles = ["checker"] } ]
[[dataset]]
id = "liver"
[dataset.tables.visit]
columns = ["pid", "age", "sex"]
rows    = "age >= 40"
[exit.view]
policy = "ndb"
reviewers = 0
[exit.release]
policy = "ndb"
reviewers = 2
[limits]
memory = "2 GiB"
query_seconds = 300
sessions = 4
"#;

    fn column(name: &str, column_type: ColumnType) -> ColumnMeta {
        ColumnMeta {
            name: name.parse().unwrap(),
            column_type,
            description: String::new(),
            entity: None,
            measure: None,
            domain: None,
            tag: None,
            hierarchy: None,
            generalised: String::new(),
        }
    }

    fn table(name: &str, public: bool, columns: Vec<ColumnMeta>) -> TableManifest {
        let file = FileManifest {
            name: format!("{name}-00.parquet"),
            rows: 1,
            bytes: 1,
            sha256: "00".to_owned(),
        };
        TableManifest {
            name: name.parse().unwrap(),
            description: format!("the holder's words on {name}"),
            public,
            columns,
            files: vec![file],
            rows: 1,
        }
    }

    /// A version of `liver` with two tables about people and a public one.
    pub(crate) fn manifest() -> Manifest {
        let mut clinic = column("clinic", ColumnType::Text);
        clinic.entity = Some("facility".parse().unwrap());
        let visit = vec![
            column("age", ColumnType::Int),
            column("sex", ColumnType::Text),
            column("cost", ColumnType::Decimal { scale: 2 }),
            clinic,
        ];
        Manifest {
            version: VersionId::from_hash("liver".parse().unwrap(), [7; 32]),
            title: "Liver clinic cohort".to_owned(),
            population: "clinic".parse().unwrap(),
            created: "2026-01-01T00:00:00Z".parse().unwrap(),
            spec: "{}".to_owned(),
            cuts: (0..16).map(|range| range * 10).collect(),
            tables: vec![
                table("visit", false, visit),
                table("stay", false, vec![column("days", ColumnType::Int)]),
                table(
                    "icd10",
                    true,
                    vec![column("code", ColumnType::Text), column("name", ColumnType::Text)],
                ),
            ],
            wrapped_key: String::new(),
        }
    }

    /// The grant of a permit over [`manifest`]; every condition becomes `age >= 40`.
    pub(crate) fn grant_of(permit: &Permit) -> Grant {
        let manifests = [("liver".parse().unwrap(), manifest())].into();
        let drafts = super::compile::drafts(permit, &manifests).unwrap();
        let tables = drafts.into_iter().map(|draft| GrantedTable {
            row_filter: draft.rows.map(|_| {
                let forty = Expr::Literal(Value::Int(40));
                Expr::Compare(Comparison::GtEq, Box::new(Expr::Column(0)), Box::new(forty))
            }),
            ..draft.table
        });
        Grant {
            project: permit.project.clone(),
            tables: tables.collect(),
        }
    }

    /// A pinned policy of which only the name and a hash made of one letter matter.
    pub(crate) fn pinned(id: &str, letter: &str) -> PinnedPolicy {
        PinnedPolicy {
            id: id.parse().unwrap(),
            sha256: letter.repeat(64),
            bytes: Vec::new(),
        }
    }
}
