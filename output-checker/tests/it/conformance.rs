//! Every shipped policy has cases, and they come out as the file says.

use std::fs;
use std::path::{Path, PathBuf};

use output_checker::conformance::Conformance;
use tre_core::policy::Policy;

fn shelf() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/sdc")
}

/// The shipped policies with the text of their cases.
fn shipped() -> Vec<(Policy, String)> {
    let files = fs::read_dir(shelf()).unwrap().map(|entry| entry.unwrap().path());
    let policies = files.filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    let read = |path: PathBuf| {
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let policy = Policy::parse(&id.parse().unwrap(), &fs::read_to_string(&path).unwrap()).unwrap();
        let cases = shelf().join("conformance").join(format!("{id}.toml"));
        (
            policy,
            fs::read_to_string(cases).unwrap_or_else(|_| panic!("{id} has no cases")),
        )
    };
    policies.map(read).collect()
}

#[test]
fn the_cases_of_every_shipped_policy_come_out_as_their_file_says() {
    let shipped = shipped();
    let mut wrong = Vec::new();
    for (policy, text) in &shipped {
        let cases = Conformance::parse(text).unwrap_or_else(|problem| panic!("{}: {problem}", policy.id()));
        assert!(cases.len() >= 12, "{} has {} cases", policy.id(), cases.len());
        for outcome in cases.run(policy).unwrap() {
            if !outcome.passed() {
                wrong.push(format!("{}: {outcome:?}", policy.id()));
            }
        }
    }
    assert!(shipped.len() >= 8);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_number_of_every_shipped_policy_is_held_by_a_case() {
    // (key, whether one fewer can be noticed): a row of fewer people than the minimum of values is left out anyway.
    let keys = [
        ("[units]\nminimum = ", true),
        ("[complement]\nminimum = ", true),
        ("[labels]\nminimum = ", false),
    ];
    let becomes = ["snap", "refer", "suppress"];
    for (policy, text) in shipped() {
        let path = shelf().join(format!("{}.toml", policy.id()));
        let file = fs::read_to_string(path).unwrap();
        let word = becomes.map(|word| format!("differing = \"{word}\""));
        let now = word.iter().find(|word| file.contains(word.as_str())).unwrap();
        for other in word.iter().filter(|word| *word != now) {
            let changed = Policy::parse(policy.id(), &file.replacen(now, other, 1)).unwrap();
            let outcomes = Conformance::parse(&text).unwrap().run(&changed).unwrap();
            assert!(
                outcomes.iter().any(|outcome| !outcome.passed()),
                "{}: no case notices `{other}`",
                policy.id()
            );
        }
        for (key, fewer) in keys {
            let minimum = file.split_once(key).unwrap().1;
            let digits: String = minimum.chars().take_while(char::is_ascii_digit).collect();
            let number: u32 = digits.parse().unwrap();
            let others = [Some(number + 1), fewer.then_some(number - 1)];
            for other in others.into_iter().flatten() {
                let changed = file.replacen(&format!("{key}{digits}"), &format!("{key}{other}"), 1);
                // A minimum above that of a class contradicts it, which is noticed before any case.
                let Ok(changed) = Policy::parse(policy.id(), &changed) else {
                    continue;
                };
                let outcomes = Conformance::parse(&text).unwrap().run(&changed).unwrap();
                assert!(
                    outcomes.iter().any(|outcome| !outcome.passed()),
                    "{}: no case notices `{key}{other}`",
                    policy.id()
                );
            }
        }
    }
}

#[test]
fn malformed_cases_are_refused() {
    let one = |rest: &str| format!("policy = \"ndb\"\n[[case]]\nname = \"a\"\n{rest}\n");
    let cell = "cells = [{ people = 1, count = \"x\" }]";
    // (case, text, part of the message)
    let cases = [
        ("no TOML", "policy = ".to_owned(), "line 1"),
        (
            "an unknown key",
            one(&format!("{cell}\nunits = 3")),
            "unknown field `units`",
        ),
        ("no cells", one("cells = []"), "no cells"),
        (
            "nothing is said",
            one("cells = [{ people = 1 }]"),
            "says of no value",
        ),
        (
            "a key too many",
            one("cells = [{ key = [\"F\"], count = \"1\" }]"),
            "as many values",
        ),
        (
            "a group twice",
            one("cells = [{ people = 1, count = \"1\" }, { people = 2, count = \"2\" }]"),
            "stands twice",
        ),
        (
            "more people than there are",
            one("cells = [{ people = 9000000000, count = \"1\" }]"),
            "too many people",
        ),
        (
            "a name twice",
            format!("{}[[case]]\nname = \"a\"\n{cell}", one(cell)),
            "stands twice",
        ),
        (
            "a pair with more in both than in one",
            "policy = \"ndb\"\ncase = []\n[[pair]]\nname = \"p\"\nleft = 5\nnext = 9\nboth = 6\nbecomes = \"9\"".to_owned(),
            "more people in both",
        ),
        (
            "a pair of too many",
            "policy = \"ndb\"\ncase = []\n[[pair]]\nname = \"p\"\nleft = 50000\nnext = 9\nboth = 6\nbecomes = \"9\"".to_owned(),
            "too many people",
        ),
        (
            "another decision",
            one(&format!("{cell}\ndecision = \"maybe\"")),
            "maybe",
        ),
    ];
    for (case, text, part) in cases {
        let problem = Conformance::parse(&text).unwrap_err();
        assert_eq!(problem.code.id, "TRE-SDC-007", "{case}");
        assert!(problem.what.contains(part), "{case}: {problem}");
    }
    let other = Conformance::parse("policy = \"other\"\ncase = []").unwrap();
    assert!(other.is_empty());
    let (ndb, _) = shipped()
        .into_iter()
        .find(|(policy, _)| policy.id().as_str() == "ndb")
        .unwrap();
    assert!(other.run(&ndb).unwrap_err().what.contains("cases of `other`"));
}
