//! The rule for one new cell and the earlier cells that are near to it. See [the module](super) for its argument.

use std::collections::BTreeSet;

use tre_core::ids::{DatasetName, TableName};
use tre_core::ledger::{Cell, Measure, Question};
use tre_core::policy::Differing;
use tre_core::sketch::Distance;

use super::known::{KnownCell, Near};

/// What becomes of a cell that would be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) step: Step,
    /// Whether this says something about people: it would be otherwise if one of them were not there.
    pub(super) depends_on_data: bool,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is shown as it is.
    Show,
    /// It is answered with this value, which has left.
    Snap(i128),
    /// It is suppressed.
    Suppress,
    /// A person decides about the answer.
    Refer,
}

/// A new cell under its question.
#[derive(Debug, Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) cell: &'a Cell,
    pub(super) question: &'a Question,
    /// By fewer people it may not differ from what has left.
    pub(super) minimum: u32,
}

/// Judges a cell that the other rules show, against what has left after answer number `since`.
pub(super) fn judge(new: New<'_>, near: &[Near<'_>], since: u64, differing: Differing) -> Verdict {
    let mut sensitive = false;
    let mut tells = false;
    let mut has_left = false;
    let mut others_too = false;
    let mut published: Option<&KnownCell> = None;
    let cells = near
        .iter()
        .flat_map(|near| near.cells.iter().map(|known| (near.distance, known)));
    for (distance, known) in cells.filter(|(_, known)| known.answer > since) {
        if !comparable(new, known) || other_rows(new, known) {
            continue;
        }
        let shown = known.cell.is_shown();
        // Of nearly these people as of exactly these: which of the two it is would say something.
        sensitive |= shown && new.question.sensitive != known.question.sensitive;
        let people = counts_people(new.cell) && counts_people(&known.cell);
        let shares = (new.cell.shares, known.cell.shares);
        if !people && shares.0.apart(&shares.1) >= new.minimum {
            continue;
        }
        let same = distance == Distance::Same && (people || shares.0 == shares.1);
        if same && shown && asks_the_same(new, known) {
            return Verdict {
                step: Step::Show,
                depends_on_data: false,
            };
        }
        tells |= !same || !shown;
        others_too |= same && shown;
        if shown && can_stand_for(new, known) {
            has_left |= same;
            // The earliest, not the nearest: which of several is nearest would say something. Of one answer, a value of
            // the very measure.
            let rank = |known: &KnownCell| (known.answer, known.cell.measure != new.cell.measure);
            if published.is_none_or(|earlier| rank(known) < rank(earlier)) {
                published = Some(known);
            }
        }
    }
    // What has left of exactly this can be said again. Only snapping must not tell it from what is nearly this.
    let step = match differing {
        Differing::Refer if sensitive || (tells && !has_left) => Step::Refer,
        Differing::Suppress if sensitive || (tells && !has_left) => Step::Suppress,
        Differing::Snap if tells || others_too || sensitive => {
            match published.and_then(|known| known.cell.value) {
                Some(value) => Step::Snap(value),
                None => Step::Suppress,
            }
        }
        Differing::Refer | Differing::Suppress | Differing::Snap => Step::Show,
    };
    Verdict {
        step,
        depends_on_data: tells || sensitive,
    }
}

/// Whether subtracting the two says something about the units in which they differ.
fn comparable(new: New<'_>, known: &KnownCell) -> bool {
    if counts_people(new.cell) && counts_people(&known.cell) {
        return true;
    }
    if new.cell.measure != known.cell.measure {
        return false;
    }
    match new.cell.measure {
        Measure::People
        | Measure::Sum(_)
        | Measure::Smallest(_)
        | Measure::Largest(_)
        | Measure::Comoment(_) => true,
        // A join can multiply rows: counts over other tables count something else.
        Measure::Rows(_) => tables(new.question) == tables(&known.question),
    }
}

/// Whether the two are of different rows by their keys, so that subtracting them subtracts different things.
fn other_rows(new: New<'_>, known: &KnownCell) -> bool {
    let (a, b) = (new.question, &*known.question);
    new.cell.group != known.cell.group && a.keys == b.keys && a.keys_part_rows && b.keys_part_rows
}

/// Whether it is the very same question, so that over the same people nothing new is said.
fn asks_the_same(new: New<'_>, known: &KnownCell) -> bool {
    let (a, b) = (new.question, &*known.question);
    (new.cell.group, new.cell.when) == (known.cell.group, known.cell.when)
        && (a.plan, &a.tables, &a.sensitive) == (b.plan, &b.tables, &b.sensitive)
}

/// Whether the earlier value is an answer to the new question, up to the few people.
fn can_stand_for(new: New<'_>, known: &KnownCell) -> bool {
    let people = counts_people(new.cell) && counts_people(&known.cell);
    let same_measure =
        new.cell.measure == known.cell.measure && tables(new.question) == tables(&known.question);
    new.cell.scale == known.cell.scale && (people || same_measure)
}

fn counts_people(cell: &Cell) -> bool {
    match cell.measure {
        Measure::People => true,
        Measure::Rows(_) => cell.row_per_unit,
        Measure::Sum(_) | Measure::Smallest(_) | Measure::Largest(_) | Measure::Comoment(_) => false,
    }
}

/// The private tables of a question, whatever their versions.
fn tables(question: &Question) -> BTreeSet<(&DatasetName, &TableName, u32)> {
    let tables = question.tables.iter();
    tables
        .map(|table| (table.version.dataset(), &table.table, table.times))
        .collect()
}
