//! Rounding that keeps sums, from outside: what the rounded cells of a table add up to.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_core::evidence::ValueKind;
use tre_core::status::{Rule, Status, StatusCode};
use tre_core::types::ColumnType;

use crate::parameters::*;
use crate::world::*;

const BASE: i128 = 3;

const CONTROLLED: Parameters = Parameters {
    minimum: 1,
    zero: "show",
    labels: 1,
    complement: 1,
    class: "show",
    digits: 38,
    contributors: "present",
    same_value: "show",
    majority: "show",
    degrees: 0,
    dominance: "method = \"none\"",
    rounding: "method = \"controlled\"\nbase = 3\nsums = true",
    ..STRICT
};

/// Counts and sums, exact and rounded, by their keys.
fn tables(question: &Question, world: &[Row]) -> [Vec<(Keys, Vec<Shown>)>; 2] {
    let exact = Parameters {
        rounding: "method = \"none\"",
        ..CONTROLLED
    };
    [exact, CONTROLLED].map(|parameters| {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let checked = question.ask(world, &parameters.policy(), &mut rng);
        table(checked.treated.batch(), question)
    })
}

#[test]
fn rounded_cells_add_up_to_rounded_margins_of_the_same_table() {
    let values = vec![
        ValueKind::CountRows,
        ValueKind::Count { argument: 0 },
        ValueKind::Sum { argument: 0 },
    ];
    let mut cells = 0;
    for seed in 0..150 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let keys = vec![text_key(true), int_key(true)]
            .into_iter()
            .take(1 + seed as usize % 2);
        let question = Question::new(keys.collect(), vec![ColumnType::Int], values.clone());
        let world = question.random_world(&mut rng);
        let [exact, rounded] = tables(&question, &world);
        for value in 0..values.len() {
            // By the whole, by each key, and by every cell: exact, rounded.
            let mut margins: BTreeMap<(usize, Keys), [i128; 2]> = BTreeMap::new();
            for ((keys, before), (other, after)) in exact.iter().zip(&rounded) {
                assert_eq!(keys, other);
                assert_eq!(after[value].status, StatusCode::new(Status::Rounded, Rule::Base));
                let (Some(before), Some(after)) = (before[value].value, after[value].value) else {
                    assert_eq!(before[value].value, after[value].value);
                    continue;
                };
                cells += 1;
                let mut lines = vec![(0, vec![]), (keys.len() + 1, keys.clone())];
                lines.extend(keys.iter().enumerate().map(|(i, key)| (i + 1, vec![key.clone()])));
                for line in lines {
                    let margin = margins.entry(line).or_default();
                    margin[0] += before;
                    margin[1] += after;
                }
            }
            for (line, [before, after]) in margins {
                assert_eq!(after % BASE, 0, "world {seed}, {line:?}");
                assert!(
                    (after - before).abs() < BASE,
                    "world {seed}, {line:?}: {before} became {after}"
                );
            }
        }
    }
    assert!(cells > 1_000, "{cells}");
}

#[test]
fn the_cells_add_up_to_what_the_question_without_keys_is_answered_with() {
    let values = vec![ValueKind::CountRows];
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let by_place = Question::new(vec![text_key(true)], vec![], values.clone());
        let whole = Question::new(vec![], vec![], values.clone());
        let world = by_place.random_world(&mut rng);
        let everybody: Vec<Row> = world
            .iter()
            .map(|row| Row {
                keys: vec![],
                ..row.clone()
            })
            .collect();
        let [_, parts] = tables(&by_place, &world);
        let [_, total] = tables(&whole, &everybody);
        let sum: i128 = parts.iter().filter_map(|(_, values)| values[0].value).sum();
        assert_eq!(Some(sum), total[0].1[0].value, "world {seed}");
    }
}

#[test]
fn what_is_suppressed_changes_no_other_value() {
    // Whether the suppressed group has one person or two, all others are rounded alike.
    let hides = Parameters {
        minimum: 3,
        complement: 1,
        ..CONTROLLED
    };
    let question = Question::new(vec![text_key(true)], vec![], vec![ValueKind::CountRows]);
    let answers = [1, 2].map(|few| {
        let sizes = [("a", 7), ("b", 8), ("c", few)];
        let mut world = Vec::new();
        for (place, size) in sizes {
            for _ in 0..size {
                world.push(Row {
                    unit: world.len() as u32,
                    keys: vec![Some(place.to_owned())],
                    arguments: vec![],
                });
            }
        }
        let checked = question.ask(&world, &hides.policy(), &mut ChaCha8Rng::seed_from_u64(1));
        table(checked.treated.batch(), &question)
    });
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].iter().any(|(_, values)| values[0].is_suppressed()));
}
