//! What treatments draw: functions of a key and of who is in a cell.
//!
//! A treatment that draws anew every time is undone by asking again, and one that draws by project is undone by two
//! projects. So a draw is made once and for all for a set of people: by SipHash-2-4 (Aumasson and Bernstein 2012) under a
//! key of the deployment over the population, the set's size and its hash, which the data worker computed under a key of
//! its own. Whoever has neither key learns of a draw only by what it does. The same people give the same draw through any
//! exit, in any project and session, under whatever question.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use tre_core::evidence::BaseCells;
use tre_core::evidence::sketch::UnitSets;
use tre_core::ids::PopulationName;
use tre_core::sketch::UnitSet;

/// The key of all draws of a deployment.
#[derive(Clone)]
pub struct DrawKey {
    jitter: SipHasher24,
    noise: SipHasher24,
}

impl fmt::Debug for DrawKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DrawKey(secret)")
    }
}

/// Who lets an output out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetOut {
    /// Nobody: the rules do. Whoever asks sees at once what was refused, and can play with it.
    ByRule,
    /// People other than the author, who look at it first.
    ByPeople,
}

/// What a draw is for. Draws for different things are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// How much higher a minimum is.
    Jitter,
    /// The noise of a count of people.
    People,
    /// The noise of a count of their rows.
    Rows,
}

impl DrawKey {
    /// Of 256 random bits: a half for jitter, a half for noise.
    pub fn new(key: &[u8; 32]) -> Self {
        let (jitter, noise) = key.split_at(16);
        let hasher = |half: &[u8]| {
            let mut key = [0; 16];
            key.copy_from_slice(half);
            SipHasher24::new_with_key(&key)
        };
        DrawKey {
            jitter: hasher(jitter),
            noise: hasher(noise),
        }
    }

    /// 64 bits for a set of people, of which its size and the words of its hash are given.
    fn draw(&self, purpose: Purpose, population: &PopulationName, units: u64, hash: [u64; 2]) -> u64 {
        let (mut hasher, measure) = match purpose {
            Purpose::Jitter => (self.jitter, 0),
            Purpose::People => (self.noise, 1),
            Purpose::Rows => (self.noise, 2),
        };
        hasher.write_u8(measure);
        for word in [units, hash[0], hash[1]] {
            hasher.write_u64(word);
        }
        hasher.write(population.as_str().as_bytes());
        hasher.finish()
    }
}

/// Draws for the cells of one frontier.
#[derive(Debug)]
pub(crate) struct Draws<'a> {
    key: &'a DrawKey,
    population: &'a PopulationName,
    /// Of the row itself, then of the arguments.
    sets: Vec<UnitSets<'a>>,
}

impl<'a> Draws<'a> {
    /// `None` when the cells have no sets of people to draw by.
    pub(crate) fn new(
        cells: &'a BaseCells,
        population: &'a PopulationName,
        key: &'a DrawKey,
    ) -> Option<Self> {
        let arguments = 0..cells.layout().arguments.len();
        let all = std::iter::once(None).chain(arguments.map(Some));
        let sets = all.map(|argument| cells.unit_sets(argument));
        Some(Draws {
            key,
            population,
            sets: sets.collect::<Option<_>>()?,
        })
    }

    /// A draw for the people of an argument in a row; `None` for the row itself.
    pub(crate) fn of(&self, purpose: Purpose, argument: Option<usize>, row: usize) -> Option<u64> {
        let (units, hash) = self.set(argument, row)?;
        Some(self.key.draw(purpose, self.population, units, hash))
    }

    /// A draw for those who are in one of two sets only: where one of the sets is part of the other, the very one that
    /// they have as a set of their own.
    pub(crate) fn of_difference(
        &self,
        purpose: Purpose,
        arguments: [Option<usize>; 2],
        row: usize,
    ) -> Option<u64> {
        let [(units, hash), (others, other)] = [self.set(arguments[0], row)?, self.set(arguments[1], row)?];
        let hash = [hash[0] ^ other[0], hash[1] ^ other[1]];
        let units = units.abs_diff(others);
        Some(self.key.draw(purpose, self.population, units, hash))
    }

    fn set(&self, argument: Option<usize>, row: usize) -> Option<(u64, [u64; 2])> {
        let index = argument.map_or(0, |argument| argument + 1);
        let set: UnitSet = self.sets.get(index)?.at(row)?;
        match set.hash() {
            [low, high] => Some((set.units(), [*low, *high])),
            _ => None,
        }
    }
}

/// A number from 0 to `most`, each as likely as the others but for 2^-32 or less.
pub(crate) fn up_to(most: u32, draw: u64) -> u32 {
    let numbers = u128::from(most) + 1;
    // Below `numbers`, which fits.
    u32::try_from((u128::from(draw) * numbers) >> 64).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn whatever_a_draw_depends_on_changes_it() {
        let clinic: PopulationName = "clinic".parse().unwrap();
        let other: PopulationName = "clinics".parse().unwrap();
        let key = DrawKey::new(&[7; 32]);
        let base = key.draw(Purpose::People, &clinic, 12, [3, 4]);
        assert_eq!(
            base,
            DrawKey::new(&[7; 32]).draw(Purpose::People, &clinic, 12, [3, 4])
        );
        let mut all = HashSet::from([base]);
        all.insert(key.draw(Purpose::Rows, &clinic, 12, [3, 4]));
        all.insert(key.draw(Purpose::Jitter, &clinic, 12, [3, 4]));
        all.insert(key.draw(Purpose::People, &other, 12, [3, 4]));
        all.insert(key.draw(Purpose::People, &clinic, 13, [3, 4]));
        all.insert(key.draw(Purpose::People, &clinic, 12, [4, 3]));
        all.insert(key.draw(Purpose::People, &clinic, 12, [3, 5]));
        // The halves of a key of equal bytes are equal: jitter and noise are told apart all the same.
        assert_eq!(all.len(), 7);
        let mut bytes = [7; 32];
        for (half, purpose) in [(0, Purpose::Jitter), (16, Purpose::People)] {
            bytes.iter_mut().skip(half).take(1).for_each(|byte| *byte ^= 1);
            let changed = DrawKey::new(&bytes).draw(purpose, &clinic, 12, [3, 4]);
            assert!(all.insert(changed), "{purpose:?}");
        }
        assert_eq!(format!("{key:?}"), "DrawKey(secret)");
    }

    #[test]
    fn every_number_is_drawn_about_as_often() {
        let clinic: PopulationName = "clinic".parse().unwrap();
        let key = DrawKey::new(&[1; 32]);
        for most in [0, 1, 4, 9] {
            let mut counts = vec![0_i64; most as usize + 1];
            for set in 0..20_000 {
                let drawn = up_to(most, key.draw(Purpose::Jitter, &clinic, 12, [set, 0]));
                *counts.get_mut(drawn as usize).unwrap() += 1;
            }
            let expected = 20_000 / counts.len() as i64;
            // Six standard deviations, of at most the root of what is expected.
            let most_off = 6 * (expected as f64).sqrt() as i64;
            assert!(
                counts.iter().all(|count| (count - expected).abs() <= most_off),
                "{counts:?}"
            );
        }
        assert_eq!((up_to(9, 0), up_to(9, u64::MAX), up_to(0, u64::MAX)), (0, 9, 0));
    }
}
