//! Claims, month by month.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::codes::{DISEASES, PRODUCTS, yj};
use super::draw::{Alias, Normal, below, ln, per_mille, poisson, zipf};
use super::people::{Person, PersonId, by_sex_and_band, rare_categories, table};
use super::places::Facility;
use super::{FIRST_MONTH, MONTHS, Month, World};

/// One claim: what one facility bills for one person in one month.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The person's number in the generator; in no table.
    pub person_number: u64,
    /// The person's identifier.
    pub person: PersonId,
    /// Month of treatment.
    pub month: Month,
    /// Who bills.
    pub facility: Facility,
    /// Main diagnosis: ICD-10 code without dot.
    pub icd10: Code,
    /// Main drug: YJ code, 12 characters; none on about a quarter of the claims.
    pub yj: Option<[u8; 12]>,
    /// Points billed; a point is ten yen.
    pub points: u32,
    /// Days of treatment in the month, 1 to 31.
    pub days: u8,
}

/// An ICD-10 code of up to four characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    bytes: [u8; 4],
    length: u8,
}

impl Code {
    fn new(text: &str) -> Code {
        let mut bytes = [0; 4];
        for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
        Code {
            bytes,
            length: text.len().min(4) as u8,
        }
    }

    /// The code's characters, all ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or(&self.bytes)
    }
}

/// What a diagnosis means for a claim.
#[derive(Debug)]
struct Treatment {
    code: Code,
    inpatient: u32,
    /// Natural logarithm of the factor on points.
    effort: f64,
    /// First product and number of products of each drug class.
    classes: Vec<u32>,
}

/// Tables to draw claims from.
#[derive(Debug)]
pub(super) struct Care {
    treatments: Vec<Treatment>,
    /// Products, class by class, [`PRODUCTS`] each.
    products: Vec<[u8; 12]>,
    ln_products: f64,
    /// Diagnoses of people who come for something new, by sex and age band.
    acute: Vec<Alias>,
    normal: Normal,
}

impl Care {
    pub(super) fn new() -> Care {
        let mut classes: Vec<&str> = DISEASES
            .iter()
            .flat_map(|disease| disease.drugs)
            .copied()
            .collect();
        classes.sort_unstable();
        classes.dedup();
        let position = |class: &&str| classes.binary_search(class).unwrap_or(0) as u32 * PRODUCTS;
        let frequent = DISEASES.iter().map(|disease| Treatment {
            code: Code::new(disease.icd10),
            inpatient: disease.inpatient,
            effort: ln(f64::from(disease.points)) - ln(100.0),
            classes: disease.drugs.iter().map(position).collect(),
        });
        let rare = rare_categories().map(|(code, _)| Treatment {
            code: Code::new(&code),
            inpatient: 150,
            effort: ln(4.0),
            classes: vec![position(&"4291")],
        });
        Care {
            treatments: frequent.chain(rare).collect(),
            products: classes
                .iter()
                .flat_map(|class| (0..PRODUCTS).map(|rank| yj(class, rank)))
                .collect(),
            ln_products: ln(f64::from(PRODUCTS) + 1.0),
            acute: by_sex_and_band(|sex, band| {
                let frequent = DISEASES.iter().map(|disease| {
                    let fits = !disease.chronic && (disease.sex == 'B' || disease.sex == sex);
                    if fits {
                        f64::from(disease.weights.get(band).copied().unwrap_or(0))
                    } else {
                        0.0
                    }
                });
                let rare = rare_categories().enumerate().map(|(rank, (_, only))| {
                    if only == 'B' || only == sex {
                        4.0 * (1.0 + band as f64) / (rank as f64 + 3.0)
                    } else {
                        0.0
                    }
                });
                Alias::new(&frequent.chain(rare).collect::<Vec<f64>>())
            }),
            normal: Normal::new(),
        }
    }
}

/// The claims of a world in their order. Holds one person at a time.
#[derive(Debug)]
pub struct Claims<'a> {
    world: &'a World,
    persons: ChaCha8Rng,
    rng: ChaCha8Rng,
    /// Months begun.
    months: u32,
    month: Month,
    /// Claims still to come in this month.
    quota: u64,
    walk: Walk,
    /// Whose claims are being made, and how many are left of them.
    person: Option<(Person, u32)>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(world: &'a World) -> Claims<'a> {
        Claims {
            world,
            persons: world.generator("persons"),
            rng: world.generator("claims"),
            months: 0,
            month: FIRST_MONTH,
            quota: 0,
            walk: Walk {
                at: 0,
                step: 1,
                count: 1,
            },
            person: None,
        }
    }

    fn begin_month(&mut self) {
        let until =
            |months: u32| u128::from(self.world.claim_count()) * u128::from(months) / u128::from(MONTHS);
        self.quota = (until(self.months + 1) - until(self.months)) as u64;
        self.month = FIRST_MONTH.plus(self.months);
        self.months += 1;
        self.walk = Walk::new(&mut self.rng, self.world.person_count());
        self.person = None;
    }

    /// The next person on the walk who is treated this month, and how often.
    fn next_patient(&mut self) -> (Person, u32) {
        loop {
            let number = self.walk.next();
            let person = self.world.person(&mut self.persons, number);
            let claims = poisson(&mut self.rng, person.rate);
            if claims > 0 {
                return (person, claims);
            }
        }
    }

    fn claim(&mut self, person: &Person) -> Claim {
        let care = &self.world.care;
        let rng = &mut self.rng;
        let known = person.chronic.get(below(rng, 3) as usize).copied().flatten();
        let facility = match below(rng, 10) {
            0..7 => person.facility,
            7..9 => self.world.places.draw_near(rng, person.municipality),
            _ => self.world.places.draw_far(rng),
        };
        let disease = known.map_or_else(
            || {
                care.acute
                    .get(table(person.sex, person.band()))
                    .map_or(0, |diseases| diseases.draw(rng))
            },
            usize::from,
        );
        let Some(treatment) = care.treatments.get(disease) else {
            return Claim::empty(person, self.month, facility);
        };
        let inpatient = per_mille(rng, treatment.inpatient);
        let days = if inpatient {
            care.normal.lognormal(rng, 2.0, 0.8).clamp(1.0, 31.0)
        } else {
            care.normal.lognormal(rng, 0.2, 0.5).clamp(1.0, 25.0)
        };
        // A visit costs about 620 points, a day in hospital about 3,300.
        let usual = if inpatient { ln(3_300.0 * days) } else { 6.43 };
        let points = care
            .normal
            .lognormal(rng, usual + treatment.effort, 0.75)
            .clamp(10.0, 10_000_000.0);
        let drug = treatment
            .classes
            .get(below(rng, treatment.classes.len() as u32) as usize);
        let product = zipf(rng, PRODUCTS, care.ln_products);
        let yj = drug
            .filter(|_| per_mille(rng, 800))
            .and_then(|class| care.products.get((class + product) as usize));
        Claim {
            icd10: treatment.code,
            yj: yj.copied(),
            points: points as u32,
            days: days as u8,
            ..Claim::empty(person, self.month, facility)
        }
    }
}

impl Claim {
    fn empty(person: &Person, month: Month, facility: Facility) -> Claim {
        let (person_number, person) = (person.number, person.id);
        Claim {
            person_number,
            person,
            month,
            facility,
            icd10: Code::new("R69"),
            yj: None,
            points: 10,
            days: 1,
        }
    }
}

impl Iterator for Claims<'_> {
    type Item = Claim;

    fn next(&mut self) -> Option<Claim> {
        while self.quota == 0 {
            if self.months == MONTHS {
                return None;
            }
            self.begin_month();
        }
        self.quota -= 1;
        let (person, left) = match self.person.take() {
            Some(current) => current,
            None => self.next_patient(),
        };
        if left > 1 {
            self.person = Some((person, left - 1));
        }
        Some(self.claim(&person))
    }
}

/// A walk over the numbers 0 to count - 1 that meets each once a round, by steps coprime to their count.
#[derive(Debug)]
struct Walk {
    at: u64,
    step: u64,
    count: u64,
}

impl Walk {
    fn new(rng: &mut ChaCha8Rng, count: u64) -> Walk {
        let mut step = rng.next_u64() % count;
        while gcd(step, count) != 1 {
            step = (step + 1) % count.max(2);
        }
        Walk {
            at: rng.next_u64() % count,
            step,
            count,
        }
    }

    fn next(&mut self) -> u64 {
        self.at = ((u128::from(self.at) + u128::from(self.step)) % u128::from(self.count)) as u64;
        self.at
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::draw::generator;

    #[test]
    fn a_walk_meets_everyone_once_a_round() {
        let mut rng = generator(1, "test");
        for count in [1, 2, 6, 30, 1_001] {
            let mut walk = Walk::new(&mut rng, count);
            let mut seen: Vec<u64> = (0..count).map(|_| walk.next()).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..count), "{count}");
        }
    }

    #[test]
    fn diagnoses_fit_the_sex() {
        let world = World::new(2, 100_000);
        let persons: Vec<Person> = world.persons().collect();
        for claim in world.claims() {
            let person = persons.get(claim.person_number as usize);
            let disease = DISEASES
                .iter()
                .find(|disease| disease.icd10.as_bytes() == claim.icd10.as_bytes());
            if let (Some(person), Some(disease)) = (person, disease) {
                let fits = disease.sex == 'B' || disease.sex == person.sex.letter();
                assert!(fits, "{} for {:?}", disease.icd10, person.sex);
            }
        }
    }
}
