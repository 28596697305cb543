//! What each unit gives to a value: two values over the same units can still differ in what one of them gives.
//!
//! A unit's *share* is how many rows it brings and what their values add up to. Shares are kept as the XOR of two things
//! per unit:
//!
//! | part | size | what it is for |
//! |---|---|---|
//! | hash | 8 bytes | equal shares have equal hashes, different ones do not (2^-64) |
//! | lanes | 64 bytes | a byte per lane; the unit alone says which lane, its share which byte |
//!
//! So a unit whose share differs changes one lane, and the lanes that differ bound from below how many units give
//! something else to the two values. Two values of which fewer lanes differ than a minimum count as too near; of m units
//! that differ fewer than m lanes do where some meet in one, so that a few pairs which are far enough apart
//! count as near (of 16 units that differ 14 lanes do, on average), and never the other way round.

use super::set::lanes_apart;

/// Bytes that are checked one by one.
const LANES: usize = 64;

/// Words of 8 bytes: the hash, then the lanes.
pub const SHARES_WORDS: usize = 1 + LANES / 8;

/// What the units of a set give to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shares([u64; SHARES_WORDS]);

/// What one unit gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    hash: u64,
    lane: u8,
    byte: u8,
}

impl Share {
    /// From the digest of the unit with its rows and their sum, and a word that the unit alone decides.
    pub(super) fn of(digest: [u64; 2], unit: u64) -> Share {
        let [hash, other] = digest;
        Share {
            hash,
            lane: (unit % LANES as u64) as u8,
            byte: other as u8,
        }
    }

    /// Adds it to words of [`Shares`].
    pub fn add_to(&self, words: &mut [u64]) {
        let lane = usize::from(self.lane);
        if let Some(hash) = words.first_mut() {
            *hash ^= self.hash;
        }
        if let Some(word) = words.get_mut(1 + lane / 8) {
            *word ^= u64::from(self.byte) << (8 * (lane % 8));
        }
    }
}

impl Shares {
    /// From words; `None` when these are not [`SHARES_WORDS`].
    pub fn new(words: &[u64]) -> Option<Self> {
        words.try_into().ok().map(Shares)
    }

    /// Hash and lanes.
    pub fn words(&self) -> &[u64; SHARES_WORDS] {
        &self.0
    }

    /// Adds what a unit gives that has given nothing yet.
    pub fn add(&mut self, share: &Share) {
        share.add_to(&mut self.0);
    }

    /// At least so many units give something else to the other value.
    pub fn apart(&self, other: &Shares) -> u32 {
        let ([_, a @ ..], [_, b @ ..]) = (&self.0, &other.0);
        lanes_apart(a, b)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::sketch::{SketchShape, Sketcher};

    fn sketcher(key: u8) -> Sketcher {
        Sketcher::new(&[key; 32], SketchShape::for_minimum(10))
    }

    /// Units from 0 on, of which some give one more than the others.
    fn shares(units: u32, more: std::ops::Range<u32>) -> Shares {
        let mut shares = Shares::default();
        for unit in 0..units {
            let net = if more.contains(&unit) { 6 } else { 5 };
            shares.add(&sketcher(1).share(unit, 2, net));
        }
        shares
    }

    #[test]
    fn lanes_never_say_more_than_there_are() {
        let all = shares(400, 0..0);
        assert_eq!(all.apart(&all), 0);
        for many in 1..60 {
            let apart = all.apart(&shares(400, 100..100 + many));
            assert!((1..=many).contains(&apart), "{apart} of {many}");
        }
        assert!(
            all.apart(&shares(400, 0..400)) > 50,
            "everybody gives something else"
        );
    }

    #[test]
    fn rows_and_sums_and_units_and_keys_all_matter() {
        let base = sketcher(1).share(7, 2, 5);
        for (case, other) in [
            ("another unit", sketcher(1).share(8, 2, 5)),
            ("another row", sketcher(1).share(7, 3, 5)),
            ("another sum", sketcher(1).share(7, 2, -5)),
            ("another key", sketcher(2).share(7, 2, 5)),
        ] {
            assert_ne!(base.hash, other.hash, "{case}");
        }
        let lanes: std::collections::BTreeSet<u8> =
            (0..9).map(|sum| sketcher(1).share(7, 2, sum).lane).collect();
        assert_eq!(lanes.len(), 1, "the unit alone says which lane");
    }

    #[test]
    fn words_are_read_back() {
        let some = shares(20, 0..3);
        assert_eq!(Shares::new(some.words()).unwrap(), some);
        assert!(Shares::new(&[0; SHARES_WORDS - 1]).is_none());
    }
}
