//! The bytes that a request freezes: treated under the release exit's policy, never to be computed again.

use std::sync::Arc;

use output_checker::Decision;
use tre_core::ids::RequestId;
use tre_core::permit::ExitName;
use tre_home::store::Draft;

use super::Refusal;
use super::ledger::draft;
use super::prepare::prepare;
use super::run::{Answer, decided, finish, internal, judge, record};
use crate::core::Core;
use crate::engine::CancelOnDrop;
use crate::sessions::Session;

/// What a request asks to release.
#[derive(Debug, Clone)]
pub(crate) struct Frozen {
    /// CSV with a header, `disclosure` its last column; NULL is an empty field.
    pub(crate) output: Vec<u8>,
    /// The SDC record, canonical JSON, bound to `output`.
    pub(crate) record: String,
    /// Release or Refer: what is withheld is not frozen.
    pub(crate) decision: Decision,
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
    let (policy, _) = session
        .project
        .exit(ExitName::Release)
        .map_err(|problem| Refusal::Refused(vec![problem]))?;
    let prepared = prepare(core, session, ExitName::Release, sql, None, true).await?;
    let judged = judge(core, session, &prepared, &policy, &cancel).await?;
    let (judged, draft) = draft(core, session, &prepared, &policy, judged).await?;
    if let Decision::Withhold { .. } = &judged.decision {
        decided(core, session, &prepared, &judged.decision).await?;
    }
    let answer = finish(core, session, &prepared, &judged, &cancel).await?;
    let output = csv(&answer)?;
    let record = record(session, &prepared, Some(request), &policy, &judged, &output)?;
    guard.defuse();
    Ok(Frozen {
        output,
        record,
        decision: judged.decision,
        draft,
    })
}

fn csv(answer: &Answer) -> Result<Vec<u8>, Refusal> {
    let mut output = Vec::new();
    let mut writer = arrow_csv::WriterBuilder::new()
        .with_header(true)
        .build(&mut output);
    if answer.batches.is_empty() {
        let empty = arrow::record_batch::RecordBatch::new_empty(Arc::clone(&answer.schema));
        writer.write(&empty).map_err(internal)?;
    }
    for batch in &answer.batches {
        writer.write(batch).map_err(internal)?;
    }
    drop(writer);
    Ok(output)
}
