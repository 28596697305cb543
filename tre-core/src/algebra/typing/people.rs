//! Types of the nodes that only relations about people have.

use crate::grant::Grant;
use crate::types::ColumnType;

use super::exprs::expression;
use super::{AlgebraError, Budget, Column, Expr, Node, Relation, UnitCall, expect_type, node, type_error};

/// A relation that must be about people; `what` is what needs it.
pub(super) fn private(
    input: &Node,
    grant: &Grant,
    budget: &mut Budget,
    depth: usize,
    what: &'static str,
) -> Result<Relation, AlgebraError> {
    let relation = node(input, grant, budget, depth + 1)?;
    match relation.units {
        Some(_) => Ok(relation),
        None => Err(type_error(what, "a table about nobody")),
    }
}

/// Tables about people that a node reads, as positions in the grant.
fn private_tables(node: &Node, grant: &Grant, found: &mut Vec<usize>) {
    if let Node::Scan { dataset, table, .. } = node {
        let position = grant
            .tables
            .iter()
            .position(|granted| granted.version.dataset() == dataset && &granted.table == table);
        found.extend(position.filter(|i| grant.tables.get(*i).is_some_and(|granted| !granted.public)));
    }
    for input in node.inputs() {
        private_tables(input, grant, found);
    }
}

/// Relations of one population put one after the other.
pub(super) fn union(
    inputs: &[Node],
    grant: &Grant,
    budget: &mut Budget,
    depth: usize,
) -> Result<Relation, AlgebraError> {
    let mut seen: Vec<usize> = Vec::new();
    let mut result: Option<Relation> = None;
    for input in inputs {
        let relation = private(input, grant, budget, depth, "UNION ALL of people's rows")?;
        let mut tables = Vec::new();
        private_tables(input, grant, &mut tables);
        if tables.iter().any(|table| seen.contains(table)) {
            return Err(AlgebraError::Join(
                "UNION ALL reads a table about people twice, so that rows could count twice",
            ));
        }
        seen.extend(tables);
        result = Some(match result {
            None => relation,
            Some(first) => {
                if first.units != relation.units {
                    return Err(AlgebraError::Join(
                        "tables of different populations cannot be put together by UNION ALL",
                    ));
                }
                if first.columns.len() != relation.columns.len() {
                    return Err(type_error("UNION ALL", "different numbers of columns"));
                }
                let mut columns = Vec::with_capacity(first.columns.len());
                for (a, b) in first.columns.into_iter().zip(relation.columns) {
                    expect_type("UNION ALL", a.column_type, b.column_type)?;
                    columns.push(Column {
                        origin: a.origin.filter(|origin| b.origin == Some(*origin)),
                        quantity: a.quantity && b.quantity,
                        ..a
                    });
                }
                Relation { columns, ..first }
            }
        });
    }
    match result {
        Some(relation) if inputs.len() > 1 => Ok(relation),
        _ => Err(AlgebraError::Join("UNION ALL needs two inputs")),
    }
}

/// The column of an aggregate over the rows of one unit.
pub(super) fn unit_call(
    name: &str,
    call: &UnitCall,
    columns: &[Column],
    budget: &mut Budget,
    depth: usize,
) -> Result<Column, AlgebraError> {
    let argument = match call.argument() {
        None => ColumnType::Int,
        Some(argument) => expression(argument, columns, budget, depth + 1)?,
    };
    let (column_type, quantity) = match call {
        UnitCall::CountRows | UnitCall::Count(_) | UnitCall::CountDistinct(_) => (ColumnType::Int, true),
        UnitCall::Sum(argument_) if argument.is_numeric() => (argument, is_quantity(argument_, columns)),
        UnitCall::Sum(_) => return Err(type_error("sum", argument)),
        UnitCall::Min(argument_) | UnitCall::Max(argument_) => (argument, is_quantity(argument_, columns)),
    };
    Ok(Column {
        quantity,
        ..Column::computed(name, column_type)
    })
}

/// A quantity, or one of the rows where a condition holds.
fn is_quantity(expr: &Expr, columns: &[Column]) -> bool {
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
        columns.get(*position).is_some_and(|column| column.quantity)
    } else {
        false
    }
}
