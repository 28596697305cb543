//! Who sees what of a review.
//!
//! Two people who know of each other's vote are not independent: while a review runs, a checker sees votes, and how many
//! there are, only after casting their own. The author sees how far it is, and votes with their comments when it is over.

use tre_core::ids::UserName;
use tre_home::store::Review;

use super::Dossier;
use super::clearance::APPROVE;

/// What of a review somebody may see.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen<'d> {
    pub(crate) votes: &'d [Review],
    pub(crate) approvals: u32,
}

/// What `viewer`, who may see the request, sees of its review.
pub(crate) fn seen<'d>(dossier: &'d Dossier, viewer: &UserName) -> Seen<'d> {
    let votes = &dossier.votes;
    let given = votes.iter().filter(|vote| vote.vote == APPROVE).count();
    let given = u32::try_from(given).unwrap_or(u32::MAX);
    let voted = votes.iter().any(|vote| &vote.reviewer == viewer);
    if voted || !dossier.state.is_open() {
        Seen {
            votes,
            approvals: given,
        }
    } else if &dossier.request.author == viewer {
        Seen {
            votes: &[],
            approvals: given,
        }
    } else {
        Seen {
            votes: &[],
            approvals: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use tre_core::request::State;

    use super::super::tests::{dossier, vote};
    use super::*;

    /// Number of votes and of approvals that somebody sees.
    fn sees(who: &str, state: State) -> (usize, u32) {
        let dossier = dossier(state, vec![vote("bo", "approve")], 2);
        let seen = seen(&dossier, &who.parse().unwrap());
        (seen.votes.len(), seen.approvals)
    }

    #[test]
    fn a_review_that_runs_is_blind_for_those_who_have_not_voted() {
        assert_eq!(sees("cy", State::InReview), (0, 0));
        assert_eq!(sees("bo", State::InReview), (1, 1));
        assert_eq!(sees("alice", State::InReview), (0, 1));
    }

    #[test]
    fn what_is_over_is_open_to_author_and_checkers() {
        for who in ["alice", "bo", "cy"] {
            for state in [
                State::Returned,
                State::Rejected,
                State::Released,
                State::Lapsed,
                State::Withdrawn,
            ] {
                assert_eq!(sees(who, state), (1, 1), "{who} {state}");
            }
        }
    }
}
