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
mod frontier;
mod typing;

pub use expr::{Arithmetic, Comparison, DatePart, Expr, Function};
pub use frontier::{Aggregate, Argument, Frontier, Quantity};
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
    /// Join of two private relations of one population on the unit; output: see [`JoinKind`].
    JoinUnit {
        /// What becomes of rows without a partner.
        kind: JoinKind,
        /// A private relation.
        left: Box<Node>,
        /// A private relation of the same population.
        right: Box<Node>,
        /// Further equalities (left position, right position); NULL equals nothing.
        on: Vec<(usize, usize)>,
        /// A further condition on a pair of rows: Boolean, over the left columns and then the right ones.
        condition: Option<Expr>,
    },
    /// Join with a public relation: private with public, or public with public; output: see [`JoinKind`]. Private when
    /// `left` is. `right` is public.
    JoinPublic {
        /// What becomes of rows without a partner.
        kind: JoinKind,
        /// Any relation.
        left: Box<Node>,
        /// A public relation.
        right: Box<Node>,
        /// Equalities (left position, right position), at least one; NULL equals nothing.
        on: Vec<(usize, usize)>,
        /// A further condition on a pair of rows: Boolean, over the left columns and then the right ones.
        condition: Option<Expr>,
    },
    /// All rows of several private relations of one population with columns of the same types. Output: the columns of
    /// the first. No table about people is read by two of them: a row would count twice.
    Union {
        /// At least two private relations.
        inputs: Vec<Node>,
    },
    /// One row per unit and key values: what one person's rows add up to. Output: keys, then calls.
    PerUnit {
        /// A private relation.
        input: Box<Node>,
        /// Group keys beside the unit: name (for people) and expression over the input's columns.
        keys: Vec<(String, Expr)>,
        /// Name and aggregate; none: the distinct values of the keys of each person.
        calls: Vec<(String, UnitCall)>,
    },
    /// The input's rows, numbered from 1 within unit and partition. Output: the input's columns, then the number.
    ///
    /// Rows that the order does not tell apart are told apart by all their columns; rows that are equal in everything
    /// are interchangeable.
    Number {
        /// A private relation.
        input: Box<Node>,
        /// Further expressions that rows of one numbering have in common.
        partition: Vec<Expr>,
        /// The order, first expression first.
        order: Vec<Ordering>,
    },
}

/// What a join does with rows without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    /// Pairs only; output: left columns, then right columns.
    Inner,
    /// Left rows without a partner stand beside NULLs; output: left columns, then right columns.
    Left,
    /// Left rows with a partner, once each; output: left columns.
    Semi,
    /// Left rows without a partner; output: left columns.
    Anti,
}

impl JoinKind {
    /// Whether the right columns are in the output.
    pub fn keeps_right(self) -> bool {
        match self {
            JoinKind::Inner | JoinKind::Left => true,
            JoinKind::Semi | JoinKind::Anti => false,
        }
    }
}

/// An aggregate over the rows of one unit. The argument is an expression over the input's columns; NULL is left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitCall {
    /// Rows.
    CountRows,
    /// Rows with a value.
    Count(Expr),
    /// Different values.
    CountDistinct(Expr),
    /// Sum of an integer or decimal; NULL where there is no value or it does not fit.
    Sum(Expr),
    /// Smallest value; NULL where there is none.
    Min(Expr),
    /// Largest value; NULL where there is none.
    Max(Expr),
}

impl UnitCall {
    /// The argument, if any.
    pub fn argument(&self) -> Option<&Expr> {
        match self {
            UnitCall::CountRows => None,
            UnitCall::Count(e)
            | UnitCall::CountDistinct(e)
            | UnitCall::Sum(e)
            | UnitCall::Min(e)
            | UnitCall::Max(e) => Some(e),
        }
    }
}

/// An order by one expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ordering {
    /// Over the input's columns.
    pub by: Expr,
    /// Largest first.
    pub descending: bool,
    /// NULL before all values, whichever way they are ordered.
    pub nulls_first: bool,
}

impl Node {
    /// The relations that it reads, left first.
    pub fn inputs(&self) -> Vec<&Node> {
        match self {
            Node::Scan { .. } => vec![],
            Node::Filter { input, .. }
            | Node::Project { input, .. }
            | Node::PerUnit { input, .. }
            | Node::Number { input, .. } => vec![input],
            Node::JoinUnit { left, right, .. } | Node::JoinPublic { left, right, .. } => vec![left, right],
            Node::Union { inputs } => inputs.iter().collect(),
        }
    }
}
