//! Sets of units, the vectors of which they are sums, and their distance.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::MAX_CAPACITY;
use super::decode::decode;
use super::field::{Multiplier, square};
use super::keyed::{Keyed, LANES};
use super::shares::Share;

/// Words of a vector before its sums: the hash (2) and the lanes (4).
const HASH_WORDS: usize = 2;
const HEAD_WORDS: usize = HASH_WORDS + LANES / 8;

/// How much a sketch can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SketchShape(u32);

impl SketchShape {
    /// A sketch for a minimum of people: twice as many sums, at most [`MAX_CAPACITY`].
    pub fn for_minimum(people: u32) -> Self {
        SketchShape(people.saturating_mul(2).clamp(1, MAX_CAPACITY))
    }

    /// Number of sums: the largest symmetric difference that can be named.
    pub fn capacity(self) -> u32 {
        self.0
    }

    /// Words of 8 bytes of a vector: hash, lanes, sums.
    pub fn words(self) -> usize {
        HEAD_WORDS + self.0 as usize
    }
}

impl TryFrom<u32> for SketchShape {
    type Error = String;
    fn try_from(capacity: u32) -> Result<Self, String> {
        if (1..=MAX_CAPACITY).contains(&capacity) {
            return Ok(SketchShape(capacity));
        }
        Err(format!("a sketch has 1 to {MAX_CAPACITY} sums, not {capacity}"))
    }
}

impl From<SketchShape> for u32 {
    fn from(shape: SketchShape) -> u32 {
        shape.0
    }
}

/// Computes vectors of units and distances of sets, for one population.
#[derive(Clone)]
pub struct Sketcher {
    keyed: Keyed,
    shape: SketchShape,
}

impl fmt::Debug for Sketcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sketcher(secret, {:?})", self.shape)
    }
}

/// What a unit brings to every set that it is in: words of hash, lanes, sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitVector(Vec<u64>);

impl UnitVector {
    /// The words, [`SketchShape::words`] many.
    pub fn words(&self) -> &[u64] {
        &self.0
    }
}

/// A set of units: how many, and the XOR of their vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSet {
    units: u64,
    words: Vec<u64>,
}

/// How far two sets of units are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// They are the same.
    Same,
    /// So many units are in one of them and not in the other: at least 1, fewer than asked about.
    Near(u32),
    /// At least as many as asked about.
    Far,
    /// Sketches too small for the question; whoever asks has to think the worst.
    Unknown,
}

impl Sketcher {
    /// Under a key of 256 bits, one per population.
    pub fn new(key: &[u8; 32], shape: SketchShape) -> Self {
        Sketcher {
            keyed: Keyed::new(key),
            shape,
        }
    }

    /// How large its vectors are.
    pub fn shape(&self) -> SketchShape {
        self.shape
    }

    /// The vector of a unit.
    pub fn vector(&self, unit: u32) -> UnitVector {
        let mut vector = UnitVector(vec![0; self.shape.words()]);
        self.vector_into(unit, &mut vector);
        vector
    }

    /// The same into a vector of this sketcher that is there already.
    pub fn vector_into(&self, unit: u32, vector: &mut UnitVector) {
        let element = self.keyed.element(unit);
        let head = self.head(element);
        vector.0.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        let by_square = Multiplier::new(square(element));
        let mut power = element;
        for sum in vector.0.iter_mut().skip(HEAD_WORDS) {
            *sum = power;
            power = by_square.times(power);
        }
    }

    /// What a unit gives to a value with so many rows that add up to `net`.
    pub fn share(&self, unit: u32, rows: u64, net: i128) -> Share {
        let digest = self.keyed.share(unit, rows, net);
        Share::of(digest, self.keyed.place(unit))
    }

    fn head(&self, element: u64) -> [u64; HEAD_WORDS] {
        let mut head = [0; HEAD_WORDS];
        let (hash, lanes) = head.split_at_mut(HASH_WORDS);
        hash.copy_from_slice(&self.keyed.digest(element));
        let (lane, byte) = self.keyed.lane(element);
        if let Some(word) = lanes.get_mut(lane / 8) {
            *word = u64::from(byte) << (8 * (lane % 8));
        }
        head
    }

    /// How far two sets are apart, exactly when it is fewer than `limit` units.
    ///
    /// The sets may have sums of different number; the shorter number counts. With fewer than `limit - 1` sums
    /// the answer can be [`Distance::Unknown`].
    pub fn distance(&self, a: &UnitSet, b: &UnitSet, limit: u32) -> Distance {
        if a.hash() == b.hash() && a.units == b.units {
            return Distance::Same;
        }
        if a.units.abs_diff(b.units) >= u64::from(limit) || a.lanes_apart(b.lanes()) >= limit {
            return Distance::Far;
        }
        let sums: Vec<u64> = a.sums().iter().zip(b.sums()).map(|(a, b)| a ^ b).collect();
        let most = (limit.saturating_sub(1) as usize).min(sums.len());
        match decode(&sums, most).filter(|elements| self.is_difference(elements, a, b)) {
            Some(elements) => u32::try_from(elements.len()).map_or(Distance::Unknown, Distance::Near),
            None if sums.len() >= limit.saturating_sub(1) as usize => Distance::Far,
            None => Distance::Unknown,
        }
    }

    /// Whether hash and counts say the same as the elements that a sketch was decoded to.
    fn is_difference(&self, elements: &[u64], a: &UnitSet, b: &UnitSet) -> bool {
        let mut head = [0; HEAD_WORDS];
        for element in elements {
            xor(&mut head, &self.head(*element));
        }
        let apart = a.units.abs_diff(b.units);
        let length = elements.len() as u64;
        let counts = length >= apart && (length - apart).is_multiple_of(2);
        let words = a.words.iter().zip(&b.words).map(|(a, b)| a ^ b);
        counts && length > 0 && words.take(HEAD_WORDS).eq(head)
    }
}

impl UnitSet {
    /// Nobody.
    pub fn empty(shape: SketchShape) -> Self {
        UnitSet {
            units: 0,
            words: vec![0; shape.words()],
        }
    }

    /// So many units with the XOR of their vectors; `None` when the words are those of no shape.
    pub fn new(units: u64, words: Vec<u64>) -> Option<Self> {
        let sums = u32::try_from(words.len().checked_sub(HEAD_WORDS)?).ok()?;
        SketchShape::try_from(sums).ok()?;
        Some(UnitSet { units, words })
    }

    /// Adds a unit that is not in the set.
    pub fn add(&mut self, vector: &UnitVector) {
        self.units += 1;
        xor(&mut self.words, &vector.0);
    }

    /// How many units.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Hash, lanes and sums: [`SketchShape::words`].
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The hash of the set, 128 bits; 0 for nobody.
    pub fn hash(&self) -> &[u64] {
        self.words.get(..HASH_WORDS).unwrap_or_default()
    }

    /// Checksums of a byte, eight in a word, each over the units of one lane.
    pub fn lanes(&self) -> &[u64] {
        self.words.get(HASH_WORDS..HEAD_WORDS).unwrap_or_default()
    }

    /// In how many lanes the set differs from another's: it differs from it by at least so many units.
    pub fn lanes_apart(&self, lanes: &[u64]) -> u32 {
        lanes_apart(self.lanes(), lanes)
    }

    /// Sums of the odd powers.
    pub fn sums(&self) -> &[u64] {
        self.words.get(HEAD_WORDS..).unwrap_or_default()
    }
}

/// Adds words to words in the field: XOR.
pub(super) fn xor(to: &mut [u64], from: &[u64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to ^= from);
}

/// How many lanes differ. Every unit of the symmetric difference changes one lane at most, so it has at least so many.
pub(super) fn lanes_apart(a: &[u64], b: &[u64]) -> u32 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let of_word = |(a, b): (&u64, &u64)| {
        let differing = a ^ b;
        // The top bit of every byte that is not 0: its low bits carry into it, or it is set.
        ((((differing & LOW) + LOW) | differing) & !LOW).count_ones()
    };
    a.iter().zip(b).map(of_word).sum()
}
