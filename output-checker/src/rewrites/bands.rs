//! Coarser numbers: neighbouring bands of a banded number together, and bands for a measure by its declared bounds.
//!
//! A band keeps the convention of specs: the number stands for it that is its lower bound.

use tre_core::algebra::{Arithmetic, Comparison, Expr};
use tre_core::manifest::ColumnMeta;
use tre_core::types::Value;

use super::keys::{Base, Step};
use super::level::Level;
use super::written;

/// Bands of a measure, about.
const BANDS: i128 = 8;

/// Wider bands, the narrowest first.
pub(super) fn steps(level: Level<'_>, base: &Base) -> Vec<Step> {
    match level {
        Level::Stored(_, meta) if meta.generalised == "bands" => {
            let bounds = meta.domain.as_deref().unwrap_or_default();
            [2, 4]
                .into_iter()
                .filter(|together| bounds.len() > *together)
                .map(|together| {
                    let kept: Vec<Value> = bounds.iter().step_by(together).cloned().collect();
                    banded(base, &kept, together as u64)
                })
                .collect()
        }
        Level::Stored(_, meta) => of_measure(meta, base).into_iter().collect(),
        Level::Steps(width) => match width.checked_mul(2) {
            Some(width) => vec![stepped(base, width, 2)],
            None => vec![],
        },
        Level::Date(_) | Level::Part(_) | Level::Prefix(..) | Level::Unknown => vec![],
    }
}

/// Bands between the bounds that a holder declared for a measure; none for what is no measure.
pub(super) fn of_measure(meta: &ColumnMeta, base: &Base) -> Option<Step> {
    let bounds = meta.measure.as_ref()?;
    let (min, max) = (written::unscaled(&bounds.min)?, written::unscaled(&bounds.max)?);
    let range = max.checked_sub(min).filter(|range| *range > 0)?;
    let width = round_number(range / BANDS + 1);
    let bands = range / width + 1;
    let fewer = u64::try_from(range / bands).unwrap_or(u64::MAX).clamp(2, 1000);
    if let (Value::Int(_), Ok(width), true) = (&bounds.min, i64::try_from(width), min >= 0) {
        return Some(stepped(base, width, fewer));
    }
    let first = min.div_euclid(width).checked_mul(width)?;
    let lower = (0..=bands).map_while(|nr| first.checked_add(nr.checked_mul(width)?));
    let lower: Vec<Value> = lower
        .filter(|bound| *bound < max || *bound == first)
        .filter_map(|bound| written::like(&bounds.min, bound))
        .collect();
    Some(banded(base, &lower, fewer))
}

/// The smallest of 1, 2, 5, 10, 20, 50, … that is not below a number.
fn round_number(least: i128) -> i128 {
    let mut power = 1_i128;
    loop {
        for digit in [1, 2, 5] {
            let number = power.saturating_mul(digit);
            if number >= least {
                return number;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// `x / w * w`: for numbers that are not below zero.
fn stepped(base: &Base, width: i64, fewer: u64) -> Step {
    let by = || Box::new(Expr::Literal(Value::Int(width)));
    let divided = Expr::Arithmetic(Arithmetic::Divide, Box::new(Expr::Column(base.position)), by());
    Step {
        words: format!("in steps of {width}"),
        sql: format!("{base} / {width} * {width}"),
        join: None,
        expr: Expr::Arithmetic(Arithmetic::Multiply, Box::new(divided), by()),
        fewer,
    }
}

/// The largest of ascending lower bounds that is not above the value; NULL stays NULL.
fn banded(base: &Base, lower: &[Value], fewer: u64) -> Step {
    let mut sql = "CASE".to_owned();
    let mut branches = Vec::new();
    for bound in lower.iter().rev() {
        let text = written::literal(bound);
        sql.push_str(&format!(" WHEN {base} >= {text} THEN {text}"));
        let (column, bound) = (Expr::Column(base.position), Expr::Literal(bound.clone()));
        let reached = Expr::Compare(Comparison::GtEq, Box::new(column), Box::new(bound.clone()));
        branches.push((reached, bound));
    }
    sql.push_str(" END");
    let bounds: Vec<String> = lower.iter().map(written::literal).collect();
    Step {
        words: format!("in wider bands ({})", bounds.join(", ")),
        sql,
        join: None,
        expr: Expr::Case {
            branches,
            otherwise: None,
        },
        fewer,
    }
}
