//! Permits put in force, changed and ended.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use tre_tests::home::Home;
use tre_tests::log::positions;
use tre_tests::scenes::Permit;

use crate::clinic::{PASSES, PROJECT, apply, clinic, person, string, submit};

#[test]
fn a_permit_says_what_it_changes_and_an_unchanged_one_changes_nothing() {
    let (home, server, operator) = clinic().unwrap();
    let narrow: &[(&str, &[&str], &str)] = &[("visit", &["pid", "age", "sex"], "age >= 40")];
    let first = Permit {
        tables: narrow,
        ..Permit::default()
    };
    home.write("permit.toml", first.text()).unwrap();
    let before = home.snapshot().unwrap();
    let plan = operator.json(&["project", "plan", "permit.toml"]).unwrap();
    assert_eq!(
        (&plan["is_new"], &plan["applied"]),
        (&true.into(), &false.into()),
        "{plan}"
    );
    home.snapshot().unwrap().is_same_as(&before).unwrap();
    let applied = apply(&home, &operator, &first).unwrap();
    assert_eq!(applied["applied"], true, "{applied}");
    let alice = person(&home, &server, "alice", "analyst");
    alice
        .ask("SELECT icd, count(*) AS n FROM visit GROUP BY icd")
        .unwrap()
        .fails(1, "TRE-SQL-003")
        .unwrap();
    let few = alice.sql("SELECT count(*) AS n FROM visit").unwrap().rows[0][0]
        .as_i64()
        .unwrap();

    let before = home.store().unwrap();
    let log_before = home.log().unwrap().len();
    let again = apply(&home, &operator, &first).unwrap();
    assert_eq!(again["changes"], Value::Array(Vec::new()), "{again}");
    let after = home.store().unwrap();
    assert_eq!(
        after.rows("project"),
        before.rows("project"),
        "an unchanged permit changes nothing"
    );
    assert!(positions(&home.log().unwrap()[log_before..], "project_applied").is_empty());

    let wide = Permit::default();
    home.write("permit.toml", wide.text()).unwrap();
    let plan = operator
        .tre(&["project", "plan", "permit.toml"])
        .unwrap()
        .ok()
        .unwrap();
    let (_, widening) = plan
        .out
        .split_once("WIDENS ACCESS")
        .unwrap_or_else(|| panic!("no block\n{plan}"));
    for what in ["icd", "rows"] {
        assert!(widening.contains(what), "{what} is not in the block\n{plan}");
    }
    let id = operator.json(&["project", "plan", "permit.toml"]).unwrap();
    let id = string(&id, "plan_id");
    operator
        .tre(&["project", "apply", "permit.toml", "--plan", id])
        .unwrap()
        .ok()
        .unwrap();
    operator
        .tre(&["project", "apply", "permit.toml", "--plan", id])
        .unwrap()
        .fails(1, "TRE-PRJ-011")
        .unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    let many = alice.sql("SELECT count(*) AS n FROM visit").unwrap().rows[0][0]
        .as_i64()
        .unwrap();
    assert!(many > few, "{many} rows without the condition, {few} with it");

    home.write("permit.toml", first.text()).unwrap();
    let plan = operator
        .tre(&["project", "plan", "permit.toml"])
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        !plan.out.contains("WIDENS ACCESS"),
        "narrowing widens nothing\n{plan}"
    );
}

#[test]
fn a_closed_project_is_over_and_its_key_destroyed() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &Permit::default()).unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    alice.sql(PASSES).unwrap();
    let request = submit(&alice, PASSES).unwrap();
    let id = string(&request, "id");
    let before = home.store().unwrap();
    let key = before.texts("project", "pseudonym_key");
    let draft = before.texts("request", "record");
    assert_eq!(
        (key.len(), draft.len()),
        (1, 1),
        "an open project has a key and its request a draft"
    );
    assert!(anywhere(&home, &key[0]).unwrap() && anywhere(&home, &draft[0]).unwrap());

    let closed = operator
        .tre(&["project", "close", PROJECT])
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        closed.err.contains("1 session ended, 1 request lapsed") && closed.err.contains("cannot be fetched"),
        "{closed}"
    );
    let after = home.store().unwrap();
    assert_eq!(after.texts("project", "state"), ["closed"]);
    assert!(
        after.texts("project", "pseudonym_key").is_empty() && after.texts("request", "record").is_empty()
    );
    assert!(
        !anywhere(&home, &key[0]).unwrap(),
        "the key is still in a file of the store"
    );
    assert!(
        !anywhere(&home, &draft[0]).unwrap(),
        "the draft is still in a file of the store"
    );

    let refused = alice.ask(PASSES).unwrap().fails(1, "TRE-AUTH-004").unwrap();
    assert!(
        refused
            .err
            .contains(&format!("the project `{PROJECT}` is closed")),
        "{refused}"
    );
    let fetched = alice
        .tre(&["release", "fetch", id, "-o", "late"])
        .unwrap()
        .ends(1)
        .unwrap();
    assert!(fetched.told().is_some(), "{fetched}");
    home.write("permit.toml", Permit::default().text()).unwrap();
    operator
        .tre(&["project", "apply", "permit.toml"])
        .unwrap()
        .fails(1, "TRE-PRJ-012")
        .unwrap();
    server.stop().unwrap();
    home.is_sound().unwrap();
}

/// Whether a text stands in any file of the store, log and free pages of the database included.
fn anywhere(home: &Home, text: &str) -> Result<bool> {
    for entry in fs::read_dir(home.path().join("store"))? {
        let bytes = fs::read(entry?.path())?;
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            return Ok(true);
        }
    }
    Ok(false)
}
