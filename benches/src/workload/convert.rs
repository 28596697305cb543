//! The plainest way from CSV to Parquet: what an ingest is measured against.
//!
//! No identifier is linked, nothing is generalised, sorted, encrypted or hashed, and the order of rows stays. Compression
//! and row groups are those of dataset files.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::holder::Holder;

/// Rows per row group of a dataset file.
const ROW_GROUP: usize = 128 * 1024;

/// Compression and row groups of dataset files.
///
/// # Errors
/// When the compression level does not exist.
pub(super) fn properties() -> Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build())
}

/// Converts every file of a holder into a directory; returns the bytes written.
///
/// # Errors
/// When a file cannot be read or written.
pub fn convert(holder: &Holder, directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for path in &holder.files {
        let name = path.file_stem().context("a file without a name")?;
        let target = directory.join(name).with_extension("parquet");
        convert_file(path, &target).with_context(|| format!("cannot convert `{}`", path.display()))?;
        bytes += std::fs::metadata(&target)?.len();
    }
    Ok(bytes)
}

fn convert_file(source: &Path, target: &Path) -> Result<()> {
    let mut input = BufReader::with_capacity(1 << 18, File::open(source)?);
    let mut header = String::new();
    input.read_line(&mut header)?;
    input.rewind()?;
    let fields: Vec<Field> = header
        .trim_end()
        .split(',')
        .map(|name| Field::new(name, data_type(name), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let reader = arrow_csv::ReaderBuilder::new(Arc::clone(&schema))
        .with_header(true)
        .build_buffered(input)?;
    let mut writer = ArrowWriter::try_new(File::create(target)?, schema, Some(properties()?))?;
    for batch in reader {
        writer.write(&batch?)?;
    }
    writer.close()?;
    Ok(())
}

/// Types of the generated tables' columns: codes and identifiers are text.
fn data_type(column: &str) -> DataType {
    match column {
        "birth_year" | "points" | "days" | "population" => DataType::Int64,
        "claim_month" => DataType::Date32,
        _ => DataType::Utf8,
    }
}
