//! The algebra of lower plans: the small closed language in which questions about people are asked.
//!
//! The desk lowers SQL into it, the server judges it, the data worker runs it. It is deliberately poor: what cannot be
//! said here cannot be asked. Three properties carry the arguments of the checker:
//!
//! - **The unit is not a column.** A private relation carries its unit beside its columns, through every node. No
//!   expression can name it, so it can be joined on, counted and grouped by, and nothing else.
//! - **Expressions are total.** A cast, division or overflow that has no result is NULL. Nothing fails by data.
//! - **Columns are positions.** A column of a node is its index in the node's output; names are for people.
//!
//! A [`Frontier`] is a lower plan with its aggregation on top; above it everything is a function of treated cells.
//! [`typing`] computes the relation that a node yields under a [`Grant`](crate::grant::Grant), and refuses what the
//! grant does not hold.

mod expr;
mod typing;

pub use expr::{Arithmetic, Comparison, DatePart, Expr, Function};
pub use typing::{AlgebraError, Column, Origin, Relation, Units, resolve, type_of};

use serde::{Deserialize, Serialize};

use crate::ids::{ColumnName, DatasetName, TableName};

/// Most nodes and expressions together that one frontier may have.
pub const MAX_NODES: usize = 10_000;

/// Deepest nesting of nodes or expressions.
pub const MAX_DEPTH: usize = 60;

/// A relational node. Private nodes carry the unit implicitly; public nodes are about nobody.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Node {
    /// Rows of a granted table, narrowed by the permit. Output: `columns` in this order.
    Scan {
        /// The dataset; its version is the grant's.
        dataset: DatasetName,
        /// The table.
        table: TableName,
        /// Permitted columns to read.
        columns: Vec<ColumnName>,
    },
    /// Rows for which `predicate` is true.
    Filter {
        /// Where the rows come from.
        input: Box<Node>,
        /// Boolean expression over the input's columns.
        predicate: Expr,
    },
    /// Computed columns.
    Project {
        /// Where the rows come from.
        input: Box<Node>,
        /// Output columns: name (for people) and expression over the input's columns.
        columns: Vec<(String, Expr)>,
    },
    /// Inner join of two private relations of one population on the unit; output: left columns, then right columns.
    JoinUnit {
        /// A private relation.
        left: Box<Node>,
        /// A private relation of the same population.
        right: Box<Node>,
        /// Further equalities (left position, right position); NULL equals nothing.
        on: Vec<(usize, usize)>,
    },
    /// Inner join with a public relation: private with public, or public with public; output: left, then right.
    /// Private when `left` is. `right` is public.
    JoinPublic {
        /// Any relation.
        left: Box<Node>,
        /// A public relation.
        right: Box<Node>,
        /// Equalities (left position, right position), at least one; NULL equals nothing.
        on: Vec<(usize, usize)>,
    },
}

/// Where a plan stops being about people: an aggregation that does not group by the unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frontier {
    /// A private node.
    pub input: Node,
    /// Group keys: name (for people) and expression over the input's columns. Empty: one group of all rows.
    pub keys: Vec<(String, Expr)>,
    /// Aggregates in the order of the base cells' values; at least one.
    pub aggregates: Vec<Aggregate>,
}

/// An aggregate at the frontier. Positions are columns of the frontier's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// `count(*)`: rows.
    CountRows,
    /// `count(distinct pid)`: units with a row.
    CountUnits,
    /// `count(x)`: rows where x is not NULL.
    Count(usize),
    /// `sum(x)` of a declared measure, NULL left out; NULL where no row has a value.
    Sum(usize),
}

impl Aggregate {
    /// The column that it reads, if any.
    pub fn column(self) -> Option<usize> {
        match self {
            Aggregate::CountRows | Aggregate::CountUnits => None,
            Aggregate::Count(column) | Aggregate::Sum(column) => Some(column),
        }
    }
}

impl Frontier {
    /// The columns that the aggregates read, each once, in order of first use: the *arguments* of the evidence.
    pub fn arguments(&self) -> Vec<usize> {
        let mut arguments = Vec::new();
        for column in self.aggregates.iter().filter_map(|aggregate| aggregate.column()) {
            if !arguments.contains(&column) {
                arguments.push(column);
            }
        }
        arguments
    }
}
