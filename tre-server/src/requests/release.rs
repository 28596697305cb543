//! Releases: what has left, and handing it out.

use std::sync::Arc;

use output_checker::ledger::overtaken;
use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::ids::{ProjectId, ReleaseId, RequestId, UserName};
use tre_core::ledger::Answer;
use tre_core::permit::ExitName;
use tre_core::request::{Act, Party};
use tre_home::store::{Move, Release, Request};
use tre_home::vault::sha256_hex;

use super::clearance::Clearance;
use super::dossier::unknown;
use super::moves::{lost_race, not_possible};
use crate::core::Core;
use crate::ledger::{Entered, sketchers, unavailable};
use crate::projects::internal;

/// What a released output is.
const MEDIA_TYPE: &str = "text/csv";

/// A release with its bytes, and the request that it answers.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) release: Release,
    pub(crate) request: Request,
}

/// Lets the bytes of a request leave: the entry, then the release and the request's last state together.
///
/// # Errors
/// `TRE-REQ-002` when somebody else was first; a failure when the bytes are not those that were frozen.
pub(super) async fn publish(
    core: &Arc<Core>,
    request: &Request,
    clearance: Clearance,
) -> Result<ReleaseId, Problem> {
    if !clearance.covers(request) {
        return Err(internal("a clearance of another request"));
    }
    let from = clearance.from();
    let to = from.after(Act::Release, Party::System).map_err(not_possible)?;
    let (output, record) = intact(request)?;
    let _entered = enter_in_ledger(core, request).await?;
    let system = core.system()?;
    let release = Release {
        id: ReleaseId::from_random(core.random()?),
        request: request.id.clone(),
        project: request.project.clone(),
        released_at: core.now(),
        media_type: MEDIA_TYPE.to_owned(),
        output,
        output_sha256: request.output_sha256.clone(),
        record,
        record_sha256: request.record_sha256.clone(),
    };
    let event = Event::Released {
        release: release.id.clone(),
        request: release.request.clone(),
        project: release.project.clone(),
        output_sha256: release.output_sha256.clone(),
        record_sha256: release.record_sha256.clone(),
        reviewers: clearance.reviewers().to_vec(),
    };
    core.audit(system.clone(), event).await?;
    let step = Move {
        from: from.as_str(),
        to: to.as_str(),
        at: release.released_at,
        actor: &system.user,
        note: "",
    };
    if core.store.releases().publish(&release, &step).await? {
        Ok(release.id)
    } else {
        lost_race(core, system, Act::Release).await
    }
}

/// Compares the frozen cells with what has left since they were frozen, and appends them: from here on they count as having
/// left. Held until the release is there, so that nothing is compared in between.
///
/// # Errors
/// `TRE-SDC-044` when something too near has left, `TRE-SDC-043` when the ledger or the draft cannot be read.
async fn enter_in_ledger(core: &Arc<Core>, request: &Request) -> Result<Option<Entered>, Problem> {
    let project = core.project(&request.project).await?;
    let (policy, _) = project.exit(ExitName::Release)?;
    let Some(shape) = policy.rules().sketch() else {
        return Ok(None);
    };
    let mut entered = core.book.enter(core).await?;
    let stored = core.store.ledger();
    let draft = stored.draft(core.home.vault(), &request.id);
    let draft = draft.await.map_err(unavailable)?.ok_or_else(|| {
        Problem::of(
            &codes::SDC_LEDGER,
            "nothing is known of the people behind the frozen bytes",
        )
    })?;
    let populations = draft.answer.parts.iter().map(|part| &part.population);
    let sketchers = sketchers(core, populations, shape);
    overtaken(entered.ledger()?, &sketchers, &draft.answer, draft.seen)?;
    let answer = Answer {
        at: core.now(),
        ..draft.answer
    };
    entered.append(core, &answer).await?;
    Ok(Some(entered))
}

/// The frozen bytes and the record, if they are what was frozen.
fn intact(request: &Request) -> Result<(Vec<u8>, String), Problem> {
    let output = request
        .output
        .clone()
        .filter(|bytes| sha256_hex(bytes) == request.output_sha256);
    let record = request
        .record
        .clone()
        .filter(|json| sha256_hex(json.as_bytes()) == request.record_sha256);
    output
        .zip(record)
        .ok_or_else(|| internal(format!("the bytes of request {} were altered", request.id)))
}

/// The releases of a project, or of all, the latest first.
pub(crate) async fn releases(core: &Core, project: Option<&ProjectId>) -> Result<Vec<Fetched>, Problem> {
    let mut all = Vec::new();
    for listed in core.store.releases().list(project).await? {
        all.push(load(core, &listed.id).await?);
    }
    Ok(all)
}

/// A release of a project by its id or by that of its request, for `reader`, who may fetch releases there.
///
/// # Errors
/// `TRE-REQ-001` when the project has none, whatever other projects have. `TRE-REQ-002` with the state of a request that has
/// not been released, for its author alone: whoever else asks hears what they would hear of an id that never was.
pub(crate) async fn find(
    core: &Core,
    id: &str,
    project: &ProjectId,
    reader: &UserName,
) -> Result<Fetched, Problem> {
    if let Ok(release) = id.parse::<ReleaseId>() {
        let found = core.store.releases().get(&release).await?;
        return match found.filter(|found| found.project == *project) {
            Some(found) => load(core, &found.id).await,
            None => Err(unknown(id)),
        };
    }
    let request: RequestId = id.parse().map_err(|_| unknown(id))?;
    let releases = core.store.releases().list(Some(project)).await?;
    if let Some(release) = releases.iter().find(|release| release.request == request) {
        return load(core, &release.id).await;
    }
    let asked = core.store.requests().get(&request).await?;
    Err(asked
        .filter(|asked| asked.project == *project && asked.author == *reader)
        .map_or_else(|| unknown(id), |asked| not_released(&asked)))
}

/// What the author of a request hears who fetches a file that is not there yet, or never will be.
fn not_released(request: &Request) -> Problem {
    Problem::new(
        &codes::REQ_STATE,
        format!("request `{}` is {}: it has no release", request.id, request.state),
        format!("see what became of it with `tre request show {}`", request.id),
    )
}

async fn load(core: &Core, id: &ReleaseId) -> Result<Fetched, Problem> {
    let release = core
        .store
        .releases()
        .get(id)
        .await?
        .ok_or_else(|| unknown(id.as_str()))?;
    let request = core.store.requests().get(&release.request).await?;
    let request = request.ok_or_else(|| internal("a release without its request"))?;
    Ok(Fetched { release, request })
}

/// Hands a release out: the entry, then the bytes.
///
/// # Errors
/// When the bytes are not those that were released.
pub(crate) async fn fetch(core: &Core, actor: Actor, fetched: Fetched) -> Result<Fetched, Problem> {
    let release = &fetched.release;
    if sha256_hex(&release.output) != release.output_sha256
        || sha256_hex(release.record.as_bytes()) != release.record_sha256
    {
        return Err(internal(format!(
            "the bytes of release {} were altered",
            release.id
        )));
    }
    let event = Event::ReleaseFetched {
        release: release.id.clone(),
        project: release.project.clone(),
        output_sha256: release.output_sha256.clone(),
    };
    core.audit(actor, event).await?;
    Ok(fetched)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use tre_core::request::State;

    use super::super::tests::{OUTPUT, request};
    use super::*;

    #[test]
    fn only_the_bytes_that_were_frozen_leave() {
        let good = request(State::Approved);
        assert_eq!(intact(&good).unwrap().0, OUTPUT);
        let altered = Request {
            output: Some(b"n\n3\n".to_vec()),
            ..good.clone()
        };
        let record = Request {
            record: Some("{ }".to_owned()),
            ..good.clone()
        };
        let destroyed = Request { output: None, ..good };
        for request in [altered, record, destroyed] {
            assert_eq!(intact(&request).unwrap_err().code, &codes::RUN_INTERNAL);
        }
    }
}
