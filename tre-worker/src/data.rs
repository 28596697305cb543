//! The data worker.

use std::fs::File;
use std::process::ExitCode;

use sandbox_runner::Frame;

use tre_core::codes::{self, Problem};
use tre_core::sketch::{SketchShape, Sketcher};
use tre_proto::algebra::{decode_frontier, decode_scan};
use tre_proto::batches::encode;
use tre_proto::worker::v1 as wire;
use tre_proto::worker::v1::data_request::Request;
use tre_proto::worker::v1::data_response::Response;
use tre_query::data::{DataError, Engine, FileKey, Opened};

use crate::serve::{internal, problem, serve};

/// Runs a data worker until its channel ends. Call it first thing in `main`: it enters the jail, which one thread must
/// do.
pub fn data_main() -> ExitCode {
    let mut engine = None;
    let respond = |response| wire::DataResponse {
        response: Some(response),
    };
    serve(
        "data",
        move |message: wire::DataRequest, frame| {
            respond(
                answer(&mut engine, message, frame)
                    .unwrap_or_else(|failed| Response::Failed(problem(failed))),
            )
        },
        move |failed| respond(Response::Failed(problem(failed))),
    )
}

fn answer(
    engine: &mut Option<Engine>,
    message: wire::DataRequest,
    frame: Frame,
) -> Result<Response, Problem> {
    match message.request.ok_or_else(|| internal("an empty request"))? {
        Request::Open(open) => {
            *engine = Some(opened(open, frame)?);
            Ok(Response::Done(wire::Done {}))
        }
        Request::Run(run) => {
            let frontier = decode_frontier(run.frontier.ok_or_else(|| internal("no frontier"))?)
                .map_err(|error| internal(&error.to_string()))?;
            let sketcher = run.sketch.map(sketcher).transpose()?;
            let (lineage, cells) = open_engine(engine)?
                .run_with(&frontier, sketcher, (run.unlike > 0).then_some(run.unlike))
                .map_err(failed)?;
            let lineage_json = serde_json::to_vec(&lineage).map_err(|error| internal(&error.to_string()))?;
            let cells = encode(&cells.schema(), &[cells]).map_err(|error| internal(&error.to_string()))?;
            Ok(Response::Cells(wire::Cells { lineage_json, cells }))
        }
        Request::Read(read) => {
            let scan = decode_scan(read.scan.ok_or_else(|| internal("no scan"))?)
                .map_err(|error| internal(&error.to_string()))?;
            let batches = open_engine(engine)?.read_public(&scan).map_err(failed)?;
            let rows = match batches.first() {
                Some(first) => {
                    encode(&first.schema(), &batches).map_err(|error| internal(&error.to_string()))?
                }
                None => Vec::new(),
            };
            Ok(Response::Rows(wire::PublicRows { rows }))
        }
    }
}

fn open_engine(engine: &Option<Engine>) -> Result<&Engine, Problem> {
    engine
        .as_ref()
        .ok_or_else(|| internal("the data worker is not open"))
}

fn opened(open: wire::OpenData, frame: Frame) -> Result<Engine, Problem> {
    let grant = serde_json::from_slice(&open.grant_json)
        .map_err(|error| internal(&format!("the grant cannot be read: {error}")))?;
    let keys = open
        .file_keys
        .iter()
        .map(|bytes| key(bytes).map(FileKey::new))
        .collect::<Result<_, _>>()?;
    let opened = Opened {
        grant,
        files: frame.fds.into_iter().map(File::from).collect(),
        keys,
        pseudonym_key: key(&open.pseudonym_key)?,
        memory_bytes: usize::try_from(open.memory_bytes).unwrap_or(usize::MAX),
        threads: open.threads as usize,
    };
    Engine::open(opened).map_err(failed)
}

fn sketcher(sketch: wire::Sketch) -> Result<Sketcher, Problem> {
    let shape = SketchShape::try_from(sketch.capacity).map_err(|what| internal(&what))?;
    Ok(Sketcher::new(&key(&sketch.key)?, shape))
}

fn key(bytes: &[u8]) -> Result<[u8; 32], Problem> {
    let key = bytes.try_into();
    key.map_err(|_| internal("a key has not 32 bytes"))
}

/// What went wrong, for the operator's log.
fn failed(error: DataError) -> Problem {
    let what = error.to_string();
    if let DataError::Refused(problem) = error {
        problem
    } else {
        Problem::of(&codes::RUN_FAILED, what)
    }
}
