//! What the lines of a table add to the verdicts on its groups: [class disclosure](super::class_disclosure).

use tre_core::policy::{RulePack, Unanimous};
use tre_core::status::Rule;

use crate::groups::Groups;

use super::tagged::Minima;
use super::{Argument, Evidence, Referrals, Verdict, class_disclosure};

/// Adds what the lines of a table say to the verdicts on its groups, `arguments.len()` per group in the groups' order;
/// `minima` has one entry per group, and `all` is the evidence of any of them.
pub(crate) fn judge_lines(
    all: Evidence<'_>,
    groups: &Groups<'_>,
    minima: &[Option<Minima>],
    arguments: &[Argument],
    rules: &RulePack,
    verdicts: &mut [Verdict],
    referrals: &mut Referrals,
) {
    if arguments.is_empty() || rules.class.unanimous == Unanimous::Show {
        return;
    }
    let evidence = |group: usize| Evidence {
        row: groups.rows().get(group).and_then(|group| group.source),
        ..all
    };
    for key in 0..groups.keys() {
        let lines = groups.lines(key);
        let mut worded =
            |of: Option<usize>, people: &dyn Fn(usize) -> u64, concerns: &dyn Fn(usize) -> bool| {
                let unanimous = class_disclosure::unanimous(&lines, people);
                for (row, one) in verdicts.chunks_mut(arguments.len()).zip(unanimous) {
                    let Some(one) = one else { continue };
                    let minimum = minima.get(one).copied().flatten();
                    let units = minimum.map(|minima| evidence(one).units_rule(of, minima.units));
                    let enough = units.is_some_and(|rule| rule.minimum.is_met_by(people(one)));
                    let word = match (enough, rules.class.unanimous) {
                        (false, _) => Rule::Threshold,
                        (true, Unanimous::Suppress) => Rule::ClassDisclosure,
                        (true, Unanimous::Refer | Unanimous::Show) => {
                            referrals.unanimous = true;
                            continue;
                        }
                    };
                    for (i, verdict) in row.iter_mut().enumerate() {
                        let stands = matches!(
                            verdict.counts,
                            Some(Rule::Tag | Rule::RareLabel | Rule::ClassDisclosure)
                        );
                        if concerns(i) && !stands {
                            *verdict = Verdict::all(word);
                        }
                    }
                }
            };
        worded(None, &|group| evidence(group).units(), &|_| true);
        for (i, argument) in arguments.iter().enumerate().filter(|(_, a)| a.index.is_some()) {
            let people = |group: usize| evidence(group).present(*argument);
            worded(argument.index, &people, &|concerned| concerned == i);
        }
    }
}
