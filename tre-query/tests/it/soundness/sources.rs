//! Random FROM clauses over people's rows: tables, subqueries, CTEs, joins on pid and with the public table.
//!
//! The reference reads all replicas of the world at once: every private table has a column `replica`, which every join
//! of private tables compares and every subquery passes on.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::ColumnType;

use super::exprs::{Field, Flag, Sql, condition};
use super::grammar::Feature;
use super::subqueries;
use crate::fixture::Table;

/// Rows of people that a query aggregates.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// `name AS (…)`, in order.
    pub(super) ctes: Vec<Sql>,
    /// What stands after FROM.
    pub(super) from: Sql,
    /// Join conditions that stand in WHERE, and semi-joins.
    pub(super) conditions: Vec<Sql>,
    /// Columns that may be named.
    pub(super) fields: Vec<Field>,
    /// Aliases of the private relations; each one's `pid` is the row's person.
    pub(super) people: Vec<String>,
    /// Aliases of private relations of which a row may have no row: there the `pid` is NULL.
    pub(super) perhaps: Vec<String>,
}

/// One relation under an alias.
struct Relation {
    cte: Option<Sql>,
    /// With its alias, as it stands in FROM.
    sql: Sql,
    fields: Vec<Field>,
}

type Rng8 = ChaCha8Rng;

pub(super) fn table<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name == name).unwrap()
}

pub(super) fn fields_of(table: &Table, alias: &str) -> Vec<Field> {
    let field = |meta: &tre_core::manifest::ColumnMeta| Field {
        name: format!("{alias}.{}", meta.name),
        ty: meta.column_type,
        bare: true,
        measure: meta.measure.is_some() && !table.public,
        public: table.public,
        entity: meta.entity.is_some(),
        domain: meta.domain.clone(),
        tag: meta.tag.clone(),
        flag: Flag::No,
    };
    table.columns.iter().map(field).collect()
}

fn plain(tables: &[Table], name: &str, alias: &str) -> Relation {
    Relation {
        cte: None,
        sql: Sql::new(format!("{name} {alias}")),
        fields: fields_of(table(tables, name), alias),
    }
}

fn private(
    tables: &[Table],
    alias: &str,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Relation {
    let name = *["visit", "visit", "visit", "person", "person", "drug"]
        .choose(rng)
        .unwrap();
    let Some((sql, fields)) = subqueries::random(tables, name, alias, features, used, rng) else {
        return plain(tables, name, alias);
    };
    if rng.random_bool(0.3) {
        return Relation {
            cte: Some(Sql::with(&[&sql], |p| format!("c_{alias} AS ({})", p[0]))),
            sql: Sql::new(format!("c_{alias} {alias}")),
            fields,
        };
    }
    Relation {
        cte: None,
        sql: Sql::with(&[&sql], |p| format!("({}) {alias}", p[0])),
        fields,
    }
}

/// Draws a source with those of the features that it can have; these are noted in `used`.
pub(super) fn random(
    tables: &[Table],
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Source {
    let first = private(tables, "a", features, used, rng);
    let numbered = first.fields.iter().any(|field| field.name == "a.rn");
    let mut source = Source {
        ctes: first.cte.into_iter().collect(),
        from: first.sql,
        conditions: vec![],
        fields: first.fields,
        people: vec!["a".to_owned()],
        perhaps: vec![],
    };
    if numbered && rng.random_bool(0.6) {
        source
            .conditions
            .push(Sql::new(["a.rn = 1", "a.rn > 1"][rng.random_range(0..2)]));
    }
    let (left, public) = (
        features.contains(&Feature::LeftJoin),
        features.contains(&Feature::PublicLeftJoin),
    );
    let joins = [0, 0, 1, 1, 2][rng.random_range(0..5)];
    let commas = rng.random_bool(0.25) && !left && !public;
    let wanted = usize::from(left) + usize::from(public);
    for (at, alias) in ["b", "d"].into_iter().take(joins.max(wanted)).enumerate() {
        // The joins that features ask for come first.
        let (is_public, outer) = match (left, public) {
            (true, _) if at == 0 => (false, true),
            (_, true) if at < wanted => (true, true),
            _ => (rng.random_bool(0.35), false),
        };
        let right = match is_public {
            true => plain(tables, "icd10", alias),
            // A person's rows beside what they add up to.
            false if rng.random_bool(0.5) => private(tables, alias, features, used, rng),
            false => private(tables, alias, &BTreeSet::new(), used, rng),
        };
        if join(&mut source, right, alias, outer, commas, rng) && outer {
            used.insert(if is_public {
                Feature::PublicLeftJoin
            } else {
                Feature::LeftJoin
            });
        }
    }
    for (feature, negated) in [(Feature::Exists, false), (Feature::NotExists, true)] {
        if features.contains(&feature) {
            used.insert(feature);
            source
                .conditions
                .push(exists(tables, &source.fields, negated, rng));
        }
    }
    if features.contains(&Feature::PublicExists)
        && let Some(condition) = public_exists(tables, &source.fields, rng)
    {
        used.insert(Feature::PublicExists);
        source.conditions.push(condition);
    }
    source
}

/// Adds a join where there is something to join on.
fn join(
    source: &mut Source,
    right: Relation,
    alias: &str,
    outer: bool,
    commas: bool,
    rng: &mut Rng8,
) -> bool {
    let alone = source.people.len() == 1
        && source.perhaps.is_empty()
        && source.fields.iter().all(|field| !field.public);
    let public = right.fields.iter().all(|field| field.public);
    let on = if public {
        let Some(text) = text_of_people(&source.fields, rng) else {
            return false;
        };
        if source.fields.iter().any(|field| field.public) {
            return false;
        }
        let column = match rng.random_bool(0.2) {
            true => format!("upper({text})"),
            false => text,
        };
        Sql::new(format!("{column} = {alias}.code"))
    } else {
        let other = source.people.choose(rng).unwrap().clone();
        let mut same = format!("{other}.pid = {alias}.pid");
        let pairs = source
            .fields
            .iter()
            .flat_map(|a| right.fields.iter().map(move |b| (a, b)));
        let pairs: Vec<_> = pairs
            .filter(|(a, b)| a.ty == b.ty && !a.entity && !b.entity)
            .collect();
        if let Some((a, b)) = pairs.choose(rng).filter(|_| rng.random_bool(0.25)) {
            same = format!("{same} AND {} = {}", a.name, b.name);
        }
        Sql::two(
            same.clone(),
            format!("{same} AND {other}.replica = {alias}.replica"),
        )
    };
    source.ctes.extend(right.cte);
    let mut both = source.fields.clone();
    both.extend(right.fields.into_iter().map(|field| match (outer, field.flag) {
        // Beside a row without a partner it is NULL, so that it is no CASE any more.
        (true, Flag::Computed) => Field {
            flag: Flag::No,
            ..field
        },
        (_, Flag::No | Flag::Computed | Flag::Ever) => field,
    }));
    let on = match rng.random_bool(if outer { 0.4 } else { 0.2 }) {
        true => {
            let more = condition(&both, 0, rng);
            Sql::with(&[&on, &more], |p| format!("{} AND {}", p[0], p[1]))
        }
        false => on,
    };
    let from = [&source.from, &right.sql, &on];
    source.from = match rng.random_range(0..3) {
        0 if outer && alone => Sql::with(&from, |p| format!("{} RIGHT JOIN {} ON {}", p[1], p[0], p[2])),
        _ if outer => Sql::with(&from, |p| format!("{} LEFT JOIN {} ON {}", p[0], p[1], p[2])),
        // ON sees nothing of what stands before a comma.
        _ if commas => {
            source.conditions.push(on.clone());
            Sql::with(&from, |p| format!("{}, {}", p[0], p[1]))
        }
        0 if alone => Sql::with(&from, |p| format!("{} INNER JOIN {} ON {}", p[1], p[0], p[2])),
        _ => Sql::with(&from, |p| format!("{} JOIN {} ON {}", p[0], p[1], p[2])),
    };
    match (public, outer) {
        (true, _) => {}
        (false, true) => source.perhaps.push(alias.to_owned()),
        (false, false) => source.people.push(alias.to_owned()),
    }
    source.fields = both;
    true
}

/// A text of a row about people.
fn text_of_people(fields: &[Field], rng: &mut Rng8) -> Option<String> {
    let texts: Vec<&Field> = fields
        .iter()
        .filter(|field| field.ty == ColumnType::Text && !field.entity && !field.public)
        .collect();
    texts.choose(rng).map(|field| field.name.clone())
}

/// People with a row of `drug`, or without one.
fn exists(tables: &[Table], fields: &[Field], negated: bool, rng: &mut Rng8) -> Sql {
    let drug = fields_of(table(tables, "drug"), "z");
    let mut condition = condition(&drug, 1, rng);
    let not = if negated { "NOT " } else { "" };
    let exists = "EXISTS (SELECT 1 FROM drug z WHERE z.pid = a.pid";
    let within = format!(
        "a.pid {not}IN (SELECT z.pid FROM drug z WHERE {})",
        condition.written
    );
    let number = fields
        .iter()
        .find(|field| field.ty == ColumnType::Int && field.bare);
    let compared = number.filter(|_| rng.random_bool(0.25));
    if let Some(number) = compared {
        condition = Sql::with(&[&condition], |p| {
            format!("{} AND z.amount > {}", p[0], number.name)
        });
    }
    let reference = format!(
        "{not}{exists} AND z.replica = a.replica AND {})",
        condition.reference
    );
    match compared.is_none() && rng.random_bool(0.5) {
        true => Sql::two(within, reference),
        false => Sql::two(format!("{not}{exists} AND {})", condition.written), reference),
    }
}

/// Rows whose label is in the public table, or is not.
fn public_exists(tables: &[Table], fields: &[Field], rng: &mut Rng8) -> Option<Sql> {
    let text = text_of_people(fields, rng)?;
    let condition = condition(&fields_of(table(tables, "icd10"), "y"), 0, rng);
    let exists = |p: &str| format!("EXISTS (SELECT 1 FROM icd10 y WHERE y.code = {text} AND {p})");
    Some(match rng.random_range(0..3) {
        0 => Sql::with(&[&condition], |p| format!("NOT {}", exists(p[0]))),
        1 => Sql::two(
            format!(
                "{text} IN (SELECT y.code FROM icd10 y WHERE {})",
                condition.written
            ),
            exists(&condition.reference),
        ),
        _ => Sql::with(&[&condition], |p| exists(p[0])),
    })
}
