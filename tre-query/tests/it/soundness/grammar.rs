//! Random queries: a source, a condition, keys, aggregates, and what stands above them.
//!
//! Every query is written twice: as the analyst sends it, and, for each of its aggregations, as the listing of the rows
//! below it, one per row of every replica, from which [`super::oracle`] computes everything by brute force.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::Value;

use super::aggregates::{self, Aggregate};
use super::exprs::{Key, Sql, condition, key};
use super::sources::{self, Source};
use super::upper;
use crate::fixture::Table;

/// Constructs beside plain aggregations. Each is drawn only when it is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Feature {
    /// `FILTER (WHERE …)` of an aggregate.
    Filter,
    /// CASE, coalesce and the like in an aggregate or below it.
    Case,
    /// Sums of products and linear combinations.
    Arithmetic,
    /// min and max.
    Extremes,
    /// LEFT JOIN on pid.
    LeftJoin,
    /// LEFT JOIN with a public table.
    PublicLeftJoin,
    /// EXISTS and IN on pid.
    Exists,
    /// NOT EXISTS and NOT IN on pid.
    NotExists,
    /// EXISTS, NOT EXISTS and IN over a public table.
    PublicExists,
    /// GROUP BY pid below the aggregation.
    PerPerson,
    /// SELECT DISTINCT pid below the aggregation.
    DistinctPid,
    /// row_number() of each person's rows.
    Numbered,
    /// UNION ALL of people's rows.
    UnionAll,
    /// SELECT DISTINCT of labels.
    Distinct,
    /// Two aggregations over people's rows.
    Several,
    /// Window functions over the groups.
    Windows,
    /// GROUPING SETS.
    GroupingSets,
}

/// All of them.
pub(super) const FEATURES: [Feature; 17] = [
    Feature::Filter,
    Feature::Case,
    Feature::Arithmetic,
    Feature::Extremes,
    Feature::LeftJoin,
    Feature::PublicLeftJoin,
    Feature::Exists,
    Feature::NotExists,
    Feature::PublicExists,
    Feature::PerPerson,
    Feature::DistinctPid,
    Feature::Numbered,
    Feature::UnionAll,
    Feature::Distinct,
    Feature::Several,
    Feature::Windows,
    Feature::GroupingSets,
];

/// Those that are accepted, and so are drawn. A test says when another one is.
pub(super) const SWITCHED_ON: [Feature; 16] = [
    Feature::Filter,
    Feature::Case,
    Feature::Arithmetic,
    Feature::Extremes,
    Feature::LeftJoin,
    Feature::PublicLeftJoin,
    Feature::Exists,
    Feature::NotExists,
    Feature::PublicExists,
    Feature::PerPerson,
    Feature::DistinctPid,
    Feature::Numbered,
    Feature::UnionAll,
    Feature::Distinct,
    Feature::Several,
    Feature::Windows,
];

/// What is computed of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    /// Rows (without argument), or rows where the argument is not NULL.
    Count,
    /// Persons with such a row.
    Units,
    Sum,
    Min,
    Max,
}

/// A base value: what is computed, and what the reference lists for it; `None`: the row itself.
pub(super) type Part = (Call, Option<String>);

/// The same, with the number of the listed argument.
pub(super) type Read = (Call, Option<usize>);

/// What the visible rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Above {
    /// The groups of the one aggregation, each once, in the order of the cells.
    Rows,
    /// Some of the groups, or in another order.
    Chosen,
    /// Something else.
    Other,
}

/// A visible column after the keys.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Positions of the aggregates that it is computed from.
    pub(super) reads: Vec<usize>,
    /// Whether it is the difference of two counts.
    pub(super) difference: bool,
    /// What is computed; `{0}` stands for aggregate 0.
    pub(super) template: String,
}

/// One aggregation over people's rows.
#[derive(Debug, Clone)]
pub(super) struct Front {
    /// Columns `r` (replica), `u` (person), `k0`… and `x0`…, one row per row below the aggregation.
    pub(super) listing: String,
    /// Declared domain of every key.
    pub(super) domains: Vec<Option<Vec<Value>>>,
    /// Tag of every key.
    pub(super) tags: Vec<Option<String>>,
    /// Base values, each once.
    pub(super) parts: Vec<Part>,
}

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// What the analyst sends.
    pub(super) text: String,
    /// At least one.
    pub(super) fronts: Vec<Front>,
    /// Columns `w0`… of the answer, where [`Query::above`] says that rows are groups of the first aggregation.
    pub(super) outputs: Vec<Output>,
    /// Those of the first aggregation, in the order in which they stand in the text.
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) above: Above,
    /// Whether it must be refused, for good.
    pub(super) forbidden: bool,
    /// Those that it uses.
    pub(super) features: BTreeSet<Feature>,
}

type Rng8 = ChaCha8Rng;

impl Front {
    /// Arguments that the listing has, each once, in the order of their columns.
    pub(super) fn arguments(&self) -> Vec<&str> {
        let mut arguments: Vec<&str> = vec![];
        for argument in self.parts.iter().filter_map(|(_, argument)| argument.as_deref()) {
            if !arguments.contains(&argument) {
                arguments.push(argument);
            }
        }
        arguments
    }

    /// A base value with the number of its argument.
    pub(super) fn read(&self, (call, argument): &Part) -> Read {
        let at = |x: &String| self.arguments().iter().position(|known| known == x);
        (*call, argument.as_ref().and_then(at))
    }

    /// Arguments of which there is a sum.
    pub(super) fn sums(&self) -> Vec<usize> {
        let sums = self.parts.iter().filter(|(call, _)| *call == Call::Sum);
        sums.filter_map(|part| self.read(part).1).collect()
    }
}

/// Draws a query over the tables; `features` are those that it uses where it can.
pub(super) fn random(tables: &[Table], features: &BTreeSet<Feature>, rng: &mut Rng8) -> Query {
    let mut used = BTreeSet::new();
    let source = sources::random(tables, features, &mut used, rng);
    let mut below = Below {
        conditions: source.conditions.clone(),
        keys: vec![],
        sets: features.contains(&Feature::GroupingSets),
        source,
    };
    if rng.random_bool(0.45) {
        below.conditions.push(condition(&below.source.fields, 2, rng));
    }
    let at_least = usize::from(below.sets || features.contains(&Feature::Distinct));
    for _ in 0..[0, 1, 1, 1, 2, 2][rng.random_range(0..6)].max(at_least) {
        let key = key(&below.source.fields, rng);
        if below.keys.iter().all(|known| known.sql != key.sql) {
            below.keys.push(key);
        }
    }
    used.extend(below.sets.then_some(Feature::GroupingSets));
    let distinct = features.contains(&Feature::Distinct);
    let written = match distinct {
        true => upper::labels(&below, rng),
        false => {
            let aggregates = drawn(&below.source, features, &mut used, rng);
            upper::random(&below, aggregates, features, &mut used, rng)
        }
    };
    used.extend(distinct.then_some(Feature::Distinct));
    let mut fronts = vec![front(&below, &written.aggregates)];
    fronts.extend(written.other);
    let mut query = Query {
        text: written.text,
        fronts,
        aggregates: written.aggregates,
        outputs: written.outputs,
        above: match below.sets {
            true => Above::Other,
            false => written.above,
        },
        forbidden: false,
        features: used,
    };
    if rng.random_bool(0.06) {
        query.text = forbidden(&below, rng);
        query.forbidden = true;
    }
    query
}

/// Up to four aggregates.
pub(super) fn drawn(
    source: &Source,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Vec<Aggregate> {
    let mut drawn: Vec<Aggregate> = vec![];
    for _ in 0..rng.random_range(1..=4) {
        let aggregate = aggregates::random(source, features, used, rng);
        if drawn.iter().all(|known| known.written != aggregate.written) {
            drawn.push(aggregate);
        }
    }
    drawn
}

/// The part of a query about people's rows.
#[derive(Clone)]
pub(super) struct Below {
    pub(super) source: Source,
    pub(super) conditions: Vec<Sql>,
    pub(super) keys: Vec<Key>,
    /// GROUP BY GROUPING SETS of all keys and of none.
    pub(super) sets: bool,
}

impl Below {
    /// ` WHERE …`, or nothing.
    pub(super) fn filter(&self) -> Sql {
        let parts: Vec<&Sql> = self.conditions.iter().collect();
        Sql::with(&parts, |parts| match parts {
            [] => String::new(),
            parts => format!(" WHERE {}", parts.join(" AND ")),
        })
    }

    /// `WITH …`, with more of them behind, or nothing.
    pub(super) fn with(&self, more: &[String]) -> String {
        let ctes = self.source.ctes.iter().map(|cte| cte.written.as_str());
        listed_ctes(&ctes.chain(more.iter().map(String::as_str)).collect::<Vec<_>>())
    }
}

fn listed_ctes(ctes: &[&str]) -> String {
    match ctes {
        [] => String::new(),
        ctes => format!("WITH {} ", ctes.join(", ")),
    }
}

/// An aggregation with its listing.
pub(super) fn front(below: &Below, aggregates: &[Aggregate]) -> Front {
    let mut parts: Vec<Part> = vec![];
    for part in aggregates.iter().flat_map(|aggregate| &aggregate.parts) {
        if !parts.contains(part) {
            parts.push(part.clone());
        }
    }
    let mut front = Front {
        listing: String::new(),
        domains: below.keys.iter().map(|key| key.domain.clone()).collect(),
        tags: below.keys.iter().map(|key| key.tag.clone()).collect(),
        parts,
    };
    let person = &below.source.people[0];
    let mut columns = vec![format!("{person}.replica AS r"), format!("{person}.pid AS u")];
    let keys = below.keys.iter().enumerate();
    columns.extend(keys.map(|(i, key)| format!("{} AS k{i}", key.sql.reference)));
    let arguments = front.arguments();
    columns.extend(arguments.iter().enumerate().map(|(i, x)| format!("{x} AS x{i}")));
    let ctes: Vec<&str> = below
        .source
        .ctes
        .iter()
        .map(|cte| cte.reference.as_str())
        .collect();
    front.listing = format!(
        "{}SELECT {} FROM {}{}",
        listed_ctes(&ctes),
        columns.join(", "),
        below.source.from.reference,
        below.filter().reference
    );
    front
}

/// Queries that can never be accepted: a person as a value, sums that could spell one out, rows.
fn forbidden(below: &Below, rng: &mut Rng8) -> String {
    let (from, person) = (&below.source.from.written, &below.source.people[0]);
    let over_source = [
        format!("SELECT count(*) AS n FROM {from} WHERE {person}.pid = 3"),
        format!("SELECT count(*) AS n FROM {from} WHERE cast({person}.pid AS text) = '3'"),
        format!("SELECT {person}.pid FROM {from}"),
        format!("SELECT max({person}.pid) AS m FROM {from}"),
        format!("SELECT {person}.pid % 2 AS odd, count(*) AS n FROM {from} GROUP BY 1"),
        format!("SELECT DISTINCT {person}.pid FROM {from}"),
        format!("SELECT {person}.pid, count(*) AS n FROM {from} GROUP BY {person}.pid"),
        format!("SELECT sum(CASE WHEN {person}.pid = 3 THEN 1 ELSE 0 END) AS n FROM {from}"),
    ];
    let over_tables = [
        "SELECT sum(i.weight) AS s FROM visit v JOIN icd10 i ON v.icd = i.code",
        "SELECT sum(p.age) AS s FROM person p",
        "SELECT count(*) AS n FROM visit v JOIN drug d ON v.icd = d.code",
        "SELECT count(*) AS n FROM (SELECT pid FROM visit ORDER BY days LIMIT 5) t",
        "SELECT count(*) AS n FROM icd10 i WHERE EXISTS (SELECT 1 FROM visit v WHERE v.icd = i.code)",
        "SELECT i.chapter, count(v.icd) AS n FROM icd10 i LEFT JOIN visit v ON v.icd = i.code GROUP BY i.chapter",
        "SELECT count(*) AS n FROM (SELECT pid, days FROM visit UNION ALL SELECT pid, days FROM visit) t",
        "SELECT sum(n) AS s FROM (SELECT pid, max(age) AS n FROM person GROUP BY pid) t",
        "SELECT count(*) AS n FROM (SELECT pid, row_number() OVER (ORDER BY cost) AS rn FROM visit) t WHERE rn = 1",
        "SELECT sum(v.days * v.days * v.days) AS s FROM visit v",
        "SELECT sum(CASE WHEN v.days = 1 THEN i.weight ELSE 0 END) AS s FROM visit v JOIN icd10 i ON v.icd = i.code",
    ];
    match rng.random_bool(0.5) {
        true => format!("{}{}", below.with(&[]), over_source.choose(rng).unwrap()),
        false => (*over_tables.choose(rng).unwrap()).to_owned(),
    }
}
