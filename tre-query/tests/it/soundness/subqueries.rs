//! Random relations of people's rows that are not tables: selections, one row per person, distinct and numbered rows,
//! unions.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::ColumnType;

use super::exprs::{Field, Flag, Sql, condition};
use super::grammar::Feature;
use super::sources::{fields_of, table};
use crate::fixture::Table;

type Rng8 = ChaCha8Rng;

/// Features that make another relation of a table.
const FORMS: [Feature; 4] = [
    Feature::PerPerson,
    Feature::DistinctPid,
    Feature::UnionAll,
    Feature::Numbered,
];

/// A field of a subquery under its alias.
fn lifted(field: &Field, alias: &str) -> Field {
    let (_, name) = field.name.rsplit_once('.').unwrap();
    Field {
        name: format!("{alias}.{name}"),
        ..field.clone()
    }
}

/// A column that is computed.
fn computed(alias: &str, name: &str, ty: ColumnType) -> Field {
    Field {
        name: format!("{alias}.{name}"),
        ty,
        bare: true,
        measure: false,
        public: false,
        entity: false,
        domain: None,
        tag: None,
        flag: Flag::No,
    }
}

/// Draws a SELECT with `pid` and the fields that it has under an alias; `None`: the table itself will do.
pub(super) fn random(
    tables: &[Table],
    name: &str,
    alias: &str,
    features: &BTreeSet<Feature>,
    used: &mut BTreeSet<Feature>,
    rng: &mut Rng8,
) -> Option<(Sql, Vec<Field>)> {
    let form = FORMS
        .into_iter()
        .find(|form| features.contains(form) && rng.random_bool(0.8));
    used.extend(form);
    Some(match form {
        Some(Feature::PerPerson) => per_person(tables, alias, rng),
        Some(Feature::DistinctPid) => distinct(tables, alias),
        Some(Feature::Numbered) => numbered(tables, alias, rng),
        Some(_) => union(tables, alias, rng),
        None if rng.random_bool(0.6) && !features.contains(&Feature::Case) => return None,
        None => selection(tables, name, alias, features, rng),
    })
}

/// `SELECT pid, … FROM table s WHERE …`, some columns renamed or computed.
fn selection(
    tables: &[Table],
    name: &str,
    alias: &str,
    features: &BTreeSet<Feature>,
    rng: &mut Rng8,
) -> (Sql, Vec<Field>) {
    let inner = fields_of(table(tables, name), "s");
    let mut fields: Vec<Field> = inner.iter().map(|field| lifted(field, alias)).collect();
    let mut columns: Vec<Sql> = inner.iter().map(|field| Sql::new(field.name.clone())).collect();
    let renamed = rng.random_range(0..inner.len());
    columns[renamed] = Sql::with(&[&columns[renamed]], |p| format!("{} AS renamed", p[0]));
    fields[renamed].name = format!("{alias}.renamed");
    let number = inner.iter().find(|field| field.ty == ColumnType::Int);
    if let Some(number) = number.filter(|_| rng.random_bool(0.4)) {
        columns.push(Sql::new(format!("{} + 1 AS more", number.name)));
        fields.push(Field {
            bare: false,
            ..computed(alias, "more", ColumnType::Int)
        });
    }
    if features.contains(&Feature::Case) {
        let p = condition(&inner, 0, rng);
        columns.push(Sql::with(&[&p], |p| {
            format!("CASE WHEN {} THEN 1 ELSE 0 END AS flag", p[0])
        }));
        fields.push(Field {
            bare: false,
            flag: Flag::Computed,
            ..computed(alias, "flag", ColumnType::Int)
        });
    }
    let condition = match rng.random_bool(0.6) {
        true => condition(&inner, 1, rng),
        false => Sql::new("true"),
    };
    let columns: Vec<&Sql> = columns.iter().collect();
    let columns = Sql::with(&columns, |parts| parts.join(", "));
    let sql = Sql::two(
        format!(
            "SELECT s.pid, {} FROM {name} s WHERE {}",
            columns.written, condition.written
        ),
        format!(
            "SELECT s.replica, s.pid, {} FROM {name} s WHERE {}",
            columns.reference, condition.reference
        ),
    );
    (sql, fields)
}

/// One row per person, or per person and label, with what their rows add up to.
fn per_person(tables: &[Table], alias: &str, rng: &mut Rng8) -> (Sql, Vec<Field>) {
    let inner = fields_of(table(tables, "visit"), "s");
    let [p, q] = [(); 2].map(|()| condition(&inner, 1, rng));
    let money = inner[2].ty;
    let measure = |name, ty| Field {
        measure: true,
        ..computed(alias, name, ty)
    };
    let mut calls = vec![
        (Sql::new("count(*)"), measure("visits", ColumnType::Int)),
        (Sql::new("sum(s.days)"), measure("days", ColumnType::Int)),
        (Sql::new("sum(s.cost)"), measure("cost", money)),
        (
            Sql::new("count(distinct s.icd)"),
            measure("kinds", ColumnType::Int),
        ),
        (Sql::new("max(s.days)"), measure("most", ColumnType::Int)),
        (
            Sql::new("min(s.seen)"),
            computed(alias, "first", ColumnType::Date),
        ),
        (
            Sql::with(&[&q], |q| format!("sum(CASE WHEN {} THEN s.cost END)", q[0])),
            measure("part", money),
        ),
        (
            Sql::with(&[&q], |q| format!("count(*) FILTER (WHERE {})", q[0])),
            measure("some", ColumnType::Int),
        ),
        (
            Sql::with(&[&q], |q| format!("max(CASE WHEN {} THEN 1 ELSE 0 END)", q[0])),
            Field {
                flag: Flag::Ever,
                ..computed(alias, "ever", ColumnType::Int)
            },
        ),
    ];
    while calls.len() > 4 {
        calls.remove(rng.random_range(0..calls.len()));
    }
    let key = rng
        .random_bool(0.3)
        .then(|| inner.choose(rng).unwrap())
        .filter(|key| !key.entity);
    let keys = key.map_or(String::new(), |key| format!(", {}", key.name));
    let having = match rng.random_bool(0.3) {
        true => format!(" HAVING count(*) {} 2", ["<", ">="][rng.random_range(0..2)]),
        false => String::new(),
    };
    let columns: Vec<Sql> = calls
        .iter()
        .map(|(call, field)| {
            let (_, name) = field.name.rsplit_once('.').unwrap();
            Sql::with(&[call], |call| format!("{} AS {name}", call[0]))
        })
        .collect();
    let columns = Sql::with(&columns.iter().collect::<Vec<_>>(), |parts| parts.join(", "));
    let sql = Sql::two(
        format!(
            "SELECT s.pid{keys}, {} FROM visit s WHERE {} GROUP BY s.pid{keys}{having}",
            columns.written, p.written
        ),
        format!(
            "SELECT s.replica, s.pid{keys}, {} FROM visit s WHERE {} GROUP BY s.replica, s.pid{keys}{having}",
            columns.reference, p.reference
        ),
    );
    let mut fields: Vec<Field> = key.map(|key| lifted(key, alias)).into_iter().collect();
    fields.retain(|field| calls.iter().all(|(_, call)| call.name != field.name));
    fields.extend(calls.into_iter().map(|(_, field)| field));
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

/// Rows with their number among those of their person.
fn numbered(tables: &[Table], alias: &str, rng: &mut Rng8) -> (Sql, Vec<Field>) {
    let inner = fields_of(table(tables, "visit"), "s");
    let columns: Vec<&str> = inner.iter().map(|field| field.name.as_str()).collect();
    let columns = columns.join(", ");
    let within = ["", "", ", s.kind"].choose(rng).unwrap();
    let order = [
        "s.seen",
        "s.seen DESC",
        "s.days DESC NULLS LAST, s.seen",
        "s.cost NULLS FIRST",
    ]
    .choose(rng)
    .unwrap();
    // What the order does not tell apart, all columns do, in the order in which they stand.
    let told = inner.iter().map(|field| format!("{} ASC NULLS LAST", field.name));
    let told = told.collect::<Vec<_>>().join(", ");
    let sql = Sql::two(
        format!(
            "SELECT s.pid, {columns}, row_number() OVER (PARTITION BY s.pid{within} ORDER BY {order}) AS rn FROM visit s"
        ),
        format!(
            "SELECT s.replica, s.pid, {columns}, CAST(row_number() OVER (PARTITION BY s.replica, s.pid{within} \
             ORDER BY {order}, {told}) AS BIGINT) AS rn FROM visit s"
        ),
    );
    let mut fields: Vec<Field> = inner.iter().map(|field| lifted(field, alias)).collect();
    fields.push(computed(alias, "rn", ColumnType::Int));
    (sql, fields)
}

/// Rows of two tables under each other.
fn union(tables: &[Table], alias: &str, rng: &mut Rng8) -> (Sql, Vec<Field>) {
    let conditions = [("visit", "s"), ("drug", "t")].map(|(name, alias)| match rng.random_bool(0.4) {
        true => condition(&fields_of(table(tables, name), alias), 0, rng),
        false => Sql::new("true"),
    });
    let [p, q] = &conditions;
    let sql = Sql::two(
        format!(
            "SELECT s.pid, s.icd AS code, s.days AS amount FROM visit s WHERE {} \
             UNION ALL SELECT t.pid, t.code, t.amount FROM drug t WHERE {}",
            p.written, q.written
        ),
        format!(
            "SELECT s.replica, s.pid, s.icd AS code, s.days AS amount FROM visit s WHERE {} \
             UNION ALL SELECT t.replica, t.pid, t.code, t.amount FROM drug t WHERE {}",
            p.reference, q.reference
        ),
    );
    let fields = vec![
        computed(alias, "code", ColumnType::Text),
        Field {
            measure: true,
            ..computed(alias, "amount", ColumnType::Int)
        },
    ];
    (sql, fields)
}
