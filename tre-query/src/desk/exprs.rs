//! Expressions of the engine as expressions of the algebra.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::scalar::ScalarValue;
use datafusion::common::{Column, DFSchema};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{BinaryExpr, Expr as SqlExpr, Operator};

use tre_core::algebra::{Arithmetic, Comparison, DatePart, Expr, Function};
use tre_core::codes::{self, Problem};
use tre_core::manifest::UNIT_COLUMN;
use tre_core::types::{ColumnType, Value};

/// Where a column of the engine's plan lives in the algebra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// It is the unit of the row.
    Unit,
    /// It is the unit of the row where the column at this position is not NULL, and NULL elsewhere: the pid of the right
    /// side of a left join.
    UnitOrNull(usize),
    /// It is the column at this position.
    Column(usize),
}

/// Columns of one node: the engine's schema, and where each of its fields lives.
pub(super) struct Scope<'a> {
    pub(super) schema: &'a DFSchema,
    pub(super) slots: &'a [Slot],
}

impl Scope<'_> {
    /// Where a column lives.
    pub(super) fn slot(&self, column: &Column) -> Result<Slot, Problem> {
        let index = self
            .schema
            .index_of_column(column)
            .map_err(super::session::planning_problem)?;
        self.slots.get(index).copied().ok_or_else(|| {
            Problem::of(
                &codes::RUN_INTERNAL,
                format!("column `{}` has no place", column.name),
            )
        })
    }

    /// Where an expression lives if it is a bare column.
    pub(super) fn bare(&self, expr: &SqlExpr) -> Result<Option<Slot>, Problem> {
        match expr {
            SqlExpr::Alias(alias) => self.bare(&alias.expr),
            SqlExpr::Column(column) => self.slot(column).map(Some),
            _ => Ok(None),
        }
    }

    /// Lowers an expression.
    ///
    /// # Errors
    /// A [`Problem`] that names the construct which the algebra does not have.
    pub(super) fn lower(&self, expr: &SqlExpr) -> Result<Expr, Problem> {
        let boxed = |e: &SqlExpr| self.lower(e).map(Box::new);
        match expr {
            SqlExpr::Alias(alias) => self.lower(&alias.expr),
            SqlExpr::Column(column) => match self.slot(column)? {
                Slot::Column(position) => Ok(Expr::Column(position)),
                Slot::Unit | Slot::UnitOrNull(_) => Err(Problem::of(
                    &codes::SQL_PID,
                    format!("`{UNIT_COLUMN}` is used as a value"),
                )),
            },
            SqlExpr::Literal(value, _) => literal(value).map(Expr::Literal),
            SqlExpr::BinaryExpr(binary) => self.binary(binary),
            SqlExpr::Not(a) => Ok(Expr::Not(boxed(a)?)),
            SqlExpr::IsNull(a) => self.is_null(a),
            SqlExpr::IsNotNull(a) => Ok(not(self.is_null(a)?)),
            SqlExpr::IsTrue(a) => Ok(known_and(self.lower(a)?, |a| a)),
            SqlExpr::IsFalse(a) => Ok(known_and(self.lower(a)?, not)),
            SqlExpr::IsNotTrue(a) => Ok(not(known_and(self.lower(a)?, |a| a))),
            SqlExpr::IsNotFalse(a) => Ok(not(known_and(self.lower(a)?, not))),
            SqlExpr::IsUnknown(a) => Ok(Expr::IsNull(boxed(a)?)),
            SqlExpr::IsNotUnknown(a) => Ok(not(Expr::IsNull(boxed(a)?))),
            SqlExpr::Negative(a) => Ok(Expr::Arithmetic(
                Arithmetic::Multiply,
                Box::new(Expr::Literal(Value::Int(-1))),
                boxed(a)?,
            )),
            SqlExpr::Between(between) => {
                let low = Expr::Compare(Comparison::GtEq, boxed(&between.expr)?, boxed(&between.low)?);
                let high = Expr::Compare(Comparison::LtEq, boxed(&between.expr)?, boxed(&between.high)?);
                let both = Expr::And(Box::new(low), Box::new(high));
                Ok(if between.negated { not(both) } else { both })
            }
            SqlExpr::Like(like) => {
                let pattern = match like.pattern.as_ref() {
                    SqlExpr::Literal(value, _) => value.try_as_str().flatten(),
                    _ => None,
                };
                let Some(pattern) = pattern.filter(|_| matches!(like.escape_char, None | Some('\\'))) else {
                    return Err(not_allowed(
                        "LIKE with a computed pattern or another escape than `\\`",
                    ));
                };
                let found = Expr::Like {
                    input: boxed(&like.expr)?,
                    pattern: pattern.to_owned(),
                    case_insensitive: like.case_insensitive,
                };
                Ok(if like.negated { not(found) } else { found })
            }
            SqlExpr::InList(list) => {
                let values = list
                    .list
                    .iter()
                    .map(|item| match self.lower(item)? {
                        Expr::Literal(value) => Ok(value),
                        _ => Err(not_allowed("IN over computed values")),
                    })
                    .collect::<Result<Vec<_>, Problem>>()?;
                let found = Expr::InList(boxed(&list.expr)?, values);
                Ok(if list.negated { not(found) } else { found })
            }
            SqlExpr::Cast(cast) => self.cast(&cast.expr, cast.field.data_type()),
            SqlExpr::TryCast(cast) => self.cast(&cast.expr, cast.field.data_type()),
            SqlExpr::ScalarFunction(call) => self.call(call.func.name(), &call.args),
            SqlExpr::Case(case) => {
                let mut branches = Vec::with_capacity(case.when_then_expr.len());
                for (condition, value) in self.branches(case)? {
                    branches.push((condition, self.lower(value)?));
                }
                let otherwise = case.else_expr.as_deref().map(boxed).transpose()?;
                Ok(Expr::Case { branches, otherwise })
            }
            SqlExpr::Exists(_)
            | SqlExpr::InSubquery(_)
            | SqlExpr::ScalarSubquery(_)
            | SqlExpr::SetComparison(_) => Err(not_allowed("a subquery")),
            SqlExpr::AggregateFunction(_) | SqlExpr::WindowFunction(_) => {
                Err(not_allowed("an aggregate or window inside of an expression"))
            }
            SqlExpr::Placeholder(_) => Err(Problem::of(
                &codes::SQL_PARAMETERS,
                "a placeholder stands where no value can be bound",
            )),
            other => Err(not_allowed(&format!("`{other}`"))),
        }
    }

    fn is_null(&self, expr: &SqlExpr) -> Result<Expr, Problem> {
        match self.bare(expr)? {
            // Every row below a frontier has its unit.
            Some(Slot::Unit) => Ok(Expr::Literal(Value::Bool(false))),
            Some(Slot::UnitOrNull(position)) => Ok(Expr::IsNull(Box::new(Expr::Column(position)))),
            Some(Slot::Column(_)) | None => Ok(Expr::IsNull(Box::new(self.lower(expr)?))),
        }
    }

    /// The branches of a CASE: conditions lowered, values as they are.
    ///
    /// # Errors
    /// As for [`Self::lower`].
    pub(super) fn branches<'e>(&self, case: &'e Case) -> Result<Vec<(Expr, &'e SqlExpr)>, Problem> {
        let subject = case
            .expr
            .as_deref()
            .map(|subject| self.lower(subject))
            .transpose()?;
        let branch = |(condition, value): &'e (Box<SqlExpr>, Box<SqlExpr>)| {
            let condition = self.lower(condition)?;
            let condition = match &subject {
                None => condition,
                Some(subject) => {
                    Expr::Compare(Comparison::Eq, Box::new(subject.clone()), Box::new(condition))
                }
            };
            Ok((condition, value.as_ref()))
        };
        case.when_then_expr.iter().map(branch).collect()
    }

    fn binary(&self, binary: &BinaryExpr) -> Result<Expr, Problem> {
        let (left, right) = (self.bare(&binary.left)?, self.bare(&binary.right)?);
        let present = |position: usize| not(Expr::IsNull(Box::new(Expr::Column(position))));
        // Both are the one unit of the row; where one of them is missing, the comparison is NULL.
        let both = match (left, right) {
            (Some(Slot::Unit), Some(Slot::Unit)) => Some(None),
            (Some(Slot::Unit), Some(Slot::UnitOrNull(a))) | (Some(Slot::UnitOrNull(a)), Some(Slot::Unit)) => {
                Some(Some(present(a)))
            }
            (Some(Slot::UnitOrNull(a)), Some(Slot::UnitOrNull(b))) => {
                Some(Some(Expr::And(Box::new(present(a)), Box::new(present(b)))))
            }
            _ => None,
        };
        if let Some(present) = both {
            let equal = match binary.op {
                Operator::Eq => Expr::Literal(Value::Bool(true)),
                Operator::NotEq => Expr::Literal(Value::Bool(false)),
                op => {
                    return Err(Problem::of(
                        &codes::SQL_PID,
                        format!("`{UNIT_COLUMN}` has no order: `{op}`"),
                    ));
                }
            };
            return Ok(match present {
                None => equal,
                Some(present) => Expr::Case {
                    branches: vec![(present, equal)],
                    otherwise: None,
                },
            });
        }
        let (a, b) = (
            Box::new(self.lower(&binary.left)?),
            Box::new(self.lower(&binary.right)?),
        );
        let compare = |op, a, b| Ok(Expr::Compare(op, a, b));
        let compute = |op, a, b| Ok(Expr::Arithmetic(op, a, b));
        match binary.op {
            Operator::And => Ok(Expr::And(a, b)),
            Operator::Or => Ok(Expr::Or(a, b)),
            Operator::Eq => compare(Comparison::Eq, a, b),
            Operator::NotEq => compare(Comparison::NotEq, a, b),
            Operator::IsNotDistinctFrom => Ok(not_distinct(*a, *b)),
            Operator::IsDistinctFrom => Ok(not(not_distinct(*a, *b))),
            Operator::Lt => compare(Comparison::Lt, a, b),
            Operator::LtEq => compare(Comparison::LtEq, a, b),
            Operator::Gt => compare(Comparison::Gt, a, b),
            Operator::GtEq => compare(Comparison::GtEq, a, b),
            Operator::Plus => compute(Arithmetic::Add, a, b),
            Operator::Minus => compute(Arithmetic::Subtract, a, b),
            Operator::Multiply => compute(Arithmetic::Multiply, a, b),
            Operator::Divide => compute(Arithmetic::Divide, a, b),
            Operator::Modulo => compute(Arithmetic::Modulo, a, b),
            op => Err(not_allowed(&format!("the operator `{op}`"))),
        }
    }

    fn cast(&self, expr: &SqlExpr, to: &DataType) -> Result<Expr, Problem> {
        let Some(to) = column_type(to) else {
            return Err(Problem::new(
                &codes::SQL_NOT_ALLOWED,
                format!("a conversion to {to} is not allowed below the aggregation"),
                "compare with a number of the column's own kind, or compute it above the aggregation",
            ));
        };
        if let SqlExpr::Literal(value, _) = expr {
            // A constant that has no counterpart is NULL, like every other value.
            let cast = value.cast_to(&to.arrow()).unwrap_or(ScalarValue::Null);
            return Ok(Expr::Literal(if cast.is_null() {
                Value::Null(to)
            } else {
                literal(&cast)?
            }));
        }
        Ok(Expr::Cast(Box::new(self.lower(expr)?), to))
    }

    fn call(&self, name: &str, args: &[SqlExpr]) -> Result<Expr, Problem> {
        let function = match (name, args) {
            ("lower", _) => Function::Lower,
            ("upper", _) => Function::Upper,
            ("btrim", [_]) => Function::Trim,
            ("character_length", _) => Function::CharLength,
            ("substr", _) => Function::Substr,
            // A negative length means something else.
            ("left", [text, SqlExpr::Literal(ScalarValue::Int64(Some(length)), _)]) if *length >= 0 => {
                let start = Expr::Literal(Value::Int(1));
                let length = Expr::Literal(Value::Int(*length));
                return Ok(Expr::Call(
                    Function::Substr,
                    vec![self.lower(text)?, start, length],
                ));
            }
            ("coalesce", [first, rest @ ..]) => {
                let mut branches = Vec::with_capacity(args.len());
                let Some((last, before)) = rest.split_last() else {
                    return self.lower(first);
                };
                for value in std::iter::once(first).chain(before) {
                    branches.push((not(self.is_null(value)?), self.lower(value)?));
                }
                return Ok(Expr::Case {
                    branches,
                    otherwise: Some(Box::new(self.lower(last)?)),
                });
            }
            ("nullif", [value, null]) => {
                let value = self.lower(value)?;
                let equal = Expr::Compare(
                    Comparison::Eq,
                    Box::new(value.clone()),
                    Box::new(self.lower(null)?),
                );
                let differs = not(known_and(equal, |equal| equal));
                return Ok(Expr::Case {
                    branches: vec![(differs, value)],
                    otherwise: None,
                });
            }
            ("date_part", [part, input]) => {
                return Ok(Expr::Call(
                    Function::Extract(date_part(part)?),
                    vec![self.lower(input)?],
                ));
            }
            ("date_trunc", [part, input]) => {
                return Ok(Expr::Call(
                    Function::Truncate(date_part(part)?),
                    vec![self.lower(input)?],
                ));
            }
            _ => return Err(not_allowed(&format!("the function `{name}`"))),
        };
        Ok(Expr::Call(
            function,
            args.iter().map(|arg| self.lower(arg)).collect::<Result<_, _>>()?,
        ))
    }
}

/// Negation.
pub(super) fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

/// `map(a) AND a IS NOT NULL`: true or false, never NULL.
fn known_and(a: Expr, map: impl Fn(Expr) -> Expr) -> Expr {
    Expr::And(Box::new(map(a.clone())), Box::new(not(Expr::IsNull(Box::new(a)))))
}

/// Equal, or both NULL: true or false, never NULL.
fn not_distinct(a: Expr, b: Expr) -> Expr {
    let null = |e: &Expr| Box::new(Expr::IsNull(Box::new(e.clone())));
    let both_null = Expr::And(null(&a), null(&b));
    let equal = Expr::Compare(Comparison::Eq, Box::new(a), Box::new(b));
    Expr::Or(Box::new(both_null), Box::new(known_and(equal, |equal| equal)))
}

pub(super) fn not_allowed(what: &str) -> Problem {
    Problem::of(
        &codes::SQL_NOT_ALLOWED,
        format!("{what} is not allowed below the aggregation"),
    )
}

fn date_part(expr: &SqlExpr) -> Result<DatePart, Problem> {
    let text = match expr {
        SqlExpr::Literal(value, _) => value.try_as_str().flatten().map(str::to_lowercase),
        _ => None,
    };
    match text.as_deref() {
        Some("year") => Ok(DatePart::Year),
        Some("quarter") => Ok(DatePart::Quarter),
        Some("month") => Ok(DatePart::Month),
        Some("day") => Ok(DatePart::Day),
        _ => Err(not_allowed(
            "a part of a date other than year, quarter, month or day",
        )),
    }
}

/// The algebra's type for an engine type, `None` where there is none (floats among them).
pub(super) fn column_type(data_type: &DataType) -> Option<ColumnType> {
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Some(ColumnType::Int),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => Some(ColumnType::Int),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            u8::try_from(*scale)
                .ok()
                .filter(|scale| *scale <= 18)
                .map(|scale| ColumnType::Decimal { scale })
        }
        DataType::Boolean => Some(ColumnType::Bool),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(ColumnType::Text),
        DataType::Date32 => Some(ColumnType::Date),
        DataType::Timestamp(_, None) => Some(ColumnType::Timestamp),
        _ => None,
    }
}

/// A literal of the algebra from one of the engine.
fn literal(value: &ScalarValue) -> Result<Value, Problem> {
    let unsupported = || {
        Problem::new(
            &codes::SQL_NOT_ALLOWED,
            format!("the constant `{value}` has a type that is not allowed below the aggregation"),
            "write numbers with digits and a decimal point, dates as DATE '2026-01-31'",
        )
    };
    if value.is_null() {
        // An untyped NULL compares with nothing; text is the type that casts to all others.
        return Ok(Value::Null(
            column_type(&value.data_type()).unwrap_or(ColumnType::Text),
        ));
    }
    let ty = column_type(&value.data_type()).ok_or_else(unsupported)?;
    match value.cast_to(&ty.arrow()).map_err(|_| unsupported())? {
        ScalarValue::Int64(Some(v)) => Ok(Value::Int(v)),
        ScalarValue::Decimal128(Some(unscaled), _, scale) => Ok(Value::Decimal {
            unscaled,
            scale: u8::try_from(scale).map_err(|_| unsupported())?,
        }),
        ScalarValue::Boolean(Some(v)) => Ok(Value::Bool(v)),
        ScalarValue::Utf8(Some(v)) => Ok(Value::Text(v)),
        ScalarValue::Date32(Some(v)) => Ok(Value::Date(v)),
        ScalarValue::TimestampMicrosecond(Some(v), None) => Ok(Value::Timestamp(v)),
        _ => Err(unsupported()),
    }
}
