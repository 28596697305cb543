//! Constructs beside plain aggregations: those that are switched off are refused, and the reference understands each as
//! plain DataFusion does.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tre_query::desk::{Desk, DeskTable};

use super::aggregates::Total;
use super::client::SOUND;
use super::compare::rows_of_plain;
use super::grammar::{self, Above, Call, FEATURES, Feature, Query, Read, SWITCHED_ON};
use super::oracle::{Group, Listing, Oracle};
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
            // It numbers rows that the order does not tell apart in any way.
            let are_groups = are_groups.filter(|query| !query.text.contains("row_number()"));
            // Plain DataFusion is not total: what overflows there wraps, what divides by zero or cannot be cast fails.
            for query in are_groups.filter(|query| !query.text.contains("9223372036854775807")) {
                let frame = plain.sql(&query.text).await;
                let Ok(Ok(batches)) = async { Ok::<_, ()>(frame.map_err(|_| ())?.collect().await) }.await
                else {
                    continue;
                };
                let listing = oracle.list(&query.fronts[0], &[]).await;
                compared += compare(query, &listing, &batches);
            }
        }
        // Their rows are not the groups, or not decided.
        let others = [
            Feature::GroupingSets,
            Feature::Several,
            Feature::Windows,
            Feature::Numbered,
        ];
        let others = feature.is_some_and(|feature| others.contains(&feature));
        assert!(compared > 20 || others, "{feature:?}: {compared} values compared");
    }
}

/// Values and labels of plain DataFusion's answer that are brute force's too.
fn compare(query: &Query, listing: &Listing, batches: &[arrow::array::RecordBatch]) -> usize {
    let (mut compared, front) = (0, &query.fronts[0]);
    for (keys, values) in batches
        .iter()
        .flat_map(|batch| rows_of_plain(batch, front.domains.len()))
    {
        let group = listing.replicas[0]
            .get(&keys)
            .unwrap_or_else(|| panic!("{keys:?}: {}", query.text));
        compared += usize::from(query.outputs.is_empty());
        for (i, aggregate) in query.aggregates.iter().enumerate().take(query.outputs.len()) {
            let parts: Vec<_> = aggregate
                .parts
                .iter()
                .map(|part| value(group, front.read(part)))
                .collect();
            let expected = match (&aggregate.value, parts.as_slice()) {
                // A mean is a float; no other value of its row depends on it. Of no rows a sum is NULL, whatever it is of.
                (Total::Plain, [one]) => *one,
                (Total::Plain, _) => continue,
                (Total::Terms(..), _) if group.rows.is_empty() => None,
                (Total::Terms(_, Some(rows)), parts) if parts[*rows] == Some(0) => None,
                (Total::Terms(factors, _), parts) => {
                    let terms = factors.iter().zip(parts);
                    Some(terms.map(|(factor, part)| factor * part.unwrap_or(0)).sum())
                }
            };
            assert_eq!(values[i], expected, "{keys:?}, {aggregate:?}: {}", query.text);
            compared += 1;
        }
    }
    compared
}

/// A base value by brute force.
fn value(group: &Group, (call, argument): Read) -> Option<i128> {
    match (call, argument) {
        (Call::Count, None) => Some(group.rows.len() as i128),
        (Call::Count, Some(x)) => Some(group.values(x).count() as i128),
        (Call::Units, _) => Some(group.people(argument).len() as i128),
        (Call::Sum, Some(x)) => group.values(x).reduce(|a, b| a + b),
        (Call::Min, Some(x)) => group.values(x).min(),
        (Call::Max, Some(x)) => group.values(x).max(),
        (Call::Sum | Call::Min | Call::Max, None) => panic!("{call:?} of the row itself"),
    }
}

#[test]
fn the_property_holds_where_the_engine_runs_every_neighbour() {
    let plan = Plan {
        features: &SWITCHED_ON,
        tamper: &SOUND,
        queries: 2,
        rerun: true,
        neighbours: true,
    };
    let (tally, failure) = worlds(&plan, 0, 10, |_| {});
    if let Some(failure) = failure {
        panic!("{failure}");
    }
    assert!(tally.reruns > 100, "{tally}");
}
