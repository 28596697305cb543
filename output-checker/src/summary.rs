//! What was done to a treated table, counted. A function of the treated cells alone: it may go wherever they go.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tre_core::evidence::ValueKind;
use tre_core::status::{Rule, Status, StatusCode};

use crate::catalogue::Class;
use crate::lineage::Lineage;
use crate::treated::TreatedCells;

/// How many values of each column were treated how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Rows of the treated table.
    pub rows: u64,
    /// Its values, in order.
    pub values: Vec<ValueSummary>,
}

/// One value column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueSummary {
    /// What it is, e.g. `count(*)` or `sum(visit.cost)`.
    pub value: String,
    /// The kind of analysis that it is: the address of a term of the SACRO project's ontology (see [`crate::catalogue`]).
    pub analysis: String,
    /// What was done, from nothing to worst; what happened to no cell is left out.
    pub statuses: Vec<StatusCount>,
}

/// How often one thing was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusCount {
    /// What was done.
    #[schemars(with = "String")]
    pub status: Status,
    /// By which rule.
    #[schemars(with = "String")]
    pub rule: Rule,
    /// To how many cells.
    pub cells: u64,
}

impl Summary {
    pub(crate) fn of(treated: &TreatedCells, lineage: &Lineage) -> Self {
        let batch = treated.batch();
        let values = lineage.layout.values.iter().enumerate().map(|(i, kind)| {
            let statuses = batch.column_by_name(&format!("s{i}"));
            let codes = statuses.and_then(|column| column.as_primitive_opt::<Int32Type>());
            let mut counts: BTreeMap<StatusCode, u64> = BTreeMap::new();
            for code in codes.into_iter().flat_map(|codes| codes.values().iter()) {
                if let Some(code) = StatusCode::from_i32(*code) {
                    *counts.entry(code).or_default() += 1;
                }
            }
            let statuses = counts
                .into_iter()
                .map(|(code, cells)| StatusCount {
                    status: code.status(),
                    rule: code.rule(),
                    cells,
                })
                .collect();
            ValueSummary {
                value: value_text(*kind, lineage),
                analysis: Class::of(*kind).uri(),
                statuses,
            }
        });
        Summary {
            rows: batch.num_rows() as u64,
            values: values.collect(),
        }
    }
}

/// A value in the words of SQL.
fn value_text(kind: ValueKind, lineage: &Lineage) -> String {
    let of = |function: &str, index: usize| match lineage.arguments.get(index) {
        Some(argument) => {
            let filter = if argument.conditional { " FILTER (…)" } else { "" };
            format!("{function}({}){filter}", argument.quantity)
        }
        None => format!("{function}(argument {index})"),
    };
    match kind {
        ValueKind::CountRows => "count(*)".into(),
        ValueKind::CountUnits => "count(distinct pid)".into(),
        // It counts the people of the rows that the argument counts.
        ValueKind::CountUnitsOf { argument } => format!("people of {}", of("count", argument)),
        ValueKind::Count { argument } => of("count", argument),
        ValueKind::Sum { argument } => of("sum", argument),
        ValueKind::Comoment { products, .. } => of("comoment", products),
        ValueKind::Min { argument } => of("min", argument),
        ValueKind::Max { argument } => of("max", argument),
    }
}
