//! The normal form of a spec: one JSON text per meaning. Keys stand in a fixed order, absent options are left out,
//! numbers are text in canonical decimal digits.

use serde_json::{Map, Value as Json, json};

use super::{Canon, Coarsen, Column, Parse, Spec, Table};
use crate::manifest::Bounds;
use crate::spec::Digits;
use crate::types::Value;

pub(super) fn normal_form(spec: &Spec) -> String {
    // serde_json's map is ordered by key, so that the text does not depend on the order of these insertions.
    json!({
        "dataset": spec.dataset.as_str(),
        "title": spec.title,
        "population": spec.population.as_str(),
        "tables": spec.tables.iter().map(table).collect::<Vec<_>>(),
    })
    .to_string()
}

fn table(table: &Table) -> Json {
    let mut json = Map::new();
    json.insert("name".into(), table.name.as_str().into());
    if !table.description.is_empty() {
        json.insert("description".into(), table.description.as_str().into());
    }
    if let Some(unit) = &table.unit {
        let canon = match unit.canon {
            Canon::Text => "text",
            Canon::Digits => "digits",
            Canon::JpMemberId => "jp-member-id",
        };
        json.insert("unit".into(), json!({ "column": unit.column, "canon": canon }));
    }
    let entities = table
        .entities
        .iter()
        .map(|e| json!({ "kind": e.kind.as_str(), "column": e.column.as_str() }));
    json.insert("entities".into(), entities.collect());
    json.insert("columns".into(), table.columns.iter().map(column).collect());
    Json::Object(json)
}

fn column(column: &Column) -> Json {
    let mut json = Map::new();
    json.insert("name".into(), column.name.as_str().into());
    let (kind, scale) = match column.parse {
        Parse::Int => ("int", None),
        Parse::Decimal {
            scale,
            digits: Digits::Rounded,
        } => ("float", Some(scale)),
        Parse::Decimal {
            scale,
            digits: Digits::Exact,
        } => ("decimal", Some(scale)),
        Parse::Bool => ("bool", None),
        Parse::Text => ("text", None),
        Parse::Date => ("date", None),
        Parse::Timestamp => ("timestamp", None),
    };
    json.insert("type".into(), kind.into());
    if let Some(scale) = scale {
        json.insert("scale".into(), scale.into());
    }
    if column.source != column.name.as_str() {
        json.insert("source".into(), column.source.as_str().into());
    }
    match &column.coarsen {
        Coarsen::Keep => {}
        Coarsen::Bands(bounds) => drop(json.insert("generalise".into(), json!({ "bands": texts(bounds) }))),
        Coarsen::Month => drop(json.insert("generalise".into(), "month".into())),
        Coarsen::Top(top) => drop(json.insert("generalise".into(), json!({ "top": value_text(top) }))),
        Coarsen::Prefix(length) => drop(json.insert("generalise".into(), json!({ "prefix": length }))),
    }
    if let Some(Bounds { min, max }) = &column.bounds {
        json.insert("min".into(), value_text(min).into());
        json.insert("max".into(), value_text(max).into());
    }
    if let Some(values) = &column.values {
        json.insert("values".into(), texts(values));
    }
    if let Some(tag) = &column.tag {
        json.insert("tag".into(), tag.as_str().into());
    }
    if let Some((table, target)) = &column.hierarchy {
        json.insert("hierarchy".into(), format!("{table}.{target}").into());
    }
    if !column.description.is_empty() {
        json.insert("description".into(), column.description.as_str().into());
    }
    if column.harmless {
        json.insert("identifier".into(), false.into());
    }
    Json::Object(json)
}

fn texts(values: &[Value]) -> Json {
    values.iter().map(value_text).collect::<Vec<_>>().into()
}

/// A declared value as text; numbers in plain decimal digits.
pub(super) fn value_text(value: &Value) -> String {
    match value {
        Value::Null(_) => String::new(),
        Value::Int(n) => n.to_string(),
        Value::Decimal { unscaled, scale: 0 } => unscaled.to_string(),
        Value::Decimal { unscaled, scale } => {
            let sign = if *unscaled < 0 { "-" } else { "" };
            let width = usize::from(*scale) + 1;
            let digits = format!("{:0width$}", unscaled.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - usize::from(*scale));
            format!("{sign}{whole}.{fraction}")
        }
        Value::Bool(b) => b.to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(days) => days.to_string(),
        Value::Timestamp(micros) => micros.to_string(),
    }
}
