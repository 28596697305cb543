//! Relations of the engine's plan below the frontier as nodes of the algebra.

use std::any::Any;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::catalog::default_table_source::source_as_provider;
use datafusion::common::{DFSchema, JoinType};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr as SqlExpr, Join, LogicalPlan, TableScan};

use tre_core::algebra::{Expr, Node, type_of};
use tre_core::codes::{self, Problem};
use tre_core::manifest::ColumnMeta;
use tre_core::types::ColumnType;

use super::exprs::{Scope, Slot};
use super::names::NamedTable;

/// A lowered relation.
pub(super) struct Lowered {
    pub(super) node: Node,
    /// Where each field of the engine's schema lives in `node`.
    pub(super) slots: Vec<Slot>,
    /// Whether rows belong to people.
    private: bool,
    /// Columns of `node`.
    width: usize,
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
        LogicalPlan::Join(join_) => join(join_),
        LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) => Err(Problem::new(
            &codes::SQL_SHAPE,
            "the query aggregates people's rows twice",
            "write one GROUP BY over people's rows; aggregate its result above it",
        )),
        LogicalPlan::Limit(_) | LogicalPlan::Sort(_) => Err(Problem::new(
            &codes::SQL_ROWS,
            "people's rows cannot be sorted or limited",
            "move ORDER BY and LIMIT above the aggregation",
        )),
        LogicalPlan::Window(_) => Err(shape("a window function over people's rows")),
        LogicalPlan::Union(_) => Err(shape("a UNION of people's rows")),
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => {
            Err(shape("a table of constants joined with people's rows"))
        }
        other => Err(shape(&format!("`{}`", other.display()))),
    }
}

fn shape(what: &str) -> Problem {
    Problem::of(&codes::SQL_SHAPE, format!("{what} cannot be checked yet"))
}

/// The scope of a plan's expressions over its lowered input.
pub(super) fn scope<'a>(plan: &'a LogicalPlan, lowered: &'a Lowered) -> Scope<'a> {
    Scope {
        schema: plan.schema(),
        slots: &lowered.slots,
    }
}

fn filtered(input: Lowered, predicate: Expr) -> Lowered {
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
    let (mut columns, mut slots) = (Vec::new(), Vec::new());
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
        columns.push(meta.name.clone());
    }
    let width = columns.len();
    let node = Node::Scan {
        dataset: named.table.dataset.clone(),
        table: named.table.table.clone(),
        columns,
    };
    Ok(Lowered {
        node,
        slots,
        private: !named.table.public,
        width,
    })
}

fn project(plan: &LogicalPlan, input: Lowered, exprs: &[SqlExpr]) -> Result<Lowered, Problem> {
    let (mut columns, mut slots) = (Vec::new(), Vec::new());
    for expr in exprs {
        let scope = scope(plan, &input);
        if scope.bare(expr)? == Some(Slot::Unit) {
            slots.push(Slot::Unit);
            continue;
        }
        slots.push(Slot::Column(columns.len()));
        columns.push((expr.schema_name().to_string(), scope.lower(expr)?));
    }
    let width = columns.len();
    Ok(Lowered {
        node: Node::Project {
            input: Box::new(input.node),
            columns,
        },
        slots,
        width,
        private: input.private,
    })
}

/// One side of a join while its equalities are collected: computed sides become columns of a projection.
struct Side<'a> {
    plan: &'a LogicalPlan,
    lowered: Lowered,
    computed: Vec<Expr>,
}

impl Side<'_> {
    fn position(&mut self, expr: &SqlExpr) -> Result<usize, Problem> {
        let scope = scope(self.plan, &self.lowered);
        match scope.bare(expr)? {
            Some(Slot::Column(position)) => Ok(position),
            Some(Slot::Unit) => Err(Problem::of(
                &codes::SQL_PID,
                "pid is compared with something that is not a pid",
            )),
            None => {
                let computed = scope.lower(expr)?;
                self.computed.push(computed);
                Ok(self.lowered.width + self.computed.len() - 1)
            }
        }
    }

    fn finish(self) -> Lowered {
        if self.computed.is_empty() {
            return self.lowered;
        }
        let width = self.lowered.width + self.computed.len();
        let kept = (0..self.lowered.width).map(|i| (format!("c{i}"), Expr::Column(i)));
        let computed = self.computed.into_iter().map(|expr| ("key".to_owned(), expr));
        let node = Node::Project {
            input: Box::new(self.lowered.node),
            columns: kept.chain(computed).collect(),
        };
        Lowered {
            node,
            width,
            ..self.lowered
        }
    }
}

fn join(join: &Join) -> Result<Lowered, Problem> {
    if join.join_type != JoinType::Inner {
        return Err(Problem::new(
            &codes::SQL_JOIN,
            format!(
                "a {} join below the aggregation cannot be checked yet",
                join.join_type
            ),
            "use an inner join; EXISTS and IN over people's rows come with a later version",
        ));
    }
    let mut left = Side {
        plan: &join.left,
        lowered: relation(&join.left)?,
        computed: vec![],
    };
    let mut right = Side {
        plan: &join.right,
        lowered: relation(&join.right)?,
        computed: vec![],
    };
    let (mut on, mut on_unit) = (Vec::new(), false);
    for (a, b) in &join.on {
        let units = (
            scope(left.plan, &left.lowered).bare(a)?,
            scope(right.plan, &right.lowered).bare(b)?,
        );
        if units == (Some(Slot::Unit), Some(Slot::Unit)) {
            on_unit = true;
        } else {
            on.push((left.position(a)?, right.position(b)?));
        }
    }
    let (left, right) = (left.finish(), right.finish());
    let joined = combine(left, right, on, on_unit)?;
    match &join.filter {
        None => Ok(joined),
        Some(condition) => {
            let scope = Scope {
                schema: &join.schema,
                slots: &joined.slots,
            };
            let predicate = scope.lower(condition)?;
            Ok(filtered(joined, predicate))
        }
    }
}

fn combine(
    left: Lowered,
    right: Lowered,
    on: Vec<(usize, usize)>,
    on_unit: bool,
) -> Result<Lowered, Problem> {
    let shift = |slots: &[Slot], by: usize| -> Vec<Slot> {
        slots
            .iter()
            .map(|s| {
                if let Slot::Column(i) = s {
                    Slot::Column(i + by)
                } else {
                    *s
                }
            })
            .collect()
    };
    let width = left.width + right.width;
    match (left.private, right.private) {
        (true, true) if on_unit => {
            let slots = [left.slots.clone(), shift(&right.slots, left.width)].concat();
            let node = Node::JoinUnit {
                left: Box::new(left.node),
                right: Box::new(right.node),
                on,
            };
            Ok(Lowered {
                node,
                slots,
                width,
                private: true,
            })
        }
        (true, true) => Err(Problem::new(
            &codes::SQL_JOIN,
            "two tables about people are joined on something else than pid",
            "add `a.pid = b.pid` to the join condition",
        )),
        (_, false) if on.is_empty() => Err(Problem::of(&codes::SQL_JOIN, "a join has no equality")),
        (private, false) => {
            let slots = [left.slots.clone(), shift(&right.slots, left.width)].concat();
            let node = Node::JoinPublic {
                left: Box::new(left.node),
                right: Box::new(right.node),
                on,
            };
            Ok(Lowered {
                node,
                slots,
                width,
                private,
            })
        }
        (false, true) => {
            // The private side stands left in the algebra; fields keep the engine's order.
            let slots = [shift(&left.slots, right.width), right.slots.clone()].concat();
            let on = on.into_iter().map(|(l, r)| (r, l)).collect::<Vec<_>>();
            if on.is_empty() {
                return Err(Problem::of(&codes::SQL_JOIN, "a join has no equality"));
            }
            let node = Node::JoinPublic {
                left: Box::new(right.node),
                right: Box::new(left.node),
                on,
            };
            Ok(Lowered {
                node,
                slots,
                width,
                private: true,
            })
        }
    }
}

/// Lowers a condition over the stored columns of one table.
///
/// # Errors
/// A [`Problem`] when it is not a Boolean expression over these columns that the algebra can say.
pub(super) fn condition(state: &SessionState, text: &str, columns: &[ColumnMeta]) -> Result<Expr, Problem> {
    super::gate::admit_condition(text)?;
    let fields = columns
        .iter()
        .map(|c| Field::new(c.name.as_str(), c.column_type.arrow(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let schema = DFSchema::try_from(schema).map_err(super::session::planning_problem)?;
    let expr = state
        .create_logical_expr(text, &schema)
        .map_err(super::session::planning_problem)?;
    let expr = coerced(state, expr, &schema)?;
    let slots: Vec<Slot> = (0..columns.len()).map(Slot::Column).collect();
    let lowered = Scope {
        schema: &schema,
        slots: &slots,
    }
    .lower(&expr)?;
    let types: Vec<_> = columns
        .iter()
        .map(|c| tre_core::algebra::Column {
            name: c.name.to_string(),
            column_type: c.column_type,
            origin: None,
        })
        .collect();
    match type_of(&lowered, &types) {
        Ok(ColumnType::Bool) => Ok(lowered),
        Ok(other) => Err(Problem::new(
            &codes::SQL_NOT_ALLOWED,
            format!("the row condition `{text}` is a {other}, not a condition"),
            "write a comparison, e.g. `age >= 40`",
        )),
        Err(error) => Err(Problem::of(&codes::SQL_NOT_ALLOWED, error.to_string())),
    }
}

/// Type coercion and constant folding of a single expression.
fn coerced(state: &SessionState, expr: SqlExpr, schema: &DFSchema) -> Result<SqlExpr, Problem> {
    use datafusion::logical_expr::simplify::SimplifyContext;
    use datafusion::optimizer::simplify_expressions::ExprSimplifier;
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(schema.clone()))
        .with_config_options(Arc::clone(state.config_options()))
        .build();
    let simplifier = ExprSimplifier::new(context);
    simplifier
        .coerce(expr, schema)
        .and_then(|expr| simplifier.simplify(expr))
        .map_err(super::session::planning_problem)
}
