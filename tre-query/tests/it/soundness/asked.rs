//! One world that is asked queries.
//!
//! Of each query the base cells of the world itself are the engine's, and equal brute force exactly; those of its
//! neighbours are brute force's, and of one neighbour in a hundred the engine's as well. All of them go through checker
//! and desk, and the answers are judged.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use output_checker::lineage::Lineage;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_core::algebra::Frontier;
use tre_core::grant::Grant;
use tre_query::data::{Engine, Opened};
use tre_query::desk::Desk;

use super::alone;
use super::client::{Client, Kept, Prepared, Seen, Tamper, Treated};
use super::compare::{
    Judge, Kind, Rows, Side, Violation, columns_of_layout, columns_of_query, rows_of_answer, rows_of_cells,
};
use super::exact::{differing, is_of};
use super::grammar::{Above, Query};
use super::kept;
use super::oracle::{Groups, Listing, Oracle};
use super::policies::Pack;
use super::promise::Promise;
use super::report::Tally;
use super::run::Plan;
use super::tables::World;
use crate::fixture::{Table, opened};

/// What becomes of the cells of one replica, all aggregations together.
type Outcome = Result<Vec<Treated>, Kept>;

/// A world that is being asked.
pub(super) struct Asked<'a> {
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

/// A planned query, and what its aggregations are by brute force.
struct Planned<'a> {
    query: &'a Query,
    prepared: Prepared,
    /// One per aggregation of the query.
    listings: Vec<Listing>,
    /// Whether the plan's aggregations are the query's, argument by argument.
    aligned: bool,
}

impl Planned<'_> {
    fn groups(&self, front: usize, replica: usize) -> &Groups {
        &self.listings[front.min(self.listings.len() - 1)].replicas[replica]
    }
}

impl<'a> Asked<'a> {
    pub(super) async fn new(plan: &'a Plan<'a>, seed: u64, world: &'a World) -> Asked<'a> {
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

    /// Asks one query of the world and of its neighbours.
    pub(super) async fn query(&mut self, query: &Query, tally: &mut Tally) -> Option<Violation> {
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
        let reads = prepared.public_reads.iter();
        client.read(reads.map(|read| self.engine.read_public(read).unwrap()).collect());
        let planned = self.listed(query, prepared).await;
        tally.unaligned += u64::from(!planned.aligned);
        let cells = match self.cells(&planned, tally) {
            Ok(cells) => cells,
            Err(violation) => return Some(violation),
        };
        let outcomes: Vec<Outcome> = cells
            .into_iter()
            .enumerate()
            .map(|(replica, cells)| treated(&client, &planned, cells, replica))
            .collect();
        tally.kept += u64::from(outcomes[0].is_err());
        let judges = query.fronts.iter().map(|front| Judge {
            front,
            promise: &promise,
        });
        let judges: Vec<Judge<'_>> = judges.collect();
        let mut batches = outcomes.iter().flatten().flatten().map(|treated| &treated.batch);
        batches
            .find_map(alone::under_a_null)
            .or_else(|| self.kept_apart(&judges, &planned, &outcomes))
            .or_else(|| {
                let fronts = judges.iter().enumerate().filter(|_| planned.aligned);
                let mut fronts =
                    fronts.map(|(at, judge)| self.judge_cells(judge, at, &planned, &outcomes, tally));
                fronts.find_map(|violation| violation)
            })
            .or(self
                .judge_answers(judges[0], &mut client, &planned, outcomes, tally)
                .await)
    }

    async fn listed<'q>(&self, query: &'q Query, prepared: Prepared) -> Planned<'q> {
        let frontiers = &prepared.frontiers;
        let aligned = frontiers.len() == query.fronts.len()
            && query
                .fronts
                .iter()
                .zip(frontiers)
                .all(|(front, (_, lineage))| is_of(front, &lineage.layout));
        let mut listings = vec![];
        for (at, front) in query.fronts.iter().enumerate() {
            let keys = frontiers
                .get(at)
                .map_or(&[][..], |(_, lineage)| &lineage.layout.keys);
            let keys = if keys.len() == front.domains.len() {
                keys
            } else {
                &[]
            };
            listings.push(self.oracle.list(front, keys).await);
        }
        Planned {
            query,
            prepared,
            listings,
            aligned,
        }
    }

    /// Base cells of every replica, aggregation by aggregation.
    fn cells(
        &mut self,
        planned: &Planned<'_>,
        tally: &mut Tally,
    ) -> Result<Vec<Vec<RecordBatch>>, Violation> {
        let prepared = &planned.prepared;
        let full = ran(&self.engine, prepared, self.plan.tamper)?;
        let neighbours = &self.world.neighbours;
        let rerun = |at: usize| {
            let engine = Engine::open(files(&neighbours[at].tables, self.world, self.plan.tamper)).unwrap();
            ran(&engine, prepared, self.plan.tamper)
        };
        if !planned.aligned || self.plan.rerun {
            tally.reruns += neighbours.len() as u64;
            let others = (0..neighbours.len()).map(rerun);
            return std::iter::once(Ok(full)).chain(others).collect();
        }
        let of_replica = |replica: usize| -> Vec<RecordBatch> {
            let fronts = planned.listings.iter().zip(&prepared.frontiers);
            fronts
                .map(|(listing, (_, lineage))| listing.cells(replica, &lineage.layout))
                .collect()
        };
        let exact = |expected: &[RecordBatch], found: &[RecordBatch]| {
            let mut pairs = expected.iter().zip(found);
            match pairs.find_map(|(expected, found)| differing(expected, found)) {
                None => Ok(()),
                Some(what) => Err(Violation::new(Kind::Evidence, what)),
            }
        };
        let cells: Vec<Vec<RecordBatch>> = (0..=neighbours.len()).map(of_replica).collect();
        exact(&cells[0], &full)?;
        // One neighbour of every fourth query is about one in a hundred.
        if !neighbours.is_empty() && self.choices.random_bool(0.25) {
            let at = self.choices.random_range(0..neighbours.len());
            exact(&cells[1 + at], &rerun(at)?)?;
            tally.reruns += 1;
        }
        Ok(cells)
    }

    /// The first neighbour whose answer stays inside, or leaves, without a reason that the policy allows.
    fn kept_apart(
        &self,
        judges: &[Judge<'_>],
        planned: &Planned<'_>,
        outcomes: &[Outcome],
    ) -> Option<Violation> {
        (1..outcomes.len()).find_map(|replica| {
            let codes = [0, replica].map(|i| outcomes[i].as_ref().err());
            let worlds = [0, replica].map(|i| {
                let fronts = 0..judges.len();
                fronts.map(|front| planned.groups(front, i)).collect::<Vec<_>>()
            });
            let what = kept::unexplained(judges, codes, [&worlds[0], &worlds[1]], self.unit(replica))?;
            Some(Violation::new(Kind::Error, what))
        })
    }

    fn judge_cells(
        &self,
        judge: &Judge<'_>,
        front: usize,
        planned: &Planned<'_>,
        outcomes: &[Outcome],
        tally: &mut Tally,
    ) -> Option<Violation> {
        let (_, lineage) = &planned.prepared.frontiers[front];
        let columns = columns_of_layout(&lineage.layout);
        let rows = outcomes.iter().map(|outcome| {
            let treated = outcome.as_ref().ok()?;
            Some(rows_of_cells(&treated[front].batch, &lineage.layout))
        });
        let rows: Vec<Option<Rows>> = rows.collect();
        let sides: Vec<(usize, Side<'_>)> = rows
            .iter()
            .enumerate()
            .filter_map(|(replica, told)| {
                let truth = planned.groups(front, replica);
                Some((
                    replica,
                    Side {
                        told: told.as_ref()?,
                        truth,
                    },
                ))
            })
            .collect();
        for (replica, side) in &sides {
            if *replica == 0 {
                let told = side.told.told.values().flatten();
                tally.told += told.clone().count() as u64;
                tally.suppressed += told.filter(|told| told.suppressed).count() as u64;
            }
            if let Some(violation) = judge.alone(*side, &columns) {
                return Some(violation);
            }
        }
        let (first, others) = sides.split_first()?;
        if first.0 != 0 {
            return None;
        }
        let mut others = others.iter();
        others.find_map(|(replica, side)| {
            judge.difference(first.1, *side, self.unit(*replica), &columns, false)
        })
    }

    /// The person who is another one in a replica.
    fn unit(&self, replica: usize) -> u32 {
        self.world.neighbours[replica - 1].unit
    }

    async fn judge_answers(
        &self,
        judge: Judge<'_>,
        client: &mut Client<'_>,
        planned: &Planned<'_>,
        outcomes: Vec<Outcome>,
        tally: &mut Tally,
    ) -> Option<Violation> {
        let text = &planned.query.text;
        let mut known: Vec<(Vec<Treated>, Seen)> = vec![];
        let mut full = None;
        let mut repeated = false;
        for (replica, outcome) in outcomes.into_iter().enumerate() {
            let Ok(treated) = outcome else { continue };
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
            if replica == 0 {
                full = Some(seen);
                continue;
            }
            // Where the world's own answer stays inside there is nothing to compare with.
            let full = full.as_ref()?;
            tally.neighbours += 1;
            if *full == seen {
                continue;
            }
            tally.differ += 1;
            let truth = [0, replica].map(|i| planned.groups(0, i));
            if let Some(violation) =
                seen_apart(judge, planned.query, [full, &seen], truth, self.unit(replica))
            {
                return Some(violation);
            }
        }
        None
    }
}

/// The first difference of what a client sees that the person does not explain.
fn seen_apart(
    judge: Judge<'_>,
    query: &Query,
    seen: [&Seen; 2],
    truth: [&Groups; 2],
    unit: u32,
) -> Option<Violation> {
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
    if query.above == Above::Other {
        return None;
    }
    let columns = columns_of_query(query);
    let rows = [full, other].map(|batches| {
        let plain = batches.first().map_or_else(|| a.clone(), RecordBatch::schema);
        let batch = concat_batches(&plain, batches).unwrap();
        rows_of_answer(&batch, judge.front.domains.len(), columns.len())
    });
    let side = |i: usize| Side {
        told: &rows[i],
        truth: truth[i],
    };
    judge.difference(side(0), side(1), unit, &columns, query.above == Above::Chosen)
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

fn treated(client: &Client<'_>, planned: &Planned<'_>, cells: Vec<RecordBatch>, replica: usize) -> Outcome {
    let frontiers = planned.prepared.frontiers.iter().zip(cells).enumerate();
    frontiers
        .map(|(front, ((_, lineage), cells))| client.treat(lineage, cells, planned.groups(front, replica)))
        .collect()
}
