//! The data half: the algebra over permitted files, unit range by unit range, into base cells with evidence.
//!
//! A version's private tables share their unit ranges, and no unit lies in two. So every range is a run of its own, over
//! one file per table, in one partition: no exchange, no split unit, no order to restore. One plan serves all ranges, and
//! what it builds of public tables is built once. Threads take ranges in turn; their partial cells concern different
//! people and are added up.
//!
//! The path: [`files`] (bytes to batches) → [`table`] (the permit's columns and rows) → [`plan`], [`nodes`], [`coded`] and
//! [`exprs`] (the algebra as the engine's plan) → [`settings`], [`merge`] (how it runs) → [`evidence`] (cells). Lineage is computed here again, from the algebra that runs.

mod coded;
mod evidence;
mod exprs;
mod files;
mod merge;
mod nodes;
#[cfg(test)]
mod optimiser;
mod plan;
mod pseudonym;
mod settings;
mod table;
mod total;

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use output_checker::lineage::{Lineage, lineage};
use tre_core::algebra::{Frontier, Node};
use tre_core::codes::Problem;
use tre_core::grant::Grant;
use tre_core::manifest::Manifest;
use tre_core::sketch::Sketcher;

use evidence::{Cells, Shape};
pub use files::FileKey;
use table::GrantedFiles;

/// Most rows of one public table that a desk may read whole.
const MAX_PUBLIC_ROWS: usize = 1_000_000;

/// Rows per batch.
const BATCH_ROWS: usize = 8192;

/// Why a lower plan was not run to its end. The texts are for the operator's log: they may depend on data.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The plan is not one that this grant allows.
    #[error("{0}")]
    Refused(#[from] Problem),
    /// Files, keys and grant do not fit together.
    #[error("the grant names {grant} files, {files} descriptors and {keys} keys came")]
    Files {
        /// Files in the grant.
        grant: usize,
        /// Descriptors received.
        files: usize,
        /// Keys received.
        keys: usize,
    },
    /// The engine failed.
    #[error("{0}")]
    Engine(#[from] DataFusionError),
    /// The evidence is not what the design relies on.
    #[error(transparent)]
    Evidence(#[from] evidence::EvidenceError),
    /// A public table is too long to be read whole.
    #[error("public table `{0}` has more than {MAX_PUBLIC_ROWS} rows")]
    PublicTooLong(String),
    /// A thread panicked or could not be started.
    #[error("a thread of the engine ended early")]
    Thread,
}

/// What a data worker is opened with.
#[derive(Debug)]
pub struct Opened {
    /// What the project may read.
    pub grant: Grant,
    /// One read-only file per file of the grant, in the order of tables and files.
    pub files: Vec<File>,
    /// Their keys, in the same order.
    pub keys: Vec<FileKey>,
    /// The project's key for entity pseudonyms.
    pub pseudonym_key: [u8; 32],
    /// Size of the engine's memory pool, in bytes.
    pub memory_bytes: usize,
    /// Threads that run ranges.
    pub threads: usize,
}

/// The data worker's engine.
pub struct Engine {
    grant: Grant,
    tables: Vec<Arc<GrantedFiles>>,
    runtime: Arc<RuntimeEnv>,
    threads: usize,
}

impl Engine {
    /// Takes grant, files and keys.
    ///
    /// # Errors
    /// [`DataError`] when they do not fit together or the engine cannot be set up.
    pub fn open(opened: Opened) -> Result<Self, DataError> {
        let wanted = opened.grant.tables.iter().map(|table| table.files.len()).sum();
        if wanted != opened.files.len() || wanted != opened.keys.len() {
            return Err(DataError::Files {
                grant: wanted,
                files: opened.files.len(),
                keys: opened.keys.len(),
            });
        }
        let pseudonyms = Arc::new(pseudonym::Pseudonyms::new(opened.pseudonym_key));
        let mut sealed = opened.files.into_iter().zip(opened.keys);
        let mut tables = Vec::with_capacity(opened.grant.tables.len());
        for granted in &opened.grant.tables {
            let files = sealed.by_ref().take(granted.files.len()).collect();
            tables.push(Arc::new(GrantedFiles::new(
                granted.clone(),
                files,
                Arc::clone(&pseudonyms),
            )?));
        }
        // Nothing is written to a disk: a query that does not fit into its pool fails.
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(opened.memory_bytes)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()?;
        Ok(Engine {
            grant: opened.grant,
            tables,
            runtime,
            threads: opened.threads.max(1),
        })
    }

    /// Runs a frontier: base cells in the schema of its layout, and the lineage that they were computed under.
    ///
    /// # Errors
    /// [`DataError`] when the frontier is not allowed, or the run fails.
    pub fn run(&self, frontier: &Frontier) -> Result<(Lineage, RecordBatch), DataError> {
        self.run_with(frontier, None, None)
    }

    /// As [`Engine::run`], with the unit sets that a ledger needs as evidence, made by the sketcher of the population.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_with_sets(
        &self,
        frontier: &Frontier,
        sketcher: Option<Sketcher>,
    ) -> Result<(Lineage, RecordBatch), DataError> {
        self.run_with(frontier, sketcher, None)
    }

    /// As [`Engine::run_with_sets`], with up to `unlike` units of every group told apart by what they contribute.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_with(
        &self,
        frontier: &Frontier,
        sketcher: Option<Sketcher>,
        unlike: Option<u32>,
    ) -> Result<(Lineage, RecordBatch), DataError> {
        let mut lineage = lineage(frontier, &self.grant)?;
        lineage.layout.sketch = sketcher.as_ref().map(Sketcher::shape);
        lineage.layout.unlike = unlike;
        let shape = Arc::new(Shape::new(&lineage.layout, sketcher)?);
        let ranges = self.ranges(&frontier.input);
        let (context, plan) = self.plan(frontier)?;
        // A plan that keeps rows of people is of one range: every range gets its own.
        let shared = !settings::keeps_people(&plan);
        let plan_of = || match shared {
            true => Ok(Arc::clone(&plan)),
            false => self.plan(frontier).map(|(_, plan)| plan),
        };
        let next = AtomicUsize::new(0);
        let partials = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads.min(ranges.len()).max(1))
                .map(|_| scope.spawn(|| self.run_ranges(&context, &plan_of, &shape, &ranges, &next)))
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or(Err(DataError::Thread)))
                .collect::<Vec<_>>()
        });
        let mut total = Cells::new(Arc::clone(&shape))?;
        for partial in partials {
            total.merge(partial?)?;
        }
        Ok((lineage, total.finish()?))
    }

    /// Reads the permitted columns of a public table.
    ///
    /// # Errors
    /// [`DataError`] when the scan is not of a public table of the grant, or the table is too long.
    pub fn read_public(&self, scan: &Node) -> Result<Vec<RecordBatch>, DataError> {
        let Node::Scan {
            dataset,
            table,
            columns,
        } = scan
        else {
            return Err(DataFusionError::Plan("only a scan can be read".to_owned()).into());
        };
        let files = self
            .tables
            .iter()
            .find(|t| t.granted.public && t.granted.version.dataset() == dataset && &t.granted.table == table)
            .ok_or_else(|| {
                DataFusionError::Plan(format!("`{dataset}.{table}` is not a public table of the grant"))
            })?;
        if files.granted.files.iter().map(|file| file.rows).sum::<u64>() > MAX_PUBLIC_ROWS as u64 {
            return Err(DataError::PublicTooLong(table.to_string()));
        }
        Ok(files.public_columns(columns)?)
    }

    /// The unit ranges that can yield a row.
    fn ranges(&self, input: &Node) -> Vec<usize> {
        let mut scanned = Vec::new();
        plan::scans(input, &self.tables, &mut scanned);
        let private = scanned.into_iter().filter(|files| !files.granted.public);
        let ranges = private.map(|files| files.granted.files.len()).min().unwrap_or(0);
        (0..ranges)
            .filter(|range| plan::can_yield(input, &self.tables, *range))
            .collect()
    }

    /// One plan for all ranges.
    fn plan(&self, frontier: &Frontier) -> Result<(SessionContext, Arc<dyn ExecutionPlan>), DataError> {
        let context = settings::context(&self.runtime);
        let logical = plan::frontier(frontier, &self.tables)?;
        // On a thread of its own: the caller's may be running something already.
        let physical = std::thread::scope(|scope| {
            let planning = scope.spawn(|| {
                Ok::<_, DataError>(runtime()?.block_on(context.state().create_physical_plan(&logical))?)
            });
            planning.join().unwrap_or(Err(DataError::Thread))
        })?;
        settings::check(&physical)?;
        Ok((context, physical))
    }

    /// One thread: takes ranges until none is left.
    fn run_ranges(
        &self,
        context: &SessionContext,
        plan_of: &(impl Fn() -> Result<Arc<dyn ExecutionPlan>, DataError> + Sync),
        shape: &Arc<Shape>,
        ranges: &[usize],
        next: &AtomicUsize,
    ) -> Result<Cells, DataError> {
        let runtime = runtime()?;
        let mut cells = Cells::new(Arc::clone(shape))?;
        let reserved = MemoryConsumer::new("base cells").register(&self.runtime.memory_pool);
        while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
            let plan = plan_of()?;
            runtime.block_on(async {
                let mut stream = execute_stream(plan, settings::task(context, *range))?;
                while let Some(batch) = stream.next().await {
                    cells.update(&batch?)?;
                    reserved.try_resize(cells.memory())?;
                }
                Ok::<(), DataError>(())
            })?;
            cells.close()?;
        }
        Ok(cells)
    }
}

/// Runs one thread's part of a query.
fn runtime() -> Result<tokio::runtime::Runtime, DataError> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|_| DataError::Thread)
}

/// Files of a version in the order of a grant: how a server lines up descriptors and keys.
pub fn granted_files(grant: &Grant) -> impl Iterator<Item = (&tre_core::grant::GrantedTable, &str)> {
    grant
        .tables
        .iter()
        .flat_map(|table| table.files.iter().map(move |file| (table, file.name.as_str())))
}

/// A whole version as a grant: every table, every column, every row. For tests, benches and operators' checks.
pub fn full_grant(project: tre_core::ids::ProjectId, manifests: &[Manifest]) -> Grant {
    let tables = manifests.iter().flat_map(|manifest| {
        manifest.tables.iter().map(|table| tre_core::grant::GrantedTable {
            version: manifest.version.clone(),
            table: table.name.clone(),
            description: table.description.clone(),
            public: table.public,
            population: manifest.population.clone(),
            cuts: manifest.cuts.clone(),
            stored: table.columns.clone(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            row_filter: None,
            files: table.files.clone(),
        })
    });
    Grant {
        project,
        tables: tables.collect(),
    }
}
