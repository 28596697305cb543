//! The step between treatment and the way out: an answer is compared with everything that has left, and remembered
//! before it leaves.

use std::sync::Arc;

use output_checker::Decision;
use output_checker::ledger::{Asked, Compared, Head, compare};
use tre_core::codes::{self, Problem};
use tre_core::ledger::Answer;
use tre_core::permit::ExitName;
use tre_core::policy::Policy;
use tre_home::store::Draft;

use super::prepare::Prepared;
use super::run::Judged;
use super::{Refusal, withheld};
use crate::core::Core;
use crate::ledger::{Entered, sketchers};
use crate::sessions::Session;

/// Compares a judged answer and appends it: from here on it counts as having left, whatever becomes of it. What is
/// referred has not left; that it was refused is appended where that depends on data.
///
/// # Errors
/// [`Refusal::Withheld`] when the ledger cannot be read or written.
pub(super) async fn remember(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    policy: &Policy,
    judged: Judged,
) -> Result<Judged, Refusal> {
    if !policy.rules().ledger.keep || prepared.frontiers.is_empty() {
        return Ok(judged);
    }
    let compared = compared(core, session, prepared, policy, ExitName::View, judged).await?;
    let (mut entered, judged, compared) = compared;
    let appended = match judged.decision {
        Decision::Release => Some(compared.answer),
        Decision::Refer { .. } | Decision::Withhold { .. } => compared.refusal(),
    };
    if let Some(answer) = appended {
        entered.append(core, &answer).await.map_err(withheld)?;
    }
    Ok(judged)
}

/// Compares an answer that is to be frozen. What is to be remembered when it leaves comes back as a draft; `None` where
/// the policy keeps no ledger.
///
/// # Errors
/// [`Refusal::Withheld`] when the ledger cannot be read or written.
pub(super) async fn draft(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    policy: &Policy,
    judged: Judged,
) -> Result<(Judged, Option<Draft>), Refusal> {
    if !policy.rules().ledger.keep {
        return Ok((judged, None));
    }
    let compared = compared(core, session, prepared, policy, ExitName::Release, judged).await?;
    let (mut entered, judged, compared) = compared;
    if let Some(refusal) = compared.refusal() {
        entered.append(core, &refusal).await.map_err(withheld)?;
    }
    let draft = Draft {
        seen: entered.ledger().map_err(withheld)?.answers(),
        // The refusal is counted already.
        answer: Answer {
            refused: false,
            ..compared.answer
        },
    };
    Ok((judged, Some(draft)))
}

/// Enters the ledger and compares. Cells, checks and decision of `judged` are what the ledger made of them.
async fn compared(
    core: &Arc<Core>,
    session: &Arc<Session>,
    prepared: &Prepared,
    policy: &Policy,
    exit: ExitName,
    mut judged: Judged,
) -> Result<(Entered, Judged, Compared), Refusal> {
    let entered = core.book.enter(core).await.map_err(withheld)?;
    let head = Head {
        query: prepared.query.clone(),
        project: session.project.stored.id.clone(),
        user: session.caller.user.clone(),
        exit,
        at: core.now(),
    };
    let populations = prepared.frontiers.iter().map(|(_, lineage)| &lineage.population);
    let sketchers = match policy.rules().sketch() {
        Some(shape) => sketchers(core, populations, shape),
        None => return Err(withheld(broken("the policy keeps no ledger"))),
    };
    let (session, prepared, policy) = (Arc::clone(session), prepared.clone(), policy.clone());
    let comparing = tokio::task::spawn_blocking(move || {
        let checked = std::mem::take(&mut judged.checked);
        let parts = prepared.frontiers.iter().zip(&judged.cells).zip(checked);
        let asked = parts.map(|(((frontier, lineage), cells), checked)| Asked {
            frontier,
            lineage,
            cells,
            checked,
        });
        let grant = &session.project.grant;
        let mut compared = compare(
            entered.ledger()?,
            &sketchers,
            head,
            asked.collect(),
            grant,
            &policy,
        )?;
        judged.checked = std::mem::take(&mut compared.checked);
        for checked in &judged.checked {
            judged.decision = judged.decision.and(checked.decision.clone());
        }
        Ok((entered, judged, compared))
    });
    let done = comparing
        .await
        .unwrap_or_else(|error| Err(broken(&error.to_string())));
    done.map_err(withheld)
}

fn broken(what: &str) -> Problem {
    tracing::error!(what, "an answer could not be compared with the ledger");
    Problem::of(&codes::SDC_LEDGER, codes::SDC_LEDGER.title)
}
