//! Expressions of the algebra as expressions of the engine, all of them total.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::common::scalar::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::expr_fn as f;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::{BinaryExpr, Expr as SqlExpr, Like, Operator, cast, in_list, lit, try_cast};

use tre_core::algebra::{self, Comparison, DatePart, Expr, Function, type_of};
use tre_core::manifest::ColumnMeta;
use tre_core::types::{ColumnType, Value};

use super::total;

/// Name of the column at a position of a node's output.
pub(super) fn column_name(position: usize) -> String {
    format!("c{position}")
}

/// An expression over columns named by [`column_name`].
///
/// # Errors
/// When the expression is not typed, which `resolve` has excluded.
pub(super) fn positional(expr: &Expr, columns: &[algebra::Column]) -> Result<SqlExpr> {
    let names = (0..columns.len()).map(|position| Column::new_unqualified(column_name(position)));
    over(expr, columns, names.collect())
}

/// An expression over columns that the engine knows by these names.
///
/// # Errors
/// As for [`positional`].
pub(super) fn over(expr: &Expr, columns: &[algebra::Column], names: Vec<Column>) -> Result<SqlExpr> {
    Builder { columns, names }.build(expr)
}

/// An expression over stored columns, named as they are stored.
///
/// # Errors
/// When the expression does not fit the columns.
pub(super) fn named(expr: &Expr, stored: &[ColumnMeta]) -> Result<SqlExpr> {
    let column = |meta: &ColumnMeta| algebra::Column::computed(meta.name.to_string(), meta.column_type);
    let columns: Vec<_> = stored.iter().map(column).collect();
    let names = stored
        .iter()
        .map(|meta| Column::new_unqualified(meta.name.to_string()));
    over(expr, &columns, names.collect())
}

struct Builder<'a> {
    columns: &'a [algebra::Column],
    names: Vec<Column>,
}

fn untyped(error: impl std::fmt::Display) -> DataFusionError {
    DataFusionError::Internal(format!("an expression that was not resolved: {error}"))
}

impl Builder<'_> {
    fn build(&self, expr: &Expr) -> Result<SqlExpr> {
        match expr {
            Expr::Column(position) => {
                let name = self
                    .names
                    .get(*position)
                    .ok_or_else(|| untyped("no such position"))?;
                Ok(SqlExpr::Column(name.clone()))
            }
            Expr::Literal(value) => Ok(lit(scalar(value)?)),
            Expr::Compare(op, a, b) => {
                let (a, b) = self.same_scale(a, b)?;
                Ok(binary(a, comparison(*op), b))
            }
            Expr::And(a, b) => Ok(binary(self.build(a)?, Operator::And, self.build(b)?)),
            Expr::Or(a, b) => Ok(binary(self.build(a)?, Operator::Or, self.build(b)?)),
            Expr::Not(a) => Ok(SqlExpr::Not(Box::new(self.build(a)?))),
            Expr::IsNull(a) => Ok(SqlExpr::IsNull(Box::new(self.build(a)?))),
            Expr::Arithmetic(op, a, b) => {
                let result = self.type_of(expr)?;
                Ok(total::arithmetic(*op, result).call(vec![self.build(a)?, self.build(b)?]))
            }
            Expr::InList(a, values) => self.in_list(a, values),
            Expr::Like {
                input,
                pattern,
                case_insensitive,
            } => Ok(SqlExpr::Like(Like::new(
                false,
                Box::new(self.build(input)?),
                Box::new(lit(pattern.as_str())),
                None,
                *case_insensitive,
            ))),
            Expr::Cast(a, to) => Ok(try_cast(self.build(a)?, to.arrow())),
            Expr::Call(function, args) => self.call(*function, args),
            Expr::Case { branches, otherwise } => {
                let result = self.type_of(expr)?.arrow();
                let when_then = branches.iter().map(|(condition, value)| {
                    let value = cast(self.build(value)?, result.clone());
                    Ok((Box::new(self.build(condition)?), Box::new(value)))
                });
                let otherwise = match otherwise {
                    None => None,
                    Some(value) => Some(Box::new(cast(self.build(value)?, result.clone()))),
                };
                Ok(SqlExpr::Case(Case::new(
                    None,
                    when_then.collect::<Result<_>>()?,
                    otherwise,
                )))
            }
        }
    }

    fn type_of(&self, expr: &Expr) -> Result<ColumnType> {
        type_of(expr, self.columns).map_err(untyped)
    }

    /// Both sides of a comparison in one type; a decimal that does not fit the finer scale is NULL.
    fn same_scale(&self, a: &Expr, b: &Expr) -> Result<(SqlExpr, SqlExpr)> {
        let types = (self.type_of(a)?, self.type_of(b)?);
        let (a, b) = (self.build(a)?, self.build(b)?);
        Ok(match types {
            (ColumnType::Decimal { scale: x }, ColumnType::Decimal { scale: y }) if x != y => {
                let common = ColumnType::Decimal { scale: x.max(y) }.arrow();
                (try_cast(a, common.clone()), try_cast(b, common))
            }
            _ => (a, b),
        })
    }

    fn in_list(&self, a: &Expr, values: &[Value]) -> Result<SqlExpr> {
        let ty = self.type_of(a)?;
        if values.iter().any(|value| value.column_type() != ty) {
            // Decimals of several scales: one comparison each.
            let mut any = lit(ScalarValue::Boolean(Some(false)));
            for value in values {
                let literal = Expr::Literal(value.clone());
                let (a, b) = self.same_scale(a, &literal)?;
                any = binary(any, Operator::Or, binary(a, Operator::Eq, b));
            }
            return Ok(any);
        }
        let list = values
            .iter()
            .map(|value| scalar(value).map(lit))
            .collect::<Result<Vec<_>>>()?;
        Ok(in_list(self.build(a)?, list, false))
    }

    fn call(&self, function: Function, args: &[Expr]) -> Result<SqlExpr> {
        let result = match args.first() {
            Some(first) => self.type_of(first)?,
            None => return Err(untyped("a function without arguments")),
        };
        let mut args = args
            .iter()
            .map(|arg| self.build(arg))
            .collect::<Result<Vec<_>>>()?
            .into_iter();
        let mut next = || args.next().ok_or_else(|| untyped("a missing argument"));
        Ok(match function {
            Function::Lower => f::lower(next()?),
            Function::Upper => f::upper(next()?),
            Function::Trim => f::btrim(vec![next()?]),
            Function::CharLength => cast(f::character_length(next()?), DataType::Int64),
            Function::Substr => match (next()?, next()?, next()) {
                (text, start, Ok(length)) => f::substring(text, start, length),
                (text, start, Err(_)) => f::substr(text, start),
            },
            Function::Extract(part) => cast(f::date_part(lit(part_name(part)), next()?), DataType::Int64),
            Function::Truncate(part) => {
                let input = try_cast(next()?, ColumnType::Timestamp.arrow());
                try_cast(f::date_trunc(lit(part_name(part)), input), result.arrow())
            }
        })
    }
}

fn binary(a: SqlExpr, op: Operator, b: SqlExpr) -> SqlExpr {
    SqlExpr::BinaryExpr(BinaryExpr::new(Box::new(a), op, Box::new(b)))
}

fn comparison(op: Comparison) -> Operator {
    match op {
        Comparison::Eq => Operator::Eq,
        Comparison::NotEq => Operator::NotEq,
        Comparison::Lt => Operator::Lt,
        Comparison::LtEq => Operator::LtEq,
        Comparison::Gt => Operator::Gt,
        Comparison::GtEq => Operator::GtEq,
    }
}

fn part_name(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "year",
        DatePart::Quarter => "quarter",
        DatePart::Month => "month",
        DatePart::Day => "day",
    }
}

fn scalar(value: &Value) -> Result<ScalarValue> {
    Ok(match value {
        Value::Null(ty) => ScalarValue::try_from(&ty.arrow())?,
        Value::Int(v) => ScalarValue::Int64(Some(*v)),
        Value::Decimal { unscaled, scale } => {
            ScalarValue::Decimal128(Some(*unscaled), tre_core::types::DECIMAL_PRECISION, *scale as i8)
        }
        Value::Bool(v) => ScalarValue::Boolean(Some(*v)),
        Value::Text(v) => ScalarValue::Utf8(Some(v.clone())),
        Value::Date(v) => ScalarValue::Date32(Some(*v)),
        Value::Timestamp(v) => ScalarValue::TimestampMicrosecond(Some(*v), None),
    })
}
