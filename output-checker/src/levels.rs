//! Several levels of one result: cells and the coarser cells that they add up to.
//!
//! *Definition.* Two tables of one query are levels of each other when they read the same rows and the keys of one are
//! among the keys of the other. Under a coarser cell that is shown, what its finer cells do not show can be computed: it
//! is the coarser value less those that are. So where a finer value is not shown (suppressed, or left out with its row),
//! and fewer people than `complement.minimum` may stand behind all of them together, all finer values of that coarser
//! cell are suppressed; and so they are where the coarser value itself is suppressed, which they would add up to. What
//! this suppresses counts as not shown for further levels, until nothing changes.
//!
//! *Why so coarse.* It is enough to suppress one more cell of the right size; to choose it well is secondary suppression,
//! which needs all margins at once (Hundepool et al. 2012, *Statistical Disclosure Control*, section 4.4). Until the
//! checker has that, the finer level is given up: the coarser one tells more people's story.
//!
//! *How many people stand behind what is not shown.* At least as many as behind the largest of these cells, and at least
//! those of the coarser cell less those of the cells that are shown; people who are in several finer cells make the second
//! number too small, never too large.
//!
//! *What it does not do.* It sees one query. Two queries can ask for two levels; their answers are compared by the ledger,
//! cell by cell.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;

use tre_core::algebra::{Aggregate, Argument, Frontier};
use tre_core::evidence::BaseCells;
use tre_core::policy::{Policy, RulePack};
use tre_core::status::{Rule, SUPPRESSED_FROM, Status, StatusCode};

use crate::check::{Checked, check};
use crate::draws::{DrawKey, LetOut};
use crate::groups::{Key, key_values};
use crate::lineage::Lineage;
use crate::summary::Summary;

/// One frontier of a query with the cells that were counted.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What was asked.
    pub frontier: &'a Frontier,
    /// What is known of it from the plan.
    pub lineage: &'a Lineage,
    /// What was counted.
    pub cells: &'a BaseCells,
}

/// Judges and treats all frontiers of one query: each by [`check()`], then all together as levels of one result.
pub fn check_together(asked: &[Asked<'_>], policy: &Policy, key: &DrawKey, let_out: LetOut) -> Vec<Checked> {
    let mut checked: Vec<Checked> = asked
        .iter()
        .map(|asked| check(asked.cells, asked.lineage, policy, key, let_out))
        .collect();
    suppress(asked, &mut checked, policy.rules());
    checked
}

/// A row's keys; `None` is NULL.
type Keys<'a> = Vec<Option<Key<'a>>>;

/// A treated table, and what of it is not shown.
struct Table<'a> {
    asked: Asked<'a>,
    /// Keys of the treated rows, and the rows of base cells that they were made of.
    rows: Vec<(Keys<'a>, Option<usize>)>,
    /// Base cells that were left out.
    left_out: Vec<(Keys<'a>, usize)>,
    /// By value, then by treated row.
    hidden: Vec<Vec<bool>>,
    /// Whether a value was hidden here.
    changed: bool,
}

/// A table whose cells add up to those of another, and how.
struct Pair {
    coarse: usize,
    fine: usize,
    /// For every key of the coarse table its position among those of the fine one.
    keys: Vec<usize>,
    /// Values of the same meaning: of the coarse table, of the fine one.
    values: Vec<(usize, usize)>,
}

fn suppress(asked: &[Asked<'_>], checked: &mut [Checked], rules: &RulePack) {
    let pairs = pairs(asked);
    if pairs.is_empty() {
        return;
    }
    let batches: Vec<_> = checked
        .iter()
        .map(|checked| checked.treated.batch().clone())
        .collect();
    let mut tables: Vec<Table<'_>> = asked
        .iter()
        .zip(&batches)
        .map(|(asked, batch)| Table::new(*asked, batch))
        .collect();
    loop {
        let before = count(&tables);
        for pair in &pairs {
            for (coarse_value, fine_value) in &pair.values {
                let hide = unsafe_rows(&tables, pair, *coarse_value, *fine_value, rules);
                if let Some(table) = tables.get_mut(pair.fine) {
                    table.hide(*fine_value, &hide);
                }
            }
        }
        if before == count(&tables) {
            break;
        }
    }
    let code = StatusCode::new(Status::Suppressed, Rule::Level);
    for (table, checked) in tables.iter().zip(checked) {
        if table.changed {
            checked.treated.suppress(&table.hidden, code);
            checked.summary = Summary::of(&checked.treated, table.asked.lineage);
        }
    }
}

/// All pairs of levels, the coarsest first.
fn pairs(asked: &[Asked<'_>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (coarse, a) in asked.iter().enumerate() {
        for (fine, b) in asked.iter().enumerate() {
            let (a, b) = (a.frontier, b.frontier);
            if a.keys.len() >= b.keys.len() || a.input != b.input {
                continue;
            }
            let position = |key: &(String, _)| b.keys.iter().position(|(_, other)| *other == key.1);
            let Some(keys) = a.keys.iter().map(position).collect::<Option<Vec<usize>>>() else {
                continue;
            };
            let values = a.aggregates.iter().enumerate().filter_map(|(i, aggregate)| {
                let same =
                    |other: &Aggregate| additive(*other) && meaning(b, *other) == meaning(a, *aggregate);
                Some((i, b.aggregates.iter().position(same)?))
            });
            pairs.push(Pair {
                coarse,
                fine,
                keys,
                values: values.collect(),
            });
        }
    }
    pairs.sort_by_key(|pair| asked.get(pair.coarse).map(|asked| asked.frontier.keys.len()));
    pairs
}

/// Whether values of finer cells add up to that of the coarser one, or nearly: people may be in several.
fn additive(aggregate: Aggregate) -> bool {
    match aggregate {
        Aggregate::CountRows
        | Aggregate::CountUnits
        | Aggregate::Count(_)
        | Aggregate::CountUnitsOf(_)
        | Aggregate::Sum(_)
        // With the counts and means of all cells it adds up too.
        | Aggregate::Comoment { .. } => true,
        Aggregate::Min(_) | Aggregate::Max(_) => false,
    }
}

/// What an aggregate means, whatever the numbers of its frontier's arguments are.
fn meaning(
    frontier: &Frontier,
    aggregate: Aggregate,
) -> (std::mem::Discriminant<Aggregate>, Option<&Argument>) {
    let argument = aggregate
        .argument()
        .and_then(|index| frontier.arguments.get(index));
    (std::mem::discriminant(&aggregate), argument)
}

impl Pair {
    /// The coarser keys of a finer row.
    fn parent<'a>(&self, keys: &Keys<'a>) -> Keys<'a> {
        let keys = self
            .keys
            .iter()
            .map(|position| keys.get(*position).copied().flatten());
        keys.collect()
    }
}

/// What is known of the finer values of one coarser cell.
#[derive(Default)]
struct Below {
    /// One of them is not shown.
    hidden: bool,
    /// People behind those that are shown, counted once per cell.
    shown: u64,
    /// People behind the largest that is not.
    largest_hidden: u64,
}

/// The fine rows of which a value has to be suppressed.
fn unsafe_rows(
    tables: &[Table<'_>],
    pair: &Pair,
    coarse_value: usize,
    fine_value: usize,
    rules: &RulePack,
) -> Vec<bool> {
    let (Some(coarse), Some(fine)) = (tables.get(pair.coarse), tables.get(pair.fine)) else {
        return vec![];
    };
    let mut below: HashMap<Keys<'_>, Below> = HashMap::new();
    for (row, (keys, base)) in fine.rows.iter().enumerate() {
        let below = below.entry(pair.parent(keys)).or_default();
        let units = base.map_or(0, |base| fine.units(fine_value, base));
        if fine.is_hidden(fine_value, row) {
            below.hidden = true;
            below.largest_hidden = below.largest_hidden.max(units);
        } else {
            below.shown = below.shown.saturating_add(units);
        }
    }
    for (keys, base) in &fine.left_out {
        let below = below.entry(pair.parent(keys)).or_default();
        below.hidden = true;
        below.largest_hidden = below.largest_hidden.max(fine.units(fine_value, *base));
    }
    let least = u64::from(rules.complement.minimum.get());
    let mut given_up: HashMap<&[Option<Key<'_>>], bool> = HashMap::new();
    for (row, (keys, base)) in coarse.rows.iter().enumerate() {
        let Some(below) = below.get(keys) else { continue };
        let units = base.map_or(0, |base| coarse.units(coarse_value, base));
        let behind = units.saturating_sub(below.shown).max(below.largest_hidden);
        let told = below.hidden && behind < least;
        given_up.insert(keys, told || coarse.is_hidden(coarse_value, row));
    }
    // Under a cell that was left out itself nothing is shown.
    let of_row = |(keys, _): &(Keys<'_>, _)| {
        given_up
            .get(pair.parent(keys).as_slice())
            .copied()
            .unwrap_or(true)
    };
    fine.rows.iter().map(of_row).collect()
}

impl<'a> Table<'a> {
    fn new(asked: Asked<'a>, batch: &'a arrow_array::RecordBatch) -> Self {
        let layout = &asked.lineage.layout;
        let base = key_values(asked.cells.keys(), &layout.keys, asked.cells.len());
        let columns = batch.columns();
        let keys = columns.get(..layout.keys.len()).unwrap_or_default();
        let treated = key_values(keys, &layout.keys, batch.num_rows());
        let mut by_keys: HashMap<&Keys<'_>, usize> =
            base.iter().enumerate().map(|(row, keys)| (keys, row)).collect();
        let sources: Vec<Option<usize>> = treated.iter().map(|keys| by_keys.remove(keys)).collect();
        let mut rest: Vec<usize> = by_keys.into_values().collect();
        rest.sort_unstable();
        let left_out = rest
            .into_iter()
            .filter_map(|row| Some((base.get(row)?.clone(), row)));
        let hidden = (0..layout.values.len()).map(|i| {
            let statuses = batch.column_by_name(&format!("s{i}"));
            let statuses = statuses.and_then(|column| column.as_primitive_opt::<Int32Type>());
            let codes = statuses.into_iter().flat_map(|statuses| statuses.values().iter());
            codes.map(|code| *code >= SUPPRESSED_FROM).collect()
        });
        Table {
            asked,
            left_out: left_out.collect(),
            hidden: hidden.collect(),
            rows: treated.into_iter().zip(sources).collect(),
            changed: false,
        }
    }

    /// People behind a value of a base cell.
    fn units(&self, value: usize, row: usize) -> u64 {
        let kind = self.asked.lineage.layout.values.get(value);
        let argument = kind.and_then(|kind| kind.argument());
        self.asked.cells.present(argument, row)
    }

    fn is_hidden(&self, value: usize, row: usize) -> bool {
        let rows = self.hidden.get(value);
        rows.and_then(|rows| rows.get(row)).copied().unwrap_or(true)
    }

    fn hide(&mut self, value: usize, rows: &[bool]) {
        let hidden = self.hidden.get_mut(value).into_iter().flatten();
        for (hidden, hide) in hidden.zip(rows) {
            self.changed |= *hide && !*hidden;
            *hidden |= *hide;
        }
    }
}

/// How many values are not shown.
fn count(tables: &[Table<'_>]) -> usize {
    let values = tables.iter().flat_map(|table| &table.hidden).flatten();
    values.filter(|hidden| **hidden).count()
}
