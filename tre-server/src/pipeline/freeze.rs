//! The bytes that a request freezes: treated under the release exit's policy, never to be computed again.

use std::sync::Arc;

use output_checker::rewrites::Rewrite;
use output_checker::{Decision, LetOut};
use tre_core::ids::{QueryId, RequestId};
use tre_core::permit::ExitName;
use tre_home::store::Draft;

use super::insight::{Insight, insight};
use super::ledger::draft;
use super::prepare::prepare;
use super::run::{decided, finish, internal, judge, record};
use super::{Refusal, csv, refused, withheld};
use crate::core::Core;
use crate::engine::CancelOnDrop;
use crate::sessions::Session;

/// What a request asks to release.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    /// CSV with a header, `disclosure` its last column; NULL is an empty field, empty text is `""`.
    pub(crate) output: Vec<u8>,
    /// The SDC record, canonical JSON, bound to `output`.
    pub(crate) record: String,
    /// Release or Refer: what is withheld is not frozen.
    pub(crate) decision: Decision,
    /// What to ask instead.
    pub(crate) rewrites: Vec<Rewrite>,
    /// For reviewers alone.
    pub(crate) insight: Insight,
    /// Under which the query stands in the log.
    pub(crate) query: QueryId,
    /// What the ledger will remember when it leaves; none where the policy keeps no ledger.
    pub(crate) draft: Option<Draft>,
}

/// Runs a query through the release exit and freezes what it would let out.
///
/// # Errors
/// [`Refusal`]; it is in the log. A referral is no refusal here: a person decides about the request.
pub(crate) async fn freeze(
    core: &Arc<Core>,
    session: &Arc<Session>,
    sql: &str,
    request: &RequestId,
) -> Result<Frozen, Refusal> {
    let cancel = session.begin_query();
    let guard = CancelOnDrop::new(Arc::clone(&cancel));
    let (policy, reviewers) = session.project.exit(ExitName::Release).map_err(refused)?;
    let prepared = prepare(core, session, ExitName::Release, sql, None, true).await?;
    let let_out = match reviewers {
        0 => LetOut::ByRule,
        _ => LetOut::ByPeople,
    };
    let judged = judge(core, session, &prepared, &policy, let_out, &cancel).await?;
    let (judged, draft) = draft(core, session, &prepared, &policy, judged).await?;
    if let Decision::Withhold { .. } = &judged.decision {
        decided(core, session, &prepared, &judged.decision).await?;
    }
    let answer = finish(core, session, &prepared, &judged, &cancel).await?;
    let output = csv::text(&answer.schema, &answer.batches)
        .map_err(internal)?
        .into_bytes();
    let record = record(session, &prepared, Some(request), &policy, &judged, &output)?;
    let insight = insight(core, session, &prepared, &judged, &policy, let_out, &cancel).await;
    let insight = insight.map_err(withheld)?;
    guard.defuse();
    Ok(Frozen {
        output,
        record,
        decision: judged.decision,
        rewrites: prepared.rewrites(),
        insight,
        query: prepared.query,
        draft,
    })
}
