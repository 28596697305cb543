//! The rules, one file each, and the verdict that they reach together.
//!
//! A verdict is reached per group and argument from evidence alone. It is worded with care: what an analyst reads as
//! `disclosure` must not say more than the policy does. So whatever has too few people is suppressed as `threshold`,
//! however many other rules it breaks; all other words are said only of values with enough people.
//!
//! The order, where a value breaks several rules: `tag`, which turns on no person; `rare-label`, `threshold`, `complement`, `same-value`; these concern
//! all values of an argument. Then `degrees-of-freedom`, `majority` and `dominance`, which concern its sum. `class-disclosure` comes
//! after all groups have been judged and prevails over all but `tag` and `rare-label`: a line is worded alike.

mod class_disclosure;
mod complement;
pub(crate) mod completion;
pub(crate) mod cross;
mod degrees;
pub(crate) mod dimensions;
mod dominance;
mod extreme;
pub(crate) mod jitter;
mod lines;
mod majority;
mod rare_label;
mod same_value;
pub(crate) mod tagged;
mod threshold;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;

use tre_core::evidence::{BaseCells, ValueKind};
use tre_core::policy::{
    ComplementRule, Contributors, LabelsRule, MinimumUnits, RulePack, Showing, UnitsRule,
};
use tre_core::status::Rule;

use crate::lineage::Lineage;

use dominance::{Contributions, Dominance};
use jitter::Jitter;
use tagged::Minima;

pub(crate) use lines::judge_lines;

/// An argument of the table's values: the row itself or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Argument {
    /// Index among the layout's arguments; `None`: the row itself.
    pub index: Option<usize>,
    /// Whether one of its values is a count.
    pub counted: bool,
    /// Index of the first of its values that is a sum.
    pub sum: Option<usize>,
    /// Whether it is a square, or a product of two columns.
    pub product: bool,
}

/// The arguments that a table's values have, each once, the row itself first.
pub(crate) fn arguments(lineage: &Lineage) -> Vec<Argument> {
    let mut arguments: Vec<Argument> = Vec::new();
    for (i, kind) in lineage.layout.values.iter().enumerate() {
        // The sum that comes with a co-moment is judged for it.
        let sum = matches!(kind, ValueKind::Sum { .. }).then_some(i);
        let counted = !kind.is_magnitude();
        match arguments
            .iter_mut()
            .find(|argument| argument.index == kind.argument())
        {
            Some(argument) => {
                argument.counted |= counted;
                argument.sum = argument.sum.or(sum);
            }
            None => {
                let argument = kind.argument().and_then(|index| lineage.arguments.get(index));
                arguments.push(Argument {
                    index: kind.argument(),
                    counted,
                    sum,
                    product: argument.is_some_and(|argument| argument.product),
                });
            }
        }
    }
    arguments.sort_by_key(|argument| argument.index);
    arguments
}

/// What is suppressed of the values of one argument in one group, and by which rule.
///
/// From the sum and the count of an argument its average follows, and from the average and one of them the other: what
/// suppresses the counts suppresses the sums too. The other way round a sum may be suppressed alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    counts: Option<Rule>,
    sums: Option<Rule>,
}

impl Verdict {
    /// Everything is suppressed.
    pub(crate) fn all(rule: Rule) -> Self {
        Verdict {
            counts: Some(rule),
            sums: Some(rule),
        }
    }

    /// The rule that suppresses a value of this kind, if any.
    pub(crate) fn of(self, kind: ValueKind) -> Option<Rule> {
        if kind.is_magnitude() {
            self.sums
        } else {
            self.counts
        }
    }

    /// Whether one of the argument's values may be shown.
    pub(crate) fn shows(self, argument: Argument) -> bool {
        (argument.counted && self.counts.is_none()) || (argument.sum.is_some() && self.sums.is_none())
    }
}

/// What a person has to decide about the whole table, found while it was judged. Only groups with enough people count,
/// so that no decision turns on a group of too few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Referrals {
    /// There is a sum of values below zero.
    pub negative: bool,
    /// All people of a line are in one category.
    pub unanimous: bool,
}

/// The evidence of one group; of nobody, if the group is there by declaration only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    /// All cells.
    pub cells: &'a BaseCells,
    /// By how much minima are raised.
    pub jitter: &'a Jitter<'a>,
    /// The group's row among them.
    pub row: Option<usize>,
}

impl Evidence<'_> {
    /// The rule for values of an argument of this group, jitter included.
    fn units_rule(self, argument: Option<usize>, rule: UnitsRule) -> UnitsRule {
        UnitsRule {
            minimum: self.jitter.raised(rule.minimum, argument, self.row),
            ..rule
        }
    }

    fn labels_rule(self, rule: LabelsRule) -> LabelsRule {
        LabelsRule {
            minimum: self.jitter.raised(rule.minimum, None, self.row),
        }
    }

    fn complement_rule(self, a: Argument, b: Argument, rule: ComplementRule) -> ComplementRule {
        let minimum = self
            .jitter
            .raised_for_difference(rule.minimum, [a.index, b.index], self.row);
        ComplementRule { minimum }
    }

    fn units(self) -> u64 {
        self.row.map_or(0, |row| self.cells.units(row))
    }

    fn present(self, argument: Argument) -> u64 {
        self.row.map_or(0, |row| self.cells.present(argument.index, row))
    }

    /// Who stands behind the argument's values, by the policy.
    fn contributors(self, argument: Argument, rule: Contributors) -> u64 {
        match rule {
            Contributors::Nonzero if argument.sum.is_some() => argument
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

    /// Whether nearly everybody contributes the same to the argument's sum. What is not known is believed to be so.
    fn is_majority(self, argument: Argument, minimum: MinimumUnits) -> bool {
        let unlike = argument.index.zip(self.row);
        let unlike = unlike.and_then(|(index, row)| self.cells.unlike(index, row));
        majority::suppresses(unlike.unwrap_or(0), self.present(argument), minimum)
    }

    /// Who makes up the argument's sum; `None` where there is none.
    fn contributions(self, argument: Argument) -> Option<Contributions> {
        let (value, row) = (argument.sum?, self.row?);
        let sums = self.cells.value(value)?.as_primitive_opt::<Decimal128Type>()?;
        let sum = (row < sums.len() && sums.is_valid(row)).then(|| sums.value(row))?;
        Some(Contributions {
            sum,
            largest: self.cells.top_two(argument.index?, row)?,
            smallest: self.extremes(argument)?.0,
        })
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
            | ValueKind::Sum { .. }
            | ValueKind::Comoment { .. } => return None,
        };
        let units = evidence.units_rule(Some(argument), rules.units);
        extreme::suppresses(sharing, &units).then_some(Rule::Extreme)
    })
}

/// Writes the verdict on one group into `verdicts`, one per argument.
///
/// `declared`: the group stands in the answer whatever the data are. `minima`: how many people it needs; `None`: nothing
/// of it is shown.
pub(crate) fn judge(
    evidence: Evidence<'_>,
    declared: bool,
    minima: Option<Minima>,
    arguments: &[Argument],
    rules: &RulePack,
    verdicts: &mut [Verdict],
    referrals: &mut Referrals,
) {
    let Some(minima) = minima else {
        verdicts.fill(Verdict::all(Rule::Tag));
        return;
    };
    if !declared && rare_label::suppresses(evidence.units(), &evidence.labels_rule(minima.labels)) {
        verdicts.fill(Verdict::all(Rule::RareLabel));
        return;
    }
    verdicts.fill(Verdict::default());
    let row = Argument {
        index: None,
        counted: true,
        sum: None,
        product: false,
    };
    let row_is_shown = arguments.first().is_some_and(|first| first.index.is_none());
    for (i, a) in arguments.iter().enumerate() {
        // The other side of a condition, and of NULL, is a cell even where the whole is not shown beside it.
        let rest = evidence.counted_without(row, *a);
        if !row_is_shown
            && !evidence
                .complement_rule(row, *a, minima.complement)
                .minimum
                .none_or_enough(rest)
            && let Some(verdict) = verdicts.get_mut(i)
        {
            *verdict = Verdict::all(Rule::Complement);
        }
        for (j, b) in arguments.iter().enumerate().skip(i + 1) {
            let pair = complement::Pair {
                units: [evidence.present(*a), evidence.present(*b)],
                without: [evidence.counted_without(*a, *b), evidence.counted_without(*b, *a)],
                differing: if a.sum.is_some() && b.sum.is_some() {
                    evidence.differing(*a, *b)
                } else {
                    0
                },
            };
            let rule = evidence.complement_rule(*a, *b, minima.complement);
            let weaker = match complement::suppresses(pair, &rule) {
                None => continue,
                Some(complement::Side::First) => i,
                Some(complement::Side::Second) => j,
            };
            if let Some(verdict) = verdicts.get_mut(weaker) {
                *verdict = Verdict::all(Rule::Complement);
            }
        }
    }
    for (argument, verdict) in arguments.iter().zip(verdicts) {
        *verdict = judge_argument(
            evidence,
            *argument,
            verdict.counts,
            evidence.units_rule(argument.index, minima.units),
            rules,
            referrals,
        );
    }
}

/// The verdict on one argument, of which the rule about pairs said `complement`.
fn judge_argument(
    evidence: Evidence<'_>,
    argument: Argument,
    complement: Option<Rule>,
    units: UnitsRule,
    rules: &RulePack,
    referrals: &mut Referrals,
) -> Verdict {
    let behind = threshold::Behind {
        units: evidence.present(argument),
        contributors: evidence.contributors(argument, rules.magnitudes.contributors),
    };
    let enough = threshold::enough(behind, &units);
    let worded = |rule| Some(if enough { rule } else { Rule::Threshold });
    let summed = argument.sum.is_some();
    if threshold::suppresses(behind, &units) {
        return Verdict::all(Rule::Threshold);
    }
    let same = summed && same_value::suppresses(evidence.extremes(argument), &rules.magnitudes);
    if let Some(rule) = complement.or(same.then_some(Rule::SameValue)) {
        let rule = worded(rule);
        return Verdict {
            counts: rule,
            sums: rule,
        };
    }
    let mut verdict = Verdict::default();
    if !summed {
        return verdict;
    }
    let least = if argument.product {
        rules.magnitudes.degrees_of_freedom_of_products
    } else {
        rules.magnitudes.degrees_of_freedom
    };
    if degrees::suppresses(behind.units, least) {
        verdict.sums = worded(Rule::DegreesOfFreedom);
        return verdict;
    }
    if rules.magnitudes.majority == Showing::Suppress && evidence.is_majority(argument, units.minimum) {
        verdict.sums = worded(Rule::Majority);
        return verdict;
    }
    match dominance::judge(evidence.contributions(argument), &rules.dominance) {
        Dominance::Safe => {}
        Dominance::Suppressed => verdict.sums = worded(Rule::Dominance),
        // Of too few people nothing is asked: either they are suppressed, or there is no sum.
        Dominance::Referred => referrals.negative |= enough,
    }
    verdict
}
