//! From a plan to treated cells to bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use output_checker::lineage::Lineage;
use output_checker::record::{Aggregation, Origin, SdcRecord, Tool};
use output_checker::{Asked, Checked, Decision, DrawKey, LetOut, check_together};
use tre_core::audit::{Event, PolicyStamp, WorkerKind};
use tre_core::codes::{self, Problem};
use tre_core::evidence::BaseCells;
use tre_core::ids::{RequestId, VersionId};
use tre_core::permit::ExitName;
use tre_core::policy::Policy;
use tre_home::vault::sha256_hex;
use tre_proto::batches::encode;
use tre_proto::v1;

use super::ledger::remember;
use super::prepare::{Prepared, log_refused, plan_at};
use super::{Refusal, message, refused, withheld};
use crate::authz::Action;
use crate::core::{Core, On};
use crate::engine::{Cancel, CancelOnDrop, DataError, DeskError, Lost};
use crate::sessions::Session;

/// Rows that may leave.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

/// Longest detail of a failure in the log, in characters.
const MAX_DETAIL: usize = 2000;

/// Treated cells of every frontier, the rows of public tables, and what was decided.
pub(super) struct Judged {
    pub(super) checked: Vec<Checked>,
    pub(super) decision: Decision,
    /// The base cells, for the ledger and for those who decide; they go nowhere else.
    pub(super) cells: Vec<BaseCells>,
    public_rows: Vec<Vec<u8>>,
}

/// Answers a query through the view exit. The entry precedes the bytes.
///
/// # Errors
/// [`Refusal`]; it is in the log.
pub(crate) async fn answer(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
) -> Result<Answer, Refusal> {
    let cancel = session.begin_query();
    let guard = CancelOnDrop::new(Arc::clone(&cancel));
    let (policy, _) = session.project.exit(ExitName::View).map_err(refused)?;
    decided(core, session, prepared, &prepared.asked(&policy)).await?;
    let judged = judge(core, session, prepared, &policy, LetOut::ByRule, &cancel).await?;
    let judged = remember(core, session, prepared, &policy, judged).await?;
    decided(core, session, prepared, &judged.decision).await?;
    let answer = finish(core, session, prepared, &judged, &cancel).await?;
    let output = encode(&answer.schema, &answer.batches).map_err(internal)?;
    let record = record(session, prepared, None, &policy, &judged, &output)?;
    let event = Event::QueryAnswered {
        query: prepared.query.clone(),
        session: session.id.clone(),
        project: session.project.stored.id.clone(),
        policy: stamp(&policy),
        versions: versions(prepared),
        rows: answer.batches.iter().map(|batch| batch.num_rows() as u64).sum(),
        output_sha256: sha256_hex(&output),
        record_sha256: sha256_hex(record.as_bytes()),
    };
    core.audit(core.actor(&session.caller, Some(&session.id)), event)
        .await
        .map_err(withheld)?;
    guard.defuse();
    Ok(answer)
}

/// Decision and reasons without values: an output like any other, so it is run, judged and logged.
///
/// # Errors
/// [`Refusal::Refused`] and [`Refusal::Failed`]; what was decided is the report.
pub(crate) async fn check(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
) -> Result<v1::CheckReport, Refusal> {
    let cancel = session.begin_query();
    let guard = CancelOnDrop::new(Arc::clone(&cancel));
    let (policy, _) = session.project.exit(ExitName::View).map_err(refused)?;
    let judged = judge(core, session, prepared, &policy, LetOut::ByRule, &cancel).await?;
    let judged = remember(core, session, prepared, &policy, judged).await?;
    let mut reasons: Vec<Problem> = judged.decision.reasons().to_vec();
    let mut columns = Vec::new();
    for checked in &judged.checked {
        reasons.extend(output_checker::reasons::of_summary(&checked.summary, &policy));
        columns.extend(checked.summary.values.iter().map(|value| {
            v1::ColumnCheck {
                column: value.value.clone(),
                statuses: value
                    .statuses
                    .iter()
                    .map(|count| v1::StatusCount {
                        status: count.status.to_string(),
                        rule: count.rule.to_string(),
                        values: count.cells,
                    })
                    .collect(),
            }
        }));
    }
    let event = Event::Checked {
        query: prepared.query.clone(),
        session: session.id.clone(),
        project: session.project.stored.id.clone(),
        policy: stamp(&policy),
        decision: judged.decision.word().to_owned(),
        codes: reasons.iter().map(|reason| reason.code.id.to_owned()).collect(),
    };
    core.audit(core.actor(&session.caller, Some(&session.id)), event)
        .await
        .map_err(withheld)?;
    guard.defuse();
    Ok(v1::CheckReport {
        decision: judged.decision.word().to_owned(),
        reasons: reasons
            .into_iter()
            .map(|r| v1::Reason {
                code: r.code.id.to_owned(),
                what: r.what,
                hint: r.hint,
            })
            .collect(),
        notices: prepared.notices.clone(),
        columns,
        policy: policy.id().to_string(),
        policy_sha256: policy.hash().to_owned(),
        query: prepared.query.to_string(),
        rewrites: prepared.rewrites().into_iter().map(message).collect(),
    })
}

/// Runs every frontier at the data worker and lets the checker judge it.
pub(super) async fn judge(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    policy: &Policy,
    let_out: LetOut,
    cancel: &Arc<Cancel>,
) -> Result<Judged, Refusal> {
    if !prepared.is_bound() {
        let what = "the query has placeholders without values";
        let problem = Problem::of(&codes::SQL_PARAMETERS, what);
        return Err(log_refused(core, session, prepared, problem).await);
    }
    let _allowed = core
        .authorize(&session.caller, Action::Query, On::Project(&session.project))
        .await
        .map_err(withheld)?;
    let decision = prepared.asked(policy);
    // What would be withheld is not read. What a person decides is, for that person's eyes.
    if let Decision::Withhold { .. } = &decision {
        decided(core, session, prepared, &decision).await?;
    }
    let ran = match ran(core, session, prepared, cancel).await? {
        Ok(ran) => ran,
        Err(error) => {
            return Err(log_failed(core, session, prepared, error.problem(), error.detail()).await);
        }
    };
    let mut judged = Judged {
        checked: vec![],
        decision,
        cells: vec![],
        public_rows: ran.public_rows,
    };
    let mut cells = Vec::with_capacity(prepared.frontiers.len());
    let key = DrawKey::new(core.home.vault().draw_key().bytes());
    for ((_, lineage), (worker_lineage, batch)) in prepared.frontiers.iter().zip(ran.cells) {
        match believed(lineage, &worker_lineage, batch) {
            Ok(believed) => cells.push(believed),
            Err(problem) => {
                let decision = Decision::Withhold {
                    reasons: vec![problem],
                };
                return Err(decided(core, session, prepared, &decision)
                    .await
                    .err()
                    .unwrap_or_else(contradiction));
            }
        }
    }
    let asked = prepared.frontiers.iter().zip(&cells);
    let asked: Vec<Asked<'_>> = asked
        .map(|((frontier, lineage), cells)| Asked {
            frontier,
            lineage,
            cells,
        })
        .collect();
    judged.checked = check_together(&asked, policy, &key, let_out);
    for checked in &judged.checked {
        judged.decision = judged.decision.and(checked.decision.clone());
    }
    judged.cells = cells;
    Ok(judged)
}

fn contradiction() -> Refusal {
    withheld(Problem::of(
        &codes::RUN_INTERNAL,
        "the worker and the server disagree about the query",
    ))
}

/// Cells are read only when the worker ran them under the lineage that was judged.
fn believed(lineage: &Lineage, worker_lineage: &[u8], batch: RecordBatch) -> Result<BaseCells, Problem> {
    let disagree = |what: &str| Problem::of(&codes::RUN_INTERNAL, what.to_owned());
    let ours = serde_json::to_vec(lineage).map_err(|_| disagree("the lineage cannot be written"))?;
    if ours != worker_lineage {
        return Err(disagree("the worker and the server disagree about the query"));
    }
    BaseCells::new(lineage.layout.clone(), batch).map_err(|error| {
        tracing::error!(%error, "evidence of a data worker was not believed");
        disagree("the worker's evidence contradicts itself")
    })
}

struct Ran {
    cells: Vec<(Vec<u8>, RecordBatch)>,
    public_rows: Vec<Vec<u8>>,
}

/// The blocking part: the data worker, started if there is none.
async fn ran(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    cancel: &Arc<Cancel>,
) -> Result<Result<Ran, DataError>, Refusal> {
    if prepared.frontiers.is_empty() && prepared.public_reads.is_empty() {
        return Ok(Ok(Ran {
            cells: vec![],
            public_rows: vec![],
        }));
    }
    let mut workers = session.workers().await.map_err(Refusal::Failed)?;
    if workers.needs_data() {
        let started = Event::WorkerStarted {
            session: session.id.clone(),
            worker: WorkerKind::Data,
        };
        core.audit(core.actor(&session.caller, Some(&session.id)), started)
            .await
            .map_err(withheld)?;
    }
    let (core, session, prepared, cancel) = (
        Arc::clone(core),
        Arc::clone(session),
        prepared.clone(),
        Arc::clone(cancel),
    );
    let running = tokio::task::spawn_blocking(move || {
        let data = workers.data(&core, &session.project, &cancel)?;
        let seconds = session.project.limits.query_seconds;
        let deadline = Instant::now() + Duration::from_secs(u64::from(seconds));
        let mut ran = Ran {
            cells: vec![],
            public_rows: vec![],
        };
        for (frontier, lineage) in &prepared.frontiers {
            let sketch = lineage.layout.sketch.map(|shape| {
                let key = core.home.vault().sketch_key(&lineage.population);
                (key, shape)
            });
            let answer = data.run(
                &prepared.query,
                frontier,
                sketch,
                lineage.layout.unlike,
                deadline,
                &cancel,
            )?;
            ran.cells.push((answer.lineage_json, answer.cells));
        }
        for scan in &prepared.public_reads {
            ran.public_rows
                .push(data.read_public(&prepared.query, scan, deadline, &cancel)?);
        }
        Ok(ran)
    });
    Ok(running
        .await
        .unwrap_or_else(|error| Err(DataError::Lost(Lost::Protocol(error.to_string())))))
}

/// Logs a failure with its detail; the analyst hears `told`, a constant, or that the session has ended: its workers were
/// killed on purpose then, and running the query again would not help.
pub(super) async fn log_failed(
    core: &Core,
    session: &Session,
    prepared: &Prepared,
    told: Problem,
    detail: String,
) -> Refusal {
    let told = session.ending().unwrap_or(told);
    tracing::error!(query = %prepared.query, code = told.code.id, detail, "a query failed");
    let event = Event::QueryFailed {
        query: prepared.query.clone(),
        session: session.id.clone(),
        project: session.project.stored.id.clone(),
        code: told.code.id.to_owned(),
        detail: detail.chars().take(MAX_DETAIL).collect(),
    };
    match core
        .audit(core.actor(&session.caller, Some(&session.id)), event)
        .await
    {
        // The id is drawn before anything runs: it says nothing, and lets the operator find the entry.
        Ok(()) => Refusal::Failed(Problem {
            what: format!("{} (query {})", told.what, prepared.query),
            ..told
        }),
        Err(log) => withheld(log),
    }
}

/// Passes a release on; logs and returns everything else.
pub(super) async fn decided(
    core: &Core,
    session: &Session,
    prepared: &Prepared,
    decision: &Decision,
) -> Result<(), Refusal> {
    let codes = decision
        .reasons()
        .iter()
        .map(|reason| reason.code.id.to_owned())
        .collect();
    let (query, id, project) = (
        prepared.query.clone(),
        session.id.clone(),
        session.project.stored.id.clone(),
    );
    let (event, refusal) = match decision {
        Decision::Release => return Ok(()),
        Decision::Refer { reasons } => (
            Event::QueryReferred {
                query,
                session: id,
                project,
                codes,
            },
            Refusal::Referred(reasons.clone(), prepared.rewrites()),
        ),
        Decision::Withhold { reasons } => (
            Event::QueryWithheld {
                query,
                session: id,
                project,
                codes,
            },
            Refusal::Withheld(reasons.clone(), prepared.rewrites()),
        ),
    };
    core.audit(core.actor(&session.caller, Some(&session.id)), event)
        .await
        .map_err(withheld)?;
    Err(refusal)
}

/// Lets the desk run the upper plan over treated cells. It plans the query again first, which is idempotent and cheap: so a
/// desk that was lost or has forgotten the query costs nothing but time.
pub(super) async fn finish(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    judged: &Judged,
    cancel: &Arc<Cancel>,
) -> Result<Answer, Refusal> {
    let workers = session.workers().await.map_err(Refusal::Failed)?;
    let cells: Vec<RecordBatch> = judged
        .checked
        .iter()
        .map(|checked| checked.treated.batch().clone())
        .collect();
    let rows = judged.public_rows.clone();
    let (shared, owner, query, stop) = (
        Arc::clone(core),
        Arc::clone(session),
        prepared.clone(),
        Arc::clone(cancel),
    );
    let finishing = tokio::task::spawn_blocking(move || {
        let mut workers = workers;
        let desk = workers
            .desk(&shared, &owner.project)
            .map_err(DeskError::Refused)?;
        plan_at(desk, &query, &stop)?;
        desk.finish(&query.query, &cells.iter().collect::<Vec<_>>(), rows, &stop)
    });
    let finished = finishing
        .await
        .unwrap_or_else(|e| Err(DeskError::Lost(Lost::Protocol(e.to_string()))));
    let (schema, batches) = match finished {
        Ok(answer) => answer,
        // What the desk says is a function of treated cells.
        Err(DeskError::Refused(problem)) => return Err(refused(problem)),
        Err(DeskError::Lost(lost)) => {
            return Err(log_failed(core, session, prepared, lost.problem(), lost.to_string()).await);
        }
    };
    if schema.fields() != prepared.schema.fields() {
        return Err(withheld(Problem::of(
            &codes::RUN_INTERNAL,
            "the answer has other columns than were planned",
        )));
    }
    let batches = batches
        .into_iter()
        .map(|batch| batch.with_schema(Arc::clone(&prepared.schema)))
        .collect::<Result<_, _>>()
        .map_err(internal)?;
    Ok(Answer {
        schema: Arc::clone(&prepared.schema),
        batches,
    })
}

/// The SDC record of an output, as JSON.
pub(super) fn record(
    session: &Session,
    prepared: &Prepared,
    request: Option<&RequestId>,
    policy: &Policy,
    judged: &Judged,
    output: &[u8],
) -> Result<String, Refusal> {
    let aggregations = prepared
        .frontiers
        .iter()
        .zip(&judged.checked)
        .map(|((frontier, lineage), checked)| Aggregation::new(frontier, lineage, checked))
        .collect::<Result<_, _>>()
        .map_err(internal)?;
    let origin = Origin {
        project: session.project.stored.id.clone(),
        session: Some(session.id.clone()),
        query: Some(prepared.query.clone()),
        request: request.cloned(),
        sql: prepared.sql.clone(),
    };
    let tool = Tool {
        name: "tre".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let record = SdcRecord::new(output, tool, origin, policy, aggregations);
    serde_json_canonicalizer::to_string(&record).map_err(internal)
}

pub(super) fn internal(error: impl std::fmt::Display) -> Refusal {
    withheld(Problem::of(&codes::RUN_INTERNAL, error.to_string()))
}

/// A policy in the log.
pub(crate) fn stamp(policy: &Policy) -> PolicyStamp {
    PolicyStamp {
        id: policy.id().clone(),
        sha256: policy.hash().to_owned(),
    }
}

fn versions(prepared: &Prepared) -> Vec<VersionId> {
    let mut versions: Vec<VersionId> = prepared
        .frontiers
        .iter()
        .flat_map(|(_, lineage)| lineage.tables.iter().map(|table| table.version.clone()))
        .collect();
    versions.sort();
    versions.dedup();
    versions
}
