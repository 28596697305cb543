//! What a run saw, and what it says of the first world that fails.

use std::collections::BTreeMap;
use std::fmt;

use tre_core::codes::Problem;

use super::compare::Violation;
use super::grammar::Query;
use super::run::QUERIES;
use super::tables::World;

/// What was seen, counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Queries, without those that must be refused.
    pub(super) asked: u64,
    /// Those that were answered.
    pub(super) accepted: u64,
    /// Why the others were not.
    pub(super) refusals: BTreeMap<String, u64>,
    /// Queries that must be refused, and were.
    pub(super) forbidden: u64,
    /// Accepted queries whose answer a person decides about, or that the policy keeps.
    pub(super) kept: u64,
    /// Accepted queries whose plan has other arguments than the reference lists; the engine ran all of their neighbours.
    pub(super) unaligned: u64,
    /// Answers compared with that of their world.
    pub(super) neighbours: u64,
    /// Those with other bytes.
    pub(super) differ: u64,
    /// Neighbours that the engine ran itself.
    pub(super) reruns: u64,
    /// Values told, and those of them that were suppressed.
    pub(super) told: u64,
    pub(super) suppressed: u64,
}

impl Tally {
    /// Counts a refusal under its reason, without the names of the query.
    pub(super) fn refused(&mut self, problem: &Problem) {
        let parts = problem.what.split('`').enumerate();
        let reason: String = parts
            .map(|(i, part)| if i % 2 == 0 { part } else { "…" })
            .collect();
        let reason = format!("{} {reason}", problem.code.id);
        *self.refusals.entry(reason).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: Tally) {
        self.asked += other.asked;
        self.accepted += other.accepted;
        self.forbidden += other.forbidden;
        self.kept += other.kept;
        self.unaligned += other.unaligned;
        self.neighbours += other.neighbours;
        self.differ += other.differ;
        self.reruns += other.reruns;
        self.told += other.told;
        self.suppressed += other.suppressed;
        for (reason, times) in other.refusals {
            *self.refusals.entry(reason).or_default() += times;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} queries, {} accepted, {} of them referred or withheld, {} with other arguments; {} of {} neighbours differ, {} run by the engine; {} of {} values suppressed; {} forbidden queries refused",
            self.asked,
            self.accepted,
            self.kept,
            self.unaligned,
            self.differ,
            self.neighbours,
            self.reruns,
            self.suppressed,
            self.told,
            self.forbidden
        )?;
        for (reason, times) in &self.refusals {
            writeln!(f, "{times:>7} refused: {reason}")?;
        }
        Ok(())
    }
}

/// A violation and how to see it again.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) seed: u64,
    pub(super) query: Query,
    pub(super) violation: Violation,
    world: String,
}

impl Failure {
    pub(super) fn new(seed: u64, query: Query, violation: Violation, world: &World) -> Failure {
        Failure {
            seed,
            query,
            violation,
            world: described(world),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = format!("cargo xtask soak --seed {} --queries {QUERIES}", self.seed);
        write!(
            f,
            "seed {}: {}\n{}\n\n{}\nagain: {again}",
            self.seed, self.violation, self.query.text, self.world
        )
    }
}

fn described(world: &World) -> String {
    let rows = world
        .tables
        .iter()
        .filter(|table| !table.public)
        .flat_map(|table| {
            let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            let rows = table
                .rows
                .iter()
                .map(|(unit, values)| format!("  {unit}: {values:?}\n"));
            std::iter::once(format!("{} {names:?}\n", table.name)).chain(rows)
        });
    format!("row filter {:?}\n{}", world.row_filter, rows.collect::<String>())
}
