//! Unit-set sketches: who stands behind a cell, in few bytes, so that two cells can be compared long after the rows are
//! gone.
//!
//! A set of units is kept as four things, each the XOR of what its units bring, so that the XOR of two sets is their
//! symmetric difference:
//!
//! | part | size | what it is for |
//! |---|---|---|
//! | count | 8 bytes | how many; the difference of two counts bounds the symmetric difference from below |
//! | hash | 16 bytes | equal sets have equal hashes, different sets do not (2^-128; see `keyed.rs`) |
//! | lanes | 32 bytes | every unit changes one byte: the bytes that differ bound the symmetric difference from below, fast |
//! | sums | 8 bytes each, `capacity` of them | PinSketch: names the symmetric difference when it has at most `capacity` units |
//!
//! *PinSketch* (Dodis, Ostrovsky, Reyzin, Smith, *Fuzzy Extractors*, SIAM J. Comput. 38, 2008, section 6; also
//! minisketch). A unit is an element e of GF(2^64) that is not 0; a set's sums are those of e, e^3, e^5, … over its
//! elements: the syndromes of a binary BCH code of distance 2·capacity + 1. So a difference of at most `capacity` units
//! has sums that no other such difference has, and Berlekamp and Massey's algorithm with a search for roots finds it.
//! Sums of a larger difference can look like those of a small one; a decoding therefore counts only when hash and
//! count agree with it.
//!
//! What a unit brings is its *vector*, computed once per unit under a key of the population and XORed into every set
//! that it enters. Measured with 20 sums on a busy Xeon of 2 GHz: 0.7 µs a vector, 7 ns an XOR, 11 ns to tell that
//! two sets are far apart by their lanes, 1 ms to name the 9 units in which two differ (`cargo run -p tre-core --example sketch_cost`
//! prints them for your machine).
//!
//! Who stands behind two values can be the same and what one of them gives to it another: [`Shares`] tells.
//!
//! What nobody without the key can do: choose people whose vectors cancel out. Hashes, lanes and sums never reach an
//! analyst.

mod decode;
mod field;
mod keyed;
mod set;
mod shares;

pub use set::{Distance, SketchShape, Sketcher, UnitSet, UnitVector};
pub use shares::{SHARES_WORDS, Share, Shares};

/// Most sums of a sketch, and so the largest symmetric difference that it can name.
pub const MAX_CAPACITY: u32 = 32;

#[cfg(test)]
mod tests;
