//! Coarser dates: day → month → quarter → year.

use tre_core::algebra::{DatePart, Expr, Function};
use tre_core::types::ColumnType;

use super::keys::{Base, Step};
use super::level::Level;
use super::written;

/// The smallest part of a date in which values differ; none for what is no date.
pub(super) fn grain(level: Level<'_>) -> Option<DatePart> {
    match level {
        Level::Stored(_, meta) => {
            let dated = matches!(meta.column_type, ColumnType::Date | ColumnType::Timestamp);
            let by_month = meta.generalised == "month";
            dated.then_some(if by_month { DatePart::Month } else { DatePart::Day })
        }
        Level::Date(part) => Some(part),
        Level::Part(_) | Level::Prefix(..) | Level::Steps(_) | Level::Unknown => None,
    }
}

/// Periods in ten years.
pub(super) fn about(grain: DatePart) -> u64 {
    match grain {
        DatePart::Year => 10,
        DatePart::Quarter => 40,
        DatePart::Month => 120,
        DatePart::Day => 3650,
    }
}

/// Longer periods, the shortest first; of numbers of months, those of quarters.
pub(super) fn steps(level: Level<'_>, base: &Base) -> Vec<Step> {
    if let Level::Part(DatePart::Month) = level {
        return vec![step(base, DatePart::Quarter, 3, true)];
    }
    let Some(grain) = grain(level) else {
        return vec![];
    };
    [DatePart::Month, DatePart::Quarter, DatePart::Year]
        .into_iter()
        .filter(|part| about(*part) < about(grain))
        .map(|part| step(base, part, about(grain) / about(part), false))
        .collect()
}

fn step(base: &Base, part: DatePart, fewer: u64, number: bool) -> Step {
    let word = written::part_word(part);
    let (sql, function) = if number {
        (format!("extract({word} FROM {base})"), Function::Extract(part))
    } else {
        (format!("date_trunc('{word}', {base})"), Function::Truncate(part))
    };
    Step {
        words: format!("by {word}"),
        sql,
        join: None,
        expr: Expr::Call(function, vec![Expr::Column(base.position)]),
        fewer,
    }
}
