//! A home to test on, and a day's work in it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use tre_core::audit::{Actor, Event};
use tre_core::ids::{DatasetName, ProjectId, ReleaseId, RequestId, SessionId, TokenId, UserName, VersionId};
use tre_core::manifest::{FileManifest, Manifest, TableManifest};
use tre_core::permit::Role;
use tre_home::catalogue::{Staged, data_file_name};
use tre_home::registry::UNIT_RANGES;
use tre_home::store::{Closed, Move, PinnedPolicy, Project, Release, Request, Review, Session, Store, Token};
use tre_home::vault::sha256_hex;
use tre_home::{Home, InitOptions};

pub(crate) fn user(name: &str) -> UserName {
    name.parse().unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor::user(user("local:tester"))
}

pub(crate) fn at(second: u32) -> jiff::Timestamp {
    format!("2026-03-01T12:00:{second:02}Z").parse().unwrap()
}

pub(crate) fn options() -> InitOptions {
    InitOptions {
        name: "a test".to_owned(),
        origin: Some("tre.example.org/audit".parse().unwrap()),
        timezone: "UTC".parse().unwrap(),
        listen: None,
        web: None,
        certificate: Some(vec!["tre.example.org".to_owned(), "10.0.0.1".to_owned()]),
        sdc_policies: vec![("ndb.toml".to_owned(), b"# rules".to_vec())],
        access_policies: vec![("tre.cedar".to_owned(), b"// rules".to_vec())],
        actor: actor(),
    }
}

/// A new home. Making keys, certificate and database takes its time, so it is done once and copied: homes of one run
/// have the same keys.
pub(crate) fn new_home() -> tempfile::TempDir {
    static TEMPLATE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let template = TEMPLATE.get_or_init(another_home);
    let directory = tempfile::tempdir().unwrap();
    copy(template.path(), directory.path());
    directory
}

/// A new home with keys of its own.
pub(crate) fn another_home() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    Home::init(directory.path(), options()).unwrap();
    directory
}

/// Copies a directory with the modes of everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, target) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

pub(crate) fn open(root: &Path) -> Home {
    Home::open(root, "a test").unwrap()
}

pub(crate) fn event(n: usize) -> Event {
    Event::ControlRefused {
        call: format!("call {n}"),
        code: "TRE-AUTH-001".to_owned(),
    }
}

/// The public key of a home's log, as an auditor would have it.
pub(crate) fn vkey(root: &Path) -> String {
    fs::read_to_string(root.join("audit/vkey")).unwrap()
}

pub(crate) fn dataset() -> DatasetName {
    "liver".parse().unwrap()
}

/// Runs async code to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Numbers some units and publishes a version; `hash` is its content.
pub(crate) fn ingest(home: &Home, hash: u8) -> VersionId {
    let files = home.files();
    let ingest = files.ingest("a test").unwrap();
    let population = "clinic".parse().unwrap();
    let linkage = files.vault().unit_linkage(&population);
    let mut links: Vec<_> = (0..100_u8).map(|unit| linkage.link(&[hash, unit])).collect();
    links.sort_unstable();
    let registry = ingest.registry();
    let mut assignment = registry.assign(&population, None).unwrap();
    for link in &links {
        assignment.number(link).unwrap();
    }
    let numbered = assignment.finish().unwrap();

    let staging = ingest.stage().unwrap();
    let table: tre_core::ids::TableName = "visit".parse().unwrap();
    let data = (0..UNIT_RANGES).map(|range| {
        let name = data_file_name(&table, range);
        let text = format!("{hash} {range}");
        staging
            .create_file(&name)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        FileManifest {
            name,
            rows: 1,
            bytes: text.len() as u64,
            sha256: sha256_hex(text.as_bytes()),
        }
    });
    let version = VersionId::from_hash(dataset(), [hash; 32]);
    let key = files.vault().new_version_key().unwrap();
    let manifest = Manifest {
        version: version.clone(),
        title: "Liver".to_owned(),
        population,
        created: at(u32::from(hash)),
        spec: "{}".to_owned(),
        cuts: numbered.cuts(),
        tables: vec![TableManifest {
            name: table.clone(),
            description: String::new(),
            public: false,
            columns: Vec::new(),
            files: data.collect(),
            rows: UNIT_RANGES as u64,
        }],
        wrapped_key: files.vault().wrap_version_key(&version, &key).unwrap(),
    };
    match staging.seal(manifest).unwrap() {
        Staged::Unchanged(_) => {}
        Staged::Ready(ready) => {
            numbered.commit().unwrap();
            let event = Event::DatasetIngested {
                version: version.clone(),
                population: ready.manifest().population.clone(),
                tables: 1,
                rows: UNIT_RANGES as u64,
                rejected: 0,
                manifest_sha256: ready.manifest_sha256().to_owned(),
            };
            home.audit().append_blocking(actor(), event).unwrap();
            ready.publish().unwrap();
        }
    }
    version
}

pub(crate) fn project(home: &Home, id: &str) -> Project {
    let id: ProjectId = id.parse().unwrap();
    Project {
        revision: 1,
        permit: "project = ...".to_owned(),
        permit_sha256: sha256_hex(b"project = ..."),
        grant_json: "{}".to_owned(),
        policies: vec![PinnedPolicy {
            id: "ndb".parse().unwrap(),
            sha256: sha256_hex(b"# rules"),
            bytes: b"# rules".to_vec(),
        }],
        pseudonym_key: Some(home.vault().new_pseudonym_key(&id).unwrap()),
        applied_at: at(1),
        applied_by: user("olga"),
        closed: None,
        id,
    }
}

pub(crate) fn token(project: &Project, n: u8) -> Token {
    Token {
        id: TokenId::from_random([n; 10]),
        project: Some(project.id.clone()),
        user: user("alice"),
        role: Role::Analyst,
        issued_at: at(2),
        issued_by: user("local:root"),
        expires_at: at(59),
        revoked: None,
    }
}

pub(crate) fn session(token: &Token, n: u8) -> Session {
    Session {
        id: SessionId::from_random([n; 10]),
        token: token.id.clone(),
        project: token.project.clone().unwrap(),
        user: token.user.clone(),
        opened_at: at(3),
        closed: None,
    }
}

pub(crate) const OUTPUT: &[u8] = b"the frozen bytes of a draft that must not survive";

pub(crate) fn request(project: &Project, n: u8) -> Request {
    Request {
        id: RequestId::from_random([n; 10]),
        project: project.id.clone(),
        author: user("alice"),
        exit: "release".to_owned(),
        title: "a table".to_owned(),
        context: "for a paper".to_owned(),
        sql: "SELECT 1".to_owned(),
        state: "submitted".to_owned(),
        submitted_at: at(4),
        output: Some(OUTPUT.to_vec()),
        output_sha256: sha256_hex(OUTPUT),
        record: Some("{}".to_owned()),
        record_sha256: sha256_hex(b"{}"),
    }
}

pub(crate) fn review(request: &Request, reviewer: &str) -> Review {
    Review {
        request: request.id.clone(),
        reviewer: user(reviewer),
        vote: "approve".to_owned(),
        comment: String::new(),
        at: at(5),
        output_sha256: request.output_sha256.clone(),
    }
}

pub(crate) fn release(request: &Request, n: u8) -> Release {
    Release {
        id: ReleaseId::from_random([n; 10]),
        request: request.id.clone(),
        project: request.project.clone(),
        released_at: at(6),
        media_type: "text/csv".to_owned(),
        output: OUTPUT.to_vec(),
        output_sha256: request.output_sha256.clone(),
        record: "{}".to_owned(),
        record_sha256: request.record_sha256.clone(),
    }
}

/// Every kind of change that the store knows. Leaves a closed project, whose key it prints for the parent.
pub(crate) async fn work_in_store(home: &Home, store: &Store) {
    let alice = user("alice");
    let project = project(home, "liver-outcomes");
    println!("\nkey {}", project.pseudonym_key.as_deref().unwrap());
    assert!(store.projects().apply(&project).await.unwrap());
    let token = token(&project, 1);
    assert!(store.tokens().issue(&token).await.unwrap());
    let session = session(&token, 1);
    store.sessions().open(&session).await.unwrap();
    let request = request(&project, 1);
    assert!(store.requests().submit(&request).await.unwrap());
    let step = Move {
        from: "submitted",
        to: "in-review",
        at: at(5),
        actor: &alice,
        note: "",
    };
    assert!(store.requests().transition(&request.id, &step).await.unwrap());
    assert!(
        store
            .reviews()
            .vote(&review(&request, "bo"), "in-review")
            .await
            .unwrap()
    );
    let step = Move {
        from: "in-review",
        to: "released",
        at: at(6),
        actor: &alice,
        note: "",
    };
    assert!(
        store
            .releases()
            .publish(&release(&request, 1), &step)
            .await
            .unwrap()
    );
    let ledger = store.ledger();
    for n in 1..=2 {
        let answer = crate::ledger::answer(n, 2);
        ledger.append(home.vault(), u64::from(n), &answer).await.unwrap();
    }
    let end = Closed {
        at: at(7),
        by: user("olga"),
        reason: "over".to_owned(),
    };
    assert!(store.projects().close(&project.id, &end).await.unwrap());
}
