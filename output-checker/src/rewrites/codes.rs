//! Coarser codes: the first characters of a code whose system puts what belongs together under one prefix.
//!
//! | tag | characters | meaning |
//! |---|---|---|
//! | `icd10` | 3, 1 | category, letter (about the chapter) |
//! | `yj` | 9, 7, 4, 3, 2 | Japanese drug code: dosage form and strength, route and ingredient, then classes of effect of 4, 3 and 2 digits |
//! | `atc` | 5, 4, 3, 1 | chemical, pharmacological and therapeutic subgroup, anatomical main group |
//! | `jis-x-0402` | 2 | prefecture of a Japanese municipality |
//!
//! Text that the holder stored as a prefix and that has none of these tags: one character fewer, and half of them.

use tre_core::algebra::{Expr, Function};
use tre_core::types::{ColumnType, Value};

use super::keys::{Base, Step};
use super::level::Level;

/// Code systems by tag: lengths of their coarser levels, and what these are called.
const SYSTEMS: &[(&str, &[(usize, &str)])] = &[
    ("icd10", &[(3, "category"), (1, "first letter")]),
    (
        "yj",
        &[
            (9, "drug"),
            (7, "ingredient"),
            (4, "class"),
            (3, "class of three digits"),
            (2, "class of two digits"),
        ],
    ),
    (
        "atc",
        &[
            (5, "chemical subgroup"),
            (4, "pharmacological subgroup"),
            (3, "therapeutic subgroup"),
            (1, "anatomical group"),
        ],
    ),
    ("jis-x-0402", &[(2, "prefecture")]),
];

/// About how many prefixes of a length there are, for an order of proposals.
pub(super) fn about(length: usize) -> u64 {
    10_u64.saturating_pow(u32::try_from(length).unwrap_or(u32::MAX))
}

/// Shorter prefixes, the longest first.
pub(super) fn steps(level: Level<'_>, base: &Base) -> Vec<Step> {
    let (tag, length, declared) = match level {
        Level::Stored(_, meta) if meta.column_type == ColumnType::Text && meta.domain.is_none() => {
            let declared = meta
                .generalised
                .strip_prefix("prefix ")
                .and_then(|n| n.parse().ok());
            (meta.tag.as_deref(), declared, declared.is_some())
        }
        Level::Prefix(tag, length) => (tag, Some(length), true),
        Level::Stored(..) | Level::Date(_) | Level::Part(_) | Level::Steps(_) | Level::Unknown => {
            return vec![];
        }
    };
    let shorter = |other: usize| length.is_none_or(|length: usize| other < length);
    let system = SYSTEMS.iter().find(|(known, _)| Some(*known) == tag);
    let levels: Vec<(usize, String)> = match (system, length) {
        (Some((_, levels)), _) => levels
            .iter()
            .filter(|(characters, _)| shorter(*characters))
            .map(|(characters, name)| (*characters, format!("by {name}")))
            .collect(),
        (None, Some(length)) if declared => {
            let mut halves = vec![length.saturating_sub(1), length / 2];
            halves.dedup();
            halves
                .into_iter()
                .filter(|characters| *characters > 0)
                .map(|characters| (characters, format!("by the first {characters} characters")))
                .collect()
        }
        (None, Some(_) | None) => vec![],
    };
    levels
        .into_iter()
        .map(|(characters, words)| Step {
            words,
            sql: format!("substr({base}, 1, {characters})"),
            join: None,
            expr: Expr::Call(
                Function::Substr,
                vec![
                    Expr::Column(base.position),
                    Expr::Literal(Value::Int(1)),
                    Expr::Literal(Value::Int(i64::try_from(characters).unwrap_or(i64::MAX))),
                ],
            ),
            fewer: about(length.map_or(3, |length| length - characters)).min(1000),
        })
        .collect()
}
