//! The data, and both ways to answer: [`holder`] (CSV files) → [`stored`] (a home with one version) or [`convert`]
//! (plain Parquet), both kept by [`prepared`], then [`queries`] through [`checked`] and [`raw`].

pub mod holder;

pub mod convert;
pub mod stored;

pub mod prepared;

pub mod queries;

pub mod checked;
pub mod raw;

use anyhow::Result;
use arrow::record_batch::RecordBatch;
use arrow::util::display::array_value_to_string;

/// Rows of an answer as text, sorted: what two engines that promise no order can be compared by.
///
/// # Errors
/// When a value cannot be displayed.
pub fn sorted_rows(batches: &[RecordBatch]) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| {
                let text = array_value_to_string(column, row)?;
                // A NULL displays as nothing at all, as an empty text does.
                Ok(if column.is_null(row) {
                    "NULL".to_owned()
                } else {
                    text
                })
            });
            rows.push(values.collect::<Result<Vec<_>>>()?);
        }
    }
    rows.sort();
    Ok(rows)
}
