//! The holder's files as rows of cells.
//!
//! A file is CSV (also gzipped) or Parquet, by its ending. Columns are matched by name, so that files of one table may
//! differ in the order of their columns and in what else they hold. What a cell means is for [`crate::values`]; here
//! is only what the format itself says: whether it is NULL, and its bytes or machine type.

mod ahead;
mod csv;
mod files;
mod parquet;

pub(crate) use files::{InputFile, find_files};

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::ahead::ReadAhead;
use self::csv::{CsvReader, Record};
use self::files::Format;
use self::parquet::ParquetReader;

/// A file that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The file cannot be opened or read, or its compression is broken.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A Parquet file is malformed or uses something that is not supported.
    #[error("{0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// Values of a Parquet column cannot be decoded.
    #[error("{0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A quote is never closed.
    #[error("a quoted field that begins in the record of line {line} never ends")]
    OpenQuote {
        /// Line of the record.
        line: u64,
    },
    /// A record is too long.
    #[error("the record of line {line} is longer than 1 MiB{}", if *quoted { "; is a quote never closed?" } else { "" })]
    TooLong {
        /// Line of the record.
        line: u64,
        /// Whether it ends within quotes.
        quoted: bool,
    },
    /// A Parquet column has a type that no column of a spec can be read from.
    #[error("column `{column}` has the type {found}, which cannot be read")]
    ColumnType {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
    },
}

/// One value as the file has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    /// Bytes that are meant to be UTF-8; all that CSV knows.
    Text(&'a [u8]),
    /// An integer.
    Int(i64),
    /// A binary floating-point number.
    Float(f64),
    /// `0` × 10^-`1`.
    Decimal(i128, i8),
    /// A truth value.
    Bool(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// What [`TableReader::next`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// A row; its cells can be asked for.
    Cells,
    /// A CSV record with text after a closing quote.
    Malformed,
    /// A CSV record with more or fewer fields than the header.
    WrongWidth,
    /// The end of the file.
    End,
}

/// Reads one file row by row.
pub(crate) struct TableReader {
    header: Vec<String>,
    /// Position in the file of every wanted column.
    wanted: Vec<usize>,
    inner: Inner,
}

enum Inner {
    Csv(Box<CsvReader<Box<dyn Read + Send>>>),
    Parquet(Box<ParquetReader>),
}

/// Columns that the spec names and the file does not have exactly once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderMismatch {
    pub(crate) column: String,
    pub(crate) times: usize,
}

/// Why a file cannot be opened as a table.
#[derive(Debug)]
pub(crate) enum OpenError {
    Source(SourceError),
    Header(HeaderMismatch),
}

impl From<SourceError> for OpenError {
    fn from(error: SourceError) -> Self {
        OpenError::Source(error)
    }
}

impl TableReader {
    /// Opens a file and finds the `wanted` columns by name; `bytes` counts what is read from the disk.
    pub(crate) fn open(file: &InputFile, wanted: &[&str], bytes: Arc<AtomicU64>) -> Result<Self, OpenError> {
        let raw = File::open(&file.path).map_err(SourceError::Read)?;
        let counted = Counted {
            file: raw,
            bytes: Arc::clone(&bytes),
        };
        let (header, mut inner) = match file.format {
            Format::Csv => csv_inner(Box::new(counted))?,
            Format::CsvGz => {
                let packed = BufReader::with_capacity(128 << 10, counted);
                let unpacked =
                    ReadAhead::new(flate2::read::MultiGzDecoder::new(packed)).map_err(SourceError::Read)?;
                csv_inner(Box::new(unpacked))?
            }
            Format::Parquet => {
                let reader = ParquetReader::open(counted.file, bytes)?;
                (reader.header(), Inner::Parquet(Box::new(reader)))
            }
        };
        let mut positions = Vec::with_capacity(wanted.len());
        for column in wanted {
            let mut found = header
                .iter()
                .enumerate()
                .filter(|(_, name)| name == column)
                .map(|(at, _)| at);
            match (found.next(), found.count()) {
                (Some(at), 0) => positions.push(at),
                (first, more) => {
                    let times = usize::from(first.is_some()) + more;
                    return Err(OpenError::Header(HeaderMismatch {
                        column: (*column).to_owned(),
                        times,
                    }));
                }
            }
        }
        if let Inner::Parquet(reader) = &mut inner {
            reader.select(&positions)?;
        }
        Ok(TableReader {
            header,
            wanted: positions,
            inner,
        })
    }

    /// Names of all columns of the file.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Goes to the next row.
    pub(crate) fn next(&mut self) -> Result<Row, SourceError> {
        match &mut self.inner {
            Inner::Csv(reader) => Ok(match reader.next()? {
                Record::End => Row::End,
                Record::Malformed => Row::Malformed,
                Record::Fields if reader.len() != self.header.len() => Row::WrongWidth,
                Record::Fields => Row::Cells,
            }),
            Inner::Parquet(reader) => Ok(if reader.next()? { Row::Cells } else { Row::End }),
        }
    }

    /// The current row's place in the file: line of a CSV file (the header is line 1), row of a Parquet file, from 1.
    pub(crate) fn line(&self) -> u64 {
        match &self.inner {
            Inner::Csv(reader) => reader.line(),
            Inner::Parquet(reader) => reader.row(),
        }
    }

    /// A cell of the current row, by position among the wanted columns.
    pub(crate) fn cell(&self, index: usize) -> Cell<'_> {
        match &self.inner {
            Inner::Csv(reader) => self
                .wanted
                .get(index)
                .and_then(|at| reader.field(*at))
                .map_or(Cell::Null, Cell::Text),
            Inner::Parquet(reader) => reader.cell(index),
        }
    }
}

fn csv_inner(input: Box<dyn Read + Send>) -> Result<(Vec<String>, Inner), SourceError> {
    let mut reader = CsvReader::new(input)?;
    let header = match reader.next()? {
        Record::Fields => (0..reader.len())
            .map(|at| {
                String::from_utf8_lossy(reader.field(at).unwrap_or_default())
                    .trim()
                    .to_owned()
            })
            .collect(),
        Record::Malformed | Record::End => Vec::new(),
    };
    Ok((header, Inner::Csv(Box::new(reader))))
}

/// Counts the bytes that are read, for progress.
struct Counted {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
