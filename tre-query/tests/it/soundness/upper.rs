//! What stands above the aggregation: HAVING, arithmetic, order, limits, subqueries over the groups.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::aggregates::{Aggregate, Total};
use super::exprs::condition;
use super::grammar::{Above, Below, Call, Feature, Front, Output, drawn, front};

/// A query's text and what it shows.
pub(super) struct Written {
    pub(super) text: String,
    /// A second aggregation over people's rows.
    pub(super) other: Option<Front>,
    /// In the order in which they stand in the text.
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) outputs: Vec<Output>,
    pub(super) above: Above,
}

/// Visible values that are computed from one aggregate.
const OF_ONE: [&str; 7] = [
    "# + 1",
    "# * 2",
    "coalesce(#, 0)",
    "abs(#)",
    "CASE WHEN # > 4 THEN 'many' ELSE 'few' END",
    "# IS NULL",
    "round(1.0 * #, 1)",
];

/// Visible values that are computed from two.
const OF_TWO: [&str; 3] = ["# / nullif(@, 0)", "greatest(#, @)", "# + @"];

/// Conditions on a group.
const CONDITIONS: [&str; 6] = [
    "# > 3",
    "# IS NOT NULL",
    "# IS NULL",
    "coalesce(#, -1) = -1",
    "# < 5 OR # IS NULL",
    "# <> 4",
];

type Rng8 = ChaCha8Rng;

/// The template with the texts of the aggregates.
fn filled(template: &str, texts: &[String]) -> String {
    let mut text = template.to_owned();
    for (i, aggregate) in texts.iter().enumerate() {
        text = text.replace(&format!("{{{i}}}"), aggregate);
    }
    text
}

fn one(template: &str, i: usize) -> String {
    template.replace('#', &format!("{{{i}}}"))
}

fn output(aggregates: &[Aggregate], rng: &mut Rng8) -> Output {
    let a = rng.random_range(0..aggregates.len());
    let b = rng.random_range(0..aggregates.len());
    let is_count = |i: &usize| matches!(aggregates[*i].parts.as_slice(), [(Call::Count, _)]);
    let differ = aggregates[a].parts != aggregates[b].parts;
    if differ && [a, b].iter().all(is_count) && rng.random_bool(0.7) {
        return Output {
            reads: vec![a, b],
            difference: true,
            template: format!("{{{a}}} - {{{b}}}"),
        };
    }
    if a != b && rng.random_bool(0.25) {
        return Output {
            reads: vec![a, b],
            difference: false,
            template: one(OF_TWO.choose(rng).unwrap(), a).replace('@', &format!("{{{b}}}")),
        };
    }
    Output {
        reads: vec![a],
        difference: false,
        template: one(OF_ONE.choose(rng).unwrap(), a),
    }
}

/// SELECT DISTINCT: groups of which nothing is counted.
pub(super) fn labels(below: &Below, rng: &mut Rng8) -> Written {
    let columns = key_columns(below, |key, i| format!("{key} AS k{i}")).join(", ");
    let order = ["", " ORDER BY k0 DESC"][rng.random_range(0..2)];
    let rows = format!(
        "SELECT DISTINCT {columns} FROM {}{}",
        below.source.from.written,
        below.filter().written
    );
    let counted = rng.random_bool(0.3);
    let text = match counted {
        true => format!("SELECT count(*) AS g FROM ({rows}) t"),
        false => format!("{rows}{order}"),
    };
    Written {
        text: format!("{}{text}", below.with(&[])),
        other: None,
        // How many people are in each group decides which ones are listed.
        aggregates: vec![Aggregate {
            written: String::new(),
            parts: vec![(Call::Units, None)],
            value: Total::Plain,
        }],
        outputs: vec![],
        above: if counted { Above::Other } else { Above::Chosen },
    }
}

/// Writes a query around its lower part.
pub(super) fn random(
    below: &Below,
    aggregates: Vec<Aggregate>,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Written {
    let inner = inner(below, &aggregates);
    if features.contains(&Feature::Several) {
        used.insert(Feature::Several);
        return several(below, inner, aggregates, features, used, rng);
    }
    if features.contains(&Feature::Windows) {
        used.insert(Feature::Windows);
        let text = over_groups(below, &WINDOWS, &WINDOWS_BY_KEY, rng);
        return other(below, inner, aggregates, &text, None);
    }
    // Every aggregate is seen as it is, so that nothing of it escapes; computed values come after.
    let mut outputs: Vec<Output> = (0..aggregates.len())
        .map(|i| Output {
            reads: vec![i],
            difference: false,
            template: format!("{{{i}}}"),
        })
        .collect();
    for _ in 0..rng.random_range(0..=2) {
        outputs.push(output(&aggregates, rng));
    }
    let condition = rng.random_bool(0.3).then(|| {
        one(
            CONDITIONS.choose(rng).unwrap(),
            rng.random_range(0..aggregates.len()),
        )
    });
    let order = rng.random_range(0..aggregates.len());
    let order = match rng.random_range(0..6) {
        0 => format!(" ORDER BY w{order} DESC"),
        1 if !below.keys.is_empty() => format!(" ORDER BY w{order}, k0"),
        2 if !below.keys.is_empty() => " ORDER BY k0 DESC".to_owned(),
        _ => String::new(),
    };
    let limit = match rng.random_bool(0.15) {
        true => format!(" LIMIT {}", rng.random_range(1..4)),
        false => String::new(),
    };
    let above = match condition.is_none() && order.is_empty() && limit.is_empty() {
        true => Above::Rows,
        false => Above::Chosen,
    };
    let style = rng.random_range(0..5);
    if style < 2 {
        // The engine numbers aggregates as they appear: the first outputs are the aggregates themselves.
        let texts: Vec<String> = aggregates
            .iter()
            .map(|aggregate| aggregate.written.clone())
            .collect();
        let having = condition.map_or(String::new(), |c| format!(" HAVING {}", filled(&c, &texts)));
        let columns = key_columns(below, |key, i| format!("{key} AS k{i}"));
        let text = format!(
            "{}{}{having}{order}{limit}",
            below.with(&[]),
            grouped(below, columns, &outputs, &texts)
        );
        return Written {
            text,
            other: None,
            aggregates,
            outputs,
            above,
        };
    }
    if style == 4 {
        let text = over_groups(below, &OVER, &OVER_KEYS, rng);
        return other(below, inner, aggregates, &text, None);
    }
    let names: Vec<String> = (0..aggregates.len()).map(|i| format!("v{i}")).collect();
    let (from, ctes) = match style {
        2 => (format!("({inner}) t"), vec![]),
        _ => ("t".to_owned(), vec![format!("t AS ({inner})")]),
    };
    let mut columns = key_columns(below, |_, i| format!("k{i}"));
    for (i, output) in outputs.iter().enumerate() {
        columns.push(format!("{} AS w{i}", filled(&output.template, &names)));
    }
    let filter = condition.map_or(String::new(), |c| format!(" WHERE {}", filled(&c, &names)));
    let text = format!(
        "{}SELECT {} FROM {from}{filter}{order}{limit}",
        below.with(&ctes),
        columns.join(", ")
    );
    Written {
        text,
        other: None,
        aggregates,
        outputs,
        above,
    }
}

/// The groups with their aggregates under names.
fn inner(below: &Below, aggregates: &[Aggregate]) -> String {
    let named = aggregates.iter().enumerate();
    let named = named.map(|(i, aggregate)| format!("{} AS v{i}", aggregate.written));
    let columns = key_columns(below, |key, i| format!("{key} AS k{i}"))
        .into_iter()
        .chain(named);
    format!(
        "SELECT {} FROM {}{}{}",
        columns.collect::<Vec<_>>().join(", "),
        below.source.from.written,
        below.filter().written,
        group_by(below)
    )
}

/// A question over the groups `t` whose rows are not groups.
fn other(
    below: &Below,
    inner: String,
    aggregates: Vec<Aggregate>,
    over: &str,
    second: Option<(String, Front)>,
) -> Written {
    let (more, other) = second.unzip();
    let ctes = std::iter::once(format!("t AS ({inner})")).chain(more);
    Written {
        text: format!("{}{over}", below.with(&ctes.collect::<Vec<_>>())),
        other,
        aggregates,
        outputs: vec![],
        above: Above::Other,
    }
}

/// The groups beside those of other rows, or beside a number of people.
fn several(
    below: &Below,
    inner_of_first: String,
    aggregates: Vec<Aggregate>,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Written {
    if below.keys.is_empty() || rng.random_bool(0.3) {
        let front = Front {
            listing: "SELECT p.replica AS r, p.pid AS u FROM person p".to_owned(),
            domains: vec![],
            tags: vec![],
            parts: vec![(Call::Count, None)],
        };
        let cte = "o AS (SELECT count(*) AS n FROM person p)".to_owned();
        let over = "SELECT t.*, o.n FROM t CROSS JOIN o";
        return other(below, inner_of_first, aggregates, over, Some((cte, front)));
    }
    let mut second = below.clone();
    second.conditions.push(condition(&below.source.fields, 1, rng));
    second.keys.truncate(1);
    let more = drawn(&below.source, features, used, rng);
    let cte = format!("o AS ({})", inner(&second, &more));
    let over = [
        "SELECT t.*, o.v0 AS other FROM t LEFT JOIN o ON t.k0 = o.k0",
        "SELECT t.k0, t.v0, o.v0 AS other FROM t JOIN o ON t.k0 = o.k0 ORDER BY t.k0",
        "SELECT t.k0, t.v0 FROM t LEFT JOIN o ON t.k0 = o.k0 WHERE o.k0 IS NULL",
    ];
    let second = (cte, front(&second, &more));
    other(
        below,
        inner_of_first,
        aggregates,
        over.choose(rng).unwrap(),
        Some(second),
    )
}

fn key_columns(below: &Below, column: impl Fn(&str, usize) -> String) -> Vec<String> {
    below
        .keys
        .iter()
        .enumerate()
        .map(|(i, key)| column(&key.sql.written, i))
        .collect()
}

fn group_by(below: &Below) -> String {
    let keys: Vec<&str> = below.keys.iter().map(|key| key.sql.written.as_str()).collect();
    match keys.as_slice() {
        [] => String::new(),
        keys if below.sets => format!(" GROUP BY GROUPING SETS (({}), ())", keys.join(", ")),
        keys => format!(" GROUP BY {}", keys.join(", ")),
    }
}

fn grouped(below: &Below, mut columns: Vec<String>, outputs: &[Output], texts: &[String]) -> String {
    for (i, output) in outputs.iter().enumerate() {
        columns.push(format!("{} AS w{i}", filled(&output.template, texts)));
    }
    format!(
        "SELECT {} FROM {}{}{}",
        columns.join(", "),
        below.source.from.written,
        below.filter().written,
        group_by(below)
    )
}

/// Questions over the groups `t` whose rows are not groups.
const OVER: [&str; 5] = [
    "SELECT count(*) AS g, sum(v0) AS s, max(v0) AS m, count(v0) AS c FROM t",
    "SELECT DISTINCT v0 FROM t",
    "SELECT v0 FROM t ORDER BY v0",
    "SELECT avg(v0) AS a FROM t WHERE v0 > (SELECT avg(v0) FROM t)",
    "SELECT CASE WHEN v0 > 4 THEN 'many' ELSE 'few' END AS size, count(*) AS g FROM t GROUP BY 1",
];

/// More of them, where there are keys.
const OVER_KEYS: [&str; 3] = [
    "SELECT k0, sum(v0) AS s, count(*) AS g FROM t GROUP BY k0",
    "SELECT x.k0, x.v0, y.v0 AS w FROM t x JOIN t y ON x.k0 = y.k0",
    "SELECT x.k0, x.v0, y.v0 AS w FROM t x LEFT JOIN t y ON x.v0 = y.v0 + 1",
];

/// Windows over the groups.
const WINDOWS: [&str; 3] = [
    "SELECT t.*, row_number() OVER (ORDER BY v0) AS place, rank() OVER (ORDER BY v0 DESC) AS r FROM t",
    "SELECT t.*, max(v0) OVER () AS most, count(v0) OVER () AS c FROM t",
    "SELECT t.*, lag(v0) OVER (ORDER BY v0) AS before, ntile(2) OVER (ORDER BY v0) AS half FROM t",
];

/// More of them, where there are keys.
const WINDOWS_BY_KEY: [&str; 3] = [
    "SELECT k0, v0, max(v0) OVER (ORDER BY k0 ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS top FROM t",
    "SELECT k0, v0, rank() OVER (PARTITION BY k0 ORDER BY v0) AS r FROM t",
    "SELECT k0, v0 FROM (SELECT k0, v0, row_number() OVER (ORDER BY v0 DESC, k0) AS r FROM t) s WHERE r <= 2",
];

fn over_groups(below: &Below, forms: &[&str], by_key: &[&str], rng: &mut Rng8) -> String {
    let by_key = if below.keys.is_empty() { &[] } else { by_key };
    (*[forms, by_key].concat().choose(rng).unwrap()).to_owned()
}
