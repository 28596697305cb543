//! A permit: who may use which tables, columns and rows, for which purpose, until when, through which exits.
//!
//! The file is TOML. [`Permit::parse`] reads it once into a value whose names, dates, roles, sizes and numbers are valid
//! and whose lists have no duplicates; what needs the home (do dataset, columns and policy exist, can the row condition be
//! lowered?) is judged when the permit is applied. Unknown keys are errors. The published schema of the file is
//! [`json_schema`].

mod file;
mod limits;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

pub use file::json_schema;

use crate::codes::{self, Problem};
use crate::ids::{ColumnName, DatasetName, PolicyId, ProjectId, TableName, UserName};

/// What a person does in the system. One token carries one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Asks questions in a project.
    Analyst,
    /// Reviews what a project asks to release.
    Checker,
    /// Keeps datasets, projects and sessions; never sees data.
    Operator,
    /// Sees who did what; never sees data.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::Analyst, Role::Checker, Role::Operator, Role::Auditor];

    /// The role as tokens and permits write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Analyst => "analyst",
            Role::Checker => "checker",
            Role::Operator => "operator",
            Role::Auditor => "auditor",
        }
    }

    /// Whether a permit gives this role to people. Operators and auditors belong to the deployment, not to a project.
    pub fn is_of_a_project(self) -> bool {
        matches!(self, Role::Analyst | Role::Checker)
    }
}

impl FromStr for Role {
    type Err = Problem;
    fn from_str(text: &str) -> Result<Self, Problem> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| {
                Problem::new(
                    &codes::AUTH_ROLE,
                    format!("`{}` is not a role", text.chars().take(80).collect::<String>()),
                    "write analyst, checker, operator or auditor",
                )
            })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A permit whose every part is well-formed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Permit {
    /// Id of the project that it becomes.
    pub project: ProjectId,
    /// For people.
    pub title: String,
    /// What the data are used for.
    pub purpose: Purpose,
    /// Law or decision that allows it.
    pub legal_basis: String,
    /// The decision of the body that issued the permit, where there was one.
    pub issued: Option<Issued>,
    /// When it is in force.
    pub valid: Validity,
    /// Who, as which role; users are unique.
    pub people: Vec<Member>,
    /// Which data; ids are unique, each has a table.
    pub datasets: Vec<PermitDataset>,
    /// Ways out; at least one.
    pub exits: BTreeMap<ExitName, Exit>,
    /// What it says of what a session may use.
    pub limits: NamedLimits,
}

/// What the data are used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purpose {
    /// In words, as the public register shows it.
    pub text: String,
    /// A code of a purpose, e.g. `EHDS-53-1-e` for Article 53(1)(e) of Regulation (EU) 2025/327.
    pub code: Option<String>,
}

/// The decision behind a permit, e.g. of a health data access body (Article 68 of Regulation (EU) 2025/327).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// The body that decided.
    pub by: String,
    /// Its reference of the decision.
    pub reference: String,
    /// When it decided.
    pub on: Option<Date>,
}

/// First and last day on which a permit is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
}

/// Where a moment lies relative to a permit's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the first day.
    NotYet,
    /// In force.
    InForce,
    /// After the last day.
    Expired,
}

impl Validity {
    /// Where `now` lies, days being those of `zone`.
    pub fn phase(&self, now: Timestamp, zone: &TimeZone) -> Phase {
        let today = now.to_zoned(zone.clone()).date();
        if today < self.from {
            Phase::NotYet
        } else if today > self.until {
            Phase::Expired
        } else {
            Phase::InForce
        }
    }

    /// The first moment after the last day in `zone`; `None` at the end of the calendar.
    pub fn end(&self, zone: &TimeZone) -> Option<Timestamp> {
        let next = self.until.checked_add(1.day()).ok()?;
        Some(next.to_zoned(zone.clone()).ok()?.timestamp())
    }
}

/// One person of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// As tokens name them.
    pub user: UserName,
    /// At least one; analyst or checker.
    pub roles: BTreeSet<Role>,
}

/// The part of a dataset that a permit opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermitDataset {
    /// The dataset; its newest version is pinned when the permit is applied.
    pub id: DatasetName,
    /// Its tables, at least one.
    pub tables: BTreeMap<TableName, PermitTable>,
}

/// The part of a table that a permit opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PermitTable {
    /// Columns by name, at least one, each once; `pid` may be among them.
    pub columns: Vec<ColumnName>,
    /// Condition on the stored values; rows where it is not true do not exist for the project.
    pub rows: Option<String>,
}

/// A way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExitName {
    /// An answer in a session.
    View,
    /// A file.
    Release,
}

impl fmt::Display for ExitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExitName::View => "view",
            ExitName::Release => "release",
        })
    }
}

/// What judges a way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exit {
    /// The policy's file name without `.toml`.
    pub policy: PolicyId,
    /// Distinct people who must approve; 0: the checker alone decides.
    pub reviewers: u8,
}

/// What a session may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Of one session's engine, in bytes.
    pub memory: u64,
    /// Of one query.
    pub query_seconds: u32,
    /// At once, of all people of the project together.
    pub sessions: u8,
}

/// The limits that a permit names. What it leaves out is the deployment's to say (`[limits]` of tre.toml).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct NamedLimits {
    /// Of one session's engine, in bytes.
    pub memory: Option<u64>,
    /// Of one query.
    pub query_seconds: Option<u32>,
    /// At once, of all people of the project together.
    pub sessions: Option<u8>,
}

impl NamedLimits {
    /// The limits that hold where the deployment says `others`.
    #[must_use]
    pub fn or(self, others: Limits) -> Limits {
        Limits {
            memory: self.memory.unwrap_or(others.memory),
            query_seconds: self.query_seconds.unwrap_or(others.query_seconds),
            sessions: self.sessions.unwrap_or(others.sessions),
        }
    }
}

impl Permit {
    /// Reads a permit file.
    ///
    /// # Errors
    /// A [`Problem`] with a `TRE-PRJ` code for text that is not TOML, unknown keys, and every name, date, role, number or
    /// list that is not valid.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        file::parse(text)
    }

    /// Whether `user` has `role` here.
    pub fn has(&self, user: &UserName, role: Role) -> bool {
        self.people
            .iter()
            .any(|member| &member.user == user && member.roles.contains(&role))
    }

    /// The people with `role`, in the permit's order.
    pub fn people_with(&self, role: Role) -> impl Iterator<Item = &UserName> {
        self.people
            .iter()
            .filter(move |member| member.roles.contains(&role))
            .map(|member| &member.user)
    }
}
