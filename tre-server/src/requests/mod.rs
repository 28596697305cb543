//! Requests for a release: frozen once, read by people, released or not.
//!
//! ```text
//! submit: freeze under the release exit ─▶ submitted ─▶ released, where policy and permit let the checker alone decide
//!                                              └─▶ in review ─ votes ─▶ approved ─▶ released
//! ```
//!
//! What may follow what stands in [`tre_core::request`] alone; every move is logged, then compares and sets the state in the
//! store, and whoever loses a race hears it. The bytes that reviewers read are those that leave: they are stored once,
//! votes name their hash, and it is computed again before they go. How many people must approve is written down when the
//! review opens and does not change with the permit.
//!
//! A crash between a vote and its consequence, or between two moves, leaves a request that [`resume`] takes on from where it
//! stands. Whether somebody may act is asked before, by [`crate::control`].

mod dossier;
mod visible;

mod clearance;
mod due;
mod moves;
mod words;

mod insight;
mod release;
mod review;
mod submit;

pub(crate) use dossier::Dossier;
pub(crate) use insight::shown as insight;
pub(crate) use moves::{lapse, resume, withdraw};
pub(crate) use release::{Fetched, fetch, find as find_release, releases};
pub(crate) use review::{Verdict, vote};
pub(crate) use submit::{Wish, submit};
pub(crate) use visible::seen;

#[cfg(test)]
mod flow;

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use tre_core::ids::RequestId;
    use tre_core::request::State;
    use tre_home::store::{Request, RequestEvent, Review};
    use tre_home::vault::sha256_hex;

    use super::Dossier;

    pub(crate) const OUTPUT: &[u8] = b"sex,n,disclosure\nF,120,\n";

    /// A request of alice's.
    pub(crate) fn request(state: State) -> Request {
        let record = "{}".to_owned();
        Request {
            id: RequestId::from_random([1; 10]),
            project: "liver-outcomes".parse().unwrap(),
            author: "alice".parse().unwrap(),
            exit: "release".to_owned(),
            title: "Table 1".to_owned(),
            context: "Baseline.".to_owned(),
            sql: "SELECT 1".to_owned(),
            state: state.to_string(),
            submitted_at: "2026-06-01T12:00:00Z".parse().unwrap(),
            output: Some(OUTPUT.to_vec()),
            output_sha256: sha256_hex(OUTPUT),
            record_sha256: sha256_hex(record.as_bytes()),
            record: Some(record),
        }
    }

    /// A vote on that request's bytes.
    pub(crate) fn vote(reviewer: &str, vote: &str) -> Review {
        Review {
            request: RequestId::from_random([1; 10]),
            reviewer: reviewer.parse().unwrap(),
            vote: vote.to_owned(),
            comment: "because".to_owned(),
            at: "2026-06-01T13:00:00Z".parse().unwrap(),
            output_sha256: sha256_hex(OUTPUT),
        }
    }

    /// The request with votes; `needed` reviewers were asked for.
    pub(crate) fn dossier(state: State, votes: Vec<Review>, needed: u8) -> Dossier {
        let opened = RequestEvent {
            at: "2026-06-01T12:00:01Z".parse().unwrap(),
            actor: "tre:system".parse().unwrap(),
            from: State::Submitted.to_string(),
            to: State::InReview.to_string(),
            note: super::dossier::needs(needed),
        };
        Dossier::new(request(state), votes, vec![opened], None).unwrap()
    }
}
