//! Frontiers: what may be asked of a private relation.
//!
//! An aggregate does not read an expression but an [`Argument`]: a quantity of the rows where a condition holds. CASE,
//! FILTER, coalesce and the like are brought into this form when SQL is lowered, and become conditions: both sides of a
//! condition are then cells with people behind them. An expression could mix the value of one person into a sum over
//! many (`sum(CASE WHEN x = 7 THEN y ELSE 1 END)`); an argument cannot say that.

use serde::{Deserialize, Serialize};

use super::{Expr, Node};

/// Where a plan stops being about people: an aggregation that does not group by the unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frontier {
    /// A private node.
    pub input: Node,
    /// Group keys: name (for people) and expression over the input's columns. Empty: one group of all rows.
    pub keys: Vec<(String, Expr)>,
    /// What the aggregates read, each once.
    pub arguments: Vec<Argument>,
    /// Aggregates in the order of the base cells' values; at least one.
    pub aggregates: Vec<Aggregate>,
}

/// What an aggregate reads: a quantity, of the rows where a condition is true.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Argument {
    /// Boolean, over the input's columns; a row where it is false or NULL has no value. `None`: every row has one.
    pub when: Option<Expr>,
    /// The value.
    pub quantity: Quantity,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The row itself: it is counted.
    Row,
    /// The column at a position of the input; NULL is no value.
    Column(usize),
    /// The product of two columns, exact; NULL, or a product that does not fit, is no value.
    Product(usize, usize),
}

/// An aggregate at the frontier. Numbers are indices in [`Frontier::arguments`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// `count(*)`: rows.
    CountRows,
    /// `count(distinct pid)`: units with a row.
    CountUnits,
    /// Rows where the argument has a value.
    Count(usize),
    /// Units with a row where the argument has a value.
    CountUnitsOf(usize),
    /// Sum of a measure's values; NULL where no row has one.
    Sum(usize),
    /// Smallest value; NULL where no row has one.
    Min(usize),
    /// Largest value; NULL where no row has one.
    Max(usize),
    /// n·Σxy − Σx·Σy over the n rows where the product x·y has a value; NULL where no row has one. It is what variances,
    /// covariances and correlations are computed from without taking large sums from one another after these have been
    /// rounded (Chan, Golub and LeVeque 1983, *Algorithms for computing the sample variance*, section 1).
    Comoment {
        /// The measure x.
        x: usize,
        /// The measure y; for a variance x again.
        y: usize,
        /// Their product. Its sum is among the aggregates: the rules about sums judge it for the co-moment.
        products: usize,
    },
}

impl Aggregate {
    /// The argument that it reads, if any; of a co-moment the product.
    pub fn argument(self) -> Option<usize> {
        match self {
            Aggregate::CountRows | Aggregate::CountUnits => None,
            Aggregate::Count(argument)
            | Aggregate::CountUnitsOf(argument)
            | Aggregate::Sum(argument)
            | Aggregate::Min(argument)
            | Aggregate::Max(argument) => Some(argument),
            Aggregate::Comoment { products, .. } => Some(products),
        }
    }
}

impl Quantity {
    /// The columns that it reads.
    pub fn columns(self) -> Vec<usize> {
        match self {
            Quantity::Row => vec![],
            Quantity::Column(column) => vec![column],
            Quantity::Product(a, b) => vec![a, b],
        }
    }

    /// The value as an expression; `None` for the row itself.
    pub fn expr(self) -> Option<Expr> {
        match self {
            Quantity::Row => None,
            Quantity::Column(column) => Some(Expr::Column(column)),
            Quantity::Product(a, b) => Some(Expr::Arithmetic(
                super::Arithmetic::Multiply,
                Box::new(Expr::Column(a)),
                Box::new(Expr::Column(b)),
            )),
        }
    }
}

impl Argument {
    /// The argument as one expression that is NULL where there is no value: `CASE WHEN when THEN quantity END`, with
    /// TRUE for the row itself.
    pub fn expr(&self) -> Expr {
        use crate::types::Value;
        let value = self.quantity.expr().unwrap_or(Expr::Literal(Value::Bool(true)));
        match &self.when {
            None => value,
            Some(when) => Expr::Case {
                branches: vec![(when.clone(), value)],
                otherwise: None,
            },
        }
    }
}
