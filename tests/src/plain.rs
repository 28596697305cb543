//! The same questions asked of an engine that checks nothing: what a query would answer if nobody stood in the way.
//!
//! The holder's CSV files are read by DataFusion alone and generalised as the spec says by expressions of its own;
//! nothing of ours but the parser of specs takes part. `pid` is the holder's text for the person, so that tricks
//! with its order, hash or value work as they would on a plain database.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, bail};
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::{CsvReadOptions, SessionConfig, SessionContext};
use tokio::runtime::Runtime;
use tre_core::spec::{Coarsen, Column, Parse, Spec, Table};
use tre_core::types::Value;

/// A plain engine with the tables of one dataset in its memory.
pub struct Plain {
    runtime: Runtime,
    context: SessionContext,
}

/// A plain answer: rows of values as text, `None` for NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainAnswer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values in the order of the columns.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Plain {
    /// The tables of a spec, from uncompressed CSV files in a directory.
    ///
    /// # Errors
    /// When a file cannot be read, or the spec uses what no dataset of the tests does.
    pub fn of(spec: &str, directory: &Path) -> Result<Plain> {
        let spec = Spec::parse(spec)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let mut config = SessionConfig::new().with_target_partitions(2);
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        let plain = Plain {
            runtime,
            context: SessionContext::new_with_config(config),
        };
        for table in &spec.tables {
            plain.load(table, directory)?;
        }
        Ok(plain)
    }

    /// Asks.
    ///
    /// # Errors
    /// What DataFusion says.
    pub fn ask(&self, sql: &str) -> Result<PlainAnswer> {
        let (schema, batches) = self.runtime.block_on(async {
            let frame = self.context.sql(sql).await?;
            let schema = frame.schema().as_arrow().clone();
            anyhow::Ok((schema, frame.collect().await?))
        })?;
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Vec::new();
        for batch in &batches {
            for row in 0..batch.num_rows() {
                rows.push(values(batch, row)?);
            }
        }
        Ok(PlainAnswer { columns, rows })
    }

    fn load(&self, table: &Table, directory: &Path) -> Result<()> {
        let [file] = table.files.as_slice() else {
            bail!("table `{}` has several files", table.name);
        };
        let path = directory.join(file);
        let path = path.to_str().context("a path that is not UTF-8")?;
        let mut header = String::new();
        BufReader::new(File::open(path).with_context(|| format!("cannot read `{path}`"))?)
            .read_line(&mut header)?;
        // Everything is read as text: what it becomes is said below.
        let fields: Vec<Field> = header
            .trim_end()
            .split(',')
            .map(|name| Field::new(name, DataType::Utf8, true))
            .collect();
        let schema = Schema::new(fields);
        let columns: Vec<String> = table
            .unit
            .iter()
            .map(|unit| format!("\"{}\" AS pid", unit.column))
            .chain(
                table
                    .entities
                    .iter()
                    .map(|entity| format!("\"{0}\" AS \"{0}\"", entity.column)),
            )
            .map(Ok)
            .chain(table.columns.iter().map(generalised))
            .collect::<Result<_>>()?;
        let (name, columns) = (&table.name, columns.join(", "));
        self.runtime.block_on(async {
            let options = CsvReadOptions::new().schema(&schema).has_header(true);
            self.context
                .register_csv(format!("{name}_csv"), path, options)
                .await?;
            let create = format!("CREATE TABLE \"{name}\" AS SELECT {columns} FROM \"{name}_csv\"");
            self.context.sql(&create).await?.collect().await?;
            anyhow::Ok(())
        })
    }
}

/// The value of a column as the spec makes it.
fn generalised(column: &Column) -> Result<String> {
    let text = format!("nullif(\"{}\", '')", column.source);
    let typed = match column.parse {
        Parse::Text => text,
        Parse::Int => format!("CAST({text} AS BIGINT)"),
        Parse::Decimal { scale, .. } => format!("CAST({text} AS DECIMAL(38, {scale}))"),
        Parse::Bool => format!("CAST({text} AS BOOLEAN)"),
        Parse::Date => format!("CAST({text} AS DATE)"),
        Parse::Timestamp => format!("CAST({text} AS TIMESTAMP)"),
    };
    let typed = match &column.bounds {
        None => typed,
        Some(bounds) => format!(
            "CASE WHEN {typed} IS NULL THEN NULL ELSE least(greatest({typed}, {}), {}) END",
            number(&bounds.min)?,
            number(&bounds.max)?
        ),
    };
    let made = match &column.coarsen {
        Coarsen::Keep => typed,
        Coarsen::Month => format!("CAST(date_trunc('month', {typed}) AS DATE)"),
        Coarsen::Prefix(letters) => format!("left({typed}, {letters})"),
        Coarsen::Top(top) => format!("least({typed}, {})", number(top)?),
        Coarsen::Bands(bands) => {
            let mut cases = String::new();
            for band in bands.iter().rev() {
                let band = number(band)?;
                cases.push_str(&format!(" WHEN {typed} >= {band} THEN {band}"));
            }
            format!("CASE{cases} END")
        }
    };
    Ok(format!("{made} AS \"{}\"", column.name))
}

/// A number of a spec as SQL.
fn number(value: &Value) -> Result<String> {
    match value {
        Value::Int(number) => Ok(number.to_string()),
        Value::Decimal { unscaled, scale } => {
            let scale = usize::from(*scale);
            let sign = if *unscaled < 0 { "-" } else { "" };
            let digits = format!("{:0>1$}", unscaled.unsigned_abs(), scale + 1);
            let (whole, places) = digits.split_at(digits.len() - scale);
            Ok(format!("{sign}{whole}.{places}"))
        }
        Value::Null(_) | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => {
            bail!("`{value:?}` is no number")
        }
    }
}

fn values(batch: &RecordBatch, row: usize) -> Result<Vec<Option<String>>> {
    let text = |column: &ArrayRef| {
        if column.is_null(row) {
            Ok(None)
        } else {
            array_value_to_string(column, row).map(Some)
        }
    };
    Ok(batch.columns().iter().map(text).collect::<Result<_, _>>()?)
}
