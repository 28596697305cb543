//! GF(2^64), the field of unit-set sketches: polynomials over GF(2) modulo x^64 + x^4 + x^3 + x + 1.
//!
//! An element is a `u64`, bit i the coefficient of x^i; addition is XOR. The modulus is the irreducible polynomial of
//! lowest weight of this degree (Seroussi, *Table of Low-Weight Binary Irreducible Polynomials*, HPL-98-135).
//!
//! Multiplication is portable and without `unsafe`: the carry-less instruction of the processor cannot be called
//! safely from Rust, and the crates that wrap it offer GF(2^128) only. Measured at the optimisation of the tests on a
//! Xeon of 2 GHz: 38 ns for [`multiply`] (a window of four bits), against 63 ns by shifts and 166 ns by integer
//! products with holes; 24 ns a product where one factor stays, by [`Multiplier`] with its tables built for 20 products
//! of each. The tables are indexed by secrets; whoever could watch the cache of the jailed worker that does this
//! could read its memory.

/// x^4 + x^3 + x + 1: what x^64 is.
const REDUCTION: u64 = 0b1_1011;

/// The product with x.
const fn double(a: u64) -> u64 {
    (a << 1) ^ (REDUCTION * (a >> 63))
}

/// The carry-less product of 128 bits, reduced.
fn reduce(product: u128) -> u64 {
    let (low, high) = (product as u64, (product >> 64) as u64);
    // The top four bits of `high` come back once more below x^64.
    let high = high ^ (high >> 63) ^ (high >> 61) ^ (high >> 60);
    low ^ high ^ (high << 1) ^ (high << 3) ^ (high << 4)
}

/// The product of two elements.
pub(super) fn multiply(a: u64, b: u64) -> u64 {
    let mut multiples = [0_u128; 16];
    let a = u128::from(a);
    for (bit, start) in [1_usize, 2, 4, 8].into_iter().enumerate() {
        let (done, rest) = multiples.split_at_mut(start);
        for (slot, lower) in rest.iter_mut().zip(done) {
            *slot = *lower ^ (a << bit);
        }
    }
    let mut product = 0;
    for digit in (0..16).rev() {
        let digit = (b >> (4 * digit)) & 15;
        product = (product << 4) ^ multiples.get(digit as usize).copied().unwrap_or_default();
    }
    reduce(product)
}

/// The square of an element: its bits apart, reduced.
pub(super) fn square(a: u64) -> u64 {
    let mut spread = u128::from(a);
    for (shift, mask) in [
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333_3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555_5555_5555_5555_5555),
    ] {
        spread = (spread | (spread << shift)) & mask;
    }
    reduce(spread)
}

/// The inverse of an element that is not 0, which is its power 2^64 - 2; 0 for 0.
pub(super) fn invert(a: u64) -> u64 {
    // 2^64 - 2 in binary: 63 ones and a zero.
    let (mut power, mut result) = (a, 1);
    for _ in 0..63 {
        power = square(power);
        result = multiply(result, power);
    }
    result
}

/// A factor that many elements are multiplied with: 16 tables of 16 multiples, one for every four bits of the other.
pub(super) struct Multiplier([[u64; 16]; 16]);

impl Multiplier {
    /// Builds the tables.
    pub(super) fn new(factor: u64) -> Self {
        let mut tables = [[0; 16]; 16];
        let mut base = factor;
        for table in &mut tables {
            for start in [1_usize, 2, 4, 8] {
                let (done, rest) = table.split_at_mut(start);
                for (slot, lower) in rest.iter_mut().zip(done) {
                    *slot = *lower ^ base;
                }
                base = double(base);
            }
        }
        Multiplier(tables)
    }

    /// The product with another element.
    pub(super) fn times(&self, other: u64) -> u64 {
        let mut product = 0;
        for (digit, table) in self.0.iter().enumerate() {
            let multiple = (other >> (4 * digit)) & 15;
            product ^= table.get(multiple as usize).copied().unwrap_or_default();
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: shift, add, reduce.
    fn by_definition(a: u64, b: u64) -> u64 {
        let (mut sum, mut shifted) = (0, a);
        for bit in 0..64 {
            if b >> bit & 1 == 1 {
                sum ^= shifted;
            }
            shifted = double(shifted);
        }
        sum
    }

    fn samples() -> impl Iterator<Item = (u64, u64)> {
        let edges = [
            0,
            1,
            2,
            REDUCTION,
            1 << 63,
            u64::MAX,
            u64::MAX - 1,
            0x8000_0000_0000_001b,
        ];
        let pairs = edges.into_iter().flat_map(move |a| edges.map(|b| (a, b)));
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let drawn = (0..2000).map(move |_| {
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            };
            (next(), next())
        });
        pairs.chain(drawn)
    }

    #[test]
    fn all_ways_to_multiply_agree_with_the_definition() {
        for (a, b) in samples() {
            let product = by_definition(a, b);
            assert_eq!(multiply(a, b), product, "{a:#x} {b:#x}");
            assert_eq!(Multiplier::new(a).times(b), product, "{a:#x} {b:#x}");
            assert_eq!(square(a), by_definition(a, a), "{a:#x}");
        }
    }

    #[test]
    fn every_element_but_zero_has_an_inverse_and_the_order_of_the_group_is_right() {
        for (a, _) in samples().filter(|(a, _)| *a != 0).take(300) {
            assert_eq!(multiply(a, invert(a)), 1, "{a:#x}");
            let mut power = a;
            for _ in 0..64 {
                power = square(power);
            }
            assert_eq!(power, a, "a field of 2^64 elements");
        }
        assert_eq!(invert(0), 0);
    }
}
