//! A checker's vote.

use std::sync::Arc;

use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::request::{Act, Party};
use tre_home::store::Review;

use super::Dossier;
use super::moves::{not_possible, settle};
use super::words;
use crate::core::Core;

/// What a checker says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approve,
    Return,
    Reject,
}

impl Verdict {
    fn act(self) -> Act {
        match self {
            Verdict::Approve => Act::Approve,
            Verdict::Return => Act::Return,
            Verdict::Reject => Act::Reject,
        }
    }
}

/// Casts a vote on the bytes of a request, and does what follows from it. The access policies have said that the voter is
/// another person than the author, a checker of the project, and has not voted; the store holds all of it once more.
///
/// # Errors
/// `TRE-REQ-003` for a comment that is missing or too long, `TRE-REQ-002` when the request is not in review,
/// `TRE-REQ-004` for a second vote.
pub(crate) async fn vote(
    core: &Arc<Core>,
    actor: Actor,
    dossier: &Dossier,
    verdict: Verdict,
    comment: &str,
) -> Result<(), Problem> {
    words::comment(comment, verdict != Verdict::Approve)?;
    let request = &dossier.request;
    dossier
        .state
        .after(verdict.act(), Party::Reviewer)
        .map_err(not_possible)?;
    let review = Review {
        request: request.id.clone(),
        reviewer: actor.user.clone(),
        vote: verdict.act().to_string(),
        comment: comment.to_owned(),
        at: core.now(),
        output_sha256: request.output_sha256.clone(),
    };
    let event = Event::ReviewVoted {
        request: request.id.clone(),
        project: request.project.clone(),
        vote: review.vote.clone(),
        output_sha256: review.output_sha256.clone(),
    };
    core.audit(actor.clone(), event).await?;
    if !core.store.reviews().vote(&review, dossier.state.as_str()).await? {
        return not_counted(core, actor, &review).await;
    }
    settle(core, &actor, &request.id).await
}

/// Why the store did not take a vote, in the log too.
async fn not_counted(core: &Core, actor: Actor, review: &Review) -> Result<(), Problem> {
    let votes = core.store.reviews().of(&review.request).await?;
    let problem = if votes.iter().any(|vote| vote.reviewer == review.reviewer) {
        Problem::of(
            &codes::REQ_VOTED,
            format!("`{}` has voted on this request", review.reviewer),
        )
    } else {
        Problem::of(&codes::REQ_STATE, "the request left the review before your vote")
    };
    core.audit(
        actor,
        Event::ControlRefused {
            call: review.vote.clone(),
            code: problem.code.id.to_owned(),
        },
    )
    .await?;
    Err(problem)
}
