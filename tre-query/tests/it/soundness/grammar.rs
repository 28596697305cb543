//! Random queries: a source, a condition, keys, aggregates, and what stands above them.
//!
//! Every query is written twice: as the analyst sends it, and as the listing of the rows below its aggregation, one per
//! row of every replica, from which [`super::oracle`] computes everything by brute force.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::Value;

use super::exprs::{Field, Sql, condition, key};
use super::sources::{self, Source};
use super::upper;
use crate::fixture::Table;

/// Constructs that the algebra does not have yet. Each is drawn only when it is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Feature {
    /// `FILTER (WHERE …)` of an aggregate.
    Filter,
    /// CASE in an aggregate.
    Case,
    /// LEFT JOIN on pid.
    LeftJoin,
    /// EXISTS and IN on pid.
    Exists,
    /// NOT EXISTS on pid.
    NotExists,
    /// GROUP BY pid below the aggregation.
    PerPerson,
    /// SELECT DISTINCT pid below the aggregation.
    DistinctPid,
    /// UNION ALL of people's rows.
    UnionAll,
    /// min and max.
    Extremes,
    /// GROUPING SETS.
    GroupingSets,
}

/// All of them.
pub(super) const FEATURES: [Feature; 10] = [
    Feature::Filter,
    Feature::Case,
    Feature::LeftJoin,
    Feature::Exists,
    Feature::NotExists,
    Feature::PerPerson,
    Feature::DistinctPid,
    Feature::UnionAll,
    Feature::Extremes,
    Feature::GroupingSets,
];

/// Those that are accepted, and so are drawn. A test says when another one is.
pub(super) const SWITCHED_ON: [Feature; 0] = [];

/// What an aggregate computes of its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Rows (without argument), or rows where the argument is not NULL.
    Count,
    /// Persons with such a row.
    Units,
    /// Different values.
    Distinct,
    Sum,
    Mean,
    Min,
    Max,
}

/// An aggregate of the query.
#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub(super) call: Call,
    /// As the analyst writes it.
    pub(super) written: String,
    /// What the reference lists for it; `None`: the row itself.
    pub(super) argument: Option<String>,
}

/// What the visible rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Above {
    /// The groups, each once, in the order of the cells.
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

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Query {
    /// What the analyst sends.
    pub(super) text: String,
    /// Columns `r` (replica), `u` (person), `k0`… and `x0`…, one row per row below the aggregation.
    pub(super) listing: String,
    /// Declared domain of every key.
    pub(super) domains: Vec<Option<Vec<Value>>>,
    /// In the order in which they stand in the text.
    pub(super) aggregates: Vec<Aggregate>,
    /// Columns `w0`… of the answer, where [`Query::above`] says that rows are groups.
    pub(super) outputs: Vec<Output>,
    pub(super) above: Above,
    /// Whether it must be refused, for good.
    pub(super) forbidden: bool,
    /// Those that it uses.
    pub(super) features: BTreeSet<Feature>,
}

type Rng8 = ChaCha8Rng;

impl Query {
    /// Arguments that the listing has, each once, in the order of their columns.
    pub(super) fn arguments(&self) -> Vec<&str> {
        let mut arguments: Vec<&str> = vec![];
        for argument in self
            .aggregates
            .iter()
            .filter_map(|aggregate| aggregate.argument.as_deref())
        {
            if !arguments.contains(&argument) {
                arguments.push(argument);
            }
        }
        arguments
    }

    /// The listing's column of an aggregate's argument.
    pub(super) fn argument_of(&self, aggregate: usize) -> Option<usize> {
        let argument = self.aggregates[aggregate].argument.as_deref()?;
        self.arguments().iter().position(|known| *known == argument)
    }
}

/// Draws a query over the tables; `features` are those that it uses where it can.
pub(super) fn random(tables: &[Table], features: &BTreeSet<Feature>, rng: &mut Rng8) -> Query {
    let mut used = BTreeSet::new();
    let source = sources::random(tables, features, &mut used, rng);
    let mut conditions = source.conditions.clone();
    if rng.random_bool(0.45) {
        conditions.push(condition(&source.fields, 2, rng));
    }
    let mut keys = vec![];
    for _ in 0..[0, 1, 1, 1, 2, 2][rng.random_range(0..6)] {
        let key = key(&source.fields, rng);
        if keys.iter().all(|known: &super::exprs::Key| known.sql != key.sql) {
            keys.push(key);
        }
    }
    if features.contains(&Feature::GroupingSets) && keys.is_empty() {
        keys.push(key(&source.fields, rng));
    }
    let mut aggregates: Vec<Aggregate> = vec![];
    for _ in 0..rng.random_range(1..=4) {
        let aggregate = aggregate(&source, features, &mut used, rng);
        if aggregates.iter().all(|known| known.written != aggregate.written) {
            aggregates.push(aggregate);
        }
    }
    if features.contains(&Feature::GroupingSets) {
        used.insert(Feature::GroupingSets);
    }
    let below = Below {
        source,
        conditions,
        keys: keys.iter().map(|key| key.sql.clone()).collect(),
        sets: features.contains(&Feature::GroupingSets),
    };
    let written = upper::random(&below, aggregates, rng);
    let mut query = Query {
        listing: String::new(),
        text: written.text,
        domains: keys.into_iter().map(|key| key.domain).collect(),
        aggregates: written.aggregates,
        outputs: written.outputs,
        above: match below.sets {
            true => Above::Other,
            false => written.above,
        },
        forbidden: false,
        features: used,
    };
    query.listing = listing(&below, &query);
    if rng.random_bool(0.06) {
        query.text = forbidden(&below, rng);
        query.forbidden = true;
    }
    query
}

/// The part of a query about people's rows.
pub(super) struct Below {
    pub(super) source: Source,
    pub(super) conditions: Vec<Sql>,
    pub(super) keys: Vec<Sql>,
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
}

fn listing(below: &Below, query: &Query) -> String {
    let person = &below.source.people[0];
    let mut columns = vec![format!("{person}.replica AS r"), format!("{person}.pid AS u")];
    columns.extend(
        below
            .keys
            .iter()
            .enumerate()
            .map(|(i, key)| format!("{} AS k{i}", key.reference)),
    );
    columns.extend(
        query
            .arguments()
            .iter()
            .enumerate()
            .map(|(i, x)| format!("{x} AS x{i}")),
    );
    let ctes: Vec<&str> = below
        .source
        .ctes
        .iter()
        .map(|cte| cte.reference.as_str())
        .collect();
    let with = match ctes.is_empty() {
        true => String::new(),
        false => format!("WITH {} ", ctes.join(", ")),
    };
    format!(
        "{with}SELECT {} FROM {}{}",
        columns.join(", "),
        below.source.from.reference,
        below.filter().reference
    )
}

fn aggregate(
    source: &Source,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Aggregate {
    let person = source.people.choose(rng).unwrap();
    let bare: Vec<&Field> = source.fields.iter().filter(|field| field.bare).collect();
    let measures: Vec<&Field> = bare.iter().filter(|field| field.measure).copied().collect();
    let of = |call, written: String, argument: Option<String>| Aggregate {
        call,
        written,
        argument,
    };
    // One in twenty-five asks for what has no evidence, as people do.
    if rng.random_bool(0.04) {
        let any = source.fields.choose(rng).unwrap().name.clone();
        let both = format!("coalesce({any}, {any})");
        return match rng.random_range(0..3) {
            0 => of(Call::Distinct, format!("count(distinct {any})"), Some(any)),
            1 => of(Call::Count, format!("count({both})"), Some(both)),
            _ => of(Call::Sum, format!("sum({any})"), Some(any)),
        };
    }
    let plain = match (measures.choose(rng), rng.random_range(0..9)) {
        (Some(measure), 0..=2) => of(
            Call::Sum,
            format!("sum({})", measure.name),
            Some(measure.name.clone()),
        ),
        (Some(measure), 3) => of(
            Call::Mean,
            format!("avg({})", measure.name),
            Some(measure.name.clone()),
        ),
        (Some(measure), _) if features.contains(&Feature::Extremes) => {
            used.insert(Feature::Extremes);
            let (call, word) = [(Call::Min, "min"), (Call::Max, "max")][rng.random_range(0..2)];
            of(
                call,
                format!("{word}({})", measure.name),
                Some(measure.name.clone()),
            )
        }
        (_, 4 | 5) => of(Call::Units, format!("count(distinct {person}.pid)"), None),
        (_, 6) => match bare.choose(rng) {
            Some(field) => of(
                Call::Count,
                format!("count({})", field.name),
                Some(field.name.clone()),
            ),
            None => of(Call::Count, format!("count({person}.pid)"), None),
        },
        (_, n) => of(Call::Count, ["count(*)", "count(1)"][n % 2].to_owned(), None),
    };
    if features.contains(&Feature::Filter) {
        used.insert(Feature::Filter);
        let p = condition(&source.fields, 1, rng);
        let argument = plain.argument.as_deref().unwrap_or("1");
        return of(
            plain.call,
            format!("{} FILTER (WHERE {})", plain.written, p.written),
            Some(format!("CASE WHEN {} THEN {argument} END", p.reference)),
        );
    }
    match measures.choose(rng).filter(|_| features.contains(&Feature::Case)) {
        Some(measure) => {
            used.insert(Feature::Case);
            let p = condition(&source.fields, 0, rng);
            let case = |p: &str| format!("CASE WHEN {p} THEN {} END", measure.name);
            of(
                Call::Sum,
                format!("sum({})", case(&p.written)),
                Some(case(&p.reference)),
            )
        }
        None => plain,
    }
}

/// Queries that can never be accepted: a person as a value, sums that could spell one out, rows.
fn forbidden(below: &Below, rng: &mut Rng8) -> String {
    let (from, person) = (&below.source.from.written, &below.source.people[0]);
    let ctes: Vec<&str> = below.source.ctes.iter().map(|cte| cte.written.as_str()).collect();
    let with = match ctes.is_empty() {
        true => String::new(),
        false => format!("WITH {} ", ctes.join(", ")),
    };
    let over_source = [
        format!("SELECT count(*) AS n FROM {from} WHERE {person}.pid = 3"),
        format!("SELECT count(*) AS n FROM {from} WHERE cast({person}.pid AS text) = '3'"),
        format!("SELECT {person}.pid FROM {from}"),
        format!("SELECT max({person}.pid) AS m FROM {from}"),
        format!("SELECT {person}.pid % 2 AS odd, count(*) AS n FROM {from} GROUP BY 1"),
    ];
    let over_tables = [
        "SELECT sum(i.weight) AS s FROM visit v JOIN icd10 i ON v.icd = i.code",
        "SELECT sum(p.age) AS s FROM person p",
        "SELECT count(*) AS n FROM visit v JOIN drug d ON v.icd = d.code",
        "SELECT count(*) AS n FROM (SELECT pid FROM visit ORDER BY days LIMIT 5) t",
    ];
    match rng.random_bool(0.5) {
        true => format!("{with}{}", over_source.choose(rng).unwrap()),
        false => (*over_tables.choose(rng).unwrap()).to_owned(),
    }
}
