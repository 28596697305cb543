//! Policies without a server: their cases, and where their numbers are from.

use std::fs;

use crate::{tre, tre_at};

#[test]
fn the_cases_of_all_shipped_policies_come_out_as_they_say() {
    let run = tre(&["policy", "test", "--format", "csv"]).succeeds();
    assert!(
        run.out.starts_with("policy,case,what,expected,got,result\n"),
        "{run:?}"
    );
    for id in [
        "acro-defaults",
        "datashield-defaults",
        "genomics-england",
        "kaigo-db",
        "ndb",
        "ons",
    ] {
        assert!(run.out.contains(&format!("\n{id},")), "{id}");
    }
    assert!(!run.out.contains(",fail\n"), "{run:?}");
    let one = tre(&["policy", "test", "ndb", "--format", "csv"]).succeeds();
    assert!(
        one.out.lines().skip(1).all(|line| line.starts_with("ndb,")),
        "{one:?}"
    );
    tre(&["policy", "test", "nowhere"]).fails(1, "TRE-PRJ-010");
}

#[test]
fn a_home_has_its_own_policies_and_cases() {
    let home = tempfile::tempdir().expect("a directory");
    let shelf = home.path().join("policies/sdc");
    fs::create_dir_all(shelf.join("conformance")).expect("directories");
    let write = |name: &str, text: &str| fs::write(shelf.join(name), text).expect("a file");
    let ndb = include_str!("../../../policies/sdc/ndb.toml");
    let own = ndb.replacen("id    = \"ndb\"", "id    = \"own\"", 1);
    write("own.toml", &own);
    tre_at(home.path(), &["policy", "test", "own"]).fails(1, "TRE-SDC-007");
    // Without a name, what has no cases is told and is no failure.
    let none = tre_at(home.path(), &["policy", "test"]).succeeds();
    assert!(none.err.contains("policy `own` has no cases"), "{none:?}");

    let cases = |expected: &str| {
        format!(
            "policy = \"own\"\n[[case]]\nname = \"nine\"\ncells = [{{ people = 9, count = \"{expected}\" }}]\n"
        )
    };
    write("conformance/own.toml", &cases("suppressed (threshold)"));
    tre_at(home.path(), &["policy", "test", "own"]).succeeds();
    write("conformance/own.toml", &cases("9"));
    let wrong = tre_at(home.path(), &["policy", "test", "own", "--format", "csv"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(
        wrong
            .out
            .contains("own,nine,count,9,suppressed (threshold),fail\n"),
        "{wrong:?}"
    );
    assert!(wrong.err.starts_with("TRE-CLI-010"), "{wrong:?}");
    write("own.toml", "units = 3");
    tre_at(home.path(), &["policy", "test"]).fails(1, "TRE-SDC-002");
}

#[test]
fn a_policy_is_explained_with_its_sources() {
    let text = tre(&["policy", "explain", "ndb"]).succeeds().out;
    for part in ["1 to 9 people", "Left open by the source", "wic-net.com"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let json = tre(&["policy", "explain", "ndb", "--format", "json"])
        .succeeds()
        .out;
    assert!(
        json.starts_with("{\n  \"kind\": \"policy-explained\",\n  \"id\": \"ndb\""),
        "{json}"
    );
    tre(&["policy", "explain", "nowhere"]).fails(1, "TRE-PRJ-010");
}
