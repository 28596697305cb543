//! Every rule of lineage, every ingredient of evidence, every treatment switched off in turn: the property has to notice,
//! in the world of a recorded seed, in which it holds while nothing is broken.
//!
//! Nothing in the product knows of this: a part is broken by changing what passes between two others.

mod answers;
mod evidence;
mod exprs;
mod plans;
mod walk;

use super::client::{SOUND, Tamper};
use super::compare::Kind;
use super::grammar::SWITCHED_ON;
use super::policies::{Pack, VARIANTS};
use super::report::{Failure, Tally};
use super::run::{Plan, world};

/// Queries that a mutation has in the world of its seed.
const QUERIES: u64 = 10;

/// Worlds among which a new seed is looked for when the recorded one has become another world.
const SEARCHED: u64 = 2000;

fn first_failure(tamper: &Tamper, seed: u64, kind: Kind) -> Option<Failure> {
    let plan = Plan {
        features: &SWITCHED_ON,
        tamper,
        queries: QUERIES,
        rerun: false,
        neighbours: match kind {
            // One answer is enough to see it.
            Kind::Evidence | Kind::Refusal | Kind::Shown | Kind::Bytes => false,
            Kind::Error | Kind::Schema | Kind::Order | Kind::Row | Kind::Status | Kind::Value => true,
        },
    };
    world(&plan, seed, &mut Tally::default())
}

/// The broken part is noticed in the world of this seed, as this kind of violation, and nothing is without it.
#[track_caller]
fn noticed(tamper: &Tamper, seed: u64, kind: Kind) {
    // A rule that a world's policy does not have is not looked for there.
    let changes = |seed: u64| Pack::of(seed).changed(tamper.policy) != Pack::of(seed);
    let is_policy = (0..VARIANTS.len() as u64).any(changes);
    let is_noticed =
        |seed: u64| first_failure(tamper, seed, kind).is_some_and(|failure| failure.violation.kind == kind);
    if !is_noticed(seed) {
        let other = (0..SEARCHED).find(|seed| (!is_policy || changes(*seed)) && is_noticed(*seed));
        panic!(
            "not noticed as {kind:?} with seed {seed}; the first of {SEARCHED} with which it is: {other:?}"
        );
    }
    if let Some(failure) = first_failure(&SOUND, seed, kind) {
        panic!("noticed without the mutation: {failure}");
    }
}
