//! Lineage: whose data stand behind every base cell of a frontier, read off the algebra before any data are touched.
//!
//! One pure function, run twice: by the server on the algebra that the desk sent, and by the data worker on the
//! algebra that it is about to run. If the two differ, nothing leaves.
//!
//! Soundness, node by node (a *unit of a row* is the person whose removal makes the row disappear):
//!
//! | node | units of an output row | why nothing else |
//! |---|---|---|
//! | scan of a private table | the row's unit | files hold one unit per row; the permit's filter reads that row only |
//! | scan of a public table | none | holders' reference data about nobody |
//! | filter, project | those of the input row | expressions read one row, are total, and have no state |
//! | join on the unit | the common unit of both sides | the unit is the join key, so both rows vanish with the one person |
//! | join with a public table | those of the left row | the right row belongs to nobody |
//!
//! So below a frontier every row has exactly one unit, and a cell's units are the units of its rows. An aggregate reads
//! its argument from those rows alone; removing a unit changes only cells that the unit has a row in.

mod rules;

use serde::{Deserialize, Serialize};

use tre_core::algebra::{Aggregate, Expr, Frontier, Node, Relation, resolve, type_of};
use tre_core::codes::Problem;
use tre_core::evidence::{CellLayout, MAX_ARGUMENTS, ValueKind};
use tre_core::grant::Grant;
use tre_core::ids::{ColumnName, PopulationName, TableName, VersionId};
use tre_core::types::{ColumnType, Value};

/// What is known of a frontier's cells from the plan alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Shape of the base cells and their evidence.
    pub layout: CellLayout,
    /// The group keys, in order.
    pub keys: Vec<KeyLineage>,
    /// The aggregates' arguments, in the order of the layout's.
    pub arguments: Vec<ArgumentLineage>,
    /// Whose units stand behind the cells.
    pub population: PopulationName,
    /// Tables read, in the order of the plan; a table that is read twice stands twice.
    pub tables: Vec<TableLineage>,
}

/// A group key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLineage {
    /// Name, for people.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// The declared domain when the key is a bare column that has one; a computed key never declares a domain.
    pub domain: Option<Vec<Value>>,
}

/// An aggregate's argument: a bare column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentLineage {
    /// Table that it is a column of.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// Whether it is a declared measure.
    pub measure: bool,
}

/// A table that the plan reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLineage {
    /// The pinned version.
    pub version: VersionId,
    /// The table.
    pub table: TableName,
    /// Whether it is about nobody.
    pub public: bool,
    /// Whether the permit narrows its rows.
    pub filtered: bool,
}

/// Reads the lineage off a frontier, or refuses what has none.
///
/// # Errors
/// A [`Problem`] in the words of the analyst when the plan names what the grant does not hold, joins what cannot be
/// joined, sums what is not a bare declared measure, or counts a computed column.
pub fn lineage(frontier: &Frontier, grant: &Grant) -> Result<Lineage, Problem> {
    let relation = resolve(frontier, grant).map_err(rules::algebra_problem)?;
    let population = match &relation.units {
        Some(units) => units.population.clone(),
        None => return Err(rules::no_people()),
    };
    let keys = frontier
        .keys
        .iter()
        .map(|(name, expr)| key_lineage(name, expr, &relation, grant))
        .collect::<Result<Vec<_>, Problem>>()?;
    let positions = frontier.arguments();
    if positions.len() > MAX_ARGUMENTS {
        return Err(rules::too_many_arguments());
    }
    let arguments = positions
        .iter()
        .map(|position| rules::bare_argument(*position, &relation, grant))
        .collect::<Result<Vec<_>, Problem>>()?;
    let mut values = Vec::with_capacity(frontier.aggregates.len());
    for aggregate in &frontier.aggregates {
        let index_of = |column: usize| positions.iter().position(|p| *p == column).unwrap_or_default();
        values.push(match aggregate {
            Aggregate::CountRows => ValueKind::CountRows,
            Aggregate::CountUnits => ValueKind::CountUnits,
            Aggregate::Count(column) => ValueKind::Count {
                argument: index_of(*column),
            },
            Aggregate::Sum(column) => {
                let argument = index_of(*column);
                rules::summable(arguments.get(argument))?;
                ValueKind::Sum { argument }
            }
        });
    }
    let argument_types = positions
        .iter()
        .filter_map(|p| relation.columns.get(*p))
        .map(|column| column.column_type)
        .collect();
    let layout = CellLayout {
        keys: keys.iter().map(|key| key.column_type).collect(),
        values,
        arguments: argument_types,
        // Whether a ledger is kept is the policy's to say, not the plan's.
        sketch: None,
    };
    let mut tables = Vec::new();
    tables_read(&frontier.input, grant, &mut tables);
    Ok(Lineage {
        layout,
        keys,
        arguments,
        population,
        tables,
    })
}

fn key_lineage(name: &str, expr: &Expr, relation: &Relation, grant: &Grant) -> Result<KeyLineage, Problem> {
    let column_type = type_of(expr, &relation.columns).map_err(rules::algebra_problem)?;
    let domain = rules::bare_column(expr, relation)
        .and_then(|origin| rules::stored_column(origin, grant))
        .and_then(|(_, meta)| meta.domain.clone());
    Ok(KeyLineage {
        name: name.to_owned(),
        column_type,
        domain,
    })
}

fn tables_read(node: &Node, grant: &Grant, tables: &mut Vec<TableLineage>) {
    match node {
        Node::Scan { dataset, table, .. } => {
            if let Some(granted) = grant.table(dataset, table) {
                tables.push(TableLineage {
                    version: granted.version.clone(),
                    table: table.clone(),
                    public: granted.public,
                    filtered: granted.row_filter.is_some(),
                });
            }
        }
        Node::Filter { input, .. } | Node::Project { input, .. } => tables_read(input, grant, tables),
        Node::JoinUnit { left, right, .. } | Node::JoinPublic { left, right, .. } => {
            tables_read(left, grant, tables);
            tables_read(right, grant, tables);
        }
    }
}

#[cfg(test)]
mod tests;
