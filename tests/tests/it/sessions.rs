//! Sessions live beside each other: each with its own tables and processes, each ending alone.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::Pid;
use serde_json::Value;
use tre_tests::home::{Home, Token};
use tre_tests::person::{Answer, Person};
use tre_tests::processes::{kill_9, of_session, ticks, workers};
use tre_tests::program::{Run, Running};
use tre_tests::scenes::Permit;
use tre_tests::server::Server;
use tre_tests::wait::{PATIENCE, holds, until};

/// Project, analyst, table of its own, columns.
const PROJECTS: [(&str, &str, &str, &[&str]); 6] = [
    ("one", "ann", "person", &["pid", "gender"]),
    ("two", "ben", "visit_occurrence", &["pid", "age"]),
    ("three", "cat", "condition_occurrence", &["pid", "age"]),
    ("four", "dan", "drug_exposure", &["pid", "age"]),
    ("five", "eve", "measurement", &["pid", "age"]),
    ("six", "fay", "concept", &["concept_id"]),
];

/// A query that takes long enough to be caught at it: all pairs, triples, … of a person's measurements.
const LONG: &str = "SELECT count(*) AS n FROM measurement a JOIN measurement b ON a.pid = b.pid \
                    JOIN measurement c ON a.pid = c.pid JOIN measurement d ON a.pid = d.pid";

/// The same for triples: it ends by itself after some seconds.
const SOME_SECONDS: &str = "SELECT count(*) AS n FROM measurement a JOIN measurement b ON a.pid = b.pid \
                            JOIN measurement c ON a.pid = c.pid";

/// What it counts: of every person the number of measurements to the third power.
const TRIPLES: i64 = 89_594_797;

const SHORT: &str = "SELECT count(*) AS n FROM measurement";

/// A server on the Eunomia extract, whose operator can see sessions.
struct Scene {
    // Before the home: fields are dropped in this order, and a server writes to the end.
    server: Server,
    home: Home,
    operator: Person,
}

impl Scene {
    fn new() -> Result<Scene> {
        let home = Home::eunomia()?;
        let server = Server::start(&home)?;
        let operator = server.person(&home.token("olga", "operator", None)?);
        Ok(Scene {
            home,
            server,
            operator,
        })
    }

    fn apply(&self, project: &str, user: &str, table: &str, columns: &[&str]) -> Result<()> {
        let people: &[(&str, &[&str])] = &[(user, &["analyst"]), ("bo", &["checker"]), ("cy", &["checker"])];
        let permit = Permit {
            project,
            people,
            dataset: "eunomia",
            tables: &[(table, columns, "")],
            ..Permit::default()
        };
        let name = format!("{project}.toml");
        self.home.write(&name, permit.text())?;
        self.operator.tre(&["project", "apply", &name])?.ok()?;
        Ok(())
    }

    /// A project on measurements with this many analysts' tokens.
    fn measurements<const N: usize>(&self) -> Result<[(Token, Person); N]> {
        self.apply("five", "eve", "measurement", &["pid", "age"])?;
        let mut all = Vec::new();
        for _ in 0..N {
            let token = self.home.token("eve", "analyst", Some("five"))?;
            let person = self.server.person(&token);
            person.sql(SHORT)?;
            all.push((token, person));
        }
        all.try_into()
            .map_err(|_| anyhow::anyhow!("another number of analysts"))
    }

    /// The sessions that the operator sees, oldest first.
    fn sessions(&self) -> Result<Vec<Value>> {
        let listed = self.operator.json(&["session", "list"])?;
        let mut rows = listed["rows"].as_array().context("no rows")?.clone();
        rows.sort_by_key(|row| row["started"].as_str().unwrap_or_default().to_owned());
        Ok(rows)
    }

    /// Starts a query and waits until its data worker computes. Returns the session's id too.
    fn at_work(&self, person: &Person, sql: &str) -> Result<(Running, String)> {
        let idle: Vec<String> = self.sessions()?.iter().map(id).collect();
        let mut running = person.start(&["sql", "-c", sql, "--format", "json"])?;
        let mut too_short = || -> Result<()> {
            anyhow::ensure!(
                !running.ended()?,
                "the query failed at once, or was too short to be caught"
            );
            Ok(())
        };
        let session = until("a session with a query", PATIENCE, || {
            too_short()?;
            let rows = self.sessions()?;
            let at_work = rows.iter().find(|row| row["state"] == "querying");
            Ok(at_work.map(id))
        })?;
        anyhow::ensure!(idle.contains(&session), "the query opened a session of its own");
        // A session with a query may still be planning, and a worker that is killed then was idle: what the worker has
        // used of the processor says that it is at it.
        let data = only("data", &session)?;
        let before = ticks(data)?;
        holds("a data worker at work", PATIENCE, || {
            too_short()?;
            Ok(ticks(data)? >= before + 20)
        })?;
        Ok((running, session))
    }
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap_or_default().to_owned()
}

fn only(kind: &str, session: &str) -> Result<Pid> {
    match workers(kind, session)?.as_slice() {
        [pid] => Ok(*pid),
        others => anyhow::bail!("`tre {kind} {session}` is there {} times", others.len()),
    }
}

fn gone(session: &str) -> Result<()> {
    holds("the end of a session's processes", PATIENCE, || {
        Ok(of_session(session)?.is_empty())
    })
}

fn ended(running: Running) -> Result<Run> {
    running.wait(PATIENCE)
}

#[test]
fn six_projects_at_once_see_only_their_own_and_each_has_two_processes() {
    let scene = Scene::new().unwrap();
    let mut people = Vec::new();
    for (project, user, table, columns) in PROJECTS {
        // The public table is not enough for a project on people; it comes with the first table.
        let tables: Vec<(&str, &[&str], &str)> = if table == "concept" {
            vec![(table, columns, ""), ("person", &["pid"], "")]
        } else {
            vec![(table, columns, "")]
        };
        let permit = Permit {
            project,
            people: &[(user, &["analyst"]), ("bo", &["checker"]), ("cy", &["checker"])],
            dataset: "eunomia",
            tables: &tables,
            ..Permit::default()
        };
        scene.home.write("permit.toml", permit.text()).unwrap();
        scene
            .operator
            .tre(&["project", "apply", "permit.toml"])
            .unwrap()
            .ok()
            .unwrap();
        let token = scene.home.token(user, "analyst", Some(project)).unwrap();
        people.push(scene.server.person(&token));
    }

    // All at once.
    let own = |table: &str| match table {
        "concept" => "SELECT concept_id FROM concept ORDER BY concept_id LIMIT 5".to_owned(),
        table => format!("SELECT count(*) AS n FROM {table}"),
    };
    let asked = people.iter().zip(PROJECTS);
    let running: Vec<Running> = asked
        .map(|(person, (_, _, table, _))| {
            person
                .start(&["sql", "-c", &own(table), "--format", "json"])
                .unwrap()
        })
        .collect();
    for running in running {
        ended(running).unwrap().ok().unwrap();
    }
    // `person` in project six: its session must have read data too before it has a data worker.
    people[5].sql("SELECT count(*) AS n FROM person").unwrap();

    for (person, (project, _, table, _)) in people.iter().zip(PROJECTS) {
        let schema = person.tre(&["schema", "--format", "json"]).unwrap().ok().unwrap();
        for (_, _, other, _) in PROJECTS.iter().filter(|(_, _, other, _)| *other != table) {
            if project == "six" && *other == "person" {
                continue;
            }
            person.ask(&own(other)).unwrap().fails(1, "TRE-SQL-003").unwrap();
            assert!(
                !schema.out.contains(&format!("\"{other}\"")),
                "{project} is told of {other}\n{schema}"
            );
        }
    }

    let sessions = scene.sessions().unwrap();
    assert_eq!(sessions.len(), 6, "{sessions:?}");
    let mut pids = Vec::new();
    for session in sessions.iter().map(id) {
        for kind in ["desk", "data"] {
            let pid = only(kind, &session).unwrap();
            pids.push(pid);
            for path in ["vault/vault.key", "store/tre.sqlite"] {
                // The jail's root is another one: the home is not in it.
                let inside = format!("/proc/{pid}/root{}", scene.home.path().join(path).display());
                assert!(
                    !std::path::Path::new(&inside).exists(),
                    "{kind} of {session} sees {path}"
                );
            }
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let uid = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
            let of_server = fs::read_to_string(format!("/proc/{}/status", scene.server.pid())).unwrap();
            let servers = of_server
                .lines()
                .find_map(|line| line.strip_prefix("Uid:"))
                .unwrap();
            if servers.split_whitespace().next() == Some("0") {
                assert_ne!(uid, servers, "{kind} of {session} runs as root");
            }
        }
    }

    // The server's death takes them all along.
    let Scene { server, home, .. } = scene;
    server.kill().unwrap();
    for session in sessions.iter().map(id) {
        gone(&session).unwrap();
    }
    home.is_sound().unwrap();
}

#[test]
fn a_killed_data_worker_ends_its_sessions_query_and_nothing_else() {
    let scene = Scene::new().unwrap();
    let [(_, victim), (_, other)] = scene.measurements().unwrap();
    let (theirs, session) = scene.at_work(&victim, LONG).unwrap();
    let bystander = other.start(&["sql", "-c", SHORT]).unwrap();
    let [desk, data] = ["desk", "data"].map(|kind| only(kind, &session).unwrap());
    kill_9(data);
    let lost = ended(theirs).unwrap().fails(1, "TRE-RUN-001").unwrap();
    assert!(
        lost.err.contains("(query qry_"),
        "the operator cannot find it in the log\n{lost}"
    );
    ended(bystander).unwrap().ok().unwrap();
    // The session lives on, with a new data worker and its old desk.
    victim.sql(SHORT).unwrap();
    assert!(scene.sessions().unwrap().iter().map(id).any(|id| id == session));
    assert_ne!(only("data", &session).unwrap(), data);
    assert_eq!(only("desk", &session).unwrap(), desk);
}

#[test]
fn a_killed_desk_harms_its_own_session_at_most() {
    let scene = Scene::new().unwrap();
    let [(_, victim), (_, other)] = scene.measurements().unwrap();
    let (theirs, session) = scene.at_work(&victim, SOME_SECONDS).unwrap();
    let bystander = other.start(&["sql", "-c", SHORT]).unwrap();
    let [desk, data] = ["desk", "data"].map(|kind| only(kind, &session).unwrap());
    kill_9(desk);
    // While the data worker counts the desk has nothing to do: a new one may take over. The query ends clearly, or it is
    // answered as if nothing had happened.
    let theirs = ended(theirs).unwrap();
    if theirs.status.success() {
        assert_eq!(Answer::read(&theirs).unwrap().rows[0][0], TRIPLES);
    } else {
        theirs.fails(1, "TRE-RUN-001").unwrap();
    }
    ended(bystander).unwrap().ok().unwrap();
    victim.sql(SHORT).unwrap();
    assert!(scene.sessions().unwrap().iter().map(id).any(|id| id == session));
    assert_ne!(only("desk", &session).unwrap(), desk);
    assert_eq!(only("data", &session).unwrap(), data);
}

#[test]
fn revocation_ends_a_session_at_once() {
    let scene = Scene::new().unwrap();
    let [(token, eve), (_, other)] = scene.measurements().unwrap();
    let (running, session) = scene.at_work(&eve, LONG).unwrap();
    scene
        .home
        .tre(&["token", "revoke", &token.id])
        .unwrap()
        .ok()
        .unwrap();
    let run = ended(running).unwrap().fails(1, "TRE-RUN-010").unwrap();
    assert!(run.err.contains("its token was revoked"), "{run}");
    gone(&session).unwrap();
    eve.ask(SHORT).unwrap().fails(1, "TRE-AUTH-004").unwrap();
    other.sql(SHORT).unwrap();
}

#[test]
fn an_operator_ends_a_session_at_once() {
    let scene = Scene::new().unwrap();
    let [(_, eve), (_, other)] = scene.measurements().unwrap();
    let (running, session) = scene.at_work(&eve, LONG).unwrap();
    scene
        .operator
        .tre(&["session", "kill", &session])
        .unwrap()
        .ok()
        .unwrap();
    let run = ended(running).unwrap().fails(1, "TRE-RUN-010").unwrap();
    assert!(run.err.contains("ended by olga"), "{run}");
    gone(&session).unwrap();
    assert!(!scene.sessions().unwrap().iter().map(id).any(|id| id == session));
    other.sql(SHORT).unwrap();
    scene
        .operator
        .tre(&["session", "kill", &session])
        .unwrap()
        .ends(1)
        .unwrap();
}

#[test]
fn a_lost_connection_cancels_its_query_and_leaves_the_session() {
    let scene = Scene::new().unwrap();
    let [(_, eve)] = scene.measurements().unwrap();
    let (mut running, session) = scene.at_work(&eve, LONG).unwrap();
    running.kill().unwrap();
    drop(running);
    holds("an idle session", PATIENCE, || {
        let rows = scene.sessions()?;
        let row = rows
            .iter()
            .find(|row| id(row) == session)
            .context("the session is gone with the connection")?;
        Ok(row["state"] == "idle")
    })
    .unwrap();
    eve.sql(SHORT).unwrap();
    assert_eq!(
        scene.sessions().unwrap().iter().map(id).collect::<Vec<_>>(),
        [session]
    );
}

#[test]
fn a_session_ends_with_its_token() {
    let scene = Scene::new().unwrap();
    scene
        .apply("five", "eve", "measurement", &["pid", "age"])
        .unwrap();
    let token = scene
        .home
        .token_for("eve", "analyst", Some("five"), "1m")
        .unwrap();
    let eve = scene.server.person(&token);
    eve.sql(SHORT).unwrap();
    let (running, session) = scene.at_work(&eve, LONG).unwrap();
    // The shortest life of a token is a minute; nothing else can be waited for here.
    let run = running.wait(Duration::from_secs(60) + PATIENCE).unwrap();
    let run = run.fails(1, "TRE-RUN-010").unwrap();
    assert!(run.err.contains("its token expired"), "{run}");
    gone(&session).unwrap();
    eve.ask(SHORT).unwrap().fails(1, "TRE-AUTH-003").unwrap();
    assert!(scene.sessions().unwrap().is_empty());
}

#[test]
fn a_project_has_as_many_sessions_as_its_permit_says() {
    let scene = Scene::new().unwrap();
    let all: [(Token, Person); 4] = scene.measurements().unwrap();
    let token = scene.home.token("eve", "analyst", Some("five")).unwrap();
    let fifth = scene.server.person(&token).ask(SHORT).unwrap().ends(1).unwrap();
    assert!(fifth.told().is_some(), "{fifth}");
    scene
        .home
        .tre(&["token", "revoke", &all[0].0.id])
        .unwrap()
        .ok()
        .unwrap();
    scene.server.person(&token).sql(SHORT).unwrap();
}
