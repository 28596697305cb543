//! Answers one after the other, compared with what has left: each case is a story of two or three questions.

use std::collections::BTreeMap;

use output_checker::ledger::overtaken;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::ValueKind;
use tre_core::ledger::Answer;
use tre_core::status::{Rule, Status};

use super::sets::sketcher;
use super::story::{Ask, DIFFERING, SHOWN, SNAPPED, Story, Where, count, one, status};

#[test]
fn a_count_without_one_person_is_answered_with_what_has_left() {
    // (case, first, second, what is seen of the second)
    let cases = [
        ("one person fewer", 0..100, 0..99, one(100, SNAPPED)),
        ("one person more", 0..100, 0..101, one(100, SNAPPED)),
        ("the most that is too near", 0..100, 9..100, one(100, SNAPPED)),
        ("in and out", 0..100, 4..104, one(100, SNAPPED)),
        (
            "nobody: not to be told from somebody",
            0..100,
            0..100,
            one(100, SNAPPED),
        ),
        ("enough people", 0..100, 10..100, one(90, SHOWN)),
        ("as many others", 0..100, 100..200, one(100, SHOWN)),
        ("what was suppressed stays so", 0..9, 0..10, one(None, DIFFERING)),
        ("nobody at all", 0..5, 5..5, one(0, SHOWN)),
    ];
    for (case, first, second, seen) in cases {
        let mut story = Story::new(&[]);
        story.ask(count(first, Where::Nothing));
        let answer = story.ask(count(second, Where::Age(40)));
        assert_eq!(status(&answer), seen, "{case}");
    }
}

#[test]
fn with_the_ledger_empty_the_same_question_leaks() {
    // The control of the test above: nothing but memory makes the difference.
    let alone = Story::new(&[]).ask(count(0..99, Where::Age(40)));
    assert_eq!(status(&alone), one(99, SHOWN));
}

#[test]
fn the_policy_says_what_becomes_of_it() {
    for (word, seen) in [("suppress", Some(one(None, DIFFERING))), ("refer", None)] {
        let words = ("differing = \"snap\"", format!("differing = \"{word}\""));
        let mut story = Story::new(&[(words.0, &words.1)]);
        story.ask(count(0..100, Where::Nothing));
        let answer = story.ask(count(0..99, Where::Age(40)));
        assert_eq!(status(&answer), seen.unwrap_or_default(), "{word}");
        let same = story.ask(count(0..100, Where::Age(41)));
        assert_eq!(status(&same), one(100, SHOWN), "{word}: exactly the same people");
    }
}

#[test]
fn what_the_ledger_suppressed_makes_nothing_else_suppressed() {
    let mut story = Story::new(&[("differing = \"snap\"", "differing = \"suppress\"")]);
    story.ask(count(0..100, Where::Nothing));
    let between = story.ask(count(0..94, Where::Age(40)));
    assert_eq!(status(&between), one(None, DIFFERING));
    // Six people from what was suppressed, twelve from what has left.
    let far = story.ask(count(0..88, Where::Age(41)));
    assert_eq!(status(&far), one(88, SHOWN));
}

#[test]
fn the_same_question_again_is_answered_as_before() {
    let mut story = Story::new(&[]);
    for _ in 0..3 {
        assert_eq!(status(&story.ask(count(0..50, Where::Age(40)))), one(50, SHOWN));
    }
}

#[test]
fn two_frontiers_of_one_answer_are_compared_too() {
    let mut story = Story::new(&[]);
    let both = story.ask_all(&[count(0..60, Where::Nothing), count(0..59, Where::Age(40))]);
    assert_eq!(status(&both), [one(60, SHOWN), one(60, SNAPPED)].concat());
}

#[test]
fn groups_of_one_key_are_other_rows_and_a_group_is_compared_with_a_total() {
    let by_place = |people: std::ops::Range<u32>, condition| Ask {
        by_place: true,
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    assert_eq!(
        status(&story.ask(by_place(0..40, Where::Nothing))),
        [one(20, SHOWN), one(20, SHOWN)].concat()
    );
    // Person 39 is in group b; a is as it was, under another question.
    assert_eq!(
        status(&story.ask(by_place(0..39, Where::Age(40)))),
        [one(20, SNAPPED), one(20, SNAPPED)].concat()
    );
}

#[test]
fn sums_snap_to_sums_and_counts_to_counts() {
    let values = vec![ValueKind::CountRows, ValueKind::Sum { argument: 0 }];
    let ask = |people, condition| Ask {
        values: values.clone(),
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    let first = story.ask(ask(0..70, Where::Nothing));
    let second = story.ask(ask(0..69, Where::Age(40)));
    let pairs = first.iter().zip(&second);
    for (first, second) in pairs {
        assert_eq!(
            (first.value, Status::Snapped),
            (second.value, second.status.status())
        );
    }
    // Of a count of rows and one of people in one answer, each is snapped to its own.
    let rows_and_people = |people, condition| Ask {
        values: vec![ValueKind::CountUnits, ValueKind::CountRows],
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    story.ask(rows_and_people(0..70, Where::Nothing));
    let both = story.ask(rows_and_people(0..69, Where::Age(40)));
    assert_eq!(status(&both), [one(70, SNAPPED), one(70, SNAPPED)].concat());
    // A sum of which only the count has left has nothing to be snapped to, and nothing to be subtracted from.
    let mut story = Story::new(&[]);
    story.ask(count(0..70, Where::Nothing));
    let both = story.ask(ask(0..69, Where::Age(40)));
    assert_eq!(both.first().unwrap().status.status(), Status::Snapped);
    assert_eq!(both.last().unwrap().status.status(), Status::Shown);
}

#[test]
fn of_the_same_people_a_sum_is_shown_when_enough_of_them_give_something_else() {
    // (case, whose value is another, whether the second sum is shown)
    let cases = [
        ("nobody: not to be told from somebody", 0..0, false),
        ("one person", 5..6, false),
        ("the most that are too few", 0..9, false),
        ("nearly everybody, as in another year", 0..60, true),
        ("everybody", 0..70, true),
    ];
    for (case, changed, shown) in cases {
        let sum = |changed, condition| Ask {
            values: vec![ValueKind::CountUnits, ValueKind::Sum { argument: 0 }],
            changed,
            ..count(0..70, condition)
        };
        let mut story = Story::new(&[]);
        let first = status(&story.ask(sum(0..0, Where::Nothing)));
        let more = i128::try_from(changed.len()).unwrap();
        let second = status(&story.ask(sum(changed, Where::Age(40))));
        let snapped = (first[1].0, Status::Snapped, Rule::Differing);
        let other = (first[1].0.map(|sum| sum + more), Status::Shown, Rule::None);
        assert_eq!(second[1], if shown { other } else { snapped }, "{case}");
        assert_eq!(
            second[0],
            (Some(70), Status::Snapped, Rule::Differing),
            "{case}: one number of people"
        );
    }
}

#[test]
fn a_smallest_value_is_not_snapped_to_a_largest() {
    let extremes = |people, condition| Ask {
        values: vec![ValueKind::Max { argument: 0 }, ValueKind::Min { argument: 0 }],
        ..count(people, condition)
    };
    let mut story = Story::new(&[]);
    story.ask(extremes(0..140, Where::Nothing));
    let second = status(&story.ask(extremes(0..139, Where::Age(40))));
    assert_eq!(second, [one(7, SNAPPED), one(1, SNAPPED)].concat());
}

#[test]
fn where_a_tag_needs_more_people_values_differ_by_as_many() {
    let classes = (
        "{ minimum = 20, values = [] }",
        "{ minimum = 20, values = [\"a\", \"b\"] }",
    );
    for (tag, seen) in [(None, one(28, SHOWN)), (Some("jis-x-0402"), one(40, SNAPPED))] {
        let mut story = Story::new(&[classes]);
        let ask = |people: std::ops::Range<u32>, condition| Ask {
            by_place: true,
            ..count(people, condition)
        };
        story.place = tag;
        story.ask(ask(0..80, Where::Nothing));
        // Of each place 12 fewer.
        let second = status(&story.ask(ask(0..56, Where::Age(40))));
        assert_eq!(second, [seen.clone(), seen].concat(), "{tag:?}");
    }
}

#[test]
fn the_same_people_under_another_sensitive_condition_are_not_shown() {
    let sum = |changed, condition| Ask {
        values: vec![ValueKind::Sum { argument: 0 }],
        changed,
        ..count(0..30, condition)
    };
    let (of_all, of_these) = (Where::Age(40), Where::Diagnosis("B20"));
    // (what the policy says, whether diagnoses are sensitive, a count of the same people, a sum to which all give
    // something else)
    let cases = [
        ("snap", true, Some(one(30, SNAPPED)), Some(one(None, DIFFERING))),
        ("snap", false, Some(one(30, SNAPPED)), None),
        (
            "suppress",
            true,
            Some(one(None, DIFFERING)),
            Some(one(None, DIFFERING)),
        ),
        ("suppress", false, Some(one(30, SHOWN)), None),
        ("refer", true, Some(vec![]), Some(vec![])),
    ];
    for (word, sensitive, counted, summed) in cases {
        let word = format!("differing = \"{word}\"");
        let tags = if sensitive {
            "sensitive = [\"icd10\"]"
        } else {
            "sensitive = []"
        };
        let changes = [
            ("differing = \"snap\"", word.as_str()),
            ("sensitive = [\"icd10\"]", tags),
        ];
        let mut story = Story::new(&changes);
        story.ask(count(0..30, of_all));
        let seen = status(&story.ask(count(0..30, of_these)));
        assert_eq!(Some(seen), counted, "{word}, {tags}: a count");
        // Of nearly the same people the word is the same.
        let mut story = Story::new(&changes);
        story.ask(count(0..31, of_all));
        let nearly = story.ask(count(0..30, of_these));
        if sensitive {
            let words = |seen: Vec<(Option<i128>, Status, Rule)>| {
                seen.iter().map(|(_, status, _)| *status).collect::<Vec<_>>()
            };
            assert_eq!(words(status(&nearly)), words(counted.unwrap()), "{word}: nearly");
        }
        let mut story = Story::new(&changes);
        story.ask(sum(0..0, of_all));
        let seen = status(&story.ask(sum(0..30, of_these)));
        match summed {
            Some(summed) => assert_eq!(seen, summed, "{word}, {tags}: a sum"),
            None => assert_eq!(seen[0].1, Status::Shown, "{word}, {tags}: a sum"),
        }
    }
}

#[test]
fn changed_answers_are_counted_and_capped() {
    let cap = ("refusals_per_user    = 50", "refusals_per_user = 2");
    let mut story = Story::new(&[cap]);
    story.ask(count(0..100, Where::Nothing));
    assert_eq!(story.ask(count(0..99, Where::Age(1))).len(), 1);
    assert_eq!(
        story.ask(count(0..100, Where::Age(2))).len(),
        1,
        "says nothing, does not count"
    );
    assert_eq!(story.ask(count(0..98, Where::Age(3))).len(), 1);
    assert!(
        story.ask(count(500..900, Where::Age(4))).is_empty(),
        "whatever is asked"
    );
    story.user = "bo";
    assert_eq!(story.ask(count(500..900, Where::Age(4))).len(), 1);
    (story.user, story.at) = ("alice", "2026-03-02T12:00:00Z");
    assert_eq!(
        story.ask(count(1500..1900, Where::Age(5))).len(),
        1,
        "a day later"
    );
    // Referred answers count as well, and leave nothing else behind.
    let mut story = Story::new(&[cap, ("differing = \"snap\"", "differing = \"refer\"")]);
    story.ask(count(0..100, Where::Nothing));
    for _ in 0..2 {
        assert!(story.ask(count(0..99, Where::Age(1))).is_empty());
    }
    assert!(story.ask(count(500..900, Where::Age(4))).is_empty(), "capped");
    let per_project = ("refusals_per_project = 200", "refusals_per_project = 0");
    assert!(
        Story::new(&[per_project])
            .ask(count(0..50, Where::Nothing))
            .is_empty()
    );
}

#[test]
fn a_frozen_answer_is_overtaken_by_what_leaves_in_the_meantime() {
    let mut story = Story::new(&[]);
    story.ask(count(0..300, Where::Nothing));
    let frozen = story.compare(&[count(0..100, Where::Age(1))]).answer;
    let seen = story.ledger.answers();
    let shape = story.policy.rules().sketch().unwrap();
    let sketchers = BTreeMap::from([("clinic".parse().unwrap(), sketcher(shape))]);
    let check = |story: &Story, frozen: &Answer| {
        overtaken(&story.ledger, &sketchers, frozen, seen).map_err(|problem| problem.code.id)
    };
    assert_eq!(check(&story, &frozen), Ok(()));
    story.ask(count(0..100, Where::Age(1)));
    assert_eq!(check(&story, &frozen), Ok(()), "the same answer in a session");
    let near = story.compare(&[count(0..299, Where::Age(1))]).answer;
    assert_eq!(check(&story, &near), Ok(()), "what was snapped has left before");
    let mut other = Story::new(&[]);
    other.ask(count(0..300, Where::Nothing));
    other.ask(count(0..99, Where::Age(2)));
    assert_eq!(check(&other, &frozen), Err("TRE-SDC-044"));
}

/// Whatever is asked, one after the other: no two values that were shown as they are lie over people who differ by one to
/// nine, and a value that was snapped is one that has left.
#[test]
fn no_two_values_that_leave_isolate_fewer_than_the_minimum() {
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    for round in 0..60 {
        let mut story = Story::new(&[]);
        let mut left: Vec<(std::ops::Range<u32>, i128)> = vec![];
        let mut snapped = 0;
        for _ in 0..12 {
            let start = rng.random_range(0..15);
            let people = start..start + rng.random_range(0..40);
            let age = Where::Age([1, 2, 3, 4, 5].choose(&mut rng).copied().unwrap());
            for shown in story.ask(count(people.clone(), age)) {
                match (shown.status.status(), shown.value) {
                    (Status::Shown, Some(value)) => left.push((people.clone(), value)),
                    (Status::Snapped, value) => {
                        snapped += 1;
                        assert!(
                            left.iter().any(|(_, known)| Some(*known) == value),
                            "round {round}"
                        );
                    }
                    _ => assert!(shown.is_suppressed()),
                }
            }
        }
        for (i, (a, _)) in left.iter().enumerate().filter(|(_, (a, _))| !a.is_empty()) {
            for (b, _) in left.iter().skip(i + 1).filter(|(b, _)| !b.is_empty()) {
                let apart = a.clone().filter(|unit| !b.contains(unit)).count()
                    + b.clone().filter(|unit| !a.contains(unit)).count();
                assert!(apart == 0 || apart >= 10, "round {round}: {a:?} and {b:?}");
            }
        }
        assert!(left.len() + snapped > 0, "round {round} shows something");
    }
}
