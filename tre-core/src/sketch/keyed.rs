//! Units as the sketch sees them: elements of the field, digests and lanes, all under a key of the population.
//!
//! *Element.* A permutation of 64 bits, walked on from 0, so that two units never share an element and none has the
//! element 0 (which a sketch cannot see). It is a Feistel network of 32-bit halves over SipHash-2-4 (Aumasson and
//! Bernstein 2012), with six rounds: four make a strong pseudorandom permutation of a pseudorandom function (Luby and
//! Rackoff 1988), two more are margin for the short halves. What is asked of it is little: to be injective, which any
//! Feistel network is, and that nobody without the key can choose units by their elements.
//!
//! *Digest and lane.* SipHash-2-4 with 128 bits under a second key. A set's hash is the XOR of its digests. To somebody
//! who does not hold the key and never sees a hash, the digests are independent and uniform: two different sets meet
//! with a probability of 2^-128, and among q sets any two with less than q^2 / 2^129 (10^9 sets: below 2^-69). A second
//! call under another key gives the lane and its byte; a third and fourth key are for [`Shares`](super::Shares).

use siphasher::sip::SipHasher24;
use siphasher::sip128::{Hasher128, SipHasher24 as SipHasher24Wide};
use std::hash::Hasher;

/// Rounds of the Feistel network.
const ROUNDS: u8 = 6;

/// Checksums of a byte per set, see [`lanes`](super::UnitSet::lanes).
pub(super) const LANES: usize = 32;

/// The keyed functions of one population.
#[derive(Clone)]
pub(super) struct Keyed {
    round: SipHasher24,
    digest: SipHasher24Wide,
    lane: SipHasher24,
    share: SipHasher24Wide,
    place: u64,
}

impl Keyed {
    /// Derives the keys from one of 256 bits, each half first put through the other.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let (low, high) = key.split_at(16);
        let half = |bytes: &[u8]| {
            let mut half = [0; 16];
            half.copy_from_slice(bytes);
            half
        };
        let (low, high) = (half(low), half(high));
        let derived = |label: u8| {
            let mut hasher = SipHasher24Wide::new_with_key(&low);
            hasher.write(&high);
            hasher.write_u8(label);
            hasher.finish128().as_bytes()
        };
        Keyed {
            round: SipHasher24::new_with_key(&derived(1)),
            digest: SipHasher24Wide::new_with_key(&derived(2)),
            lane: SipHasher24::new_with_key(&derived(3)),
            share: SipHasher24Wide::new_with_key(&derived(4)),
            place: u64::from_le_bytes(half_of(derived(5))) | 1,
        }
    }

    /// The unit's element, never 0.
    pub(super) fn element(&self, unit: u32) -> u64 {
        let mut element = self.permute(u64::from(unit));
        // Only one input of 2^64 leads to 0, and the walk from it does not come back to it before all others.
        while element == 0 {
            element = self.permute(element);
        }
        element
    }

    fn permute(&self, input: u64) -> u64 {
        let (mut left, mut right) = ((input >> 32) as u32, input as u32);
        for round in 0..ROUNDS {
            let mut hasher = self.round;
            hasher.write_u64(u64::from(round) << 32 | u64::from(right));
            (left, right) = (right, left ^ hasher.finish() as u32);
        }
        u64::from(left) << 32 | u64::from(right)
    }

    /// The element's digest.
    pub(super) fn digest(&self, element: u64) -> [u64; 2] {
        let mut hasher = self.digest;
        hasher.write_u64(element);
        let digest = hasher.finish128();
        [digest.h1, digest.h2]
    }

    /// The digest of a unit with what it gives to a value.
    pub(super) fn share(&self, unit: u32, rows: u64, net: i128) -> [u64; 2] {
        let mut hasher = self.share;
        hasher.write_u32(unit);
        hasher.write_u64(rows);
        hasher.write_i128(net);
        let digest = hasher.finish128();
        [digest.h1, digest.h2]
    }

    /// Six bits that the unit alone decides. Multiplication with a secret odd number is enough: units are numbers that
    /// nobody sees, and where two of them meet two values are only thought nearer than they are.
    pub(super) fn place(&self, unit: u32) -> u64 {
        self.place.wrapping_mul(u64::from(unit) + 1) >> 58
    }

    /// The element's lane, below [`LANES`], and what it puts there.
    pub(super) fn lane(&self, element: u64) -> (usize, u8) {
        let mut hasher = self.lane;
        hasher.write_u64(element);
        let drawn = hasher.finish();
        ((drawn % LANES as u64) as usize, (drawn >> 32) as u8)
    }
}

fn half_of(bytes: [u8; 16]) -> [u8; 8] {
    let (half, _) = bytes.as_chunks::<8>();
    half.first().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn elements_are_different_and_never_zero() {
        let keyed = Keyed::new(&[7; 32]);
        let elements: HashSet<u64> = (0..50_000).map(|unit| keyed.element(unit)).collect();
        assert_eq!(elements.len(), 50_000);
        assert!(!elements.contains(&0));
    }

    #[test]
    fn every_bit_of_the_key_matters_to_element_digest_and_lane() {
        let all = |key: &[u8; 32]| {
            let keyed = Keyed::new(key);
            let element = keyed.element(4711);
            // The lane's 13 bits of many elements: one alone may meet.
            let lanes: Vec<_> = (1..9).map(|element| keyed.lane(element)).collect();
            (element, keyed.digest(1), lanes)
        };
        let base = all(&[0; 32]);
        for bit in 0..256 {
            let mut key = [0_u8; 32];
            key.iter_mut()
                .skip(bit / 8)
                .take(1)
                .for_each(|byte| *byte ^= 1 << (bit % 8));
            let other = all(&key);
            assert_ne!(base.0, other.0, "bit {bit}");
            assert_ne!(base.1, other.1, "bit {bit}");
            assert_ne!(base.2, other.2, "bit {bit}");
        }
    }

    #[test]
    fn lanes_and_bits_of_elements_are_even() {
        let keyed = Keyed::new(&[1; 32]);
        let mut lanes = [0_u32; LANES];
        let mut bits = [0_u32; 64];
        for unit in 0..32_000 {
            let element = keyed.element(unit);
            let (lane, _) = keyed.lane(element);
            lanes.iter_mut().skip(lane).take(1).for_each(|count| *count += 1);
            for (bit, count) in bits.iter_mut().enumerate() {
                *count += (element >> bit & 1) as u32;
            }
        }
        // Six standard deviations of 1,000 (31.1) and of 16,000 (89.4).
        assert!(lanes.iter().all(|count| count.abs_diff(1000) < 187), "{lanes:?}");
        assert!(bits.iter().all(|count| count.abs_diff(16_000) < 537), "{bits:?}");
    }
}
