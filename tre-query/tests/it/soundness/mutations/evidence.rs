//! Evidence that is too good, as the checker believes it; and evidence that the worker tells wrongly.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, RecordBatch, UInt64Array};
use arrow::datatypes::{Decimal128Type, UInt64Type};
use output_checker::lineage::Lineage;
use tre_core::evidence::{CellLayout, ValueKind};
use tre_core::types::{ColumnType, Value};

use super::noticed;
use crate::soundness::client::{SOUND, Tamper};
use crate::soundness::compare::Kind;
use crate::soundness::oracle::{Group, Groups, Row, column, text_at};

/// The batch with some columns replaced.
fn replaced(batch: &RecordBatch, change: impl Fn(&str) -> Option<ArrayRef>) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, column)| change(field.name()).unwrap_or_else(|| Arc::clone(column)));
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

fn counts(batch: &RecordBatch, name: &str) -> Vec<u64> {
    let column = batch.column_by_name(name).unwrap();
    column.as_primitive::<UInt64Type>().values().to_vec()
}

/// The smaller of two columns, row by row.
fn least(batch: &RecordBatch, a: &str, b: &str) -> Option<ArrayRef> {
    let both = counts(batch, a).into_iter().zip(counts(batch, b));
    Some(Arc::new(UInt64Array::from_iter_values(
        both.map(|(a, b)| a.min(b)),
    )))
}

/// The argument of a column `a0_what`.
fn argument_of<'a>(name: &'a str, what: &str) -> Option<&'a str> {
    name.strip_prefix('a')?.strip_suffix(what)?.strip_suffix('_')
}

/// Where a count is not 0 it becomes as large as the other columns allow: few are taken for many.
fn raised(batch: &RecordBatch, name: &str, most: &[&str]) -> Option<ArrayRef> {
    let most: Vec<Vec<u64>> = most.iter().map(|name| counts(batch, name)).collect();
    let values = counts(batch, name).into_iter().enumerate();
    let values = values.map(|(row, n)| match n {
        0 => 0,
        n => most.iter().map(|column| column[row]).min().unwrap_or(n),
    });
    Some(Arc::new(UInt64Array::from_iter_values(values)))
}

#[test]
fn rows_are_taken_for_people() {
    let believed = |batch: RecordBatch, layout: &CellLayout, truth: &Groups| {
        let mut rows = truth.clone();
        for group in rows.values_mut() {
            for (row, unit) in group.rows.iter_mut().zip(0..) {
                row.unit = unit;
            }
        }
        let groups: Vec<_> = rows.values().collect();
        let schema = batch.schema();
        replaced(&batch, |name| {
            let field = schema.field_with_name(name).unwrap();
            (!name.starts_with('k')).then(|| column(field, layout, &groups))
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 0, Kind::Shown);
}

#[test]
fn everybody_in_the_row_is_taken_for_present_in_the_argument() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            let rows = format!("a{}_rows", argument_of(name, "present")?);
            least(&batch, "units", &rows)
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 43, Kind::Shown);
}

#[test]
fn people_with_zeros_are_taken_for_contributors() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            let present = format!("a{}_present", argument_of(name, "nonzero")?);
            batch.column_by_name(&present).cloned()
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 12, Kind::Shown);
}

#[test]
fn people_whose_values_cancel_out_are_taken_for_contributors() {
    let believed = |batch: RecordBatch, layout: &CellLayout, truth: &Groups| {
        replaced(&batch, |name| {
            let x: usize = argument_of(name, "nonzero")?.parse().unwrap();
            let has_one = |row: &&Row| row.values[x].is_some_and(|value| value != 0);
            let units = |group: &Group| -> BTreeSet<u32> {
                group.rows.iter().filter(has_one).map(|row| row.unit).collect()
            };
            let counts = truth.values().map(|group| units(group).len() as u64);
            layout.arguments[x]
                .is_numeric()
                .then(|| Arc::new(UInt64Array::from_iter_values(counts)) as ArrayRef)
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 241, Kind::Shown);
}

#[test]
fn people_who_add_to_one_sum_and_not_to_another_are_taken_for_everybody() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            let (a, b) = name.strip_prefix('d')?.split_once('_')?;
            raised(
                &batch,
                name,
                &[&format!("a{a}_present"), &format!("a{b}_present")],
            )
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 42, Kind::Shown);
}

#[test]
fn everybody_is_taken_to_share_an_extreme() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            let argument = argument_of(name, "min_units").or_else(|| argument_of(name, "max_units"))?;
            raised(&batch, name, &[&format!("a{argument}_present")])
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 11, Kind::Shown);
}

#[test]
fn the_null_side_is_taken_for_everybody() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            name.strip_prefix("null_of_a")?;
            raised(&batch, name, &["units"])
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 0, Kind::Shown);
}

#[test]
fn people_whom_one_argument_counts_and_another_not_are_taken_for_all_who_could_be() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            let (a, b) = name.strip_prefix('p')?.split_once('_')?;
            raised(
                &batch,
                name,
                &[&format!("a{a}_present"), &format!("null_of_a{b}")],
            )
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 120, Kind::Shown);
}

#[test]
fn equal_values_are_taken_for_different_ones() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| {
        replaced(&batch, |name| {
            argument_of(name, "max")?;
            let column = batch.column_by_name(name)?;
            let larger = column
                .as_primitive::<Decimal128Type>()
                .iter()
                .map(|value| value.map(|v| v + 1));
            Some(Arc::new(
                larger
                    .collect::<Decimal128Array>()
                    .with_data_type(column.data_type().clone()),
            ))
        })
    };
    noticed(&Tamper { believed, ..SOUND }, 18, Kind::Shown);
}

/// Whatever a worker tells of a column with this ending, it tells one too many.
fn told_wrongly(batch: RecordBatch, ending: &str) -> RecordBatch {
    replaced(&batch, |name| {
        let column = batch.column_by_name(name).filter(|_| name.ends_with(ending))?;
        if let Some(counts) = column.as_primitive_opt::<UInt64Type>() {
            return Some(Arc::new(counts.unary::<_, UInt64Type>(|n| n + 1)));
        }
        let numbers = column.as_primitive_opt::<Decimal128Type>()?;
        let wrong = numbers.unary::<_, Decimal128Type>(|n| n + 1);
        Some(Arc::new(wrong.with_data_type(column.data_type().clone())))
    })
}

macro_rules! every_column_is_compared {
    ($($name:ident: $ending:literal, $seed:literal;)*) => {
        $(
            #[test]
            fn $name() {
                let answered = |batch: RecordBatch| told_wrongly(batch, $ending);
                noticed(&Tamper { answered, ..SOUND }, $seed, Kind::Evidence);
            }
        )*
    };
}

every_column_is_compared! {
    a_worker_that_counts_another_row_is_noticed: "rows", 0;
    a_worker_that_counts_another_person_is_noticed: "units", 0;
    a_worker_that_finds_another_person_present_is_noticed: "_present", 0;
    a_worker_that_finds_another_contributor_is_noticed: "_nonzero", 0;
    a_worker_that_finds_another_person_without_is_noticed: "null_of_a0", 0;
    a_worker_that_finds_another_person_with_one_and_without_the_other_is_noticed: "p0_1", 0;
    a_worker_with_another_largest_contribution_is_noticed: "_top1", 0;
    a_worker_with_another_second_contribution_is_noticed: "_top2", 0;
    a_worker_that_finds_another_person_with_the_smallest_value_is_noticed: "_min_units", 1;
    a_worker_that_finds_another_person_with_the_largest_value_is_noticed: "_max_units", 1;
    a_worker_that_finds_another_person_who_adds_to_one_sum_only_is_noticed: "d0_1", 3;
    a_worker_with_another_smallest_value_is_noticed: "_min", 0;
    a_worker_with_another_largest_value_is_noticed: "_max", 0;
}

/// The values of a key that are in the cells.
fn met(column: &ArrayRef, ty: ColumnType) -> Option<Vec<Value>> {
    let texts = (0..column.len()).filter_map(|row| text_at(column, row));
    let mut values: Vec<Value> = match ty {
        ColumnType::Text => texts.map(Value::Text).collect(),
        ColumnType::Int => texts.map(|text| Value::Int(text.parse().unwrap())).collect(),
        ColumnType::Decimal { .. } | ColumnType::Bool | ColumnType::Date | ColumnType::Timestamp => {
            return None;
        }
    };
    values.dedup();
    Some(values)
}

#[test]
fn a_computed_key_claims_the_values_met_as_its_domain() {
    let lineage = |mut lineage: Lineage, cells: &RecordBatch| {
        for (key, column) in lineage.keys.iter_mut().zip(cells.columns()) {
            key.domain = key.domain.take().or_else(|| met(column, key.column_type));
        }
        lineage
    };
    noticed(&Tamper { lineage, ..SOUND }, 1, Kind::Shown);
}

#[test]
fn a_declared_domain_is_forgotten() {
    let lineage = |mut lineage: Lineage, _: &RecordBatch| {
        for key in &mut lineage.keys {
            key.domain = None;
        }
        lineage
    };
    noticed(&Tamper { lineage, ..SOUND }, 2, Kind::Row);
}

#[test]
fn the_tag_of_a_key_is_forgotten() {
    let lineage = |mut lineage: Lineage, _: &RecordBatch| {
        for key in &mut lineage.keys {
            key.tag = None;
        }
        lineage
    };
    noticed(&Tamper { lineage, ..SOUND }, 35, Kind::Shown);
}

#[test]
fn persons_are_announced_as_rows() {
    let lineage = |mut lineage: Lineage, _: &RecordBatch| {
        for kind in &mut lineage.layout.values {
            if matches!(kind, ValueKind::CountUnits) {
                *kind = ValueKind::CountRows;
            }
        }
        lineage
    };
    // Where persons have several rows the cells contradict the layout, and the answer is withheld; elsewhere it is not.
    noticed(&Tamper { lineage, ..SOUND }, 0, Kind::Error);
}
