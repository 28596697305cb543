//! Columns, values and exits as they are shown.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use tre_core::codes::Problem;
use tre_core::ids::PopulationName;
use tre_core::manifest::{ColumnMeta, UNIT_COLUMN};
use tre_core::types::Value;
use tre_proto::v1;

use crate::core::Project;

/// The exits of a project with their pinned policies in words.
pub(super) fn exits(project: &Project) -> Result<Vec<v1::Exit>, Problem> {
    let mut exits = Vec::new();
    for name in project.permit.exits.keys() {
        let (policy, reviewers) = project.exit(*name)?;
        exits.push(v1::Exit {
            name: name.to_string(),
            policy: policy.id().to_string(),
            policy_sha256: policy.hash().to_owned(),
            reviewers: reviewers.into(),
            words: policy.in_plain_words().join("\n"),
        });
    }
    Ok(exits)
}

/// Tables of one population join on `pid`; a table about nobody is of none.
pub(super) fn population(public: bool, population: &PopulationName) -> String {
    if public {
        String::new()
    } else {
        population.to_string()
    }
}

/// The columns of a table as SQL has them: `pid` first where it is about people.
pub(super) fn columns<'m>(public: bool, columns: impl Iterator<Item = &'m ColumnMeta>) -> Vec<v1::Column> {
    let unit = (!public).then(|| v1::Column {
        name: UNIT_COLUMN.to_owned(),
        r#type: "pid".to_owned(),
        description: "the person that the row is about; can be joined and counted, never shown".to_owned(),
        ..v1::Column::default()
    });
    unit.into_iter().chain(columns.map(column)).collect()
}

fn column(meta: &ColumnMeta) -> v1::Column {
    let bound = |value: fn(&tre_core::manifest::Bounds) -> &Value| {
        meta.measure
            .as_ref()
            .map(|bounds| text(value(bounds)))
            .unwrap_or_default()
    };
    v1::Column {
        name: meta.name.to_string(),
        r#type: meta.column_type.to_string(),
        description: meta.description.clone(),
        entity: meta.entity.as_ref().map(ToString::to_string).unwrap_or_default(),
        measure: meta.measure.is_some(),
        min: bound(|bounds| &bounds.min),
        max: bound(|bounds| &bounds.max),
        has_domain: meta.domain.is_some(),
        domain: meta.domain.iter().flatten().map(text).collect(),
        tag: meta.tag.clone().unwrap_or_default(),
        hierarchy: meta.hierarchy.clone().unwrap_or_default(),
        generalised: meta.generalised.clone(),
    }
}

/// A value as SQL would print it.
fn text(value: &Value) -> String {
    match value {
        Value::Null(_) => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Decimal { unscaled, scale } => decimal(*unscaled, usize::from(*scale)),
        Value::Bool(truth) => truth.to_string(),
        Value::Text(text) => text.clone(),
        Value::Date(days) => {
            let since = Span::new().try_days(*days);
            let date = since.and_then(|since| Date::constant(1970, 1, 1).checked_add(since));
            date.map_or_else(|_| format!("day {days}"), |date| date.to_string())
        }
        Value::Timestamp(micros) => Timestamp::from_microsecond(*micros)
            .map_or_else(|_| format!("{micros} µs"), |time| time.to_string()),
    }
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    match digits.split_at_checked(digits.len() - scale) {
        Some((whole, places)) if scale > 0 => format!("{sign}{whole}.{places}"),
        Some(_) | None => format!("{sign}{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::projects::tests::manifest;
    use super::*;

    #[test]
    fn values_are_shown_as_sql_prints_them() {
        for (value, shown) in [
            (Value::Int(-3), "-3"),
            (
                Value::Decimal {
                    unscaled: 1234,
                    scale: 2,
                },
                "12.34",
            ),
            (
                Value::Decimal {
                    unscaled: -5,
                    scale: 2,
                },
                "-0.05",
            ),
            (
                Value::Decimal {
                    unscaled: 7,
                    scale: 0,
                },
                "7",
            ),
            (Value::Bool(true), "true"),
            (Value::Date(20_454), "2026-01-01"),
            (Value::Date(-1), "1969-12-31"),
            (Value::Date(i32::MAX), "day 2147483647"),
            (Value::Timestamp(0), "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(text(&value), shown);
        }
    }

    #[test]
    fn a_table_about_people_begins_with_pid_and_one_about_nobody_has_none() {
        let names = |table: &str| {
            let manifest = manifest();
            let table = manifest.tables.iter().find(|found| found.name.as_str() == table);
            let shown = table
                .map(|table| columns(table.public, table.columns.iter()))
                .unwrap_or_default();
            shown
                .into_iter()
                .map(|column| format!("{} {}", column.name, column.r#type))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names("visit"),
            ["pid pid", "age int", "sex text", "cost decimal(2)", "clinic text"]
        );
        assert_eq!(names("icd10"), ["code text", "name text"]);
    }
}
