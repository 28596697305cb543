//! A request with everything that belongs to it.

use jiff::Timestamp;
use output_checker::record::SdcRecord;
use tre_core::codes::{self, Problem};
use tre_core::ids::{ProjectId, ReleaseId, RequestId, UserName};
use tre_core::request::State;
use tre_home::store::{Request, RequestEvent, Review};

use crate::core::Core;
use crate::projects::internal;

/// A request, its votes and what happened to it.
#[derive(Debug, Clone)]
pub(crate) struct Dossier {
    pub(crate) request: Request,
    pub(crate) state: State,
    /// In the order in which they were cast.
    pub(crate) votes: Vec<Review>,
    pub(crate) events: Vec<RequestEvent>,
    /// Distinct people who must approve, as written down when the review opened; none before.
    pub(crate) needed: Option<u8>,
    pub(crate) release: Option<ReleaseId>,
}

/// What is written down when a review opens, in the event of that move.
const NEEDS: &str = "approvals needed: ";

/// The note of the event that opens a review.
pub(super) fn needs(reviewers: u8) -> String {
    format!("{NEEDS}{reviewers}")
}

fn needed(events: &[RequestEvent]) -> Option<u8> {
    let opened = events.iter().find(|event| event.to == State::InReview.as_str())?;
    opened.note.strip_prefix(NEEDS)?.parse().ok()
}

impl Dossier {
    /// A request with all that belongs to it.
    ///
    /// # Errors
    /// `TRE-REQ-001` when there is none.
    pub(crate) async fn load(core: &Core, id: &RequestId) -> Result<Dossier, Problem> {
        let request = core
            .store
            .requests()
            .get(id)
            .await?
            .ok_or_else(|| unknown(id.as_str()))?;
        let votes = core.store.reviews().of(id).await?;
        let events = core.store.requests().events(id).await?;
        let release = match State::from_stored(&request.state) {
            Some(State::Released) => release_of(core, &request).await?,
            Some(_) | None => None,
        };
        Dossier::new(request, votes, events, release)
    }

    /// Puts together what was stored.
    ///
    /// # Errors
    /// When the parts contradict each other.
    pub(super) fn new(
        request: Request,
        votes: Vec<Review>,
        events: Vec<RequestEvent>,
        release: Option<ReleaseId>,
    ) -> Result<Dossier, Problem> {
        let damaged = |what: &str| internal(format!("request {}: {what}", request.id));
        let state = State::from_stored(&request.state).ok_or_else(|| damaged("its state is none"))?;
        let needed = needed(&events);
        if state == State::InReview && needed.is_none_or(|needed| needed == 0) {
            return Err(damaged("it does not say how many must approve"));
        }
        Ok(Dossier {
            request,
            state,
            votes,
            events,
            needed,
            release,
        })
    }

    /// Those of a project for which `which` is true, the latest first.
    pub(crate) async fn list(
        core: &Core,
        project: &ProjectId,
        which: impl Fn(&Request, State) -> bool,
    ) -> Result<Vec<Dossier>, Problem> {
        let mut dossiers = Vec::new();
        for request in core.store.requests().list(Some(project)).await? {
            if State::from_stored(&request.state).is_some_and(|state| which(&request, state)) {
                dossiers.push(Dossier::load(core, &request.id).await?);
            }
        }
        Ok(dossiers)
    }

    /// Who has voted.
    pub(crate) fn voters(&self) -> Vec<UserName> {
        self.votes.iter().map(|vote| vote.reviewer.clone()).collect()
    }

    /// When its state last changed.
    pub(crate) fn changed(&self) -> Timestamp {
        self.events
            .last()
            .map_or(self.request.submitted_at, |event| event.at)
    }

    /// What the checker wrote down; none once it was destroyed with the project.
    pub(crate) fn record(&self) -> Option<SdcRecord> {
        serde_json::from_str(self.request.record.as_deref()?).ok()
    }

    /// Rows of the frozen file, its header not among them; none once it was destroyed.
    pub(crate) fn rows(&self) -> u64 {
        self.request
            .output
            .as_deref()
            .map_or(0, |csv| lines(csv).saturating_sub(1))
    }
}

/// What to say of a request or release that the caller cannot see.
pub(super) fn unknown(id: &str) -> Problem {
    let shown: String = id.chars().take(80).collect();
    Problem::of(
        &codes::REQ_UNKNOWN,
        format!("there is no request or release `{shown}`"),
    )
}

async fn release_of(core: &Core, request: &Request) -> Result<Option<ReleaseId>, Problem> {
    let releases = core.store.releases().list(Some(&request.project)).await?;
    Ok(releases
        .into_iter()
        .find(|release| release.request == request.id)
        .map(|release| release.id))
}

/// Lines of a CSV text; a line break within quotes ends none.
fn lines(csv: &[u8]) -> u64 {
    let mut quoted = false;
    let mut lines = 0;
    for byte in csv {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => lines += 1,
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::tests::{dossier, request};
    use super::*;

    #[test]
    fn a_review_says_how_many_must_approve_or_is_damaged() {
        assert_eq!(dossier(State::InReview, vec![], 2).needed, Some(2));
        assert!(Dossier::new(request(State::InReview), vec![], vec![], None).is_err());
        assert_eq!(
            Dossier::new(request(State::Submitted), vec![], vec![], None)
                .unwrap()
                .needed,
            None
        );
    }

    #[test]
    fn rows_of_a_file_are_counted_without_its_header_and_line_breaks_in_quotes() {
        assert_eq!(dossier(State::InReview, vec![], 2).rows(), 1);
        assert_eq!(lines(b"a,b\n\"x\ny\",1\n\"say \"\"hi\"\"\n\",2\n"), 3);
    }

    #[test]
    fn a_state_that_is_none_is_damage() {
        let mut odd = request(State::InReview);
        odd.state = "gone".to_owned();
        assert!(Dossier::new(odd, vec![], vec![], None).is_err());
    }
}
