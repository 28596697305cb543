//! Requests on their way through a real home, without workers: what reviewers, crashes, races and a project's end do.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use output_checker::record::{Origin, SdcRecord, Tool};
use tre_core::audit::Actor;
use tre_core::codes::Problem;
use tre_core::ids::{QueryId, RequestId};
use tre_core::ledger::Answer;
use tre_core::permit::{ExitName, Permit};
use tre_core::policy::Policy;
use tre_core::request::State;
use tre_home::store::{Draft, PinnedPolicy, Project as StoredProject, Request, Review};
use tre_home::vault::sha256_hex;
use tre_home::{Home, InitOptions};

use super::tests::{OUTPUT, request};
use super::{Dossier, Fetched, Verdict, fetch, find_release, lapse, releases, resume, vote, withdraw};
use crate::core::Core;
use crate::projects::tests::{PERMIT, grant_of};

const PROJECT: &str = "liver-outcomes";
const NDB: &str = include_str!("../../../policies/sdc/ndb.toml");

struct Scene {
    _directory: tempfile::TempDir,
    core: Arc<Core>,
    request: Request,
}

/// A home with a project whose releases need two reviewers, or none where `policy` says so, and a request of alice's that
/// was stored and no more.
async fn scene(policy: &str, reviewers: u8) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let text = |(name, text): (&str, &str)| (name.to_owned(), text.as_bytes().to_vec());
    let options = InitOptions {
        name: "a test".to_owned(),
        origin: None,
        timezone: "UTC".parse().unwrap(),
        listen: None,
        web: None,
        certificate: None,
        sdc_policies: vec![text(("ndb.toml", policy))],
        access_policies: crate::authz::SHIPPED.into_iter().map(text).collect(),
        actor: by("local:tester"),
    };
    let path = directory.path().join("home");
    let made = path.clone();
    let home = tokio::task::spawn_blocking(move || {
        Home::init(&made, options).unwrap();
        Home::open(&made, "a test").unwrap()
    });
    let core = Core::open(home.await.unwrap(), None).await.unwrap();
    let project = project(&core, policy, reviewers);
    assert!(core.store.projects().apply(&project).await.unwrap());
    let request = judged(policy);
    let draft = Draft {
        answer: Answer {
            query: QueryId::from_random([1; 10]),
            project: request.project.clone(),
            user: request.author.clone(),
            exit: ExitName::Release,
            at: core.now(),
            refused: false,
            parts: vec![],
        },
        seen: 0,
    };
    let (ledger, vault) = (core.store.ledger(), core.home.vault());
    let kept = ledger.keep_draft(vault, &request.id, &request.project, &draft);
    kept.await.unwrap();
    assert!(core.store.requests().submit(&request).await.unwrap());
    Scene {
        _directory: directory,
        core,
        request,
    }
}

fn by(user: &str) -> Actor {
    Actor::user(user.parse().unwrap())
}

fn project(core: &Core, policy: &str, reviewers: u8) -> StoredProject {
    let permit = PERMIT
        .replace("2026-01-01", "2000-01-01")
        .replace("2027-03-31", "2999-12-31")
        .replace("reviewers = 2", &format!("reviewers = {reviewers}"));
    let parsed = Permit::parse(&permit).unwrap();
    StoredProject {
        id: parsed.project.clone(),
        revision: 1,
        permit_sha256: sha256_hex(permit.as_bytes()),
        permit,
        grant_json: serde_json::to_string(&grant_of(&parsed)).unwrap(),
        policies: vec![PinnedPolicy {
            id: "ndb".parse().unwrap(),
            sha256: sha256_hex(policy.as_bytes()),
            bytes: policy.as_bytes().to_vec(),
        }],
        pseudonym_key: Some(core.home.vault().new_pseudonym_key(&parsed.project).unwrap()),
        applied_at: core.now(),
        applied_by: "olga".parse().unwrap(),
        closed: None,
    }
}

/// The request with a record as the checker writes it, of an output that may be released.
fn judged(policy: &str) -> Request {
    let request = request(State::Submitted);
    let origin = Origin {
        project: request.project.clone(),
        session: None,
        query: None,
        request: Some(request.id.clone()),
        sql: request.sql.clone(),
    };
    let tool = Tool {
        name: "tre".to_owned(),
        version: "0".to_owned(),
    };
    let policy = Policy::parse(&"ndb".parse().unwrap(), policy).unwrap();
    let record = SdcRecord::new(OUTPUT, tool, origin, &policy, vec![]);
    let record = serde_json::to_string(&record).unwrap();
    Request {
        record_sha256: sha256_hex(record.as_bytes()),
        record: Some(record),
        ..request
    }
}

impl Scene {
    async fn dossier(&self) -> Dossier {
        Dossier::load(&self.core, &self.request.id).await.unwrap()
    }

    async fn state(&self) -> State {
        self.dossier().await.state
    }

    async fn votes(&self, who: &str, verdict: Verdict) -> Result<(), &'static str> {
        let dossier = self.dossier().await;
        let voted = vote(&self.core, by(who), &dossier, verdict, "read it").await;
        voted.map_err(|problem: Problem| problem.code.id)
    }

    /// What somebody who may fetch releases of a project finds under an id.
    async fn finds(&self, id: &str, project: &str, reader: &str) -> Result<Fetched, Problem> {
        let (project, reader) = (project.parse().unwrap(), reader.parse().unwrap());
        find_release(&self.core, id, &project, &reader).await
    }

    async fn releases(&self) -> usize {
        releases(&self.core, None).await.unwrap().len()
    }
}

#[tokio::test]
async fn two_approvals_release_the_bytes_that_were_frozen() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    assert_eq!(
        (scene.state().await, scene.dossier().await.needed),
        (State::InReview, Some(2))
    );
    assert_eq!(scene.votes("bo", Verdict::Approve).await, Ok(()));
    assert_eq!(scene.state().await, State::InReview);
    assert_eq!(scene.votes("bo", Verdict::Approve).await, Err("TRE-REQ-004"));
    assert_eq!(
        scene.votes("alice", Verdict::Approve).await,
        Err("TRE-REQ-002"),
        "the store knows the author"
    );
    assert_eq!(scene.releases().await, 0);
    assert_eq!(scene.votes("cy", Verdict::Approve).await, Ok(()));
    let dossier = scene.dossier().await;
    assert_eq!(dossier.state, State::Released);
    let id = dossier.release.unwrap();
    for name in [id.as_str(), scene.request.id.as_str()] {
        let found = scene.finds(name, PROJECT, "dora").await.unwrap();
        let fetched = fetch(&scene.core, by("alice"), found).await.unwrap();
        assert_eq!(fetched.release.output, OUTPUT);
        assert_eq!(fetched.release.record, *scene.request.record.as_ref().unwrap());
    }
    assert_eq!(
        scene.votes("di", Verdict::Reject).await,
        Err("TRE-REQ-002"),
        "what has left has left"
    );
}

#[tokio::test]
async fn who_fetches_too_early_hears_the_state_if_author_and_nothing_if_anybody_else() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    let id = scene.request.id.as_str();
    let never = "req_aaaaaaaaaaaaaaaa";
    let hears = async |id: &str, project: &str, reader: &str| {
        let problem = scene.finds(id, project, reader).await.unwrap_err();
        (problem.code.id, problem.what.replace(id, "ID"), problem.hint)
    };
    let (code, what, hint) = hears(id, PROJECT, "alice").await;
    assert_eq!(
        (code, what.as_str()),
        ("TRE-REQ-002", "request `ID` is in-review: it has no release")
    );
    assert!(hint.contains("tre request show"), "{hint}");
    let unknown = hears(never, PROJECT, "alice").await;
    assert_eq!(unknown.0, "TRE-REQ-001");
    assert_eq!(hears(id, PROJECT, "dora").await, unknown, "a colleague");
    assert_eq!(hears(id, "heart", "alice").await, unknown, "the author elsewhere");

    for who in ["bo", "cy"] {
        assert_eq!(scene.votes(who, Verdict::Approve).await, Ok(()));
    }
    let release = scene.dossier().await.release.unwrap();
    for id in [id, release.as_str()] {
        assert!(scene.finds(id, PROJECT, "alice").await.is_ok());
        assert_eq!(hears(id, "heart", "eve").await, unknown, "another project");
    }
}

#[tokio::test]
async fn bytes_of_whose_people_nothing_is_known_do_not_leave_where_a_ledger_is_kept() {
    for (policy, voted, released) in [
        (NDB.to_owned(), Err("TRE-SDC-043"), 0),
        (NDB.replace("keep      = true", "keep = false"), Ok(()), 1),
    ] {
        let mut scene = scene(&policy, 2).await;
        // Another request, without the draft that freezing keeps.
        scene.request.id = RequestId::from_random([9; 10]);
        assert!(scene.core.store.requests().submit(&scene.request).await.unwrap());
        resume(&scene.core).await.unwrap();
        assert_eq!(scene.votes("bo", Verdict::Approve).await, Ok(()));
        assert_eq!(scene.votes("cy", Verdict::Approve).await, voted);
        assert_eq!(scene.releases().await, released);
    }
}

#[tokio::test]
async fn one_vote_against_ends_a_review() {
    for (verdict, state) in [
        (Verdict::Return, State::Returned),
        (Verdict::Reject, State::Rejected),
    ] {
        let scene = scene(NDB, 2).await;
        resume(&scene.core).await.unwrap();
        assert_eq!(scene.votes("bo", Verdict::Approve).await, Ok(()));
        assert_eq!(scene.votes("cy", verdict).await, Ok(()));
        assert_eq!(scene.state().await, state);
        assert_eq!(scene.dossier().await.events.last().unwrap().note, "read it");
        assert_eq!(scene.votes("di", Verdict::Approve).await, Err("TRE-REQ-002"));
        assert_eq!(scene.releases().await, 0);
    }
}

#[tokio::test]
async fn a_vote_against_needs_a_comment() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    let dossier = scene.dossier().await;
    let silent = vote(&scene.core, by("bo"), &dossier, Verdict::Return, " ").await;
    assert_eq!(silent.unwrap_err().code.id, "TRE-REQ-003");
    assert_eq!(scene.dossier().await.votes.len(), 0);
    assert!(
        vote(&scene.core, by("bo"), &dossier, Verdict::Approve, "")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_checker_alone_releases_only_where_policy_and_permit_say_so() {
    let automatic = NDB.replace("reviewers = 2", "reviewers = 0");
    let alone = scene(&automatic, 0).await;
    resume(&alone.core).await.unwrap();
    assert_eq!(
        (alone.state().await, alone.releases().await),
        (State::Released, 1)
    );
    let watched = scene(&automatic, 1).await;
    resume(&watched.core).await.unwrap();
    assert_eq!(
        (watched.state().await, watched.dossier().await.needed),
        (State::InReview, Some(1))
    );
    let strict = scene(NDB, 0).await;
    resume(&strict.core).await.unwrap();
    let stays = (strict.state().await, strict.releases().await);
    assert_eq!(
        stays,
        (State::Submitted, 0),
        "the policy asks for people, whatever a stored permit says"
    );
}

#[tokio::test]
async fn what_a_crash_interrupted_goes_on_at_the_next_start() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    for who in ["bo", "cy"] {
        let review = Review {
            request: scene.request.id.clone(),
            reviewer: who.parse().unwrap(),
            vote: "approve".to_owned(),
            comment: String::new(),
            at: scene.core.now(),
            output_sha256: scene.request.output_sha256.clone(),
        };
        assert!(
            scene
                .core
                .store
                .reviews()
                .vote(&review, "in-review")
                .await
                .unwrap()
        );
    }
    assert_eq!(scene.state().await, State::InReview);
    resume(&scene.core).await.unwrap();
    resume(&scene.core).await.unwrap();
    assert_eq!(
        (scene.state().await, scene.releases().await),
        (State::Released, 1)
    );
}

#[tokio::test]
async fn two_last_votes_at_the_same_time_release_once() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    assert_eq!(scene.votes("bo", Verdict::Approve).await, Ok(()));
    let (cy, di) = tokio::join!(
        scene.votes("cy", Verdict::Approve),
        scene.votes("di", Verdict::Approve)
    );
    for said in [cy, di] {
        assert!(said == Ok(()) || said == Err("TRE-REQ-002"), "{said:?}");
    }
    assert_eq!(
        (scene.state().await, scene.releases().await),
        (State::Released, 1)
    );
}

#[tokio::test]
async fn what_was_taken_back_is_over() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    let stale = scene.dossier().await;
    withdraw(&scene.core, &by("alice"), &stale).await.unwrap();
    assert_eq!(scene.state().await, State::Withdrawn);
    let again = withdraw(&scene.core, &by("alice"), &stale).await.unwrap_err();
    assert_eq!(again.code.id, "TRE-REQ-002", "who loses a race hears it");
    let late = vote(&scene.core, by("bo"), &stale, Verdict::Approve, "")
        .await
        .unwrap_err();
    assert_eq!(late.code.id, "TRE-REQ-002");
    let project = &scene.request.project;
    assert_eq!(
        lapse(&scene.core, &by("olga"), project, "closed").await.unwrap(),
        0
    );
}

#[tokio::test]
async fn a_projects_end_lapses_its_requests_and_destroys_their_drafts() {
    let scene = scene(NDB, 2).await;
    resume(&scene.core).await.unwrap();
    assert_eq!(scene.votes("bo", Verdict::Approve).await, Ok(()));
    let project = scene.core.project(&scene.request.project).await.unwrap();
    let ended = crate::projects::close(&scene.core, by("olga"), &project, "closed by an operator")
        .await
        .unwrap();
    assert_eq!((ended.sessions, ended.requests), (0, 1));
    let dossier = scene.dossier().await;
    assert_eq!(dossier.state, State::Lapsed);
    assert!(dossier.request.output.is_none() && dossier.request.record.is_none());
    let closed = scene.core.project(&scene.request.project).await.unwrap();
    assert!(closed.stored.pseudonym_key.is_none() && !closed.facts.in_force);
    let again = crate::projects::close(&scene.core, by("olga"), &closed, "again")
        .await
        .unwrap_err();
    assert_eq!(again.code.id, "TRE-PRJ-012");
    assert_eq!(scene.votes("cy", Verdict::Approve).await, Err("TRE-REQ-002"));
}
