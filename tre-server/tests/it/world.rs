//! A home with one project, and a server on it inside this process. The project is written to the store directly: no
//! dataset, no worker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use arrow_flight::sql::client::FlightSqlServiceClient;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tre_core::audit::{Actor, Entry, Event};
use tre_core::codes::Problem;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::VersionId;
use tre_core::manifest::ColumnMeta;
use tre_core::permit::Role;
use tre_core::types::ColumnType;
use tre_home::audit::Entries;
use tre_home::store::{PinnedPolicy, Project};
use tre_home::vault::sha256_hex;
use tre_home::{Home, InitOptions};
use tre_server::identity::Wish;
use tre_server::{Options, Server, local};

const PERMIT: &str = r#"
project = "liver"
title = "Outcomes"
purpose = { text = "p" }
legal_basis = "l"
valid = { from = 2020-01-01, until = 2099-12-31 }
people = [ { user = "ana", roles = ["analyst"] }, { user = "kim", roles = ["checker"] }, { user = "vera", roles = ["checker"] } ]
[[dataset]]
id = "liver"
tables.visit.columns = ["pid", "age"]
tables.icd10.columns = ["code"]
[exit.view]
policy = "ndb"
reviewers = 0
[exit.release]
policy = "ndb"
reviewers = 2
[limits]
sessions = 2
"#;

/// A home and, once started, its server.
pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), Problem>>,
    tokens: Vec<(&'static str, Role, String)>,
}

fn column(name: &str) -> ColumnMeta {
    ColumnMeta {
        name: name.parse().unwrap(),
        column_type: if name == "age" {
            ColumnType::Int
        } else {
            ColumnType::Text
        },
        description: String::new(),
        entity: None,
        measure: None,
        domain: None,
        tag: None,
        hierarchy: None,
        generalised: String::new(),
    }
}

fn table(name: &str, public: bool, stored: &[&str], permitted: &[&str]) -> GrantedTable {
    GrantedTable {
        version: VersionId::from_hash("liver".parse().unwrap(), [7; 32]),
        table: name.parse().unwrap(),
        description: format!("about {name}"),
        public,
        population: "clinic".parse().unwrap(),
        cuts: vec![0],
        stored: stored.iter().map(|name| column(name)).collect(),
        columns: permitted.iter().map(|name| name.parse().unwrap()).collect(),
        row_filter: None,
        files: vec![],
    }
}

/// A permit may name few of the stored columns; `secret` is one that it does not name.
fn project(permit: &str, home: &Home) -> Project {
    let tables = vec![
        table("visit", false, &["age", "secret"], &["age"]),
        table("icd10", true, &["code", "hidden"], &["code"]),
    ];
    let grant = Grant {
        project: "liver".parse().unwrap(),
        tables,
    };
    let policy = std::fs::read(home.layout().sdc_policies().join("ndb.toml")).unwrap();
    Project {
        id: "liver".parse().unwrap(),
        revision: 1,
        permit: permit.to_owned(),
        permit_sha256: sha256_hex(permit.as_bytes()),
        grant_json: serde_json::to_string(&grant).unwrap(),
        policies: vec![PinnedPolicy {
            id: "ndb".parse().unwrap(),
            sha256: sha256_hex(&policy),
            bytes: policy,
        }],
        pseudonym_key: Some(home.vault().new_pseudonym_key(&"liver".parse().unwrap()).unwrap()),
        applied_at: Timestamp::UNIX_EPOCH,
        applied_by: "olga".parse().unwrap(),
        closed: None,
    }
}

fn shipped(name: &str) -> (String, Vec<u8>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../policies/sdc")
        .join(name);
    (name.to_owned(), std::fs::read(path).unwrap())
}

fn actor() -> Actor {
    Actor::user("local:test".parse().unwrap())
}

/// A home that nobody has opened yet.
pub(crate) fn home() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let options = InitOptions {
        name: "test".to_owned(),
        origin: Some("tre.test/audit".parse().unwrap()),
        timezone: Default::default(),
        listen: None,
        web: None,
        certificate: None,
        sdc_policies: vec![shipped("ndb.toml"), shipped("opensafely.toml")],
        access_policies: vec![],
        actor: actor(),
    };
    Home::init(&directory.path().join("home"), options).unwrap();
    directory
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens are judged by the clock of the server under test"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

impl World {
    /// A server on a new home with the project `liver`.
    pub(crate) async fn start() -> World {
        World::start_with(PERMIT).await
    }

    /// A server in which the permit ended long ago. Its people got their tokens while it was in force.
    pub(crate) async fn start_expired() -> World {
        World::start_with(&PERMIT.replace("2099-12-31", "2020-12-31")).await
    }

    async fn start_with(permit: &str) -> World {
        let directory = home();
        let home = Home::open(&directory.path().join("home"), "test").unwrap();
        let store = home.store().await.unwrap();
        assert!(store.projects().apply(&project(PERMIT, &home)).await.unwrap());
        let mut tokens = Vec::new();
        for (user, role) in [
            ("ana", Role::Analyst),
            ("kim", Role::Checker),
            ("olga", Role::Operator),
            ("uta", Role::Auditor),
        ] {
            let project = role.is_of_a_project().then(|| "liver".parse().unwrap());
            let wish = Wish {
                user: user.parse().unwrap(),
                role,
                project,
                ttl: Duration::from_secs(3600),
            };
            let issued = local::issue(&home, &store, actor(), wish, now()).await.unwrap();
            tokens.push((user, role, issued.token));
        }
        if permit != PERMIT {
            let later = Project {
                revision: 2,
                ..project(permit, &home)
            };
            assert!(store.projects().apply(&later).await.unwrap());
        }
        store.close().await;
        let listen = Some("127.0.0.1:0".parse().unwrap());
        // No worker can be started: what these tests do needs none.
        let worker = Some(PathBuf::from("/nonexistent/tre"));
        let server = Server::bind(home, Options { listen, worker }).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));
        World {
            directory,
            address,
            stop: Some(stop),
            running,
            tokens,
        }
    }

    /// The token of a role.
    pub(crate) fn token(&self, role: Role) -> &str {
        &self.tokens.iter().find(|(_, known, _)| *known == role).unwrap().2
    }

    pub(crate) async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address))
            .unwrap()
            .connect()
            .await
            .unwrap()
    }

    /// A Flight SQL client with a token, or with none.
    pub(crate) async fn client(&self, token: Option<&str>) -> FlightSqlServiceClient<Channel> {
        let mut client = FlightSqlServiceClient::new(self.channel().await);
        if let Some(token) = token {
            client.set_token(token.to_owned());
        }
        client
    }

    /// Puts a file where the log's tiles have to go, which stops whoever writes there, root included. Gives what mends it.
    pub(crate) fn break_the_log(&self) -> impl FnOnce() + use<> {
        let log = self.directory.path().join("home/audit");
        let (tiles, aside) = (log.join("tile"), log.with_file_name("tile-aside"));
        std::fs::rename(&tiles, &aside).unwrap();
        std::fs::write(&tiles, b"").unwrap();
        move || {
            std::fs::remove_file(&tiles).unwrap();
            std::fs::rename(&aside, &tiles).unwrap();
        }
    }

    /// Stops a server whose log has failed, mends the log and insists that it verifies. Says how the server ended.
    pub(crate) async fn stop_broken(mut self, mend: impl FnOnce()) -> Problem {
        self.stop.take().unwrap().send(()).unwrap();
        let ended = self.running.await.unwrap().unwrap_err();
        mend();
        let home = Home::open(&self.directory.path().join("home"), "test").unwrap();
        let directory = home.layout().audit();
        let key = std::fs::read_to_string(directory.join("vkey")).unwrap();
        let report = tre_home::audit::verify(&directory, &key, None);
        assert_eq!(report.fault, None);
        ended
    }

    /// Stops the server, and says what its log holds.
    pub(crate) async fn stop(mut self) -> Vec<Event> {
        self.stop.take().unwrap().send(()).unwrap();
        self.running.await.unwrap().unwrap();
        let home = Home::open(&self.directory.path().join("home"), "test").unwrap();
        let _checkpoint = home.audit().checkpoint().unwrap();
        let entries = Entries::new(&home.layout().audit(), 0);
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Entry>(&bytes).unwrap().event().clone();
        entries.map(|entry| read(entry.unwrap())).collect()
    }
}
