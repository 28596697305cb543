//! From SQL to a frozen request.

use std::sync::Arc;

use output_checker::record::{Outcome, SdcRecord};
use tre_core::audit::Event;
use tre_core::codes::{self, Problem};
use tre_core::ids::{RequestId, UserName};
use tre_core::permit::{ExitName, Role};
use tre_core::policy::Policy;
use tre_core::request::{Act, Party, State};
use tre_home::store::Request;
use tre_home::vault::sha256_hex;

use super::clearance::Clearance;
use super::dossier::{Dossier, needs};
use super::insight;
use super::moves::step;
use super::release::publish;
use super::words;
use crate::core::{Core, Project};
use crate::fault::Fault;
use crate::identity::Caller;
use crate::ledger::unavailable;
use crate::pipeline::{self, Frozen};
use crate::projects::internal;
use crate::sessions::{Session, Sessions};

/// Open requests that a project may have at once.
const MOST_OPEN: usize = 100;

/// What an analyst wants released.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) sql: String,
    pub(crate) title: String,
    pub(crate) context: String,
}

/// Runs a query through the release exit, freezes what it would let out, and puts it before reviewers, or releases it where
/// permit and policy let the checker alone decide.
///
/// # Errors
/// `TRE-REQ` codes for texts that are missing, too few possible reviewers and too many open requests; refusals of the
/// query; [`Fault::Withheld`] when the checker lets nothing out.
pub(crate) async fn submit(core: &Arc<Core>, caller: &Caller, wish: Wish) -> Result<RequestId, Fault> {
    words::title(&wish.title)?;
    words::context(&wish.context)?;
    let session = Sessions::of(core, caller).await?;
    let (policy, reviewers) = session.project.exit(ExitName::Release)?;
    let others = possible_reviewers(&session.project, &caller.user);
    enough(others, reviewers)?;
    few_enough(core, &session.project).await?;
    let id = RequestId::from_random(core.random()?);
    let frozen = pipeline::freeze(core, &session, &wish.sql, &id).await?;
    if let output_checker::Decision::Withhold { reasons } = frozen.decision {
        return Err(Fault::Withheld(reasons, frozen.rewrites));
    }
    if let output_checker::Decision::Refer { reasons } = &frozen.decision
        && others == 0
    {
        return Err(Fault::Referred(reasons.clone(), frozen.rewrites));
    }
    let request = keep(core, caller, &session, wish, id.clone(), frozen).await?;
    open(core, &request, &policy, reviewers).await?;
    Ok(id)
}

/// Takes a request up that was stored and no more.
///
/// # Errors
/// When the permit has no release exit any more, or store or log fail.
pub(super) async fn take_up(core: &Arc<Core>, project: &Project, dossier: &Dossier) -> Result<(), Problem> {
    let (policy, reviewers) = project.exit(ExitName::Release)?;
    open(core, &dossier.request, &policy, reviewers).await
}

/// Releases, or puts before reviewers: at least one where the checker referred.
async fn open(core: &Arc<Core>, request: &Request, policy: &Policy, reviewers: u8) -> Result<(), Problem> {
    let decision = decided(request)?;
    if let Some(clearance) = Clearance::by_rule(request, State::Submitted, decision, policy, reviewers) {
        return publish(core, request, clearance).await.map(drop);
    }
    let note = needs(reviewers.max(1));
    step(
        core,
        &core.system()?,
        request,
        (Act::OpenReview, Party::System),
        &note,
    )
    .await
    .map(drop)
}

/// The decision as the record has it: the record is what the bytes are bound to.
fn decided(request: &Request) -> Result<Outcome, Problem> {
    let record = request
        .record
        .as_deref()
        .and_then(|json| serde_json::from_str::<SdcRecord>(json).ok());
    record
        .map(|record| record.decision.outcome)
        .ok_or_else(|| internal("a request has no readable record"))
}

/// Logs and stores a new request.
async fn keep(
    core: &Arc<Core>,
    caller: &Caller,
    session: &Session,
    wish: Wish,
    id: RequestId,
    frozen: Frozen,
) -> Result<Request, Problem> {
    let request = Request {
        id,
        project: session.project.stored.id.clone(),
        author: caller.user.clone(),
        exit: ExitName::Release.to_string(),
        title: wish.title,
        context: wish.context,
        sql: wish.sql,
        state: State::Submitted.to_string(),
        submitted_at: core.now(),
        output_sha256: sha256_hex(&frozen.output),
        output: Some(frozen.output.clone()),
        record_sha256: sha256_hex(frozen.record.as_bytes()),
        record: Some(frozen.record.clone()),
    };
    let event = Event::RequestSubmitted {
        request: request.id.clone(),
        project: request.project.clone(),
        exit: request.exit.clone(),
        sql_sha256: sha256_hex(request.sql.as_bytes()),
        output_sha256: request.output_sha256.clone(),
        record_sha256: request.record_sha256.clone(),
    };
    core.audit(core.actor(caller, Some(&session.id)), event).await?;
    insight::keep(core, caller, session, &request.id, &frozen).await?;
    if let Some(draft) = &frozen.draft {
        let (ledger, vault) = (core.store.ledger(), core.home.vault());
        let kept = ledger.keep_draft(vault, &request.id, &request.project, draft);
        kept.await.map_err(unavailable)?;
    }
    if core.store.requests().submit(&request).await? {
        Ok(request)
    } else {
        let what = format!("the project `{}` is closed", request.project);
        Err(Problem::of(&codes::PRJ_CLOSED, what))
    }
}

/// How many people of the permit could review what `author` asks for.
fn possible_reviewers(project: &Project, author: &UserName) -> usize {
    project
        .permit
        .people_with(Role::Checker)
        .filter(|user| *user != author)
        .count()
}

/// Said before anything runs: a request that nobody could ever approve is of no use.
fn enough(others: usize, reviewers: u8) -> Result<(), Problem> {
    if others >= usize::from(reviewers) {
        return Ok(());
    }
    let what = format!("a release needs {reviewers} reviewers other than you, and the permit names {others}");
    Err(Problem::of(&codes::REQ_NO_EXIT, what))
}

async fn few_enough(core: &Core, project: &Project) -> Result<(), Problem> {
    let requests = core.store.requests().list(Some(&project.stored.id)).await?;
    let open = requests
        .iter()
        .filter(|r| State::from_stored(&r.state).is_some_and(State::is_open))
        .count();
    if open < MOST_OPEN {
        return Ok(());
    }
    Err(Problem::of(
        &codes::REQ_TOO_MANY,
        format!("{open} requests of this project are open"),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::tests::request;
    use super::*;

    #[test]
    fn a_request_that_nobody_could_approve_is_refused_before_it_runs() {
        assert!(enough(2, 2).is_ok() && enough(0, 0).is_ok());
        let problem = enough(1, 2).unwrap_err();
        assert_eq!(problem.code.id, "TRE-REQ-005");
        assert!(
            problem
                .what
                .contains("needs 2 reviewers other than you, and the permit names 1")
        );
    }

    #[test]
    fn without_a_readable_record_there_is_no_decision() {
        assert!(decided(&request(State::Submitted)).is_err());
        let destroyed = Request {
            record: None,
            ..request(State::Submitted)
        };
        assert!(decided(&destroyed).is_err());
    }
}
