//! Columns and constants as SQL that the desk reads.

use tre_core::algebra::{DatePart, Expr, Node};
use tre_core::ids::{ColumnName, TableName};
use tre_core::types::Value;

use super::level::{self, Known};

/// A column as the analyst wrote it in a key of this name: with the alias of its table if they gave one.
///
/// The name of a bare column is the column itself; in that of an expression it stands somewhere.
pub(super) fn column(name: &str, key: &str, input: &Node) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut words = key.split(|c: char| !is_part(c));
    let found =
        words.find(|word| *word == name || word.rsplit_once('.').is_some_and(|(_, last)| last == name));
    found.map_or_else(|| quoted(name), |word| in_parts(short(word, input)))
}

/// A column without the name of its table, which the planner puts there, where nothing else is called so. An alias is the
/// analyst's own word, and stays.
fn short<'n>(name: &'n str, input: &Node) -> &'n str {
    let Some((table, column)) = name.split_once('.') else {
        return name;
    };
    let is_table = scanned(input, &|read, _| read.as_str() == table) == 1;
    let named = |_: &TableName, columns: &[ColumnName]| columns.iter().any(|name| name.as_str() == column);
    if is_table && scanned(input, &named) == 1 {
        column
    } else {
        name
    }
}

/// A key as SQL: a bare column with its parts quoted where that is needed, an expression as the planner names it but for
/// the types of its constants.
pub(super) fn key(name: &str, is_column: bool, input: &Node) -> String {
    if is_column {
        return in_parts(short(name, input));
    }
    let mut text = String::new();
    let mut rest = name;
    while let Some((start, constant)) = CONSTANTS
        .iter()
        .filter_map(|start| Some((rest.find(start)?, *start)))
        .min_by_key(|(at, _)| *at)
    {
        let (before, after) = rest.split_at(start);
        let Some((value, after)) = after
            .strip_prefix(constant)
            .and_then(|after| after.split_once(')'))
        else {
            break;
        };
        text.push_str(before);
        match value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) {
            Some(quoted) => text.push_str(&format!("'{}'", quoted.replace('\'', "''"))),
            None => text.push_str(value),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// An expression of a level that is known, over the column that it is computed from; none for others.
pub(super) fn expression(key: &Expr, base: &str) -> Option<String> {
    match (key, level::of_expression(key)?) {
        (Expr::Cast(inner, _), _) => expression(inner, base),
        (_, Known::Truncated(part)) => Some(format!("date_trunc('{}', {base})", part_word(part))),
        (_, Known::Extracted(part)) => Some(format!("extract({} FROM {base})", part_word(part))),
        (_, Known::Prefix(length)) => Some(format!("substr({base}, 1, {length})")),
        (_, Known::Steps(width)) => Some(format!("{base} / {width} * {width}")),
    }
}

/// A part of a date, as SQL names it.
pub(super) fn part_word(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "year",
        DatePart::Quarter => "quarter",
        DatePart::Month => "month",
        DatePart::Day => "day",
    }
}

/// How the planner begins a constant; it ends with a parenthesis.
const CONSTANTS: [&str; 3] = ["Utf8(", "Int64(", "Boolean("];

/// A name of one or more parts; parts that SQL would read otherwise in quotes.
fn in_parts(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(quoted).collect();
    parts.join(".")
}

fn quoted(part: &str) -> String {
    let mut letters = part.chars();
    let starts = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    if starts && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        part.to_owned()
    } else {
        format!("\"{}\"", part.replace('"', "\"\""))
    }
}

/// A stored column by its name alone where no other table of the plan has one of this name, else with its table's.
pub(super) fn stored(table: &TableName, column: &ColumnName, input: &Node) -> String {
    if scanned(input, &|_, columns| columns.contains(column)) > 1 {
        format!("{table}.{column}")
    } else {
        column.to_string()
    }
}

/// Whether a plan reads a table.
pub(super) fn reads(node: &Node, table: &TableName) -> bool {
    scanned(node, &|read, _| read == table) > 0
}

fn scanned(node: &Node, which: &impl Fn(&TableName, &[ColumnName]) -> bool) -> usize {
    let here = match node {
        Node::Scan { table, columns, .. } => usize::from(which(table, columns)),
        Node::Filter { .. }
        | Node::Project { .. }
        | Node::JoinUnit { .. }
        | Node::JoinPublic { .. }
        | Node::Union { .. }
        | Node::PerUnit { .. }
        | Node::Number { .. } => 0,
    };
    here + node
        .inputs()
        .into_iter()
        .map(|input| scanned(input, which))
        .sum::<usize>()
}

/// A constant. Dates and times are not written here: no rewrite compares with one.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null(_) | Value::Date(_) | Value::Timestamp(_) => "NULL".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Decimal { unscaled, scale } => decimal(*unscaled, usize::from(*scale)),
        Value::Bool(truth) => truth.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
    }
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    match digits.split_at_checked(digits.len() - scale) {
        Some((whole, places)) if scale > 0 => format!("{sign}{whole}.{places}"),
        Some(_) | None => format!("{sign}{digits}"),
    }
}

/// The digits of a number as an integer; none for what is no number.
pub(super) fn unscaled(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Decimal { unscaled, .. } => Some(*unscaled),
        Value::Null(_) | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => None,
    }
}

/// A number of the type of another one, by its digits as an integer; none where it does not fit.
pub(super) fn like(value: &Value, unscaled: i128) -> Option<Value> {
    match value {
        Value::Int(_) => i64::try_from(unscaled).ok().map(Value::Int),
        Value::Decimal { scale, .. } => Some(Value::Decimal {
            unscaled,
            scale: *scale,
        }),
        Value::Null(_) | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn scan() -> Node {
        Node::Scan {
            dataset: "liver".parse().unwrap(),
            table: "visit".parse().unwrap(),
            columns: vec!["date".parse().unwrap(), "icd".parse().unwrap()],
        }
    }

    #[test]
    fn a_column_is_named_as_the_key_names_it() {
        for (column_name, key, expected) in [
            ("date", "date", "date"),
            ("date", "visit.date", "date"),
            ("date", "other.date", "other.date"),
            ("date", "date_trunc(Utf8(\"month\"),v.date)", "v.date"),
            ("icd", "substr(V.icd,Int64(1),Int64(3))", "\"V\".icd"),
            ("icd", "coalesce(x.icd10,y.icd)", "y.icd"),
            ("icd", "something else", "icd"),
        ] {
            assert_eq!(column(column_name, key, &scan()), expected, "{key}");
        }
    }

    #[test]
    fn a_key_is_written_without_the_types_of_its_constants() {
        for (name, is_column, expected) in [
            ("v.icd", true, "v.icd"),
            ("visit.icd", true, "icd"),
            ("V.icd", true, "\"V\".icd"),
            ("substr(v.icd,Int64(1),Int64(3))", false, "substr(v.icd,1,3)"),
            (
                "date_trunc(Utf8(\"month\"),date)",
                false,
                "date_trunc('month',date)",
            ),
            ("Utf8(open", false, "Utf8(open"),
        ] {
            assert_eq!(key(name, is_column, &scan()), expected);
        }
    }

    #[test]
    fn constants_are_written_as_sql() {
        let decimal = |unscaled, scale| literal(&Value::Decimal { unscaled, scale });
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(1234, 0), "1234");
        assert_eq!(literal(&Value::Text("o'clock".to_owned())), "'o''clock'");
    }
}
