//! Claims of any size, without a person in them: tables like those of Japan's national claims database, from a seed.
//!
//! ```
//! let world = tre_examples::claims::World::new(1, 1_000);
//! assert_eq!(world.claims().count(), 1_000);
//! ```
//!
//! **Skewed as reality is.** Ages follow the census; municipalities have from a thousand to almost a million people; how
//! often a person is seen depends on age and on a lognormal frailty (few people have most claims); a municipality's
//! facilities share its people by Zipf's law; chronic diseases return month after month at the same facility; points are
//! lognormal. What is real among the codes and what is only shaped like it is written at the lists in `codes`.
//!
//! **Bounded memory.** No table of persons or claims exists at any time. A person is a function of their number (a
//! ChaCha8 stream of its own), so the claims of a month can be made by walking over the numbers; what is kept is a few
//! tables of codes whose size depends on nothing (about 2 MB). A year of 10^8 claims needs no more than one of a thousand.
//!
//! **Order.** Claims come by month and, within a month, by a walk over persons in an order that differs from month to
//! month: whoever wants them by person must sort.
//!
//! **The same bytes everywhere** for one seed and size, because only integers and IEEE 754 basic operations are used (see
//! `draw`). Another size is another world: the number of persons follows the number of claims.

mod codes;
mod draw;

mod people;
mod places;

mod flow;

mod table;

pub use flow::{Claim, Claims};
pub use people::{Person, PersonId, Sex};
pub use places::{Facility, Municipality};
pub use table::{Table, write_table};

use rand_chacha::ChaCha8Rng;

/// First month of claims, and how many months there are: fiscal years 2023 and 2024.
pub const FIRST_MONTH: Month = Month { year: 2023, month: 4 };
/// Months of claims.
pub const MONTHS: u32 = 24;
/// Claims per person over all months, on average.
pub const CLAIMS_PER_PERSON: u64 = 20;

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Year of the common era.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
}

impl Month {
    /// The month that lies `months` later.
    fn plus(self, months: u32) -> Month {
        let index = u32::from(self.month) - 1 + months;
        Month {
            year: self.year + (index / 12) as u16,
            month: (index % 12 + 1) as u8,
        }
    }
}

/// Everything that a seed and a number of claims determine.
#[derive(Debug)]
pub struct World {
    seed: u64,
    rows: u64,
    places: places::Places,
    population: people::Population,
    care: flow::Care,
}

impl World {
    /// The world of this seed with this many claims.
    pub fn new(seed: u64, rows: u64) -> World {
        World {
            seed,
            rows,
            places: places::Places::new(),
            population: people::Population::new(),
            care: flow::Care::new(),
        }
    }

    /// How many persons there are; at least one.
    pub fn person_count(&self) -> u64 {
        self.rows.div_ceil(CLAIMS_PER_PERSON).max(1)
    }

    /// How many claims there are.
    pub fn claim_count(&self) -> u64 {
        self.rows
    }

    /// All persons, in the order of their numbers (which is not the order of their ids).
    pub fn persons(&self) -> impl Iterator<Item = Person> + '_ {
        let mut rng = self.generator("persons");
        (0..self.person_count()).map(move |number| self.person(&mut rng, number))
    }

    /// All claims, by month.
    pub fn claims(&self) -> Claims<'_> {
        Claims::new(self)
    }

    /// All municipalities, by code.
    pub fn municipalities(&self) -> &[Municipality] {
        self.places.municipalities()
    }

    fn person(&self, rng: &mut ChaCha8Rng, number: u64) -> Person {
        self.population.person(&self.places, rng, number)
    }

    fn generator(&self, purpose: &str) -> ChaCha8Rng {
        draw::generator(self.seed, purpose)
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
        let bytes = |seed, table| {
            let mut out = Vec::new();
            write_table(&World::new(seed, 5_000), table, &mut out, |_| ()).unwrap();
            out
        };
        for table in [Table::Persons, Table::Claims] {
            assert_eq!(bytes(7, table), bytes(7, table));
            assert_ne!(bytes(7, table), bytes(8, table));
        }
    }

    #[test]
    fn there_are_exactly_as_many_claims_as_asked_for() {
        for rows in [0, 1, 23, 24, 25, 1_001] {
            assert_eq!(World::new(3, rows).claims().count() as u64, rows);
        }
    }

    #[test]
    fn months_ascend_and_persons_do_not() {
        let world = World::new(4, 20_000);
        let claims: Vec<Claim> = world.claims().collect();
        assert!(claims.windows(2).all(|pair| pair[0].month <= pair[1].month));
        assert!(claims.windows(2).any(|pair| pair[0].person > pair[1].person));
        let months: BTreeSet<Month> = claims.iter().map(|claim| claim.month).collect();
        assert_eq!(months.len() as u32, MONTHS);
        assert_eq!(months.last(), Some(&Month { year: 2025, month: 3 }));
    }

    #[test]
    fn every_claim_belongs_to_a_person_with_one_identifier() {
        let world = World::new(5, 20_000);
        let persons: Vec<Person> = world.persons().collect();
        let ids: BTreeSet<String> = persons.iter().map(|person| person.id.to_string()).collect();
        assert_eq!(ids.len(), persons.len());
        for claim in world.claims() {
            assert_eq!(
                persons[usize::try_from(claim.person_number).unwrap()].id,
                claim.person
            );
        }
    }

    #[test]
    fn a_world_of_any_size_is_made_at_once_and_holds_the_same_tables() {
        let small = World::new(6, 1_000);
        let vast = World::new(6, 1_000_000_000_000);
        assert_eq!(vast.claims().take(1_000).count(), 1_000);
        assert_eq!(vast.persons().skip(10_000).take(1_000).count(), 1_000);
        assert_eq!(small.places.facility_count(), vast.places.facility_count());
        assert!(size_of::<Claims<'_>>() < 1024 && size_of::<Claim>() <= 96);
    }

    #[test]
    fn the_data_are_skewed() {
        let world = World::new(9, 200_000);
        let (mut persons, mut facilities, mut diseases) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (mut points, mut total) = (Vec::new(), 0_u64);
        for claim in world.claims() {
            *persons.entry(claim.person_number).or_insert(0_u32) += 1;
            *facilities.entry(claim.facility.number).or_insert(0_u32) += 1;
            *diseases.entry(claim.icd10).or_insert(0_u32) += 1;
            total += u64::from(claim.points);
            points.push(claim.points);
        }
        let top = |counts: Vec<u32>, share: usize| -> u32 {
            let mut counts = counts;
            counts.sort_unstable_by(|a, b| b.cmp(a));
            counts.iter().take((counts.len() / share).max(1)).sum()
        };
        let heavy = top(persons.into_values().collect(), 10);
        assert!(
            heavy > 200_000 * 28 / 100,
            "the tenth of people with most claims has {heavy}"
        );
        assert!(top(facilities.into_values().collect(), 100) > 200_000 * 8 / 100);
        assert!(diseases.values().any(|count| *count < 10) && diseases.values().any(|count| *count > 10_000));
        points.sort_unstable();
        let median = u64::from(points[points.len() / 2]);
        assert!(
            total / points.len() as u64 > 2 * median,
            "mean {} median {median}",
            total / points.len() as u64
        );
    }

    #[test]
    fn values_are_in_their_ranges() {
        let world = World::new(10, 50_000);
        for person in world.persons() {
            assert!(
                (1918..=2023).contains(&person.birth_year),
                "{}",
                person.birth_year
            );
        }
        for claim in world.claims() {
            assert!((1..=31).contains(&claim.days));
            assert!((10..=10_000_000).contains(&claim.points));
            assert!((3..=4).contains(&claim.icd10.as_bytes().len()));
        }
    }
}
