//! Cell-key perturbation of counts: the same people always get the same noise.
//!
//! *Definition.* A count of people is changed by noise from the policy's [table](super::noise), [drawn](crate::draws) for the
//! set of people and the measure: whatever question leads to these people, in any project, it has one answer. A count of
//! rows is a magnitude of its people: its noise is that of a count of so many people, from a draw of its own, times the
//! rows that each of them has on average, half away from zero. Where everybody has one row it *is* the count of people, and gets
//! its noise. Nobody stays nobody.
//!
//! *Why by people and not by rows.* The key of a cell is usually the sum of random keys of its records. A set of people with a
//! keyed hash gives the same without storing keys, and questions that count other rows of the same people (joined, doubled,
//! weighted by a reference table) move together, instead of each giving a fresh draw to average.
//!
//! *Why it protects.* Two counts that differ by one person have different sets and so independent noise: their
//! difference is that person, or not, under noise of twice the variance.
//!
//! *What it does not do.* Many different sets that add up to one (all partitions of a group) average its noise away as the
//! root of their number (Asghar and Kaafar on TableBuilder): noise that is bounded does not replace a limit of what is asked.
//! Totals are perturbed on their own, so parts do not add up to them. Two counts of rows over exactly the same people
//! differ by nearly what they truly differ by. Sums are not perturbed: where a measure is a flag, its sum is a count, and
//! `rounding.sums` is for it.
//!
//! *Sources.* As the [table](super::noise); the scaling by the mean contribution is that of magnitudes in the package
//! `cellKey` (`type = "mean"`).
//!
//! *Parameters.* `perturbation.method`, `perturbation.deviation`, `perturbation.variance`, `perturbation.small`,
//! `perturbation.table`.

use tre_core::evidence::{BaseCells, ValueKind};

use super::noise::Noise;
use crate::draws::{Draws, Purpose};

/// Noise for the counts of one frontier.
#[derive(Debug)]
pub(crate) struct Perturbed<'a> {
    pub noise: Noise,
    pub draws: Draws<'a>,
    pub cells: &'a BaseCells,
}

impl Perturbed<'_> {
    /// A count of a row of the base cells with its noise; `None` when it cannot be drawn.
    pub(super) fn count(&self, kind: ValueKind, row: usize, count: i64) -> Option<i64> {
        let argument = kind.argument();
        let people = self.cells.present(argument, row);
        let true_count = u64::try_from(count).ok()?;
        if people == 0 {
            return Some(count);
        }
        let purpose = if true_count == people {
            Purpose::People
        } else {
            Purpose::Rows
        };
        let noise = self
            .noise
            .of_count(people, self.draws.of(purpose, argument, row)?);
        scaled(noise, true_count, people).and_then(|noise| count.checked_add(noise))
    }
}

/// Noise of people as noise of their rows.
fn scaled(noise: i64, rows: u64, people: u64) -> Option<i64> {
    let (rows, people) = (i128::from(rows), i128::from(people));
    let exact = i128::from(noise) * rows;
    i64::try_from((2 * exact.abs() + people) / (2 * people) * exact.signum()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_of_rows_is_that_of_their_people_times_the_mean() {
        // (case, noise, rows, people, noise of the rows)
        let cases = [
            ("none", 0, 50, 10, 0),
            ("a row each", 2, 10, 10, 2),
            ("five rows each", 2, 50, 10, 10),
            ("down", -2, 50, 10, -10),
            ("half away from zero", 1, 15, 10, 2),
            ("half away from zero, down", -1, 15, 10, -2),
            ("below a half", 1, 14, 10, 1),
            ("everybody goes", -3, 100, 3, -100),
        ];
        for (case, noise, rows, people, expected) in cases {
            assert_eq!(scaled(noise, rows, people), Some(expected), "{case}");
        }
        // Whoever has the most rows that there can be does not overflow.
        assert_eq!(scaled(1, i64::MAX as u64, 1), Some(i64::MAX));
        assert_eq!(scaled(20, i64::MAX as u64, 1), None);
    }
}
