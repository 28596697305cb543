//! Pass 3: sorted rows become encrypted Parquet files, one per unit range.
//!
//! Rows lie in the order of linkage keys. Where the version's units were all numbered together that is the order of unit
//! numbers too, and rows go straight through; otherwise they are sorted once more, by number. A second thread encodes,
//! compresses and encrypts what the first has merged.

mod batch;
mod file;

use std::sync::Arc;

use tre_core::codes::{self, Problem};
use tre_core::ids::VersionId;
use tre_core::manifest::{FileManifest, TableManifest};
use tre_core::spec::Table;
use tre_home::catalogue::{Staging, data_file_name};
use tre_home::vault::VersionKey;

use crate::number::{Entities, Lookup, Units};
use crate::progress::Pace;
use crate::row::UNIT_BYTES;
use crate::sort::{Scratch, Sorted, Sorter};
use crate::storage;
use batch::BatchBuilder;
use file::FileWriter;

/// Rows that travel between the threads at once.
const BATCH_ROWS: usize = 1 << 14;

/// Batches that may wait for the writing thread.
const QUEUE: usize = 3;

/// What is the same for all tables of a version.
pub(crate) struct Target<'a> {
    pub(crate) version: &'a VersionId,
    pub(crate) key: &'a VersionKey,
    pub(crate) staging: &'a Staging<'a>,
    pub(crate) scratch: &'a Arc<Scratch>,
    pub(crate) units: &'a Units<'a>,
    pub(crate) entities: &'a [Entities<'a>],
    pub(crate) cuts: &'a [u32],
    /// Bytes that sorting by number may use.
    pub(crate) budget: usize,
}

/// Writes the files of one table.
pub(crate) fn write_table(
    target: &Target<'_>,
    table: &Table,
    sorted: Sorted,
    pace: &mut Pace<'_>,
) -> Result<TableManifest, Problem> {
    let columns = table.column_metas();
    let mut manifest = TableManifest {
        name: table.name.clone(),
        description: table.description.clone(),
        public: table.is_public(),
        columns,
        files: Vec::new(),
        rows: sorted.rows(),
    };
    let order = match (table.is_public(), target.units.ascending) {
        (true, _) => Order::Public,
        (false, true) => Order::ByLink,
        (false, false) => Order::ByNumber,
    };
    let sorted = if order == Order::ByNumber {
        sort_by_number(target, sorted)?
    } else {
        sorted
    };
    manifest.files = pipeline(target, &manifest, &sorted, order, pace)?;
    let written: u64 = manifest.files.iter().map(|file| file.rows).sum();
    if written != manifest.rows {
        let what = format!(
            "table `{}` has {} rows, {written} were written",
            table.name, manifest.rows
        );
        return Err(Problem::of(&codes::ING_INTERNAL, what));
    }
    Ok(manifest)
}

/// What rows begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Nothing.
    Public,
    /// Linkage keys, whose numbers ascend with them.
    ByLink,
    /// Numbers.
    ByNumber,
}

fn sort_by_number(target: &Target<'_>, sorted: Sorted) -> Result<Sorted, Problem> {
    let mut lookup = Lookup::new(target.units)?;
    let mut sorter = Sorter::new(target.scratch, target.budget);
    let mut rows = sorted
        .read()
        .map_err(|error| storage("read a sort run", &error))?;
    while let Some(row) = rows.next().map_err(|error| storage("read a sort run", &error))? {
        let (link, cells) = row.split_first_chunk::<UNIT_BYTES>().ok_or_else(no_row)?;
        let number = lookup.number(link)?;
        sorter
            .push_row(&[&number.to_be_bytes(), cells])
            .map_err(|error| storage("write a sort run", &error))?;
    }
    sorter
        .finish(target.budget)
        .map_err(|error| storage("write a sort run", &error))
}

/// From the merging to the writing thread.
enum Step {
    Rows(arrow::array::RecordBatch),
    /// The file of this range is complete.
    NextRange,
}

fn pipeline(
    target: &Target<'_>,
    manifest: &TableManifest,
    sorted: &Sorted,
    order: Order,
    pace: &mut Pace<'_>,
) -> Result<Vec<FileManifest>, Problem> {
    std::thread::scope(|scope| {
        let (sender, receiver) = std::sync::mpsc::sync_channel::<Step>(QUEUE);
        let writer = std::thread::Builder::new()
            .name("tre parquet".to_owned())
            .spawn_scoped(scope, move || write_files(target, manifest, &receiver))
            .map_err(|error| storage("start a thread", &error))?;
        let send = |step| sender.send(step).map_err(|_| Stop::WriterGone);
        let merged = merge_rows(target, manifest, sorted, order, pace, &send);
        drop(sender);
        let written = writer
            .join()
            .map_err(|_| Problem::of(&codes::ING_INTERNAL, "the writing thread ended early"))?;
        match merged {
            Err(Stop::Problem(problem)) => Err(problem),
            // The writer's own error says why.
            Ok(()) | Err(Stop::WriterGone) => written,
        }
    })
}

enum Stop {
    Problem(Problem),
    WriterGone,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Stop::Problem(problem)
    }
}

fn merge_rows(
    target: &Target<'_>,
    manifest: &TableManifest,
    sorted: &Sorted,
    order: Order,
    pace: &mut Pace<'_>,
    send: &dyn Fn(Step) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut lookup = if order == Order::ByLink {
        Some(Lookup::new(target.units)?)
    } else {
        None
    };
    let mut builder = BatchBuilder::new(manifest, target.entities, BATCH_ROWS);
    let ranges = if manifest.public { &[0][..] } else { target.cuts };
    let mut later = ranges.iter().skip(1).copied();
    let mut end = later.next();
    let read_error = |error: std::io::Error| storage("read a sort run", &error);
    let mut rows = sorted.read().map_err(read_error)?;
    while let Some(row) = rows.next().map_err(read_error)? {
        let (unit, cells) = match (order, &mut lookup) {
            (Order::ByLink, Some(lookup)) => {
                let (link, cells) = row.split_first_chunk::<UNIT_BYTES>().ok_or_else(no_row)?;
                (lookup.number(link)?, cells)
            }
            (Order::ByNumber | Order::ByLink, _) => {
                let (number, cells) = row.split_first_chunk::<4>().ok_or_else(no_row)?;
                (u32::from_be_bytes(*number), cells)
            }
            (Order::Public, _) => (0, row),
        };
        while end.is_some_and(|end| unit >= end) {
            if builder.rows() > 0 {
                send(Step::Rows(builder.finish()?))?;
            }
            send(Step::NextRange)?;
            end = later.next();
        }
        builder.push(unit, cells)?;
        if builder.rows() == BATCH_ROWS {
            send(Step::Rows(builder.finish()?))?;
        }
        pace.row()?;
    }
    if builder.rows() > 0 {
        send(Step::Rows(builder.finish()?))?;
    }
    while end.is_some() {
        send(Step::NextRange)?;
        end = later.next();
    }
    send(Step::NextRange)
}

fn write_files(
    target: &Target<'_>,
    manifest: &TableManifest,
    steps: &std::sync::mpsc::Receiver<Step>,
) -> Result<Vec<FileManifest>, Problem> {
    let open = |range: usize| {
        let name = data_file_name(&manifest.name, range);
        FileWriter::create(target.staging, target.version, target.key, manifest, name)
    };
    let mut files = Vec::new();
    let mut current = Some(open(0)?);
    let expected = if manifest.public { 1 } else { target.cuts.len() };
    for step in steps {
        let Some(mut writer) = current.take() else { break };
        match step {
            Step::Rows(batch) => {
                writer.write(&batch)?;
                current = Some(writer);
            }
            Step::NextRange => {
                files.push(writer.finish()?);
                if files.len() < expected {
                    current = Some(open(files.len())?);
                }
            }
        }
    }
    Ok(files)
}

fn no_row() -> Problem {
    Problem::of(&codes::ING_INTERNAL, "a sorted row cannot be read back")
}
