//! Levels of one result: nothing that is not shown follows from a coarser cell, by brute force over random worlds.

use std::collections::BTreeSet;

use output_checker::lineage::KeyLineage;
use output_checker::{Asked, Checked, LetOut, check, check_together};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::algebra::{Aggregate, Expr, Frontier, Node};
use tre_core::evidence::{BaseCells, ValueKind};
use tre_core::policy::Policy;
use tre_core::status::Rule;

use crate::asked::draw_key;
use crate::parameters::{Parameters, STRICT};
use crate::world::{Keys, Question, Row, Shown, int_key, table, text_key};

/// People with a row in a coarser cell whose finer cell is not shown have to be as many, or nobody.
const LEAST: usize = 3;

/// A question about rows, grouped by the keys of which `levels` has the positions.
struct Levels {
    keys: [KeyLineage; 2],
    levels: Vec<Vec<usize>>,
}

impl Levels {
    fn frontier(&self, level: &[usize]) -> Frontier {
        Frontier {
            input: Node::Scan {
                dataset: "liver".parse().unwrap(),
                table: "visit".parse().unwrap(),
                columns: vec!["place".parse().unwrap(), "age".parse().unwrap()],
            },
            keys: level
                .iter()
                .map(|i| (self.keys[*i].name.clone(), Expr::Column(*i)))
                .collect(),
            arguments: vec![],
            aggregates: vec![Aggregate::CountRows],
        }
    }

    fn question(&self, level: &[usize]) -> Question {
        let keys = level.iter().map(|i| self.keys[*i].clone()).collect();
        Question::new(keys, vec![], vec![ValueKind::CountRows])
    }

    /// The treated table of every level.
    fn ask(
        &self,
        world: &[Row],
        together: bool,
        policy: &Policy,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Vec<(Keys, Vec<Shown>)>> {
        let frontiers: Vec<Frontier> = self.levels.iter().map(|level| self.frontier(level)).collect();
        let questions: Vec<Question> = self.levels.iter().map(|level| self.question(level)).collect();
        let cells: Vec<BaseCells> = questions
            .iter()
            .zip(&self.levels)
            .map(|(question, level)| question.base_cells(&rows_at(world, level), rng))
            .collect();
        let asked: Vec<Asked<'_>> = (0..frontiers.len())
            .map(|i| Asked {
                frontier: &frontiers[i],
                lineage: &questions[i].lineage,
                cells: &cells[i],
            })
            .collect();
        let checked: Vec<Checked> = if together {
            check_together(&asked, policy, &draw_key(), LetOut::ByRule)
        } else {
            asked
                .iter()
                .map(|asked| check(asked.cells, asked.lineage, policy, &draw_key(), LetOut::ByRule))
                .collect()
        };
        checked
            .iter()
            .zip(&questions)
            .map(|(checked, question)| table(checked.treated.batch(), question))
            .collect()
    }
}

/// The rows of a world with the keys of a level.
fn rows_at(world: &[Row], level: &[usize]) -> Vec<Row> {
    let row = |row: &Row| Row {
        keys: level.iter().map(|i| row.keys[*i].clone()).collect(),
        ..row.clone()
    };
    world.iter().map(row).collect()
}

/// What a reader can compute of too few people, if anything.
fn leak(world: &[Row], levels: &[Vec<usize>], tables: &[Vec<(Keys, Vec<Shown>)>]) -> Option<String> {
    for (coarse, coarse_keys) in tables.iter().zip(levels) {
        for (fine, fine_keys) in tables.iter().zip(levels) {
            let positions: Option<Vec<usize>> = coarse_keys
                .iter()
                .map(|key| fine_keys.iter().position(|other| other == key))
                .collect();
            let Some(positions) = positions.filter(|positions| positions.len() < fine_keys.len()) else {
                continue;
            };
            for (keys, values) in coarse {
                let under = |fine: &Keys| positions.iter().zip(keys).all(|(i, key)| fine[*i] == *key);
                let shown: BTreeSet<&Keys> = fine
                    .iter()
                    .filter(|(fine, values)| under(fine) && !values[0].is_suppressed())
                    .map(|(fine, _)| fine)
                    .collect();
                if values[0].is_suppressed() && !shown.is_empty() {
                    return Some(format!("{keys:?} is suppressed, and {shown:?} add up to it"));
                }
                let rest: BTreeSet<u32> = rows_at(world, fine_keys)
                    .into_iter()
                    .filter(|row| under(&row.keys) && !shown.contains(&row.keys))
                    .map(|row| row.unit)
                    .collect();
                if !values[0].is_suppressed() && (1..LEAST).contains(&rest.len()) {
                    return Some(format!("{keys:?} less {shown:?} is of {rest:?}"));
                }
            }
        }
    }
    None
}

fn leaks(together: bool) -> (usize, usize) {
    let (mut leaks, mut told) = (0, 0);
    for seed in 0..600 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let parameters = Parameters {
            class: "show",
            ..STRICT
        };
        let policy = parameters.policy();
        let all = [vec![], vec![0], vec![1], vec![0, 1]];
        let levels: Vec<Vec<usize>> = if rng.random_bool(0.5) {
            all.to_vec()
        } else {
            all[1..].to_vec()
        };
        let asked = Levels {
            keys: [text_key(rng.random_bool(0.6)), int_key(rng.random_bool(0.6))],
            levels,
        };
        let world = asked.question(&[0, 1]).random_world(&mut rng);
        let tables = asked.ask(&world, together, &policy, &mut rng);
        let statuses = tables.iter().flatten().flat_map(|(_, values)| values);
        told += statuses
            .filter(|shown| shown.status.rule() == Rule::Level)
            .count();
        leaks += usize::from(leak(&world, &asked.levels, &tables).is_some());
    }
    (leaks, told)
}

#[test]
fn what_is_not_shown_does_not_follow_from_a_coarser_level() {
    let (leaks, told) = leaks(true);
    assert_eq!(leaks, 0);
    assert!(
        told > 100,
        "the rule decided {told} values: these worlds do not ask for it"
    );
}

#[test]
fn of_levels_that_are_judged_alone_it_does() {
    assert!(leaks(false).0 > 50);
}

/// Where enough people stand behind what is not shown, nothing more is given up.
#[test]
fn a_rest_of_enough_people_stays_a_rest() {
    let asked = Levels {
        keys: [text_key(false), int_key(false)],
        levels: vec![vec![], vec![0]],
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let policy = STRICT.policy();
    let place = |unit: u32, place: &str| Row {
        unit,
        keys: vec![Some(place.to_owned()), Some("7".to_owned())],
        arguments: vec![],
    };
    let mut world: Vec<Row> = (0..10).map(|unit| place(unit, "a")).collect();
    world.extend([place(20, "b"), place(21, "b")]);
    let rows = |world: &[Row], rng: &mut ChaCha8Rng| asked.ask(world, true, &policy, rng)[1].clone();
    // Two people are left out with their label: the total tells that they are two.
    assert!(rows(&world, &mut rng)[0].1[0].is_suppressed());
    // With one more elsewhere they are three, and who is where is not told.
    world.push(place(22, "c"));
    let shown = rows(&world, &mut rng);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].1[0].value, Some(10));
}
