//! Running a case: its cells through the checker, and what came out in the words of the file.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};

use tre_core::codes::Problem;
use tre_core::evidence::{CellLayout, ValueKind};
use tre_core::policy::RulePack;
use tre_core::status::{Status, StatusCode};
use tre_core::types::{ColumnType, Value};

use crate::check::check_under;
use crate::draws::{DrawKey, LetOut};
use crate::lineage::{ArgumentLineage, KeyLineage, Lineage, TableLineage};

use super::{Case, CaseKey, Outcome, Word, cells, malformed};

/// Runs one case: an outcome per expectation, then the decision.
pub(super) fn case(case: &Case, rules: &RulePack) -> Result<Vec<Outcome>, Problem> {
    let kinds = kinds(case);
    let wrong = |what: String| malformed(format!("case `{}`: {what}", case.name));
    let layout = cells::layout(
        case.keys.len(),
        kinds.iter().map(|(_, kind)| *kind).collect(),
        if rules.draws() { rules.unit_sets() } else { None },
        rules.values_told_apart(),
    );
    let lineage = lineage(case, layout).map_err(wrong)?;
    let base = cells::base_cells(&lineage.layout, &case.cells).map_err(wrong)?;
    // Where draws decide, a case can say no more than holds for all of them: one key is as good as another.
    let key = DrawKey::new(&[0; 32]);
    let checked = check_under(&base, &lineage, rules, &key, LetOut::ByRule);
    let shown = shown(checked.treated.batch(), case.keys.len(), kinds.len());
    let outcome = |what: String, expected: &str, got: &str| Outcome {
        case: case.name.clone(),
        what,
        expected: expected.to_owned(),
        got: got.to_owned(),
    };
    let mut outcomes = Vec::new();
    for cell in &case.cells {
        for (name, expected) in cell.expected() {
            let (Some(expected), Some(value)) = (expected, kinds.iter().position(|(kind, _)| *kind == name))
            else {
                continue;
            };
            let got = shown.get(&cell.key).and_then(|row| row.get(value));
            let label = match cell.key.as_slice() {
                [] => name.to_owned(),
                key => format!("{}: {name}", key.join(", ")),
            };
            outcomes.push(outcome(label, expected, got.map_or("left out", String::as_str)));
        }
    }
    let decision = match case.decision {
        Word::Release => "release",
        Word::Refer => "refer",
        Word::Withhold => "withhold",
    };
    outcomes.push(outcome("decision".into(), decision, checked.decision.word()));
    Ok(outcomes)
}

/// The values of which the case says anything, in the order of the file's documentation.
fn kinds(case: &Case) -> Vec<(&'static str, ValueKind)> {
    let all = [
        ("count", ValueKind::CountUnits),
        ("count_x", ValueKind::Count { argument: 0 }),
        ("sum_x", ValueKind::Sum { argument: 0 }),
    ];
    let said = |name: &str| {
        let mut expected = case.cells.iter().flat_map(|cell| cell.expected());
        expected.any(|(value, expected)| value == name && expected.is_some())
    };
    all.into_iter().filter(|(name, _)| said(name)).collect()
}

/// What is known of the case's table from its plan, if it had one.
fn lineage(case: &Case, layout: CellLayout) -> Result<Lineage, String> {
    let name = |text: &str| -> Result<_, String> { text.parse().map_err(|_| format!("`{text}` is no name")) };
    let arguments = layout.arguments.iter().map(|_| ArgumentLineage {
        quantity: "cases.x".to_owned(),
        measure: true,
        conditional: false,
        product: case.products,
    });
    let version = "cases@aaaaaaaaaaaaaaaaaaaaaaaaaa";
    Ok(Lineage {
        arguments: arguments.collect(),
        keys: case.keys.iter().map(key).collect(),
        population: "cases".parse().map_err(|_| "`cases` is no name".to_owned())?,
        tables: vec![TableLineage {
            version: version
                .parse()
                .map_err(|_| format!("`{version}` is no version"))?,
            table: name("cases")?,
            public: false,
            filtered: false,
        }],
        layout,
        selected_by: case.selected_by.clone(),
    })
}

fn key(key: &CaseKey) -> KeyLineage {
    let domain = key.values.as_ref();
    KeyLineage {
        name: key.name.clone(),
        column_type: ColumnType::Text,
        domain: domain.map(|values| values.iter().cloned().map(Value::Text).collect()),
        tag: key.tag.clone(),
        computed_from: key.computed_from.clone(),
    }
}

/// The treated table: for each group its values as text.
pub(super) fn shown(batch: &RecordBatch, keys: usize, values: usize) -> BTreeMap<Vec<String>, Vec<String>> {
    let column = |name: String| batch.column_by_name(&name);
    let mut rows = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let labels = (0..keys).map(|i| {
            let labels = column(format!("k{i}")).and_then(|column| column.as_string_opt::<i32>());
            labels
                .filter(|labels| labels.is_valid(row))
                .map_or("NULL".to_owned(), |labels| labels.value(row).to_owned())
        });
        let values = (0..values).map(|i| {
            let codes = column(format!("s{i}")).and_then(|column| column.as_primitive_opt::<Int32Type>());
            let code = codes.and_then(|codes| StatusCode::from_i32(codes.value(row)));
            let value = column(format!("v{i}")).filter(|column| column.is_valid(row));
            let value = value.and_then(|column| {
                let counts = column
                    .as_primitive_opt::<Int64Type>()
                    .map(|c| c.value(row).to_string());
                let sums = column.as_primitive_opt::<Decimal128Type>();
                counts.or(sums.map(|sums| sums.value(row).to_string()))
            });
            let status = code.unwrap_or(StatusCode::new(Status::Suppressed, tre_core::status::Rule::None));
            match (status.status(), value) {
                (Status::Shown, value) => value.unwrap_or("NULL".into()),
                (told, Some(value)) => format!("{value} {told} ({})", status.rule()),
                (told, None) => format!("{told} ({})", status.rule()),
            }
        });
        rows.insert(labels.collect(), values.collect());
    }
    rows
}
