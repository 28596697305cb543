//! Comparison with everything that has left: a value must not differ from an earlier one by too few people.
//!
//! *Definition.* Let m be the policy's `units.minimum`, A the units of a new cell and B those of an earlier cell of the
//! same population and a comparable measure, through any exit, of any project and dataset version. If |A Δ B| < m, the
//! two give away those few by subtraction, so the new one is treated as the policy says (`ledger.differing`).
//!
//! *Candidates.* |A Δ B| is at least ||A| - |B||: only sets whose size is within m - 1 can be near. That is necessary and
//! far from sufficient (two strangers' groups of 100), so within the band of sizes the lanes of the two sets are
//! compared, which bound |A Δ B| from below as well and discard nearly all; sketches decide the rest exactly. No bound
//! ever discards a near pair. See [`Ledger::near`] for the cost.
//!
//! *What is comparable.* Counts of people with each other (a count of rows is one where every unit has one row); counts
//! of rows of one argument over the same tables; sums, smallest and largest values of one argument. The predicate of an
//! argument is part of who is present, not of the measure.
//!
//! *What people give.* Two sums over the same people can differ in what one of them gives, and two sums over nearly the
//! same people in what all of them give, as those of two years do. So but for counts of people the shares decide
//! ([`tre_core::sketch::Shares`]): two values are near if fewer than m people give something else to them.
//!
//! *What is not compared.* Two groups of one question, or of two that group by the same keys of people's own rows: their
//! rows are different rows, and subtracting them subtracts different things. Values of nobody: the empty set is near to
//! every small one.
//!
//! *Snapping says least.* A value near to one that has left is answered with that value, also when its people are exactly
//! the same and give the same: otherwise `snapped` would say that somebody is different. What is suppressed stays
//! suppressed under any other question about nearly the same people. Referring and suppressing do say that somebody is
//! different; they are counted, as are those answers of snapping in which somebody was, and capped per user and project.
//!
//! *Which value comes back.* The earliest that is near. That depends on people only as nearness does: each of the earlier
//! values is near or is not, at the edge of m by one person, and which of them was earlier is known to whoever asks.
//!
//! *Sensitive labels.* Where the people are those of another value or nearly those, and the two questions read different
//! columns with a tag of `ledger.sensitive` in conditions and keys, the new value would say that all of them meet the
//! condition, whatever its number. It is never shown as it is, also where exactly the people or what they give would let
//! it be.
//!
//! *Against whom.* Pairs are judged. What three or more answers determine together, e.g. a total and its parts, is not.

mod compare;
mod edit;
mod examine;
mod keys;
mod known;
mod question;
mod rule;

pub(crate) use compare::compare_under;
pub use compare::{Asked, Compared, Head, compare, overtaken};
pub use known::Ledger;
