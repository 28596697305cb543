//! What to ask instead: it helps when it is asked, says nothing of the data, and reviewers see what would become of it.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;
use tre_tests::home::Home;
use tre_tests::log::positions;
use tre_tests::person::{Answer, Person};
use tre_tests::scenes::{Permit, ingest_clinic, policy_like};
use tre_tests::server::Server;
use tre_tests::ward;

use crate::clinic::{PROJECT, apply, clinic, person, string, submit};

/// 25 persons of one month by age: too few in each band, enough in two bands together.
const TOO_FINE: &str =
    "SELECT age, count(distinct pid) AS people FROM visit WHERE date = DATE '2025-03-01' GROUP BY age";

fn suppressed(answer: &Answer) -> usize {
    let marks = answer.disclosure().into_iter();
    marks.filter(|mark| mark.contains("suppressed")).count()
}

/// The rewrites of a document, as text.
fn rewrites(document: &Value) -> Result<Vec<Value>> {
    let list = document.get("rewrites").and_then(Value::as_array);
    list.cloned()
        .with_context(|| format!("no rewrites in {document}"))
}

#[test]
fn what_is_asked_instead_is_answered_with_fewer_values_suppressed() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &Permit::default()).unwrap();
    let alice = person(&home, &server, "alice", "analyst");

    let too_fine = alice.ask(TOO_FINE).unwrap().ok().unwrap();
    let told = "to see more, group in wider bands (0, 60): `CASE WHEN age >= 60 THEN 60 WHEN age >= 0 THEN 0 END` instead of `age`";
    assert!(too_fine.err.contains(told), "{too_fine}");
    assert!(
        too_fine
            .err
            .contains("notice: threshold: fewer than 10 people stand behind it\n"),
        "{too_fine}"
    );
    let before = Answer::read(&too_fine).unwrap();
    assert_eq!(suppressed(&before), 4, "{before:?}");

    let rewrites = rewrites(&too_fine.json().unwrap()).unwrap();
    assert!((1..=3).contains(&rewrites.len()), "{rewrites:?}");
    let mut helped = 0;
    for rewrite in &rewrites {
        let (replace, by) = (string(rewrite, "replace"), string(rewrite, "by"));
        assert_eq!(string(rewrite, "add"), "", "{rewrite}");
        let sql = if by.is_empty() {
            let without_key = TOO_FINE.replace(&format!(" GROUP BY {replace}"), "");
            without_key.replace(&format!("{replace}, "), "")
        } else {
            TOO_FINE.replace(replace, by)
        };
        let after = alice.sql(&sql).unwrap();
        assert!(
            !after.rows.is_empty() && suppressed(&after) < 4,
            "{sql}\n{after:?}"
        );
        helped += usize::from(suppressed(&after) == 0);
    }
    assert_eq!(helped, rewrites.len(), "no value of these is suppressed any more");

    // A check has the same, and tells it beside the reasons.
    let check = alice.json(&["check", "-c", TOO_FINE]).unwrap();
    assert_eq!(self::rewrites(&check).unwrap(), rewrites);
    let check = alice.tre(&["check", "-c", TOO_FINE]).unwrap().ok().unwrap();
    assert!(
        check.out.contains("what to ask instead") && check.out.contains("in wider bands"),
        "{check}"
    );
    // Where nothing was done nothing is said.
    let passes = alice
        .ask("SELECT sex, count(*) AS n FROM visit GROUP BY sex")
        .unwrap();
    assert!(!passes.ok().unwrap().err.contains("to see more"));
}

#[test]
fn what_may_not_be_asked_comes_with_what_may() {
    let home = Home::empty().unwrap();
    ingest_clinic(&home).unwrap();
    let policies = home.path().join("policies/sdc");
    let shipped = fs::read_to_string(policies.join("ndb.toml")).unwrap();
    let few = policy_like(&shipped, "few", &[("max_keys = 10", "max_keys = 1")]).unwrap();
    fs::write(policies.join("few.toml"), few).unwrap();
    let server = Server::start(&home).unwrap();
    let operator = server.person(&home.token("olga", "operator", None).unwrap());
    let permit = Permit {
        policy: "few",
        ..Permit::default()
    };
    apply(&home, &operator, &permit).unwrap();
    let alice = person(&home, &server, "alice", "analyst");

    let two_keys = "SELECT sex, age, count(*) AS n FROM visit GROUP BY sex, age";
    let referred = alice.ask(two_keys).unwrap().fails(3, "TRE-SDC-023").unwrap();
    assert!(referred.err.contains("\n  or leave out `sex`\n"), "{referred}");
    alice
        .sql("SELECT age, count(*) AS n FROM visit GROUP BY age")
        .unwrap();
    let no_measure = "SELECT sex, sum(age) AS ages FROM visit GROUP BY sex";
    alice.ask(no_measure).unwrap().fails(1, "TRE-SQL-008").unwrap();
}

/// A ward, served, with an analyst.
fn served(home: &Home) -> Result<(Server, Person)> {
    let server = Server::start(home)?;
    let operator = server.person(&home.token("olga", "operator", None)?);
    let permit = Permit {
        dataset: "ward",
        tables: &ward::TABLES,
        ..Permit::default()
    };
    home.write("permit.toml", permit.text())?;
    operator.tre(&["project", "apply", "permit.toml"])?.ok()?;
    let alice = server.person(&home.token("alice", "analyst", Some(PROJECT))?);
    Ok((server, alice))
}

#[test]
fn rewrites_say_nothing_of_anybody() {
    let with = Home::empty().unwrap();
    ward::ingest(&with, true).unwrap();
    let without = Home::like(&with.path()).unwrap();
    ward::ingest(&without, false).unwrap();
    let (_one, of_all) = served(&with).unwrap();
    let (_other, of_others) = served(&without).unwrap();
    for sql in [
        "SELECT region, count(*) AS n FROM person GROUP BY region",
        "SELECT sex, age, count(*) AS n FROM person GROUP BY sex, age",
        "SELECT icd, date, sum(cost) AS cost, max(days) AS longest FROM visit GROUP BY icd, date",
        "SELECT p.sex, count(*) AS n, sum(v.change) AS change FROM person p JOIN visit v ON v.pid = p.pid GROUP BY p.sex",
        "SELECT max(cost) AS most FROM visit",
        "SELECT clinic, count(*) AS n FROM person WHERE age = 80 GROUP BY clinic",
    ] {
        for command in ["sql", "check"] {
            let told = [&of_all, &of_others].map(|person| {
                let document = person.json(&[command, "-c", sql]).unwrap();
                serde_json::to_vec(&rewrites(&document).unwrap()).unwrap()
            });
            assert_eq!(told[0], told[1], "{command}: {sql}");
            assert!(told[0].len() > 100, "{command} proposes nothing: {sql}");
        }
    }
}

#[test]
fn reviewers_see_the_evidence_and_what_would_become_of_rewrites() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &Permit::default()).unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    let bo = person(&home, &server, "bo", "checker");
    let request = submit(&alice, TOO_FINE).unwrap();
    let id = string(&request, "id");
    assert!(
        request.get("evidence").is_none(),
        "nothing of it is the author's: {request}"
    );

    let review = bo.json(&["review", "show", id]).unwrap();
    let evidence = review.pointer("/evidence/0").unwrap();
    assert_eq!(evidence["groups"], 4, "{evidence}");
    let csv = string(evidence, "csv");
    let mut lines = csv.lines();
    assert_eq!(
        lines.next(),
        Some("visit.age,count(distinct pid),rows,people"),
        "{csv}"
    );
    let people = lines.map(|line| line.rsplit(',').next().unwrap().parse::<u64>().unwrap());
    let people: Vec<u64> = people.collect();
    assert!(
        people.is_sorted() && people.iter().sum::<u64>() == 25 && people.iter().all(|n| *n < 10),
        "{csv}"
    );
    let tried = rewrites(&review).unwrap();
    assert!((1..=3).contains(&tried.len()), "{review}");
    for trial in &tried {
        assert_eq!(
            (string(trial, "decision"), &trial["suppressed"]),
            ("release", &Value::from(0)),
            "{trial}"
        );
        assert!(trial["shown"].as_u64().unwrap() > 0, "{trial}");
    }
    let shown = bo.tre(&["review", "show", id]).unwrap().ok().unwrap();
    for part in [
        "evidence, untreated",
        "rewrites, tried on the same data",
        "in wider bands",
    ] {
        assert!(shown.out.contains(part), "{part}\n{shown}");
    }
    alice
        .tre(&["review", "show", id])
        .unwrap()
        .fails(1, "TRE-AUTH-005")
        .unwrap();

    let log = home.log().unwrap();
    let at = |event: &str| positions(&log, event);
    assert_eq!((at("rewrites_tried").len(), at("review_shown").len()), (1, 2));
    assert!(at("rewrites_tried") < at("review_shown"));
    home.is_sound().unwrap();
    assert_eq!(home.store().unwrap().rows("insight").len(), 1);
    operator
        .tre(&["project", "close", PROJECT])
        .unwrap()
        .ok()
        .unwrap();
    server.stop().unwrap();
    assert!(
        home.store().unwrap().rows("insight").is_empty(),
        "it is gone with the project"
    );
}
