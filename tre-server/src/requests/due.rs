//! What is due in a request, from its state and votes alone.

use tre_core::request::{Act, State, approval};

use super::Dossier;
use super::clearance::{APPROVE, Clearance};

/// The next thing to happen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A reviewer's vote decides; the note is their comment.
    Vote(Act, String),
    /// Its bytes leave.
    Release(Clearance),
}

/// What is due; none when the next move is a person's. One vote against ends a review, however many are for it.
pub(super) fn due(dossier: &Dossier) -> Option<Due> {
    let needed = dossier.needed?;
    match dossier.state {
        State::InReview => {
            let against = dossier
                .votes
                .iter()
                .find_map(|vote| Some((act_against(&vote.vote)?, &vote.comment)));
            if let Some((act, comment)) = against {
                return Some(Due::Vote(act, comment.clone()));
            }
            let given = dossier.votes.iter().filter(|vote| vote.vote == APPROVE).count();
            let last = given > 0 && approval(given - 1, needed.into()) == Act::ApproveLast;
            last.then(|| Due::Vote(Act::ApproveLast, String::new()))
        }
        State::Approved => {
            Clearance::by_votes(&dossier.request, dossier.state, &dossier.votes, needed).map(Due::Release)
        }
        State::Submitted
        | State::Released
        | State::Returned
        | State::Rejected
        | State::Withdrawn
        | State::Lapsed => None,
    }
}

fn act_against(vote: &str) -> Option<Act> {
    [Act::Return, Act::Reject]
        .into_iter()
        .find(|act| act.as_str() == vote)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{dossier, vote};
    use super::*;

    fn after(votes: &[(&str, &str)], needed: u8) -> Option<Due> {
        let votes = votes.iter().map(|(who, what)| vote(who, what)).collect();
        due(&dossier(State::InReview, votes, needed))
    }

    #[test]
    fn a_review_goes_on_until_enough_approve_or_one_does_not() {
        let approved = Some(Due::Vote(Act::ApproveLast, String::new()));
        assert_eq!(after(&[], 2), None);
        assert_eq!(after(&[("bo", "approve")], 2), None);
        assert_eq!(after(&[("bo", "approve")], 1), approved);
        assert_eq!(after(&[("bo", "approve"), ("cy", "approve")], 2), approved);
        let returned = Some(Due::Vote(Act::Return, "because".to_owned()));
        assert_eq!(after(&[("bo", "return")], 2), returned);
        let rejected = Some(Due::Vote(Act::Reject, "because".to_owned()));
        assert_eq!(
            after(&[("bo", "approve"), ("cy", "approve"), ("di", "reject")], 2),
            rejected
        );
    }

    #[test]
    fn what_is_approved_is_released_and_what_is_over_stays() {
        let votes = || vec![vote("bo", "approve"), vote("cy", "approve")];
        assert!(matches!(
            due(&dossier(State::Approved, votes(), 2)),
            Some(Due::Release(_))
        ));
        assert_eq!(
            due(&dossier(State::Approved, votes(), 3)),
            None,
            "a clearance is never guessed"
        );
        for state in [
            State::Released,
            State::Returned,
            State::Rejected,
            State::Withdrawn,
            State::Lapsed,
        ] {
            assert_eq!(due(&dossier(state, votes(), 2)), None, "{state}");
        }
    }
}
