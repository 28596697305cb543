//! What a frontier asks, in a form that does not depend on how its plan is written: which rows, under which conditions,
//! by which keys, as expressions over stored columns.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use tre_core::algebra::{Expr, Frontier, JoinKind, Node, Quantity, UnitCall};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::ColumnName;
use tre_core::ledger::{Digest, Question, Table};
use tre_core::manifest::ColumnMeta;

/// What a frontier asks.
pub(super) struct Described {
    /// Of which rows.
    pub(super) question: Question,
    /// What of them: one entry per argument of the frontier.
    pub(super) arguments: Vec<AskedArgument>,
}

/// An argument in a form that does not depend on how its plan is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AskedArgument {
    /// The quantity over stored columns; `None` for rows. What one person's rows add up to is the quantity of these
    /// rows: its sum over people is the sum over rows.
    pub(super) quantity: Option<String>,
    /// The condition.
    pub(super) when: Option<Digest>,
}

/// Describes a frontier. `tags` are those of sensitive columns.
///
/// # Errors
/// When an expression cannot be written as JSON, or the plan names what the grant does not hold; neither happens to a
/// frontier that has a lineage.
pub(super) fn question(
    frontier: &Frontier,
    grant: &Grant,
    tags: &[String],
) -> Result<Described, serde_json::Error> {
    let mut reader = Reader {
        grant,
        tags,
        conditions: BTreeSet::new(),
        tables: Vec::new(),
        sensitive: BTreeSet::new(),
        plain: true,
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
    let mut arguments = Vec::with_capacity(frontier.arguments.len());
    for argument in &frontier.arguments {
        let when = match &argument.when {
            None => None,
            Some(when) => {
                let when = computed(when, &columns)?;
                reader.mention(&[&when]);
                Some(Digest::of(when.text.to_string().as_bytes()))
            }
        };
        let of = |position: usize| {
            columns
                .get(position)
                .map_or(Json::Null, |known| known.sum.clone())
        };
        let quantity = match argument.quantity {
            Quantity::Row => Json::Null,
            Quantity::Column(position) => of(position),
            Quantity::Product(a, b) => {
                let mut factors = [of(a).to_string(), of(b).to_string()];
                factors.sort();
                json!({ "product": factors })
            }
        };
        let quantity = (!quantity.is_null()).then(|| quantity.to_string());
        arguments.push(AskedArgument { quantity, when });
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
    let question = Question {
        plan: Digest::of(&serde_json::to_vec(&(&scans, &reader.conditions, &keys))?),
        keys: Digest::of(&serde_json::to_vec(&keys)?),
        keys_part_rows: of_people && reader.plain && tables.iter().all(|table| table.times == 0),
        tables,
        sensitive: reader.sensitive,
    };
    Ok(Described { question, arguments })
}

/// A column of a node: the expression over stored columns that it is, and the columns that it reads.
#[derive(Debug, Clone)]
struct Known {
    text: Json,
    reads: BTreeSet<Read>,
    /// What its values add up to over people; NULL: rows.
    sum: Json,
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
    /// Rows are those of tables, one by one: no outer join, union, or aggregation per person between.
    plain: bool,
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
            Node::JoinUnit {
                kind,
                left,
                right,
                on,
                condition,
            }
            | Node::JoinPublic {
                kind,
                left,
                right,
                on,
                condition,
            } => {
                let mut columns = self.node(left)?;
                // Conditions of the right side decide about rows of the left one only as the kind of join says.
                let outside = std::mem::take(&mut self.conditions);
                let right = self.node(right)?;
                let mut inside = std::mem::replace(&mut self.conditions, outside);
                for (a, b) in on {
                    if let Some((a, b)) = columns.get(*a).zip(right.get(*b)) {
                        inside.insert(json!({ "join": [a.text, b.text] }).to_string());
                        self.mention(&[a, b]);
                    }
                }
                let kept = columns.len();
                columns.extend(right);
                if let Some(condition) = condition {
                    let condition = computed(condition, &columns)?;
                    self.mention(&[&condition]);
                    inside.insert(condition.text.to_string());
                }
                if *kind == JoinKind::Inner {
                    self.conditions.extend(inside);
                } else {
                    self.plain = false;
                    self.conditions
                        .insert(json!({ "kind": kind, "conditions": inside }).to_string());
                }
                if !kind.keeps_right() {
                    columns.truncate(kept);
                }
                Ok(columns)
            }
            Node::Union { inputs } => {
                self.plain = false;
                let outside = std::mem::take(&mut self.conditions);
                let (mut alternatives, mut result) = (Vec::new(), Vec::<Known>::new());
                for input in inputs {
                    let columns = self.node(input)?;
                    alternatives.push(std::mem::take(&mut self.conditions));
                    if result.is_empty() {
                        result = columns;
                        continue;
                    }
                    for (known, other) in result.iter_mut().zip(columns) {
                        known.text = json!({ "union": [known.text, other.text] });
                        known.sum = match known.sum == other.sum {
                            true => other.sum,
                            false => json!({ "union": [known.sum, other.sum] }),
                        };
                        known.reads.extend(other.reads);
                    }
                }
                self.conditions = outside;
                self.conditions
                    .insert(json!({ "union": alternatives }).to_string());
                Ok(result)
            }
            Node::PerUnit { input, keys, calls } => {
                self.plain = false;
                let input = self.node(input)?;
                let mut columns = Vec::with_capacity(keys.len() + calls.len());
                for (_, key) in keys {
                    let key = computed(key, &input)?;
                    self.mention(&[&key]);
                    columns.push(key);
                }
                let grouped: Vec<&Json> = columns.iter().map(|key| &key.text).collect();
                let grouped = json!({ "per_unit": grouped });
                for (_, call) in calls {
                    let call = self.call(call, &grouped, &input)?;
                    columns.push(call);
                }
                self.conditions.insert(grouped.to_string());
                Ok(columns)
            }
            Node::Number {
                input,
                partition,
                order,
            } => {
                self.plain = false;
                let mut columns = self.node(input)?;
                let read = partition.iter().chain(order.iter().map(|order| &order.by));
                let read = read
                    .map(|expr| computed(expr, &columns))
                    .collect::<Result<Vec<_>, _>>()?;
                let texts: Vec<&Json> = read.iter().map(|known| &known.text).collect();
                let how: Vec<(bool, bool)> = order
                    .iter()
                    .map(|order| (order.descending, order.nulls_first))
                    .collect();
                let text = json!({ "number": texts, "order": how });
                let reads = read.iter().flat_map(|known| known.reads.clone()).collect();
                columns.push(Known {
                    sum: text.clone(),
                    text,
                    reads,
                });
                Ok(columns)
            }
        }
    }

    /// An aggregate over the rows of one unit.
    fn call(&mut self, call: &UnitCall, grouped: &Json, input: &[Known]) -> Result<Known, serde_json::Error> {
        let argument = match call.argument() {
            None => None,
            Some(argument) => Some(computed(argument, input)?),
        };
        if let Some(argument) = &argument {
            self.mention(&[argument]);
        }
        let name = match call {
            UnitCall::CountRows | UnitCall::Count(_) => "count",
            UnitCall::CountDistinct(_) => "count_distinct",
            UnitCall::Sum(_) => "sum",
            UnitCall::Min(_) => "min",
            UnitCall::Max(_) => "max",
        };
        let text = json!({ name: argument.as_ref().map(|known| &known.text), "of": grouped });
        let sum = match call {
            UnitCall::CountRows | UnitCall::Count(_) => Json::Null,
            UnitCall::Sum(argument) => summed(argument, input),
            UnitCall::CountDistinct(_) | UnitCall::Min(_) | UnitCall::Max(_) => text.clone(),
        };
        Ok(Known {
            text,
            reads: argument.map(|known| known.reads).unwrap_or_default(),
            sum,
        })
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
                sum: Json::String(name.clone()),
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
        sum: summed(expr, columns),
        text,
        reads: known.flat_map(|column| column.reads.iter().cloned()).collect(),
    })
}

/// What the values of an expression add up to: a condition around a quantity does not make it another one.
fn summed(expr: &Expr, columns: &[Known]) -> Json {
    let value = if let Expr::Case {
        branches,
        otherwise: None,
    } = expr
        && let [(_, value)] = branches.as_slice()
    {
        value
    } else {
        expr
    };
    if let Expr::Column(position) = value {
        return columns
            .get(*position)
            .map_or(Json::Null, |known| known.sum.clone());
    }
    let mut text = serde_json::to_value(value).unwrap_or_default();
    substitute(&mut text, columns);
    text
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
mod tests;
