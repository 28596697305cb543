//! Persons: functions of their number.

use std::fmt;

use rand_chacha::ChaCha8Rng;

use super::codes::{AGES, DISEASES, RARE};
use super::draw::{Alias, Normal, below, per_mille};
use super::places::{Facility, Places, draw_insurer};

/// The year in which ages are counted.
const YEAR: u16 = 2023;

/// Diseases that a person may have for good.
pub(super) const CHRONIC: usize = 3;

/// Sex as claims record it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// Written `F`.
    Female,
    /// Written `M`.
    Male,
}

impl Sex {
    /// `F` or `M`.
    pub fn letter(self) -> char {
        match self {
            Sex::Female => 'F',
            Sex::Male => 'M',
        }
    }
}

/// The insured person's identifier in the form of JP Core: insurer (8 digits), symbol, number, branch, parted by colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId {
    insurer: u32,
    symbol: u32,
    number: u32,
    branch: u8,
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:08}:{:04}:{:07}:{:02}",
            self.insurer, self.symbol, self.number, self.branch
        )
    }
}

/// One insured person.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// From 0; the generator's own, in no table.
    pub number: u64,
    /// Identifier in the tables.
    pub id: PersonId,
    /// Insurer, eight digits with leading zeros.
    pub insurer: u32,
    /// Sex.
    pub sex: Sex,
    /// Year of birth.
    pub birth_year: u16,
    /// Index of the municipality of residence.
    pub municipality: u16,
    /// Claims per month to be expected.
    pub(super) rate: f64,
    /// The usual facility.
    pub(super) facility: Facility,
    /// Indices of chronic diseases among all diseases.
    pub(super) chronic: [Option<u16>; CHRONIC],
}

impl Person {
    /// Age in the year 2023.
    pub fn age(&self) -> u32 {
        u32::from(YEAR.saturating_sub(self.birth_year))
    }

    pub(super) fn band(&self) -> usize {
        band(self.age())
    }
}

/// 0-14, 15-44, 45-64, 65 and older.
fn band(age: u32) -> usize {
    match age {
        0..15 => 0,
        15..45 => 1,
        45..65 => 2,
        _ => 3,
    }
}

/// Every diagnosis by index: the frequent ones first, then the rare categories.
pub(super) fn rare_categories() -> impl Iterator<Item = (String, char)> {
    RARE.into_iter()
        .flat_map(|(chapter, from, to, sex)| (from..=to).map(move |n| (format!("{chapter}{n:02}"), sex)))
}

/// Tables to draw persons from.
#[derive(Debug)]
pub(super) struct Population {
    ages: Alias,
    frailty: Normal,
    /// By sex (female first) and age band.
    chronic: Vec<Alias>,
}

impl Population {
    pub(super) fn new() -> Population {
        let ages: Vec<f64> = AGES.iter().map(|(thousands, _)| f64::from(*thousands)).collect();
        Population {
            ages: Alias::new(&ages),
            frailty: Normal::new(),
            chronic: by_sex_and_band(|sex, band| {
                let weights = DISEASES.iter().map(|disease| {
                    let fits = disease.chronic && (disease.sex == 'B' || disease.sex == sex);
                    if fits {
                        f64::from(disease.weights.get(band).copied().unwrap_or(0))
                    } else {
                        0.0
                    }
                });
                Alias::new(&weights.collect::<Vec<f64>>())
            }),
        }
    }

    /// The person of this number. `rng` is the generator of persons; its position does not matter.
    pub(super) fn person(&self, places: &Places, rng: &mut ChaCha8Rng, number: u64) -> Person {
        rng.set_stream(number);
        rng.set_word_pos(0);
        let decade = self.ages.draw(rng);
        let (_, women) = AGES.get(decade).copied().unwrap_or((0, 500));
        let age = decade as u32 * 5 + below(rng, 5);
        let sex = if per_mille(rng, women) {
            Sex::Female
        } else {
            Sex::Male
        };
        let municipality = places.draw_home(rng);
        let insurer = draw_insurer(rng, age, places.code(municipality));
        let rate = usual_rate(age) * self.frailty.lognormal(rng, -0.32, 0.8);
        let facility = places.draw_near(rng, municipality);
        let chronic = self.draw_chronic(rng, sex, band(age));
        // Multiplying by a number coprime to 10^7 permutes the numbers, so ids are distinct and in no order.
        let (symbol, local) = (number / 10_000_000, number % 10_000_000);
        let id = PersonId {
            insurer,
            symbol: symbol as u32,
            number: (local * 7_654_321 % 10_000_000) as u32,
            branch: below(rng, 4) as u8,
        };
        Person {
            number,
            id,
            insurer,
            sex,
            birth_year: YEAR - age as u16,
            municipality,
            rate,
            facility,
            chronic,
        }
    }

    fn draw_chronic(&self, rng: &mut ChaCha8Rng, sex: Sex, band: usize) -> [Option<u16>; CHRONIC] {
        let likely = [150, 350, 700, 930].get(band).copied().unwrap_or(0);
        let mut chronic = [None; CHRONIC];
        for slot in &mut chronic {
            if !per_mille(rng, likely) {
                break;
            }
            *slot = self
                .chronic
                .get(table(sex, band))
                .map(|diseases| diseases.draw(rng) as u16);
        }
        chronic
    }
}

/// Claims per month of a person of this age with average frailty.
fn usual_rate(age: u32) -> f64 {
    match age {
        0..5 => 1.2,
        5..15 => 0.7,
        15..25 => 0.45,
        25..45 => 0.6,
        45..65 => 0.9,
        65..75 => 1.5,
        _ => 2.0,
    }
}

/// One table per sex and age band, in the order of [`table`].
pub(super) fn by_sex_and_band(make: impl Fn(char, usize) -> Alias) -> Vec<Alias> {
    ['F', 'M']
        .into_iter()
        .flat_map(|sex| (0..4).map(move |band| (sex, band)))
        .map(|(sex, band)| make(sex, band))
        .collect()
}

/// Index of the table for this sex and age band.
pub(super) fn table(sex: Sex, band: usize) -> usize {
    match sex {
        Sex::Female => band,
        Sex::Male => 4 + band,
    }
}
