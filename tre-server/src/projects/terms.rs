//! A permit laid out as terms: each under its path, and each of a kind that knows which direction of a difference lets
//! somebody see or do more, and which less. What cannot be told counts as both.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tre_core::grant::Grant;
use tre_core::ids::{DatasetName, PolicyId, UserName, VersionId};
use tre_core::permit::{Limits, Permit, PermitDataset};
use tre_home::store::PinnedPolicy;

/// A project as it is in force, or as it would be.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) permit: &'a Permit,
    pub(super) grant: &'a Grant,
    pub(super) policies: &'a [PinnedPolicy],
    pub(super) limits: Limits,
}

/// One thing that a permit says.
pub(super) struct Term {
    pub(super) what: String,
    pub(super) says: Says,
    pub(super) concerns: Concerns,
}

/// Whose sessions a change concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Concerns {
    Everybody,
    Only(UserName),
}

/// What it says, by what a difference means.
pub(super) enum Says {
    /// No right hangs on it.
    Words(Option<String>),
    /// Any other value may give and may take.
    Exactly(String),
    /// More members, more rights; their order means nothing to rights.
    Members(Vec<String>),
    /// A higher number gives.
    Ceiling(i64, String),
    /// A lower number gives.
    Floor(i64, String),
    /// A condition on rows, of a table that is there anyway: without one there are more rows, with another, others.
    Rows(Option<String>),
}

impl Says {
    /// For people; `None`: nothing is said.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Says::Words(text) | Says::Rows(text) => text.clone(),
            Says::Exactly(text) | Says::Ceiling(_, text) | Says::Floor(_, text) => Some(text.clone()),
            Says::Members(members) => Some(members.join(", ")),
        }
    }

    /// Whether its coming or going as a whole is a matter of rights.
    pub(super) fn is_a_right(&self) -> bool {
        !matches!(self, Says::Words(_) | Says::Rows(_))
    }

    /// Whether `after` in place of `self` widens, and whether it narrows; they differ.
    pub(super) fn effects(&self, after: &Says) -> (bool, bool) {
        match (self, after) {
            (Says::Words(_), Says::Words(_)) => (false, false),
            (Says::Members(before), Says::Members(after)) => {
                let gains = |from: &[String], to: &[String]| to.iter().any(|member| !from.contains(member));
                (gains(before, after), gains(after, before))
            }
            (Says::Ceiling(before, _), Says::Ceiling(after, _)) => (after > before, after < before),
            (Says::Floor(before, _), Says::Floor(after, _)) => (after < before, after > before),
            (Says::Rows(before), Says::Rows(after)) => (before.is_some(), after.is_some()),
            _different => (true, true),
        }
    }
}

impl Terms<'_> {
    /// All terms, in the order of the permit.
    pub(super) fn lay_out(self) -> Vec<Term> {
        let permit = self.permit;
        let mut terms = vec![
            term("title", Says::Words(Some(permit.title.clone()))),
            term("purpose.text", Says::Words(Some(permit.purpose.text.clone()))),
            term("purpose.code", Says::Words(permit.purpose.code.clone())),
            term("legal_basis", Says::Words(Some(permit.legal_basis.clone()))),
            term("issued", Says::Words(self.issued())),
            term(
                "valid.from",
                Says::Floor(day(permit.valid.from), permit.valid.from.to_string()),
            ),
            term(
                "valid.until",
                Says::Ceiling(day(permit.valid.until), permit.valid.until.to_string()),
            ),
        ];
        terms.extend(permit.people.iter().map(|member| Term {
            what: format!("people.{}", member.user),
            says: Says::Members(member.roles.iter().map(ToString::to_string).collect()),
            concerns: Concerns::Only(member.user.clone()),
        }));
        let versions: BTreeMap<&DatasetName, &VersionId> = self
            .grant
            .tables
            .iter()
            .map(|table| (table.version.dataset(), &table.version))
            .collect();
        for dataset in &permit.datasets {
            data(&mut terms, dataset, versions.get(&dataset.id).copied());
        }
        for (name, exit) in &permit.exits {
            terms.push(term(
                format!("exit.{name}.policy"),
                Says::Exactly(self.policy(&exit.policy)),
            ));
            let reviewers = exit.reviewers;
            terms.push(term(
                format!("exit.{name}.reviewers"),
                Says::Floor(reviewers.into(), reviewers.to_string()),
            ));
        }
        self.limits(&mut terms);
        terms
    }

    fn issued(self) -> Option<String> {
        let issued = self.permit.issued.as_ref()?;
        let on = issued.on.map(|date| format!(" on {date}")).unwrap_or_default();
        Some(format!("{} by {}{on}", issued.reference, issued.by))
    }

    /// The policy with the beginning of its hash: the same name with other rules is another policy.
    fn policy(self, id: &PolicyId) -> String {
        let pinned = self.policies.iter().find(|policy| &policy.id == id);
        let hash = pinned.map(|policy| policy.sha256.as_str()).unwrap_or_default();
        format!("{id} {}", hash.get(..16).unwrap_or(hash))
    }

    fn limits(self, terms: &mut Vec<Term>) {
        let limits = self.limits;
        let mebibytes = i64::try_from(limits.memory >> 20).unwrap_or(i64::MAX);
        terms.push(term(
            "limits.memory",
            Says::Ceiling(mebibytes, format!("{mebibytes} MiB")),
        ));
        let seconds = limits.query_seconds;
        terms.push(term(
            "limits.query_seconds",
            Says::Ceiling(seconds.into(), seconds.to_string()),
        ));
        let sessions = limits.sessions;
        terms.push(term(
            "limits.sessions",
            Says::Ceiling(sessions.into(), sessions.to_string()),
        ));
    }
}

fn data(terms: &mut Vec<Term>, dataset: &PermitDataset, version: Option<&VersionId>) {
    let id = &dataset.id;
    let version = version.map(ToString::to_string).unwrap_or_default();
    terms.push(term(format!("dataset.{id}.version"), Says::Exactly(version)));
    for (name, table) in &dataset.tables {
        let columns = table.columns.iter().map(ToString::to_string).collect();
        terms.push(term(
            format!("dataset.{id}.{name}.columns"),
            Says::Members(columns),
        ));
        terms.push(term(
            format!("dataset.{id}.{name}.rows"),
            Says::Rows(table.rows.clone()),
        ));
    }
}

fn term(what: impl Into<String>, says: Says) -> Term {
    Term {
        what: what.into(),
        says,
        concerns: Concerns::Everybody,
    }
}

/// A number that grows with the date.
fn day(date: Date) -> i64 {
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}
