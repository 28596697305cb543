//! What a checked answer may cost, and what misses it.

use std::time::Duration;

use super::Cost;

/// Geometric mean of the ratios that we want.
pub const GOAL: f64 = 1.25;

/// Geometric mean of the ratios that must not be reached.
const LIMIT: f64 = 1.6;

/// Largest ratio of a query whose rows stay in the order of people. All queries here are such: joins on the person and
/// to public tables keep that order.
const LARGEST: f64 = 2.5;

/// What the same query took on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The query's name.
    pub name: &'static str,
    /// Rows of its answer before treatment.
    pub groups: u64,
    /// The raw engine.
    pub raw: Cost,
    /// Ours.
    pub checked: Cost,
}

impl Compared {
    /// Checked over raw time.
    pub fn ratio(&self) -> f64 {
        seconds(self.checked.time) / seconds(self.raw.time).max(f64::MIN_POSITIVE)
    }

    /// Peak memory that is granted, in bytes: one and a half times the raw engine's, 64 MiB, and 400 bytes a group.
    pub fn allowance(&self) -> Option<u64> {
        let raw = self.raw.peak?;
        Some(raw + raw / 2 + (64 << 20) + 400 * self.groups)
    }

    /// What this query misses, in words.
    pub fn misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        if self.ratio() > LARGEST {
            misses.push(format!(
                "{}: {:.2} times the raw time, at most {LARGEST}",
                self.name,
                self.ratio()
            ));
        }
        if let (Some(peak), Some(allowance)) = (self.checked.peak, self.allowance())
            && peak > allowance
        {
            misses.push(format!(
                "{}: a peak of {} MiB, at most {}",
                self.name,
                peak >> 20,
                allowance >> 20
            ));
        }
        misses
    }
}

/// Geometric mean of the ratios; `None` of nothing.
pub fn geometric_mean(compared: &[Compared]) -> Option<f64> {
    let logarithms: f64 = compared.iter().map(|one| one.ratio().ln()).sum();
    (!compared.is_empty()).then(|| (logarithms / compared.len() as f64).exp())
}

/// What all queries together and each of them miss, in words.
pub fn misses(compared: &[Compared]) -> Vec<String> {
    let mut misses: Vec<String> = compared.iter().flat_map(Compared::misses).collect();
    match geometric_mean(compared) {
        Some(mean) if mean >= LIMIT => {
            misses.push(format!("geometric mean {mean:.2}, must be under {LIMIT}"))
        }
        Some(mean) if mean > GOAL => misses.push(format!("geometric mean {mean:.2}, the goal is {GOAL}")),
        Some(_) | None => {}
    }
    misses
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(name: &'static str, raw: (u64, u64), checked: (u64, u64)) -> Compared {
        let cost = |(ms, mebibytes): (u64, u64)| Cost {
            time: Duration::from_millis(ms),
            peak: Some(mebibytes << 20),
        };
        Compared {
            name,
            groups: 0,
            raw: cost(raw),
            checked: cost(checked),
        }
    }

    #[test]
    fn the_mean_is_that_of_ratios() {
        let both = [
            compared("slow", (10, 1), (40, 1)),
            compared("fast", (10, 1), (10, 1)),
        ];
        assert!(geometric_mean(&both).is_some_and(|mean| (mean - 2.0).abs() < 1e-9));
        assert_eq!(geometric_mean(&[]), None);
    }

    #[test]
    fn every_target_can_be_missed() {
        let cases = [
            (compared("within", (100, 100), (125, 214)), vec![]),
            (
                compared("goal", (100, 100), (130, 100)),
                vec!["geometric mean 1.30, the goal is 1.25"],
            ),
            (
                compared("limit", (100, 100), (165, 100)),
                vec!["geometric mean 1.65, must be under 1.6"],
            ),
            (
                compared("slow", (100, 100), (260, 100)),
                vec![
                    "slow: 2.60 times the raw time, at most 2.5",
                    "geometric mean 2.60, must be under 1.6",
                ],
            ),
            (
                compared("large", (100, 100), (100, 215)),
                vec!["large: a peak of 215 MiB, at most 214"],
            ),
        ];
        for (one, expected) in cases {
            assert_eq!(misses(&[one]), expected);
        }
    }
}
