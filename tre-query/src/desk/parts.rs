//! An aggregate of the query over the treated values of its frontier.
//!
//! Averages, variances and correlations are not computed from people's rows and treated afterwards: they are recomputed,
//! above the frontier, from counts, sums and co-moments that have been treated. So they tell nothing that these do not,
//! and inherit the worst status among them. A co-moment n·Σxy − Σx·Σy is a base cell of its own, because the difference
//! of two sums that have lost digits would have lost them all.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::scalar::ScalarValue;
use datafusion::functions::expr_fn::{coalesce, greatest, least, nullif, sqrt};
use datafusion::logical_expr::{Expr as SqlExpr, cast, lit, when};

use tre_core::codes::Problem;
use tre_core::types::DECIMAL_PRECISION;

use super::session::planning_problem;
use super::terms::Factor;
use super::upper::unless_suppressed;

/// Which base-cell values an aggregate of the query is made of; numbers are positions among the frontier's aggregates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// One of the frontier's aggregates as it is.
    Value(usize),
    /// Constants times values, added up.
    Total {
        terms: Vec<(Factor, usize)>,
        /// The count of rows where the argument is not NULL; `None`: it never is.
        rows: Option<usize>,
    },
    /// Such a total divided by a count.
    Mean {
        terms: Vec<(Factor, usize)>,
        rows: usize,
    },
    /// A variance, or its root, a standard deviation.
    Variance {
        root: bool,
        sample: bool,
        rows: usize,
        factor: Factor,
        /// n·Σx² − (Σx)².
        scatter: usize,
    },
    /// A covariance.
    Covariance {
        sample: bool,
        rows: usize,
        factors: [Factor; 2],
        /// n·Σxy − Σx·Σy.
        scatter: usize,
    },
    /// Pearson's coefficient of correlation, from −1 to 1.
    Correlation {
        factors: [Factor; 2],
        /// n·Σx² − (Σx)², and that of y.
        scatters: [usize; 2],
        /// n·Σxy − Σx·Σy.
        common: usize,
    },
}

impl Part {
    /// All values that it is made of.
    pub(super) fn values(&self) -> Vec<usize> {
        match self {
            Part::Value(value) => vec![*value],
            Part::Total { terms, rows } => terms.iter().map(|(_, value)| *value).chain(*rows).collect(),
            Part::Mean { terms, rows } => terms.iter().map(|(_, value)| *value).chain([*rows]).collect(),
            Part::Variance { rows, scatter, .. } | Part::Covariance { rows, scatter, .. } => {
                vec![*rows, *scatter]
            }
            Part::Correlation {
                scatters: [x, y],
                common,
                ..
            } => vec![*x, *y, *common],
        }
    }

    /// Its status: the worst of its values'. `column` gives the columns of the treated cells by prefix and position.
    pub(super) fn status(&self, column: &impl Fn(char, usize) -> SqlExpr) -> SqlExpr {
        let mut statuses: Vec<SqlExpr> = self.values().into_iter().map(|i| column('s', i)).collect();
        match statuses.len() {
            // A constant: nothing was done to it.
            0 => lit(0_i32),
            1 => statuses.swap_remove(0),
            _ => greatest(statuses),
        }
    }

    /// Its value of the engine's type `ty`; NULL where one of its values is suppressed.
    ///
    /// # Errors
    /// A [`Problem`] when a constant has no counterpart in `ty`.
    pub(super) fn value(
        &self,
        column: &impl Fn(char, usize) -> SqlExpr,
        ty: &DataType,
    ) -> Result<SqlExpr, Problem> {
        let number = |i: usize| cast(column('v', i), DataType::Float64);
        let value = match self {
            Part::Value(i) => return Ok(column('v', *i)),
            Part::Total { terms, rows } => {
                let total = cast(total(terms, column, ty)?, ty.clone());
                match rows {
                    None => total,
                    Some(rows) => when(
                        column('v', *rows).eq(lit(0_i64)),
                        lit(ScalarValue::try_from(ty).map_err(planning_problem)?),
                    )
                    .otherwise(total)
                    .map_err(planning_problem)?,
                }
            }
            Part::Mean { terms, rows } => {
                let rows = cast(nullif(column('v', *rows), lit(0_i64)), DataType::Float64);
                cast(total(terms, column, ty)?, DataType::Float64) / rows
            }
            Part::Variance {
                root,
                sample,
                rows,
                factor,
                scatter,
            } => {
                let variance =
                    float(*factor)? * float(*factor)? * number(*scatter) / freedom(number(*rows), *sample)?;
                if *root { sqrt(variance) } else { variance }
            }
            Part::Covariance {
                sample,
                rows,
                factors: [x, y],
                scatter,
            } => float(*x)? * float(*y)? * number(*scatter) / freedom(number(*rows), *sample)?,
            Part::Correlation {
                factors: [x, y],
                scatters: [xx, yy],
                common,
            } => {
                let opposite = (x.unscaled < 0) != (y.unscaled < 0);
                let sign = lit(if opposite { -1_f64 } else { 1_f64 });
                let scales = positive(number(*xx))? * positive(number(*yy))?;
                let r = sign * number(*common) / sqrt(scales);
                // Of rounded values it can come out a little beyond; of NULL these two would make a number.
                let inside = greatest(vec![lit(-1_f64), least(vec![lit(1_f64), r.clone()])]);
                when(r.is_not_null(), inside).end().map_err(planning_problem)?
            }
        };
        unless_suppressed(self.status(column), value, ty)
    }
}

/// Constants times values, added up; a term that no row has is 0, not NULL.
fn total(
    terms: &[(Factor, usize)],
    column: &impl Fn(char, usize) -> SqlExpr,
    ty: &DataType,
) -> Result<SqlExpr, Problem> {
    let mut total = zero(ty)?;
    for (factor, value) in terms {
        let value = coalesce(vec![cast(column('v', *value), ty.clone()), zero(ty)?]);
        let term = match factor {
            Factor {
                unscaled: 1,
                scale: 0,
            } => value,
            Factor {
                unscaled: -1,
                scale: 0,
            } => SqlExpr::Negative(Box::new(value)),
            factor => constant(*factor, ty)? * value,
        };
        total = total + term;
    }
    Ok(total)
}

fn constant(factor: Factor, ty: &DataType) -> Result<SqlExpr, Problem> {
    let literal = ScalarValue::Decimal128(Some(factor.unscaled), DECIMAL_PRECISION, factor.scale as i8);
    Ok(lit(literal.cast_to(ty).map_err(planning_problem)?))
}

fn float(factor: Factor) -> Result<SqlExpr, Problem> {
    constant(factor, &DataType::Float64)
}

/// What a scatter of n rows is divided by: n·(n − 1) for a sample, n² otherwise; NULL where that is 0.
fn freedom(rows: SqlExpr, sample: bool) -> Result<SqlExpr, Problem> {
    let less = if sample {
        rows.clone() - lit(1_f64)
    } else {
        rows.clone()
    };
    positive(rows * less)
}

/// The value where it is above 0, NULL elsewhere.
fn positive(value: SqlExpr) -> Result<SqlExpr, Problem> {
    when(value.clone().gt(lit(0_f64)), value)
        .end()
        .map_err(planning_problem)
}

fn zero(ty: &DataType) -> Result<SqlExpr, Problem> {
    Ok(lit(ScalarValue::new_zero(ty).map_err(planning_problem)?))
}
