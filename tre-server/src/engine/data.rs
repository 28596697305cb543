//! A session's data worker: permitted files and lower plans in, base cells with evidence out.

use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use tre_core::algebra::{Frontier, Node};
use tre_core::codes::{self, Problem};
use tre_core::grant::Grant;
use tre_core::ids::{QueryId, SessionId};
use tre_core::sketch::SketchShape;
use tre_home::HomeFiles;
use tre_home::vault::SketchKey;
use tre_proto::algebra::encode_frontier;
use tre_proto::batches::decode;
use tre_proto::worker::v1 as wire;
use tre_proto::worker::v1::data_request::Request;
use tre_proto::worker::v1::data_response::Response;

use super::Cancel;
use super::jail::{Jails, Lost, Process};

/// What the engine's pool does not count: the program itself, stacks, the allocator's arenas. Of address space.
const OVERHEAD: u64 = 3 << 30;
/// Opening reads the footers of all files.
const OPEN_PATIENCE: Duration = Duration::from_secs(60);
/// Threads of a data worker's engine.
const MAX_THREADS: usize = 8;

/// One frontier's base cells, as the worker says.
#[derive(Debug)]
pub(crate) struct FrontierAnswer {
    /// The lineage that the worker computed, JSON.
    pub(crate) lineage_json: Vec<u8>,
    /// The cells.
    pub(crate) cells: RecordBatch,
}

/// A data worker that is open.
#[derive(Debug)]
pub(crate) struct Data {
    process: Process,
}

/// Why a data worker did not answer. What it says itself is for the operator.
#[derive(Debug)]
pub(crate) enum DataError {
    /// It said that it failed.
    Failed(String),
    /// It is lost.
    Lost(Lost),
    /// The server could not start or open it.
    Unopened(Problem),
}

impl DataError {
    /// What the analyst hears.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            DataError::Failed(_) => Problem::of(&codes::RUN_FAILED, codes::RUN_FAILED.title),
            DataError::Lost(lost) => lost.problem(),
            // Its text may name paths of the machine.
            DataError::Unopened(problem) => Problem::of(problem.code, problem.code.title),
        }
    }

    /// What the operator reads.
    pub(crate) fn detail(&self) -> String {
        match self {
            DataError::Failed(detail) => detail.clone(),
            DataError::Lost(lost) => lost.to_string(),
            DataError::Unopened(problem) => problem.what.clone(),
        }
    }
}

impl Data {
    /// Starts a data worker, and once it is shut in, hands it the files of a grant and their keys.
    pub(crate) fn start(
        jails: &Jails,
        session: &SessionId,
        home: &HomeFiles,
        grant: &Grant,
        pseudonym_key: &[u8; 32],
        memory: u64,
        cancel: &Cancel,
    ) -> Result<Self, DataError> {
        let space = memory.saturating_add(memory / 2).saturating_add(OVERHEAD);
        let process = jails.spawn("data", session, space).map_err(DataError::Unopened)?;
        let mut data = Data { process };
        let (files, file_keys) = open_files(home, grant).map_err(DataError::Unopened)?;
        let fds: Vec<_> = files.iter().map(File::as_fd).collect();
        let grant_json =
            serde_json::to_vec(grant).map_err(|error| DataError::Lost(Lost::Protocol(error.to_string())))?;
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_THREADS);
        let open = wire::OpenData {
            grant_json,
            file_keys,
            pseudonym_key: pseudonym_key.to_vec(),
            memory_bytes: memory,
            threads: u32::try_from(threads).unwrap_or(1),
        };
        let request = wire::DataRequest {
            request: Some(Request::Open(open)),
        };
        let deadline = Instant::now() + OPEN_PATIENCE;
        let response: wire::DataResponse = data
            .process
            .call(&request, &fds, deadline, cancel)
            .map_err(DataError::Lost)?;
        let Response::Done(_) = data.answer(response)? else {
            return Err(data.broken("another answer to open"));
        };
        Ok(data)
    }

    /// Kills it from any thread.
    pub(crate) fn killer(&self) -> sandbox_runner::Killer {
        self.process.killer()
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Runs one frontier, with unit sets as evidence where a key for them is given, and with up to `unlike` units of a
    /// group told apart by what they contribute.
    pub(crate) fn run(
        &mut self,
        query: &QueryId,
        frontier: &Frontier,
        sketch: Option<(SketchKey, SketchShape)>,
        unlike: Option<u32>,
        deadline: Instant,
        cancel: &Cancel,
    ) -> Result<FrontierAnswer, DataError> {
        let run = wire::RunFrontier {
            query_id: query.to_string(),
            frontier: Some(encode_frontier(frontier)),
            sketch: sketch.map(|(key, shape)| wire::Sketch {
                key: key.bytes().to_vec(),
                capacity: shape.capacity(),
            }),
            unlike: unlike.unwrap_or(0),
        };
        let Response::Cells(cells) = self.ask(Request::Run(run), deadline, cancel)? else {
            return Err(self.broken("another answer to run"));
        };
        let read = decode(&cells.cells).and_then(|(schema, batches)| concat_batches(&schema, &batches));
        let batch = read.map_err(|error| self.broken(&error.to_string()))?;
        Ok(FrontierAnswer {
            lineage_json: cells.lineage_json,
            cells: batch,
        })
    }

    /// Reads a public table, as an Arrow IPC stream.
    pub(crate) fn read_public(
        &mut self,
        query: &QueryId,
        scan: &Node,
        deadline: Instant,
        cancel: &Cancel,
    ) -> Result<Vec<u8>, DataError> {
        let Node::Scan {
            dataset,
            table,
            columns,
        } = scan
        else {
            return Err(self.broken("a public read that is no scan"));
        };
        let scan = wire::Scan {
            dataset: dataset.to_string(),
            table: table.to_string(),
            columns: columns.iter().map(ToString::to_string).collect(),
        };
        let read = wire::ReadPublic {
            query_id: query.to_string(),
            scan: Some(scan),
        };
        let Response::Rows(rows) = self.ask(Request::Read(read), deadline, cancel)? else {
            return Err(self.broken("another answer to read"));
        };
        Ok(rows.rows)
    }

    fn ask(&mut self, request: Request, deadline: Instant, cancel: &Cancel) -> Result<Response, DataError> {
        let request = wire::DataRequest {
            request: Some(request),
        };
        let response = self
            .process
            .call(&request, &[], deadline, cancel)
            .map_err(DataError::Lost)?;
        self.answer(response)
    }

    fn answer(&self, response: wire::DataResponse) -> Result<Response, DataError> {
        match response.response {
            Some(Response::Failed(problem)) => Err(DataError::Failed(format!(
                "{}: {} ({})",
                problem.code, problem.what, problem.hint
            ))),
            Some(response) => Ok(response),
            None => Err(self.broken("an empty answer")),
        }
    }

    /// A worker that answers so is not asked again.
    fn broken(&self, what: &str) -> DataError {
        if let Err(error) = self.process.killer().kill() {
            tracing::error!(%error, "a data worker could not be killed");
        }
        DataError::Lost(Lost::Protocol(what.to_owned()))
    }
}

/// The files of a grant, open for reading, and their keys, both in the order of tables and files.
fn open_files(home: &HomeFiles, grant: &Grant) -> Result<(Vec<File>, Vec<Vec<u8>>), Problem> {
    let (mut files, mut keys) = (Vec::new(), Vec::new());
    for granted in &grant.tables {
        let manifest = home.catalogue().load(&granted.version)?;
        let version_key = home
            .vault()
            .unwrap_version_key(&granted.version, &manifest.wrapped_key)?;
        for file in &granted.files {
            files.push(home.catalogue().open_file(&granted.version, file)?);
            keys.push(
                version_key
                    .file_key(&granted.version, &granted.table, &file.name)
                    .bytes()
                    .to_vec(),
            );
        }
    }
    Ok((files, keys))
}
