//! One frontier, cell by cell: what the ledger makes of its values, and what it will remember of them.

use std::collections::HashMap;

use tre_core::codes::{self, Problem};
use tre_core::evidence::sketch::UnitSets;
use tre_core::evidence::{BaseCells, ValueKind};
use tre_core::grant::Grant;
use tre_core::ledger::{Cell, Digest, Measure, Part};
use tre_core::policy::RulePack;
use tre_core::sketch::{Sketcher, UnitSet};
use tre_core::status::{Rule, Status, StatusCode};

use super::compare::Asked;
use super::edit::{Edit, Value};
use super::keys;
use super::known::{Ledger, Near};
use super::question::{AskedArgument, Described, question};
use super::rule::{New, Step, judge};
use crate::lineage::Lineage;
use crate::rules::tagged::MinimaByTag;
use crate::treated::TreatedCells;

/// Most sets of one frontier that are compared, so that nobody waits for long. An answer of more is referred: people
/// decide, and what they let out is remembered like everything else.
pub(super) const MOST_SETS: usize = 100_000;

/// What a group that does not stand in the treated cells had done to it.
const LEFT_OUT: Value = (None, StatusCode::new(Status::Suppressed, Rule::RareLabel));

/// A frontier after its comparison.
pub(super) struct Examined {
    /// What is to be remembered.
    pub(super) part: Part,
    /// The treated cells, if a value was changed.
    pub(super) treated: Option<TreatedCells>,
    /// Whether a value was changed, or the answer referred, because of who stands behind it.
    pub(super) depends_on_data: bool,
    /// Whether a person has to decide.
    pub(super) referred: bool,
    /// Whether it was not compared, since there are more than [`MOST_SETS`].
    pub(super) too_many: bool,
}

/// Values of one argument: they are over the same set.
struct Slot<'a> {
    argument: Option<usize>,
    sets: UnitSets<'a>,
    /// Index among the layout's values, and what it is.
    values: Vec<(usize, ValueKind)>,
}

/// Compares a frontier with ledgers and treats what is too near.
///
/// # Errors
/// `TRE-SDC-022` when cells, treated cells and layout do not fit together.
pub(super) fn examine(
    one: &Asked<'_>,
    ledgers: [&Ledger; 2],
    sketcher: &Sketcher,
    grant: &Grant,
    rules: &RulePack,
) -> Result<Examined, Problem> {
    let minimum = MinimaByTag::new(one.lineage, rules).strictest().get();
    let layout = &one.lineage.layout;
    let Described { question, arguments } =
        question(one.frontier, grant, &rules.ledger.sensitive).map_err(|error| broken(&error.to_string()))?;
    let mut edit = Edit::new(&one.checked.treated, layout);
    let misfit = || broken("a key is not of its type");
    let groups = keys::of_rows(one.cells.keys(), &layout.keys, one.cells.len()).ok_or_else(misfit)?;
    let shown = keys::of_rows(edit.keys(), &layout.keys, edit.rows()).ok_or_else(misfit)?;
    let shown: HashMap<&[u8], usize> = shown.iter().map(Vec::as_slice).zip(0..).collect();
    let slots = slots(one.cells, one.lineage)?;

    let mut examined = Examined {
        part: Part {
            population: one.lineage.population.clone(),
            question,
            minimum,
            sets: Vec::new(),
            cells: Vec::new(),
        },
        treated: None,
        depends_on_data: false,
        referred: false,
        too_many: one.cells.len().saturating_mul(slots.len()) > MOST_SETS,
    };
    for (row, key) in groups.iter().enumerate() {
        let (group, place) = (Digest::of(key), shown.get(key.as_slice()).copied());
        // Arguments without NULLs have the set of the row itself.
        let mut last: Option<(UnitSet, Option<Vec<Near<'_>>>)> = None;
        for slot in &slots {
            let set = slot.sets.at(row).zip(slot.sets.shares_at(row));
            let (set, shares) = set.ok_or_else(|| broken("a set is missing"))?;
            if set.units() == 0 {
                continue;
            }
            if last.as_ref().is_none_or(|(known, _)| known != &set) {
                examined.part.sets.push(set.clone());
                last = Some((set, None));
            }
            let Some((set, near)) = &mut last else { continue };
            for (index, kind) in &slot.values {
                let value = place.map_or(Some(LEFT_OUT), |place| edit.value(*index, place));
                let (value, status) = value.ok_or_else(|| broken("a value is missing"))?;
                let mut cell = Cell {
                    group,
                    set: u32::try_from(examined.part.sets.len() - 1).unwrap_or(u32::MAX),
                    measure: measure(*kind, one.cells, row, &arguments)?,
                    shares,
                    when: slot
                        .argument
                        .and_then(|argument| arguments.get(argument))
                        .and_then(|argument| argument.when),
                    row_per_unit: row_per_unit(*kind, one.cells, row),
                    status,
                    value,
                    scale: edit.scale(*index),
                };
                if cell.is_shown() && !examined.too_many {
                    let near = near.get_or_insert_with(|| {
                        let [before, own] = ledgers;
                        let mut near = before.near(&one.lineage.population, set, minimum, sketcher);
                        near.extend(own.near(&one.lineage.population, set, minimum, sketcher));
                        near
                    });
                    let new = New {
                        cell: &cell,
                        question: &examined.part.question,
                        minimum,
                    };
                    let verdict = judge(new, near, 0, rules.ledger.differing);
                    let (value, status) = match verdict.step {
                        Step::Show => (value, status),
                        Step::Snap(value) => (Some(value), StatusCode::new(Status::Snapped, Rule::Differing)),
                        Step::Suppress => (None, StatusCode::new(Status::Suppressed, Rule::Differing)),
                        Step::Refer => {
                            examined.referred = true;
                            (value, status)
                        }
                    };
                    examined.depends_on_data |= verdict.step != Step::Show && verdict.depends_on_data;
                    (cell.value, cell.status) = (value, status);
                    if let Some(place) = place.filter(|_| verdict.step != Step::Show) {
                        edit.replace(*index, place, (value, status));
                    }
                }
                examined.part.cells.push(cell);
            }
        }
    }
    examined.treated = edit.finish().map_err(|error| broken(&error.to_string()))?;
    Ok(examined)
}

/// The values by argument, the row itself first.
fn slots<'a>(cells: &'a BaseCells, lineage: &Lineage) -> Result<Vec<Slot<'a>>, Problem> {
    let mut slots: Vec<Slot<'a>> = Vec::new();
    let mut values: Vec<(usize, ValueKind)> = lineage.layout.values.iter().copied().enumerate().collect();
    values.sort_by_key(|(_, kind)| kind.argument());
    for (index, kind) in values {
        match slots.last_mut() {
            Some(slot) if slot.argument == kind.argument() => slot.values.push((index, kind)),
            _ => slots.push(Slot {
                argument: kind.argument(),
                sets: cells
                    .unit_sets(kind.argument())
                    .ok_or_else(|| broken("the cells have no unit sets"))?,
                values: vec![(index, kind)],
            }),
        }
    }
    Ok(slots)
}

/// What a value says of its units. A count of an argument that no row lacks is a count of rows.
fn measure(
    kind: ValueKind,
    cells: &BaseCells,
    row: usize,
    arguments: &[AskedArgument],
) -> Result<Measure, Problem> {
    let quantity = |argument: usize| {
        let asked = arguments.get(argument);
        asked
            .map(|asked| asked.quantity.clone())
            .ok_or_else(|| broken("an argument is missing"))
    };
    Ok(match kind {
        ValueKind::CountUnits | ValueKind::CountUnitsOf { .. } => Measure::People,
        ValueKind::CountRows => Measure::Rows(None),
        ValueKind::Count { argument } if cells.argument_rows(argument, row) == cells.rows(row) => {
            Measure::Rows(None)
        }
        ValueKind::Count { argument } => Measure::Rows(quantity(argument)?),
        // The sum of what was counted per person is a count of rows.
        ValueKind::Sum { argument } => quantity(argument)?.map_or(Measure::Rows(None), Measure::Sum),
        ValueKind::Min { argument } => Measure::Smallest(quantity(argument)?.unwrap_or_default()),
        ValueKind::Max { argument } => Measure::Largest(quantity(argument)?.unwrap_or_default()),
        ValueKind::Comoment { products, .. } => Measure::Comoment(quantity(products)?.unwrap_or_default()),
    })
}

fn row_per_unit(kind: ValueKind, cells: &BaseCells, row: usize) -> bool {
    match kind {
        ValueKind::CountRows | ValueKind::CountUnits => cells.rows(row) == cells.units(row),
        ValueKind::Count { argument } | ValueKind::CountUnitsOf { argument } => {
            cells.argument_rows(argument, row) == cells.present(Some(argument), row)
        }
        ValueKind::Sum { .. }
        | ValueKind::Min { .. }
        | ValueKind::Max { .. }
        | ValueKind::Comoment { .. } => false,
    }
}

fn broken(what: &str) -> Problem {
    Problem::of(&codes::SDC_EVIDENCE, what)
}
