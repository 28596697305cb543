//! Moves from one state to the next: the table is asked, the entry is written, the store compares and sets.

use std::sync::Arc;

use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::ids::{ProjectId, RequestId};
use tre_core::request::{Act, NoTransition, Party, State};
use tre_home::store::{Move, Request};

use super::due::{Due, due};
use super::release::publish;
use super::{Dossier, submit};
use crate::core::Core;
use crate::projects::internal;

/// Moves a request; `note` is why, in the actor's words.
///
/// # Errors
/// `TRE-REQ-002` when the table has no such move, or somebody else moved it first.
pub(super) async fn step(
    core: &Core,
    actor: &Actor,
    request: &Request,
    (act, party): (Act, Party),
    note: &str,
) -> Result<State, Problem> {
    let from = State::from_stored(&request.state).ok_or_else(|| internal("a stored state is none"))?;
    let to = from.after(act, party).map_err(not_possible)?;
    let moved = Event::RequestMoved {
        request: request.id.clone(),
        project: request.project.clone(),
        from: from.to_string(),
        to: to.to_string(),
    };
    core.audit(actor.clone(), moved).await?;
    let step = Move {
        from: from.as_str(),
        to: to.as_str(),
        at: core.now(),
        actor: &actor.user,
        note,
    };
    if core.store.requests().transition(&request.id, &step).await? {
        Ok(to)
    } else {
        lost_race(core, actor.clone(), act).await
    }
}

/// What to say of a move that the table does not have.
pub(super) fn not_possible(error: NoTransition) -> Problem {
    let hint = if error.from.is_open() {
        codes::REQ_STATE.remedy
    } else {
        "what is over stays over; the author may submit a new request"
    };
    Problem::new(&codes::REQ_STATE, error.to_string(), hint)
}

/// The entry of a move says what was about to happen; where somebody else was first, another says that it did not.
pub(super) async fn lost_race<T>(core: &Core, actor: Actor, act: Act) -> Result<T, Problem> {
    let problem = Problem::of(
        &codes::REQ_STATE,
        format!("the request changed before `{act}` could happen"),
    );
    core.audit(
        actor,
        Event::ControlRefused {
            call: act.to_string(),
            code: problem.code.id.to_owned(),
        },
    )
    .await?;
    Err(problem)
}

/// Does whatever is due, as a consequence of what `actor` did. Others may do the same at the same time.
pub(super) async fn settle(core: &Arc<Core>, actor: &Actor, id: &RequestId) -> Result<(), Problem> {
    // Approved, then released: no request has more than two such moves before it.
    for _ in 0..2 {
        let dossier = Dossier::load(core, id).await?;
        let Some(due) = due(&dossier) else { return Ok(()) };
        let done = match due {
            Due::Vote(act, note) => step(core, actor, &dossier.request, (act, Party::Reviewer), &note)
                .await
                .map(drop),
            Due::Release(clearance) => publish(core, &dossier.request, clearance).await.map(drop),
        };
        match done {
            Err(problem) if *problem.code == codes::REQ_STATE => {}
            done => done?,
        }
    }
    Ok(())
}

/// Takes a request back. The caller is its author.
///
/// # Errors
/// `TRE-REQ-002` when it is over.
pub(crate) async fn withdraw(core: &Core, actor: &Actor, dossier: &Dossier) -> Result<(), Problem> {
    step(core, actor, &dossier.request, (Act::Withdraw, Party::Author), "")
        .await
        .map(drop)
}

/// Ends all open requests of a project. Returns how many.
///
/// # Errors
/// When store or log fail.
pub(crate) async fn lapse(
    core: &Core,
    actor: &Actor,
    project: &ProjectId,
    reason: &str,
) -> Result<u32, Problem> {
    let mut lapsed = 0;
    for request in core.store.requests().list(Some(project)).await? {
        if !State::from_stored(&request.state).is_some_and(State::is_open) {
            continue;
        }
        match step(core, actor, &request, (Act::Lapse, Party::System), reason).await {
            Ok(_) => lapsed += 1,
            Err(problem) if *problem.code == codes::REQ_STATE => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(lapsed)
}

/// Takes every open request on from where it stands: a server that starts does this once, for what a crash interrupted. A
/// request that cannot go on stays where it is, and keeps no other back.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn resume(core: &Arc<Core>) -> Result<(), Problem> {
    for request in core.store.requests().list(None).await? {
        if let Err(problem) = resume_one(core, &request).await {
            tracing::error!(request = %request.id, %problem, "a request cannot go on");
        }
    }
    Ok(())
}

async fn resume_one(core: &Arc<Core>, request: &Request) -> Result<(), Problem> {
    let state = State::from_stored(&request.state).ok_or_else(|| internal("a stored state is none"))?;
    if !state.is_open() {
        return Ok(());
    }
    let system = core.system()?;
    let project = core.project(&request.project).await?;
    if project.stored.closed.is_some() {
        lapse(core, &system, &request.project, "the project was closed")
            .await
            .map(drop)
    } else if !project.facts.in_force {
        // Nothing leaves outside of the permit's days.
        Ok(())
    } else if state == State::Submitted {
        submit::take_up(core, &project, &Dossier::load(core, &request.id).await?).await
    } else {
        settle(core, &system, &request.id).await
    }
}
