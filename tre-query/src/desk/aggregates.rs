//! Aggregates of a query as aggregates of a frontier, and what is computed from these above it.

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Expr as SqlExpr, ExprSchemable};

use tre_core::algebra::{Aggregate, Argument, Expr, Quantity};
use tre_core::codes::{self, Problem};
use tre_core::types::{ColumnType, DECIMAL_PRECISION, Value};

use super::exprs::{Scope, Slot};
use super::lower::Lowered;
use super::moments;
use super::parts::Part;
use super::terms::{Fact, Factor, Term, Terms, and};

/// The aggregates of a frontier while they are collected, each once.
#[derive(Debug, Default)]
pub(super) struct Aggregates {
    pub(super) arguments: Vec<Argument>,
    pub(super) aggregates: Vec<Aggregate>,
    /// The engine's type of each aggregate's values.
    pub(super) types: Vec<DataType>,
}

const ONE: Factor = Factor {
    unscaled: 1,
    scale: 0,
};

impl Aggregates {
    /// Lowers one aggregate of the query.
    ///
    /// # Errors
    /// A [`Problem`] that names the aggregate, or what of its argument cannot be said.
    pub(super) fn lower(
        &mut self,
        call: &AggregateFunction,
        scope: &Scope<'_>,
        input: &Lowered,
    ) -> Result<Part, Problem> {
        let params = &call.params;
        let name = call.func.name();
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return Err(Problem::new(
                &codes::SQL_AGGREGATE,
                format!("`{name}` with ORDER BY or NULL treatment cannot be checked"),
                "leave it out",
            ));
        }
        let filter = params
            .filter
            .as_deref()
            .map(|filter| scope.lower(filter))
            .transpose()?;
        match (name, params.distinct, params.args.as_slice()) {
            ("count", false, [SqlExpr::Literal(value, _)]) if !value.is_null() => {
                Ok(Part::Value(self.rows_where(filter)))
            }
            ("count", false, [arg]) => self.count(arg, filter, scope, input),
            ("count", true, [arg]) => self.count_units(arg, filter, scope, input),
            ("sum", false, [arg]) => {
                let terms = terms_of(name, arg, filter, scope, input)?;
                self.sum(&terms, input)
            }
            ("avg", false, [arg]) => {
                let terms = terms_of(name, arg, filter, scope, input)?;
                let rows = match terms.terms.as_slice() {
                    [term] if terms.single && term.quantity != Quantity::Row => {
                        self.count_of(term.when.clone(), term.quantity)
                    }
                    _ => self.rows_where(terms.defined.clone()),
                };
                Ok(Part::Mean {
                    terms: self.terms(&terms.terms, input)?,
                    rows,
                })
            }
            (name, false, args) if moments::takes(name) => {
                let mut variables = Vec::with_capacity(args.len());
                for arg in args {
                    variables.push(terms_of(name, arg, filter.clone(), scope, input)?);
                }
                self.moment(name, &variables, input)
            }
            ("min" | "max", _, [arg]) => self.extreme(name, arg, filter, scope, input),
            _ => {
                let distinct = if params.distinct { "distinct " } else { "" };
                Err(Problem::of(
                    &codes::SQL_AGGREGATE,
                    format!("`{name}({distinct}…)` over people's rows cannot be checked"),
                ))
            }
        }
    }

    /// People with a row: what a query counts that lists values without counting.
    pub(super) fn units(&mut self) -> usize {
        self.place(Aggregate::CountUnits, DataType::Int64)
    }

    pub(super) fn place(&mut self, aggregate: Aggregate, ty: DataType) -> usize {
        match self.aggregates.iter().position(|known| *known == aggregate) {
            Some(position) => position,
            None => {
                self.aggregates.push(aggregate);
                self.types.push(ty);
                self.aggregates.len() - 1
            }
        }
    }

    pub(super) fn argument_of(&mut self, argument: Argument) -> usize {
        match self.arguments.iter().position(|known| *known == argument) {
            Some(position) => position,
            None => {
                self.arguments.push(argument);
                self.arguments.len() - 1
            }
        }
    }

    /// The count of rows where a quantity has a value and a condition is true.
    pub(super) fn count_of(&mut self, when: Option<Expr>, quantity: Quantity) -> usize {
        let argument = self.argument_of(Argument { when, quantity });
        self.place(Aggregate::Count(argument), DataType::Int64)
    }

    /// The count of rows where a condition is true.
    pub(super) fn rows_where(&mut self, condition: Option<Expr>) -> usize {
        let aggregate = match condition {
            None => Aggregate::CountRows,
            Some(when) => Aggregate::Count(self.argument_of(Argument {
                when: Some(when),
                quantity: Quantity::Row,
            })),
        };
        self.place(aggregate, DataType::Int64)
    }

    fn count(
        &mut self,
        arg: &SqlExpr,
        filter: Option<Expr>,
        scope: &Scope<'_>,
        input: &Lowered,
    ) -> Result<Part, Problem> {
        let bare = match scope.bare(arg)? {
            // Whatever the engine would make of it, a pid under a conversion is still a pid.
            None => match arg {
                SqlExpr::Cast(cast) => scope.bare(&cast.expr)?.filter(|slot| *slot == Slot::Unit),
                _ => None,
            },
            bare => bare,
        };
        let value = match bare {
            // Every row has its unit.
            Some(Slot::Unit) => return Ok(Part::Value(self.rows_where(filter))),
            Some(Slot::UnitOrNull(position)) => Expr::Column(position),
            Some(Slot::Column(_)) | None => scope.lower(uncast(arg, scope))?,
        };
        let fact = match &value {
            Expr::Column(position) => input.facts.get(*position),
            _ => None,
        };
        Ok(Part::Value(match (value, fact) {
            (Expr::Column(position), Some(Fact::Quantity | Fact::OneOf(_) | Fact::Nothing)) => {
                self.count_of(filter, Quantity::Column(position))
            }
            (value, _) => self.rows_where(and(input.facts().defined(&value), filter)),
        }))
    }

    fn count_units(
        &mut self,
        arg: &SqlExpr,
        filter: Option<Expr>,
        scope: &Scope<'_>,
        input: &Lowered,
    ) -> Result<Part, Problem> {
        let condition = match scope.bare(arg)? {
            Some(Slot::Unit) => None,
            Some(Slot::UnitOrNull(position)) => input.facts().defined(&Expr::Column(position)),
            Some(Slot::Column(_)) | None => match unit_case(arg, scope)? {
                Some(case) => input.facts().defined(&case),
                None => {
                    return Err(Problem::new(
                        &codes::SQL_AGGREGATE,
                        "count(distinct …) of something else than pid cannot be checked beside other aggregates",
                        "use count(distinct pid), or count the values that enough people have: \
                         `SELECT count(*) FROM (SELECT x FROM … GROUP BY x)`",
                    ));
                }
            },
        };
        let aggregate = match and(condition, filter) {
            None => Aggregate::CountUnits,
            Some(when) => Aggregate::CountUnitsOf(self.argument_of(Argument {
                when: Some(when),
                quantity: Quantity::Row,
            })),
        };
        Ok(Part::Value(self.place(aggregate, DataType::Int64)))
    }

    fn sum(&mut self, terms: &Terms, input: &Lowered) -> Result<Part, Problem> {
        let parts = self.terms(&terms.terms, input)?;
        match (terms.terms.as_slice(), parts.as_slice()) {
            ([term], [(ONE, value)]) if terms.single && term.quantity != Quantity::Row => {
                Ok(Part::Value(*value))
            }
            _ => Ok(Part::Total {
                rows: match &terms.defined {
                    None => None,
                    defined => Some(self.rows_where(defined.clone())),
                },
                terms: parts,
            }),
        }
    }

    fn terms(&mut self, terms: &[Term], input: &Lowered) -> Result<Vec<(Factor, usize)>, Problem> {
        let mut parts = Vec::with_capacity(terms.len());
        for term in terms {
            let value = match term.quantity {
                Quantity::Row => self.rows_where(term.when.clone()),
                Quantity::Column(_) | Quantity::Product(..) => {
                    let argument = self.argument_of(Argument {
                        when: term.when.clone(),
                        quantity: term.quantity,
                    });
                    self.place(Aggregate::Sum(argument), sum_type(term.quantity, input)?)
                }
            };
            parts.push((term.factor, value));
        }
        Ok(parts)
    }

    fn extreme(
        &mut self,
        name: &str,
        arg: &SqlExpr,
        filter: Option<Expr>,
        scope: &Scope<'_>,
        input: &Lowered,
    ) -> Result<Part, Problem> {
        if matches!(scope.bare(arg)?, Some(Slot::Unit | Slot::UnitOrNull(_))) {
            return Err(Problem::of(
                &codes::SQL_PID,
                format!("{name}(pid) has no meaning"),
            ));
        }
        let lowered = scope.lower(arg)?;
        let (when, value) = match &lowered {
            Expr::Case {
                branches,
                otherwise: None,
            } => match branches.as_slice() {
                [(when, value)] => (Some(when.clone()), value),
                _ => (None, &lowered),
            },
            _ => (None, &lowered),
        };
        let Expr::Column(position) = value else {
            return Err(Problem::new(
                &codes::SQL_AGGREGATE,
                format!("`{name}` of a computed value cannot be checked"),
                "take it of a column as it is, and compute above the aggregation",
            ));
        };
        let ty = input.type_of(value)?;
        if matches!(ty, ColumnType::Bool | ColumnType::Text) {
            return Err(Problem::new(
                &codes::SQL_AGGREGATE,
                format!("`{name}` of a {ty} cannot be checked"),
                "list the values that enough people have: `SELECT DISTINCT x FROM …`, or group by the column",
            ));
        }
        let argument = self.argument_of(Argument {
            when: and(when, filter),
            quantity: Quantity::Column(*position),
        });
        let aggregate = match name {
            "min" => Aggregate::Min(argument),
            _ => Aggregate::Max(argument),
        };
        Ok(Part::Value(self.place(aggregate, ty.arrow())))
    }
}

/// The engine's type of sums of a quantity.
///
/// # Errors
/// A [`Problem`] when it is none of the input's.
pub(super) fn sum_type(quantity: Quantity, input: &Lowered) -> Result<DataType, Problem> {
    let value = quantity.expr().unwrap_or(Expr::Literal(Value::Int(0)));
    let scale = match input.type_of(&value)? {
        ColumnType::Decimal { scale } => scale,
        _ => 0,
    };
    Ok(DataType::Decimal128(DECIMAL_PRECISION, scale as i8))
}

fn terms_of(
    name: &str,
    arg: &SqlExpr,
    filter: Option<Expr>,
    scope: &Scope<'_>,
    input: &Lowered,
) -> Result<Terms, Problem> {
    // Whatever the engine would make of it, a pid under a conversion is still a pid.
    let converted = match uncast(arg, scope) {
        SqlExpr::Cast(cast) => &cast.expr,
        other => other,
    };
    if matches!(scope.bare(converted)?, Some(Slot::Unit | Slot::UnitOrNull(_))) {
        return Err(Problem::of(
            &codes::SQL_PID,
            format!("{name}(pid) has no meaning"),
        ));
    }
    let value = scope.lower(uncast(arg, scope))?;
    Ok(input.facts().terms(&value)?.where_true(filter))
}

/// `CASE WHEN … THEN pid END` with TRUE in the place of the pid; `None` when it is something else.
fn unit_case(expr: &SqlExpr, scope: &Scope<'_>) -> Result<Option<Expr>, Problem> {
    let (SqlExpr::Case(case), mut branches) = (unaliased(expr), Vec::new()) else {
        return Ok(None);
    };
    let pid_or_null = |value: &SqlExpr| -> Result<Option<Expr>, Problem> {
        Ok(match (scope.bare(value)?, value) {
            (Some(Slot::Unit), _) => Some(Expr::Literal(Value::Bool(true))),
            (Some(Slot::UnitOrNull(position)), _) => Some(Expr::Column(position)),
            (_, SqlExpr::Literal(value, _)) if value.is_null() => {
                Some(Expr::Literal(Value::Null(ColumnType::Bool)))
            }
            _ => None,
        })
    };
    for (condition, value) in scope.branches(case)? {
        match pid_or_null(value)? {
            Some(value) => branches.push((condition, value)),
            None => return Ok(None),
        }
    }
    let otherwise = match &case.else_expr {
        None => None,
        Some(value) => match pid_or_null(value)? {
            Some(value) => Some(Box::new(value)),
            None => return Ok(None),
        },
    };
    Ok(Some(Expr::Case { branches, otherwise }))
}

fn unaliased(expr: &SqlExpr) -> &SqlExpr {
    match expr {
        SqlExpr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

/// The aggregate function of an aggregate expression.
///
/// # Errors
/// A [`Problem`] when it is something else.
pub(super) fn call_of(expr: &SqlExpr) -> Result<&AggregateFunction, Problem> {
    match unaliased(expr) {
        SqlExpr::AggregateFunction(call) => Ok(call),
        other => Err(Problem::of(
            &codes::SQL_AGGREGATE,
            format!("`{other}` is not an aggregate that can be checked"),
        )),
    }
}

/// The engine widens the argument of avg to a float; the aggregate is still of the column. Any other conversion is the
/// analyst's and makes the argument a computed one.
pub(super) fn uncast<'a>(expr: &'a SqlExpr, scope: &Scope<'_>) -> &'a SqlExpr {
    match expr {
        SqlExpr::Alias(alias) => uncast(&alias.expr, scope),
        SqlExpr::Cast(cast) if cast.field.data_type() == &DataType::Float64 => {
            match cast.expr.get_type(scope.schema) {
                Ok(DataType::Int64 | DataType::Decimal128(..)) => &cast.expr,
                _ => expr,
            }
        }
        other => other,
    }
}
