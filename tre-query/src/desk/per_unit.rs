//! Aggregation and numbering within one person's rows, below the frontier.

use datafusion::logical_expr::expr::{AggregateFunction, WindowFunction};
use datafusion::logical_expr::{Aggregate, Expr as SqlExpr, Window, WindowFunctionDefinition};

use tre_core::algebra::{self, Arithmetic, Comparison, Expr, Node, Ordering, Quantity, UnitCall};
use tre_core::codes::{self, Problem};
use tre_core::types::{ColumnType, Value};

use super::aggregates::{call_of, uncast};
use super::exprs::{Slot, not};
use super::lower::{Lowered, projection, relation, scope, shape};
use super::terms::{Fact, Term};

/// Whether an aggregation groups by the unit: its groups are of one person each.
///
/// # Errors
/// Never; a relation that cannot be lowered has no unit.
pub(super) fn groups_by_unit(aggregate: &Aggregate) -> bool {
    let Ok(input) = relation(&aggregate.input) else {
        return false;
    };
    let scope = scope(&aggregate.input, &input);
    let mut keys = aggregate.group_expr.iter();
    keys.any(|key| matches!(scope.bare(key), Ok(Some(Slot::Unit))))
}

/// Lowers an aggregation that groups by the unit.
///
/// # Errors
/// A [`Problem`] when it does not group by the unit, or has an aggregate that the algebra does not have.
pub(super) fn aggregate(aggregate: &Aggregate) -> Result<Lowered, Problem> {
    let input = relation(&aggregate.input)?;
    let scope = scope(&aggregate.input, &input);
    let (mut keys, mut slots, mut facts, mut columns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for key in &aggregate.group_expr {
        match scope.bare(key)? {
            Some(Slot::Unit) => slots.push(Slot::Unit),
            Some(Slot::UnitOrNull(_)) => {
                return Err(Problem::new(
                    &codes::SQL_PID,
                    "GROUP BY a pid that may be missing",
                    "group by the pid of the left table of the join",
                ));
            }
            Some(Slot::Column(_)) | None => {
                let name = key.schema_name().to_string();
                let key = scope.lower(key)?;
                slots.push(Slot::Column(keys.len()));
                facts.push(match (&key, input.facts().constants(&key)) {
                    (_, Some(values)) => Fact::OneOf(values),
                    (Expr::Column(position), None) => match input.facts.get(*position) {
                        Some(Fact::Quantity) => Fact::Quantity,
                        _ => Fact::Nothing,
                    },
                    _ => Fact::Nothing,
                });
                columns.push(algebra::Column::computed(name.clone(), input.type_of(&key)?));
                keys.push((name, key));
            }
        }
    }
    if !slots.contains(&Slot::Unit) {
        return Err(Problem::new(
            &codes::SQL_SHAPE,
            "the query aggregates people's rows twice",
            "write one GROUP BY over people's rows, or group by pid first; aggregate its result above it",
        ));
    }
    let mut calls = Calls {
        input: &input,
        width: keys.len(),
        calls: vec![],
        columns,
        facts,
    };
    // What each aggregate of the query is, over keys and calls.
    let mut results = Vec::with_capacity(aggregate.aggr_expr.len());
    for expr in &aggregate.aggr_expr {
        results.push(calls.lower(call_of(expr)?, &scope)?);
    }
    let Calls {
        calls,
        columns,
        facts,
        ..
    } = calls;
    let mut projected: Vec<(String, Expr)> = keys
        .iter()
        .enumerate()
        .map(|(position, (name, _))| (name.clone(), Expr::Column(position)))
        .collect();
    for (expr, result) in aggregate.aggr_expr.iter().zip(results) {
        slots.push(Slot::Column(projected.len()));
        projected.push((expr.schema_name().to_string(), result));
    }
    let grouped = Lowered {
        node: Node::PerUnit {
            input: Box::new(input.node),
            keys,
            calls,
        },
        slots: vec![],
        private: true,
        columns,
        facts,
    };
    projection(grouped, projected, slots)
}

/// The calls of an aggregation per unit, each once.
struct Calls<'a> {
    input: &'a Lowered,
    width: usize,
    calls: Vec<(String, UnitCall)>,
    columns: Vec<algebra::Column>,
    facts: Vec<Fact>,
}

impl Calls<'_> {
    /// The column of a call.
    fn place(&mut self, call: UnitCall, fact: Fact) -> Result<Expr, Problem> {
        let index = match self.calls.iter().position(|(_, known)| *known == call) {
            Some(index) => index,
            None => {
                let column_type = match &call {
                    UnitCall::CountRows | UnitCall::Count(_) | UnitCall::CountDistinct(_) => ColumnType::Int,
                    UnitCall::Sum(argument) | UnitCall::Min(argument) | UnitCall::Max(argument) => {
                        self.input.type_of(argument)?
                    }
                };
                let name = format!("x{}", self.calls.len());
                self.columns
                    .push(algebra::Column::computed(name.clone(), column_type));
                self.facts.push(fact);
                self.calls.push((name, call));
                self.calls.len() - 1
            }
        };
        Ok(Expr::Column(self.width + index))
    }

    fn lower(&mut self, call: &AggregateFunction, scope: &super::exprs::Scope<'_>) -> Result<Expr, Problem> {
        let params = &call.params;
        let name = call.func.name();
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Err(unknown(name));
        }
        let filter = params
            .filter
            .as_deref()
            .map(|filter| scope.lower(filter))
            .transpose()?;
        let only = |value: Expr| match &filter {
            None => value,
            Some(filter) => Expr::Case {
                branches: vec![(filter.clone(), value)],
                otherwise: None,
            },
        };
        let [arg] = params.args.as_slice() else {
            return Err(unknown(name));
        };
        let bare = scope.bare(arg)?;
        let constant = matches!(arg, SqlExpr::Literal(value, _) if !value.is_null());
        match (name, params.distinct) {
            ("count", false) if constant || bare == Some(Slot::Unit) => match &filter {
                None => self.place(UnitCall::CountRows, Fact::Quantity),
                Some(_) => self.place(
                    UnitCall::Count(only(Expr::Literal(Value::Bool(true)))),
                    Fact::Quantity,
                ),
            },
            ("count", distinct) => {
                let value = match bare {
                    Some(Slot::UnitOrNull(position)) => Expr::Column(position),
                    Some(Slot::Unit) => Expr::Literal(Value::Bool(true)),
                    Some(Slot::Column(_)) | None => scope.lower(arg)?,
                };
                let value = only(value);
                let call = match distinct {
                    true => UnitCall::CountDistinct(value),
                    false => UnitCall::Count(value),
                };
                self.place(call, Fact::Quantity)
            }
            ("min" | "max", _) => {
                let value = only(scope.lower(arg)?);
                let facts = self.input.facts();
                let fact = match (&value, facts.constants(&value)) {
                    (_, Some(values)) => Fact::OneOf(values),
                    (Expr::Column(position), None) => match self.input.facts.get(*position) {
                        Some(Fact::Quantity) => Fact::Quantity,
                        _ => Fact::Nothing,
                    },
                    _ => Fact::Nothing,
                };
                let call = match name {
                    "min" => UnitCall::Min(value),
                    _ => UnitCall::Max(value),
                };
                self.place(call, fact)
            }
            ("sum", false) => {
                let value = only(scope.lower(uncast(arg, scope))?);
                let terms = self.input.facts().terms(&value)?;
                if let (true, [term]) = (terms.single, terms.terms.as_slice())
                    && term.factor.unscaled == 1
                    && term.factor.scale == 0
                    && term.quantity != Quantity::Row
                {
                    return self.term(term);
                }
                self.combined(&terms.terms, terms.defined, self.input.type_of(&value)?)
            }
            ("avg", _) => Err(Problem::new(
                &codes::SQL_AGGREGATE,
                "a mean per person cannot be summed up again exactly",
                "take sum and count per person, and divide their sums",
            )),
            _ => Err(unknown(name)),
        }
    }

    /// The sum or count of one term within a person's rows.
    fn term(&mut self, term: &Term) -> Result<Expr, Problem> {
        let value = term.quantity.expr().unwrap_or(Expr::Literal(Value::Bool(true)));
        let value = match &term.when {
            None => value,
            Some(when) => Expr::Case {
                branches: vec![(when.clone(), value)],
                otherwise: None,
            },
        };
        match (term.quantity, &term.when) {
            (Quantity::Row, None) => self.place(UnitCall::CountRows, Fact::Quantity),
            (Quantity::Row, Some(_)) => self.place(UnitCall::Count(value), Fact::Quantity),
            (Quantity::Column(_), _) => self.place(UnitCall::Sum(value), Fact::Quantity),
            // A square is of one unit here, but not of one row: lineage does not take it for a quantity.
            (Quantity::Product(..), _) => self.place(UnitCall::Sum(value), Fact::Nothing),
        }
    }

    /// Terms added up: 0 for a term that no row has; NULL where the whole is defined in no row.
    fn combined(
        &mut self,
        terms: &[Term],
        defined: Option<Expr>,
        column_type: ColumnType,
    ) -> Result<Expr, Problem> {
        let mut total = zero(column_type);
        for term in terms {
            let part = self.term(term)?;
            let filled = Expr::Case {
                branches: vec![(not(Expr::IsNull(Box::new(part.clone()))), part.clone())],
                otherwise: Some(Box::new(zero(self.column_type(&part)))),
            };
            let factor = Expr::Literal(match term.factor.scale {
                0 => Value::Int(i64::try_from(term.factor.unscaled).map_err(|_| unknown("sum"))?),
                scale => Value::Decimal {
                    unscaled: term.factor.unscaled,
                    scale,
                },
            });
            let scaled = Expr::Arithmetic(Arithmetic::Multiply, Box::new(factor), Box::new(filled));
            total = Expr::Arithmetic(Arithmetic::Add, Box::new(total), Box::new(scaled));
        }
        let Some(defined) = defined else {
            return Ok(total);
        };
        let rows = Expr::Case {
            branches: vec![(defined, Expr::Literal(Value::Bool(true)))],
            otherwise: None,
        };
        let rows = self.place(UnitCall::Count(rows), Fact::Quantity)?;
        let some = Expr::Compare(
            Comparison::Gt,
            Box::new(rows),
            Box::new(Expr::Literal(Value::Int(0))),
        );
        Ok(Expr::Case {
            branches: vec![(some, total)],
            otherwise: None,
        })
    }

    fn column_type(&self, expr: &Expr) -> ColumnType {
        match expr {
            Expr::Column(position) => self
                .columns
                .get(*position)
                .map_or(ColumnType::Int, |column| column.column_type),
            _ => ColumnType::Int,
        }
    }
}

fn zero(column_type: ColumnType) -> Expr {
    Expr::Literal(match column_type {
        ColumnType::Decimal { scale } => Value::Decimal { unscaled: 0, scale },
        _ => Value::Int(0),
    })
}

fn unknown(name: &str) -> Problem {
    Problem::new(
        &codes::SQL_AGGREGATE,
        format!("`{name}` of one person's rows cannot be checked"),
        "per person there are count, count(distinct …), sum, min and max",
    )
}

/// Lowers `row_number() OVER (PARTITION BY pid, … ORDER BY …)`.
///
/// # Errors
/// A [`Problem`] for other window functions, and for windows that are not of one person.
pub(super) fn number(window: &Window) -> Result<Lowered, Problem> {
    let input = relation(&window.input)?;
    let [expr] = window.window_expr.as_slice() else {
        return Err(shape("more than one window function over people's rows"));
    };
    let call = window_call(expr)?;
    let name = call.fun.name();
    let is_number = matches!(&call.fun, WindowFunctionDefinition::WindowUDF(_)) && name == "row_number";
    let params = &call.params;
    if !is_number || params.filter.is_some() || params.distinct {
        return Err(Problem::new(
            &codes::SQL_SHAPE,
            format!("the window function `{name}` over people's rows cannot be checked"),
            "use row_number() OVER (PARTITION BY pid ORDER BY …), or aggregate per pid",
        ));
    }
    let scope = scope(&window.input, &input);
    let (mut partition, mut by_unit) = (Vec::new(), false);
    for expr in &params.partition_by {
        match scope.bare(expr)? {
            Some(Slot::Unit) => by_unit = true,
            _ => partition.push(scope.lower(expr)?),
        }
    }
    if !by_unit {
        return Err(Problem::new(
            &codes::SQL_PID,
            "a window over people's rows is not PARTITION BY pid",
            "add pid to PARTITION BY",
        ));
    }
    let mut order = Vec::with_capacity(params.order_by.len());
    for sort in &params.order_by {
        // Within one person the pid orders nothing.
        if scope.bare(&sort.expr)? == Some(Slot::Unit) {
            continue;
        }
        order.push(Ordering {
            by: scope.lower(&sort.expr)?,
            descending: !sort.asc,
            nulls_first: sort.nulls_first,
        });
    }
    let mut slots = input.slots;
    slots.push(Slot::Column(input.columns.len()));
    let mut columns = input.columns;
    columns.push(algebra::Column::computed("row_number", ColumnType::Int));
    let mut facts = input.facts;
    facts.push(Fact::Nothing);
    Ok(Lowered {
        node: Node::Number {
            input: Box::new(input.node),
            partition,
            order,
        },
        slots,
        private: input.private,
        columns,
        facts,
    })
}

fn window_call(expr: &SqlExpr) -> Result<&WindowFunction, Problem> {
    match expr {
        SqlExpr::Alias(alias) => window_call(&alias.expr),
        SqlExpr::WindowFunction(call) => Ok(call),
        other => Err(shape(&format!("`{other}`"))),
    }
}
