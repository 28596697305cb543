//! The rules, one file each, and the verdict that they reach together.
//!
//! A verdict is reached per group and argument from evidence alone. It is worded with care: what an analyst reads as
//! `disclosure` must not say more than the policy does. So whatever has too few people is suppressed as `threshold`,
//! however many other rules it breaks; `complement` and `same-value` are said only of values with enough people.

mod complement;
pub(crate) mod completion;
mod extreme;
mod rare_label;
mod same_value;
mod threshold;

use tre_core::evidence::{BaseCells, CellLayout, ValueKind};
use tre_core::policy::{Contributors, RulePack};
use tre_core::status::Rule;

/// An argument of the table's values: the row itself or a column. All values of one argument share one verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Argument {
    /// Index among the layout's arguments; `None`: the row itself.
    pub index: Option<usize>,
    /// Whether one of its values is a sum.
    pub summed: bool,
}

/// The arguments that a table's values have, each once, the row itself first.
pub(crate) fn arguments(layout: &CellLayout) -> Vec<Argument> {
    let mut arguments: Vec<Argument> = Vec::new();
    for kind in &layout.values {
        let summed = matches!(kind, ValueKind::Sum { .. });
        match arguments
            .iter_mut()
            .find(|argument| argument.index == kind.argument())
        {
            Some(argument) => argument.summed |= summed,
            None => arguments.push(Argument {
                index: kind.argument(),
                summed,
            }),
        }
    }
    arguments.sort_by_key(|argument| argument.index);
    arguments
}

/// The evidence of one group; of nobody, if the group is there by declaration only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// All cells.
    pub cells: &'a BaseCells,
    /// The group's row among them.
    pub row: Option<usize>,
}

impl Evidence<'_> {
    fn units(self) -> u64 {
        self.row.map_or(0, |row| self.cells.units(row))
    }

    fn present(self, argument: Argument) -> u64 {
        self.row.map_or(0, |row| self.cells.present(argument.index, row))
    }

    /// Who stands behind the argument's values, by the policy.
    fn contributors(self, argument: Argument, rule: Contributors) -> u64 {
        match rule {
            Contributors::Nonzero if argument.summed => argument
                .index
                .zip(self.row)
                .map_or(0, |(index, row)| self.cells.nonzero(index, row)),
            Contributors::Nonzero | Contributors::Present => self.present(argument),
        }
    }

    fn counted_without(self, a: Argument, b: Argument) -> u64 {
        self.row
            .map_or(0, |row| self.cells.counted_without(a.index, b.index, row))
    }

    fn differing(self, a: Argument, b: Argument) -> u64 {
        match (a.index, b.index, self.row) {
            (Some(a), Some(b), Some(row)) => self.cells.differing(a, b, row),
            _ => 0,
        }
    }

    fn extremes(self, argument: Argument) -> Option<(i128, i128)> {
        self.cells.min_max(argument.index?, self.row?)
    }
}

/// The verdict on one value of an argument whose verdict is `verdict`: a smallest or largest value has a rule of its own.
pub(crate) fn of_value(
    evidence: Evidence<'_>,
    kind: ValueKind,
    verdict: Option<Rule>,
    rules: &RulePack,
) -> Option<Rule> {
    verdict.or_else(|| {
        let (argument, row) = kind.argument().zip(evidence.row)?;
        let (smallest, largest) = evidence.cells.sharing(argument, row)?;
        let sharing = match kind {
            ValueKind::Min { .. } => smallest,
            ValueKind::Max { .. } => largest,
            ValueKind::CountRows
            | ValueKind::CountUnits
            | ValueKind::Count { .. }
            | ValueKind::CountUnitsOf { .. }
            | ValueKind::Sum { .. } => return None,
        };
        extreme::suppresses(sharing, &rules.units).then_some(Rule::Extreme)
    })
}

/// Writes the verdict on one group into `verdicts`, one per argument: the rule that suppresses it, if any.
///
/// `declared`: the group stands in the answer whatever the data are.
pub(crate) fn judge(
    evidence: Evidence<'_>,
    declared: bool,
    arguments: &[Argument],
    rules: &RulePack,
    verdicts: &mut [Option<Rule>],
) {
    if !declared && rare_label::suppresses(evidence.units(), &rules.labels) {
        verdicts.fill(Some(Rule::RareLabel));
        return;
    }
    verdicts.fill(None);
    let row = Argument {
        index: None,
        summed: false,
    };
    let row_is_shown = arguments.first() == Some(&row);
    for (i, a) in arguments.iter().enumerate() {
        // The other side of a condition, and of NULL, is a cell even where the whole is not shown beside it.
        let rest = evidence.counted_without(row, *a);
        if !row_is_shown
            && !rules.complement.minimum.none_or_enough(rest)
            && let Some(verdict) = verdicts.get_mut(i)
        {
            *verdict = Some(Rule::Complement);
        }
        for (j, b) in arguments.iter().enumerate().skip(i + 1) {
            let pair = complement::Pair {
                units: [evidence.present(*a), evidence.present(*b)],
                without: [evidence.counted_without(*a, *b), evidence.counted_without(*b, *a)],
                differing: if a.summed && b.summed {
                    evidence.differing(*a, *b)
                } else {
                    0
                },
            };
            let weaker = match complement::suppresses(pair, &rules.complement) {
                None => continue,
                Some(complement::Side::First) => i,
                Some(complement::Side::Second) => j,
            };
            if let Some(verdict) = verdicts.get_mut(weaker) {
                *verdict = Some(Rule::Complement);
            }
        }
    }
    for (argument, verdict) in arguments.iter().zip(verdicts) {
        let behind = threshold::Behind {
            units: evidence.present(*argument),
            contributors: evidence.contributors(*argument, rules.magnitudes.contributors),
        };
        let same = argument.summed && same_value::suppresses(evidence.extremes(*argument), &rules.magnitudes);
        let suppressed = verdict.is_some() || same || threshold::suppresses(behind, &rules.units);
        *verdict = match suppressed {
            false => None,
            true if !threshold::enough(behind, &rules.units) => Some(Rule::Threshold),
            true => Some(verdict.unwrap_or(Rule::SameValue)),
        };
    }
}
