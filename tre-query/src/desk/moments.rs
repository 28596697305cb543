//! Variances, standard deviations, covariances and correlations as co-moments of measures.

use tre_core::algebra::{Aggregate, Argument, Expr, Quantity};
use tre_core::codes::{self, Problem};

use super::aggregates::{Aggregates, sum_type};
use super::lower::Lowered;
use super::parts::Part;
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
                Ok(Part::Variance {
                    root: name.starts_with("stddev"),
                    sample: !name.ends_with("_pop"),
                    rows: self.count_of(term.when.clone(), Quantity::Column(column)),
                    factor: term.factor,
                    scatter: self.comoment(term.when.as_ref(), column, column, input)?,
                })
            }
            ("covar_samp" | "covar_pop" | "corr", [x, y]) => {
                // A row counts where both have a value.
                let both = and(x.defined.clone(), y.defined.clone());
                let ((of_x, x), (of_y, y)) = (measure(name, x)?, measure(name, y)?);
                let factors = [of_x.factor, of_y.factor];
                let common = self.comoment(both.as_ref(), x, y, input)?;
                Ok(if name == "corr" {
                    Part::Correlation {
                        factors,
                        scatters: [
                            self.comoment(both.as_ref(), x, x, input)?,
                            self.comoment(both.as_ref(), y, y, input)?,
                        ],
                        common,
                    }
                } else {
                    Part::Covariance {
                        sample: name == "covar_samp",
                        rows: self.rows_where(both),
                        factors,
                        scatter: common,
                    }
                })
            }
            _ => Err(Problem::of(
                &codes::SQL_AGGREGATE,
                format!("`{name}` does not take {} arguments", variables.len()),
            )),
        }
    }

    /// The co-moment of two columns over the rows where a condition is true, and the sum of products that is judged for it.
    fn comoment(
        &mut self,
        when: Option<&Expr>,
        x: usize,
        y: usize,
        input: &Lowered,
    ) -> Result<usize, Problem> {
        let mut argument = |quantity| {
            self.argument_of(Argument {
                when: when.cloned(),
                quantity,
            })
        };
        let (of_x, of_y) = (argument(Quantity::Column(x)), argument(Quantity::Column(y)));
        let product = Quantity::Product(x.min(y), x.max(y));
        let products = argument(product);
        let ty = sum_type(product, input)?;
        self.place(Aggregate::Sum(products), ty.clone());
        let comoment = Aggregate::Comoment {
            x: of_x,
            y: of_y,
            products,
        };
        Ok(self.place(comoment, ty))
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
