//! Promise 2 as a judgement on two answers: of a world, and of the same world without or with another one of its people.
//!
//! *Remove a person, or change their values: whatever changes in the bytes that a client sees lies in values whose
//! evidence has enough units, that person among them.* What "has enough" means is computed by brute force, in the
//! world or in its neighbour, and never read off the evidence under test. Two exceptions are the policy's own lines:
//! between nobody and somebody where it shows zeros, and between all people and all but few in one category where it
//! hides what all people of a line have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use tre_core::evidence::{CellLayout, ValueKind};
use tre_core::policy::Unanimous;
use tre_core::status::{Status, StatusCode};
use tre_core::types::{ColumnType, Value};

use super::grammar::{Call, Front, Query, Read};
use super::oracle::{Group, Groups, Keys, number_at, text_at};
use super::promise::{Promise, unanimous};

/// What was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Cells or evidence are not what brute force finds.
    Evidence,
    /// A query that must be refused was not.
    Refusal,
    /// One answer is an error, or another error.
    Error,
    /// Names, types or notices.
    Schema,
    /// The order of rows.
    Order,
    /// Whether a row is there.
    Row,
    /// What a status says.
    Status,
    /// A number.
    Value,
    /// A single answer shows what too few people stand behind.
    Shown,
    /// Treated cells are the same, bytes are not; or they carry what is not told.
    Bytes,
}

/// The first violation found.
#[derive(Debug, Clone)]
pub(super) struct Violation {
    pub(super) kind: Kind,
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(kind: Kind, what: impl Into<String>) -> Violation {
        Violation {
            kind,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.what)
    }
}

/// A value as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) value: Option<String>,
    pub(super) status: String,
    pub(super) suppressed: bool,
}

/// Rows by label, and the order of labels.
pub(super) struct Rows {
    pub(super) order: Vec<Keys>,
    pub(super) told: BTreeMap<Keys, Vec<Told>>,
}

/// An aggregation and the reading of its promise.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) front: &'a Front,
    pub(super) promise: &'a Promise,
}

/// A world as seen in an answer: what was told, and what is.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) told: &'a Rows,
    pub(super) truth: &'a Groups,
}

/// A label with the people who carry it in the two worlds.
struct Row<'a> {
    keys: &'a Keys,
    groups: [&'a Group; 2],
    /// Whether in one of them the policy hides it because of its line.
    unanimous: bool,
    unit: u32,
}

/// What a column of told values is computed from: aggregates with their calls and listed arguments.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) reads: Vec<Read>,
    pub(super) difference: bool,
    /// Places behind the point, where sums of arguments with as many of them could be taken from one another.
    pub(super) scale: Option<u8>,
}

/// Treated cells as rows.
pub(super) fn rows_of_cells(batch: &RecordBatch, layout: &CellLayout) -> Rows {
    let (keys, values) = (layout.keys.len(), layout.values.len());
    let told = |row: usize| {
        let of_value = |i: usize| {
            let codes = batch.column(keys + values + i).as_primitive::<Int32Type>();
            let code = StatusCode::from_i32(codes.value(row)).unwrap();
            Told {
                value: text_at(batch.column(keys + i), row),
                status: format!("{} ({})", code.status(), code.rule()),
                suppressed: code.status() == Status::Suppressed,
            }
        };
        (0..values).map(of_value).collect()
    };
    rows(batch, keys, told)
}

/// A visible answer as rows: keys, values, disclosure.
pub(super) fn rows_of_answer(batch: &RecordBatch, keys: usize, values: usize) -> Rows {
    let disclosure: &ArrayRef = batch.column(keys + values);
    let told = |row: usize| {
        let items = disclosure.as_string::<i32>().value(row);
        let items: BTreeMap<&str, &str> = items
            .split("; ")
            .filter_map(|item| item.split_once(": "))
            .collect();
        let of_value = |i: usize| {
            let status = items.get(format!("w{i}").as_str()).copied().unwrap_or_default();
            Told {
                value: text_at(batch.column(keys + i), row),
                status: status.to_owned(),
                suppressed: status.starts_with("suppressed"),
            }
        };
        (0..values).map(of_value).collect()
    };
    rows(batch, keys, told)
}

/// Rows of plain DataFusion: keys, and the unscaled numbers after them.
pub(super) fn rows_of_plain(batch: &RecordBatch, keys: usize) -> Vec<(Keys, Vec<Option<i128>>)> {
    let (labels, values) = batch.columns().split_at(keys);
    let row = |row: usize| {
        let label = labels.iter().map(|key| text_at(key, row)).collect();
        (label, values.iter().map(|value| number_at(value, row)).collect())
    };
    (0..batch.num_rows()).map(row).collect()
}

fn rows(batch: &RecordBatch, keys: usize, told: impl Fn(usize) -> Vec<Told>) -> Rows {
    let mut found = Rows {
        order: vec![],
        told: BTreeMap::new(),
    };
    for row in 0..batch.num_rows() {
        let label: Keys = batch.columns()[..keys]
            .iter()
            .map(|key| text_at(key, row))
            .collect();
        found.told.insert(label.clone(), told(row));
        found.order.push(label);
    }
    found
}

/// What the columns of a layout are computed from; its arguments are the listing's.
pub(super) fn columns_of_layout(layout: &CellLayout) -> Vec<Column> {
    let column = |kind: &ValueKind| {
        let (call, argument) = match *kind {
            ValueKind::CountRows => (Call::Count, None),
            ValueKind::CountUnits => (Call::Units, None),
            ValueKind::Count { argument } => (Call::Count, Some(argument)),
            ValueKind::CountUnitsOf { argument } => (Call::Units, Some(argument)),
            ValueKind::Sum { argument } => (Call::Sum, Some(argument)),
            ValueKind::Min { argument } => (Call::Min, Some(argument)),
            ValueKind::Max { argument } => (Call::Max, Some(argument)),
            ValueKind::Comoment { .. } => unreachable!("the grammar has no statistics of the second order"),
        };
        let scale = |x: usize| match layout.arguments[x] {
            ColumnType::Int => Some(0),
            ColumnType::Decimal { scale } => Some(scale),
            ColumnType::Bool | ColumnType::Text | ColumnType::Date | ColumnType::Timestamp => None,
        };
        Column {
            reads: vec![(call, argument)],
            difference: false,
            scale: argument.filter(|_| call == Call::Sum).and_then(scale),
        }
    };
    layout.values.iter().map(column).collect()
}

/// What the visible columns of a query are computed from.
pub(super) fn columns_of_query(query: &Query) -> Vec<Column> {
    let front = &query.fronts[0];
    let column = |output: &super::grammar::Output| Column {
        reads: output
            .reads
            .iter()
            .flat_map(|i| &query.aggregates[*i].parts)
            .map(|part| front.read(part))
            .collect(),
        difference: output.difference,
        scale: None,
    };
    query.outputs.iter().map(column).collect()
}

impl Judge<'_> {
    /// Whether the label stands in the answer whatever the data are.
    pub(super) fn declares(&self, keys: &Keys) -> bool {
        let mut product = 1;
        let mut inside = true;
        for (domain, key) in self.front.domains.iter().zip(keys) {
            let Some(domain) = domain else { return false };
            product *= domain.len();
            inside &= domain.iter().any(|value| Some(declared_text(value)) == *key);
        }
        inside && (product <= self.promise.completed || keys.is_empty())
    }

    /// The first difference of two answers that the person does not explain. `chosen`: the query leaves out rows or
    /// orders them by their values.
    pub(super) fn difference(
        &self,
        full: Side<'_>,
        other: Side<'_>,
        unit: u32,
        columns: &[Column],
        chosen: bool,
    ) -> Option<Violation> {
        if !chosen {
            let common = |a: &Rows, b: &Rows| -> Vec<Keys> {
                a.order
                    .iter()
                    .filter(|keys| b.told.contains_key(*keys))
                    .cloned()
                    .collect()
            };
            if common(full.told, other.told) != common(other.told, full.told) {
                return Some(Violation::new(
                    Kind::Order,
                    format!("{:?} and {:?}", full.told.order, other.told.order),
                ));
            }
        }
        let labels: BTreeSet<&Keys> = full.told.told.keys().chain(other.told.told.keys()).collect();
        let nobody = Group::default();
        for keys in labels {
            let row = Row {
                keys,
                groups: [full, other].map(|side| side.truth.get(keys).unwrap_or(&nobody)),
                unanimous: [full, other]
                    .iter()
                    .any(|side| self.one_category(side.truth, keys)),
                unit,
            };
            let told = [full, other].map(|side| side.told.told.get(keys));
            let found = match told {
                [Some(a), Some(b)] => (0..columns.len())
                    .filter(|i| a[*i] != b[*i])
                    .find_map(|i| self.unexplained(&row, &columns[i], [&a[i], &b[i]])),
                _ if chosen => None,
                _ if self.declares(keys) => Some((Kind::Row, "a declared row comes or goes".to_owned())),
                _ if row.unanimous || self.row_has_enough(&row) => None,
                _ => Some((Kind::Row, "the row comes or goes".to_owned())),
            };
            if let Some((kind, what)) = found {
                return Some(Violation::new(
                    kind,
                    format!("person {unit}, row {keys:?}: {what}, {told:?}"),
                ));
            }
        }
        None
    }

    /// Whether the policy hides the row because all people of a line through it are in one category, of the rows or of an
    /// argument.
    fn one_category(&self, groups: &Groups, keys: &Keys) -> bool {
        let arguments = (0..self.front.arguments().len()).map(Some).chain([None]);
        self.promise.unanimous != Unanimous::Show
            && arguments
                .into_iter()
                .any(|x| unanimous(groups, keys, |group| group.people(x).len()).is_some())
    }

    /// Whether in one of the two worlds enough people have rows in the group, the person among them.
    fn row_has_enough(&self, row: &Row<'_>) -> bool {
        let mut groups = row.groups.iter();
        groups.any(|group| self.enough(row, &group.people(None)))
    }

    fn enough(&self, row: &Row<'_>, people: &BTreeSet<u32>) -> bool {
        let minima = self.promise.minima(self.front, row.keys);
        minima.is_some_and(|minima| people.len() >= minima.people) && people.contains(&row.unit)
    }

    fn unexplained(&self, row: &Row<'_>, column: &Column, told: [&Told; 2]) -> Option<(Kind, String)> {
        let Row { groups, unit, .. } = *row;
        let enough = self.row_has_enough(row);
        if told.iter().any(|told| told.suppressed) {
            return match enough || row.unanimous || self.turns_to_zero(column, told, groups) {
                true => None,
                false => Some((Kind::Status, format!("{column:?} is told otherwise"))),
            };
        }
        if !enough {
            return Some((Kind::Value, format!("{column:?}, too few in the row")));
        }
        if told[0].status != told[1].status {
            return Some((Kind::Status, format!("{column:?} is shown, and told otherwise")));
        }
        // Of two rounded values the difference is no number of people any more.
        let exact = column.difference && !self.promise.rounds();
        if let (true, [(_, a), (_, b)]) = (exact, column.reads.as_slice()) {
            let complement = self.promise.minima(self.front, row.keys)?.complement;
            let apart = groups
                .iter()
                .flat_map(|group| [group.without(*a, *b), group.without(*b, *a)]);
            let explained = apart
                .filter(|people| people.contains(&unit))
                .any(|people| people.len() >= complement);
            return (!explained).then(|| (Kind::Value, format!("{column:?}, too few make the difference")));
        }
        // Whatever the person changed in what the value is computed from must be theirs and enough others'.
        let changed = |(call, argument): &&Read| {
            groups[0].of_person(unit, *call, *argument) != groups[1].of_person(unit, *call, *argument)
        };
        let mut theirs = column.reads.iter().filter(changed).peekable();
        if theirs.peek().is_none() {
            return Some((
                Kind::Value,
                format!("{column:?}, of which nothing is the person's"),
            ));
        }
        let few = theirs.find(|(call, argument)| {
            let behind = |group: &&Group| self.enough(row, &group.behind(*call, *argument));
            !groups.iter().any(behind)
        });
        few.map(|read| (Kind::Value, format!("{column:?}, too few behind {read:?}")))
    }

    /// The line that a policy draws which shows zeros: between nobody, or nobody who adds to the sum, and too few.
    fn turns_to_zero(&self, column: &Column, told: [&Told; 2], groups: [&Group; 2]) -> bool {
        let counts_nobody = |group: &Group| {
            column
                .reads
                .iter()
                .any(|(call, argument)| match (call, argument) {
                    (Call::Sum, _) => self.promise.behind(group, *call, *argument).is_empty(),
                    _ => group.people(*argument).is_empty(),
                })
        };
        let shown_zero = |i: usize| !told[i].suppressed && counts_nobody(groups[i]);
        self.promise.zeros && (0..2).any(|i| shown_zero(i) && told[1 - i].suppressed)
    }
}

/// A declared value as the cells' keys write it.
fn declared_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Null(_) | Value::Decimal { .. } | Value::Bool(_) | Value::Date(_) | Value::Timestamp(_) => {
            panic!("no world declares {value:?}")
        }
    }
}
