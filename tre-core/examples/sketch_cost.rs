//! Prints what unit-set sketches cost on this machine: `cargo run -p tre-core --example sketch_cost`.

#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::hint::black_box;
use std::time::Instant;

use tre_core::sketch::{Shares, SketchShape, Sketcher, UnitSet, UnitVector};

/// Sums for a minimum of 10 people.
const MINIMUM: u32 = 10;
const ROUNDS: u32 = 200_000;

fn main() {
    let sketcher = Sketcher::new(&[7; 32], SketchShape::for_minimum(MINIMUM));
    let mut vector = sketcher.vector(0);
    measure("a vector", ROUNDS, |unit| {
        sketcher.vector_into(unit, black_box(&mut vector));
    });
    let mut set = UnitSet::empty(sketcher.shape());
    measure("its XOR into a set", ROUNDS, |_| set.add(black_box(&vector)));

    let mut shares = Shares::default();
    measure("what a unit gives, into a value", ROUNDS, |unit| {
        shares.add(&sketcher.share(unit, 3, black_box(-7)));
    });

    let vectors: Vec<UnitVector> = (0..1000).map(|unit| sketcher.vector(unit)).collect();
    let of = |range: std::ops::Range<usize>| {
        let mut set = UnitSet::empty(sketcher.shape());
        vectors
            .iter()
            .take(range.end)
            .skip(range.start)
            .for_each(|v| set.add(v));
        set
    };
    let (half, other, near) = (of(0..500), of(500..1000), of(0..509));
    measure("two sets far apart", ROUNDS, |_| {
        black_box(sketcher.distance(black_box(&half), &other, MINIMUM));
    });
    measure("two sets that differ by 9", 1000, |_| {
        black_box(sketcher.distance(black_box(&half), &near, MINIMUM));
    });
}

fn measure(what: &str, rounds: u32, mut step: impl FnMut(u32)) {
    let start = Instant::now();
    (0..rounds).for_each(&mut step);
    let nanoseconds = start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds);
    println!("{what}: {nanoseconds:.0} ns");
}
