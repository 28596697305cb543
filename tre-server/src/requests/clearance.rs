//! That a request's bytes may leave: a value that only enough votes on exactly these bytes make, or, where policy and
//! permit allow it, the checker's decision alone. Without it nothing can be published.

use output_checker::record::Outcome;
use tre_core::ids::{RequestId, UserName};
use tre_core::policy::Policy;
use tre_core::request::State;
use tre_home::store::{Request, Review};

/// How a vote for the release is stored.
pub(super) const APPROVE: &str = "approve";

/// Says that these bytes of this request may leave, from this state.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Clearance {
    request: RequestId,
    output_sha256: String,
    from: State,
    reviewers: Vec<UserName>,
}

impl Clearance {
    /// By people: the request is approved, and at least `needed` distinct people other than its author approved exactly its
    /// bytes, and nobody voted otherwise.
    pub(super) fn by_votes(request: &Request, state: State, votes: &[Review], needed: u8) -> Option<Self> {
        let good = |vote: &Review| {
            vote.request == request.id
                && vote.vote == APPROVE
                && vote.reviewer != request.author
                && vote.output_sha256 == request.output_sha256
        };
        let mut reviewers: Vec<UserName> = votes.iter().map(|vote| vote.reviewer.clone()).collect();
        reviewers.sort();
        reviewers.dedup();
        let enough = needed > 0 && reviewers.len() >= usize::from(needed);
        (state == State::Approved && enough && votes.iter().all(good))
            .then(|| Clearance::of(request, State::Approved, reviewers))
    }

    /// By rule: the checker decided to release, the permit asks for no reviewer, and the policy does not demand one.
    pub(super) fn by_rule(
        request: &Request,
        state: State,
        decision: Outcome,
        policy: &Policy,
        reviewers: u8,
    ) -> Option<Self> {
        let alone = reviewers == 0 && policy.check_release(0).is_ok();
        (state == State::Submitted && decision == Outcome::Release && alone)
            .then(|| Clearance::of(request, State::Submitted, Vec::new()))
    }

    fn of(request: &Request, from: State, reviewers: Vec<UserName>) -> Self {
        let (id, output_sha256) = (request.id.clone(), request.output_sha256.clone());
        Clearance {
            request: id,
            output_sha256,
            from,
            reviewers,
        }
    }

    /// Whether it is about this request and these bytes.
    pub(super) fn covers(&self, request: &Request) -> bool {
        self.request == request.id && self.output_sha256 == request.output_sha256
    }

    /// The state from which the release happens.
    pub(super) fn from(&self) -> State {
        self.from
    }

    /// Who approved.
    pub(super) fn reviewers(&self) -> &[UserName] {
        &self.reviewers
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::tests::{request, vote};
    use super::*;

    fn cleared(votes: &[Review], needed: u8) -> bool {
        let request = request(State::Approved);
        Clearance::by_votes(&request, State::Approved, votes, needed).is_some_and(|c| c.covers(&request))
    }

    #[test]
    fn enough_distinct_other_people_on_these_bytes_clear_a_release_and_nothing_less() {
        let (bo, cy) = (vote("bo", "approve"), vote("cy", "approve"));
        assert!(cleared(&[bo.clone(), cy.clone()], 2));
        assert!(cleared(&[bo.clone(), cy.clone()], 1));
        assert!(!cleared(std::slice::from_ref(&bo), 2), "too few");
        assert!(!cleared(&[bo.clone(), bo.clone()], 2), "one person twice");
        assert!(!cleared(&[bo.clone(), vote("alice", "approve")], 2), "the author");
        assert!(
            !cleared(&[bo.clone(), cy.clone(), vote("di", "reject")], 2),
            "a vote against"
        );
        assert!(!cleared(&[], 0), "people cannot be none");
        let other_bytes = Review {
            output_sha256: "00".repeat(32),
            ..cy.clone()
        };
        assert!(!cleared(&[bo.clone(), other_bytes], 2), "other bytes");
        let in_review = request(State::InReview);
        assert!(
            Clearance::by_votes(&in_review, State::InReview, &[bo, cy], 2).is_none(),
            "not approved yet"
        );
    }

    #[test]
    fn a_rule_clears_only_what_was_judged_releasable_where_policy_and_permit_need_nobody() {
        let ndb = include_str!("../../../policies/sdc/ndb.toml");
        let automatic = ndb.replace("reviewers = 2", "reviewers = 0");
        let policy = |text: &str| Policy::parse(&"ndb".parse().unwrap(), text).unwrap();
        let (strict, open) = (policy(ndb), policy(&automatic));
        let cleared = |state, decision, policy: &Policy, reviewers| {
            Clearance::by_rule(&request(state), state, decision, policy, reviewers).is_some()
        };
        assert!(cleared(State::Submitted, Outcome::Release, &open, 0));
        assert!(
            !cleared(State::Submitted, Outcome::Release, &open, 1),
            "the permit asks for people"
        );
        assert!(
            !cleared(State::Submitted, Outcome::Release, &strict, 0),
            "the policy asks for people"
        );
        assert!(!cleared(State::Submitted, Outcome::Refer, &open, 0), "referred");
        assert!(
            !cleared(State::Submitted, Outcome::Withhold, &open, 0),
            "withheld"
        );
        assert!(!cleared(State::InReview, Outcome::Release, &open, 0), "in review");
    }
}
