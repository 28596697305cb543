//! Joins below the frontier as joins of the algebra.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Expr as SqlExpr, Join, LogicalPlan};

use tre_core::algebra::{self, Expr, JoinKind, Node};
use tre_core::codes::{self, Problem};
use tre_core::types::Value;

use super::exprs::{Scope, Slot};
use super::lower::{Lowered, filtered, relation, scope};
use super::terms::Fact;

/// One side of a join while its equalities are collected: computed sides become columns of a projection.
struct Side<'a> {
    plan: &'a LogicalPlan,
    lowered: Lowered,
    computed: Vec<Expr>,
}

impl<'a> Side<'a> {
    fn new(plan: &'a LogicalPlan) -> Result<Self, Problem> {
        Ok(Side {
            plan,
            lowered: relation(plan)?,
            computed: vec![],
        })
    }

    fn bare(&self, expr: &SqlExpr) -> Result<Option<Slot>, Problem> {
        scope(self.plan, &self.lowered).bare(expr)
    }

    fn position(&mut self, expr: &SqlExpr) -> Result<usize, Problem> {
        match self.bare(expr)? {
            Some(Slot::Column(position)) => Ok(position),
            Some(Slot::Unit | Slot::UnitOrNull(_)) => Err(Problem::of(
                &codes::SQL_PID,
                "pid is compared with something that is not a pid of the same rows",
            )),
            None => {
                let computed = scope(self.plan, &self.lowered).lower(expr)?;
                self.computed.push(computed);
                Ok(self.lowered.columns.len() + self.computed.len() - 1)
            }
        }
    }

    /// The relation with the computed sides as its last columns.
    fn finish(self) -> Result<Lowered, Problem> {
        extended(self.lowered, self.computed)
    }
}

/// A relation with further columns at its end.
fn extended(lowered: Lowered, further: Vec<Expr>) -> Result<Lowered, Problem> {
    if further.is_empty() {
        return Ok(lowered);
    }
    let mut projected: Vec<(String, Expr)> = lowered
        .columns
        .iter()
        .enumerate()
        .map(|(position, column)| (column.name.clone(), Expr::Column(position)))
        .collect();
    let (mut columns, mut facts) = (lowered.columns.clone(), lowered.facts.clone());
    for expr in further {
        columns.push(algebra::Column::computed("key", lowered.type_of(&expr)?));
        facts.push(Fact::Nothing);
        projected.push(("key".to_owned(), expr));
    }
    Ok(Lowered {
        node: Node::Project {
            input: Box::new(lowered.node),
            columns: projected,
        },
        columns,
        facts,
        ..lowered
    })
}

/// Lowers a join.
///
/// # Errors
/// A [`Problem`] when it is of a kind that the algebra does not have, joins people on something else than pid, or lets
/// public rows live or die by people's rows.
pub(super) fn join(join: &Join) -> Result<Lowered, Problem> {
    let (kind, swapped) = match join.join_type {
        JoinType::Inner => (JoinKind::Inner, false),
        JoinType::Left => (JoinKind::Left, false),
        JoinType::Right => (JoinKind::Left, true),
        JoinType::LeftSemi => (JoinKind::Semi, false),
        JoinType::RightSemi => (JoinKind::Semi, true),
        JoinType::LeftAnti => (JoinKind::Anti, false),
        JoinType::RightAnti => (JoinKind::Anti, true),
        JoinType::Full | JoinType::LeftMark | JoinType::RightMark => {
            return Err(Problem::new(
                &codes::SQL_JOIN,
                format!(
                    "a {} join below the aggregation cannot be checked",
                    join.join_type
                ),
                "use an inner or left join, or EXISTS and IN as conditions of their own, joined by AND",
            ));
        }
    };
    let (mut first, mut second) = (Side::new(&join.left)?, Side::new(&join.right)?);
    let (mut on, mut on_unit) = (Vec::new(), false);
    for (a, b) in &join.on {
        if (first.bare(a)?, second.bare(b)?) == (Some(Slot::Unit), Some(Slot::Unit)) {
            on_unit = true;
        } else {
            on.push((first.position(a)?, second.position(b)?));
        }
    }
    if join.null_aware && !(on_unit && on.is_empty()) {
        return Err(Problem::new(
            &codes::SQL_JOIN,
            "NOT IN over something else than pid means nothing where a value is NULL",
            "use NOT EXISTS with a condition on pid",
        ));
    }
    let (first, second) = (first.finish()?, second.finish()?);
    // The algebra's left side is the one whose rows are kept, and the private one of an inner join.
    let swapped = swapped || (kind == JoinKind::Inner && !first.private && second.private);
    let on = match swapped {
        true => on.into_iter().map(|(a, b)| (b, a)).collect(),
        false => on,
    };
    let (left, right) = match swapped {
        true => (second, first),
        false => (first, second),
    };
    match (left.private, right.private) {
        (true, true) if !on_unit => Err(Problem::new(
            &codes::SQL_JOIN,
            "two tables about people are joined on something else than pid",
            "add `a.pid = b.pid` to the join condition",
        )),
        (false, true) => Err(Problem::new(
            &codes::SQL_JOIN,
            "rows of a public table are kept or dropped by what people's rows hold",
            "aggregate the people's rows first and join the result with the public table",
        )),
        (_, false) if on.is_empty() => Err(Problem::of(&codes::SQL_JOIN, "a join has no equality")),
        _ => combine(join, kind, swapped, left, right, on),
    }
}

/// Builds the join. `swapped`: the algebra's left side is the engine's right one.
fn combine(
    join: &Join,
    kind: JoinKind,
    swapped: bool,
    left: Lowered,
    right: Lowered,
    on: Vec<(usize, usize)>,
) -> Result<Lowered, Problem> {
    // Beside a left row without a partner the right pid is NULL: a column tells.
    let marks = kind == JoinKind::Left && right.slots.contains(&Slot::Unit);
    let mark = right.columns.len();
    let right = match marks {
        true => extended(right, vec![Expr::Literal(Value::Bool(true))])?,
        false => right,
    };
    let shift = left.columns.len();
    let moved = right.slots.iter().map(|slot| match slot {
        Slot::Unit if marks => Slot::UnitOrNull(mark + shift),
        Slot::Unit => Slot::Unit,
        Slot::UnitOrNull(position) => Slot::UnitOrNull(position + shift),
        Slot::Column(position) => Slot::Column(position + shift),
    });
    let moved: Vec<Slot> = moved.collect();
    let both = |a: &[Slot], b: &[Slot]| match swapped {
        true => [b, a].concat(),
        false => [a, b].concat(),
    };
    let seen = both(&left.slots, &moved);
    let mut columns = left.columns;
    columns.extend(right.columns);
    let mut facts = left.facts;
    facts.extend(right.facts.into_iter().map(|fact| {
        match fact {
            Fact::Definition(definition) => definition
                .rebased(&|position| Some(Expr::Column(position + shift)))
                .filter(|_| kind != JoinKind::Left)
                .map_or(Fact::Nothing, Fact::Definition),
            fact => fact,
        }
    }));
    let schema = match kind {
        JoinKind::Inner | JoinKind::Left => (*join.schema).clone(),
        JoinKind::Semi | JoinKind::Anti => join
            .left
            .schema()
            .join(join.right.schema())
            .map_err(super::session::planning_problem)?,
    };
    let condition = match &join.filter {
        None => None,
        Some(filter) => Some(
            Scope {
                schema: &schema,
                slots: &seen,
            }
            .lower(filter)?,
        ),
    };
    let inner = kind == JoinKind::Inner;
    let (kept, above) = match inner {
        true => (None, condition),
        false => (condition, None),
    };
    let slots = match kind.keeps_right() {
        true => seen,
        false => left.slots,
    };
    if !kind.keeps_right() {
        columns.truncate(shift);
        facts.truncate(shift);
    }
    let (private, left, right) = (left.private, Box::new(left.node), Box::new(right.node));
    let node = match right_is_private(join, swapped)? {
        true => Node::JoinUnit {
            kind,
            left,
            right,
            on,
            condition: kept,
        },
        false => Node::JoinPublic {
            kind,
            left,
            right,
            on,
            condition: kept,
        },
    };
    let joined = Lowered {
        node,
        slots,
        private,
        columns,
        facts,
    };
    Ok(match above {
        None => joined,
        Some(predicate) => filtered(joined, predicate),
    })
}

fn right_is_private(join: &Join, swapped: bool) -> Result<bool, Problem> {
    super::cut::is_private(if swapped { &join.left } else { &join.right })
}
