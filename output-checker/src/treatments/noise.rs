//! The table of transition probabilities of the cell-key method: which noise a count gets how often.
//!
//! *Definition.* For every count i from 1 there are probabilities p of the noise v, so that
//!
//! - i + v is never below 0, never one of the small positive counts up to s, and v is never beyond ±D;
//! - the noise is 0 on average: the sum of p·v is 0;
//! - its variance is V: the sum of p·v² is V;
//! - of all such tables it is the one of the largest entropy, which says nothing else.
//!
//! Zero stays zero. From i = D + s + 1 on the row is the same for all counts.
//!
//! *How.* The table of the largest entropy has p proportional to exp(a·v + b·v²). a and b are where the convex function
//! ln(sum of exp(a·v + b·v²)) - b·V is smallest, and Newton's method with steps that are halved as long as they lead up finds
//! them. Probabilities then become whole weights of 2^-32 each, moved so that they add up to a whole and the mean is
//! exactly zero; no draw depends on how a machine rounds.
//!
//! *What differs from the package `ptable`.* There the variance is at most V, and by default probabilities do not rise away from the
//! count on the side of smaller counts. Here it is V for every count.
//!
//! *Sources.* B. Fraser and J. Wooton, A proposed method for confidentialising tabular output to protect against
//! differencing, UNECE/Eurostat work session on statistical data confidentiality, Geneva 2005. J. K. Marley and V. L.
//! Leaver, A method for confidentialising user-defined tables: statistical properties and a risk-utility analysis, 58th
//! World Statistical Congress, Dublin 2011. S. Giessing, Computational issues in the design of transition
//! probabilities and disclosure risk estimation for additive noise, Privacy in Statistical Databases 2016. `ptable`, of the
//! ESSnet on perturbative confidentiality methods.

use tre_core::policy::{NoiseOfCount, Perturbation};

/// What all weights of a computed row add up to.
const WHOLE: i64 = 1 << 32;

/// Steps after which the search is given up; within the range of policies it takes 14 at most.
const MOST_STEPS: usize = 100;

/// Noise by count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noise {
    /// For counts from 1; the last for all larger ones.
    rows: Vec<Vec<Step>>,
}

/// A noise and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    noise: i64,
    weight: i64,
}

impl Noise {
    /// The noise of a policy; `None` inside when it has none, `None` outside when it cannot be computed.
    pub(crate) fn of(rule: &Perturbation) -> Option<Option<Self>> {
        let rows = match rule {
            Perturbation::None {} => return Some(None),
            Perturbation::CellKey {
                deviation,
                variance,
                small,
            } => {
                let (deviation, small) = (i64::from(deviation.get()), i64::from(small.get()));
                let counts = 1..=deviation + small + 1;
                let row = |count| {
                    let steps = (-deviation.min(count)..=deviation)
                        .filter(|noise| !(1..=small).contains(&(count + noise)));
                    computed(&steps.collect::<Vec<_>>(), variance.get())
                };
                counts.map(row).collect::<Option<Vec<_>>>()?
            }
            Perturbation::Listed { table } => table.iter().map(listed).collect(),
        };
        Some(Some(Noise { rows }))
    }

    /// The noise of a count for 64 random bits.
    pub(super) fn of_count(&self, count: u64, draw: u64) -> i64 {
        let row = count.checked_sub(1).and_then(|index| {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            self.rows.get(index).or(self.rows.last())
        });
        let Some(row) = row else { return 0 };
        let whole: i64 = row.iter().map(|step| step.weight).sum();
        let mut left = (u128::from(draw) * u128::from(whole.unsigned_abs())) >> 64;
        for step in row {
            let weight = u128::from(step.weight.unsigned_abs());
            match left.checked_sub(weight) {
                None => return step.noise,
                Some(rest) => left = rest,
            }
        }
        0
    }
}

fn listed(entry: &NoiseOfCount) -> Vec<Step> {
    let steps = entry.noise.iter().map(|(noise, weight)| Step {
        noise: i64::from(*noise),
        weight: i64::from(*weight),
    });
    steps.collect()
}

/// The row over these steps, ascending, with this variance; `None` when none is found.
fn computed(steps: &[i64], variance: f64) -> Option<Vec<Step>> {
    let probabilities = largest_entropy(steps, variance)?;
    let mut row: Vec<Step> = steps
        .iter()
        .zip(probabilities)
        .map(|(noise, p)| Step {
            noise: *noise,
            weight: (p * WHOLE as f64).round() as i64,
        })
        .collect();
    // What is missing to a whole goes to the most likely step, which has enough.
    let missing = WHOLE - row.iter().map(|step| step.weight).sum::<i64>();
    let likeliest = row.iter_mut().max_by_key(|step| step.weight)?;
    likeliest.weight += missing;
    // Moving a weight of one from a step to the next changes the mean by one.
    let mean: i64 = row.iter().map(|step| step.noise * step.weight).sum();
    let (from, to) = neighbours(&row)?;
    row.get_mut(from)?.weight += mean;
    row.get_mut(to)?.weight -= mean;
    row.iter().all(|step| step.weight >= 0).then_some(row)
}

/// Two steps of which the second is one more than the first, the likeliest such ones.
fn neighbours(row: &[Step]) -> Option<(usize, usize)> {
    let pairs = row.iter().zip(row.iter().skip(1)).enumerate();
    let pairs = pairs.filter(|(_, (one, next))| next.noise == one.noise + 1);
    let (index, _) = pairs.max_by_key(|(_, (one, next))| one.weight.min(next.weight))?;
    Some((index, index + 1))
}

/// Probabilities of the largest entropy with a mean of 0 and this variance.
fn largest_entropy(steps: &[i64], variance: f64) -> Option<Vec<f64>> {
    let steps: Vec<f64> = steps.iter().map(|step| *step as f64).collect();
    let (mut a, mut b) = (0.0, 0.0);
    for _ in 0..MOST_STEPS {
        let p = exponential(&steps, a, b);
        let moment = |power: i32| -> f64 { p.iter().zip(&steps).map(|(p, v)| p * v.powi(power)).sum() };
        let (m1, m2) = (moment(1), moment(2));
        let slope = [m1, m2 - variance];
        if slope.iter().all(|slope| slope.abs() < 1e-11) {
            return Some(p);
        }
        // The curvature is the covariance of v and v².
        let (c11, c12, c22) = (m2 - m1 * m1, moment(3) - m1 * m2, moment(4) - m2 * m2);
        let determinant = c11 * c22 - c12 * c12;
        let newton = [
            -(c22 * slope[0] - c12 * slope[1]) / determinant,
            -(c11 * slope[1] - c12 * slope[0]) / determinant,
        ];
        let height = |a: f64, b: f64| log_sum(&steps, a, b) - b * variance;
        let (here, falls) = (height(a, b), slope[0] * newton[0] + slope[1] * newton[1]);
        // Near the lowest point heights differ by less than they are rounded.
        let rounding = 1e-14 * (here.abs() + 1.0);
        let mut length = 1.0;
        while length > 1e-9
            && height(a + length * newton[0], b + length * newton[1])
                > here + 1e-4 * length * falls + rounding
        {
            length /= 2.0;
        }
        (a, b) = (a + length * newton[0], b + length * newton[1]);
    }
    None
}

/// exp(a·v + b·v²) of every step, divided by their sum.
fn exponential(steps: &[f64], a: f64, b: f64) -> Vec<f64> {
    let sum = log_sum(steps, a, b);
    steps.iter().map(|v| (a * v + b * v * v - sum).exp()).collect()
}

/// The logarithm of the sum of exp(a·v + b·v²).
fn log_sum(steps: &[f64], a: f64, b: f64) -> f64 {
    let exponents = || steps.iter().map(|v| a * v + b * v * v);
    let largest = exponents().fold(f64::NEG_INFINITY, f64::max);
    largest + exponents().map(|e| (e - largest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn cell_key(deviation: i64, variance: f64, small: i64) -> Noise {
        let rule = Perturbation::CellKey {
            deviation: deviation.try_into().unwrap(),
            variance: variance.try_into().unwrap(),
            small: small.try_into().unwrap(),
        };
        Noise::of(&rule).unwrap().unwrap()
    }

    fn probabilities(noise: &Noise, count: usize) -> Vec<(i64, f64)> {
        let row = noise.rows.get(count - 1).unwrap();
        let whole: i64 = row.iter().map(|step| step.weight).sum();
        row.iter()
            .map(|step| (step.noise, step.weight as f64 / whole as f64))
            .collect()
    }

    #[test]
    fn the_example_of_the_package_ptable_comes_out() {
        // Its vignette: D = 2, V = 1.08, js = 1; a count of 1 becomes 0, 2, 3 with 0.5133, 0.46, 0.0267.
        let row = probabilities(&cell_key(2, 1.08, 1), 1);
        for ((noise, p), (expected, q)) in row.iter().zip([(-1, 0.513_333), (1, 0.46), (2, 0.026_667)]) {
            assert_eq!(*noise, expected);
            assert!((p - q).abs() < 1e-6, "{row:?}");
        }
    }

    #[test]
    fn every_row_of_every_table_is_whole_unbiased_bounded_and_of_its_variance() {
        let mut rows = 0;
        for deviation in 1..=20_i64 {
            for small in 0..deviation.min(6) {
                let least = (small + 1) * (small + 1) / 4;
                for part in [0.02, 0.1, 0.4, 0.75, 0.95] {
                    let variance = least as f64 + part * (deviation - least) as f64;
                    let variance = (variance * 100.0).round() / 100.0;
                    if variance <= least as f64 || variance >= deviation as f64 {
                        continue;
                    }
                    let noise = cell_key(deviation, variance, small);
                    assert_eq!(noise.rows.len() as i64, deviation + small + 1);
                    for (row, count) in noise.rows.iter().zip(1..) {
                        let case = format!("D {deviation} V {variance} s {small} count {count}: {row:?}");
                        assert_eq!(row.iter().map(|s| s.weight).sum::<i64>(), WHOLE, "{case}");
                        assert_eq!(row.iter().map(|s| s.noise * s.weight).sum::<i64>(), 0, "{case}");
                        let squares: f64 = row.iter().map(|s| (s.noise * s.noise * s.weight) as f64).sum();
                        assert!((squares / WHOLE as f64 - variance).abs() < 1e-6, "{case}");
                        for Step { noise, weight } in row {
                            let becomes: i64 = count + noise;
                            assert!(noise.abs() <= deviation && *weight >= 0 && becomes >= 0, "{case}");
                            assert!(becomes == 0 || becomes > small, "{case}");
                        }
                        rows += 1;
                    }
                    // The last row is that of all larger counts: its noise is as likely up as down.
                    let last = noise.rows.last().unwrap();
                    for (up, down) in last.iter().zip(last.iter().rev()) {
                        assert!((up.weight - down.weight).abs() < WHOLE / 1_000_000);
                    }
                }
            }
        }
        assert!(rows > 5_000, "{rows}");
    }

    #[test]
    fn the_logarithms_of_probabilities_are_a_parabola() {
        // So it is where entropy is largest: third differences of the logarithms vanish.
        let row = probabilities(&cell_key(5, 3.0, 2), 8);
        let logs: Vec<f64> = row.iter().map(|(_, p)| p.ln()).collect();
        for window in logs.windows(4) {
            if let [a, b, c, d] = window {
                assert!((d - 3.0 * c + 3.0 * b - a).abs() < 1e-4, "{row:?}");
            }
        }
    }

    #[test]
    fn draws_follow_the_weights() {
        let listed: Perturbation = toml::from_str(
            "method = \"listed\"\ntable = [{ count = 1, noise = [[-1, 2], [2, 1]] }, { count = 2, noise = [[0, 1]] }]",
        )
        .unwrap();
        let noise = Noise::of(&listed).unwrap().unwrap();
        let third = u64::MAX / 3;
        let cases = [
            (0, 0, 0),
            (0, u64::MAX, 0),
            (1, 0, -1),
            (1, 2 * third - 1, -1),
            (1, 2 * third + 2, 2),
            (1, u64::MAX, 2),
            (2, u64::MAX, 0),
            (1_000_000, 17, 0),
        ];
        for (count, draw, expected) in cases {
            assert_eq!(noise.of_count(count, draw), expected, "{count} with {draw}");
        }
        assert_eq!(Noise::of(&Perturbation::None {}), Some(None));
    }
}
