//! A checked answer, in one process: desk, engine, checker, desk.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use arrow::datatypes::{Field, Schema};
use output_checker::lineage::{Lineage, lineage};
use output_checker::{Decision, DrawKey, LetOut, check};
use tokio::runtime::Runtime;
use tre_core::algebra::Frontier;
use tre_core::evidence::BaseCells;
use tre_core::grant::Grant;
use tre_core::policy::Policy;
use tre_query::data::{Engine, FileKey, Opened, full_grant};
use tre_query::desk::{Desk, DeskTable, Planned};

use super::stored::Stored;

/// The rule pack that judges.
const POLICY: &str = include_str!("../../../policies/sdc/ndb.toml");

/// The engine's memory pool, in bytes.
const MEMORY: usize = 4 << 30;

/// The one query that is under way.
const QUERY: &str = "q";

/// A session on a whole version.
pub struct Session {
    runtime: Runtime,
    desk: Desk,
    engine: Engine,
    grant: Grant,
    policy: Policy,
}

impl Session {
    /// Opens desk and engine on every column and row of the version.
    ///
    /// # Errors
    /// When one of them cannot be opened.
    pub fn open(stored: &Stored, threads: usize) -> Result<Session> {
        let version = &stored.manifest.version;
        let grant = full_grant("benches".parse()?, std::slice::from_ref(&stored.manifest));
        let key = stored
            .home
            .vault()
            .unwrap_version_key(version, &stored.manifest.wrapped_key)?;
        let (mut files, mut keys) = (vec![], vec![]);
        for (table, file) in stored.files() {
            files.push(stored.home.catalogue().open_file(version, file)?);
            keys.push(FileKey::new(
                *key.file_key(version, &table.name, &file.name).bytes(),
            ));
        }
        let opened = Opened {
            grant: grant.clone(),
            files,
            keys,
            pseudonym_key: [0; 32],
            memory_bytes: MEMORY,
            threads,
        };
        Ok(Session {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            desk: Desk::open(DeskTable::of_grant(&grant))?,
            engine: Engine::open(opened)?,
            grant,
            policy: Policy::parse(&"ndb".parse()?, POLICY)?,
        })
    }

    /// The answer as an analyst gets it, `disclosure` included.
    ///
    /// # Errors
    /// When the query is refused, fails or is withheld.
    pub fn answer(&mut self, sql: &str) -> Result<Vec<RecordBatch>> {
        let planned = self.runtime.block_on(self.desk.plan(QUERY, sql, None, true))?;
        let mut treated = Vec::with_capacity(planned.frontiers.len());
        for frontier in &planned.frontiers {
            let (lineage, cells) = self.cells(frontier)?;
            let checked = check(
                &cells,
                &lineage,
                &self.policy,
                &DrawKey::new(&[0; 32]),
                LetOut::ByRule,
            );
            if let Decision::Withhold { reasons } = &checked.decision {
                bail!("withheld: {reasons:?}");
            }
            treated.push(checked.treated.batch().clone());
        }
        self.finish(&planned, treated)
    }

    /// The answer as it would be if nothing were treated: what must equal another engine's.
    ///
    /// # Errors
    /// When the query is refused or fails.
    pub fn untreated(&mut self, sql: &str) -> Result<Vec<RecordBatch>> {
        let planned = self.runtime.block_on(self.desk.plan(QUERY, sql, None, false))?;
        let mut untreated = Vec::with_capacity(planned.frontiers.len());
        for frontier in &planned.frontiers {
            let (_, cells) = self.cells(frontier)?;
            let values = cells.layout().values.len();
            let of_cells = cells.batch().columns().iter().take(cells.keys().len() + values);
            let mut columns: Vec<ArrayRef> = of_cells.map(Arc::clone).collect();
            for _ in 0..values {
                // The status of a value that is shown as it is.
                columns.push(Arc::new(Int32Array::from(vec![0; cells.len()])));
            }
            let fields: Vec<Field> = columns
                .iter()
                .enumerate()
                .map(|(i, column)| Field::new(i.to_string(), column.data_type().clone(), true))
                .collect();
            untreated.push(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?);
        }
        self.finish(&planned, untreated)
    }

    /// Base cells as the server believes them: lineage computed on both sides.
    fn cells(&self, frontier: &Frontier) -> Result<(Lineage, BaseCells)> {
        let expected = lineage(frontier, &self.grant)?;
        let (found, batch) = self.engine.run(frontier)?;
        ensure!(found == expected, "the engine ran under another lineage");
        let cells = BaseCells::new(expected.layout.clone(), batch)?;
        Ok((expected, cells))
    }

    fn finish(&mut self, planned: &Planned, cells: Vec<RecordBatch>) -> Result<Vec<RecordBatch>> {
        let mut public = Vec::with_capacity(planned.public_reads.len());
        for scan in &planned.public_reads {
            public.push(self.engine.read_public(scan)?);
        }
        let (_, batches) = self.runtime.block_on(self.desk.finish(QUERY, cells, public))?;
        Ok(batches)
    }
}
