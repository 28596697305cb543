//! The life of a request: its states, and the one table of who may move it from which state to which.
//!
//! ```text
//! submitted ──open review──▶ in review ──last approval──▶ approved ──release──▶ released
//!     │                        │   └──approve: in review      (submitted ──release──▶ released, where the
//!     │                        ├──return──▶ returned           policy lets the checker alone decide)
//!     │                        └──reject──▶ rejected
//! submitted, in review, approved, returned ──withdraw──▶ withdrawn
//! submitted, in review, approved ──lapse──▶ lapsed: the project was closed or its permit ended
//! ```
//!
//! A request freezes bytes, so one that was returned is over: its author submits another. Whether *this person* may act
//! for a party (nobody reviews their own request, nobody votes twice) is for the access policies to say.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its bytes are frozen and judged; nothing else has happened.
    Submitted,
    /// Waits for reviewers.
    InReview,
    /// Enough reviewers approved; the release is about to happen.
    Approved,
    /// Its bytes have left.
    Released,
    /// A reviewer sent it back with a comment.
    Returned,
    /// A reviewer refused it.
    Rejected,
    /// Its author took it back.
    Withdrawn,
    /// Its project ended first.
    Lapsed,
}

/// Who owns a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The analyst who asked.
    Author,
    /// Another person of the project with the role checker.
    Reviewer,
    /// The server, by rule.
    System,
}

/// What can be done to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Puts it before reviewers.
    OpenReview,
    /// An approval after which more are needed.
    Approve,
    /// The approval that completes the number.
    ApproveLast,
    /// Sends it back with a comment.
    Return,
    /// Refuses it.
    Reject,
    /// Lets the bytes leave.
    Release,
    /// Takes it back.
    Withdraw,
    /// Ends it with its project.
    Lapse,
}

/// The one table: from, act, by, to. What is not here cannot happen.
const TRANSITIONS: [(State, Act, Party, State); 14] = [
    (State::Submitted, Act::OpenReview, Party::System, State::InReview),
    (State::Submitted, Act::Release, Party::System, State::Released),
    (State::Submitted, Act::Withdraw, Party::Author, State::Withdrawn),
    (State::Submitted, Act::Lapse, Party::System, State::Lapsed),
    (State::InReview, Act::Approve, Party::Reviewer, State::InReview),
    (
        State::InReview,
        Act::ApproveLast,
        Party::Reviewer,
        State::Approved,
    ),
    (State::InReview, Act::Return, Party::Reviewer, State::Returned),
    (State::InReview, Act::Reject, Party::Reviewer, State::Rejected),
    (State::InReview, Act::Withdraw, Party::Author, State::Withdrawn),
    (State::InReview, Act::Lapse, Party::System, State::Lapsed),
    (State::Approved, Act::Release, Party::System, State::Released),
    (State::Approved, Act::Withdraw, Party::Author, State::Withdrawn),
    (State::Approved, Act::Lapse, Party::System, State::Lapsed),
    // The author may take a returned request off the list.
    (State::Returned, Act::Withdraw, Party::Author, State::Withdrawn),
];

/// A move that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {from} cannot be changed by `{act}`")]
pub struct NoTransition {
    /// The state.
    pub from: State,
    /// What was tried.
    pub act: Act,
}

impl State {
    /// All states.
    pub const ALL: [State; 8] = [
        State::Submitted,
        State::InReview,
        State::Approved,
        State::Released,
        State::Returned,
        State::Rejected,
        State::Withdrawn,
        State::Lapsed,
    ];

    /// The state after `act` by `party`.
    ///
    /// # Errors
    /// [`NoTransition`] unless the table has exactly this move.
    pub fn after(self, act: Act, party: Party) -> Result<State, NoTransition> {
        TRANSITIONS
            .iter()
            .find(|(from, what, by, _)| (*from, *what, *by) == (self, act, party))
            .map(|(_, _, _, to)| *to)
            .ok_or(NoTransition { from: self, act })
    }

    /// Whether anybody can still let its bytes leave.
    pub fn is_open(self) -> bool {
        matches!(self, State::Submitted | State::InReview | State::Approved)
    }

    /// The state as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Submitted => "submitted",
            State::InReview => "in-review",
            State::Approved => "approved",
            State::Released => "released",
            State::Returned => "returned",
            State::Rejected => "rejected",
            State::Withdrawn => "withdrawn",
            State::Lapsed => "lapsed",
        }
    }

    /// Reads a stored state; `None` for any other text.
    pub fn from_stored(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl Act {
    /// All acts.
    pub const ALL: [Act; 8] = [
        Act::OpenReview,
        Act::Approve,
        Act::ApproveLast,
        Act::Return,
        Act::Reject,
        Act::Release,
        Act::Withdraw,
        Act::Lapse,
    ];

    /// The act in a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Act::OpenReview => "open-review",
            Act::Approve | Act::ApproveLast => "approve",
            Act::Return => "return",
            Act::Reject => "reject",
            Act::Release => "release",
            Act::Withdraw => "withdraw",
            Act::Lapse => "lapse",
        }
    }
}

/// The approval with which a request that needs `needed` distinct reviewers, of whom `given` have approved, is left.
pub fn approval(given: usize, needed: usize) -> Act {
    if given.saturating_add(1) >= needed {
        Act::ApproveLast
    } else {
        Act::Approve
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const PARTIES: [Party; 3] = [Party::Author, Party::Reviewer, Party::System];

    fn moves() -> impl Iterator<Item = (State, Act, Party, State)> {
        State::ALL.into_iter().flat_map(|from| {
            Act::ALL.into_iter().flat_map(move |act| {
                PARTIES
                    .into_iter()
                    .filter_map(move |party| Some((from, act, party, from.after(act, party).ok()?)))
            })
        })
    }

    #[test]
    fn of_192_combinations_exactly_the_table_moves() {
        assert_eq!(moves().count(), TRANSITIONS.len());
        assert!(moves().all(|found| TRANSITIONS.contains(&found)));
    }

    #[test]
    fn every_act_belongs_to_one_party() {
        for act in Act::ALL {
            let owners: Vec<Party> = PARTIES
                .into_iter()
                .filter(|p| moves().any(|m| m.1 == act && m.2 == *p))
                .collect();
            assert_eq!(owners.len(), 1, "{act:?}");
        }
    }

    #[test]
    fn bytes_leave_only_from_judged_or_approved_requests_and_stay_left() {
        let into: Vec<State> = moves().filter(|m| m.3 == State::Released).map(|m| m.0).collect();
        assert_eq!(into, [State::Submitted, State::Approved]);
        assert!(moves().all(|m| m.0 != State::Released));
        assert!(
            moves()
                .filter(|m| m.3 == State::Approved)
                .all(|m| m.1 == Act::ApproveLast && m.2 == Party::Reviewer)
        );
        for state in State::ALL {
            let can_still_leave = moves().any(|m| m.0 == state && m.3.is_open()) || state == State::Approved;
            assert_eq!(state.is_open(), can_still_leave, "{state}");
        }
    }

    #[test]
    fn the_last_approval_is_the_one_that_completes_the_number() {
        assert_eq!(approval(0, 1), Act::ApproveLast);
        assert_eq!(approval(0, 2), Act::Approve);
        assert_eq!(approval(1, 2), Act::ApproveLast);
        assert_eq!(approval(5, 2), Act::ApproveLast);
    }

    #[test]
    fn states_are_stored_as_they_are_shown() {
        for state in State::ALL {
            assert_eq!(State::from_stored(state.as_str()).unwrap(), state);
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
        assert!(State::from_stored("Released").is_none());
    }
}
