//! The audit log of a real server, verified by software that is not ours: Go's own note and tlog packages.

use std::fs;

use anyhow::Result;
use tre_tests::home::Home;
use tre_tests::log;
use tre_tests::scenes::{Permit, ingest_clinic};
use tre_tests::server::Server;

use crate::peers::{client, verifier};

/// More than one full tile of 256 entries, so that the tree has two levels of tiles.
const REFUSALS: usize = 300;

#[test]
fn a_third_party_accepts_the_log_and_rejects_every_alteration() {
    let home = Home::empty().unwrap();
    ingest_clinic(&home).unwrap();
    let server = Server::start(&home).unwrap();
    let operator = server.person(&home.token("olga", "operator", None).unwrap());
    home.write("permit.toml", Permit::default().text()).unwrap();
    operator
        .tre(&["project", "apply", "permit.toml"])
        .unwrap()
        .ok()
        .unwrap();
    let alice = server.person(&home.token("alice", "analyst", Some("liver-outcomes")).unwrap());
    alice
        .sql("SELECT sex, count(*) AS n FROM visit GROUP BY sex")
        .unwrap();
    knock(&home, &server).unwrap();

    // While the server is at work: a copy, as an auditor takes one.
    let uta = server.person(&home.token("uta", "auditor", None).unwrap());
    uta.tre(&["audit", "export", "--copy", "copy"])
        .unwrap()
        .ok()
        .unwrap();
    accepts(&home.beside("copy")).unwrap();
    server.stop().unwrap();
    assert!(home.log().unwrap().len() > 256);

    let log = home.path().join("audit");
    accepts(&log).unwrap();
    let key = log.join("vkey");
    let altered = verifier(&[
        "-alterations",
        "200",
        "-seed",
        "7",
        log.to_str().unwrap(),
        key.to_str().unwrap(),
    ]);
    let altered = altered.unwrap().ok().unwrap();
    assert!(
        altered.out.contains("rejected all of 200 alterations"),
        "{altered}"
    );
}

#[test]
fn an_auditor_gets_the_log_from_the_server_and_nobody_else_does() {
    let home = Home::empty().unwrap();
    let server = Server::start(&home).unwrap();
    let [uta, olga] = [("uta", "auditor"), ("olga", "operator")]
        .map(|(user, role)| server.person(&home.token(user, role, None).unwrap()));
    let export = |words: &[&str]| {
        let words = [&["audit", "export"], words].concat();
        log::parsed(&uta.tre(&words).unwrap().ok().unwrap().out).unwrap()
    };
    let entries = export(&[]);
    log::is_well_formed(&entries).unwrap();
    // Its own entry is the last, since it is written first.
    let names: Vec<&str> = entries.iter().map(log::event).collect();
    assert_eq!(
        names,
        [
            "home_initialised",
            "server_started",
            "token_issued",
            "token_issued",
            "log_exported"
        ]
    );
    let later = export(&["--first", "3"]);
    assert_eq!(later.first(), entries.get(3));
    assert_eq!(later.len(), 3, "the second export is an entry too");
    for words in [&["audit", "export"][..], &["audit", "export", "--copy", "copy"]] {
        olga.tre(words).unwrap().fails(1, "TRE-AUTH-005").unwrap();
    }
    assert!(!home.beside("copy").exists());
    server.stop().unwrap();
    let log = home.log().unwrap();
    assert_eq!(log.get(..entries.len()), Some(entries.as_slice()));
}

#[test]
fn the_program_itself_finds_an_altered_byte() {
    let home = Home::empty().unwrap();
    home.token("olga", "operator", None).unwrap();
    home.tre(&["audit", "export", "--log", "home/audit", "--copy", "copy"])
        .unwrap()
        .ok()
        .unwrap();
    home.tre(&["audit", "verify", "--log", "copy"])
        .unwrap()
        .ok()
        .unwrap();
    for name in ["checkpoint", "vkey"] {
        let path = home.beside("copy").join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        fs::write(&path, bad).unwrap();
        let run = home.tre(&["audit", "verify", "--log", "copy"]).unwrap();
        assert!(run.status.code() == Some(1), "{name}: {run}");
        fs::write(&path, good).unwrap();
    }
    home.tre(&["audit", "verify", "--log", "copy"])
        .unwrap()
        .ok()
        .unwrap();
}

/// Calls without a good token, each of which is an entry.
fn knock(home: &Home, server: &Server) -> Result<()> {
    let token = home.write("bad-token", "bad")?;
    let queries = home.write(
        "queries.json",
        serde_json::to_string(&vec!["SELECT 1"; REFUSALS])?,
    )?;
    let arguments = [
        server.url(),
        &token.to_string_lossy(),
        "-",
        &queries.to_string_lossy(),
    ];
    let refused = client("pyarrow_client.py", &arguments)?.ok()?.json()?;
    let refused = refused.as_array().map(Vec::as_slice).unwrap_or_default();
    anyhow::ensure!(
        refused.len() == REFUSALS && refused.iter().all(|one| one.get("error").is_some()),
        "{refused:?}"
    );
    Ok(())
}

fn accepts(log: &std::path::Path) -> Result<()> {
    let key = log.join("vkey");
    let run = verifier(&[&log.to_string_lossy(), &key.to_string_lossy()])?.ok()?;
    anyhow::ensure!(run.out.starts_with("accepted:"), "{run}");
    Ok(())
}
