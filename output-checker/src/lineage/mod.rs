//! Lineage: whose data stand behind every base cell of a frontier, read off the algebra before any data are touched.
//!
//! One pure function, run twice: by the server on the algebra that the desk sent, and by the data worker on the
//! algebra that it is about to run. If the two differ, nothing leaves.
//!
//! The rules stand in [`table`], each with its argument and its test.
//!
//! So below a frontier every row has exactly one unit, and a cell's units are the units of its rows. An aggregate reads
//! its argument from those rows alone; removing a unit changes only cells that the unit has a row in.
//!
//! An argument is a quantity of the rows where a condition holds ([`tre_core::algebra::Argument`]). The condition's other
//! side is evidence of the cell (`null_of`), so both sides are judged.

mod rules;
pub mod table;
mod tags;

use serde::{Deserialize, Serialize};

use tre_core::algebra::{Aggregate, Expr, Frontier, Node, Relation, resolve, type_of};
use tre_core::codes::Problem;
use tre_core::evidence::{CellLayout, MAX_ARGUMENTS, ValueKind};
use tre_core::grant::Grant;
use tre_core::ids::{PopulationName, TableName, VersionId};
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
    /// Tags of columns by which rows are selected below the frontier, ascending.
    pub selected_by: Vec<String>,
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
    /// Its tag, when it is a bare column that has one; the kind of an entity is a tag.
    pub tag: Option<String>,
    /// All other tags that its value may tell of, ascending: a computed key has those of all columns that it reads.
    pub computed_from: Vec<String>,
}

/// An aggregate's argument: a quantity of the rows where a condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentLineage {
    /// The quantity, for people: `table.column` of a stored column, the name of a computed one, `*` for the row itself.
    pub quantity: String,
    /// Whether it may be summed: it is made of declared measures.
    pub measure: bool,
    /// Whether only rows are read for which a condition holds.
    pub conditional: bool,
    /// Whether it is a square, or a product of two columns.
    pub product: bool,
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
    let mut tagged = tags::of_node(&frontier.input, grant);
    // The condition of an aggregate selects rows as WHERE does.
    for when in frontier
        .arguments
        .iter()
        .filter_map(|argument| argument.when.as_ref())
    {
        let mut read = tagged.of(when);
        tagged.selected_by.append(&mut read);
    }
    let keys = frontier
        .keys
        .iter()
        .map(|(name, expr)| key_lineage(name, expr, &relation, grant, &tagged))
        .collect::<Result<Vec<_>, Problem>>()?;
    if frontier.arguments.len() > MAX_ARGUMENTS {
        return Err(rules::too_many_arguments());
    }
    let mut arguments = Vec::with_capacity(frontier.arguments.len());
    let mut argument_types = Vec::with_capacity(frontier.arguments.len());
    for argument in &frontier.arguments {
        arguments.push(rules::argument(argument, &relation, grant)?);
        argument_types.push(type_of(&argument.expr(), &relation.columns).map_err(rules::algebra_problem)?);
    }
    let mut values = Vec::with_capacity(frontier.aggregates.len());
    for aggregate in &frontier.aggregates {
        values.push(match *aggregate {
            Aggregate::CountRows => ValueKind::CountRows,
            Aggregate::CountUnits => ValueKind::CountUnits,
            Aggregate::Count(argument) => ValueKind::Count { argument },
            Aggregate::CountUnitsOf(argument) => ValueKind::CountUnitsOf { argument },
            Aggregate::Sum(argument) => {
                rules::summable(arguments.get(argument))?;
                ValueKind::Sum { argument }
            }
            Aggregate::Min(argument) => ValueKind::Min { argument },
            Aggregate::Max(argument) => ValueKind::Max { argument },
            Aggregate::Comoment { x, y, products } => {
                rules::summable(arguments.get(products))?;
                ValueKind::Comoment { x, y, products }
            }
        });
    }
    let layout = CellLayout {
        keys: keys.iter().map(|key| key.column_type).collect(),
        values,
        arguments: argument_types,
        // Whether a ledger is kept is the policy's to say, not the plan's.
        sketch: None,
        unlike: None,
    };
    let mut tables = Vec::new();
    tables_read(&frontier.input, grant, &mut tables);
    Ok(Lineage {
        layout,
        keys,
        arguments,
        population,
        tables,
        selected_by: tagged.selected_by.into_iter().collect(),
    })
}

fn key_lineage(
    name: &str,
    expr: &Expr,
    relation: &Relation,
    grant: &Grant,
    tagged: &tags::Tagged,
) -> Result<KeyLineage, Problem> {
    let column_type = type_of(expr, &relation.columns).map_err(rules::algebra_problem)?;
    let stored = rules::bare_column(expr, relation).and_then(|origin| rules::stored_column(origin, grant));
    let domain = stored.and_then(|(_, meta)| meta.domain.clone());
    let tag = stored.and_then(|(_, meta)| tags::own(meta));
    let told = tagged.of(expr).into_iter();
    let computed_from = told.filter(|other| Some(other) != tag.as_ref()).collect();
    Ok(KeyLineage {
        name: name.to_owned(),
        column_type,
        domain,
        tag,
        computed_from,
    })
}

fn tables_read(node: &Node, grant: &Grant, tables: &mut Vec<TableLineage>) {
    if let Node::Scan { dataset, table, .. } = node
        && let Some(granted) = grant.table(dataset, table)
    {
        tables.push(TableLineage {
            version: granted.version.clone(),
            table: table.clone(),
            public: granted.public,
            filtered: granted.row_filter.is_some(),
        });
    }
    for input in node.inputs() {
        tables_read(input, grant, tables);
    }
}

#[cfg(test)]
mod tests;
