//! The desk worker.

use std::process::ExitCode;

use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use tre_core::algebra::Node;
use tre_core::codes::Problem;
use tre_core::manifest::ColumnMeta;
use tre_proto::algebra::{encode_expr, encode_frontier};
use tre_proto::batches::{decode, encode};
use tre_proto::worker::v1 as wire;
use tre_proto::worker::v1::desk_request::Request;
use tre_proto::worker::v1::desk_response::Response;
use tre_query::desk::{Desk, DeskTable, Planned};

use crate::serve::{internal, problem, serve};

/// Runs a desk until its channel ends. Call it first thing in `main`: it enters the jail, which one thread must do.
pub fn desk_main() -> ExitCode {
    let mut worker = DeskWorker {
        desk: None,
        runtime: None,
    };
    let respond = |response| wire::DeskResponse {
        response: Some(response),
    };
    serve(
        "desk",
        move |message: wire::DeskRequest, _| {
            respond(
                worker
                    .answer(message)
                    .unwrap_or_else(|refused| Response::Refused(problem(refused))),
            )
        },
        move |failed| respond(Response::Refused(problem(failed))),
    )
}

struct DeskWorker {
    desk: Option<Desk>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl DeskWorker {
    fn answer(&mut self, message: wire::DeskRequest) -> Result<Response, Problem> {
        let request = message.request.ok_or_else(|| internal("an empty request"))?;
        if let Request::Open(open) = request {
            let tables: Vec<DeskTable> = serde_json::from_slice(&open.tables_json)
                .map_err(|error| internal(&format!("the tables cannot be read: {error}")))?;
            self.desk = Some(Desk::open(tables)?);
            return Ok(Response::Done(wire::Done {}));
        }
        if self.runtime.is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            self.runtime = Some(runtime.map_err(|_| internal("no runtime can be started"))?);
        }
        let (Some(desk), Some(runtime)) = (&mut self.desk, &self.runtime) else {
            return Err(internal("the desk is not open"));
        };
        match request {
            Request::Open(_) => Err(internal("the desk is open already")),
            Request::Plan(plan) => {
                let parameters = one_row(&plan.parameters)?;
                let planned = runtime.block_on(desk.plan(
                    &plan.query_id,
                    &plan.sql,
                    parameters.as_ref(),
                    plan.disclosure,
                ))?;
                planned_message(plan.query_id, &planned)
            }
            Request::Finish(finish) => {
                let cells = finish
                    .cells
                    .iter()
                    .map(|bytes| one_batch(bytes))
                    .collect::<Result<_, _>>()?;
                let rows = finish
                    .public_rows
                    .iter()
                    .map(|bytes| batches(bytes))
                    .collect::<Result<_, _>>()?;
                let (schema, answer) = runtime.block_on(desk.finish(&finish.query_id, cells, rows))?;
                Ok(Response::Answer(wire::Answer {
                    rows: encode(&schema, &answer).map_err(unreadable)?,
                }))
            }
            Request::Filter(filter) => {
                let columns: Vec<ColumnMeta> = serde_json::from_slice(&filter.columns_json)
                    .map_err(|error| internal(&format!("the columns cannot be read: {error}")))?;
                Ok(Response::Filter(encode_expr(
                    &desk.lower_filter(&filter.condition, &columns)?,
                )))
            }
            Request::Drop(drop) => {
                desk.drop_query(&drop.query_id);
                Ok(Response::Done(wire::Done {}))
            }
        }
    }
}

fn unreadable(error: ArrowError) -> Problem {
    internal(&format!("batches cannot be read or written: {error}"))
}

fn batches(bytes: &[u8]) -> Result<Vec<RecordBatch>, Problem> {
    Ok(decode(bytes).map_err(unreadable)?.1)
}

fn one_batch(bytes: &[u8]) -> Result<RecordBatch, Problem> {
    let (schema, batches) = decode(bytes).map_err(unreadable)?;
    concat_batches(&schema, &batches).map_err(unreadable)
}

fn one_row(bytes: &[u8]) -> Result<Option<RecordBatch>, Problem> {
    if bytes.is_empty() {
        Ok(None)
    } else {
        one_batch(bytes).map(Some)
    }
}

fn planned_message(query_id: String, planned: &Planned) -> Result<Response, Problem> {
    let scans = planned.public_reads.iter().filter_map(|read| match read {
        Node::Scan {
            dataset,
            table,
            columns,
        } => Some(wire::Scan {
            dataset: dataset.to_string(),
            table: table.to_string(),
            columns: columns.iter().map(ToString::to_string).collect(),
        }),
        Node::Filter { .. }
        | Node::Project { .. }
        | Node::JoinUnit { .. }
        | Node::JoinPublic { .. }
        | Node::Union { .. }
        | Node::PerUnit { .. }
        | Node::Number { .. } => None,
    });
    Ok(Response::Planned(wire::Planned {
        query_id,
        schema: encode(&planned.schema, &[]).map_err(unreadable)?,
        parameter_schema: encode(&planned.parameters, &[]).map_err(unreadable)?,
        frontiers: planned.frontiers.iter().map(encode_frontier).collect(),
        public_reads: scans.collect(),
    }))
}
