//! Proposals for what a question computes: people per value instead of a largest value, sums of one sign, one set of rows.

use tre_core::algebra::{Aggregate, Argument, Comparison, Expr, Frontier, Node, Quantity, Relation};
use tre_core::grant::Grant;
use tre_core::manifest::ColumnMeta;
use tre_core::policy::{DominanceRule, RulePack};
use tre_core::status::Rule;
use tre_core::types::ColumnType;

use super::keys::Base;
use super::level::{self, Level};
use super::{Candidate, bands, written};

/// What can be proposed for the aggregates of a frontier.
pub(super) fn candidates(
    frontier: &Frontier,
    relation: &Relation,
    grant: &Grant,
    rules: &RulePack,
) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for aggregate in &frontier.aggregates {
        candidates.extend(match *aggregate {
            Aggregate::Min(argument) => people_per_value("min", argument, frontier, relation, grant),
            Aggregate::Max(argument) => people_per_value("max", argument, frontier, relation, grant),
            Aggregate::Sum(argument) if !is_measure(argument, frontier, relation) => {
                people_per_value("sum", argument, frontier, relation, grant)
            }
            Aggregate::Sum(argument) => one_sign(argument, frontier, grant, rules),
            Aggregate::CountRows
            | Aggregate::CountUnits
            | Aggregate::Count(_)
            | Aggregate::CountUnitsOf(_)
            | Aggregate::Comoment { .. } => None,
        });
    }
    candidates.extend(same_rows(frontier, relation, grant));
    candidates
}

fn is_measure(argument: usize, frontier: &Frontier, relation: &Relation) -> bool {
    let quantity = frontier.arguments.get(argument).map(|argument| argument.quantity);
    let columns = quantity.map(Quantity::columns).unwrap_or_default();
    let is_quantity = |position: &usize| {
        relation
            .columns
            .get(*position)
            .is_some_and(|column| column.quantity)
    };
    columns.iter().all(is_quantity)
}

/// The bare column that an argument reads, however SQL names it.
fn column(argument: &Argument, frontier: &Frontier, relation: &Relation, grant: &Grant) -> Option<Base> {
    let Quantity::Column(position) = argument.quantity else {
        return None;
    };
    let sql = match level::of(&Expr::Column(position), &frontier.input, grant) {
        Level::Stored(table, meta) => written::stored(&table.table, &meta.name, &frontier.input),
        Level::Date(_) | Level::Part(_) | Level::Prefix(..) | Level::Steps(_) | Level::Unknown => {
            written::key(&relation.columns.get(position)?.name, true, &frontier.input)
        }
    };
    Some(Base { position, sql })
}

/// An extreme is somebody's own value. How many people have which value says more, and is shown where enough have it.
fn people_per_value(
    function: &str,
    argument: usize,
    frontier: &Frontier,
    relation: &Relation,
    grant: &Grant,
) -> Option<Candidate> {
    let argument = frontier.arguments.get(argument)?;
    let base = column(argument, frontier, relation, grant).filter(|_| argument.when.is_none())?;
    let stored = level::of(&Expr::Column(base.position), &frontier.input, grant);
    let (sql, key) = match measured(stored).and_then(|meta| bands::of_measure(meta, &base)) {
        Some(step) => (step.sql, step.expr),
        None => {
            let of_type = relation.columns.get(base.position)?.column_type;
            let is_few = of_type == ColumnType::Int
                || matches!(stored, Level::Stored(_, meta) if meta.domain.is_some());
            is_few.then(|| (base.sql.clone(), Expr::Column(base.position)))?
        }
    };
    let replace = format!("{function}({base})");
    let what = format!(
        "count people per value instead of asking for the extreme: `{sql}, count(distinct pid)` with `{sql}` in GROUP BY instead of `{replace}`"
    );
    let mut keys = frontier.keys.clone();
    keys.push((sql.clone(), key));
    Some(Candidate {
        what,
        by: format!("{sql}, count(distinct pid)"),
        add: format!("GROUP BY {sql}"),
        against: &[Rule::Extreme],
        frontier: Frontier {
            keys,
            arguments: vec![],
            aggregates: vec![Aggregate::CountUnits],
            input: frontier.input.clone(),
        },
        place: replace.clone(),
        replace,
        fewer: 1,
    })
}

fn measured(level: Level<'_>) -> Option<&ColumnMeta> {
    match level {
        Level::Stored(_, meta) => meta.measure.is_some().then_some(meta),
        Level::Date(_) | Level::Part(_) | Level::Prefix(..) | Level::Steps(_) | Level::Unknown => None,
    }
}

/// Rules of dominance mean nothing where values of both signs meet: where a policy has such rules and the holder declares
/// values below zero, those above zero are summed alone.
fn one_sign(index: usize, frontier: &Frontier, grant: &Grant, rules: &RulePack) -> Option<Candidate> {
    if let DominanceRule::None {} = rules.dominance {
        return None;
    }
    let argument = frontier.arguments.get(index)?;
    let Quantity::Column(position) = argument.quantity else {
        return None;
    };
    let Level::Stored(table, meta) = level::of(&Expr::Column(position), &frontier.input, grant) else {
        return None;
    };
    let bounds = meta.measure.as_ref().filter(|_| argument.when.is_none())?;
    let zero = written::like(&bounds.min, 0)?;
    if written::unscaled(&bounds.min)? >= 0 {
        return None;
    }
    let name = written::stored(&table.table, &meta.name, &frontier.input);
    let above = Expr::Compare(
        Comparison::Gt,
        Box::new(Expr::Column(position)),
        Box::new(Expr::Literal(zero)),
    );
    let mut changed = frontier.clone();
    changed.arguments.get_mut(index)?.when = Some(above);
    let replace = format!("sum({name})");
    let by = format!("{replace} FILTER (WHERE {name} > 0)");
    Some(Candidate {
        what: format!("sum the values above zero alone: `{by}` instead of `{replace}`"),
        by,
        add: String::new(),
        against: &[Rule::Dominance],
        frontier: changed,
        place: replace.clone(),
        replace,
        fewer: 1,
    })
}

/// Two values of a row over almost the same people give away the rest; over the same rows they do not.
fn same_rows(frontier: &Frontier, relation: &Relation, grant: &Grant) -> Option<Candidate> {
    let of_all = frontier
        .aggregates
        .iter()
        .any(|aggregate| aggregate.argument().is_none());
    if frontier.arguments.iter().any(|argument| argument.when.is_some()) {
        return None;
    }
    let columns: Vec<Base> = frontier
        .arguments
        .iter()
        .filter_map(|argument| column(argument, frontier, relation, grant))
        .collect();
    if columns.is_empty() || (columns.len() < 2 && !of_all) {
        return None;
    }
    let present: Vec<String> = columns.iter().map(|base| format!("{base} IS NOT NULL")).collect();
    let add = format!("WHERE {}", present.join(" AND "));
    let mut conditions = columns.iter().map(|base| {
        let missing = Expr::IsNull(Box::new(Expr::Column(base.position)));
        Expr::Not(Box::new(missing))
    });
    let first = conditions.next()?;
    let predicate = conditions.fold(first, |all, one| Expr::And(Box::new(all), Box::new(one)));
    Some(Candidate {
        what: format!("let all values be of the same rows: add `{add}`"),
        replace: String::new(),
        by: String::new(),
        place: add.clone(),
        add,
        against: &[Rule::Complement],
        frontier: Frontier {
            input: Node::Filter {
                input: Box::new(frontier.input.clone()),
                predicate,
            },
            ..frontier.clone()
        },
        fewer: 1,
    })
}
