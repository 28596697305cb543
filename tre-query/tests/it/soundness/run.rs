//! The property, world by world.
//!
//! One world is asked several queries. Of each query the base cells of the world itself are the engine's, and equal brute
//! force exactly; those of its neighbours are brute force's, and of one neighbour in a hundred the engine's as well.
//! All of them go through checker and desk, and the answers are judged.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use output_checker::lineage::Lineage;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::algebra::Frontier;
use tre_core::grant::Grant;
use tre_query::data::{Engine, Opened};
use tre_query::desk::Desk;

use super::alone;
use super::client::{Client, Prepared, Seen, Tamper, Treated};
use super::compare::{
    Judge, Kind, Rows, Side, Violation, columns_of_layout, columns_of_query, rows_of_answer, rows_of_cells,
};
use super::exact::{differing, values_of};
use super::grammar::{self, Above, Feature, Query};
use super::oracle::{Groups, Listing, Oracle};
use super::policies::{Pack, Promise};
use super::report::{Failure, Tally};
use super::tables::World;
use crate::fixture::{Table, opened};

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
        let world = World::random(&mut rng);
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

/// None, one or two of the features.
fn drawn(features: &[Feature], rng: &mut ChaCha8Rng) -> BTreeSet<Feature> {
    let few = [0, 0, 1, 1, 2][rng.random_range(0..5)];
    features.choose_multiple(rng, few).copied().collect()
}

/// A world that is being asked.
struct Asked<'a> {
    plan: &'a Plan<'a>,
    world: &'a World,
    oracle: Oracle,
    engine: Engine,
    grant: Grant,
    pack: Pack,
    /// Which neighbours the engine runs; apart from the queries' generator, so that these do not depend on it.
    choices: ChaCha8Rng,
}

fn files(tables: &[Table], world: &World, tamper: &Tamper) -> Opened {
    let condition = world.row_filter.map(|condition| {
        let desk = Desk::open(vec![]).unwrap();
        desk.lower_filter(condition, &tables[0].columns).unwrap()
    });
    opened(tables, |grant| {
        grant.tables[0].row_filter = condition;
        (tamper.grant)(grant);
    })
}

impl<'a> Asked<'a> {
    async fn new(plan: &'a Plan<'a>, seed: u64, world: &'a World) -> Asked<'a> {
        let mut opened = files(&world.tables, world, plan.tamper);
        opened.threads = 1 + usize::from(seed.is_multiple_of(3));
        let grant = opened.grant.clone();
        (plan.tamper.opened)(&mut opened, world);
        Asked {
            plan,
            world,
            oracle: Oracle::new(world).await,
            engine: Engine::open(opened).unwrap(),
            grant,
            pack: Pack::of(seed),
            choices: ChaCha8Rng::seed_from_u64(!seed),
        }
    }

    async fn query(&mut self, query: &Query, tally: &mut Tally) -> Option<Violation> {
        let pack = self.pack.clone();
        let promise = Promise::of(&pack.policy());
        let policy = pack.changed(self.plan.tamper.policy).policy();
        let grant = self.grant.clone();
        let mut client = Client::new(&grant, policy, self.plan.tamper);
        tally.asked += u64::from(!query.forbidden);
        let prepared = match client.prepare(&query.text).await {
            Ok(_) if query.forbidden => {
                return Some(Violation::new(Kind::Refusal, "it was not refused"));
            }
            Err(_) if query.forbidden => {
                tally.forbidden += 1;
                return None;
            }
            Err(problem) => {
                tally.refused(&problem);
                return None;
            }
            Ok(prepared) => prepared,
        };
        tally.accepted += 1;
        client.read(
            prepared
                .public_reads
                .iter()
                .map(|read| self.engine.read_public(read).unwrap())
                .collect(),
        );
        let keys = prepared
            .frontiers
            .first()
            .map_or(&[][..], |(_, lineage)| &lineage.layout.keys);
        let listing = self.oracle.list(query, keys).await;
        let judge = Judge { query, promise };
        let cells = match self.cells(query, &prepared, &listing, tally) {
            Ok(cells) => cells,
            Err(violation) => return Some(violation),
        };
        let mut answers = vec![];
        for (replica, cells) in cells.into_iter().enumerate() {
            answers.push(treated(&client, &prepared, cells, &listing.replicas[replica]));
        }
        let cells = answers.iter().flatten().flatten();
        if let Some(violation) = cells.map(|treated| &treated.batch).find_map(alone::under_a_null) {
            return Some(violation);
        }
        if self.by_brute_force(query) {
            let (_, lineage) = &prepared.frontiers[0];
            if let Some(violation) = self.judge_cells(&judge, lineage, &listing, &answers, tally) {
                return Some(violation);
            }
        }
        self.judge_answers(&judge, &mut client, &listing, answers, tally)
            .await
    }

    /// Whether the cells of neighbours are brute force's. Where the layout is of constructs that it does not know, the
    /// engine runs every neighbour.
    fn by_brute_force(&self, query: &Query) -> bool {
        query.features.is_empty() && !self.plan.rerun
    }

    /// Base cells of every replica, frontier by frontier.
    fn cells(
        &mut self,
        query: &Query,
        prepared: &Prepared,
        listing: &Listing,
        tally: &mut Tally,
    ) -> Result<Vec<Vec<RecordBatch>>, Violation> {
        let full = ran(&self.engine, prepared, self.plan.tamper)?;
        let neighbours = &self.world.neighbours;
        let rerun = |at: usize| {
            let engine = Engine::open(files(&neighbours[at].tables, self.world, self.plan.tamper)).unwrap();
            ran(&engine, prepared, self.plan.tamper)
        };
        if !self.by_brute_force(query) {
            tally.reruns += neighbours.len() as u64;
            let others = (0..neighbours.len()).map(rerun);
            return std::iter::once(Ok(full)).chain(others).collect();
        }
        let [(_, lineage)] = prepared.frontiers.as_slice() else {
            return Err(Violation::new(
                Kind::Evidence,
                "another number of aggregations than one",
            ));
        };
        let (computed, expected) = (&lineage.layout.values, values_of(query));
        if computed.len() != expected.len() || !expected.iter().all(|kind| computed.contains(kind)) {
            let what = format!("the plan computes {computed:?}, the query {expected:?}");
            return Err(Violation::new(Kind::Evidence, what));
        }
        let exact = |replica: usize, found: &RecordBatch| {
            let expected = listing.cells(replica, &lineage.layout);
            let difference = differing(&expected, found);
            difference.map_or(Ok(expected), |what| Err(Violation::new(Kind::Evidence, what)))
        };
        let mut cells = vec![vec![exact(0, &full[0])?]];
        for at in 0..neighbours.len() {
            cells.push(vec![listing.cells(1 + at, &lineage.layout)]);
        }
        // One neighbour of every fourth query is about one in a hundred.
        if !neighbours.is_empty() && self.choices.random_bool(0.25) {
            let at = self.choices.random_range(0..neighbours.len());
            exact(1 + at, &rerun(at)?[0])?;
            tally.reruns += 1;
        }
        Ok(cells)
    }

    fn judge_cells(
        &self,
        judge: &Judge<'_>,
        lineage: &Lineage,
        listing: &Listing,
        answers: &[Result<Vec<Treated>, String>],
        tally: &mut Tally,
    ) -> Option<Violation> {
        let columns = columns_of_layout(&lineage.layout);
        let rows: Vec<Option<Rows>> = answers
            .iter()
            .map(|answer| {
                answer
                    .as_ref()
                    .ok()
                    .map(|treated| rows_of_cells(&treated[0].batch, &lineage.layout))
            })
            .collect();
        for (replica, rows) in rows.iter().enumerate() {
            let side = Side {
                told: rows.as_ref()?,
                truth: &listing.replicas[replica],
            };
            if replica == 0 {
                let told = side.told.told.values().flatten();
                tally.told += told.clone().count() as u64;
                tally.suppressed += told.filter(|told| told.suppressed).count() as u64;
            }
            if let Some(violation) = judge.alone(side, &columns) {
                return Some(violation);
            }
        }
        let side = |replica: usize| Side {
            told: rows[replica].as_ref().unwrap(),
            truth: &listing.replicas[replica],
        };
        (1..rows.len())
            .find_map(|replica| judge.difference(side(0), side(replica), self.unit(replica), &columns, false))
    }

    /// The person who is another one in a replica.
    fn unit(&self, replica: usize) -> u32 {
        self.world.neighbours[replica - 1].unit
    }

    async fn judge_answers(
        &self,
        judge: &Judge<'_>,
        client: &mut Client<'_>,
        listing: &Listing,
        answers: Vec<Result<Vec<Treated>, String>>,
        tally: &mut Tally,
    ) -> Option<Violation> {
        let text = &judge.query.text;
        let mut known: Vec<(Vec<Treated>, Seen)> = vec![];
        let mut full = None;
        let mut repeated = false;
        for (replica, answer) in answers.into_iter().enumerate() {
            let treated = match answer {
                Ok(treated) => treated,
                Err(message) if replica == 0 => {
                    full = Some(Seen::Message(message));
                    continue;
                }
                Err(message) => {
                    let same = full == Some(Seen::Message(message.clone()));
                    if !same {
                        return Some(Violation::new(Kind::Error, message));
                    }
                    continue;
                }
            };
            let before = known
                .iter()
                .find(|(cells, _)| *cells == treated)
                .map(|(_, seen)| seen.clone());
            let seen = match before {
                // The same treated cells are the same answer; it is asked for once more to see that they are.
                Some(seen) if repeated => seen,
                Some(seen) => {
                    repeated = true;
                    if client.finish(text, treated.clone()).await != seen {
                        return Some(Violation::new(
                            Kind::Bytes,
                            "two answers over the same treated cells",
                        ));
                    }
                    seen
                }
                None => client.finish(text, treated.clone()).await,
            };
            known.push((treated, seen.clone()));
            let Some(full) = &full else {
                full = Some(seen);
                continue;
            };
            tally.neighbours += 1;
            if *full == seen {
                continue;
            }
            tally.differ += 1;
            let truth = [&listing.replicas[0], &listing.replicas[replica]];
            if let Some(violation) = seen_apart(judge, [full, &seen], truth, self.unit(replica)) {
                return Some(violation);
            }
        }
        None
    }
}

/// The first difference of what a client sees that the person does not explain.
fn seen_apart(judge: &Judge<'_>, seen: [&Seen; 2], truth: [&Groups; 2], unit: u32) -> Option<Violation> {
    let (
        Seen::Answer {
            schema: a,
            batches: full,
            ..
        },
        Seen::Answer {
            schema: b,
            batches: other,
            ..
        },
    ) = (seen[0], seen[1])
    else {
        return Some(Violation::new(Kind::Error, format!("person {unit}: {seen:?}")));
    };
    if a != b {
        return Some(Violation::new(
            Kind::Schema,
            format!("person {unit}: {a:?} and {b:?}"),
        ));
    }
    if judge.query.above == Above::Other {
        return None;
    }
    let columns = columns_of_query(judge.query);
    let rows = [full, other].map(|batches| {
        let plain = batches.first().map_or_else(|| a.clone(), RecordBatch::schema);
        let batch = concat_batches(&plain, batches).unwrap();
        rows_of_answer(&batch, judge.query.domains.len(), columns.len())
    });
    let side = |i: usize| Side {
        told: &rows[i],
        truth: truth[i],
    };
    judge.difference(
        side(0),
        side(1),
        unit,
        &columns,
        judge.query.above == Above::Chosen,
    )
}

/// Runs every frontier. That it was run under the lineage that was read is the server's to compare.
fn ran(engine: &Engine, prepared: &Prepared, tamper: &Tamper) -> Result<Vec<RecordBatch>, Violation> {
    let run = |(frontier, _): &(Frontier, Lineage)| {
        engine
            .run(&(tamper.frontier)(frontier.clone()))
            .map(|(_, batch)| (tamper.answered)(batch))
            .map_err(|error| Violation::new(Kind::Error, format!("the engine failed: {error}")))
    };
    prepared.frontiers.iter().map(run).collect()
}

fn treated(
    client: &Client<'_>,
    prepared: &Prepared,
    cells: Vec<RecordBatch>,
    truth: &Groups,
) -> Result<Vec<Treated>, String> {
    let frontiers = prepared.frontiers.iter().zip(cells);
    frontiers
        .map(|((_, lineage), cells)| client.treat(lineage, cells, truth))
        .collect()
}
