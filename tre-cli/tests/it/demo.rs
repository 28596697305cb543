//! `tre demo`: the whole main job through the real program, server and workers.

use std::fs;

use crate::{finish, program};

#[test]
fn the_demo_tells_its_story_and_leaves_nothing_behind() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let run = finish(program().env("TMPDIR", place.path()).arg("demo")).succeeds();
    for expected in [
        "tre ingest eunomia/eunomia.toml",
        "people: suppressed (threshold)",
        "TRE-SQL-005",
        "approvals  2 of 2",
        "results/record.json",
        "intact",
        "ALTERED",
    ] {
        assert!(run.out.contains(expected), "{expected} in {}", run.out);
    }
    assert!(
        run.out.lines().all(|line| line.chars().count() <= 100),
        "{}",
        run.out
    );
    assert!(!run.out.contains('\u{1b}'), "no colours without a terminal");
    assert_eq!(
        fs::read_dir(place.path()).expect("a directory").count(),
        0,
        "the home is deleted"
    );
}

#[test]
fn the_demo_keeps_its_home_when_asked_to() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let run = finish(program().env("TMPDIR", place.path()).args(["demo", "--keep"])).succeeds();
    let kept = fs::read_dir(place.path())
        .expect("a directory")
        .flatten()
        .next()
        .expect("what was kept")
        .path();
    assert!(
        run.out.contains(&format!("{}/home", kept.display())),
        "{}",
        run.out
    );
    let home = kept.join("home");
    crate::tre_at(&home, &["audit", "verify"]).succeeds();
}
