//! Relations of the engine's plan below the frontier as nodes of the algebra.

use std::any::Any;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::logical_expr::{Expr as SqlExpr, LogicalPlan, TableScan, Union};

use tre_core::algebra::{self, Expr, Node, type_of};
use tre_core::codes::{self, Problem};
use tre_core::types::ColumnType;

use super::exprs::{Scope, Slot};
use super::names::NamedTable;
use super::terms::{Fact, Facts};
use super::{joins, per_unit};

/// A lowered relation.
pub(super) struct Lowered {
    pub(super) node: Node,
    /// Where each field of the engine's schema lives in `node`.
    pub(super) slots: Vec<Slot>,
    /// Whether rows belong to people.
    pub(super) private: bool,
    /// Columns of `node`: names and types.
    pub(super) columns: Vec<algebra::Column>,
    /// What is known of each.
    pub(super) facts: Vec<Fact>,
}

impl Lowered {
    /// What is known of the columns.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            columns: &self.columns,
            facts: &self.facts,
        }
    }

    /// Type of an expression over the columns.
    ///
    /// # Errors
    /// A [`Problem`] when its types do not fit.
    pub(super) fn type_of(&self, expr: &Expr) -> Result<ColumnType, Problem> {
        type_of(expr, &self.columns).map_err(|error| Problem::of(&codes::SQL_NOT_ALLOWED, error.to_string()))
    }
}

/// The table behind a scan.
///
/// # Errors
/// A [`Problem`] when the scan is not of one of the desk's tables.
pub(super) fn named_table(scan: &TableScan) -> Result<Arc<dyn TableProvider>, Problem> {
    source_as_provider(&scan.source).map_err(|_| {
        Problem::of(
            &codes::RUN_INTERNAL,
            format!("`{}` is not a table of the project", scan.table_name),
        )
    })
}

/// The desk's table of a provider.
pub(super) fn as_named(provider: &dyn TableProvider) -> Option<&NamedTable> {
    (provider as &dyn Any).downcast_ref::<NamedTable>()
}

/// Lowers a relation.
///
/// # Errors
/// A [`Problem`] that names the node which the algebra does not have, and the way to write it that passes.
pub(super) fn relation(plan: &LogicalPlan) -> Result<Lowered, Problem> {
    match plan {
        LogicalPlan::TableScan(scan) => table(scan),
        LogicalPlan::SubqueryAlias(alias) => relation(&alias.input),
        LogicalPlan::Filter(filter) => {
            let input = relation(&filter.input)?;
            let predicate = scope(&filter.input, &input).lower(&filter.predicate)?;
            Ok(filtered(input, predicate))
        }
        LogicalPlan::Projection(projection) => {
            let input = relation(&projection.input)?;
            project(&projection.input, input, &projection.expr)
        }
        LogicalPlan::Join(join) => joins::join(join),
        LogicalPlan::Aggregate(aggregate) => per_unit::aggregate(aggregate),
        LogicalPlan::Window(window) => per_unit::number(window),
        LogicalPlan::Union(inputs) => union(inputs),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => Err(Problem::new(
            &codes::SQL_ROWS,
            "people's rows cannot be sorted or limited",
            "move ORDER BY and LIMIT above the aggregation",
        )),
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => {
            Err(shape("a table of constants joined with people's rows"))
        }
        other => Err(shape(&format!("`{}`", other.display()))),
    }
}

pub(super) fn shape(what: &str) -> Problem {
    Problem::of(&codes::SQL_SHAPE, format!("{what} cannot be checked"))
}

/// The scope of a plan's expressions over its lowered input.
pub(super) fn scope<'a>(plan: &'a LogicalPlan, lowered: &'a Lowered) -> Scope<'a> {
    Scope {
        schema: plan.schema(),
        slots: &lowered.slots,
    }
}

pub(super) fn filtered(input: Lowered, predicate: Expr) -> Lowered {
    Lowered {
        node: Node::Filter {
            input: Box::new(input.node),
            predicate,
        },
        ..input
    }
}

fn table(scan: &TableScan) -> Result<Lowered, Problem> {
    let provider = named_table(scan)?;
    let Some(named) = as_named(provider.as_ref()) else {
        return Err(Problem::of(
            &codes::RUN_INTERNAL,
            format!("`{}` cannot be read here", scan.table_name),
        ));
    };
    let fields = provider.schema().fields().len();
    let read: Vec<usize> = scan.projection.clone().unwrap_or_else(|| (0..fields).collect());
    let (mut names, mut columns, mut facts, mut slots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for position in read {
        if named.is_unit(position) {
            slots.push(Slot::Unit);
            continue;
        }
        let index = if named.table.public {
            position
        } else {
            position.saturating_sub(1)
        };
        let meta = named.table.columns.get(index).ok_or_else(|| {
            Problem::of(
                &codes::RUN_INTERNAL,
                format!("`{}` has no column {position}", scan.table_name),
            )
        })?;
        slots.push(Slot::Column(columns.len()));
        names.push(meta.name.clone());
        columns.push(algebra::Column::computed(meta.name.to_string(), meta.column_type));
        facts.push(if meta.measure.is_some() && !named.table.public {
            Fact::Quantity
        } else {
            Fact::Nothing
        });
    }
    let node = Node::Scan {
        dataset: named.table.dataset.clone(),
        table: named.table.table.clone(),
        columns: names,
    };
    Ok(Lowered {
        node,
        slots,
        private: !named.table.public,
        columns,
        facts,
    })
}

/// Largest definition that is kept for a computed column, in expressions.
const MAX_DEFINITION: usize = 200;

fn project(plan: &LogicalPlan, input: Lowered, exprs: &[SqlExpr]) -> Result<Lowered, Problem> {
    let (mut projected, mut slots) = (Vec::new(), Vec::new());
    for expr in exprs {
        let scope = scope(plan, &input);
        match scope.bare(expr)? {
            Some(Slot::Unit) => slots.push(Slot::Unit),
            Some(Slot::UnitOrNull(position)) => {
                slots.push(Slot::UnitOrNull(projected.len()));
                projected.push(("pid".to_owned(), Expr::Column(position)));
            }
            Some(Slot::Column(_)) | None => {
                slots.push(Slot::Column(projected.len()));
                projected.push((expr.schema_name().to_string(), scope.lower(expr)?));
            }
        }
    }
    projection(input, projected, slots)
}

/// Puts a projection above a relation. What a computed column is made of stays beside it, so that a sum of the column
/// can be told apart into its terms.
///
/// # Errors
/// A [`Problem`] when the types of an expression do not fit.
pub(super) fn projection(
    input: Lowered,
    mut projected: Vec<(String, Expr)>,
    slots: Vec<Slot>,
) -> Result<Lowered, Problem> {
    let asked = projected.len();
    let mut facts = Vec::with_capacity(asked);
    for index in 0..asked {
        let Some((_, expr)) = projected.get(index).cloned() else {
            continue;
        };
        facts.push(match &expr {
            Expr::Column(position) => match input.facts.get(*position) {
                Some(Fact::Definition(definition)) => defined(definition, &mut projected),
                Some(fact) => fact.clone(),
                None => Fact::Nothing,
            },
            _ => {
                let inlined = expr.rebased(&|position| match input.facts.get(position) {
                    Some(Fact::Definition(definition)) => Some(definition.clone()),
                    _ => Some(Expr::Column(position)),
                });
                inlined.map_or(Fact::Nothing, |expr| defined(&expr, &mut projected))
            }
        });
    }
    for (_, expr) in projected.iter().skip(asked) {
        facts.push(match expr {
            Expr::Column(position) => input.facts.get(*position).cloned().unwrap_or(Fact::Nothing),
            _ => Fact::Nothing,
        });
    }
    let mut columns = Vec::with_capacity(projected.len());
    for (name, expr) in &projected {
        columns.push(algebra::Column::computed(name.clone(), input.type_of(expr)?));
    }
    Ok(Lowered {
        node: Node::Project {
            input: Box::new(input.node),
            columns: projected,
        },
        slots,
        columns,
        facts,
        private: input.private,
    })
}

/// A definition over the input of a projection as one over its output, to which the columns are added that it reads.
fn defined(definition: &Expr, projected: &mut Vec<(String, Expr)>) -> Fact {
    if definition.size() > MAX_DEFINITION {
        return Fact::Nothing;
    }
    let mut read = Vec::new();
    definition.read(&mut read);
    for position in read {
        let column = Expr::Column(position);
        if !projected.iter().any(|(_, expr)| *expr == column) {
            projected.push((format!("c{position}"), column));
        }
    }
    let moved = definition.rebased(&|position| {
        let output = projected
            .iter()
            .position(|(_, expr)| *expr == Expr::Column(position))?;
        Some(Expr::Column(output))
    });
    moved.map_or(Fact::Nothing, Fact::Definition)
}

fn union(union: &Union) -> Result<Lowered, Problem> {
    let mut nodes = Vec::with_capacity(union.inputs.len());
    let mut result: Option<Lowered> = None;
    for input in &union.inputs {
        let input = relation(input)?;
        // Columns in the order of the fields: nothing else is common to the inputs.
        let (mut projected, mut slots) = (Vec::new(), Vec::new());
        for slot in &input.slots {
            match slot {
                Slot::Unit => slots.push(Slot::Unit),
                Slot::UnitOrNull(_) => {
                    return Err(Problem::new(
                        &codes::SQL_PID,
                        "UNION ALL of a pid that may be missing",
                        "select the pid of the left table of the join",
                    ));
                }
                Slot::Column(position) => {
                    slots.push(Slot::Column(projected.len()));
                    let name = input.columns.get(*position).map(|column| column.name.clone());
                    projected.push((name.unwrap_or_default(), Expr::Column(*position)));
                }
            }
        }
        let facts: Vec<Fact> = projected
            .iter()
            .map(|(_, expr)| match expr {
                Expr::Column(position) => input.facts.get(*position).cloned().unwrap_or(Fact::Nothing),
                _ => Fact::Nothing,
            })
            .collect();
        let mut columns = Vec::with_capacity(projected.len());
        for (name, expr) in &projected {
            columns.push(algebra::Column::computed(name.clone(), input.type_of(expr)?));
        }
        nodes.push(Node::Project {
            input: Box::new(input.node),
            columns: projected,
        });
        let next = Lowered {
            node: Node::Union { inputs: vec![] },
            slots,
            private: input.private,
            columns,
            facts,
        };
        result = Some(match result {
            None => next,
            Some(first) if first.slots == next.slots && first.private && next.private => {
                let facts = first.facts.into_iter().zip(next.facts);
                Lowered {
                    facts: facts.map(|(a, b)| in_both(a, b)).collect(),
                    ..first
                }
            }
            Some(_) => {
                return Err(Problem::new(
                    &codes::SQL_SHAPE,
                    "UNION ALL of rows that do not all carry the pid in the same place",
                    "select pid and the same columns from every table",
                ));
            }
        });
    }
    let result = result.ok_or_else(|| shape("a UNION of nothing"))?;
    Ok(Lowered {
        node: Node::Union { inputs: nodes },
        ..result
    })
}

/// What is known of a column that comes from two relations.
fn in_both(a: Fact, b: Fact) -> Fact {
    match (a, b) {
        (Fact::Quantity, Fact::Quantity) => Fact::Quantity,
        (Fact::OneOf(mut values), Fact::OneOf(others)) => {
            for value in others {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            Fact::OneOf(values)
        }
        _ => Fact::Nothing,
    }
}
