//! Calls about checks, requests, reviews and releases.

use std::sync::Arc;

use output_checker::record::{Outcome, SdcRecord};
use tre_core::codes::{self, Problem};
use tre_core::ids::RequestId;
use tre_core::permit::ExitName;
use tre_core::request::State;
use tre_proto::v1;

use super::place::{bad_name, in_project, listing};
use crate::authz::Action;
use crate::core::{Core, On};
use crate::fault::Fault;
use crate::identity::Caller;
use crate::pipeline::{self, Insight, Trial};
use crate::requests::{self, Dossier, Fetched, Verdict, Wish, seen};
use crate::sessions::Sessions;

pub(super) async fn check(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::CheckRequest,
) -> Result<v1::CheckReport, Fault> {
    in_project(core, caller, Action::Check).await?;
    let session = Sessions::of(core, caller).await?;
    let prepared = pipeline::prepare(core, &session, ExitName::View, &message.sql, None, true).await?;
    Ok(pipeline::check(core, &session, &prepared).await?)
}

pub(super) async fn submit(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::SubmitRequestRequest,
) -> Result<v1::Request, Fault> {
    in_project(core, caller, Action::SubmitRequest).await?;
    let wish = Wish {
        sql: message.sql,
        title: message.title,
        context: message.context,
    };
    let id = requests::submit(core, caller, wish).await?;
    Ok(shown(&Dossier::load(core, &id).await?, caller))
}

/// The caller's own.
pub(super) async fn list(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ListRequestsRequest,
) -> Result<v1::ListRequestsResponse, Fault> {
    let project = in_project(core, caller, Action::ListRequests).await?;
    let own = Dossier::list(core, &project.stored.id, |request, state| {
        request.author == caller.user && (message.all || state.is_open())
    });
    Ok(v1::ListRequestsResponse {
        requests: own.await?.iter().map(|dossier| shown(dossier, caller)).collect(),
    })
}

pub(super) async fn show(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ShowRequestRequest,
) -> Result<v1::Request, Fault> {
    let dossier = open(core, caller, Action::ShowRequest, &message.id).await?;
    Ok(shown(&dossier, caller))
}

pub(super) async fn withdraw(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::WithdrawRequestRequest,
) -> Result<v1::Request, Fault> {
    let dossier = open(core, caller, Action::WithdrawRequest, &message.id).await?;
    requests::withdraw(core, &core.actor(caller, None), &dossier).await?;
    Ok(shown(&Dossier::load(core, &dossier.request.id).await?, caller))
}

/// Those of the project that other people wrote.
pub(super) async fn list_reviews(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ListReviewsRequest,
) -> Result<v1::ListReviewsResponse, Fault> {
    let project = in_project(core, caller, Action::ListReviews).await?;
    let others = Dossier::list(core, &project.stored.id, |request, state| {
        request.author != caller.user && (message.all || state == State::InReview)
    });
    Ok(v1::ListReviewsResponse {
        requests: others
            .await?
            .iter()
            .map(|dossier| shown(dossier, caller))
            .collect(),
    })
}

pub(super) async fn show_review(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ShowReviewRequest,
) -> Result<v1::Review, Fault> {
    let dossier = open(core, caller, Action::ShowReview, &message.id).await?;
    let insight = requests::insight(core, core.actor(caller, None), &dossier).await?;
    let mut review = review(dossier, caller);
    if let Some(Insight { evidence, trials }) = insight {
        review
            .evidence
            .extend(evidence.into_iter().map(|table| v1::Evidence {
                csv: table.csv,
                groups: table.groups,
            }));
        review.trials.extend(trials.into_iter().map(trial));
    }
    Ok(review)
}

pub(super) async fn approve(core: &Arc<Core>, caller: &Caller, message: v1::VoteRequest) -> Voted {
    vote(core, caller, message, Action::ApproveReview, Verdict::Approve).await
}

pub(super) async fn give_back(core: &Arc<Core>, caller: &Caller, message: v1::VoteRequest) -> Voted {
    vote(core, caller, message, Action::ReturnReview, Verdict::Return).await
}

pub(super) async fn reject(core: &Arc<Core>, caller: &Caller, message: v1::VoteRequest) -> Voted {
    vote(core, caller, message, Action::RejectReview, Verdict::Reject).await
}

type Voted = Result<v1::Review, Fault>;

async fn vote(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::VoteRequest,
    action: Action,
    verdict: Verdict,
) -> Voted {
    let dossier = match open(core, caller, action, &message.id).await {
        Err(Fault::Problem(problem)) if *problem.code == codes::REQ_VOTED => {
            return Err(voted(core, &message.id, problem).await);
        }
        opened => opened?,
    };
    requests::vote(
        core,
        core.actor(caller, None),
        &dossier,
        verdict,
        &message.comment,
    )
    .await?;
    Ok(review(Dossier::load(core, &dossier.request.id).await?, caller))
}

/// What somebody hears who has voted before: that they have, and what became of the request.
async fn voted(core: &Core, id: &str, problem: Problem) -> Fault {
    let Ok(id) = id.parse::<RequestId>() else {
        return problem.into();
    };
    match Dossier::load(core, &id).await {
        Ok(dossier) => Problem {
            what: format!(
                "you have voted on this request already; it is {} now",
                dossier.state
            ),
            ..problem
        }
        .into(),
        Err(problem) => problem.into(),
    }
}

pub(super) async fn list_releases(
    core: &Arc<Core>,
    caller: &Caller,
    _: v1::ListReleasesRequest,
) -> Result<v1::ListReleasesResponse, Fault> {
    let only = listing(core, caller, Action::ListReleases).await?;
    let releases = requests::releases(core, only).await?;
    Ok(v1::ListReleasesResponse {
        releases: releases.iter().map(released).collect(),
    })
}

pub(super) async fn fetch_release(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::FetchReleaseRequest,
) -> Result<v1::FetchReleaseResponse, Fault> {
    let project = in_project(core, caller, Action::FetchRelease).await?;
    let found = requests::find_release(core, &message.id, &project.stored.id, &caller.user).await?;
    let fetched = requests::fetch(core, core.actor(caller, None), found).await?;
    let release = Some(released(&fetched));
    let file = |name: &str, media_type: &str, content: Vec<u8>| v1::ReleasedFile {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        content,
    };
    let Fetched { release: stored, .. } = fetched;
    let files = vec![
        file("output.csv", &stored.media_type, stored.output),
        file("record.json", "application/json", stored.record.into_bytes()),
    ];
    Ok(v1::FetchReleaseResponse { release, files })
}

/// A request that the call names, if the caller may do this with it.
async fn open(core: &Arc<Core>, caller: &Caller, action: Action, id: &str) -> Result<Dossier, Fault> {
    let id: RequestId = id.parse().map_err(bad_name(&codes::REQ_UNKNOWN))?;
    let dossier = Dossier::load(core, &id).await?;
    let project = core.project(&dossier.request.project).await?;
    let voters = dossier.voters();
    let on = On::Request {
        project: &project,
        author: &dossier.request.author,
        voters: &voters,
    };
    let _allowed = core.authorize(caller, action, on).await?;
    Ok(dossier)
}

fn review(mut dossier: Dossier, caller: &Caller) -> v1::Review {
    let request = Some(shown(&dossier, caller));
    v1::Review {
        request,
        output: dossier.request.output.take().unwrap_or_default(),
        record_json: dossier.request.record.take().unwrap_or_default().into_bytes(),
        evidence: vec![],
        trials: vec![],
    }
}

fn trial(trial: Trial) -> v1::Trial {
    v1::Trial {
        rewrite: Some(pipeline::message(trial.rewrite)),
        decision: trial.decision,
        rows: trial.rows,
        shown: trial.shown,
        suppressed: trial.suppressed,
    }
}

fn shown(dossier: &Dossier, caller: &Caller) -> v1::Request {
    let (request, record) = (&dossier.request, dossier.record());
    let seen = seen(dossier, &caller.user);
    let vote = |vote: &tre_home::store::Review| v1::Vote {
        reviewer: vote.reviewer.to_string(),
        verdict: vote.vote.clone(),
        comment: vote.comment.clone(),
        at: vote.at.to_string(),
    };
    v1::Request {
        id: request.id.to_string(),
        project: request.project.to_string(),
        author: request.author.to_string(),
        title: request.title.clone(),
        context: request.context.clone(),
        sql: request.sql.clone(),
        state: dossier.state.to_string(),
        created: request.submitted_at.to_string(),
        changed: dossier.changed().to_string(),
        decision: record.as_ref().map(decision).unwrap_or_default().to_owned(),
        reasons: record.map(reasons).unwrap_or_default(),
        reviewers: dossier.needed.unwrap_or_default().into(),
        approvals: seen.approvals,
        votes: seen.votes.iter().map(vote).collect(),
        sha256: request.output_sha256.clone(),
        rows: dossier.rows(),
        release: dossier
            .release
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

fn decision(record: &SdcRecord) -> &'static str {
    match record.decision.outcome {
        Outcome::Release => "release",
        Outcome::Refer => "refer",
        Outcome::Withhold => "withhold",
    }
}

fn reasons(record: SdcRecord) -> Vec<v1::Reason> {
    let reasons = record.decision.reasons.into_iter();
    reasons
        .map(|reason| v1::Reason {
            code: reason.code,
            what: reason.what,
            hint: reason.hint,
        })
        .collect()
}

fn released(fetched: &Fetched) -> v1::Release {
    let (release, request) = (&fetched.release, &fetched.request);
    v1::Release {
        id: release.id.to_string(),
        request: release.request.to_string(),
        project: release.project.to_string(),
        title: request.title.clone(),
        author: request.author.to_string(),
        released: release.released_at.to_string(),
        sha256: release.output_sha256.clone(),
        bytes: release.output.len() as u64,
    }
}
