//! Promise 2 over random worlds and random queries: remove a person, or change their values, and whatever changes in the
//! bytes that a client sees lies in values whose evidence has enough units, that person among them.
//!
//! [`tables`] draws a world of at most twelve people and all of its neighbours, [`grammar`] draws queries; [`oracle`] finds
//! by brute force over plain DataFusion what every cell is in every neighbour; [`client`] goes the whole way from text to
//! bytes; [`promise`] reads off the policy what it promises, [`compare`], [`alone`] and [`kept`] judge what comes back;
//! [`asked`] and [`run`] put them together. [`mutations`] breaks one part at a time and shows that the judgement notices.

mod aggregates;
mod alone;
mod asked;
mod client;
mod compare;
mod exact;
mod exprs;
mod features;
mod gaps;
mod grammar;
mod kept;
mod mutations;
mod oracle;
mod policies;
mod promise;
mod report;
mod run;
mod sources;
mod subqueries;
mod tables;
mod upper;

use std::time::{Duration, Instant};

use client::SOUND;
use grammar::SWITCHED_ON;
use run::{Plan, QUERIES};

/// Queries of a test run.
const IN_CI: u64 = 500;

/// Of a hundred queries so many are accepted, at least.
const ACCEPTED: u64 = 60;

/// How many queries to ask and where to begin; `cargo xtask soak` says something else than the default.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place of these tests that reads the environment"
)]
fn wanted() -> (u64, u64) {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| {
            text.parse().unwrap_or_else(|e| panic!("{name}: {e}"))
        })
    };
    (number("TRE_SOAK_QUERIES", IN_CI), number("TRE_SOAK_SEED", 0))
}

#[test]
fn whatever_differs_lies_in_values_of_enough_people() {
    let (queries, first) = wanted();
    let plan = Plan {
        features: &SWITCHED_ON,
        tamper: &SOUND,
        queries: QUERIES,
        rerun: false,
        neighbours: true,
    };
    let worlds = queries.div_ceil(QUERIES);
    let (begun, told) = (Instant::now(), std::sync::Mutex::new(Instant::now()));
    let (tally, failure) = run::worlds(&plan, first, worlds, |done| {
        let mut told = told.lock().unwrap();
        if told.elapsed() > Duration::from_secs(10) {
            *told = Instant::now();
            eprintln!(
                "{done} of {worlds} worlds from seed {first}, {} s",
                begun.elapsed().as_secs()
            );
        }
    });
    eprintln!(
        "{tally}{worlds} worlds from seed {first} in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    if let Some(failure) = failure {
        panic!("{failure}");
    }
    assert!(
        tally.accepted * 100 >= tally.asked * ACCEPTED,
        "too many queries are refused"
    );
    assert!(
        tally.unaligned * 50 <= tally.accepted,
        "too many plans are not compared with brute force"
    );
    assert!(
        tally.differ > tally.accepted,
        "neighbours hardly ever differ: nothing was compared"
    );
}
