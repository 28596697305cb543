//! Drawing from distributions, the same on every machine.
//!
//! Only `+ - * /` and rounding of IEEE 754 doubles are used, which the standard fixes to the last bit; the platform's `exp` and
//! `ln` are not. Numbers come from the raw output of ChaCha8, so no version of a distribution library can change them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A generator for one purpose: its key is the seed and the purpose's name (at most 24 bytes count).
pub(crate) fn generator(seed: u64, purpose: &str) -> ChaCha8Rng {
    let mut key = [0; 32];
    let bytes = seed.to_le_bytes().into_iter().chain(purpose.bytes());
    for (slot, byte) in key.iter_mut().zip(bytes) {
        *slot = byte;
    }
    ChaCha8Rng::from_seed(key)
}

/// A number in [0, 1) with 53 bits.
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number in [0, n); 0 if n is 0. The bias is below n / 2^32.
pub(crate) fn below(rng: &mut ChaCha8Rng, n: u32) -> u32 {
    ((u64::from(rng.next_u32()) * u64::from(n)) >> 32) as u32
}

/// True `share` times in a thousand.
pub(crate) fn per_mille(rng: &mut ChaCha8Rng, share: u32) -> bool {
    below(rng, 1000) < share
}

/// e^x for |x| ≤ 700, to about 15 digits.
pub(crate) fn exp(x: f64) -> f64 {
    let halvings = (x / std::f64::consts::LN_2).round();
    let rest = x - halvings * std::f64::consts::LN_2;
    let (mut term, mut sum) = (1.0, 1.0);
    for n in 1..18 {
        term = term * rest / f64::from(n);
        sum += term;
    }
    let factor = if halvings < 0.0 { 0.5 } else { 2.0 };
    (0..halvings.abs() as u32).fold(sum, |value, _| value * factor)
}

/// Natural logarithm of x ≥ 1, by Newton's method on [`exp`].
pub(crate) fn ln(x: f64) -> f64 {
    let (mut scaled, mut guess) = (x, 0.0);
    while scaled > 2.0 {
        scaled /= 2.0;
        guess += std::f64::consts::LN_2;
    }
    (0..6).fold(guess + scaled - 1.0, |y, _| y - 1.0 + x / exp(y))
}

/// How often something happens that happens `mean` times on average (Poisson), at most 20.
pub(crate) fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> u32 {
    let mut chance = exp(-mean);
    let mut left = unit(rng);
    let mut count = 0;
    while left >= chance && count < 20 {
        left -= chance;
        count += 1;
        chance = chance * mean / f64::from(count);
    }
    count
}

/// A rank in [0, n) with chance falling as 1 / (rank + 1) (Zipf's law); `ln_n` is ln(n + 1).
pub(crate) fn zipf(rng: &mut ChaCha8Rng, n: u32, ln_n: f64) -> u32 {
    let rank = exp(unit(rng) * ln_n) as u32;
    rank.saturating_sub(1).min(n.saturating_sub(1))
}

/// Quantiles of the standard normal distribution, cut at ±4.
#[derive(Debug)]
pub(crate) struct Normal {
    quantiles: Vec<f64>,
}

impl Normal {
    /// Steps of the table.
    const STEPS: usize = 4096;

    /// Integrates the density once and keeps the point at which each further 1/4096 is reached.
    pub(crate) fn new() -> Self {
        let width = 1.0 / 1024.0;
        let points: Vec<(f64, f64)> = (0..8192)
            .map(|step| {
                let z = (f64::from(step) + 0.5) * width - 4.0;
                (z, exp(-z * z / 2.0))
            })
            .collect();
        let total: f64 = points.iter().map(|(_, density)| density).sum();
        let mut quantiles = vec![-4.0];
        let mut reached = 0.0;
        for (z, density) in points {
            reached += density / total;
            while quantiles.len() < Self::STEPS && reached >= quantiles.len() as f64 / Self::STEPS as f64 {
                quantiles.push(z);
            }
        }
        quantiles.resize(Self::STEPS + 1, 4.0);
        Normal { quantiles }
    }

    /// e^(mu + sigma · z) for a normal z: a lognormal value with median e^mu.
    pub(crate) fn lognormal(&self, rng: &mut ChaCha8Rng, mu: f64, sigma: f64) -> f64 {
        let bits = rng.next_u32();
        let (slot, between) = (
            (bits >> 20) as usize,
            f64::from(bits & 0xf_ffff) / f64::from(1 << 20),
        );
        let at = |index: usize| self.quantiles.get(index).copied().unwrap_or(0.0);
        exp(mu + sigma * (at(slot) + between * (at(slot + 1) - at(slot))))
    }
}

/// Draws an index with given weights in constant time (Walker's alias method).
#[derive(Debug)]
pub(crate) struct Alias {
    /// Per index: stay if 32 random bits are at most this, else go to the other index.
    slots: Vec<(u32, u32)>,
}

impl Alias {
    /// A table for these weights, which must not all be zero.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let mut shares: Vec<f64> = weights
            .iter()
            .map(|weight| weight / total * weights.len() as f64)
            .collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for (index, share) in shares.iter().enumerate() {
            if *share < 1.0 {
                small.push(index)
            } else {
                large.push(index)
            }
        }
        let mut slots: Vec<(u32, u32)> = (0..weights.len() as u32).map(|index| (u32::MAX, index)).collect();
        while let (Some(poor), Some(rich)) = (small.pop(), large.pop()) {
            let share = shares.get(poor).copied().unwrap_or(1.0);
            if let Some(slot) = slots.get_mut(poor) {
                *slot = ((share * f64::from(u32::MAX)) as u32, rich as u32);
            }
            if let Some(left) = shares.get_mut(rich) {
                *left -= 1.0 - share;
                if *left < 1.0 {
                    small.push(rich)
                } else {
                    large.push(rich)
                }
            }
        }
        Alias { slots }
    }

    /// The next index.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        let index = below(rng, self.slots.len() as u32);
        match self.slots.get(index as usize) {
            Some((stay, other)) if rng.next_u32() > *stay => *other as usize,
            _ => index as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn exp_and_ln_agree_with_the_platform() {
        for x in [-20.0, -1.5, -0.1, 0.0, 0.3, 1.0, 7.7, 20.0_f64] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-13, "exp({x})");
        }
        for x in [1.0, 1.3, 2.0, 10.0, 12_345.0_f64] {
            assert!((ln(x) - x.ln()).abs() < 1e-12, "ln({x})");
        }
    }

    #[test]
    fn alias_draws_in_proportion() {
        let weights = [1.0, 0.0, 5.0, 94.0];
        let table = Alias::new(&weights);
        let mut rng = generator(1, "test");
        let mut seen = [0_u32; 4];
        for _ in 0..100_000 {
            seen[table.draw(&mut rng)] += 1;
        }
        for (weight, count) in weights.iter().zip(seen) {
            assert!(
                (f64::from(count) / 1000.0 - weight).abs() < 0.5,
                "{weight}: {count}"
            );
        }
    }

    #[test]
    fn distributions_have_their_means() {
        let (mut rng, normal, n) = (generator(2, "test"), Normal::new(), 100_000);
        let mean = |values: &mut dyn FnMut() -> f64| (0..n).map(|_| values()).sum::<f64>() / f64::from(n);
        let claims = mean(&mut || f64::from(poisson(&mut rng, 1.7)));
        assert!((claims - 1.7).abs() < 0.02, "{claims}");
        let points = mean(&mut || normal.lognormal(&mut rng, 0.0, 0.8));
        assert!((points - exp(0.32)).abs() < 0.03, "{points}");
        let first = mean(&mut || f64::from(u8::from(zipf(&mut rng, 100, ln(101.0)) == 0)));
        assert!((first - 2.0_f64.ln() / 101.0_f64.ln()).abs() < 0.01, "{first}");
    }
}
