//! Variances, standard deviations, covariances and correlations as sums of measures, of their squares and products.

use tre_core::algebra::{Expr, Quantity};
use tre_core::codes::{self, Problem};

use super::aggregates::Aggregates;
use super::lower::Lowered;
use super::parts::{Part, Variable};
use super::terms::{Term, Terms, and};

/// Whether an aggregate of this name is one of them.
pub(super) fn takes(name: &str) -> bool {
    matches!(
        name,
        "var" | "var_pop" | "stddev" | "stddev_pop" | "covar_samp" | "covar_pop" | "corr"
    )
}

impl Aggregates {
    /// Lowers one of them over variables in normal form.
    ///
    /// # Errors
    /// A [`Problem`] when a variable is something else than a measure times a constant.
    pub(super) fn moment(
        &mut self,
        name: &str,
        variables: &[Terms],
        input: &Lowered,
    ) -> Result<Part, Problem> {
        match (name, variables) {
            ("var" | "var_pop" | "stddev" | "stddev_pop", [variable]) => {
                let (term, column) = measure(name, variable)?;
                let when = term.when.clone();
                let rows = self.count_of(when.clone(), Quantity::Column(column));
                Ok(Part::Variance {
                    root: name.starts_with("stddev"),
                    sample: !name.ends_with("_pop"),
                    rows,
                    of: Variable {
                        factor: term.factor,
                        sum: self.sum_of(when.clone(), Quantity::Column(column), input)?,
                    },
                    squares: self.sum_of(when, Quantity::Product(column, column), input)?,
                })
            }
            ("covar_samp" | "covar_pop" | "corr", [x, y]) => {
                // A row counts where both have a value.
                let both = and(x.defined.clone(), y.defined.clone());
                let rows = self.rows_where(both.clone());
                let ((of_x, x), (of_y, y)) = (measure(name, x)?, measure(name, y)?);
                let of = [
                    self.variable(of_x, x, both.clone(), input)?,
                    self.variable(of_y, y, both.clone(), input)?,
                ];
                let mut product = |a: usize, b: usize| {
                    self.sum_of(both.clone(), Quantity::Product(a.min(b), a.max(b)), input)
                };
                let products = product(x, y)?;
                Ok(if name == "corr" {
                    Part::Correlation {
                        rows,
                        of,
                        squares: [product(x, x)?, product(y, y)?],
                        products,
                    }
                } else {
                    Part::Covariance {
                        sample: name == "covar_samp",
                        rows,
                        of,
                        products,
                    }
                })
            }
            _ => Err(Problem::of(
                &codes::SQL_AGGREGATE,
                format!("`{name}` does not take {} arguments", variables.len()),
            )),
        }
    }

    fn variable(
        &mut self,
        term: &Term,
        column: usize,
        when: Option<Expr>,
        input: &Lowered,
    ) -> Result<Variable, Problem> {
        Ok(Variable {
            factor: term.factor,
            sum: self.sum_of(when, Quantity::Column(column), input)?,
        })
    }
}

/// The one term that a variable has, and the measure that it is of.
fn measure<'a>(name: &str, variable: &'a Terms) -> Result<(&'a Term, usize), Problem> {
    match variable.terms.as_slice() {
        [term] if variable.single => match term.quantity {
            Quantity::Column(column) => Ok((term, column)),
            Quantity::Row | Quantity::Product(..) => Err(no_variable(name)),
        },
        _ => Err(no_variable(name)),
    }
}

fn no_variable(name: &str) -> Problem {
    Problem::new(
        &codes::SQL_MEASURE,
        format!("`{name}` of something else than one declared measure cannot be checked"),
        "take it of a measure as it is, or of a measure times a constant",
    )
}
