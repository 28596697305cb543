//! What an author can do now, in words: with one request, and with those that a list leaves out.

use std::collections::BTreeMap;

use tre_core::request::State;
use tre_proto::v1;

use super::RequestRow;

/// Whether something can still come of a request without its author.
pub(super) fn is_open(state: &str) -> bool {
    State::from_stored(state).is_none_or(State::is_open)
}

/// Requests that a list leaves out, by what became of them: `2 more are over (1 returned, 1 released); --all lists them`.
pub(super) fn left_out(over: &[v1::Request]) -> Option<String> {
    let mut by_state: BTreeMap<&str, usize> = BTreeMap::new();
    for request in over {
        *by_state.entry(&request.state).or_default() += 1;
    }
    let words: Vec<String> = by_state.iter().map(|(state, n)| format!("{n} {state}")).collect();
    let verb = if over.len() == 1 { "is" } else { "are" };
    (!over.is_empty()).then(|| {
        format!(
            "{} more {verb} over ({}); --all lists them",
            over.len(),
            words.join(", ")
        )
    })
}

/// What the author can do now.
pub(super) fn next_step(request: &RequestRow) -> String {
    let (id, left) = (&request.id, request.reviewers.saturating_sub(request.approvals));
    if let Some(release) = &request.release {
        return format!("released: fetch it with `tre release fetch {release}`");
    }
    match State::from_stored(&request.state) {
        Some(State::Returned) => {
            "returned: nothing more comes of this request. Read the comments, and submit a new one with \
                                  `tre request submit`"
                .to_owned()
        }
        Some(State::Rejected) => {
            "rejected: nothing more comes of this request; the comments say why".to_owned()
        }
        Some(State::Withdrawn | State::Lapsed) => {
            "nothing more comes of this request; submit a new one with `tre request submit`".to_owned()
        }
        Some(State::Submitted | State::InReview | State::Approved | State::Released) | None => {
            let people = if left == 1 { "checker" } else { "checkers" };
            let more = if request.approvals > 0 { "more " } else { "" };
            format!("{left} {more}{people} must approve it; `tre request show {id}` follows it")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_hears_what_comes_next() {
        let request = |state: &str, approvals| {
            RequestRow::from(v1::Request {
                id: "req_x".to_owned(),
                state: state.to_owned(),
                reviewers: 2,
                approvals,
                ..v1::Request::default()
            })
        };
        for (state, approvals, expected) in [
            ("in-review", 0, "2 checkers must approve it"),
            ("in-review", 1, "1 more checker must approve it"),
            ("returned", 0, "submit a new one with `tre request submit`"),
            ("rejected", 1, "the comments say why"),
            ("lapsed", 0, "submit a new one"),
        ] {
            let said = next_step(&request(state, approvals));
            assert!(said.contains(expected), "{state}: {said}");
        }
    }

    #[test]
    fn what_a_list_leaves_out_is_counted() {
        let over = |states: &[&str]| {
            let all: Vec<v1::Request> = states
                .iter()
                .map(|state| v1::Request {
                    state: (*state).to_owned(),
                    ..v1::Request::default()
                })
                .collect();
            left_out(&all)
        };
        assert_eq!(over(&[]), None);
        assert_eq!(
            over(&["returned"]),
            Some("1 more is over (1 returned); --all lists them".to_owned())
        );
        assert_eq!(
            over(&["returned", "released", "returned"]),
            Some("3 more are over (1 released, 2 returned); --all lists them".to_owned())
        );
    }
}
