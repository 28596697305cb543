//! Pass 1: every row of a table's files becomes an encoded row in the sorter, or a reject.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tre_core::codes::{self, Problem};
use tre_core::ids::{EntityKind, PopulationName};
use tre_core::spec::{Doubt, Table, doubt};
use tre_home::vault::{Link, Vault};

use crate::link::{EntityLinker, MAX_ENTITIES, NoEntity, UnitLinker};
use crate::progress::Pace;
use crate::reason::Reason;
use crate::rejects::{Origin, Rejects, WHOLE_RECORD};
use crate::report::{ColumnDoubt, TableReport};
use crate::row;
use crate::sort::Sorter;
use crate::source::{Cell, HeaderMismatch, InputFile, OpenError, Row, TableReader};
use crate::storage;
use crate::values::ColumnReader;

/// Linkers of entities, shared by all tables of an ingest: kinds mean the same everywhere in a population.
pub(crate) struct EntityLinkers<'v> {
    vault: &'v Vault,
    population: &'v PopulationName,
    linkers: Vec<(EntityKind, EntityLinker)>,
}

impl<'v> EntityLinkers<'v> {
    pub(crate) fn new(vault: &'v Vault, population: &'v PopulationName) -> Self {
        EntityLinkers {
            vault,
            population,
            linkers: Vec::new(),
        }
    }

    /// Number of the linker of a kind.
    fn of(&mut self, kind: &EntityKind) -> usize {
        self.linkers
            .iter()
            .position(|(known, _)| known == kind)
            .unwrap_or_else(|| {
                let key = self.vault.entity_linkage(self.population, kind);
                self.linkers.push((kind.clone(), EntityLinker::new(key)));
                self.linkers.len() - 1
            })
    }

    fn link(&mut self, number: usize, cell: Cell<'_>) -> Result<Option<Link>, NoEntity> {
        self.linkers
            .get_mut(number)
            .map_or(Ok(None), |(_, linker)| linker.link(cell))
    }

    /// Kinds with their linkers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&EntityKind, &EntityLinker)> {
        self.linkers.iter().map(|(kind, linker)| (kind, linker))
    }
}

/// Reads one table.
pub(crate) struct TableIngest<'t> {
    table: &'t Table,
    unit: Option<UnitLinker>,
    /// Linkers of the entities, as numbers of [`EntityLinkers`].
    entities: Vec<usize>,
    columns: Vec<ColumnReader>,
    /// Columns of the files that are read: unit, entities, columns.
    wanted: Vec<&'t str>,
    /// Their numbers in the rejects.
    numbers: Vec<usize>,
    dropped: BTreeSet<String>,
    report: TableReport,
}

/// Why a row is not stored.
enum Refusal {
    Reject(usize, Reason),
    TooManyEntities(usize),
}

impl<'t> TableIngest<'t> {
    pub(crate) fn new(
        table: &'t Table,
        vault: &Vault,
        population: &PopulationName,
        entities: &mut EntityLinkers<'_>,
        rejects: &mut Rejects,
    ) -> Self {
        let unit = table
            .unit
            .as_ref()
            .map(|unit| UnitLinker::new(unit.canon, vault.unit_linkage(population)));
        let wanted: Vec<&str> = table
            .unit
            .iter()
            .map(|unit| unit.column.as_str())
            .chain(table.entities.iter().map(|entity| entity.column.as_str()))
            .chain(table.columns.iter().map(|column| column.source.as_str()))
            .collect();
        TableIngest {
            table,
            unit,
            entities: table
                .entities
                .iter()
                .map(|entity| entities.of(&entity.kind))
                .collect(),
            columns: table.columns.iter().map(ColumnReader::new).collect(),
            numbers: wanted.iter().map(|name| rejects.column(name)).collect(),
            wanted,
            dropped: BTreeSet::new(),
            report: TableReport {
                table: table.name.to_string(),
                public: table.is_public(),
                ..TableReport::default()
            },
        }
    }

    /// Reads one file to its end. `bytes` counts what was read from the disk, in all tables.
    pub(crate) fn file(
        &mut self,
        file: &InputFile,
        entities: &mut EntityLinkers<'_>,
        sorter: &mut Sorter,
        rejects: &mut Rejects,
        pace: &mut Pace<'_>,
        bytes: &Arc<AtomicU64>,
    ) -> Result<(), Problem> {
        let mut reader =
            TableReader::open(file, &self.wanted, Arc::clone(bytes)).map_err(|error| match error {
                OpenError::Source(error) => self.damaged(file, &error),
                OpenError::Header(mismatch) => self.mismatch(file, &mismatch),
            })?;
        let unlisted = reader
            .header()
            .iter()
            .filter(|name| !self.wanted.contains(&name.as_str()));
        self.dropped.extend(unlisted.cloned());
        let origin = rejects.origin(self.table.name.as_str(), &file.label);
        self.report.files += 1;
        loop {
            match reader.next().map_err(|error| self.damaged(file, &error))? {
                Row::End => break,
                Row::Malformed => rejects.add(origin, reader.line(), WHOLE_RECORD, Reason::BadQuotes),
                Row::WrongWidth => rejects.add(origin, reader.line(), WHOLE_RECORD, Reason::WrongWidth),
                Row::Cells => self.row(&reader, entities, sorter, rejects, origin)?,
            }
            self.report.rows_read += 1;
            pace.row_with(|| bytes.load(Ordering::Relaxed))?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        reader: &TableReader,
        entities: &mut EntityLinkers<'_>,
        sorter: &mut Sorter,
        rejects: &mut Rejects,
        origin: Origin,
    ) -> Result<(), Problem> {
        let stored = sorter.push(|out| self.encode(reader, entities, out));
        match stored.map_err(|error| storage("write a sort run", &error))? {
            Ok(()) => self.report.rows_stored += 1,
            Err(Refusal::Reject(at, reason)) => {
                let column = self.numbers.get(at).copied().unwrap_or(WHOLE_RECORD);
                rejects.add(origin, reader.line(), column, reason);
            }
            Err(Refusal::TooManyEntities(at)) => {
                let column = self.wanted.get(at).copied().unwrap_or_default();
                let what = format!(
                    "table `{}`: `{column}` has more than {MAX_ENTITIES} different entities",
                    self.table.name
                );
                return Err(Problem::of(&codes::ING_TOO_MANY, what));
            }
        }
        Ok(())
    }

    fn encode(
        &mut self,
        reader: &TableReader,
        entities: &mut EntityLinkers<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let mut at = 0;
        let mut owner = 0;
        if let Some(unit) = &mut self.unit {
            let link = unit
                .link(reader.cell(at))
                .map_err(|reason| Refusal::Reject(at, reason))?;
            out.extend_from_slice(&link);
            owner = link.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            at += 1;
        }
        for entity in &self.entities {
            match entities.link(*entity, reader.cell(at)) {
                Ok(Some(link)) => row::put_link(&link, out),
                Ok(None) => row::put_null(out),
                Err(NoEntity::Rejected(reason)) => return Err(Refusal::Reject(at, reason)),
                Err(NoEntity::TooMany) => return Err(Refusal::TooManyEntities(at)),
            }
            at += 1;
        }
        let first = at;
        for (index, column) in self.columns.iter_mut().enumerate() {
            if let Err(reason) = column.encode(reader.cell(first + index), owner, out) {
                self.columns
                    .iter_mut()
                    .take(index)
                    .for_each(ColumnReader::take_back);
                return Err(Refusal::Reject(first + index, reason));
            }
        }
        Ok(())
    }

    /// The table's files are read. Refuses columns that turn out to hold direct identifiers, and doubts those that may.
    pub(crate) fn finish(mut self) -> Result<TableReport, Problem> {
        for (column, reader) in self.table.columns.iter().zip(&self.columns) {
            if let Some(pattern) = reader.identifiers() {
                let what = format!(
                    "table `{}`, column `{}`: its values look like {}",
                    self.table.name,
                    column.name,
                    pattern.describe()
                );
                return Err(Problem::of(&codes::ING_IDENTIFIER, what));
            }
            let seen = || reader.is_held_by_one().then_some(Doubt::HeldByOne);
            if let Some(why) = doubt(column).or_else(seen).filter(|_| !self.table.is_public()) {
                self.report.doubts.push(ColumnDoubt {
                    column: column.name.to_string(),
                    why,
                });
            }
            if reader.clamped() > 0 {
                self.report
                    .clamped
                    .insert(column.name.to_string(), reader.clamped());
            }
        }
        self.report.dropped_columns = self.dropped.into_iter().collect();
        Ok(self.report)
    }

    fn damaged(&self, file: &InputFile, error: &dyn std::fmt::Display) -> Problem {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        Problem::of(
            &codes::ING_DAMAGED,
            format!("table `{}`, file `{}`: {line}", self.table.name, file.label),
        )
    }

    fn mismatch(&self, file: &InputFile, mismatch: &HeaderMismatch) -> Problem {
        let place = format!("table `{}`, file `{}`", self.table.name, file.label);
        let what = match mismatch.times {
            0 => format!("{place}: there is no column `{}`", mismatch.column),
            times => format!("{place}: there are {times} columns `{}`", mismatch.column),
        };
        Problem::of(&codes::ING_HEADER, what)
    }
}
