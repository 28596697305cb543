//! A sample of the distinct values of a column, to see whether they are direct identifiers, and whether people share them.
//!
//! The values with the smallest hashes are kept: a fair sample of the distinct ones whatever their order and frequency,
//! so that the verdict does not depend on how the holder's files are sorted.

use std::collections::BTreeMap;

use tre_core::spec::{Pattern, Suspicion};
use unicode_normalization::UnicodeNormalization;

const SAMPLE: usize = 1024;
const RECENT: usize = 512;
/// Fewest distinct values of which can be said that nobody shares them.
const MIN_HELD: usize = 20;

/// Collects the sample.
pub(crate) struct Distinct {
    /// Hashes of shared values, seen lately: nothing more is to be learned of them, and most values of most columns
    /// come again soon.
    recent: Vec<u64>,
    kept: BTreeMap<u64, Kept>,
    /// Hashes above this are not kept.
    limit: u64,
}

/// One distinct value.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    /// What it looks like.
    pattern: Option<Pattern>,
    /// The person with whom it came first.
    owner: u64,
    /// It came with another person too.
    is_shared: bool,
}

impl Distinct {
    pub(crate) fn new() -> Self {
        Distinct {
            recent: vec![0; RECENT],
            kept: BTreeMap::new(),
            limit: u64::MAX,
        }
    }

    /// Takes a value of a person into account; `text` is asked for only if it enters the sample.
    #[inline]
    pub(crate) fn observe<T: AsRef<str>>(&mut self, hash: u64, owner: u64, text: impl FnOnce() -> T) {
        if hash > self.limit {
            return;
        }
        let Some(recent) = self.recent.get_mut(hash as usize % RECENT) else {
            return;
        };
        if *recent == hash {
            return;
        }
        let Some(kept) = self.kept.get_mut(&hash) else {
            return self.keep(hash, owner, text().as_ref());
        };
        if kept.owner != owner {
            kept.is_shared = true;
            *recent = hash;
        }
    }

    fn keep(&mut self, hash: u64, owner: u64, text: &str) {
        let pattern = if text.is_ascii() {
            Pattern::of(text)
        } else {
            Pattern::of(&text.nfkc().collect::<String>())
        };
        let is_shared = false;
        self.kept.insert(
            hash,
            Kept {
                pattern,
                owner,
                is_shared,
            },
        );
        if self.kept.len() > SAMPLE {
            self.kept.pop_last();
            self.limit = self.kept.last_key_value().map_or(u64::MAX, |(hash, _)| *hash);
        }
    }

    /// The kind of identifier that the column holds, if it does.
    pub(crate) fn verdict(&self) -> Option<Pattern> {
        let mut suspicion = Suspicion::default();
        self.kept
            .values()
            .for_each(|kept| suspicion.observe(kept.pattern));
        suspicion.verdict()
    }

    /// Whether nine of ten distinct values, of twenty at least, came with one person only, however often.
    pub(crate) fn is_held_by_one(&self) -> bool {
        let shared = self.kept.values().filter(|kept| kept.is_shared).count();
        self.kept.len() >= MIN_HELD && shared * 10 <= self.kept.len()
    }
}

/// A fast hash for sampling and caches; not keyed, so nothing may rely on it being hard to guess.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = 0x9E37_79B9_7F4A_7C15 ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        if let Some(word) = chunk.first_chunk::<8>() {
            hash = mix(hash ^ u64::from_le_bytes(*word));
        }
    }
    let mut tail = 0;
    for byte in chunks.remainder() {
        tail = (tail << 8) | u64::from(*byte);
    }
    mix(mix(hash ^ tail))
}

/// The two halves of a 128-bit product, folded.
#[inline]
pub(super) fn mix(value: u64) -> u64 {
    let product = u128::from(value) * 0xA076_1D64_78BD_642F;
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_frequent_value_does_not_hide_identifiers() {
        let mut distinct = Distinct::new();
        for n in 0..100_000u32 {
            let text = if n % 100 == 0 {
                format!("p{n}@example.org")
            } else {
                "unknown".to_owned()
            };
            distinct.observe(hash_bytes(text.as_bytes()), u64::from(n), || &text);
        }
        assert_eq!(distinct.verdict(), Some(Pattern::Email));
    }

    #[test]
    fn full_width_digits_are_seen_and_random_codes_are_not() {
        let mut wide = Distinct::new();
        let mut codes = Distinct::new();
        for n in 0..5_000u64 {
            let phone: String = format!("090{:08}", 10_000_000 + n * 13)
                .chars()
                .filter_map(|c| char::from_u32(u32::from(c) - u32::from('0') + u32::from('０')))
                .collect();
            wide.observe(hash_bytes(phone.as_bytes()), n, || &phone);
            let code = format!("{:08}", n * 7_919);
            codes.observe(hash_bytes(code.as_bytes()), n, || &code);
        }
        assert_eq!(wide.verdict(), Some(Pattern::Phone));
        assert_eq!(codes.verdict(), None);
    }

    #[test]
    fn the_sample_is_bounded_and_independent_of_order() {
        let sample = |order: &mut dyn Iterator<Item = u32>| {
            let mut distinct = Distinct::new();
            order.for_each(|n| {
                let text = n.to_string();
                distinct.observe(hash_bytes(text.as_bytes()), 1, || &text);
            });
            distinct.kept
        };
        let forwards = sample(&mut (0..50_000));
        assert_eq!(forwards.len(), SAMPLE);
        assert_eq!(forwards, sample(&mut (0..50_000).rev()));
    }
    #[test]
    fn values_that_people_do_not_share_are_told_from_codes() {
        let held = |value: &dyn Fn(u64) -> String, people: u64| {
            let mut distinct = Distinct::new();
            // Two visits of each person.
            for visit in 0..people * 2 {
                let (person, text) = (visit % people, value(visit % people));
                distinct.observe(hash_bytes(text.as_bytes()), person, || &text);
            }
            distinct.is_held_by_one()
        };
        assert!(held(&|person| format!("Name {person}"), 5_000));
        assert!(held(&|person| format!("Name {person}"), MIN_HELD as u64));
        // Every tenth name has a namesake.
        assert!(held(
            &|person| format!("Name {}", if person % 20 == 0 { person + 1 } else { person }),
            5_000
        ));
        assert!(!held(&|person| format!("Name {person}"), MIN_HELD as u64 - 1));
        assert!(!held(&|person| format!("C{}", person % 700), 5_000));
        assert!(!held(&|person| format!("Name {}", person / 2), 5_000));
    }
}
