//! From SQL text to a plan that may be run.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use data_encoding::BASE64;
use output_checker::Decision;
use output_checker::lineage::{Lineage, lineage};
use output_checker::record::algebra_sha256;
use output_checker::rewrites::{Proposal, Rewrite, propose};
use tre_core::algebra::{Frontier, Node};
use tre_core::audit::Event;
use tre_core::codes::{self, Problem};
use tre_core::grant::Grant;
use tre_core::ids::QueryId;
use tre_core::permit::ExitName;
use tre_core::policy::Policy;
use tre_home::vault::sha256_hex;

use super::{Refusal, refused, withheld};
use crate::authz::Action;
use crate::core::{Core, On};
use crate::engine::{Cancel, Desk, DeskError, Lost, Planned};
use crate::sessions::Session;

/// Schema metadata key of the notices on a whole result: a JSON array of strings.
pub(crate) const NOTICES: &str = "tre.notices";

/// Schema metadata key of what to ask instead, so that fewer values are suppressed: a JSON array of rewrites.
pub(crate) const REWRITES: &str = "tre.rewrites";

/// Schema metadata key of what the rules in `disclosure` mean under the policy: a JSON object, rule to sentence.
pub(crate) const RULES: &str = "tre.rules";

/// Longest SQL text that an entry of the log holds, sealed.
const MAX_LOGGED_SQL: usize = 32 << 10;

/// A query that may be run.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) query: QueryId,
    pub(crate) sql: String,
    /// Schema of the answer, notices in its metadata.
    pub(crate) schema: SchemaRef,
    /// One field per placeholder; what has placeholders and no values cannot be run.
    pub(crate) parameters: SchemaRef,
    pub(super) bound: Option<Vec<u8>>,
    pub(super) disclosure: bool,
    pub(super) notices: Vec<String>,
    /// What to ask instead; chosen before any data are read.
    pub(super) proposals: Vec<Proposal>,
    pub(super) frontiers: Vec<(Frontier, Lineage)>,
    pub(super) public_reads: Vec<Node>,
}

impl Prepared {
    /// Whether every placeholder has its value.
    pub(crate) fn is_bound(&self) -> bool {
        self.bound.is_some() || self.parameters.fields().is_empty()
    }

    /// What to ask instead, for people and their programs.
    pub(super) fn rewrites(&self) -> Vec<Rewrite> {
        self.proposals
            .iter()
            .map(|proposal| proposal.rewrite.clone())
            .collect()
    }

    /// What a policy decides about the question itself, before any data are read.
    pub(super) fn asked(&self, policy: &Policy) -> Decision {
        let judged = self
            .frontiers
            .iter()
            .map(|(_, lineage)| output_checker::judge_question(lineage, policy));
        judged.fold(Decision::Release, Decision::and)
    }
}

/// Plans a query at the session's desk and reads its lineage. No data are read.
///
/// `parameters` is an Arrow IPC stream with one row.
///
/// # Errors
/// [`Refusal`]; it is in the log.
pub(crate) async fn prepare(
    core: &Arc<Core>,
    session: &Arc<Session>,
    exit: ExitName,
    sql: &str,
    parameters: Option<Vec<u8>>,
    disclosure: bool,
) -> Result<Prepared, Refusal> {
    let action = Action::Plan;
    let _allowed = core
        .authorize(&session.caller, action, On::Project(&session.project))
        .await
        .map_err(withheld)?;
    let (policy, _) = session.project.exit(exit).map_err(refused)?;
    let mut prepared = Prepared {
        query: QueryId::from_random(core.random().map_err(withheld)?),
        sql: sql.to_owned(),
        schema: Arc::new(Schema::empty()),
        parameters: Arc::new(Schema::empty()),
        bound: parameters,
        disclosure,
        notices: vec![],
        proposals: vec![],
        frontiers: vec![],
        public_reads: vec![],
    };
    let planned = match planned(core, session, &prepared).await {
        Ok(planned) => planned,
        Err(DeskError::Refused(problem)) => return Err(log_refused(core, session, &prepared, problem).await),
        Err(DeskError::Lost(lost)) => return Err(log_lost_desk(core, session, &prepared, &lost).await),
    };
    prepared.proposals = propose(&planned.frontiers, &session.project.grant, &policy);
    for frontier in planned.frontiers {
        match lineage_under(&frontier, &session.project.grant, &policy) {
            Ok(lineage) => prepared.frontiers.push((frontier, lineage)),
            Err(problem) => {
                let refused = log_refused(core, session, &prepared, problem).await;
                return Err(refused.with(prepared.rewrites()));
            }
        }
    }
    for (_, lineage) in &prepared.frontiers {
        for notice in output_checker::notices(lineage, &policy) {
            if !prepared.notices.contains(&notice) {
                prepared.notices.push(notice);
            }
        }
    }
    prepared.schema = described(&planned.schema, &prepared, &policy);
    prepared.parameters = planned.parameters;
    prepared.public_reads = planned.public_reads;
    log_planned(core, session, &prepared).await?;
    Ok(prepared)
}

/// The desk's plan; a lost desk is replaced by the next call.
async fn planned(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
) -> Result<Planned, DeskError> {
    let workers = session.workers().await.map_err(DeskError::Refused)?;
    let (core, session, prepared) = (Arc::clone(core), Arc::clone(session), prepared.clone());
    let planning = tokio::task::spawn_blocking(move || {
        let mut workers = workers;
        let desk = workers
            .desk(&core, &session.project)
            .map_err(DeskError::Refused)?;
        plan_at(desk, &prepared, &Cancel::default())
    });
    planning
        .await
        .unwrap_or_else(|error| Err(DeskError::Lost(Lost::Protocol(error.to_string()))))
}

/// Plans a prepared query at a desk.
pub(super) fn plan_at(desk: &mut Desk, prepared: &Prepared, cancel: &Cancel) -> Result<Planned, DeskError> {
    desk.plan(
        &prepared.query,
        &prepared.sql,
        prepared.bound.as_deref(),
        prepared.disclosure,
        cancel,
    )
}

/// The schema with what is known of the whole answer before any data are read.
fn described(schema: &SchemaRef, prepared: &Prepared, policy: &Policy) -> SchemaRef {
    let mut metadata = schema.metadata().clone();
    let text = serde_json::Value::from(prepared.notices.clone()).to_string();
    metadata.insert(NOTICES.to_owned(), text);
    let lineages = prepared.frontiers.iter().map(|(_, lineage)| lineage);
    let rules = output_checker::reasons::of_rules(policy, lineages).into_iter();
    let rules: serde_json::Map<String, serde_json::Value> =
        rules.map(|(rule, why)| (rule.to_string(), why.into())).collect();
    metadata.insert(RULES.to_owned(), serde_json::Value::from(rules).to_string());
    if let Ok(text) = serde_json::to_string(&prepared.rewrites()) {
        metadata.insert(REWRITES.to_owned(), text);
    }
    Arc::new(Schema::new_with_metadata(schema.fields().clone(), metadata))
}

/// SQL in the log: its hash, and the text for those who hold the vault.
fn logged_sql(core: &Core, prepared: &Prepared) -> (String, Option<String>) {
    let text = prepared.sql.as_bytes();
    let sealed = (text.len() <= MAX_LOGGED_SQL)
        .then(|| {
            core.home
                .vault()
                .seal("audit-sql", prepared.query.as_str().as_bytes(), text)
                .ok()
        })
        .flatten();
    (sha256_hex(text), sealed.map(|sealed| BASE64.encode(&sealed)))
}

async fn log_planned(core: &Core, session: &Session, prepared: &Prepared) -> Result<(), Refusal> {
    let (sql_sha256, sql_sealed) = logged_sql(core, prepared);
    let digests: Vec<String> = prepared
        .frontiers
        .iter()
        .map(|(frontier, _)| algebra_sha256(frontier))
        .collect::<Result<_, _>>()
        .map_err(|error| withheld(Problem::of(&codes::RUN_INTERNAL, error.to_string())))?;
    let algebra_sha256 = match digests.as_slice() {
        [one] => one.clone(),
        many => sha256_hex(many.concat().as_bytes()),
    };
    let event = Event::QueryPlanned {
        query: prepared.query.clone(),
        session: session.id.clone(),
        project: session.project.stored.id.clone(),
        sql_sha256,
        sql_sealed,
        algebra_sha256,
    };
    core.audit(core.actor(&session.caller, Some(&session.id)), event)
        .await
        .map_err(withheld)
}

/// Logs a refusal; if that fails, the failure is what is answered.
pub(super) async fn log_refused(
    core: &Core,
    session: &Session,
    prepared: &Prepared,
    problem: Problem,
) -> Refusal {
    let (sql_sha256, sql_sealed) = logged_sql(core, prepared);
    let event = Event::QueryRefused {
        query: prepared.query.clone(),
        session: session.id.clone(),
        project: session.project.stored.id.clone(),
        sql_sha256,
        sql_sealed,
        code: problem.code.id.to_owned(),
    };
    match core
        .audit(core.actor(&session.caller, Some(&session.id)), event)
        .await
    {
        Ok(()) => refused(problem),
        Err(log) => withheld(log),
    }
}

/// Logs that the desk was lost over a query.
async fn log_lost_desk(core: &Core, session: &Session, prepared: &Prepared, lost: &Lost) -> Refusal {
    super::run::log_failed(core, session, prepared, lost.problem(), lost.to_string()).await
}

/// The lineage of a frontier, with the evidence that a policy reads beside the usual.
///
/// # Errors
/// A [`Problem`] when the frontier has no lineage.
pub(super) fn lineage_under(frontier: &Frontier, grant: &Grant, policy: &Policy) -> Result<Lineage, Problem> {
    let mut lineage = lineage(frontier, grant)?;
    lineage.layout.sketch = policy.rules().unit_sets();
    lineage.layout.unlike = policy.rules().values_told_apart();
    Ok(lineage)
}
