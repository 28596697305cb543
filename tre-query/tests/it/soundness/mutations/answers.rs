//! Policies without a rule, and answers that say more than treated cells do.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch, UInt32Array};
use arrow::compute::{
    SortColumn, SortOptions, concat_batches, is_null, lexsort_to_indices, nullif, take, take_record_batch,
};
use arrow::datatypes::{Int32Type, Int64Type, UInt64Type};
use output_checker::lineage::Lineage;
use tre_core::evidence::CellLayout;
use tre_core::status::{Rule, Status, StatusCode};

use super::noticed;
use crate::soundness::client::{SOUND, Tamper};
use crate::soundness::compare::Kind;
use crate::soundness::oracle::{Groups, text_at};

macro_rules! every_rule_matters {
    ($($name:ident, $seed:literal, $kind:ident: $from:literal => $to:literal;)*) => {
        $(
            #[test]
            fn $name() {
                let policy = |text: &str| text.replace($from, $to);
                noticed(&Tamper { policy, ..SOUND }, $seed, Kind::$kind);
            }
        )*
    };
}

every_rule_matters! {
    one_person_is_enough_for_a_value, 0, Shown:
        "[units]\nminimum = 3" => "[units]\nminimum = 1";
    one_person_is_enough_for_a_label, 44, Shown:
        "[labels]\nminimum = 5" => "[labels]\nminimum = 1";
    one_person_may_tell_two_values_apart, 0, Shown:
        "[complement]\nminimum = 3" => "[complement]\nminimum = 1";
    people_with_zeros_are_enough_for_a_sum, 12, Shown:
        "contributors = \"nonzero\"" => "contributors = \"present\"";
    sums_of_equal_values_are_shown, 18, Shown:
        "same_value   = \"suppress\"" => "same_value   = \"show\"";
    sums_keep_all_digits, 0, Shown:
        "significant_digits = 4" => "significant_digits = 38";
    domains_are_not_completed, 2, Row:
        "complete_up_to = 100_000" => "complete_up_to = 0";
    zeros_are_shown_where_they_should_not, 1, Shown:
        "zero    = \"suppress\"" => "zero = \"show\"";
    sums_need_no_degrees_of_freedom, 92, Shown:
        "degrees_of_freedom = 4" => "degrees_of_freedom = 0";
    one_person_may_make_up_a_sum, 207, Shown:
        "p = 40 }" => "p = 0.01 }";
    one_person_may_have_the_largest_share, 159, Shown:
        "n = 1, k = 43.75" => "n = 1, k = 100";
    what_all_people_of_a_line_have_is_shown, 13, Shown:
        "unanimous = \"suppress\"" => "unanimous = \"show\"";
    what_all_people_of_a_line_have_is_nobodys_decision, 12, Shown:
        "unanimous = \"refer\"" => "unanimous = \"show\"";
    a_small_place_needs_no_more_people, 98, Shown:
        "{ minimum = 4, values" => "{ minimum = 3, values";
    a_place_that_is_not_listed_is_shown, 35, Shown:
        "{ minimum = 3, values = []" => "{ minimum = 3, values = [\"M\"]";
    any_number_of_keys_is_answered, 9, Shown:
        "max_keys = 1\n" => "max_keys = 10\n";
}

/// The text with other lines in a section.
fn with_section(text: &str, name: &str, lines: &str) -> String {
    let Some((before, rest)) = text.split_once(&format!("[{name}]\n")) else {
        return text.to_owned();
    };
    let after = rest.find("\n[").map_or("", |at| &rest[at..]);
    format!("{before}[{name}]\n{lines}\n{after}")
}

#[test]
fn counts_are_not_rounded() {
    let policy = |text: &str| with_section(text, "rounding", "method = \"none\"");
    noticed(&Tamper { policy, ..SOUND }, 1, Kind::Shown);
}

#[test]
fn nobody_asks_who_makes_up_a_sum() {
    let policy = |text: &str| with_section(text, "dominance", "method = \"none\"");
    noticed(&Tamper { policy, ..SOUND }, 11, Kind::Shown);
}

fn values(lineage: &Lineage) -> (usize, usize) {
    (lineage.layout.keys.len(), lineage.layout.values.len())
}

/// The row of the base cells that a treated row is of.
fn base_row(treated: &RecordBatch, row: usize, cells: &RecordBatch, keys: usize) -> Option<usize> {
    let label = |batch: &RecordBatch, row: usize| -> Vec<Option<String>> {
        batch.columns()[..keys]
            .iter()
            .map(|key| text_at(key, row))
            .collect()
    };
    let wanted = label(treated, row);
    (0..cells.num_rows()).find(|base| label(cells, *base) == wanted)
}

fn with_column(batch: &RecordBatch, at: usize, column: ArrayRef) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    columns[at] = column;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

/// The rows of the base cells that treated rows are of; NULL where nobody is.
fn base_rows(treated: &RecordBatch, cells: &RecordBatch, keys: usize) -> UInt32Array {
    (0..treated.num_rows())
        .map(|row| base_row(treated, row, cells, keys).map(|base| base as u32))
        .collect()
}

#[test]
fn suppressed_values_keep_their_numbers() {
    let treated = |batch: RecordBatch, cells: &RecordBatch, lineage: &Lineage| {
        let (keys, width) = values(lineage);
        let rows = base_rows(&batch, cells, keys);
        (keys..keys + width).fold(batch, |batch, at| {
            with_column(&batch, at, take(cells.column(at), &rows, None).unwrap())
        })
    };
    noticed(&Tamper { treated, ..SOUND }, 16, Kind::Status);
}

#[test]
fn suppressed_values_lie_under_their_nulls() {
    let treated = |batch: RecordBatch, cells: &RecordBatch, lineage: &Lineage| {
        let (keys, width) = values(lineage);
        let rows = base_rows(&batch, cells, keys);
        (keys..keys + width).fold(batch, |batch, at| {
            let (told, hidden) = (batch.column(at), take(cells.column(at), &rows, None).unwrap());
            let hidden = nullif(&hidden, &is_null(told).unwrap()).unwrap();
            with_column(&batch, at, hidden)
        })
    };
    noticed(&Tamper { treated, ..SOUND }, 1, Kind::Bytes);
}

#[test]
fn rows_come_in_the_order_of_their_values() {
    let treated = |batch: RecordBatch, _: &RecordBatch, lineage: &Lineage| {
        let (keys, _) = values(lineage);
        let largest_first = SortColumn {
            values: Arc::clone(batch.column(keys)),
            options: Some(SortOptions {
                descending: true,
                nulls_first: false,
            }),
        };
        let order = lexsort_to_indices(&[largest_first], None).unwrap();
        take_record_batch(&batch, &order).unwrap()
    };
    noticed(&Tamper { treated, ..SOUND }, 0, Kind::Order);
}

#[test]
fn a_status_says_whether_anybody_stands_behind_a_suppressed_value() {
    let treated = |batch: RecordBatch, cells: &RecordBatch, lineage: &Lineage| {
        let (keys, width) = values(lineage);
        (keys + width..keys + 2 * width).fold(batch, |batch, at| {
            let codes = batch.column(at).as_primitive::<Int32Type>();
            let told = codes.values().iter().enumerate().map(|(row, code)| {
                let suppressed = StatusCode::from_i32(*code).unwrap().status() == Status::Suppressed;
                match suppressed && base_row(&batch, row, cells, keys).is_none() {
                    true => StatusCode::new(Status::Suppressed, Rule::Zero).as_i32(),
                    false => *code,
                }
            });
            let told = Arc::new(told.collect::<Int32Array>());
            with_column(&batch, at, told)
        })
    };
    noticed(&Tamper { treated, ..SOUND }, 6, Kind::Status);
}

#[test]
fn rare_labels_stay_with_their_values_suppressed() {
    let treated = |batch: RecordBatch, cells: &RecordBatch, lineage: &Lineage| {
        let (keys, width) = values(lineage);
        let kept: Vec<u32> = (0..batch.num_rows())
            .filter_map(|row| base_row(&batch, row, cells, keys).map(|base| base as u32))
            .collect();
        let rare = (0..cells.num_rows() as u32).filter(|row| !kept.contains(row));
        let rare = UInt32Array::from_iter_values(rare);
        let suppressed = StatusCode::new(Status::Suppressed, Rule::RareLabel).as_i32();
        let schema = batch.schema();
        let columns = schema.fields().iter().enumerate().map(|(at, field)| -> ArrayRef {
            if at < keys {
                take(cells.column(at), &rare, None).unwrap()
            } else if at < keys + width {
                arrow::array::new_null_array(field.data_type(), rare.len())
            } else {
                Arc::new(Int32Array::from(vec![suppressed; rare.len()]))
            }
        });
        let rare = RecordBatch::try_new(batch.schema(), columns.collect()).unwrap();
        concat_batches(&batch.schema(), [&batch, &rare]).unwrap()
    };
    noticed(&Tamper { treated, ..SOUND }, 0, Kind::Shown);
}

#[test]
fn rows_of_other_groups_are_added_to_a_value() {
    let treated = |batch: RecordBatch, cells: &RecordBatch, lineage: &Lineage| {
        let (keys, width) = values(lineage);
        let rows = cells.column_by_name("rows").unwrap().as_primitive::<UInt64Type>();
        let fewest = rows.values().iter().min().map_or(0, |rows| *rows as i64);
        (keys..keys + width).fold(batch, |batch, at| {
            match batch.column(at).as_primitive_opt::<Int64Type>() {
                Some(counts) => {
                    let more = counts.unary::<_, Int64Type>(|count| count + fewest);
                    with_column(&batch, at, Arc::new(more))
                }
                None => batch,
            }
        })
    };
    noticed(&Tamper { treated, ..SOUND }, 0, Kind::Value);
}

/// Whether somebody is alone in one of the groups.
fn somebody_is_alone(cells: &RecordBatch) -> bool {
    let units = cells
        .column_by_name("units")
        .unwrap()
        .as_primitive::<UInt64Type>();
    units.values().contains(&1)
}

#[test]
fn a_notice_says_that_somebody_is_alone() {
    let notices = |mut notices: Vec<String>, cells: &RecordBatch| {
        if somebody_is_alone(cells) {
            notices.push("somebody is alone in a group".to_owned());
        }
        notices
    };
    noticed(&Tamper { notices, ..SOUND }, 0, Kind::Schema);
}

#[test]
fn an_answer_fails_when_somebody_is_alone() {
    let believed = |batch: RecordBatch, _: &CellLayout, _: &Groups| match somebody_is_alone(&batch) {
        true => batch.slice(0, 0),
        false => batch,
    };
    noticed(&Tamper { believed, ..SOUND }, 5, Kind::Row);
}
