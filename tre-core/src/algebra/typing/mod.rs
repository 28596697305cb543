//! Types of nodes and expressions under a grant. Everything that is judged or run has passed [`resolve`].

use crate::grant::{Grant, GrantedTable};
use crate::ids::PopulationName;
use crate::types::ColumnType;

use super::{
    Aggregate, Argument, Arithmetic, Expr, Frontier, Function, JoinKind, MAX_DEPTH, MAX_NODES, Node,
    Quantity, UnitCall,
};

mod exprs;
mod people;

use exprs::expression;
use people::{private, union, unit_call};

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
    /// Whether it is a *quantity*, which may be summed: a declared measure of a table about people, or a count, sum,
    /// smallest or largest of one over the rows of one unit. Public columns select and label; multiplied into people's
    /// rows they could spell one out.
    pub quantity: bool,
}

impl Column {
    /// A computed column: of no stored column, and no quantity.
    pub fn computed(name: impl Into<String>, column_type: ColumnType) -> Self {
        Column {
            name: name.into(),
            column_type,
            origin: None,
            quantity: false,
        }
    }
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
    let mut types = Vec::with_capacity(frontier.arguments.len());
    for argument in &frontier.arguments {
        types.push(self::argument(argument, &relation.columns, &mut budget)?);
    }
    for aggregate in &frontier.aggregates {
        let Some(index) = aggregate.argument() else {
            continue;
        };
        let found = *types.get(index).ok_or(AlgebraError::NoSuchPosition(index))?;
        if let Aggregate::Comoment { x, y, products } = *aggregate {
            comoment(frontier, x, y, products)?;
        }
        let fits = match aggregate {
            Aggregate::Min(_) | Aggregate::Max(_) => {
                found.is_numeric() || matches!(found, ColumnType::Date | ColumnType::Timestamp)
            }
            // Lineage says which quantities may be summed.
            Aggregate::Sum(_)
            | Aggregate::CountRows
            | Aggregate::CountUnits
            | Aggregate::Count(_)
            | Aggregate::CountUnitsOf(_)
            | Aggregate::Comoment { .. } => true,
        };
        if !fits {
            return Err(type_error("min or max", found));
        }
    }
    Ok(relation)
}

/// A co-moment is of two columns and their product, over the same rows.
fn comoment(frontier: &Frontier, x: usize, y: usize, products: usize) -> Result<(), AlgebraError> {
    let argument = |index: usize| {
        frontier
            .arguments
            .get(index)
            .ok_or(AlgebraError::NoSuchPosition(index))
    };
    let (x, y, product) = (argument(x)?, argument(y)?, argument(products)?);
    let fits = match (x.quantity, y.quantity, product.quantity) {
        (Quantity::Column(x), Quantity::Column(y), Quantity::Product(a, b)) => (x.min(y), x.max(y)) == (a, b),
        _ => false,
    };
    let summed = frontier.aggregates.contains(&Aggregate::Sum(products));
    if fits && summed && x.when == product.when && y.when == product.when {
        Ok(())
    } else {
        Err(AlgebraError::Frontier(
            "a co-moment is not of two columns and their product, or comes without its sum",
        ))
    }
}

/// Type of an argument's values; [`ColumnType::Bool`] for the row itself.
fn argument(
    argument: &Argument,
    columns: &[Column],
    budget: &mut Budget,
) -> Result<ColumnType, AlgebraError> {
    if let Some(when) = &argument.when {
        let found = expression(when, columns, budget, 0)?;
        expect_type("the condition of an aggregate", ColumnType::Bool, found)?;
    }
    match (argument.quantity, &argument.when) {
        (Quantity::Row, None) => Err(AlgebraError::Frontier("an argument is every row")),
        (quantity, _) => match quantity.expr() {
            None => Ok(ColumnType::Bool),
            Some(expr) => expression(&expr, columns, budget, 0),
        },
    }
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
                projected.push(named(name, expr, column_type, &relation.columns));
            }
            Ok(Relation {
                units: relation.units,
                columns: projected,
            })
        }
        Node::JoinUnit {
            kind,
            left,
            right,
            on,
            condition,
        } => {
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
            join(*kind, left, right, on, condition.as_ref(), budget, depth)
        }
        Node::JoinPublic {
            kind,
            left,
            right,
            on,
            condition,
        } => {
            let left = node(left, grant, budget, depth + 1)?;
            let right = node(right, grant, budget, depth + 1)?;
            if right.units.is_some() {
                return Err(AlgebraError::Join("tables about people are joined on pid"));
            }
            if on.is_empty() {
                return Err(AlgebraError::Join("a join with a public table needs an equality"));
            }
            join(*kind, left, right, on, condition.as_ref(), budget, depth)
        }
        Node::Union { inputs } => union(inputs, grant, budget, depth),
        Node::PerUnit { input, keys, calls } => {
            let relation = private(input, grant, budget, depth, "aggregation per person")?;
            let mut columns = Vec::with_capacity(keys.len() + calls.len());
            for (name, key) in keys {
                let column_type = expression(key, &relation.columns, budget, depth + 1)?;
                columns.push(named(name, key, column_type, &relation.columns));
            }
            for (name, call) in calls {
                columns.push(unit_call(name, call, &relation.columns, budget, depth)?);
            }
            Ok(Relation { columns, ..relation })
        }
        Node::Number {
            input,
            partition,
            order,
        } => {
            let mut relation = private(input, grant, budget, depth, "numbering per person")?;
            for expr in partition.iter().chain(order.iter().map(|order| &order.by)) {
                expression(expr, &relation.columns, budget, depth + 1)?;
            }
            relation
                .columns
                .push(Column::computed("row_number", ColumnType::Int));
            Ok(relation)
        }
    }
}

/// The column that a projected expression is.
fn named(name: &str, expr: &Expr, column_type: ColumnType, columns: &[Column]) -> Column {
    let bare = if let Expr::Column(position) = expr {
        columns.get(*position)
    } else {
        None
    };
    Column {
        name: name.to_owned(),
        column_type,
        origin: bare.and_then(|column| column.origin),
        quantity: bare.is_some_and(|column| column.quantity),
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
            quantity: meta.measure.is_some() && !granted.public,
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

fn join(
    kind: JoinKind,
    left: Relation,
    right: Relation,
    on: &[(usize, usize)],
    condition: Option<&Expr>,
    budget: &mut Budget,
    depth: usize,
) -> Result<Relation, AlgebraError> {
    let column_type = |side: &Relation, position: usize| {
        let column = side.columns.get(position);
        column
            .map(|column| column.column_type)
            .ok_or(AlgebraError::NoSuchPosition(position))
    };
    for (a, b) in on {
        let (a_type, b_type) = (column_type(&left, *a)?, column_type(&right, *b)?);
        if a_type != b_type {
            return Err(type_error("a join equality", format!("{a_type} and {b_type}")));
        }
    }
    let kept = left.columns.len();
    let mut columns = left.columns;
    columns.extend(right.columns);
    if let Some(condition) = condition {
        let found = expression(condition, &columns, budget, depth + 1)?;
        expect_type("the condition of a join", ColumnType::Bool, found)?;
    }
    if !kind.keeps_right() {
        columns.truncate(kept);
    }
    Ok(Relation {
        units: left.units,
        columns,
    })
}
