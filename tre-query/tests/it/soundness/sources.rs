//! Random FROM clauses over people's rows: tables, subqueries, CTEs, joins on pid and with the public table.
//!
//! The reference reads all replicas of the world at once: every private table has a column `replica`, which every join
//! of private tables compares and every subquery passes on.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::ColumnType;

use super::exprs::{Field, Sql, condition};
use super::grammar::Feature;
use crate::fixture::Table;

/// Rows of people that a query aggregates.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// `name AS (…)`, in order.
    pub(super) ctes: Vec<Sql>,
    /// What stands after FROM.
    pub(super) from: Sql,
    /// Join conditions that stand in WHERE.
    pub(super) conditions: Vec<Sql>,
    /// Columns that may be named.
    pub(super) fields: Vec<Field>,
    /// Aliases of the private relations; each one's `pid` is the row's person.
    pub(super) people: Vec<String>,
}

/// One relation under an alias.
struct Relation {
    cte: Option<Sql>,
    /// With its alias, as it stands in FROM.
    sql: Sql,
    fields: Vec<Field>,
}

type Rng8 = ChaCha8Rng;

fn table<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name == name).unwrap()
}

fn fields_of(table: &Table, alias: &str) -> Vec<Field> {
    let field = |meta: &tre_core::manifest::ColumnMeta| Field {
        name: format!("{alias}.{}", meta.name),
        ty: meta.column_type,
        bare: true,
        measure: meta.measure.is_some() && !table.public,
        public: table.public,
        entity: meta.entity.is_some(),
        domain: meta.domain.clone(),
    };
    table.columns.iter().map(field).collect()
}

/// A field of a subquery under its alias.
fn lifted(field: &Field, alias: &str) -> Field {
    let (_, name) = field.name.rsplit_once('.').unwrap();
    Field {
        name: format!("{alias}.{name}"),
        ..field.clone()
    }
}

fn plain(tables: &[Table], name: &str, alias: &str) -> Relation {
    Relation {
        cte: None,
        sql: Sql::new(format!("{name} {alias}")),
        fields: fields_of(table(tables, name), alias),
    }
}

/// `SELECT pid, … FROM table s WHERE …`, some columns renamed or computed.
fn subselect(tables: &[Table], name: &str, alias: &str, rng: &mut Rng8) -> (Sql, Vec<Field>) {
    let inner = fields_of(table(tables, name), "s");
    let mut fields: Vec<Field> = inner.iter().map(|field| lifted(field, alias)).collect();
    let mut columns: Vec<String> = inner.iter().map(|field| field.name.clone()).collect();
    let renamed = rng.random_range(0..inner.len());
    columns[renamed] = format!("{} AS renamed", columns[renamed]);
    fields[renamed].name = format!("{alias}.renamed");
    let number = inner.iter().find(|field| field.ty == ColumnType::Int);
    if let Some(number) = number.filter(|_| rng.random_bool(0.4)) {
        columns.push(format!("{} + 1 AS more", number.name));
        fields.push(Field {
            name: format!("{alias}.more"),
            bare: false,
            measure: false,
            domain: None,
            ..number.clone()
        });
    }
    let condition = match rng.random_bool(0.6) {
        true => condition(&inner, 1, rng),
        false => Sql::new("true"),
    };
    let columns = columns.join(", ");
    let sql = Sql::two(
        format!(
            "SELECT s.pid, {columns} FROM {name} s WHERE {}",
            condition.written
        ),
        format!(
            "SELECT s.replica, s.pid, {columns} FROM {name} s WHERE {}",
            condition.reference
        ),
    );
    (sql, fields)
}

/// One row per person, with numbers of their rows in the place of the rows.
fn per_person(tables: &[Table], alias: &str, rng: &mut Rng8) -> (Sql, Vec<Field>) {
    let condition = condition(&fields_of(table(tables, "visit"), "s"), 1, rng);
    let columns = "count(*) AS visits, sum(s.days) AS days, sum(s.cost) AS cost";
    let sql = Sql::two(
        format!(
            "SELECT s.pid, {columns} FROM visit s WHERE {} GROUP BY s.pid",
            condition.written
        ),
        format!(
            "SELECT s.replica, s.pid, {columns} FROM visit s WHERE {} GROUP BY s.replica, s.pid",
            condition.reference
        ),
    );
    let field = |name: &str, ty| Field {
        name: format!("{alias}.{name}"),
        ty,
        bare: true,
        measure: true,
        public: false,
        entity: false,
        domain: None,
    };
    let scale = table(tables, "visit").columns[2].column_type;
    let fields = vec![
        field("visits", ColumnType::Int),
        field("days", ColumnType::Int),
        field("cost", scale),
    ];
    (sql, fields)
}

/// `SELECT DISTINCT pid, …`.
fn distinct(tables: &[Table], alias: &str) -> (Sql, Vec<Field>) {
    let inner = fields_of(table(tables, "visit"), "s");
    let fields = inner[..2].iter().map(|field| lifted(field, alias)).collect();
    let sql = Sql::two(
        "SELECT DISTINCT s.pid, s.icd, s.kind FROM visit s",
        "SELECT DISTINCT s.replica, s.pid, s.icd, s.kind FROM visit s",
    );
    (sql, fields)
}

/// Rows of two tables under each other.
fn union(alias: &str) -> (Sql, Vec<Field>) {
    let of = |replica: &str| {
        format!(
            "SELECT {replica}s.pid, s.icd AS code, s.days AS amount FROM visit s \
             UNION ALL SELECT {replica}t.pid, t.code, t.amount FROM drug t"
        )
    };
    let field = |name: &str, ty, measure| Field {
        name: format!("{alias}.{name}"),
        ty,
        bare: true,
        measure,
        public: false,
        entity: false,
        domain: None,
    };
    let fields = vec![
        field("code", ColumnType::Text, false),
        field("amount", ColumnType::Int, true),
    ];
    let [first, second] = ["", "s.replica, "].map(of);
    (
        Sql::two(
            first,
            second.replace("ALL SELECT s.replica", "ALL SELECT t.replica"),
        ),
        fields,
    )
}

fn private(
    tables: &[Table],
    alias: &str,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Relation {
    let name = *["visit", "visit", "visit", "person", "drug"].choose(rng).unwrap();
    let forms = [Feature::PerPerson, Feature::DistinctPid, Feature::UnionAll];
    let form = forms
        .into_iter()
        .find(|form| features.contains(form) && rng.random_bool(0.8));
    used.extend(form);
    let (sql, fields) = match form {
        Some(Feature::PerPerson) => per_person(tables, alias, rng),
        Some(Feature::DistinctPid) => distinct(tables, alias),
        Some(_) => union(alias),
        None if rng.random_bool(0.7) => return plain(tables, name, alias),
        None => subselect(tables, name, alias, rng),
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
    let mut source = Source {
        ctes: first.cte.into_iter().collect(),
        from: first.sql,
        conditions: vec![],
        fields: first.fields,
        people: vec!["a".to_owned()],
    };
    let joins = [0, 0, 1, 1, 2][rng.random_range(0..5)];
    let outer = features.contains(&Feature::LeftJoin);
    used.extend(outer.then_some(Feature::LeftJoin));
    let commas = rng.random_bool(0.25);
    for alias in ["b", "d"].into_iter().take(joins.max(usize::from(outer))) {
        let right = if rng.random_bool(0.35) && !outer {
            plain(tables, "icd10", alias)
        } else {
            private(tables, alias, &BTreeSet::new(), used, rng)
        };
        join(&mut source, right, alias, outer, commas, rng);
    }
    for (feature, word) in [(Feature::Exists, ""), (Feature::NotExists, "NOT ")] {
        if features.contains(&feature) {
            used.insert(feature);
            source.conditions.push(semi_join(tables, word, rng));
        }
    }
    source
}

fn join(source: &mut Source, right: Relation, alias: &str, outer: bool, commas: bool, rng: &mut Rng8) {
    let alone = source.people.len() == 1 && source.fields.iter().all(|field| !field.public);
    let public = right.fields.iter().all(|field| field.public);
    let on = if public {
        let texts: Vec<&Field> = source
            .fields
            .iter()
            .filter(|field| field.ty == ColumnType::Text && !field.entity && !field.public)
            .collect();
        let Some(text) = texts.choose(rng) else { return };
        if source.fields.iter().any(|field| field.public) {
            return;
        }
        let column = if rng.random_bool(0.2) {
            format!("upper({})", text.name)
        } else {
            text.name.clone()
        };
        Sql::new(format!("{column} = {alias}.code"))
    } else {
        let other = source.people.choose(rng).unwrap().clone();
        source.people.push(alias.to_owned());
        let mut same = format!("{other}.pid = {alias}.pid");
        let pairs = source
            .fields
            .iter()
            .flat_map(|a| right.fields.iter().map(move |b| (a, b)));
        let pairs: Vec<_> = pairs
            .filter(|(a, b)| a.ty == b.ty && !a.entity && !b.entity && !outer)
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
    both.extend(right.fields);
    let on = match rng.random_bool(0.2) && !outer {
        true => {
            let more = condition(&both, 0, rng);
            Sql::with(&[&on, &more], |p| format!("{} AND {}", p[0], p[1]))
        }
        false => on,
    };
    let from = [&source.from, &right.sql, &on];
    source.from = match rng.random_range(0..3) {
        _ if outer => Sql::with(&from, |p| format!("{} LEFT JOIN {} ON {}", p[0], p[1], p[2])),
        // ON sees nothing of what stands before a comma.
        _ if commas => {
            source.conditions.push(on.clone());
            Sql::with(&from, |p| format!("{}, {}", p[0], p[1]))
        }
        0 if alone => Sql::with(&from, |p| format!("{} INNER JOIN {} ON {}", p[1], p[0], p[2])),
        _ => Sql::with(&from, |p| format!("{} JOIN {} ON {}", p[0], p[1], p[2])),
    };
    if outer {
        // Only the left side has a person in every row.
        source.people.truncate(1);
    }
    source.fields = both;
}

/// People with a row of `drug`, or without one.
fn semi_join(tables: &[Table], word: &str, rng: &mut Rng8) -> Sql {
    let condition = condition(&fields_of(table(tables, "drug"), "z"), 1, rng);
    let exists = "EXISTS (SELECT 1 FROM drug z WHERE z.pid = a.pid";
    let reference = format!(
        "{word}{exists} AND z.replica = a.replica AND {})",
        condition.reference
    );
    let written = if word.is_empty() && rng.random_bool(0.5) {
        format!("a.pid IN (SELECT z.pid FROM drug z WHERE {})", condition.written)
    } else {
        format!("{word}{exists} AND {})", condition.written)
    };
    Sql::two(written, reference)
}
