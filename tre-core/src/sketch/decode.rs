//! From sums of odd powers back to the elements: Berlekamp and Massey for the locator polynomial, then its roots.
//!
//! A polynomial is its coefficients, constant term first, the last one not 0. The locator of elements e1, e2, … is the
//! product of (1 - e·x); its coefficients in reverse order are those of the product of (x - e), whose roots are wanted.
//! Roots are found with the trace (Berlekamp 1970): Tr(b·x) = b·x + (b·x)^2 + (b·x)^4 + … splits the roots into those
//! where it is 0 and those where it is 1, and for two different roots some b of a basis of the field tells them apart,
//! so the search is finite and draws no random number.

use super::field::{invert, multiply, square};

/// Dimension of the field over GF(2).
const BITS: usize = 64;

/// The one set of at most `most` elements, none of them 0, that has these sums of odd powers; `None` when there is none.
/// `most` is at most the number of sums: beyond it, several sets have the same.
pub(super) fn decode(sums: &[u64], most: usize) -> Option<Vec<u64>> {
    let locator = locator(sums, most.min(sums.len()))?;
    let count = locator.len() - 1;
    if count == 0 {
        return Some(vec![]);
    }
    let reversed: Vec<u64> = locator.into_iter().rev().collect();
    // Its roots are as many as its degree only when it divides x^(2^64) - x.
    if power_of_two_to_the_64(&reversed)? != [0, 1] && count > 1 {
        return None;
    }
    let mut roots = Vec::with_capacity(count);
    split(reversed, 0, &mut roots)?;
    (roots.len() == count && !roots.contains(&0)).then_some(roots)
}

/// The shortest recurrence of the power sums, with constant term 1; `None` when it is longer than `most`.
///
/// Massey 1969. Over GF(2) the power sum of 2k is the square of that of k, and every second discrepancy is 0.
fn locator(sums: &[u64], most: usize) -> Option<Vec<u64>> {
    let mut powers = Vec::with_capacity(2 * sums.len());
    for (k, odd) in sums.iter().enumerate() {
        powers.push(*odd);
        let half = powers.get(k).copied().unwrap_or_default();
        powers.push(square(half));
    }
    let (mut current, mut before) = (vec![1_u64], vec![1_u64]);
    let (mut length, mut before_inverse, mut gap) = (0_usize, 1_u64, 1_usize);
    for n in 0..powers.len() {
        let recent = powers.get(..=n).unwrap_or_default().iter().rev();
        let terms = current.iter().take(length + 1).zip(recent);
        let discrepancy = terms.fold(0, |sum, (c, s)| sum ^ multiply(*c, *s));
        if discrepancy == 0 {
            gap += 1;
            continue;
        }
        let factor = multiply(discrepancy, before_inverse);
        let mut next = current.clone();
        if next.len() < before.len() + gap {
            next.resize(before.len() + gap, 0);
        }
        for (to, from) in next.iter_mut().skip(gap).zip(&before) {
            *to ^= multiply(factor, *from);
        }
        if 2 * length <= n {
            length = n + 1 - length;
            if length > most {
                return None;
            }
            before = current;
            before_inverse = invert(discrepancy);
            gap = 1;
        } else {
            gap += 1;
        }
        current = next;
    }
    trim(&mut current);
    (current.len() == length + 1).then_some(current)
}

fn trim(polynomial: &mut Vec<u64>) {
    while polynomial.last() == Some(&0) {
        polynomial.pop();
    }
}

/// x^(2^64) modulo a polynomial; `None` for a constant one.
fn power_of_two_to_the_64(modulus: &[u64]) -> Option<Vec<u64>> {
    let modulus = Modulus::new(modulus)?;
    let mut power = modulus.rest(vec![0, 1]);
    for _ in 0..BITS {
        power = modulus.square(&power);
    }
    Some(power)
}

/// Finds the roots of a product of different (x - root), trying traces from that of x^`bit` on.
fn split(polynomial: Vec<u64>, bit: usize, roots: &mut Vec<u64>) -> Option<()> {
    match polynomial.as_slice() {
        [] | [_] => return Some(()),
        [constant, leading] => {
            roots.push(multiply(*constant, invert(*leading)));
            return Some(());
        }
        _ => {}
    }
    let modulus = Modulus::new(&polynomial)?;
    for bit in bit..BITS {
        let mut term = modulus.rest(vec![0, 1 << bit]);
        let mut trace = term.clone();
        for _ in 1..BITS {
            term = modulus.square(&term);
            trace = sum(trace, &term);
        }
        let common = greatest_common_divisor(polynomial.clone(), trace)?;
        if common.len() > 1 && common.len() < polynomial.len() {
            let other = Modulus::new(&common)?.quotient(polynomial);
            split(common, bit + 1, roots)?;
            return split(other, bit + 1, roots);
        }
    }
    None
}

fn sum(mut a: Vec<u64>, b: &[u64]) -> Vec<u64> {
    if a.len() < b.len() {
        a.resize(b.len(), 0);
    }
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    trim(&mut a);
    a
}

fn greatest_common_divisor(mut a: Vec<u64>, mut b: Vec<u64>) -> Option<Vec<u64>> {
    while !b.is_empty() {
        let rest = Modulus::new(&b)?.rest(a);
        a = std::mem::replace(&mut b, rest);
    }
    Some(a)
}

/// A polynomial to divide by, with the inverse of its leading coefficient.
struct Modulus<'a> {
    coefficients: &'a [u64],
    leading_inverse: u64,
}

impl<'a> Modulus<'a> {
    fn new(coefficients: &'a [u64]) -> Option<Self> {
        let leading = coefficients.last().filter(|leading| **leading != 0)?;
        Some(Modulus {
            coefficients,
            leading_inverse: invert(*leading),
        })
    }

    /// Divides: the remainder is left in `dividend`, the quotient returned.
    fn divide(&self, dividend: &mut Vec<u64>) -> Vec<u64> {
        let degree = self.coefficients.len() - 1;
        let mut quotient = vec![0; dividend.len().saturating_sub(degree)];
        for (shift, coefficient) in quotient.iter_mut().enumerate().rev() {
            let Some(leading) = dividend
                .get(shift + degree)
                .copied()
                .filter(|leading| *leading != 0)
            else {
                continue;
            };
            let factor = multiply(leading, self.leading_inverse);
            *coefficient = factor;
            for (to, from) in dividend.iter_mut().skip(shift).zip(self.coefficients) {
                *to ^= multiply(factor, *from);
            }
        }
        trim(dividend);
        quotient
    }

    fn rest(&self, mut dividend: Vec<u64>) -> Vec<u64> {
        self.divide(&mut dividend);
        dividend
    }

    fn quotient(&self, mut dividend: Vec<u64>) -> Vec<u64> {
        self.divide(&mut dividend)
    }

    /// The square of a remainder: every coefficient squared, at twice its place.
    fn square(&self, remainder: &[u64]) -> Vec<u64> {
        let mut spread = Vec::with_capacity(2 * remainder.len());
        for coefficient in remainder {
            spread.push(square(*coefficient));
            spread.push(0);
        }
        trim(&mut spread);
        self.rest(spread)
    }
}
