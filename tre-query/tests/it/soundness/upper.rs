//! What stands above the aggregation: HAVING, arithmetic, order, limits, subqueries over the groups.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::grammar::{Above, Aggregate, Below, Call, Output};

/// A query's text and what it shows.
pub(super) struct Written {
    pub(super) text: String,
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
    let differ = aggregates[a].argument != aggregates[b].argument;
    if differ && [a, b].iter().all(|i| aggregates[*i].call == Call::Count) && rng.random_bool(0.7) {
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

/// Writes a query around its lower part.
pub(super) fn random(below: &Below, aggregates: Vec<Aggregate>, rng: &mut Rng8) -> Written {
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
            with(below, &[]),
            grouped(below, columns, &outputs, &texts)
        );
        return Written {
            text,
            aggregates,
            outputs,
            above,
        };
    }
    let texts: Vec<String> = aggregates
        .iter()
        .map(|aggregate| aggregate.written.clone())
        .collect();
    let names: Vec<String> = (0..texts.len()).map(|i| format!("v{i}")).collect();
    let plain: Vec<String> = names
        .iter()
        .zip(&texts)
        .map(|(name, text)| format!("{text} AS {name}"))
        .collect();
    let inner = format!(
        "SELECT {} FROM {}{}{}",
        [key_columns(below, |key, i| format!("{key} AS k{i}")), plain]
            .concat()
            .join(", "),
        below.source.from.written,
        below.filter().written,
        group_by(below)
    );
    let (from, ctes) = match style {
        2 => (format!("({inner}) t"), vec![]),
        _ => ("t".to_owned(), vec![format!("t AS ({inner})")]),
    };
    if style == 4 {
        let text = format!("{}{}", with(below, &ctes), over_groups(below, rng));
        return Written {
            text,
            aggregates,
            outputs: vec![],
            above: Above::Other,
        };
    }
    let mut columns = key_columns(below, |_, i| format!("k{i}"));
    for (i, output) in outputs.iter().enumerate() {
        columns.push(format!("{} AS w{i}", filled(&output.template, &names)));
    }
    let filter = condition.map_or(String::new(), |c| format!(" WHERE {}", filled(&c, &names)));
    let text = format!(
        "{}SELECT {} FROM {from}{filter}{order}{limit}",
        with(below, &ctes),
        columns.join(", ")
    );
    Written {
        text,
        aggregates,
        outputs,
        above,
    }
}

fn with(below: &Below, more: &[String]) -> String {
    let ctes: Vec<&str> = below
        .source
        .ctes
        .iter()
        .map(|cte| cte.written.as_str())
        .chain(more.iter().map(String::as_str))
        .collect();
    match ctes.is_empty() {
        true => String::new(),
        false => format!("WITH {} ", ctes.join(", ")),
    }
}

fn key_columns(below: &Below, column: impl Fn(&str, usize) -> String) -> Vec<String> {
    below
        .keys
        .iter()
        .enumerate()
        .map(|(i, key)| column(&key.written, i))
        .collect()
}

fn group_by(below: &Below) -> String {
    let keys: Vec<&str> = below.keys.iter().map(|key| key.written.as_str()).collect();
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
fn over_groups(below: &Below, rng: &mut Rng8) -> String {
    let mut forms = vec![
        "SELECT count(*) AS g, sum(v0) AS s, max(v0) AS m, count(v0) AS c FROM t",
        "SELECT DISTINCT v0 FROM t",
        "SELECT v0 FROM t ORDER BY v0",
        "SELECT avg(v0) AS a FROM t WHERE v0 > (SELECT avg(v0) FROM t)",
        "SELECT CASE WHEN v0 > 4 THEN 'many' ELSE 'few' END AS size, count(*) AS g FROM t GROUP BY 1",
    ];
    if !below.keys.is_empty() {
        forms.extend([
            "SELECT k0, sum(v0) AS s, count(*) AS g FROM t GROUP BY k0",
            "SELECT x.k0, x.v0, y.v0 AS w FROM t x JOIN t y ON x.k0 = y.k0",
            "SELECT x.k0, x.v0, y.v0 AS w FROM t x LEFT JOIN t y ON x.v0 = y.v0 + 1",
        ]);
    }
    (*forms.choose(rng).unwrap()).to_owned()
}
