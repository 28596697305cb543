//! Where people live and where they are treated.

use std::fmt;

use rand_chacha::ChaCha8Rng;

use super::codes::{MUNICIPALITIES, PREFECTURES, check_digit};
use super::draw::{Alias, below, ln, zipf};

/// People per facility in the model: about 63,000 facilities for 126 million people.
const PEOPLE_PER_FACILITY: u32 = 2_000;

/// A municipality or ward.
#[derive(Debug)]
pub struct Municipality {
    /// JIS X 0402 code: prefecture (2 digits), municipality (3).
    pub code: &'static str,
    /// Its name in Japanese, with its district where it has one.
    pub name: &'static str,
    /// Modelled population: the prefecture's real one, spread over its municipalities in the order of their codes (cities
    /// before towns before villages) with shares that fall as k^-1.5.
    pub population: u32,
    facilities: Range,
}

/// A facility's number: ten digits of the shape that claims have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Facility {
    /// Its number among all facilities, from 0.
    pub number: u32,
    /// Index of its municipality in [`super::World::municipalities`].
    pub municipality: u16,
    prefecture: u8,
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u32::from(self.prefecture) * 10_000_000 + 1_000_000 + 10_000 + self.number % 890_000;
        write!(f, "{number:09}{}", check_digit(number))
    }
}

/// Facilities with consecutive numbers, drawn by Zipf's law.
#[derive(Debug, Clone, Copy)]
struct Range {
    first: u32,
    count: u32,
    ln_count: f64,
}

impl Range {
    fn new(first: u32, count: u32) -> Range {
        Range {
            first,
            count,
            ln_count: ln(f64::from(count) + 1.0),
        }
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> u32 {
        self.first + zipf(rng, self.count, self.ln_count)
    }
}

/// The map: municipalities, their people, their facilities.
#[derive(Debug)]
pub(super) struct Places {
    municipalities: Vec<Municipality>,
    by_population: Alias,
    /// Municipality of each facility.
    owners: Vec<u16>,
}

impl Places {
    /// The same map for every seed.
    pub(super) fn new() -> Places {
        let mut municipalities: Vec<Municipality> = Vec::new();
        let mut owners = Vec::new();
        for (prefecture, thousands) in PREFECTURES.iter().enumerate() {
            let prefix = format!("{:02}", prefecture + 1);
            let members: Vec<(&str, &str)> = MUNICIPALITIES
                .lines()
                .filter(|line| line.starts_with(&prefix))
                .filter_map(|line| line.split_once(','))
                .collect();
            let share = |k: usize| {
                let rank = k as f64 + 3.0;
                1.0 / (rank * rank.sqrt())
            };
            let total: f64 = (0..members.len()).map(share).sum();
            for (k, (code, name)) in members.into_iter().enumerate() {
                let population = (f64::from(*thousands) * 1000.0 * share(k) / total) as u32;
                let count = population / PEOPLE_PER_FACILITY + 1;
                let facilities = Range::new(owners.len() as u32, count);
                owners.extend(std::iter::repeat_n(municipalities.len() as u16, count as usize));
                municipalities.push(Municipality {
                    code,
                    name,
                    population,
                    facilities,
                });
            }
        }
        let weights: Vec<f64> = municipalities
            .iter()
            .map(|place| f64::from(place.population))
            .collect();
        Places {
            by_population: Alias::new(&weights),
            municipalities,
            owners,
        }
    }

    pub(super) fn municipalities(&self) -> &[Municipality] {
        &self.municipalities
    }

    #[cfg(test)]
    pub(super) fn facility_count(&self) -> usize {
        self.owners.len()
    }

    /// A municipality's code.
    pub(super) fn code(&self, municipality: u16) -> &'static str {
        self.municipalities
            .get(usize::from(municipality))
            .map_or("", |place| place.code)
    }

    /// A municipality, the larger the likelier.
    pub(super) fn draw_home(&self, rng: &mut ChaCha8Rng) -> u16 {
        self.by_population.draw(rng) as u16
    }

    /// A facility in this municipality, by Zipf's law.
    pub(super) fn draw_near(&self, rng: &mut ChaCha8Rng, municipality: u16) -> Facility {
        let range = self
            .municipalities
            .get(usize::from(municipality))
            .map(|place| place.facilities);
        self.facility(range.map_or(0, |range| range.draw(rng)))
    }

    /// A facility elsewhere, where many people live.
    pub(super) fn draw_far(&self, rng: &mut ChaCha8Rng) -> Facility {
        let near = self.draw_home(rng);
        self.draw_near(rng, near)
    }

    fn facility(&self, number: u32) -> Facility {
        let municipality = self.owners.get(number as usize).copied().unwrap_or(0);
        let prefecture = self
            .code(municipality)
            .get(..2)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        Facility {
            number,
            municipality,
            prefecture,
        }
    }
}

/// An insurer's number for someone of this age: eight digits, the last a check digit.
///
/// From 75: the prefecture's association for the old (39). Younger: the municipality's national health insurance (six
/// digits, written with two zeros), or one of 300 associations of employees (06) or the national association (01).
pub(super) fn draw_insurer(rng: &mut ChaCha8Rng, age: u32, municipality: &str) -> u32 {
    let prefecture: u32 = municipality
        .get(..2)
        .and_then(|code| code.parse().ok())
        .unwrap_or(1);
    let local: u32 = municipality
        .get(2..)
        .and_then(|code| code.parse().ok())
        .unwrap_or(1);
    let body = match below(rng, 100) {
        _ if age >= 75 => 3_900_000 + prefecture * 1_000 + local,
        0..40 => prefecture * 1_000 + local,
        40..70 => 100_000 + prefecture * 1_000 + 1,
        _ => 600_000 + (1 + below(rng, 47)) * 1_000 + 1 + below(rng, 6),
    };
    body * 10 + check_digit(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::draw::generator;

    #[test]
    fn populations_add_up_and_reach_from_villages_to_cities() {
        let places = Places::new();
        let total: u64 = places
            .municipalities()
            .iter()
            .map(|place| u64::from(place.population))
            .sum();
        assert!((125_000_000..127_000_000).contains(&total), "{total}");
        assert!(
            places
                .municipalities()
                .iter()
                .any(|place| place.population < 2_000)
        );
        assert!(
            places
                .municipalities()
                .iter()
                .any(|place| place.population > 500_000)
        );
    }

    #[test]
    fn facility_numbers_are_distinct_and_lie_in_their_prefecture() {
        let places = Places::new();
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..places.facility_count() as u32 {
            let facility = places.facility(number);
            let text = facility.to_string();
            assert_eq!(text.len(), 10, "{text}");
            assert!(
                places
                    .code(facility.municipality)
                    .starts_with(text.get(..2).unwrap_or("-")),
                "{text}"
            );
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn insurers_carry_a_check_digit_and_fit_the_age() {
        let mut rng = generator(1, "test");
        for age in [3, 40, 74, 75, 90] {
            for _ in 0..100 {
                let insurer = draw_insurer(&mut rng, age, "13104");
                assert_eq!(check_digit(insurer / 10), insurer % 10);
                assert_eq!(insurer / 1_000_000 == 39, age >= 75, "{insurer:08} at {age}");
            }
        }
    }
}
