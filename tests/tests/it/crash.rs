//! `kill -9` at any moment: of the server, of an ingest, of `tre init`. Afterwards store, log and versions verify, what
//! anybody was told is there, and nothing is released without its entry.
//!
//! Failpoints end the process before and after every durable step; on top of them come 20 random moments each. The
//! clinic is so small that a life of a server takes seconds.

use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tre_tests::home::{Home, Token};
use tre_tests::log::{event, text};
use tre_tests::scenes::{Permit, bring_clinic, ingest_clinic};
use tre_tests::server::Server;
use tre_tests::wait::{PATIENCE, until};

/// Random moments, for the server and for the ingest.
const MOMENTS: usize = 20;

/// What people were told during a life of the server.
#[derive(Debug, Default)]
struct Told {
    project: Option<String>,
    tokens: Vec<String>,
    request: Option<String>,
    votes: usize,
    release: Option<String>,
    closed: bool,
}

/// Everything that makes the server write: a project, tokens, a session, a request with two votes and its release, and
/// the project's end. Stops at the first call that fails, which is where the server died.
fn work(home: &Home, server: &Server, operator: &Token, project: &str, told: &mut Told) -> Result<()> {
    let permit = Permit {
        project,
        ..Permit::default()
    };
    let file = format!("{project}.toml");
    home.write(&file, permit.text())?;
    let operator = server.person(operator);
    operator.tre(&["project", "apply", &file])?.ok()?;
    told.project = Some(project.to_owned());
    let mut token = |user: &str, role: &str| -> Result<Token> {
        let token = home.token(user, role, Some(project))?;
        told.tokens.push(token.id.clone());
        Ok(token)
    };
    let [alice, bo, cy] = [
        token("alice", "analyst")?,
        token("bo", "checker")?,
        token("cy", "checker")?,
    ];
    let [alice, bo, cy] = [&alice, &bo, &cy].map(|token| server.person(token));
    let sql = "SELECT sex, count(*) AS n FROM visit GROUP BY sex";
    let request = alice.json(&["request", "submit", "-c", sql, "--title", "t", "--context", "c"])?;
    let id = request["id"].as_str().context("no id")?.to_owned();
    told.request = Some(id.clone());
    for checker in [bo, cy] {
        let voted = checker.json(&["review", "approve", &id, "--comment", "good"])?;
        told.votes += 1;
        told.release = voted["release"].as_str().map(str::to_owned);
    }
    alice.tre(&["release", "fetch", &id, "-o", "-"])?.ok()?;
    operator.tre(&["project", "close", project])?.ok()?;
    told.closed = true;
    Ok(())
}

/// A home with the clinic, and an operator's token that does not need the server.
fn clinic() -> Result<(Home, Token)> {
    let home = Home::empty()?;
    ingest_clinic(&home)?;
    let operator = home.token("olga", "operator", None)?;
    Ok((home, operator))
}

/// What must hold after any crash.
fn holds(home: &Home, told: &Told) -> Result<()> {
    home.is_sound()?;
    let (store, log) = (home.store()?, home.log()?);
    let logged = |name: &str, field: &str, value: &str| {
        log.iter()
            .any(|entry| event(entry) == name && text(entry, field) == value)
    };

    // What is in force has its entry.
    for (table, column, name, field) in [
        ("project", "id", "project_applied", "project"),
        ("token", "id", "token_issued", "token"),
        ("session", "id", "session_opened", "session"),
        ("request", "id", "request_submitted", "request"),
        ("review", "request", "review_voted", "request"),
        ("release", "id", "released", "release"),
    ] {
        for value in store.texts(table, column) {
            ensure!(
                logged(name, field, &value),
                "the row `{value}` of `{table}` has no entry `{name}`"
            );
        }
    }
    for release in store.rows("release") {
        let of = |row: &&Value| row["request"] == release["request"];
        let votes = store.rows("review").iter().filter(of).count();
        ensure!(votes == 2, "a release with {votes} votes: {release}");
        ensure!(!release["output"].is_null(), "a release without its bytes");
    }

    // What people were told is there.
    let stored =
        |table: &str, id: &Option<String>| id.as_ref().is_none_or(|id| store.texts(table, "id").contains(id));
    ensure!(
        stored("project", &told.project)
            && stored("request", &told.request)
            && stored("release", &told.release),
        "{told:?}"
    );
    ensure!(
        told.tokens
            .iter()
            .all(|id| store.texts("token", "id").contains(id)),
        "a token was lost: {told:?}"
    );
    let votes = store
        .rows("review")
        .iter()
        .filter(|row| row["request"].as_str() == told.request.as_deref())
        .count();
    ensure!(
        told.request.is_none() || votes >= told.votes,
        "{votes} votes are stored: {told:?}"
    );
    if told.closed {
        let mut projects = store.rows("project").iter();
        let closed = projects
            .any(|row| row["id"].as_str() == told.project.as_deref() && row["pseudonym_key"].is_null());
        ensure!(closed, "a closed project has a key: {told:?}");
    }
    whole_versions(home, &log)
}

/// Every version that is there is whole (doctor read its files) and has its entry; nothing is left of others.
fn whole_versions(home: &Home, log: &[Value]) -> Result<()> {
    let datasets = home.path().join("datasets");
    for dataset in std::fs::read_dir(&datasets)? {
        let dataset = dataset?;
        let name = dataset.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        for version in std::fs::read_dir(dataset.path())? {
            let version = version?;
            let id = format!("{name}@{}", version.file_name().to_string_lossy());
            ensure!(
                version.path().join("manifest.json").is_file(),
                "half a version: {id}"
            );
            let ingested = log
                .iter()
                .any(|entry| event(entry) == "dataset_ingested" && text(entry, "version") == id);
            ensure!(ingested, "the version {id} has no entry");
        }
    }
    Ok(())
}

#[test]
fn the_server_dies_at_every_failpoint() {
    let points = tre_home::failpoint::ALL
        .iter()
        .filter(|name| name.starts_with("audit.") || name.starts_with("store."));
    let mut unreached = Vec::new();
    let (clinic, operator) = clinic().unwrap();
    for point in points {
        let home = Home::like(&clinic.path()).unwrap();
        let mut told = Told::default();
        let environment = [("TRE_FAILPOINTS", "1"), ("TRE_FAILPOINT", *point)];
        match Server::attempt(&home, &environment).unwrap() {
            // It died of its first entry, that it starts.
            Err((status, printed)) => {
                assert_eq!(status.signal(), Some(nix::libc::SIGABRT), "{point}: {printed}")
            }
            Ok(mut server) => {
                let worked = work(&home, &server, &operator, "liver-outcomes", &mut told);
                if worked.is_ok() {
                    // What is written at the end only: the last checkpoint.
                    let stopped = server.stop();
                    if stopped.is_ok() {
                        unreached.push(*point);
                    }
                } else {
                    let printed = server.printed();
                    let died = until("the server's death", PATIENCE, || server.ended());
                    let died = died
                        .unwrap_or_else(|error| panic!("{point}: {error}: {:?}\n{printed}", worked.err()));
                    assert_eq!(died.signal(), Some(nix::libc::SIGABRT), "{point}: {printed}");
                }
            }
        }
        holds(&home, &told).unwrap_or_else(|error| panic!("{point}: {error}\n{told:?}"));
        // And life goes on.
        let server = Server::start(&home).unwrap_or_else(|error| panic!("{point}: {error}"));
        home.write(
            "next.toml",
            Permit {
                project: "next",
                ..Permit::default()
            }
            .text(),
        )
        .unwrap();
        server
            .person(&operator)
            .tre(&["project", "apply", "next.toml"])
            .unwrap()
            .ok()
            .unwrap();
        let alice = server.person(&home.token("alice", "analyst", Some("next")).unwrap());
        alice
            .sql("SELECT count(*) AS n FROM visit")
            .unwrap_or_else(|error| panic!("{point}: {error}"));
    }
    // Partial tiles are tidied away only when a log has grown past one.
    unreached.retain(|name| !name.starts_with("audit.tidy"));
    assert!(unreached.is_empty(), "never reached: {unreached:?}");
}

#[test]
fn an_ingest_dies_at_every_failpoint() {
    let of_home = tre_home::failpoint::ALL
        .iter()
        .filter(|name| name.starts_with("registry.") || name.starts_with("publish."));
    for point in of_home.chain(tre_ingest::FAILPOINTS) {
        let home = Home::empty().unwrap();
        bring_clinic(&home).unwrap();
        // One row that cannot be used, so that there is a rejects file to die at.
        let spec = format!("{}\n[rejects]\nmax_rows = 1\n", tre_tests::scenes::CLINIC);
        home.write("clinic/spec.toml", spec).unwrap();
        home.write(
            "clinic/visit.csv",
            format!("{}p1,c1,old,2025-01-01,K70,1,F\n", tre_tests::scenes::visits()),
        )
        .unwrap();
        let dying = home
            .program()
            .with("TRE_FAILPOINTS", "1")
            .with("TRE_FAILPOINT", point);
        let run = dying.run(&["ingest", "clinic/spec.toml"]).unwrap();
        assert!(run.aborted(), "{point} was not reached\n{run}");
        holds(&home, &Told::default()).unwrap_or_else(|error| panic!("{point}: {error}"));
        let again = home
            .tre(&["ingest", "clinic/spec.toml", "--format", "json"])
            .unwrap()
            .ok()
            .unwrap()
            .json()
            .unwrap();
        assert!(
            again["version"]
                .as_str()
                .is_some_and(|version| version.starts_with("liver@")),
            "{point}: {again}"
        );
        holds(&home, &Told::default()).unwrap_or_else(|error| panic!("{point}, again: {error}"));
    }
}

#[test]
fn an_init_dies_at_every_failpoint() {
    for point in tre_home::failpoint::ALL
        .iter()
        .filter(|name| name.starts_with("init."))
    {
        let home = Home::none().unwrap();
        let dying = home
            .program()
            .with("TRE_FAILPOINTS", "1")
            .with("TRE_FAILPOINT", point);
        let run = dying.run(&["init", "--self-signed"]).unwrap();
        assert!(run.aborted(), "{point} was not reached\n{run}");
        if *point == "init.config.after" {
            home.is_sound().unwrap();
            continue;
        }
        // A directory without `tre.toml` is no home: nothing works on it, and `init` says what to do.
        assert!(!home.path().join("tre.toml").exists(), "{point}");
        home.tre(&["token", "issue", "--user", "olga", "--role", "operator"])
            .unwrap()
            .ends(1)
            .unwrap();
        if home.path().join("vault").exists() {
            home.tre(&["init"]).unwrap().fails(1, "TRE-HOME-003").unwrap();
            std::fs::remove_dir_all(home.path()).unwrap();
        }
        home.tre(&["init"]).unwrap().ok().unwrap();
        home.is_sound().unwrap();
    }
}

#[test]
fn the_server_is_killed_at_random_moments() {
    let mut random = StdRng::seed_from_u64(20_261_121);
    let (home, operator) = clinic().unwrap();
    // How long a whole life of work takes here, so that the moments are spread over it.
    let server = Server::start(&home).unwrap();
    let begun = Instant::now();
    work(&home, &server, &operator, "measured", &mut Told::default()).unwrap();
    let whole = begun.elapsed();
    server.stop().unwrap();

    let mut cut_short = 0;
    for moment in 0..MOMENTS {
        let server = Server::start(&home).unwrap_or_else(|error| panic!("moment {moment}: {error}"));
        let after = whole.mul_f64(random.random_range(0.0..1.0));
        let pid = nix::unistd::Pid::from_raw(i32::try_from(server.pid()).unwrap());
        let mut told = Told::default();
        thread::scope(|scope| {
            scope.spawn(move || {
                // The moment itself is what is chosen here, not a wait for anything.
                thread::sleep(after);
                tre_tests::processes::kill_9(pid);
            });
            // Ends with the server, or, if it was quick, before it.
            let worked = work(&home, &server, &operator, &format!("p{moment}"), &mut told);
            cut_short += usize::from(worked.is_err());
        });
        drop(server);
        holds(&home, &told)
            .unwrap_or_else(|error| panic!("moment {moment}, after {after:?}: {error}\n{told:?}"));
    }
    assert!(
        cut_short >= MOMENTS / 4,
        "only {cut_short} of {MOMENTS} lives were cut short"
    );
}

#[test]
fn an_ingest_is_killed_at_random_moments() {
    let mut random = StdRng::seed_from_u64(21_112_026);
    let home = Home::empty().unwrap();
    bring_clinic(&home).unwrap();
    let begun = Instant::now();
    home.tre(&["ingest", "clinic/spec.toml"]).unwrap().ok().unwrap();
    let whole = begun.elapsed();
    let mut cut_short = 0;
    for moment in 0..MOMENTS {
        // Another content each time, so that there is a version to publish.
        let visits = format!(
            "{}q{moment},c1,50,2025-01-01,K70,1,F\n",
            tre_tests::scenes::visits()
        );
        home.write("clinic/visit.csv", visits).unwrap();
        let mut ingest = home.program().start(&["ingest", "clinic/spec.toml"]).unwrap();
        let after = whole.mul_f64(random.random_range(0.0..1.1));
        until_or(after, || ingest.ended()).unwrap();
        ingest.kill().unwrap();
        cut_short += usize::from(!ingest.wait(PATIENCE).unwrap().status.success());
        holds(&home, &Told::default())
            .unwrap_or_else(|error| panic!("moment {moment}, after {after:?}: {error}"));
    }
    assert!(
        cut_short >= MOMENTS / 4,
        "only {cut_short} of {MOMENTS} ingests were cut short"
    );
    home.tre(&["ingest", "clinic/spec.toml"]).unwrap().ok().unwrap();
    holds(&home, &Told::default()).unwrap();
}

/// Lets so much time pass, or less if something happens before.
fn until_or(time: Duration, mut happened: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < time && !happened()? {
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
