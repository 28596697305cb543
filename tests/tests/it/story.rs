//! The main job from an empty directory to a released file, and who may not do what on the way.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use tre_home::vault::sha256_hex;
use tre_tests::log::{positions, text};
use tre_tests::scenes::Permit;

use crate::clinic::{IN_PART, PASSES, PROJECT, REFUSED, apply, clinic, person, string, submit};

#[test]
fn exit_codes_tell_what_became_of_a_query() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &Permit::default()).unwrap();
    let alice = person(&home, &server, "alice", "analyst");

    let passes = alice
        .tre(&["sql", "-c", PASSES, "--strict"])
        .unwrap()
        .ok()
        .unwrap();
    assert!(!passes.out.contains("suppressed"), "{passes}");
    let in_part = alice.tre(&["sql", "-c", IN_PART]).unwrap().ok().unwrap();
    assert!(
        in_part.out.contains("people: suppressed (threshold)"),
        "{in_part}"
    );
    assert!(
        in_part.err.contains("suppressed"),
        "a notice on stderr\n{in_part}"
    );
    alice
        .tre(&["sql", "-c", IN_PART, "--strict"])
        .unwrap()
        .ends(4)
        .unwrap();
    alice
        .tre(&["sql", "-c", REFUSED])
        .unwrap()
        .fails(1, "TRE-SQL-005")
        .unwrap();

    let check = alice.json(&["check", "-c", IN_PART]).unwrap();
    assert_eq!(string(&check, "decision"), "release", "{check}");
    assert!(
        !check.to_string().contains("rows\":"),
        "tre check gives no values: {check}"
    );
    alice
        .tre(&["sql", "-c", PASSES, "--no-such-flag"])
        .unwrap()
        .ends(2)
        .unwrap();
    alice.tre(&["budget", "show"]).unwrap().ends(2).unwrap();

    for (project, policy, code) in [("narrow-rows", "narrow", 3), ("no-rows", "shut", 4)] {
        apply(
            &home,
            &operator,
            &Permit {
                project,
                policy,
                ..Permit::default()
            },
        )
        .unwrap();
        let alice = server.person(&home.token("alice", "analyst", Some(project)).unwrap());
        alice
            .tre(&["sql", "-c", PASSES])
            .unwrap()
            .fails(code, "TRE-SDC-021")
            .unwrap();
        alice.tre(&["check", "-c", PASSES]).unwrap().ends(code).unwrap();
        let sum = "SELECT count(*) AS n FROM visit";
        alice.tre(&["sql", "-c", sum]).unwrap().ok().unwrap();
    }
}

#[test]
fn a_file_leaves_after_two_other_people_have_read_it() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &Permit::default()).unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    let [bo, cy] = ["bo", "cy"].map(|user| person(&home, &server, user, "checker"));

    let request = submit(&alice, IN_PART).unwrap();
    let id = string(&request, "id");
    assert_eq!(
        (&request["reviewers"], &request["approvals"]),
        (&2.into(), &0.into()),
        "{request}"
    );
    let listed = bo.json(&["review", "list"]).unwrap();
    assert!(listed.to_string().contains(id), "{listed}");
    let review = bo.json(&["review", "show", id]).unwrap();
    let frozen = string(&review, "output").to_owned();
    assert!(frozen.starts_with("sex,people,disclosure"), "{frozen}");
    assert_eq!(sha256_hex(frozen.as_bytes()), string(&request, "sha256"));

    let early = alice
        .tre(&["release", "fetch", id, "-o", "early"])
        .unwrap()
        .fails(1, "TRE-REQ-002")
        .unwrap();
    assert!(early.err.contains("is in-review"), "{early}");
    bo.tre(&["review", "approve", id, "--comment", "above ten"])
        .unwrap()
        .ok()
        .unwrap();
    let twice = bo
        .tre(&["review", "approve", id])
        .unwrap()
        .fails(1, "TRE-REQ-004")
        .unwrap();
    assert!(
        twice
            .err
            .contains("you have voted on this request already; it is in-review now"),
        "{twice}"
    );
    alice
        .tre(&["release", "fetch", id, "-o", "early"])
        .unwrap()
        .ends(1)
        .unwrap();
    assert!(
        !home.beside("early/output.csv").exists(),
        "nothing may be written early"
    );
    let voted = cy.json(&["review", "approve", id]).unwrap();
    assert_eq!(string(&voted, "state"), "released", "{voted}");
    let release = string(&voted, "release");

    alice
        .tre(&["release", "fetch", release, "-o", "results"])
        .unwrap()
        .ok()
        .unwrap();
    let (output, record) = fetched(&home.beside("results")).unwrap();
    assert_eq!(
        String::from_utf8(output.clone()).unwrap(),
        frozen,
        "what was read is what leaves"
    );
    assert_eq!(
        record.pointer("/output/sha256"),
        Some(&sha256_hex(&output).into()),
        "{record}"
    );
    assert_eq!(record.pointer("/policy/id"), Some(&"ndb".into()), "{record}");
    assert_eq!(record.pointer("/origin/request"), Some(&id.into()), "{record}");
    let piped = alice
        .tre(&["release", "fetch", id, "-o", "-"])
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(piped.out.into_bytes(), output);

    // Everything is in the log, in the order in which it may happen.
    let log = home.log().unwrap();
    let at = |event: &str| positions(&log, event);
    let (submitted, votes, released, fetches) = (
        at("request_submitted"),
        at("review_voted"),
        at("released"),
        at("release_fetched"),
    );
    assert_eq!(
        (submitted.len(), votes.len(), released.len(), fetches.len()),
        (1, 2, 1, 2)
    );
    assert!(
        submitted < votes && votes < released && released < fetches,
        "{submitted:?} {votes:?} {released:?} {fetches:?}"
    );
    assert_eq!(text(&log[released[0]], "output_sha256"), sha256_hex(&output));
    home.is_sound().unwrap();
    server.stop().unwrap();
    home.is_sound().unwrap();
}

/// The two files of a release: output and record.
fn fetched(directory: &Path) -> Result<(Vec<u8>, Value)> {
    let (mut output, mut record) = (None, None);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => output = Some(fs::read(&path)?),
            Some("json") => record = Some(serde_json::from_slice(&fs::read(&path)?)?),
            _ => anyhow::bail!("an unexpected file: {}", path.display()),
        }
    }
    Ok((output.context("no output")?, record.context("no record")?))
}

#[test]
fn nobody_does_what_is_another_role_s() {
    let (home, server, operator) = clinic().unwrap();
    let people: &[(&str, &[&str])] = &[
        ("alice", &["analyst", "checker"]),
        ("bo", &["checker"]),
        ("cy", &["checker"]),
    ];
    apply(
        &home,
        &operator,
        &Permit {
            people,
            ..Permit::default()
        },
    )
    .unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    let request = submit(&alice, PASSES).unwrap();
    let id = string(&request, "id");

    let her_other_self = person(&home, &server, "alice", "checker");
    for verdict in ["approve", "return", "reject"] {
        her_other_self
            .tre(&["review", verdict, id, "--comment", "mine"])
            .unwrap()
            .fails(1, "TRE-AUTH-005")
            .unwrap();
        alice
            .tre(&["review", verdict, id, "--comment", "mine"])
            .unwrap()
            .fails(1, "TRE-AUTH-005")
            .unwrap();
        operator
            .tre(&["review", verdict, id, "--comment", "mine"])
            .unwrap()
            .fails(1, "TRE-AUTH-005")
            .unwrap();
    }
    her_other_self
        .tre(&["review", "show", id])
        .unwrap()
        .fails(1, "TRE-AUTH-005")
        .unwrap();
    let auditor = server.person(&home.token("ada", "auditor", None).unwrap());
    let bo = person(&home, &server, "bo", "checker");
    for somebody in [&operator, &auditor, &bo] {
        somebody.ask(PASSES).unwrap().fails(1, "TRE-AUTH-005").unwrap();
        somebody
            .tre(&["check", "-c", PASSES])
            .unwrap()
            .fails(1, "TRE-AUTH-005")
            .unwrap();
    }
    home.write("permit.toml", Permit::default().text()).unwrap();
    for somebody in [&alice, &auditor, &bo] {
        let denied = somebody
            .tre(&["project", "apply", "permit.toml"])
            .unwrap()
            .fails(1, "TRE-AUTH-005")
            .unwrap();
        assert!(denied.err.contains("a token of role operator may"), "{denied}");
        somebody
            .tre(&["project", "close", PROJECT])
            .unwrap()
            .fails(1, "TRE-AUTH-005")
            .unwrap();
    }
    home.is_sound().unwrap();
}
