//! The normal form of what is summed: constants times quantities of the rows where conditions hold.
//!
//! `sum(CASE WHEN p THEN x ELSE 1 END)` is the sum of x over the rows where p is true and the count of the others. Each
//! of these terms becomes an argument of the frontier, with people of its own behind it; above the frontier the treated
//! terms are added up again. What has no such form cannot be summed: a number computed from several columns of a row can
//! spell out the row.

use tre_core::algebra::{self, Arithmetic, Comparison, Expr, Quantity, type_of};
use tre_core::codes::{self, Problem};
use tre_core::types::{ColumnType, Value};

use super::exprs::not;
use super::instead;

/// What is known of a column below the frontier.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    /// It may be summed as it is.
    Quantity,
    /// It has one of these values, or NULL.
    OneOf(Vec<Value>),
    /// It is this expression over columns of the same relation.
    Definition(Expr),
    /// Nothing.
    Nothing,
}

/// A number: `unscaled` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Factor {
    pub(super) unscaled: i128,
    pub(super) scale: u8,
}

/// `factor` × the quantity of the rows where `when` is true.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    pub(super) when: Option<Expr>,
    pub(super) factor: Factor,
    pub(super) quantity: Quantity,
}

/// An expression as the sum of its terms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    pub(super) terms: Vec<Term>,
    /// Where the expression is not NULL; `None`: everywhere.
    pub(super) defined: Option<Expr>,
    /// There is one term, and it has a value exactly where the expression has one.
    pub(super) single: bool,
}

/// Largest number of terms that one aggregate may have.
const MAX_TERMS: usize = 8;

/// The columns of a relation, by position.
pub(super) struct Facts<'a> {
    pub(super) columns: &'a [algebra::Column],
    pub(super) facts: &'a [Fact],
}

impl Facts<'_> {
    fn fact(&self, position: usize) -> &Fact {
        self.facts.get(position).unwrap_or(&Fact::Nothing)
    }

    fn name(&self, expr: &Expr) -> String {
        match expr {
            Expr::Column(position) => self
                .columns
                .get(*position)
                .map_or_else(|| "a column".to_owned(), |column| format!("`{}`", column.name)),
            _ => "a computed value".to_owned(),
        }
    }

    fn column_type(&self, expr: &Expr) -> Result<ColumnType, Problem> {
        type_of(expr, self.columns).map_err(|e| Problem::of(&codes::SQL_NOT_ALLOWED, e.to_string()))
    }

    /// Brings an expression into the normal form.
    ///
    /// # Errors
    /// A [`Problem`] when it has none: a function or ratio of columns, or a column that is not a quantity.
    pub(super) fn terms(&self, expr: &Expr) -> Result<Terms, Problem> {
        let terms = match expr {
            Expr::Literal(value) => self.constant(value)?,
            Expr::Column(position) => match self.fact(*position) {
                Fact::Quantity => quantity(Quantity::Column(*position), is_not_null(expr)),
                Fact::OneOf(values) => self.one_of(expr, values)?,
                Fact::Definition(definition) => self.terms(definition)?,
                Fact::Nothing => return Err(self.no_quantity(expr)),
            },
            Expr::Arithmetic(op, a, b) => self.arithmetic(*op, a, b)?,
            Expr::Cast(a, to) => match (self.column_type(a)?, *to) {
                (ColumnType::Bool, ColumnType::Int) => self.case(
                    &[((**a).clone(), Expr::Literal(Value::Int(1)))],
                    Some(&Expr::Case {
                        branches: vec![(not((**a).clone()), Expr::Literal(Value::Int(0)))],
                        otherwise: None,
                    }),
                )?,
                (ColumnType::Int, ColumnType::Int | ColumnType::Decimal { .. }) => self.terms(a)?,
                (ColumnType::Decimal { scale: from }, ColumnType::Decimal { scale }) if scale >= from => {
                    self.terms(a)?
                }
                _ => return Err(self.no_quantity(expr)),
            },
            Expr::Case { branches, otherwise } => self.case(branches, otherwise.as_deref())?,
            _ => return Err(self.no_quantity(expr)),
        };
        if terms.terms.len() > MAX_TERMS {
            return Err(Problem::new(
                &codes::SQL_TOO_LARGE,
                format!("one aggregate distinguishes more than {MAX_TERMS} cases"),
                "group by the condition instead",
            ));
        }
        Ok(terms)
    }

    /// Where an expression of any type is not NULL; `None`: everywhere.
    pub(super) fn defined(&self, expr: &Expr) -> Option<Expr> {
        match expr {
            Expr::Literal(Value::Null(_)) => Some(never()),
            Expr::Literal(_) => None,
            Expr::Column(position) => match self.fact(*position) {
                Fact::Definition(definition) => self.defined(definition),
                _ => Some(is_not_null(expr)),
            },
            Expr::Case { branches, otherwise } => {
                let mut defined = Vec::new();
                for (condition, value) in exclusive(branches, otherwise.as_deref()) {
                    match (condition, self.defined(value)) {
                        (None, None) => return None,
                        (condition, value) => defined.extend(and(condition, value)),
                    }
                }
                // Every case has a value.
                let all_values = branches
                    .iter()
                    .map(|(_, value)| value)
                    .chain(otherwise.as_deref());
                if otherwise.is_some() && all_values.into_iter().all(|value| self.defined(value).is_none()) {
                    return None;
                }
                let any = defined
                    .into_iter()
                    .reduce(|a, b| Expr::Or(Box::new(a), Box::new(b)));
                Some(any.unwrap_or(never()))
            }
            _ => Some(is_not_null(expr)),
        }
    }

    /// The constants that an expression can have beside NULL, where these are all that it can have.
    pub(super) fn constants(&self, expr: &Expr) -> Option<Vec<Value>> {
        let mut found = Vec::new();
        let mut add = |values: Vec<Value>| {
            for value in values {
                if !found.contains(&value) {
                    found.push(value);
                }
            }
        };
        match expr {
            Expr::Literal(Value::Null(_)) => {}
            Expr::Literal(value) => add(vec![value.clone()]),
            Expr::Column(position) => match self.fact(*position) {
                Fact::OneOf(values) => add(values.clone()),
                Fact::Definition(definition) => add(self.constants(definition)?),
                Fact::Quantity | Fact::Nothing => return None,
            },
            Expr::Cast(a, ColumnType::Int) if self.column_type(a).ok()? == ColumnType::Bool => {
                add(vec![Value::Int(0), Value::Int(1)]);
            }
            Expr::Case { branches, otherwise } => {
                for value in branches
                    .iter()
                    .map(|(_, value)| value)
                    .chain(otherwise.as_deref())
                {
                    add(self.constants(value)?);
                }
            }
            _ => return None,
        }
        (found.len() <= MAX_TERMS).then_some(found)
    }

    fn no_quantity(&self, expr: &Expr) -> Problem {
        let column = match expr {
            Expr::Column(position) => self.columns.get(*position),
            _computed => None,
        };
        let otherwise = column.map_or_else(
            || "count rows, or group by the column".to_owned(),
            |column| instead::counted(&[&column.name]),
        );
        Problem::new(
            &codes::SQL_MEASURE,
            format!(
                "{} is not a declared measure, nor made of measures and constants by +, -, * and CASE",
                self.name(expr)
            ),
            format!("sum declared measures (`tre schema` marks them), or {otherwise}"),
        )
    }

    fn constant(&self, value: &Value) -> Result<Terms, Problem> {
        let factor = match value {
            Value::Null(_) => {
                return Ok(Terms {
                    terms: vec![],
                    defined: Some(never()),
                    single: false,
                });
            }
            Value::Int(unscaled) => Factor {
                unscaled: i128::from(*unscaled),
                scale: 0,
            },
            Value::Decimal { unscaled, scale } => Factor {
                unscaled: *unscaled,
                scale: *scale,
            },
            other => return Err(self.no_quantity(&Expr::Literal(other.clone()))),
        };
        let term = Term {
            when: None,
            factor,
            quantity: Quantity::Row,
        };
        Ok(Terms {
            terms: if factor.unscaled == 0 { vec![] } else { vec![term] },
            defined: None,
            single: false,
        })
    }

    fn one_of(&self, column: &Expr, values: &[Value]) -> Result<Terms, Problem> {
        let mut terms = Vec::new();
        for value in values {
            for term in self.constant(value)?.terms {
                let is = Expr::Compare(
                    Comparison::Eq,
                    Box::new(column.clone()),
                    Box::new(Expr::Literal(value.clone())),
                );
                terms.push(Term {
                    when: Some(is),
                    ..term
                });
            }
        }
        Ok(Terms {
            terms,
            defined: Some(is_not_null(column)),
            single: false,
        })
    }

    fn arithmetic(&self, op: Arithmetic, a: &Expr, b: &Expr) -> Result<Terms, Problem> {
        match op {
            Arithmetic::Add | Arithmetic::Subtract => {
                let (left, mut right) = (self.terms(a)?, self.terms(b)?);
                if op == Arithmetic::Subtract {
                    for term in &mut right.terms {
                        term.factor.unscaled = -term.factor.unscaled;
                    }
                }
                let (of_left, of_right) = (left.defined.clone(), right.defined.clone());
                let mut terms = left.where_true(of_right.clone()).terms;
                terms.extend(right.where_true(of_left.clone()).terms);
                Ok(Terms {
                    terms,
                    defined: and(of_left, of_right),
                    single: false,
                })
            }
            Arithmetic::Multiply => self.product(self.terms(a)?, self.terms(b)?),
            Arithmetic::Divide | Arithmetic::Modulo => Err(Problem::new(
                &codes::SQL_MEASURE,
                "a quotient or remainder is summed over people",
                "divide the sums instead: sum(a) / sum(b)",
            )),
        }
    }

    fn product(&self, left: Terms, right: Terms) -> Result<Terms, Problem> {
        let single = match (left.terms.as_slice(), right.terms.as_slice()) {
            // A constant times the single term of the other side.
            ([_], [_]) => left.single || right.single,
            _ => false,
        };
        let defined = and(left.defined, right.defined);
        let mut terms = Vec::new();
        for a in &left.terms {
            for b in &right.terms {
                let quantity = match (a.quantity, b.quantity) {
                    (Quantity::Row, other) | (other, Quantity::Row) => other,
                    (Quantity::Column(x), Quantity::Column(y)) => Quantity::Product(x.min(y), x.max(y)),
                    _ => {
                        return Err(Problem::new(
                            &codes::SQL_MEASURE,
                            "a product of more than two columns is summed",
                            "sum products of at most two declared measures",
                        ));
                    }
                };
                let factor = a.factor.unscaled.checked_mul(b.factor.unscaled).zip(
                    a.factor
                        .scale
                        .checked_add(b.factor.scale)
                        .filter(|scale| *scale <= 18),
                );
                let (unscaled, scale) = factor.ok_or_else(|| {
                    Problem::of(
                        &codes::SQL_MEASURE,
                        "a constant factor has more digits than a decimal",
                    )
                })?;
                terms.push(Term {
                    when: and(a.when.clone(), b.when.clone()),
                    factor: Factor { unscaled, scale },
                    quantity,
                });
            }
        }
        Ok(Terms {
            terms,
            defined,
            single,
        })
    }

    fn case(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Terms, Problem> {
        let mut terms = Vec::new();
        let mut values = 0;
        let mut single = true;
        for (condition, value) in exclusive(branches, otherwise) {
            if matches!(value, Expr::Literal(Value::Null(_))) {
                continue;
            }
            let branch = self.terms(value)?.where_true(condition);
            values += 1;
            single &=
                branch.single || matches!(branch.terms.as_slice(), [term] if term.quantity == Quantity::Row);
            terms.extend(branch.terms);
        }
        let case = Expr::Case {
            branches: branches.to_vec(),
            otherwise: otherwise.cloned().map(Box::new),
        };
        Ok(Terms {
            single: single && values == 1 && terms.len() == 1,
            terms,
            defined: self.defined(&case),
        })
    }
}

impl Terms {
    /// The same, with a value only where a condition is true.
    pub(super) fn where_true(self, condition: Option<Expr>) -> Terms {
        let Some(condition) = condition else {
            return self;
        };
        let terms = self.terms.into_iter().map(|term| Term {
            when: and(term.when, Some(condition.clone())),
            ..term
        });
        Terms {
            terms: terms.collect(),
            defined: and(self.defined, Some(condition)),
            // A constant that was everywhere is now where the condition is true, and so is the term that counts it.
            single: self.single,
        }
    }
}

fn quantity(quantity: Quantity, defined: Expr) -> Terms {
    Terms {
        terms: vec![Term {
            when: None,
            factor: Factor {
                unscaled: 1,
                scale: 0,
            },
            quantity,
        }],
        defined: Some(defined),
        single: true,
    }
}

/// The values of a CASE, each with the condition under which it is taken: its own is true and none before it.
fn exclusive<'a>(branches: &'a [(Expr, Expr)], otherwise: Option<&'a Expr>) -> Vec<(Option<Expr>, &'a Expr)> {
    let mut before: Option<Expr> = None;
    let mut cases = Vec::with_capacity(branches.len() + 1);
    for (condition, value) in branches {
        cases.push((and(before.clone(), Some(condition.clone())), value));
        let is_true = Expr::And(Box::new(condition.clone()), Box::new(is_not_null(condition)));
        before = and(before, Some(not(is_true)));
    }
    cases.extend(otherwise.map(|value| (before, value)));
    cases
}

/// Both conditions; `None` is always true.
pub(super) fn and(a: Option<Expr>, b: Option<Expr>) -> Option<Expr> {
    match (a, b) {
        (Some(a), Some(b)) if a != b => Some(Expr::And(Box::new(a), Box::new(b))),
        (Some(one), _) | (None, Some(one)) => Some(one),
        (None, None) => None,
    }
}

fn is_not_null(expr: &Expr) -> Expr {
    not(Expr::IsNull(Box::new(expr.clone())))
}

fn never() -> Expr {
    Expr::Literal(Value::Bool(false))
}
