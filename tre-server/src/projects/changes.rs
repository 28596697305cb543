//! What a permit would change: the difference between two permits as a list that a person can read.
//!
//! Both are laid out as [`super::terms`], which know what a difference means: whether it lets somebody see or do more (it
//! *widens*) or takes something away (it *narrows*). The first is for whoever reads the plan, the second ends sessions.

use tre_core::ids::UserName;

use super::terms::{Concerns, Term, Terms};

/// What became of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Added,
    Removed,
    Changed,
}

/// One difference between what is in force and what the permit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    /// Where, e.g. `dataset.liver.visit.columns`.
    pub(crate) what: String,
    /// Empty when added.
    pub(crate) before: String,
    /// Empty when removed.
    pub(crate) after: String,
    /// Somebody could see or do more.
    pub(crate) widens: bool,
    /// Somebody could see or do less than a session that runs now.
    narrows: bool,
    concerns: Concerns,
}

/// The differences, in the order of the new permit, then what is gone. A new project widens in everything.
pub(super) fn changes(before: Option<Terms<'_>>, after: Terms<'_>) -> Vec<Change> {
    let is_new = before.is_none();
    let old: Vec<Term> = before.map(Terms::lay_out).unwrap_or_default();
    let new = after.lay_out();
    let at = |terms: &[Term], what: &str| terms.iter().position(|term| term.what == what);
    let mut changes: Vec<Change> = new
        .iter()
        .filter_map(|term| change(at(&old, &term.what).and_then(|index| old.get(index)), Some(term)))
        .collect();
    let gone = old.iter().filter(|term| at(&new, &term.what).is_none());
    changes.extend(gone.filter_map(|term| change(Some(term), None)));
    let explained = changes.iter().any(|change| change.what.starts_with("dataset."));
    if before.is_some_and(|before| before.grant != after.grant) && !explained {
        changes.push(recompiled());
    }
    if is_new {
        changes.iter_mut().for_each(|change| change.widens = true);
    }
    changes
}

/// Whether these changes take something from a session of `user` that began before them.
pub(super) fn ends_session(changes: &[Change], user: &UserName) -> bool {
    changes.iter().any(|change| {
        change.narrows
            && match &change.concerns {
                Concerns::Everybody => true,
                Concerns::Only(who) => who == user,
            }
    })
}

/// The same permit means something else to this program than to the one that compiled it.
fn recompiled() -> Change {
    Change {
        kind: Kind::Changed,
        what: "dataset".to_owned(),
        before: "as compiled when it was applied".to_owned(),
        after: "as compiled now".to_owned(),
        widens: true,
        narrows: true,
        concerns: Concerns::Everybody,
    }
}

fn change(before: Option<&Term>, after: Option<&Term>) -> Option<Change> {
    let term = after.or(before)?;
    let shown = |term: Option<&Term>| term.and_then(|term| term.says.shown());
    let (old, new) = (shown(before), shown(after));
    let kind = match (&old, &new) {
        (None, None) => return None,
        (Some(old), Some(new)) if old == new => return None,
        (None, Some(_)) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(_), Some(_)) => Kind::Changed,
    };
    let (widens, narrows) = match (before, after) {
        (Some(before), Some(after)) => before.says.effects(&after.says),
        (None, Some(added)) => (added.says.is_a_right(), false),
        (Some(removed), None) => (false, removed.says.is_a_right()),
        (None, None) => (false, false),
    };
    Some(Change {
        kind,
        what: term.what.clone(),
        before: old.unwrap_or_default(),
        after: new.unwrap_or_default(),
        widens,
        narrows,
        concerns: term.concerns.clone(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use tre_core::ids::VersionId;
    use tre_core::permit::{Limits, Permit};

    use super::super::tests::{PERMIT, grant_of, pinned};
    use super::*;

    fn diff(before: &str, after: &str) -> Vec<Change> {
        let (old, new) = (Permit::parse(before).unwrap(), Permit::parse(after).unwrap());
        let (old_grant, new_grant) = (grant_of(&old), grant_of(&new));
        let policies = [pinned("ndb", "a"), pinned("open", "b")];
        let terms = |permit, grant| Terms {
            permit,
            grant,
            policies: &policies,
            limits: limits(permit),
        };
        changes(Some(terms(&old, &old_grant)), terms(&new, &new_grant))
    }

    /// Those of a permit in a deployment with these.
    fn limits(permit: &Permit) -> Limits {
        permit.limits.or(Limits {
            memory: 2 << 30,
            query_seconds: 300,
            sessions: 3,
        })
    }

    /// Replaces text of the permit, and says what that changes as (path, kind, widens, narrows).
    fn case(from: &str, to: &str) -> Vec<(String, Kind, bool, bool)> {
        assert!(PERMIT.contains(from), "{from}");
        let changes = diff(PERMIT, &PERMIT.replacen(from, to, 1));
        changes
            .into_iter()
            .map(|c| (c.what, c.kind, c.widens, c.narrows))
            .collect()
    }

    fn one(what: &str, kind: Kind, widens: bool, narrows: bool) -> Vec<(String, Kind, bool, bool)> {
        vec![(what.to_owned(), kind, widens, narrows)]
    }

    #[test]
    fn the_same_permit_changes_nothing() {
        assert_eq!(diff(PERMIT, PERMIT), []);
        assert_eq!(diff(PERMIT, &format!("# a comment\n{PERMIT}")), []);
    }

    #[test]
    fn every_difference_is_named_with_its_direction() {
        use Kind::{Added, Changed, Removed};
        let columns = "dataset.liver.visit.columns";
        let rows = "dataset.liver.visit.rows";
        let sex = r#", "sex"]"#;
        let condition = "rows    = \"age >= 40\"";
        for (from, to, expected) in [
            (
                "Outcomes by age",
                "Outcomes by sex",
                one("title", Changed, false, false),
            ),
            (
                "from = 2026-01-01",
                "from = 2025-01-01",
                one("valid.from", Changed, true, false),
            ),
            (
                "from = 2026-01-01",
                "from = 2026-02-01",
                one("valid.from", Changed, false, true),
            ),
            (
                "until = 2027-03-31",
                "until = 2027-04-01",
                one("valid.until", Changed, true, false),
            ),
            (
                "until = 2027-03-31",
                "until = 2027-03-30",
                one("valid.until", Changed, false, true),
            ),
            ("user = \"dora\"", "user = \"emil\"", {
                let mut both = one("people.emil", Added, true, false);
                both.extend(one("people.dora", Removed, false, true));
                both
            }),
            (
                "roles = [\"analyst\"]",
                "roles = [\"analyst\", \"checker\"]",
                one("people.alice", Changed, true, false),
            ),
            (sex, "]", one(columns, Changed, false, true)),
            (sex, r#", "sex", "cost"]"#, one(columns, Changed, true, false)),
            (sex, r#", "cost"]"#, one(columns, Changed, true, true)),
            (
                r#""age", "sex""#,
                r#""sex", "age""#,
                one(columns, Changed, false, false),
            ),
            (condition, "", one(rows, Removed, true, false)),
            (condition, "rows = \"age >= 60\"", one(rows, Changed, true, true)),
            (
                "policy = \"ndb\"\nreviewers = 2",
                "policy = \"open\"\nreviewers = 2",
                one("exit.release.policy", Changed, true, true),
            ),
            (
                "reviewers = 2",
                "reviewers = 1",
                one("exit.release.reviewers", Changed, true, false),
            ),
            (
                "reviewers = 2",
                "reviewers = 3",
                one("exit.release.reviewers", Changed, false, true),
            ),
            ("2 GiB", "4 GiB", one("limits.memory", Changed, true, false)),
            (
                "query_seconds = 300",
                "query_seconds = 299",
                one("limits.query_seconds", Changed, false, true),
            ),
            (
                "sessions = 4",
                "sessions = 5",
                one("limits.sessions", Changed, true, false),
            ),
        ] {
            assert_eq!(case(from, to), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn a_condition_that_comes_narrows_and_a_table_takes_its_condition_along() {
        let all_rows = PERMIT.replace("rows    = \"age >= 40\"", "");
        let changes = diff(&all_rows, PERMIT);
        assert_eq!(
            (changes[0].kind, changes[0].widens, changes[0].narrows),
            (Kind::Added, false, true)
        );
        let second = "[dataset.tables.stay]\ncolumns = [\"days\"]\nrows = \"days > 1\"\n[exit.view]";
        let more = PERMIT.replacen("[exit.view]", second, 1);
        let widening: Vec<_> = diff(PERMIT, &more)
            .into_iter()
            .map(|c| (c.what, c.widens, c.narrows))
            .collect();
        let columns = "dataset.liver.stay.columns".to_owned();
        let rows = "dataset.liver.stay.rows".to_owned();
        assert_eq!(widening, [(columns, true, false), (rows, false, false)]);
        assert!(
            diff(&more, PERMIT)
                .iter()
                .all(|change| !change.widens && change.kind == Kind::Removed)
        );
    }

    #[test]
    fn an_exit_that_comes_widens_and_one_that_goes_narrows() {
        let without = PERMIT.replace("[exit.view]\npolicy = \"ndb\"\nreviewers = 0\n", "");
        let added = diff(&without, PERMIT);
        assert!(added.len() == 2 && added.iter().all(|change| change.widens && !change.narrows));
        let removed = diff(PERMIT, &without);
        assert!(removed.len() == 2 && removed.iter().all(|change| !change.widens && change.narrows));
    }

    #[test]
    fn another_version_or_other_bytes_of_a_policy_are_changes_of_an_unchanged_permit() {
        let permit = Permit::parse(PERMIT).unwrap();
        let old = grant_of(&permit);
        let mut new = old.clone();
        for table in &mut new.tables {
            table.version = VersionId::from_hash("liver".parse().unwrap(), [9; 32]);
        }
        let (policies, rewritten) = ([pinned("ndb", "a")], [pinned("ndb", "c")]);
        let before = Terms {
            permit: &permit,
            grant: &old,
            policies: &policies,
            limits: limits(&permit),
        };
        let repinned = changes(
            Some(before),
            Terms {
                grant: &new,
                ..before
            },
        );
        assert_eq!(
            (repinned.len(), repinned[0].what.as_str()),
            (1, "dataset.liver.version")
        );
        let other_rules = changes(
            Some(before),
            Terms {
                policies: &rewritten,
                ..before
            },
        );
        assert!(other_rules.len() == 2 && other_rules.iter().all(|change| change.widens && change.narrows));
        let mut recompiled = old.clone();
        recompiled.tables[0].row_filter = None;
        let recompiled = changes(
            Some(before),
            Terms {
                grant: &recompiled,
                ..before
            },
        );
        assert_eq!((recompiled.len(), recompiled[0].what.as_str()), (1, "dataset"));
    }

    #[test]
    fn a_limit_left_out_is_shown_as_the_deployments_and_changes_only_by_the_difference() {
        assert_eq!(case("query_seconds = 300\n", ""), []);
        assert_eq!(
            case("sessions = 4\n", ""),
            one("limits.sessions", Kind::Changed, false, true)
        );
    }

    #[test]
    fn a_new_project_widens_in_everything() {
        let permit = Permit::parse(PERMIT).unwrap();
        let grant = grant_of(&permit);
        let all = changes(
            None,
            Terms {
                permit: &permit,
                grant: &grant,
                policies: &[pinned("ndb", "a")],
                limits: limits(&permit),
            },
        );
        assert!(
            all.len() > 15
                && all
                    .iter()
                    .all(|change| change.widens && change.kind == Kind::Added)
        );
    }

    #[test]
    fn only_those_who_lose_something_lose_their_sessions() {
        let alice = "alice".parse().unwrap();
        let dora = "dora".parse().unwrap();
        let gone = diff(PERMIT, &PERMIT.replace("user = \"dora\"", "user = \"emil\""));
        assert!(ends_session(&gone, &dora) && !ends_session(&gone, &alice));
        let wider = diff(PERMIT, &PERMIT.replace("2 GiB", "4 GiB"));
        assert!(!ends_session(&wider, &alice));
        let fewer_columns = diff(PERMIT, &PERMIT.replace(r#", "sex"]"#, "]"));
        assert!(ends_session(&fewer_columns, &alice) && ends_session(&fewer_columns, &dora));
    }
}
