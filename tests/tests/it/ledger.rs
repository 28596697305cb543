//! Two answers that differ by one person, asked of the real program: with a ledger and without.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use tre_tests::home::Home;
use tre_tests::person::Person;
use tre_tests::scenes::{Permit, ingest_clinic, policy_like, visits};
use tre_tests::server::Server;

use crate::clinic::{PROJECT, apply, person, string, submit};

const EVERYBODY: &str = "SELECT count(distinct pid) AS people, sum(cost) AS cost FROM visit";
/// Person 7 has the visits that cost 21.50 and 22.50, and nobody else has.
const BUT_ONE: &str = "SELECT count(distinct pid) AS people, sum(cost) AS cost FROM visit \
                       WHERE cost <> 21.5 AND cost <> 22.5";

const ONE_VISIT_LESS: &str =
    "SELECT count(distinct pid) AS people, sum(cost) AS cost FROM visit WHERE cost <> 21.5";

/// A clinic with the shipped policy and some that differ from it in one word.
fn clinic() -> Result<(Home, Server, Person)> {
    let home = Home::empty()?;
    ingest_clinic(&home)?;
    let shipped = fs::read_to_string(home.path().join("policies/sdc/ndb.toml"))?;
    let exact = ("significant_digits = 4", "significant_digits = 38");
    let forgetful = ("keep      = true", "keep      = false");
    for (id, changes) in [
        ("forgetful", vec![forgetful]),
        ("lax", vec![forgetful, exact]),
        ("careful", vec![("differing = \"snap\"", "differing = \"refer\"")]),
        ("exact", vec![exact]),
    ] {
        let text = policy_like(&shipped, id, &changes)?;
        fs::write(home.path().join(format!("policies/sdc/{id}.toml")), text)?;
    }
    let server = Server::start(&home)?;
    let operator = server.person(&home.token("olga", "operator", None)?);
    Ok((home, server, operator))
}

fn permit<'p>(project: &'p str, policy: &'p str) -> Permit<'p> {
    Permit {
        project,
        policy,
        ..Permit::default()
    }
}

fn analyst(home: &Home, server: &Server, project: &str) -> Person {
    server.person(&home.token("alice", "analyst", Some(project)).unwrap())
}

/// The one row of an answer: people, cost, and what was done.
fn row(alice: &Person, sql: &str) -> (Value, Value, String) {
    let answer = alice.sql(sql).unwrap();
    let row = answer.rows.first().unwrap();
    (row[0].clone(), row[1].clone(), answer.disclosure()[0].to_owned())
}

#[test]
fn without_a_ledger_two_answers_give_one_person_away_and_with_it_they_do_not() {
    let (home, server, operator) = clinic().unwrap();
    for (project, policy) in [("open", "lax"), (PROJECT, "exact"), ("other", "ndb")] {
        apply(&home, &operator, &permit(project, policy)).unwrap();
    }
    // The leak, as it is without memory.
    let alice = analyst(&home, &server, "open");
    let (all, but_one) = (row(&alice, EVERYBODY), row(&alice, BUT_ONE));
    assert_eq!((all.0, but_one.0), (300.into(), 299.into()));
    assert_eq!(but_one.2, "", "nothing was done");
    let one_visit = row(&alice, ONE_VISIT_LESS);
    assert_eq!((one_visit.0, one_visit.2.as_str()), (300.into(), ""));
    assert_ne!(one_visit.1, all.1, "the difference is what the visit cost");

    // What a project without ledger lets out is not remembered, so this one begins anew.
    let alice = analyst(&home, &server, PROJECT);
    let all = row(&alice, EVERYBODY);
    assert_eq!((all.0.clone(), all.2.as_str()), (300.into(), ""));
    let but_one = row(&alice, BUT_ONE);
    let snapped = "people: snapped (differing); cost: snapped (differing)";
    assert_eq!(
        (&but_one.0, &but_one.1, but_one.2.as_str()),
        (&all.0, &all.1, snapped)
    );
    assert_eq!(
        row(&alice, EVERYBODY),
        all,
        "the same question has the same answer"
    );
    // Everybody is there, and one has a visit less.
    let one_visit = row(&alice, ONE_VISIT_LESS);
    assert_eq!(
        (&one_visit.0, &one_visit.1, one_visit.2.as_str()),
        (&all.0, &all.1, snapped)
    );
    // A condition that leaves nobody out cannot be told from one that leaves somebody out: were the word another where the
    // people and what they give are exactly the same, it would say so.
    let nobody = row(&alice, &format!("{EVERYBODY} WHERE cost <> 1000000"));
    assert_eq!((nobody.0, nobody.2.as_str()), (300.into(), snapped));
    let check = alice.json(&["check", "-c", BUT_ONE]).unwrap();
    assert!(check.to_string().contains("snapped (differing)"), "{check}");

    // Another project, after the server was killed and started again.
    server.kill().unwrap();
    let server = Server::start(&home).unwrap();
    let alice = analyst(&home, &server, "other");
    let but_one = row(&alice, BUT_ONE);
    assert_eq!((but_one.0, but_one.2.as_str()), (300.into(), snapped));
    home.is_sound().unwrap();
}

#[test]
fn a_newer_version_of_the_data_is_answered_as_the_older_one_was() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &permit(PROJECT, "ndb")).unwrap();
    let first = row(&analyst(&home, &server, PROJECT), EVERYBODY);
    assert_eq!((first.0.clone(), first.2.as_str()), (300.into(), ""));
    // The holder brings the files again, without person 7. Projects that are applied from now on are on that version.
    let visits: String = visits()
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("p7,"))
        .collect();
    home.write("clinic/visit.csv", visits).unwrap();
    home.tre(&["ingest", "clinic/spec.toml"]).unwrap().ok().unwrap();
    for (project, policy) in [("newer", "ndb"), ("open", "forgetful")] {
        apply(&home, &operator, &permit(project, policy)).unwrap();
    }
    let leak = row(&analyst(&home, &server, "open"), EVERYBODY);
    assert_eq!((leak.0, leak.2.as_str()), (299.into(), ""), "without memory");
    let second = row(&analyst(&home, &server, "newer"), EVERYBODY);
    let snapped = "people: snapped (differing); cost: snapped (differing)";
    assert_eq!(
        (second.0, second.1, second.2.as_str()),
        (first.0, first.1, snapped)
    );
}

#[test]
fn a_policy_that_refers_puts_the_second_before_a_person() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &permit(PROJECT, "careful")).unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    assert_eq!(row(&alice, EVERYBODY).0, Value::from(300));
    let refused = alice.ask(BUT_ONE).unwrap();
    refused.fails(3, "TRE-SDC-041").unwrap();
    let request = submit(&alice, BUT_ONE).unwrap();
    assert_eq!(string(&request, "state"), "in-review", "{request}");
}

#[test]
fn a_request_is_compared_with_what_left_while_it_was_reviewed() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &permit(PROJECT, "ndb")).unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    let (bo, cy) = (
        person(&home, &server, "bo", "checker"),
        person(&home, &server, "cy", "checker"),
    );
    let request = submit(&alice, BUT_ONE).unwrap();
    let id = string(&request, "id").to_owned();
    assert_eq!(
        row(&alice, EVERYBODY).0,
        Value::from(300),
        "the frozen bytes have not left"
    );
    bo.tre(&["review", "approve", &id]).unwrap().ok().unwrap();
    let last = cy.tre(&["review", "approve", &id]).unwrap();
    last.fails(4, "TRE-SDC-044").unwrap();
    alice.tre(&["release", "fetch", &id]).unwrap().ends(1).unwrap();

    // Submitted again it is answered with what has left, and that may leave again.
    alice.tre(&["request", "withdraw", &id]).unwrap().ok().unwrap();
    let request = submit(&alice, BUT_ONE).unwrap();
    let id = string(&request, "id").to_owned();
    for checker in [&bo, &cy] {
        checker.tre(&["review", "approve", &id]).unwrap().ok().unwrap();
    }
    let file = home.beside("table");
    let out = file.to_str().unwrap();
    alice
        .tre(&["release", "fetch", &id, "--output", out])
        .unwrap()
        .ok()
        .unwrap();
}
