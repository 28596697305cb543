//! Every shipped policy has cases, and they come out as the file says.

use std::fs;
use std::path::{Path, PathBuf};

use output_checker::conformance::{Conformance, Outcome};
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

/// A policy of which one shipped one differs in these places, and the outcomes of these cases under it.
fn outcomes(changes: &[(&str, &str)], cases: &str) -> Vec<Outcome> {
    let mut text = fs::read_to_string(shelf().join("ndb.toml")).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let policy = Policy::parse(&"ndb".parse().unwrap(), &text).unwrap();
    let cases = format!("policy = \"ndb\"\n{cases}");
    Conformance::parse(&cases).unwrap().run(&policy).unwrap()
}

#[test]
fn cases_say_of_draws_what_holds_for_all_of_them() {
    let noise = "[perturbation]\nmethod = \"cell-key\"\ndeviation = 2\nvariance = 1\nsmall = 0";
    let drawn = [
        ("jitter  = 0", "jitter = 5"),
        ("[perturbation]\nmethod = \"none\"", noise),
    ];
    let cases = "\
        [[case]]\nname = \"below the minimum\"\ncells = [{ people = 9, count = \"suppressed (threshold)\" }]\n\
        [[case]]\nname = \"above all that may be drawn\"\n\
        cells = [{ people = 15, count = \"13 to 17 perturbed (cell-key)\" }]\n\
        [[case]]\nname = \"nobody\"\ncells = [{ people = 0, count = \"0 perturbed (cell-key)\" }]\n";
    for outcome in outcomes(&drawn, cases) {
        assert!(outcome.passed(), "{outcome:?}");
    }
    let wrong = [
        "16 to 20 perturbed (cell-key)",
        "10 to 14 perturbed (cell-key)",
        "13 to 17",
        "13 to 17 rounded (base)",
        "x to y perturbed (cell-key)",
    ];
    // Of 13 to 17 one of the first two has to fail, and all others do.
    let failed = wrong.map(|expected| {
        let case =
            format!("[[case]]\nname = \"wrong\"\ncells = [{{ people = 15, count = \"{expected}\" }}]\n");
        !outcomes(&drawn, &case)[0].passed()
    });
    assert!(failed[0] || failed[1]);
    assert!(failed[2..].iter().all(|failed| *failed), "{failed:?}");
}

#[test]
fn cases_of_rounding_that_keeps_sums() {
    let controlled = [(
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"controlled\"\nbase = 5\nsums = false",
    )];
    let cases = "\
        [[case]]\nname = \"parts add up to 35\"\nkeys = [{ name = \"k\", values = [\"a\", \"b\", \"c\"] }]\ncells = [\
        { key = [\"a\"], people = 14, count = \"15 rounded (base)\" },\
        { key = [\"b\"], people = 11, count = \"10 rounded (base)\" },\
        { key = [\"c\"], people = 11, count = \"10 rounded (base)\" }]\n\
        [[case]]\nname = \"and so does the whole\"\ncells = [{ people = 36, count = \"35 rounded (base)\" }]\n";
    for outcome in outcomes(&controlled, cases) {
        assert!(outcome.passed(), "{outcome:?}");
    }
}

#[test]
fn cases_of_a_majority() {
    let on = [("majority     = \"show\"", "majority = \"suppress\"")];
    let cases = "\
        [[case]]\nname = \"all but one\"\n\
        cells = [{ values = [[29, 40], [1, 75]], count_x = \"30\", sum_x = \"suppressed (majority)\" }]\n\
        [[case]]\nname = \"one too few, of several values\"\n\
        cells = [{ values = [[30, 40], [4, 75], [5, 80]], count_x = \"39\", sum_x = \"suppressed (majority)\" }]\n\
        [[case]]\nname = \"just enough\"\ncells = [{ values = [[30, 40], [5, 75], [5, 80]], count_x = \"40\", sum_x = \"1975\" }]\n\
        [[case]]\nname = \"half of few\"\ncells = [{ values = [[6, 40], [3, 75], [3, 80]], count_x = \"12\", sum_x = \"705\" }]\n\
        [[case]]\nname = \"everybody: another word\"\n\
        cells = [{ values = [[30, 40]], count_x = \"suppressed (same-value)\", sum_x = \"suppressed (same-value)\" }]\n";
    for outcome in outcomes(&on, cases) {
        assert!(outcome.passed(), "{outcome:?}");
    }
    let alone =
        "[[case]]\nname = \"all but one\"\ncells = [{ values = [[29, 40], [1, 75]], sum_x = \"1235\" }]\n";
    assert!(
        outcomes(&[], alone).iter().all(Outcome::passed),
        "shown without the rule"
    );
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
