//! What a frontier asks, in a form that does not depend on how its plan is written: which rows, under which conditions,
//! by which keys, as expressions over stored columns.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use tre_core::algebra::{Expr, Frontier, Node};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::ColumnName;
use tre_core::ledger::{Digest, Question, Table};
use tre_core::manifest::ColumnMeta;

/// Describes a frontier. `tags` are those of sensitive columns.
///
/// # Errors
/// When an expression cannot be written as JSON, or the plan names what the grant does not hold; neither happens to a
/// frontier that has a lineage.
pub(super) fn question(
    frontier: &Frontier,
    grant: &Grant,
    tags: &[String],
) -> Result<Question, serde_json::Error> {
    let mut reader = Reader {
        grant,
        tags,
        conditions: BTreeSet::new(),
        tables: Vec::new(),
        sensitive: BTreeSet::new(),
    };
    let columns = reader.node(&frontier.input)?;
    let mut keys = Vec::with_capacity(frontier.keys.len());
    let mut of_people = true;
    for (_, key) in &frontier.keys {
        let key = computed(key, &columns)?;
        reader.mention(&[&key]);
        of_people &= key.reads.iter().all(|read| !read.public);
        keys.push(key.text);
    }
    let mut scans: Vec<String> = reader
        .tables
        .iter()
        .map(Scanned::text)
        .collect::<Result<_, _>>()?;
    scans.sort();
    let tables: BTreeSet<Table> = reader
        .tables
        .iter()
        .filter(|scan| !scan.table.public)
        .map(|scan| Table {
            version: scan.table.version.clone(),
            table: scan.table.table.clone(),
            times: u32::try_from(scan.times).unwrap_or(u32::MAX),
        })
        .collect();
    Ok(Question {
        plan: Digest::of(&serde_json::to_vec(&(&scans, &reader.conditions, &keys))?),
        keys: Digest::of(&serde_json::to_vec(&keys)?),
        keys_part_rows: of_people && tables.iter().all(|table| table.times == 0),
        tables,
        sensitive: reader.sensitive,
    })
}

/// A column of a node: the expression over stored columns that it is, and the columns that it reads.
#[derive(Debug, Clone)]
struct Known {
    text: Json,
    reads: BTreeSet<Read>,
}

/// A stored column that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Read {
    name: String,
    sensitive: bool,
    public: bool,
}

/// A table that is scanned, for the how-manieth time.
struct Scanned<'a> {
    table: &'a GrantedTable,
    times: usize,
}

impl Scanned<'_> {
    fn name(&self) -> String {
        format!("{}.{}", self.table.version.dataset(), self.table.table)
    }

    /// Without the version: that two versions have the same rows is seen from the units.
    fn text(&self) -> Result<String, serde_json::Error> {
        let filter = serde_json::to_string(&self.table.row_filter)?;
        Ok(format!("{} {} {filter}", self.name(), self.times))
    }
}

struct Reader<'a> {
    grant: &'a Grant,
    tags: &'a [String],
    conditions: BTreeSet<String>,
    tables: Vec<Scanned<'a>>,
    sensitive: BTreeSet<Digest>,
}

impl<'a> Reader<'a> {
    fn node(&mut self, node: &Node) -> Result<Vec<Known>, serde_json::Error> {
        match node {
            Node::Scan {
                dataset,
                table,
                columns,
            } => {
                let unknown = || serde::de::Error::custom("a table that is not granted");
                let grant: &'a Grant = self.grant;
                self.scan(grant.table(dataset, table).ok_or_else(unknown)?, columns)
            }
            Node::Filter { input, predicate } => {
                let columns = self.node(input)?;
                self.condition(predicate, &columns)?;
                Ok(columns)
            }
            Node::Project { input, columns } => {
                let input = self.node(input)?;
                columns.iter().map(|(_, expr)| computed(expr, &input)).collect()
            }
            Node::JoinUnit { left, right, on } | Node::JoinPublic { left, right, on } => {
                let mut columns = self.node(left)?;
                let right = self.node(right)?;
                for (a, b) in on {
                    if let Some((a, b)) = columns.get(*a).zip(right.get(*b)) {
                        let (a, b) = (a.clone(), b.clone());
                        self.conditions
                            .insert(json!({ "join": [a.text, b.text] }).to_string());
                        self.mention(&[&a, &b]);
                    }
                }
                columns.extend(right);
                Ok(columns)
            }
        }
    }

    fn scan(
        &mut self,
        table: &'a GrantedTable,
        columns: &[ColumnName],
    ) -> Result<Vec<Known>, serde_json::Error> {
        let times = self.tables.iter().filter(|scan| std::ptr::eq(scan.table, table));
        let times = times.count();
        let scanned = Scanned { table, times };
        let known = columns.iter().map(|column| {
            let name = format!("{}.{column}", scanned.name());
            let stored = table.stored.iter().find(|stored| &stored.name == column);
            Known {
                text: json!({ "stored": name, "scan": times }),
                reads: BTreeSet::from([Read {
                    name,
                    sensitive: stored.is_some_and(|stored| self.is_tagged(stored)),
                    public: table.public,
                }]),
            }
        });
        let known = known.collect();
        // The permit's own condition counts as one of the question's.
        if let Some(filter) = &table.row_filter {
            let filter = serde_json::to_value(filter)?;
            let mut positions = BTreeSet::new();
            columns_of(&filter, &mut positions);
            let mut read = positions
                .iter()
                .filter_map(|position| table.stored.get(*position));
            if read.any(|stored| self.is_tagged(stored)) {
                let condition = format!("{} {filter}", scanned.name());
                self.sensitive.insert(Digest::of(condition.as_bytes()));
            }
        }
        self.tables.push(scanned);
        Ok(known)
    }

    fn is_tagged(&self, column: &ColumnMeta) -> bool {
        column.tag.as_ref().is_some_and(|tag| self.tags.contains(tag))
    }

    /// Conditions that hold together are kept apart, so that their order does not count.
    fn condition(&mut self, predicate: &Expr, columns: &[Known]) -> Result<(), serde_json::Error> {
        if let Expr::And(a, b) = predicate {
            self.condition(a, columns)?;
            return self.condition(b, columns);
        }
        let condition = computed(predicate, columns)?;
        self.mention(&[&condition]);
        self.conditions.insert(condition.text.to_string());
        Ok(())
    }

    /// Remembers a condition, a key or both sides of a join if it reads a sensitive column.
    fn mention(&mut self, sides: &[&Known]) {
        let mut reads = sides.iter().flat_map(|known| &known.reads);
        if reads.any(|read| read.sensitive) {
            let text = sides
                .iter()
                .map(|known| known.text.to_string())
                .collect::<String>();
            self.sensitive.insert(Digest::of(text.as_bytes()));
        }
    }
}

/// An expression over known columns.
fn computed(expr: &Expr, columns: &[Known]) -> Result<Known, serde_json::Error> {
    let mut text = serde_json::to_value(expr)?;
    let mut positions = BTreeSet::new();
    columns_of(&text, &mut positions);
    substitute(&mut text, columns);
    let known = positions.iter().filter_map(|position| columns.get(*position));
    Ok(Known {
        text,
        reads: known.flat_map(|column| column.reads.iter().cloned()).collect(),
    })
}

/// The position of a column in the JSON form of [`Expr::Column`].
fn position(json: &Json) -> Option<usize> {
    let object = json.as_object().filter(|object| object.len() == 1)?;
    usize::try_from(object.get("column")?.as_u64()?).ok()
}

/// The positions of all columns in the JSON form of an expression: no kind of expression can be forgotten here.
fn columns_of(json: &Json, positions: &mut BTreeSet<usize>) {
    match (position(json), json) {
        (Some(position), _) => {
            positions.insert(position);
        }
        (None, Json::Array(items)) => items.iter().for_each(|item| columns_of(item, positions)),
        (None, Json::Object(fields)) => fields.values().for_each(|field| columns_of(field, positions)),
        (None, Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => {}
    }
}

fn substitute(json: &mut Json, columns: &[Known]) {
    if let Some(position) = position(json) {
        *json = columns
            .get(position)
            .map_or(Json::Null, |known| known.text.clone());
        return;
    }
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| substitute(item, columns)),
        Json::Object(fields) => fields.values_mut().for_each(|field| substitute(field, columns)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use tre_core::algebra::{Aggregate, Comparison};
    use tre_core::types::{ColumnType, Value};

    use super::*;

    const TAGS: [&str; 1] = ["icd10"];

    fn table(name: &str, public: bool, columns: &[&str]) -> GrantedTable {
        let meta = |name: &&str| ColumnMeta {
            name: name.parse().unwrap(),
            column_type: ColumnType::Int,
            description: String::new(),
            entity: None,
            measure: None,
            domain: None,
            tag: (*name == "icd").then(|| TAGS.concat()),
            hierarchy: None,
            generalised: String::new(),
        };
        GrantedTable {
            version: "liver@aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            table: name.parse().unwrap(),
            public,
            population: "clinic".parse().unwrap(),
            cuts: vec![0],
            stored: columns.iter().map(meta).collect(),
            columns: columns.iter().map(|name| name.parse().unwrap()).collect(),
            row_filter: None,
            files: vec![],
        }
    }

    fn grant() -> Grant {
        Grant {
            project: "liver".parse().unwrap(),
            tables: vec![
                table("visit", false, &["age", "icd", "cost"]),
                table("icd10", true, &["code", "chapter"]),
            ],
        }
    }

    fn scan(table: &str, columns: &[&str]) -> Box<Node> {
        Box::new(Node::Scan {
            dataset: "liver".parse().unwrap(),
            table: table.parse().unwrap(),
            columns: columns.iter().map(|name| name.parse().unwrap()).collect(),
        })
    }

    fn is(column: usize, value: i64) -> Expr {
        Expr::Compare(
            Comparison::Eq,
            Box::new(Expr::Column(column)),
            Box::new(Expr::Literal(Value::Int(value))),
        )
    }

    fn where_(input: Box<Node>, predicate: Expr) -> Box<Node> {
        Box::new(Node::Filter { input, predicate })
    }

    fn asked(input: Box<Node>, key: Option<Expr>) -> Question {
        let frontier = Frontier {
            input: *input,
            keys: key.into_iter().map(|key| ("key".to_owned(), key)).collect(),
            aggregates: vec![Aggregate::CountRows],
        };
        question(&frontier, &grant(), &TAGS.map(str::to_owned)).unwrap()
    }

    #[test]
    fn what_is_read_beside_and_in_which_order_does_not_make_another_question() {
        let narrow = asked(
            where_(
                scan("visit", &["age", "icd"]),
                Expr::And(is(0, 40).into(), is(1, 7).into()),
            ),
            Some(Expr::Column(0)),
        );
        // The same with a column more, in another order, in two steps, and renamed.
        let wide = where_(
            where_(scan("visit", &["cost", "icd", "age"]), is(1, 7)),
            is(2, 40),
        );
        let renamed = Box::new(Node::Project {
            input: wide,
            columns: vec![
                ("a".to_owned(), Expr::Column(0)),
                ("b".to_owned(), Expr::Column(2)),
            ],
        });
        assert_eq!(asked(renamed, Some(Expr::Column(1))), narrow);
        let other = asked(
            where_(scan("visit", &["age", "icd"]), is(0, 41)),
            Some(Expr::Column(0)),
        );
        assert_ne!(other.plan, narrow.plan);
        assert_eq!(other.keys, narrow.keys);
    }

    #[test]
    fn sensitive_conditions_are_told_apart_by_what_they_demand() {
        let diagnosis = |code| asked(where_(scan("visit", &["age", "icd"]), is(1, code)), None).sensitive;
        let age = |age| asked(where_(scan("visit", &["age", "icd"]), is(0, age)), None).sensitive;
        assert_eq!((age(40), age(41)), (BTreeSet::new(), BTreeSet::new()));
        assert_eq!(diagnosis(7), diagnosis(7));
        assert_ne!(diagnosis(7), diagnosis(8));
        let key = asked(scan("visit", &["age", "icd"]), Some(Expr::Column(1)));
        assert_eq!(key.sensitive.len(), 1, "a key says who has what");
    }

    #[test]
    fn only_keys_of_peoples_own_rows_part_them() {
        let join = |left: Box<Node>, on_unit: bool| {
            let (right, on) = if on_unit {
                (scan("visit", &["icd"]), vec![])
            } else {
                (scan("icd10", &["code", "chapter"]), vec![(1, 0)])
            };
            Box::new(match on_unit {
                true => Node::JoinUnit { left, right, on },
                false => Node::JoinPublic { left, right, on },
            })
        };
        let visit = || scan("visit", &["age", "icd"]);
        for (case, input, key, expected) in [
            ("a stored column", visit(), 0, true),
            ("beside a public table", join(visit(), false), 0, true),
            (
                "a column of a public table: a row can stand in two groups",
                join(visit(), false),
                3,
                false,
            ),
            (
                "a table read twice: its rows are paired",
                join(visit(), true),
                0,
                false,
            ),
        ] {
            let question = asked(input, Some(Expr::Column(key)));
            assert_eq!(question.keys_part_rows, expected, "{case}");
            assert_eq!(
                question.tables.len(),
                1 + usize::from(case.contains("twice")),
                "{case}"
            );
        }
    }
}
