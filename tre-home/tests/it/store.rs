//! The store: races, refusals, destruction, damage.

use std::path::Path;
use std::{fs, io};

use tre_core::ids::TokenId;
use tre_home::store::{Closed, Insight, Move, Release, Review};

use crate::scene::{self, at, project, release, request, review, session, token, user};

#[test]
fn of_many_that_move_a_request_at_once_one_succeeds() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let project = project(&home, "one");
        assert!(store.projects().apply(&project).await.unwrap());
        let request = request(&project, 1);
        assert!(store.requests().submit(&request).await.unwrap());
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let (store, id) = (store.clone(), request.id.clone());
                tokio::spawn(async move {
                    let to = format!("state {n}");
                    let step = Move {
                        from: "submitted",
                        to: &to,
                        at: at(5),
                        actor: &user("bo"),
                        note: "",
                    };
                    store.requests().transition(&id, &step).await.unwrap()
                })
            })
            .collect();
        let mut moved = 0;
        for task in tasks {
            moved += usize::from(task.await.unwrap());
        }
        assert_eq!(moved, 1);
        let events = store.requests().events(&request.id).await.unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(
            (events[0].from.as_str(), events[0].to.as_str()),
            ("", "submitted")
        );
        assert_eq!(
            store.requests().get(&request.id).await.unwrap().unwrap().state,
            events[1].to
        );
    });
}

#[test]
fn a_release_is_made_once_in_its_state_and_project_only() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let (project, other) = (project(&home, "one"), project(&home, "two"));
        assert!(store.projects().apply(&project).await.unwrap());
        assert!(store.projects().apply(&other).await.unwrap());
        let request = request(&project, 1);
        assert!(store.requests().submit(&request).await.unwrap());
        let actor = user("bo");
        let step = |from: &'static str| Move {
            from,
            to: "released",
            at: at(5),
            actor: &actor,
            note: "",
        };
        let publish = async |release: &Release, from: &'static str| {
            store.releases().publish(release, &step(from)).await.unwrap()
        };

        assert!(
            !publish(&release(&request, 1), "approved").await,
            "not in that state"
        );
        let mut foreign = release(&request, 1);
        foreign.project = other.id.clone();
        assert!(!publish(&foreign, "submitted").await, "not of that project");
        assert_eq!(
            store.requests().get(&request.id).await.unwrap().unwrap().state,
            "submitted"
        );
        assert!(publish(&release(&request, 1), "submitted").await);
        assert!(!publish(&release(&request, 2), "submitted").await, "once");
        let released = store
            .releases()
            .get(&release(&request, 1).id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(released, release(&request, 1));
        assert_eq!(store.releases().list(Some(&other.id)).await.unwrap(), []);
        assert_eq!(store.releases().list(None).await.unwrap().len(), 1);
    });
}

#[test]
fn nobody_votes_on_their_own_request_twice_or_on_other_bytes() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let project = project(&home, "one");
        assert!(store.projects().apply(&project).await.unwrap());
        let request = request(&project, 1);
        assert!(store.requests().submit(&request).await.unwrap());
        let vote = async |review: &Review, state: &str| store.reviews().vote(review, state).await.unwrap();
        assert!(!vote(&review(&request, "alice"), "submitted").await, "the author");
        assert!(!vote(&review(&request, "bo"), "approved").await, "another state");
        let mut other_bytes = review(&request, "bo");
        other_bytes.output_sha256 = "0".repeat(64);
        assert!(!vote(&other_bytes, "submitted").await, "other bytes");
        assert!(vote(&review(&request, "bo"), "submitted").await);
        assert!(!vote(&review(&request, "bo"), "submitted").await, "twice");
        assert!(vote(&review(&request, "cy"), "submitted").await);
        let votes = store.reviews().of(&request.id).await.unwrap();
        assert_eq!(votes, [review(&request, "bo"), review(&request, "cy")]);
    });
}

#[test]
fn a_permit_replaces_the_revision_that_it_was_planned_against() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let first = project(&home, "one");
        assert!(store.projects().apply(&first).await.unwrap());
        assert!(!store.projects().apply(&first).await.unwrap(), "it exists");
        let mut second = first.clone();
        second.revision = 2;
        second.grant_json = "{\"wider\":true}".to_owned();
        second.policies.clear();
        second.pseudonym_key = Some("another".to_owned());
        assert!(store.projects().apply(&second).await.unwrap());
        assert!(
            !store.projects().apply(&second).await.unwrap(),
            "planned against revision 1"
        );
        let stored = store.projects().get(&first.id).await.unwrap().unwrap();
        assert_eq!(stored.pseudonym_key, first.pseudonym_key, "pseudonyms stay");
        second.pseudonym_key = first.pseudonym_key.clone();
        assert_eq!(stored, second);
        assert_eq!(store.projects().list().await.unwrap(), [second]);
    });
}

#[test]
fn tokens_and_sessions_come_and_go() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        let project = project(&home, "one");
        let token = token(&project, 1);
        assert!(!store.tokens().issue(&token).await.unwrap(), "no such project");
        assert!(store.projects().apply(&project).await.unwrap());
        assert!(store.tokens().issue(&token).await.unwrap());
        assert!(!store.tokens().issue(&token).await.unwrap(), "id taken");
        let mut auditor = token.clone();
        (auditor.id, auditor.project) = (TokenId::from_random([9; 10]), None);
        assert!(store.tokens().issue(&auditor).await.unwrap());
        assert_eq!(store.tokens().get(&token.id).await.unwrap().unwrap(), token);
        assert_eq!(store.tokens().list(Some(&project.id)).await.unwrap().len(), 1);
        assert_eq!(store.tokens().list(None).await.unwrap().len(), 2);
        assert!(
            store
                .tokens()
                .revoke(&token.id, at(9), &user("olga"))
                .await
                .unwrap()
        );
        assert!(
            !store
                .tokens()
                .revoke(&token.id, at(10), &user("olga"))
                .await
                .unwrap()
        );
        assert_eq!(
            store.tokens().get(&token.id).await.unwrap().unwrap().revoked,
            Some((at(9), user("olga")))
        );

        let (one, two) = (session(&token, 1), session(&token, 2));
        store.sessions().open(&one).await.unwrap();
        store.sessions().open(&two).await.unwrap();
        assert!(store.sessions().close(&one.id, at(11), "idle").await.unwrap());
        assert!(!store.sessions().close(&one.id, at(12), "idle").await.unwrap());
        assert_eq!(
            store.sessions().close_all(at(13), "restart").await.unwrap(),
            [two.id]
        );
        let closed = store.sessions().get(&one.id).await.unwrap().unwrap().closed;
        assert_eq!(closed, Some((at(11), "idle".to_owned())));
        assert_eq!(store.sessions().list(Some(&project.id)).await.unwrap().len(), 2);
    });
}

/// Whether any file of the store's directory contains these bytes.
pub(crate) fn on_disk(root: &Path, needle: &[u8]) -> bool {
    fs::read_dir(root.join("store")).unwrap().any(|entry| {
        let bytes = match fs::read(entry.unwrap().path()) {
            Ok(bytes) => bytes,
            // SQLite's thread may still be closing a store that was dropped, and its log goes with that.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            Err(error) => panic!("{error}"),
        };
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[test]
fn a_closed_project_leaves_no_key_and_no_draft_on_the_disk() {
    let directory = scene::new_home();
    let root = directory.path();
    let home = scene::open(root);
    scene::wait(async {
        let store = home.store().await.unwrap();
        let project = project(&home, "one");
        let key = project.pseudonym_key.clone().unwrap();
        assert!(store.projects().apply(&project).await.unwrap());
        let token = token(&project, 1);
        assert!(store.tokens().issue(&token).await.unwrap());
        store.sessions().open(&session(&token, 1)).await.unwrap();
        let mut request = request(&project, 1);
        request.output = Some(scene::OUTPUT.repeat(1000));
        let insight = Insight {
            sealed: b"what reviewers see, sealed".repeat(1000),
            sha256: "ab".repeat(32),
        };
        let insights = store.insights();
        insights.keep(&request.id, &project.id, &insight).await.unwrap();
        assert_eq!(insights.of(&request.id).await.unwrap(), Some(insight));
        assert!(store.requests().submit(&request).await.unwrap());
        assert!(
            on_disk(root, key.as_bytes()) && on_disk(root, scene::OUTPUT) && on_disk(root, b"reviewers see"),
            "the search finds what is there"
        );

        let end = Closed {
            at: at(9),
            by: user("olga"),
            reason: "permit ended".to_owned(),
        };
        assert!(store.projects().close(&project.id, &end).await.unwrap());
        assert!(!on_disk(root, key.as_bytes()), "the key is gone");
        assert!(!on_disk(root, scene::OUTPUT), "the draft is gone");
        assert!(!on_disk(root, b"reviewers see"), "the evidence is gone");
        assert_eq!(store.insights().of(&request.id).await.unwrap(), None);

        assert!(
            !store.projects().close(&project.id, &end).await.unwrap(),
            "closed once"
        );
        let closed = store.projects().get(&project.id).await.unwrap().unwrap();
        assert_eq!((closed.pseudonym_key, closed.closed), (None, Some(end)));
        assert!(
            store
                .tokens()
                .get(&token.id)
                .await
                .unwrap()
                .unwrap()
                .revoked
                .is_some()
        );
        assert!(store.sessions().list(None).await.unwrap()[0].closed.is_some());
        let kept = store.requests().get(&request.id).await.unwrap().unwrap();
        assert_eq!((kept.output, kept.record), (None, None));
        let mut next = project.clone();
        next.revision = 2;
        assert!(!store.projects().apply(&next).await.unwrap(), "closed for good");
        assert!(!store.tokens().issue(&scene::token(&project, 3)).await.unwrap());
        assert!(
            !store
                .requests()
                .submit(&scene::request(&project, 3))
                .await
                .unwrap()
        );
        let step = Move {
            from: "submitted",
            to: "released",
            at: at(9),
            actor: &user("bo"),
            note: "",
        };
        assert!(
            !store
                .releases()
                .publish(&release(&request, 1), &step)
                .await
                .unwrap()
        );
        assert_eq!(store.integrity().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn what_a_closed_project_released_stays() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    scene::wait(async {
        let store = home.store().await.unwrap();
        scene::work_in_store(&home, &store).await;
        let releases = store.releases().list(None).await.unwrap();
        let release = store.releases().get(&releases[0].id).await.unwrap().unwrap();
        assert_eq!(release.output, scene::OUTPUT);
        let request = store.requests().get(&release.request).await.unwrap().unwrap();
        assert_eq!(request.output.as_deref(), Some(scene::OUTPUT));
    });
}

#[test]
fn damage_is_found() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    let database = home.layout().database();
    scene::wait(async {
        let store = home.store().await.unwrap();
        scene::work_in_store(&home, &store).await;
        assert_eq!(store.integrity().await.unwrap(), Vec::<String>::new());
        store.close().await;
    });
    let good = fs::read(&database).unwrap();
    let place = good
        .windows(scene::OUTPUT.len())
        .position(|window| window == scene::OUTPUT)
        .unwrap();
    let mut altered = good.clone();
    altered[place] ^= 1;
    fs::write(&database, altered).unwrap();
    scene::wait(async {
        let faults = home.store().await.unwrap().integrity().await.unwrap();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].contains("altered"), "{faults:?}");
    });
    fs::write(&database, &good[..good.len() / 2]).unwrap();
    scene::wait(async {
        let refused = match home.store().await {
            Err(_) => true,
            Ok(store) => store.integrity().await.map_or(true, |faults| !faults.is_empty()),
        };
        assert!(refused);
    });
}
