//! What was done to a treated table, counted. A function of the treated cells alone: it may go wherever they go.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use tre_core::evidence::ValueKind;
use tre_core::status::{Rule, Status, StatusCode};

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
    let argument = |index: usize| match lineage.arguments.get(index) {
        Some(argument) => format!("{}.{}", argument.table, argument.column),
        None => format!("argument {index}"),
    };
    match kind {
        ValueKind::CountRows => "count(*)".into(),
        ValueKind::CountUnits => "count(distinct pid)".into(),
        ValueKind::Count { argument: index } => format!("count({})", argument(index)),
        ValueKind::Sum { argument: index } => format!("sum({})", argument(index)),
    }
}
