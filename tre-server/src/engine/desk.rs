//! A session's desk: SQL text and treated cells in, algebra and answers out.

use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::Serialize;
use tre_core::algebra::{Expr, Frontier, Node};
use tre_core::codes::{self, Problem};
use tre_core::grant::Grant;
use tre_core::ids::{DatasetName, QueryId, SessionId, TableName};
use tre_core::manifest::ColumnMeta;
use tre_proto::algebra::{decode_expr, decode_frontier, decode_scan};
use tre_proto::batches::{decode, encode, schema_only};
use tre_proto::worker::v1 as wire;
use tre_proto::worker::v1::desk_request::Request;
use tre_proto::worker::v1::desk_response::Response;

use super::Cancel;
use super::jail::{Jails, Lost, Process};

/// Address space of a desk: it plans, and holds treated cells.
const MEMORY: u64 = 4 << 30;
/// A desk that takes longer over one request is killed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest text of a desk that reaches an analyst.
const MAX_TEXT: usize = 2_000;

/// What a query needs and will answer, as the desk says; frontiers are judged by who runs them.
#[derive(Debug)]
pub(crate) struct Planned {
    /// Schema of the answer.
    pub(crate) schema: SchemaRef,
    /// One field per placeholder.
    pub(crate) parameters: SchemaRef,
    /// Lower plans.
    pub(crate) frontiers: Vec<Frontier>,
    /// Scans of public tables.
    pub(crate) public_reads: Vec<Node>,
}

/// A table as the desk may know it: names and types, nothing of rows.
#[derive(Serialize)]
struct DeskTable<'g> {
    dataset: &'g DatasetName,
    table: &'g TableName,
    public: bool,
    columns: Vec<&'g ColumnMeta>,
}

/// A desk that is open.
#[derive(Debug)]
pub(crate) struct Desk {
    process: Process,
}

/// Why a desk did not do it: it refused, in words for the analyst, or it is lost.
#[derive(Debug)]
pub(crate) enum DeskError {
    /// The SQL is at fault.
    Refused(Problem),
    /// The desk is.
    Lost(Lost),
}

impl Desk {
    /// Starts a desk that knows the tables of a grant.
    pub(crate) fn start(jails: &Jails, session: &SessionId, grant: &Grant) -> Result<Self, Problem> {
        let mut desk = Desk {
            process: jails.spawn("desk", session, MEMORY)?,
        };
        let tables: Vec<DeskTable<'_>> = grant
            .tables
            .iter()
            .map(|granted| DeskTable {
                dataset: granted.version.dataset(),
                table: &granted.table,
                public: granted.public,
                columns: granted.permitted_columns().collect(),
            })
            .collect();
        let tables_json =
            serde_json::to_vec(&tables).map_err(|error| Lost::Protocol(error.to_string()).problem())?;
        match desk.ask(Request::Open(wire::OpenDesk { tables_json }), &Cancel::default()) {
            Ok(Response::Done(_)) => Ok(desk),
            Ok(_) => Err(Lost::Protocol("another answer to open".to_owned()).problem()),
            Err(DeskError::Refused(problem)) => Err(problem),
            Err(DeskError::Lost(lost)) => {
                tracing::error!(%session, %lost, "a desk did not open");
                Err(lost.problem())
            }
        }
    }

    /// Kills it from any thread.
    pub(crate) fn killer(&self) -> sandbox_runner::Killer {
        self.process.killer()
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Plans one SELECT and keeps it under `query`.
    pub(crate) fn plan(
        &mut self,
        query: &QueryId,
        sql: &str,
        parameters: Option<&[u8]>,
        disclosure: bool,
        cancel: &Cancel,
    ) -> Result<Planned, DeskError> {
        let request = Request::Plan(wire::PlanQuery {
            query_id: query.to_string(),
            sql: sql.to_owned(),
            parameters: parameters.unwrap_or_default().to_vec(),
            disclosure,
        });
        let Response::Planned(planned) = self.ask(request, cancel)? else {
            return Err(self.broken("another answer to plan"));
        };
        self.planned(planned)
    }

    /// Computes the answer of a planned query from treated cells and public rows.
    pub(crate) fn finish(
        &mut self,
        query: &QueryId,
        cells: &[&RecordBatch],
        public_rows: Vec<Vec<u8>>,
        cancel: &Cancel,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), DeskError> {
        let cells = cells
            .iter()
            .map(|batch| encode(&batch.schema(), std::slice::from_ref(*batch)));
        let cells = cells
            .collect::<Result<_, _>>()
            .map_err(|error| self.broken(&error.to_string()))?;
        let request = Request::Finish(wire::FinishQuery {
            query_id: query.to_string(),
            cells,
            public_rows,
        });
        let Response::Answer(answer) = self.ask(request, cancel)? else {
            return Err(self.broken("another answer to finish"));
        };
        decode(&answer.rows).map_err(|error| self.broken(&error.to_string()))
    }

    /// Lowers a permit's row condition over the stored columns of a table.
    pub(crate) fn lower_filter(
        &mut self,
        condition: &str,
        columns: &[ColumnMeta],
    ) -> Result<Expr, DeskError> {
        let columns_json = serde_json::to_vec(columns).map_err(|error| self.broken(&error.to_string()))?;
        let request = Request::Filter(wire::LowerFilter {
            condition: condition.to_owned(),
            columns_json,
        });
        let Response::Filter(expr) = self.ask(request, &Cancel::default())? else {
            return Err(self.broken("another answer to filter"));
        };
        decode_expr(expr).map_err(|error| self.broken(&error.to_string()))
    }

    fn ask(&mut self, request: Request, cancel: &Cancel) -> Result<Response, DeskError> {
        let request = wire::DeskRequest {
            request: Some(request),
        };
        let deadline = Instant::now() + PATIENCE;
        let response: wire::DeskResponse = self
            .process
            .call(&request, &[], deadline, cancel)
            .map_err(DeskError::Lost)?;
        match response.response {
            Some(Response::Refused(problem)) => Err(DeskError::Refused(readable(problem))),
            Some(response) => Ok(response),
            None => Err(self.broken("an empty answer")),
        }
    }

    fn planned(&self, planned: wire::Planned) -> Result<Planned, DeskError> {
        let broken = |error: &dyn std::fmt::Display| self.broken(&error.to_string());
        Ok(Planned {
            schema: schema_only(&planned.schema).map_err(|error| broken(&error))?,
            parameters: schema_only(&planned.parameter_schema).map_err(|error| broken(&error))?,
            frontiers: planned
                .frontiers
                .into_iter()
                .map(decode_frontier)
                .collect::<Result<_, _>>()
                .map_err(|error| broken(&error))?,
            public_reads: planned
                .public_reads
                .into_iter()
                .map(decode_scan)
                .collect::<Result<_, _>>()
                .map_err(|error| broken(&error))?,
        })
    }

    /// A desk that answers so is not asked again.
    fn broken(&self, what: &str) -> DeskError {
        if let Err(error) = self.process.killer().kill() {
            tracing::error!(%error, "a desk could not be killed");
        }
        DeskError::Lost(Lost::Protocol(what.to_owned()))
    }
}

/// A desk's words, as far as they may be words of a desk: a known code, one line each, not too long.
fn readable(problem: wire::Problem) -> Problem {
    let line = |text: String| -> String {
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_TEXT)
            .collect()
    };
    let code = codes::find(&problem.code).unwrap_or(&codes::RUN_INTERNAL);
    if *code == codes::RUN_INTERNAL {
        tracing::error!(what = line(problem.what), "a desk failed");
        return Problem::of(code, code.title);
    }
    Problem::new(code, line(problem.what), line(problem.hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desks_words_are_one_line_of_a_known_code() {
        let said = |code: &str, what: &str| {
            readable(wire::Problem {
                code: code.to_owned(),
                what: what.to_owned(),
                hint: "do\u{1b}[31m that".to_owned(),
            })
        };
        let problem = said("TRE-SQL-003", "no `x`\nhere");
        assert_eq!(
            (problem.code.id, problem.what.as_str()),
            ("TRE-SQL-003", "no `x` here")
        );
        assert!(!problem.hint.contains('\u{1b}'));
        assert_eq!(said("TRE-XYZ-999", "anything").what, codes::RUN_INTERNAL.title);
        assert_eq!(said("TRE-SQL-001", &"a".repeat(9_000)).what.len(), MAX_TEXT);
    }
}
