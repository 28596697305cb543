//! A sample of the distinct values of a column, to see whether they are direct identifiers.
//!
//! The values with the smallest hashes are kept: a fair sample of the distinct ones whatever their order and frequency,
//! so that the verdict does not depend on how the holder's files are sorted.

use std::collections::BTreeMap;

use tre_core::spec::{Pattern, Suspicion};
use unicode_normalization::UnicodeNormalization;

const SAMPLE: usize = 1024;
const RECENT: usize = 512;

/// Collects the sample.
pub(crate) struct Distinct {
    /// Hashes seen lately; most values of most columns come again soon.
    recent: Vec<u64>,
    kept: BTreeMap<u64, Option<Pattern>>,
    /// Hashes above this are not kept.
    limit: u64,
}

impl Distinct {
    pub(crate) fn new() -> Self {
        Distinct {
            recent: vec![0; RECENT],
            kept: BTreeMap::new(),
            limit: u64::MAX,
        }
    }

    /// Takes a value into account; `text` is asked for only if it enters the sample.
    #[inline]
    pub(crate) fn observe<T: AsRef<str>>(&mut self, hash: u64, text: impl FnOnce() -> T) {
        if hash > self.limit {
            return;
        }
        let Some(recent) = self.recent.get_mut(hash as usize % RECENT) else {
            return;
        };
        if *recent == hash {
            return;
        }
        *recent = hash;
        if self.kept.contains_key(&hash) {
            return;
        }
        self.keep(hash, text().as_ref());
    }

    fn keep(&mut self, hash: u64, text: &str) {
        let pattern = if text.is_ascii() {
            Pattern::of(text)
        } else {
            Pattern::of(&text.nfkc().collect::<String>())
        };
        self.kept.insert(hash, pattern);
        if self.kept.len() > SAMPLE {
            self.kept.pop_last();
            self.limit = self.kept.last_key_value().map_or(u64::MAX, |(hash, _)| *hash);
        }
    }

    /// The kind of identifier that the column holds, if it does.
    pub(crate) fn verdict(&self) -> Option<Pattern> {
        let mut suspicion = Suspicion::default();
        self.kept.values().for_each(|pattern| suspicion.observe(*pattern));
        suspicion.verdict()
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
            distinct.observe(hash_bytes(text.as_bytes()), || &text);
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
            wide.observe(hash_bytes(phone.as_bytes()), || &phone);
            let code = format!("{:08}", n * 7_919);
            codes.observe(hash_bytes(code.as_bytes()), || &code);
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
                distinct.observe(hash_bytes(text.as_bytes()), || &text);
            });
            distinct.kept
        };
        let forwards = sample(&mut (0..50_000));
        assert_eq!(forwards.len(), SAMPLE);
        assert_eq!(forwards, sample(&mut (0..50_000).rev()));
    }
}
