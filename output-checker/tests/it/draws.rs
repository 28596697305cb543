//! What is drawn for a set of people, from outside: jitter of the minimum and noise of counts. Neither may be undone by
//! asking again in other words, and neither may open what the rules without it keep shut.

use std::collections::{BTreeMap, BTreeSet};

use output_checker::{Decision, DrawKey, LetOut, check, notices, reasons};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::ValueKind;
use tre_core::status::{Rule, Status, StatusCode};
use tre_core::types::ColumnType;

use crate::asked::draw_key;
use crate::laws::*;
use crate::laws_of_lines::*;
use crate::laws_of_rows::*;
use crate::parameters::*;
use crate::world::*;

const NOISE: &str = "method = \"cell-key\"\ndeviation = 2\nvariance = 1.08\nsmall = 1";

/// Nothing is suppressed and nothing rounded.
const OPEN: Parameters = Parameters {
    minimum: 1,
    zero: "show",
    labels: 1,
    complement: 1,
    class: "show",
    contributors: "present",
    same_value: "show",
    majority: "show",
    degrees: 0,
    dominance: "method = \"none\"",
    ..STRICT
};

/// People `first..first + count` with a row each, a value of their own each.
fn people_of(place: &str, first: u32, count: u32) -> Vec<Row> {
    let row = |unit: u32| Row {
        unit,
        keys: vec![Some(place.to_owned())],
        arguments: vec![Some(i128::from(unit) + 10)],
    };
    (first..first + count).map(row).collect()
}

fn by_place(values: Vec<ValueKind>) -> Question {
    Question::new(vec![text_key(true)], vec![ColumnType::Int], values)
}

/// The shown counts of people by place.
fn counts(rows: &[Row], parameters: Parameters, let_out: LetOut) -> BTreeMap<String, Shown> {
    let question = by_place(vec![ValueKind::CountUnits]);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let checked = question.ask_for(rows, &parameters.policy(), let_out, &mut rng);
    let rows = table(checked.treated.batch(), &question).into_iter();
    rows.map(|(keys, values)| (keys[0].clone().unwrap(), values[0]))
        .collect()
}

#[test]
fn laws_hold_with_jitter_as_without() {
    let jittered = Parameters { jitter: 2, ..STRICT };
    let laws: [Law; 5] = [
        a_difference_has_enough_people,
        shown_values_have_enough_people,
        no_difference_of_two_isolates,
        labels_have_enough_people,
        lines_tell_nobodys_category,
    ];
    for law in laws {
        assert_eq!(first_violation(law, jittered, STRICT), None);
    }
}

#[test]
fn laws_of_people_hold_with_noise_as_without() {
    let perturbed = Parameters {
        perturbation: NOISE,
        ..STRICT
    };
    let laws: [Law; 2] = [a_difference_has_enough_people, rows_say_nothing];
    for law in laws {
        assert_eq!(first_violation(law, perturbed, STRICT), None);
    }
}

#[test]
fn jitter_raises_the_minimum_for_some_sets_and_never_lowers_it() {
    let parameters = Parameters {
        minimum: 10,
        jitter: 4,
        ..OPEN
    };
    let mut shown_at = BTreeSet::new();
    let mut hidden_at = BTreeSet::new();
    for size in 1..=20 {
        for first in 0..12 {
            let rows = people_of("a", 100 * first, size);
            let shown = counts(&rows, parameters, LetOut::ByRule)["a"];
            assert_eq!(
                shown,
                counts(&rows, parameters, LetOut::ByRule)["a"],
                "asked again"
            );
            if shown.is_suppressed() {
                assert_eq!(shown.status, StatusCode::new(Status::Suppressed, Rule::Threshold));
                hidden_at.insert(size);
            } else {
                assert_eq!(shown.value, Some(i128::from(size)));
                shown_at.insert(size);
            }
            let by_people = counts(&rows, parameters, LetOut::ByPeople)["a"];
            assert_eq!(by_people.is_suppressed(), size < 10, "people decide about {size}");
        }
    }
    assert!(shown_at.iter().all(|size| *size >= 10) && hidden_at.iter().all(|size| *size < 14));
    // Both happen within the jitter: it is drawn, and not always the most.
    for size in 10..13 {
        assert!(shown_at.contains(&size) && hidden_at.contains(&size), "{size}");
    }
}

#[test]
fn the_same_people_have_the_same_minimum_under_every_question() {
    let policy = Parameters {
        minimum: 10,
        jitter: 4,
        ..OPEN
    }
    .policy();
    let mut decided = BTreeSet::new();
    for first in 0..20 {
        let here = people_of("a", 100 * first, 11);
        let mut all = here.clone();
        // Elsewhere are others, without a value.
        all.extend(people_of("b", 50_000, 30).into_iter().map(|row| Row {
            arguments: vec![None],
            ..row
        }));
        let questions = [
            (by_place(vec![ValueKind::CountUnits]), &here, 0),
            (by_place(vec![ValueKind::CountRows]), &all, 0),
            (
                Question::new(
                    vec![],
                    vec![ColumnType::Int],
                    vec![ValueKind::CountUnitsOf { argument: 0 }],
                ),
                &all,
                0,
            ),
            (
                by_place(vec![ValueKind::CountRows, ValueKind::Count { argument: 0 }]),
                &all,
                1,
            ),
        ];
        let hidden: BTreeSet<bool> = questions
            .into_iter()
            .map(|(question, world, value)| {
                let world: Vec<Row> = match question.lineage.keys.is_empty() {
                    true => world
                        .iter()
                        .map(|row| Row {
                            keys: vec![],
                            ..row.clone()
                        })
                        .collect(),
                    false => world.clone(),
                };
                let mut rng = ChaCha8Rng::seed_from_u64(u64::from(first));
                let rows = table(question.ask(&world, &policy, &mut rng).treated.batch(), &question);
                let here = rows
                    .iter()
                    .find(|(keys, _)| keys.first().is_none_or(|key| key.as_deref() == Some("a")));
                here.unwrap().1[value].is_suppressed()
            })
            .collect();
        assert_eq!(hidden.len(), 1, "people {first}: two answers");
        decided.extend(hidden);
    }
    assert_eq!(decided.len(), 2, "all of them were decided alike");
}

#[test]
fn explanations_name_the_minimum_and_never_what_was_drawn() {
    let policy = Parameters {
        minimum: 10,
        labels: 10,
        complement: 10,
        jitter: 4,
        ..STRICT
    }
    .policy();
    for rule in [Rule::Threshold, Rule::RareLabel, Rule::Complement, Rule::Extreme] {
        let reason = reasons::of_status(StatusCode::new(Status::Suppressed, rule), &policy).unwrap();
        assert!(
            reason.what.contains("fewer than 10 people (or up to 4 more)"),
            "{}",
            reason.what
        );
    }
    let question = by_place(vec![ValueKind::CountUnits]);
    assert!(notices(&question.lineage, &policy)[0].contains("fewer than 10 people (or up to 4 more)"));
    assert!(policy.in_plain_words()[1].contains("up to 4 people higher"));
}

#[test]
fn without_sets_of_people_nothing_that_draws_leaves() {
    let question = by_place(vec![ValueKind::CountUnits]);
    let rows = people_of("a", 0, 30);
    let cells = question.base_cells(&rows, &mut ChaCha8Rng::seed_from_u64(1));
    let jitter = Parameters { jitter: 1, ..OPEN };
    let noise = Parameters {
        perturbation: NOISE,
        ..OPEN
    };
    let cases = [
        (jitter, LetOut::ByRule, "withhold"),
        (jitter, LetOut::ByPeople, "release"),
        (noise, LetOut::ByRule, "withhold"),
        (noise, LetOut::ByPeople, "withhold"),
    ];
    for (parameters, let_out, expected) in cases {
        let checked = check(
            &cells,
            &question.lineage,
            &parameters.policy(),
            &draw_key(),
            let_out,
        );
        assert_eq!(checked.decision.word(), expected);
        if let Decision::Withhold { reasons } = checked.decision {
            assert_eq!(reasons[0].code.id, "TRE-SDC-022");
            assert_eq!(checked.treated.batch().num_rows(), 0);
        }
    }
}

#[test]
fn noise_is_bounded_marked_and_unbiased_and_zero_stays_zero() {
    let parameters = Parameters {
        perturbation: NOISE,
        ..OPEN
    };
    let (mut sum, mut squares, mut cells) = (0, 0, 0);
    for first in 0..400 {
        let shown = counts(&people_of("a", 100 * first, 30), parameters, LetOut::ByRule);
        let noise = shown["a"].value.unwrap() - 30;
        assert!((-2..=2).contains(&noise));
        (sum, squares, cells) = (sum + noise, squares + noise * noise, cells + 1);
        assert_eq!(shown["b"].value, Some(0), "nobody stays nobody");
        let marked = StatusCode::new(Status::Perturbed, Rule::CellKey);
        assert!(shown.values().all(|shown| shown.status == marked));
    }
    // Five standard deviations of the mean of 400 with a variance of 1.08, and of their variance.
    let (mean, variance) = (sum as f64 / f64::from(cells), squares as f64 / f64::from(cells));
    assert!(
        mean.abs() < 0.26 && (variance - 1.08).abs() < 0.4,
        "{mean} {variance}"
    );
    // Small counts are passed over.
    for first in 0..40 {
        let shown = counts(&people_of("a", 100 * first, 1), parameters, LetOut::ByRule);
        assert!([0, 2, 3].contains(&shown["a"].value.unwrap()));
    }
}

#[test]
fn the_same_people_have_the_same_noise_under_every_question_and_others_have_other_noise() {
    let policy = Parameters {
        perturbation: NOISE,
        ..OPEN
    }
    .policy();
    let mut noises = BTreeSet::new();
    for first in 0..30 {
        let here = people_of("a", 100 * first, 40);
        let by_place = by_place(vec![
            ValueKind::CountUnits,
            ValueKind::CountRows,
            ValueKind::Count { argument: 0 },
            ValueKind::CountUnitsOf { argument: 0 },
        ]);
        let whole = Question::new(vec![], vec![], vec![ValueKind::CountUnits]);
        let everybody: Vec<Row> = here
            .iter()
            .map(|row| Row {
                unit: row.unit,
                keys: vec![],
                arguments: vec![],
            })
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(first));
        let in_place = table(by_place.ask(&here, &policy, &mut rng).treated.batch(), &by_place);
        let as_whole = table(whole.ask(&everybody, &policy, &mut rng).treated.batch(), &whole);
        let in_place = in_place
            .into_iter()
            .find(|(keys, _)| keys[0].as_deref() == Some("a"));
        let mut values: BTreeSet<i128> = in_place
            .unwrap()
            .1
            .iter()
            .map(|shown| shown.value.unwrap())
            .collect();
        values.insert(as_whole[0].1[0].value.unwrap());
        assert_eq!(values.len(), 1, "people {first}: {values:?}");
        noises.extend(values);
    }
    assert!(noises.len() >= 4, "{noises:?}");
}

#[test]
fn rows_of_the_same_people_move_together_however_often_they_are_counted() {
    let policy = Parameters {
        perturbation: NOISE,
        ..OPEN
    }
    .policy();
    let question = by_place(vec![ValueKind::CountRows]);
    for first in 0..30 {
        let people = people_of("a", 100 * first, 40);
        let mut noise_per_row = BTreeSet::new();
        // Twice, three times, … a hundred times the rows, as a join with a reference table gives them.
        for times in [2_usize, 3, 10, 100] {
            let rows: Vec<Row> = people.iter().flat_map(|row| vec![row.clone(); times]).collect();
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let answer = table(question.ask(&rows, &policy, &mut rng).treated.batch(), &question);
            let here = answer
                .into_iter()
                .find(|(keys, _)| keys[0].as_deref() == Some("a"))
                .unwrap();
            let noise = here.1[0].value.unwrap() - 40 * times as i128;
            assert_eq!(noise % times as i128, 0);
            noise_per_row.insert(noise / times as i128);
        }
        assert_eq!(noise_per_row.len(), 1, "an average over multiples would say more");
    }
}

#[test]
fn another_key_draws_otherwise() {
    let question = by_place(vec![ValueKind::CountUnits]);
    let policy = Parameters {
        perturbation: NOISE,
        ..OPEN
    }
    .policy();
    let mut question = question;
    question.lineage.layout.sketch = policy.rules().unit_sets();
    let cells = question.base_cells(&people_of("a", 0, 40), &mut ChaCha8Rng::seed_from_u64(1));
    let answers: BTreeSet<String> = (0..20)
        .map(|byte| {
            let key = DrawKey::new(&[byte; 32]);
            let checked = check(&cells, &question.lineage, &policy, &key, LetOut::ByPeople);
            format!("{:?}", table(checked.treated.batch(), &question))
        })
        .collect();
    assert!(answers.len() >= 3, "{answers:?}");
}
