//! Random expressions over people's rows, each in two texts: as an analyst writes it, and as plain DataFusion computes
//! the same without failing on any row.
//!
//! The second text is this test's own statement of what "total" means: a division by zero, an overflow and a cast without
//! result are NULL.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use tre_core::types::{ColumnType, Value};

/// Two texts of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sql {
    /// What the analyst sends.
    pub(super) written: String,
    /// The same for plain DataFusion over all replicas, total.
    pub(super) reference: String,
}

impl Sql {
    /// One text for both.
    pub(super) fn new(text: impl Into<String>) -> Sql {
        let text = text.into();
        Sql {
            written: text.clone(),
            reference: text,
        }
    }

    /// Two texts.
    pub(super) fn two(written: impl Into<String>, reference: impl Into<String>) -> Sql {
        Sql {
            written: written.into(),
            reference: reference.into(),
        }
    }

    /// One sentence around parts.
    pub(super) fn with(parts: &[&Sql], sentence: impl Fn(&[&str]) -> String) -> Sql {
        let of = |text: fn(&Sql) -> &str| {
            let parts: Vec<&str> = parts.iter().map(|part| text(part)).collect();
            sentence(&parts)
        };
        Sql {
            written: of(|sql| &sql.written),
            reference: of(|sql| &sql.reference),
        }
    }
}

/// A column that expressions may name.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// Its name, qualified.
    pub(super) name: String,
    /// Its type.
    pub(super) ty: ColumnType,
    /// Whether it is a stored column unchanged.
    pub(super) bare: bool,
    /// Whether it is a declared measure.
    pub(super) measure: bool,
    /// Whether it is of a table about nobody.
    pub(super) public: bool,
    /// Whether its values are pseudonyms, which the reference does not know.
    pub(super) entity: bool,
    /// The declared domain, while the column is bare.
    pub(super) domain: Option<Vec<Value>>,
    /// The holder's tag, while the column is bare.
    pub(super) tag: Option<String>,
    pub(super) flag: Flag,
}

/// Whether a column is 1 where some condition holds and 0 elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    No,
    /// It is CASE of the same row.
    Computed,
    /// It is the largest such value of the person's rows.
    Ever,
}

/// A group key: the expression, and its declared domain while it is a bare column.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) sql: Sql,
    pub(super) domain: Option<Vec<Value>>,
    pub(super) tag: Option<String>,
}

type Rng8 = ChaCha8Rng;

const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

fn pick<'a, T: ?Sized>(values: &[&'a T], rng: &mut Rng8) -> &'a T {
    values.choose(rng).unwrap()
}

/// A condition over the fields; NULL is one of its results.
pub(super) fn condition(fields: &[Field], depth: u32, rng: &mut Rng8) -> Sql {
    if depth == 0 || rng.random_bool(0.5) {
        return leaf(fields, rng);
    }
    match rng.random_range(0..5) {
        0 | 1 => {
            let (a, b) = (
                condition(fields, depth - 1, rng),
                condition(fields, depth - 1, rng),
            );
            Sql::with(&[&a, &b], |p| format!("({} AND {})", p[0], p[1]))
        }
        2 | 3 => {
            let (a, b) = (
                condition(fields, depth - 1, rng),
                condition(fields, depth - 1, rng),
            );
            Sql::with(&[&a, &b], |p| format!("({} OR {})", p[0], p[1]))
        }
        _ => {
            let a = condition(fields, depth - 1, rng);
            let known = pick(
                &["NOT (#)", "(#) IS TRUE", "(#) IS NOT FALSE", "(#) IS UNKNOWN"],
                rng,
            );
            Sql::with(&[&a], |p| known.replace('#', p[0]))
        }
    }
}

fn leaf(fields: &[Field], rng: &mut Rng8) -> Sql {
    let field = fields.choose(rng).unwrap();
    let column = field.name.as_str();
    if field.entity || rng.random_bool(0.12) {
        let test = pick(&["IS NULL", "IS NOT NULL"], rng);
        return Sql::new(format!("{column} {test}"));
    }
    let same: Vec<&Field> = fields
        .iter()
        .filter(|other| other.ty == field.ty && other.name != field.name && !other.entity)
        .collect();
    if let Some(other) = same.choose(rng).filter(|_| rng.random_bool(0.15)) {
        let comparison = pick(&COMPARISONS, rng);
        return Sql::new(format!("{column} {comparison} {}", other.name));
    }
    match field.ty {
        ColumnType::Int => of_int(column, rng),
        ColumnType::Decimal { .. } => of_decimal(column, rng),
        ColumnType::Text => of_text(column, rng),
        ColumnType::Date | ColumnType::Timestamp => of_date(column, rng),
        ColumnType::Bool => {
            Sql::new(pick(&["#", "NOT #", "# = true", "# IS NOT TRUE"], rng).replace('#', column))
        }
    }
}

/// Names of computed columns that are never NULL.
const NEVER_NULL: [&str; 5] = [".visits", ".kinds", ".some", ".rn", ".flag"];

fn of_int(x: &str, rng: &mut Rng8) -> Sql {
    let n = pick(&["0", "1", "2", "3", "5", "7", "20", "40", "-1"], rng);
    let op = pick(&COMPARISONS, rng);
    match rng.random_range(0..9) {
        0..=2 => Sql::new(format!("{x} {op} {n}")),
        3 => Sql::new(format!("{x} BETWEEN 1 AND {n}")),
        4 if rng.random_bool(0.3) => Sql::new(format!("coalesce({x}, {n}) {op} 2")),
        4 => Sql::new(format!("{x} {} (1, 2, 7, 40, {n})", pick(&["IN", "NOT IN"], rng))),
        5 => Sql::new(format!("{x} % 2 {op} 0")),
        6 => Sql::two(format!("12 / {x} > 2"), format!("12 / nullif({x}, 0) > 2")),
        // What the planner knows to be never NULL it takes for so whatever is computed of it.
        7 if NEVER_NULL.iter().any(|name| x.ends_with(name)) => Sql::new(format!("{x} * 3 {op} {n}")),
        7 => Sql::two(
            format!("{x} * 9223372036854775807 IS NOT NULL"),
            format!("coalesce({x} BETWEEN -1 AND 1, false)"),
        ),
        _ => Sql::new(format!("{x} {} 1 {op} {n}", pick(&["+", "-"], rng))),
    }
}

fn of_decimal(x: &str, rng: &mut Rng8) -> Sql {
    let n = pick(&["0", "1", "10.5", "25", "-0.5", "104.001"], rng);
    let op = pick(&COMPARISONS, rng);
    match rng.random_range(0..6) {
        0..=2 => Sql::new(format!("{x} {op} {n}")),
        3 => Sql::new(format!("{x} NOT BETWEEN 0 AND {n}")),
        4 => Sql::new(format!("{x} + 1 {op} {n}")),
        _ => Sql::new(format!("{x} * 2 {op} {n}")),
    }
}

fn of_text(x: &str, rng: &mut Rng8) -> Sql {
    let value = pick(&["I10", "E11", "A", "B", "F", "x1", "endocrine"], rng);
    let op = pick(&COMPARISONS, rng);
    match rng.random_range(0..9) {
        0..=2 => Sql::new(format!("{x} {op} '{value}'")),
        3 => Sql::new(format!(
            "{x} {} ('I10', 'A', 'F', 'x2', '{value}')",
            pick(&["IN", "NOT IN"], rng)
        )),
        4 => Sql::new(format!("{x} {} '{value}%'", pick(&["LIKE", "NOT LIKE"], rng))),
        5 => Sql::new(format!("{x} ILIKE '_1%'")),
        6 => Sql::new(format!("upper(substr({x}, 1, 1)) {op} 'E'")),
        7 => Sql::new(format!("char_length({x}) {op} 2")),
        _ => Sql::two(
            format!("cast(substr({x}, 2) AS int) > 10"),
            format!("try_cast(substr({x}, 2) AS int) > 10"),
        ),
    }
}

fn of_date(x: &str, rng: &mut Rng8) -> Sql {
    let day = pick(&["2005-08-05", "2005-09-05", "2005-10-01"], rng);
    let op = pick(&COMPARISONS, rng);
    match rng.random_range(0..4) {
        0 | 1 => Sql::new(format!("{x} {op} date '{day}'")),
        2 => Sql::new(format!("extract(month FROM {x}) {op} 9")),
        _ => Sql::new(format!("date_trunc('month', {x}) {op} date '{day}'")),
    }
}

fn bare(field: &Field) -> Key {
    Key {
        sql: Sql::new(field.name.as_str()),
        domain: field.domain.clone(),
        tag: field.tag.clone(),
    }
}

/// A key over the fields: a bare column, or computed.
pub(super) fn key(fields: &[Field], rng: &mut Rng8) -> Key {
    let named: Vec<&Field> = fields.iter().filter(|field| !field.entity).collect();
    let labels: Vec<&Field> = named.iter().filter(|field| !field.measure).copied().collect();
    let tagged: Vec<&Field> = labels
        .iter()
        .filter(|field| field.tag.is_some())
        .copied()
        .collect();
    let field = if !tagged.is_empty() && rng.random_bool(0.3) {
        // Tags have rules of their own.
        return bare(tagged.choose(rng).unwrap());
    } else if !labels.is_empty() && rng.random_bool(0.8) {
        labels.choose(rng).unwrap()
    } else {
        named.choose(rng).unwrap()
    };
    let x = field.name.as_str();
    if rng.random_bool(0.6) {
        return bare(field);
    }
    let sql = match field.ty {
        ColumnType::Int => match rng.random_range(0..5) {
            0 => Sql::new(format!("{x} % 2")),
            4 => Sql::new(format!(
                "CASE WHEN {x} < 2 THEN 'low' WHEN {x} < 7 THEN 'middle' END"
            )),
            1 => Sql::new(format!("{x} / 20")),
            2 => Sql::two(format!("12 / {x}"), format!("12 / nullif({x}, 0)")),
            _ => Sql::new(format!("{x} > 2")),
        },
        ColumnType::Decimal { .. } => Sql::new(format!("{x} > 10.5")),
        ColumnType::Text => Sql::new(
            pick(
                &[
                    "substr(#, 1, 1)",
                    "upper(#)",
                    "char_length(#)",
                    "coalesce(#, 'none')",
                ],
                rng,
            )
            .replace('#', x),
        ),
        ColumnType::Date | ColumnType::Timestamp => {
            Sql::new(pick(&["extract(month FROM #)", "date_trunc('month', #)"], rng).replace('#', x))
        }
        ColumnType::Bool => Sql::new(format!("{x} IS TRUE")),
    };
    Key {
        sql,
        domain: None,
        tag: None,
    }
}
