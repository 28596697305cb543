//! Prints how long it takes to compare an answer with a large ledger: `cargo run -p output-checker --example ledger_speed`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it prints what it measures, and stops at what it cannot"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use output_checker::ledger::{Ledger, overtaken};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::ids::QueryId;
use tre_core::ledger::{Answer, Cell, Digest, Measure, Part, Question};
use tre_core::permit::ExitName;
use tre_core::policy::Policy;
use tre_core::sketch::{Shares, SketchShape, Sketcher, UnitSet};
use tre_core::status::StatusCode;

const EARLIER: usize = 100_000;
const NEW: usize = 1_000;
/// Cells of one earlier answer.
const EACH: usize = 1_000;

fn main() {
    let policy = include_str!("../../policies/sdc/ndb.toml");
    let policy = Policy::parse(&"ndb".parse().unwrap(), policy).unwrap();
    let shape = policy.rules().sketch().unwrap();
    let sketcher = Sketcher::new(&[1; 32], shape);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    // Sizes as tables have them, from 10 to a million and small ones more often; and the worst that is likely.
    let spread = |rng: &mut ChaCha8Rng| 10_f64.powf(rng.random_range(1.0..6.0)) as u64;
    let alike = |rng: &mut ChaCha8Rng| rng.random_range(10..110);
    measure("sizes from 10 to 10^6", &sketcher, &mut || {
        random_set(shape, spread(&mut rng), &mut rng)
    });
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    measure("sizes from 10 to 109", &sketcher, &mut || {
        random_set(shape, alike(&mut rng), &mut rng)
    });
}

fn measure(what: &str, sketcher: &Sketcher, set: &mut dyn FnMut() -> UnitSet) {
    let mut ledger = Ledger::default();
    let mut bytes = 0;
    for _ in 0..EARLIER / EACH {
        let answer = answer((0..EACH).map(|_| set()).collect(), b"earlier");
        bytes += serde_json::to_vec(&answer).unwrap().len();
        ledger.add(&answer);
    }
    let new = answer((0..NEW).map(|_| set()).collect(), b"new");
    let sketchers = BTreeMap::from([("clinic".parse().unwrap(), sketcher.clone())]);
    let start = Instant::now();
    overtaken(&ledger, &sketchers, &new, 0).unwrap();
    println!(
        "{what}: {NEW} cells against {EARLIER} in {:.0} ms; {} bytes a cell when stored",
        start.elapsed().as_secs_f64() * 1e3,
        bytes / EARLIER
    );
}

/// The set of people whom nobody shares: the XOR of many vectors is as good as random words, and sets drawn so are far
/// from each other.
fn random_set(shape: SketchShape, units: u64, rng: &mut ChaCha8Rng) -> UnitSet {
    UnitSet::new(units, (0..shape.words()).map(|_| rng.random()).collect()).unwrap()
}

fn answer(sets: Vec<UnitSet>, plan: &[u8]) -> Answer {
    let cell = |(number, set): (u32, &UnitSet)| Cell {
        group: Digest::of(&number.to_le_bytes()),
        set: number,
        measure: Measure::People,
        shares: Shares::default(),
        when: None,
        row_per_unit: true,
        status: StatusCode::SHOWN,
        value: Some(i128::from(set.units())),
        scale: 0,
    };
    Answer {
        query: QueryId::from_random([1; 10]),
        project: "liver".parse().unwrap(),
        user: "alice".parse().unwrap(),
        exit: ExitName::View,
        at: "2026-03-01T12:00:00Z".parse().unwrap(),
        refused: false,
        parts: vec![Part {
            population: "clinic".parse().unwrap(),
            question: Question {
                plan: Digest::of(plan),
                keys: Digest::of(plan),
                keys_part_rows: true,
                tables: BTreeSet::new(),
                sensitive: BTreeSet::new(),
            },
            minimum: 10,
            cells: (0..).zip(&sets).map(cell).collect(),
            sets,
        }],
    }
}
