//! Types of nodes and expressions under a grant. Everything that is judged or run has passed [`resolve`].

use crate::grant::{Grant, GrantedTable};
use crate::ids::PopulationName;
use crate::types::{ColumnType, Value};

use super::{Arithmetic, Expr, Frontier, Function, MAX_DEPTH, MAX_NODES, Node};

/// What a node yields: its columns, and whether its rows belong to people.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Set when rows belong to units, of this population and these cut points.
    pub units: Option<Units>,
    /// Output columns.
    pub columns: Vec<Column>,
}

/// Whose units a private relation carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// The population.
    pub population: PopulationName,
    /// First unit of every unit range.
    pub cuts: Vec<u32>,
}

/// An output column of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// For people; not unique.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// Set while the column is a stored column unchanged (*bare*).
    pub origin: Option<Origin>,
}

/// A stored column: position in the grant and in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Index in [`Grant::tables`].
    pub table: usize,
    /// Index in [`GrantedTable::stored`].
    pub column: usize,
}

/// Why a plan is not one of the algebra's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlgebraError {
    /// The table is not in the grant.
    #[error("the project has no table `{0}`")]
    UnknownTable(String),
    /// The column is not permitted.
    #[error("table `{table}` has no permitted column `{column}`")]
    UnknownColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A position outside of the input's columns.
    #[error("column position {0} does not exist")]
    NoSuchPosition(usize),
    /// Types do not fit the operation.
    #[error("{operation} does not take {found}")]
    Type {
        /// Operator or function.
        operation: String,
        /// The offending type or types.
        found: String,
    },
    /// A join of relations that cannot be joined so.
    #[error("{0}")]
    Join(&'static str),
    /// Larger or deeper than the limits.
    #[error("the query is larger than {MAX_NODES} operations or nested deeper than {MAX_DEPTH}")]
    TooLarge,
    /// A frontier over public data, or without an aggregate.
    #[error("{0}")]
    Frontier(&'static str),
}

fn type_error(operation: impl Into<String>, found: impl ToString) -> AlgebraError {
    AlgebraError::Type {
        operation: operation.into(),
        found: found.to_string(),
    }
}

fn expect_type(operation: &str, wanted: ColumnType, found: ColumnType) -> Result<ColumnType, AlgebraError> {
    if found == wanted {
        Ok(found)
    } else {
        Err(type_error(operation, found))
    }
}

/// Counts nodes and depth while descending, so that no later recursion can be made to overflow.
struct Budget {
    left: usize,
}

impl Budget {
    fn spend(&mut self, depth: usize) -> Result<(), AlgebraError> {
        if self.left == 0 || depth > MAX_DEPTH {
            return Err(AlgebraError::TooLarge);
        }
        self.left -= 1;
        Ok(())
    }
}

/// Checks a whole frontier against a grant and returns the relation that it aggregates.
///
/// # Errors
/// [`AlgebraError`] when the frontier names what the grant does not hold, mixes types, joins what cannot be joined,
/// aggregates public rows, or is too large.
pub fn resolve(frontier: &Frontier, grant: &Grant) -> Result<Relation, AlgebraError> {
    let mut budget = Budget { left: MAX_NODES };
    let relation = node(&frontier.input, grant, &mut budget, 0)?;
    if relation.units.is_none() {
        return Err(AlgebraError::Frontier(
            "the aggregation reads no table about people",
        ));
    }
    if frontier.aggregates.is_empty() {
        return Err(AlgebraError::Frontier("the aggregation computes nothing"));
    }
    for (_, key) in &frontier.keys {
        expression(key, &relation.columns, &mut budget, 0)?;
    }
    for aggregate in &frontier.aggregates {
        if let Some(position) = aggregate.column() {
            relation
                .columns
                .get(position)
                .ok_or(AlgebraError::NoSuchPosition(position))?;
        }
    }
    Ok(relation)
}

/// Type of an expression over columns of the given types.
///
/// # Errors
/// [`AlgebraError`] when a position does not exist, types do not fit, or the expression is too large.
pub fn type_of(expr: &Expr, columns: &[Column]) -> Result<ColumnType, AlgebraError> {
    expression(expr, columns, &mut Budget { left: MAX_NODES }, 0)
}

fn node(node_: &Node, grant: &Grant, budget: &mut Budget, depth: usize) -> Result<Relation, AlgebraError> {
    budget.spend(depth)?;
    match node_ {
        Node::Scan {
            dataset,
            table,
            columns,
        } => {
            let unknown = || AlgebraError::UnknownTable(format!("{dataset}.{table}"));
            let (index, granted) = grant
                .tables
                .iter()
                .enumerate()
                .find(|(_, granted)| granted.version.dataset() == dataset && &granted.table == table)
                .ok_or_else(unknown)?;
            scan(index, granted, columns)
        }
        Node::Filter { input, predicate } => {
            let relation = node(input, grant, budget, depth + 1)?;
            let found = expression(predicate, &relation.columns, budget, depth + 1)?;
            expect_type("WHERE", ColumnType::Bool, found).map(|_| relation)
        }
        Node::Project { input, columns } => {
            let relation = node(input, grant, budget, depth + 1)?;
            let mut projected = Vec::with_capacity(columns.len());
            for (name, expr) in columns {
                let column_type = expression(expr, &relation.columns, budget, depth + 1)?;
                let origin = match expr {
                    Expr::Column(position) => {
                        relation.columns.get(*position).and_then(|column| column.origin)
                    }
                    Expr::Literal(_)
                    | Expr::Compare(..)
                    | Expr::And(..)
                    | Expr::Or(..)
                    | Expr::Not(_)
                    | Expr::IsNull(_)
                    | Expr::Arithmetic(..)
                    | Expr::InList(..)
                    | Expr::Like { .. }
                    | Expr::Cast(..)
                    | Expr::Call(..) => None,
                };
                projected.push(Column {
                    name: name.clone(),
                    column_type,
                    origin,
                });
            }
            Ok(Relation {
                units: relation.units,
                columns: projected,
            })
        }
        Node::JoinUnit { left, right, on } => {
            let left = node(left, grant, budget, depth + 1)?;
            let right = node(right, grant, budget, depth + 1)?;
            match (&left.units, &right.units) {
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) => {
                    return Err(AlgebraError::Join(
                        "tables of different populations cannot be joined on pid",
                    ));
                }
                (None, _) | (_, None) => {
                    return Err(AlgebraError::Join("a join on pid needs two tables about people"));
                }
            }
            join(left, right, on)
        }
        Node::JoinPublic { left, right, on } => {
            let left = node(left, grant, budget, depth + 1)?;
            let right = node(right, grant, budget, depth + 1)?;
            if right.units.is_some() {
                return Err(AlgebraError::Join("tables about people are joined on pid"));
            }
            if on.is_empty() {
                return Err(AlgebraError::Join("a join with a public table needs an equality"));
            }
            join(left, right, on)
        }
    }
}

fn scan(
    index: usize,
    granted: &GrantedTable,
    columns: &[crate::ids::ColumnName],
) -> Result<Relation, AlgebraError> {
    let mut output = Vec::with_capacity(columns.len());
    for name in columns {
        let (position, meta) = granted
            .permitted(name)
            .ok_or_else(|| AlgebraError::UnknownColumn {
                table: granted.table.to_string(),
                column: name.to_string(),
            })?;
        output.push(Column {
            name: name.to_string(),
            column_type: meta.column_type,
            origin: Some(Origin {
                table: index,
                column: position,
            }),
        });
    }
    let units = (!granted.public).then(|| Units {
        population: granted.population.clone(),
        cuts: granted.cuts.clone(),
    });
    Ok(Relation {
        units,
        columns: output,
    })
}

fn join(left: Relation, right: Relation, on: &[(usize, usize)]) -> Result<Relation, AlgebraError> {
    for (a, b) in on {
        let a_type = left
            .columns
            .get(*a)
            .ok_or(AlgebraError::NoSuchPosition(*a))?
            .column_type;
        let b_type = right
            .columns
            .get(*b)
            .ok_or(AlgebraError::NoSuchPosition(*b))?
            .column_type;
        if a_type != b_type {
            return Err(type_error("a join equality", format!("{a_type} and {b_type}")));
        }
    }
    let mut columns = left.columns;
    columns.extend(right.columns);
    Ok(Relation {
        units: left.units,
        columns,
    })
}

fn expression(
    expr: &Expr,
    columns: &[Column],
    budget: &mut Budget,
    depth: usize,
) -> Result<ColumnType, AlgebraError> {
    budget.spend(depth)?;
    let mut child = |e: &Expr| expression(e, columns, budget, depth + 1);
    match expr {
        Expr::Column(position) => columns
            .get(*position)
            .map(|c| c.column_type)
            .ok_or(AlgebraError::NoSuchPosition(*position)),
        Expr::Literal(value) => Ok(value.column_type()),
        Expr::Compare(_, a, b) => {
            let (a, b) = (child(a)?, child(b)?);
            if comparable(a, b) {
                Ok(ColumnType::Bool)
            } else {
                Err(type_error("a comparison", format!("{a} and {b}")))
            }
        }
        Expr::And(a, b) | Expr::Or(a, b) => match (child(a)?, child(b)?) {
            (ColumnType::Bool, ColumnType::Bool) => Ok(ColumnType::Bool),
            (a, b) => Err(type_error("AND/OR", format!("{a} and {b}"))),
        },
        Expr::Not(a) => expect_type("NOT", ColumnType::Bool, child(a)?),
        Expr::IsNull(a) => child(a).map(|_| ColumnType::Bool),
        Expr::Arithmetic(op, a, b) => {
            let (a, b) = (child(a)?, child(b)?);
            arithmetic_type(*op, a, b).ok_or_else(|| type_error("arithmetic", format!("{a} and {b}")))
        }
        Expr::InList(a, list) => {
            let a = child(a)?;
            match list
                .iter()
                .map(Value::column_type)
                .find(|item| !comparable(a, *item))
            {
                None => Ok(ColumnType::Bool),
                Some(item) => Err(type_error("IN", format!("{a} and {item}"))),
            }
        }
        Expr::Like { input, .. } => {
            expect_type("LIKE", ColumnType::Text, child(input)?).map(|_| ColumnType::Bool)
        }
        Expr::Cast(a, to) => {
            let from = child(a)?;
            if castable(from, *to) {
                Ok(*to)
            } else {
                Err(type_error(format!("a cast to {to}"), from))
            }
        }
        Expr::Call(function, args) => {
            // A position or length that a row computes could be one that the function has no result for.
            if *function == Function::Substr && !args.iter().skip(1).all(is_position) {
                return Err(type_error("substr", "a computed or negative position or length"));
            }
            let types = args.iter().map(&mut child).collect::<Result<Vec<_>, _>>()?;
            call_type(*function, &types).ok_or_else(|| {
                let found = types
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", ");
                type_error(format!("{function:?}").to_lowercase(), format!("({found})"))
            })
        }
    }
}

/// A constant start or length of `substr`.
fn is_position(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(Value::Int(n)) if (0..=i64::from(i32::MAX)).contains(n))
}

fn comparable(a: ColumnType, b: ColumnType) -> bool {
    a == b || matches!((a, b), (ColumnType::Decimal { .. }, ColumnType::Decimal { .. }))
}

fn castable(from: ColumnType, to: ColumnType) -> bool {
    use ColumnType::{Bool, Date, Decimal, Int, Text, Timestamp};
    match (from, to) {
        (Int | Decimal { .. } | Bool | Date | Timestamp | Text, Text) => true,
        (Int | Decimal { .. } | Text, Int | Decimal { .. }) => true,
        (Bool | Text, Bool) => true,
        (Date | Timestamp | Text, Date | Timestamp) => true,
        (Bool, Int) => true,
        (Date | Timestamp, Int | Decimal { .. } | Bool) => false,
        (Int | Decimal { .. }, Bool | Date | Timestamp) => false,
        (Bool, Decimal { .. } | Date | Timestamp) => false,
    }
}

/// Result type of an arithmetic operation, `None` where it is not defined.
fn arithmetic_type(op: Arithmetic, a: ColumnType, b: ColumnType) -> Option<ColumnType> {
    use ColumnType::{Decimal, Int};
    let scales = match (a, b) {
        (Int, Int) => return Some(Int),
        (Decimal { scale: x }, Decimal { scale: y }) => (x, y),
        (Decimal { scale }, Int) => (scale, 0),
        (Int, Decimal { scale }) => (0, scale),
        _ => return None,
    };
    let scale = match op {
        Arithmetic::Add | Arithmetic::Subtract => scales.0.max(scales.1),
        Arithmetic::Multiply => scales.0 + scales.1,
        Arithmetic::Divide | Arithmetic::Modulo => return None,
    };
    (scale <= 18).then_some(Decimal { scale })
}

fn call_type(function: Function, args: &[ColumnType]) -> Option<ColumnType> {
    use ColumnType::{Date, Int, Text, Timestamp};
    match (function, args) {
        (Function::Lower | Function::Upper | Function::Trim, [Text]) => Some(Text),
        (Function::CharLength, [Text]) => Some(Int),
        (Function::Substr, [Text, Int] | [Text, Int, Int]) => Some(Text),
        (Function::Extract(_), [Date | Timestamp]) => Some(Int),
        (Function::Truncate(_), [same @ (Date | Timestamp)]) => Some(*same),
        _ => None,
    }
}
