//! Constructs that the algebra does not have yet: refused today, written by the grammar already, and understood by the
//! reference.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_query::desk::{Desk, DeskTable};

use super::client::SOUND;
use super::compare::rows_of_plain;
use super::grammar::{self, Above, Call, FEATURES, Feature, Query, SWITCHED_ON};
use super::oracle::{Listing, Oracle};
use super::run::{Plan, worlds};
use super::tables::World;
use crate::fixture::opened;

/// Worlds per feature.
const WORLDS: u64 = 20;

/// Queries of a world that use the feature, if there is one.
fn queries(seed: u64, feature: Option<Feature>) -> (World, Vec<Query>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let world = World::random(&mut rng);
    let features: BTreeSet<Feature> = feature.into_iter().collect();
    let mut queries = vec![];
    while queries.len() < 3 {
        let query = grammar::random(&world.tables, &features, &mut rng);
        if query.features == features && !query.forbidden {
            queries.push(query);
        }
    }
    (world, queries)
}

#[tokio::test]
async fn what_is_switched_off_is_refused() {
    for feature in FEATURES
        .into_iter()
        .filter(|feature| !SWITCHED_ON.contains(feature))
    {
        let (mut asked, mut accepted) = (0, vec![]);
        for seed in 0..WORLDS {
            let (world, queries) = queries(seed, Some(feature));
            let mut desk = Desk::open(DeskTable::of_grant(&opened(&world.tables, |_| {}).grant)).unwrap();
            for query in queries {
                asked += 1;
                if desk.plan("q", &query.text, None, true).await.is_ok() {
                    accepted.push(query.text);
                }
            }
        }
        // A condition that is never true can make the construct vanish from the plan.
        assert!(
            accepted.len() * 5 < asked,
            "{feature:?} is accepted now, switch it on in grammar.rs: {accepted:#?}"
        );
    }
}

#[tokio::test]
async fn the_reference_understands_every_feature_as_datafusion_does() {
    for feature in FEATURES.into_iter().map(Some).chain([None]) {
        let mut compared = 0;
        for seed in 0..WORLDS {
            let (world, queries) = queries(seed, feature);
            let (oracle, plain) = (Oracle::new(&world).await, Oracle::plain(&world).await);
            let are_groups = queries.iter().filter(|query| query.above != Above::Other);
            // Plain DataFusion is not total: what overflows there wraps, what divides by zero or cannot be cast fails.
            for query in are_groups.filter(|query| !query.text.contains("9223372036854775807")) {
                let frame = plain.sql(&query.text).await;
                let Ok(Ok(batches)) = async { Ok::<_, ()>(frame.map_err(|_| ())?.collect().await) }.await
                else {
                    continue;
                };
                let listing = oracle.list(query, &[]).await;
                compared += compare(query, &listing, &batches);
            }
        }
        let sets = feature == Some(Feature::GroupingSets);
        assert!(compared > 20 || sets, "{feature:?}: {compared} values compared");
    }
}

/// Values of plain DataFusion's answer that are brute force's too.
fn compare(query: &Query, listing: &Listing, batches: &[arrow::array::RecordBatch]) -> usize {
    let mut compared = 0;
    for (keys, values) in batches
        .iter()
        .flat_map(|batch| rows_of_plain(batch, query.domains.len()))
    {
        let group = listing.replicas[0]
            .get(&keys)
            .unwrap_or_else(|| panic!("{keys:?}: {}", query.text));
        for (i, aggregate) in query.aggregates.iter().enumerate() {
            let argument = query.argument_of(i);
            let expected = match (aggregate.call, argument) {
                // A mean is a float; no other value of its row depends on it.
                (Call::Mean | Call::Distinct, _) => continue,
                (Call::Count, None) => Some(group.rows.len() as i128),
                (Call::Count, Some(x)) => Some(group.values(x).count() as i128),
                (Call::Units, _) => Some(group.people(argument).len() as i128),
                (Call::Sum, Some(x)) => group.values(x).reduce(|a, b| a + b),
                (Call::Min, Some(x)) => group.values(x).min(),
                (Call::Max, Some(x)) => group.values(x).max(),
                (Call::Sum | Call::Min | Call::Max, None) => panic!("{aggregate:?}"),
            };
            assert_eq!(values[i], expected, "{keys:?}, {aggregate:?}: {}", query.text);
            compared += 1;
        }
    }
    compared
}

#[test]
fn the_property_holds_where_the_engine_runs_every_neighbour() {
    let plan = Plan {
        features: &SWITCHED_ON,
        tamper: &SOUND,
        queries: 2,
        rerun: true,
    };
    let (tally, failure) = worlds(&plan, 0, 10, |_| {});
    if let Some(failure) = failure {
        panic!("{failure}");
    }
    assert!(tally.reruns > 100, "{tally}");
}
