//! The property, world by world, on all cores.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::asked::Asked;
use super::client::Tamper;
use super::grammar::{self, Feature};
use super::report::{Failure, Tally};
use super::tables::World;

/// Queries that are asked of one world.
pub(super) const QUERIES: u64 = 5;

/// What is asked of every world.
#[derive(Clone)]
pub(super) struct Plan<'a> {
    /// Features that queries may use.
    pub(super) features: &'a [Feature],
    pub(super) tamper: &'a Tamper,
    /// Queries per world.
    pub(super) queries: u64,
    /// Whether the engine runs every neighbour itself.
    pub(super) rerun: bool,
    /// Whether there are neighbours; without them only what a single answer says is judged.
    pub(super) neighbours: bool,
}

/// Asks worlds from `first` on, on all cores, until one fails.
pub(super) fn worlds(
    plan: &Plan<'_>,
    first: u64,
    worlds: u64,
    progress: impl Fn(u64) + Sync,
) -> (Tally, Option<Failure>) {
    let (next, found) = (AtomicU64::new(0), Mutex::new((Tally::default(), None::<Failure>)));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= worlds {
                        return;
                    }
                    let mut tally = Tally::default();
                    let failure = world(plan, first + at, &mut tally);
                    let mut found = found.lock().unwrap();
                    found.0.add(tally);
                    progress(at + 1);
                    if let Some(failure) = failure {
                        next.store(worlds, Ordering::Relaxed);
                        // The first seed is told, whichever thread is faster.
                        if found.1.as_ref().is_none_or(|known| failure.seed < known.seed) {
                            found.1 = Some(failure);
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Tells the seed of a world in which something panics.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the world of seed {}", self.0);
        }
    }
}

/// Asks one world.
pub(super) fn world(plan: &Plan<'_>, seed: u64, tally: &mut Tally) -> Option<Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let _told = Told(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = World::random(&mut rng);
        if !plan.neighbours {
            world.neighbours.clear();
        }
        let mut asked = Asked::new(plan, seed, &world).await;
        for _ in 0..plan.queries {
            let features = drawn(plan.features, &mut rng);
            let query = grammar::random(&world.tables, &features, &mut rng);
            if let Some(violation) = asked.query(&query, tally).await {
                return Some(Failure::new(seed, query, violation, &world));
            }
        }
        None
    })
}

/// None, or up to three of the features.
fn drawn(features: &[Feature], rng: &mut ChaCha8Rng) -> BTreeSet<Feature> {
    let few = [0, 1, 1, 2, 2, 3][rng.random_range(0..6)];
    features.choose_multiple(rng, few).copied().collect()
}
