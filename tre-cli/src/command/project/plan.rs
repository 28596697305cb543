//! What a permit would change, or has changed; what widens anybody's access stands in a block of its own.

use schemars::JsonSchema;
use serde::Serialize;
use tre_proto::v1;

use crate::render::{Cell, Grid, Shown, View};

/// What a permit changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PlanReport {
    /// The project.
    project: String,
    /// Names this plan for `apply --plan`.
    plan_id: String,
    /// The project does not exist yet.
    is_new: bool,
    /// The changes are in force now.
    applied: bool,
    /// Differences between what is in force and what the permit says; empty: none.
    changes: Vec<ChangeRow>,
}

/// One difference.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChangeRow {
    /// added, removed or changed.
    change: &'static str,
    /// What differs, e.g. dataset.liver.visit.columns.
    what: String,
    /// Null: there was nothing.
    before: Option<String>,
    /// Null: there is nothing any more.
    after: Option<String>,
    /// Somebody could see or do more.
    widens: bool,
}

impl ChangeRow {
    fn cells(&self) -> [Cell; 4] {
        [
            Cell::text(self.change),
            Cell::text(&self.what),
            Cell::optional(self.before.as_ref()),
            Cell::optional(self.after.as_ref()),
        ]
    }
}

impl From<v1::Change> for ChangeRow {
    fn from(change: v1::Change) -> Self {
        let given = |text: String| (!text.is_empty()).then_some(text);
        ChangeRow {
            change: match change.kind() {
                v1::ChangeKind::Added => "added",
                v1::ChangeKind::Removed => "removed",
                v1::ChangeKind::Changed | v1::ChangeKind::Unspecified => "changed",
            },
            what: change.what,
            before: given(change.before),
            after: given(change.after),
            widens: change.widens,
        }
    }
}

impl From<v1::ProjectPlan> for PlanReport {
    fn from(plan: v1::ProjectPlan) -> Self {
        PlanReport {
            project: plan.project,
            plan_id: plan.plan_id,
            is_new: plan.is_new,
            applied: plan.applied,
            changes: plan.changes.into_iter().map(ChangeRow::from).collect(),
        }
    }
}

impl PlanReport {
    fn block(&self, title: &str, widens: bool) -> Option<Grid> {
        let changes: Vec<&ChangeRow> = self
            .changes
            .iter()
            .filter(|change| change.widens == widens)
            .collect();
        // A column in which nothing would stand is left out: `before` of a new project.
        let has_before = changes.iter().any(|change| change.before.is_some());
        let has_after = changes.iter().any(|change| change.after.is_some());
        let kept = [true, true, has_before, has_after];
        fn keep<T>(all: impl IntoIterator<Item = T>, kept: &[bool]) -> Vec<T> {
            all.into_iter()
                .zip(kept)
                .filter_map(|(item, kept)| kept.then_some(item))
                .collect()
        }
        let headings = keep(["change", "what", "before", "after"], &kept);
        let rows: Vec<Vec<Cell>> = changes.iter().map(|change| keep(change.cells(), &kept)).collect();
        (!rows.is_empty()).then(|| Grid::new(&headings, rows).titled(title))
    }

    fn state(&self) -> String {
        match (self.changes.len(), self.applied) {
            (0, _) => "nothing changes: the permit is in force as it stands".to_owned(),
            (1, true) => "1 change, in force".to_owned(),
            (n, true) => format!("{n} changes, in force"),
            (1, false) => "1 change, not applied".to_owned(),
            (n, false) => format!("{n} changes, not applied"),
        }
    }
}

impl Shown for PlanReport {
    const KIND: &'static str = "project-plan";

    fn view(&self) -> View {
        let project = if self.is_new {
            format!("{} (new)", self.project)
        } else {
            self.project.clone()
        };
        let facts = vec![
            ("project", project),
            ("plan", self.plan_id.clone()),
            ("result", self.state()),
        ];
        let widening = self.block("WIDENS ACCESS: somebody could see or do more than today", true);
        View {
            facts,
            grids: widening
                .into_iter()
                .chain(self.block("other changes", false))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;

    fn plan() -> PlanReport {
        let change = |what: &str, widens| v1::Change {
            kind: v1::ChangeKind::Added.into(),
            what: what.to_owned(),
            after: "x".to_owned(),
            widens,
            ..v1::Change::default()
        };
        let changes = vec![change("limits.sessions", false), change("people.dan", true)];
        PlanReport::from(v1::ProjectPlan {
            project: "p".to_owned(),
            changes,
            ..v1::ProjectPlan::default()
        })
    }

    #[test]
    fn what_widens_access_comes_first_and_apart() {
        let text = printed(&plan(), Format::Table);
        let widening = text.find("WIDENS ACCESS").zip(text.find("people.dan"));
        let other = text.find("other changes").zip(text.find("limits.sessions"));
        assert!(
            matches!((widening, other), (Some((a, b)), Some((c, d))) if a < b && b < c && c < d),
            "{text}"
        );
        assert!(text.contains("2 changes, not applied"));
    }

    #[test]
    fn an_unchanged_permit_is_said_to_be_one() {
        let text = printed(
            &PlanReport {
                changes: Vec::new(),
                ..plan()
            },
            Format::Table,
        );
        assert!(
            text.contains("nothing changes") && !text.contains("WIDENS"),
            "{text}"
        );
    }
}
