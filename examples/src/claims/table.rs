//! The tables as CSV.

use std::io::{self, Write};

use super::World;

/// A table that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `person_id,insurer,sex,birth_year,municipality`
    Persons,
    /// `person_id,claim_month,facility,municipality,icd10,yj,points,days`
    Claims,
    /// `code,prefecture,name,population`
    Municipalities,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 3] = [Table::Persons, Table::Claims, Table::Municipalities];

    /// Its name, also that of its file without ending.
    pub fn name(self) -> &'static str {
        match self {
            Table::Persons => "persons",
            Table::Claims => "claims",
            Table::Municipalities => "municipalities",
        }
    }

    /// Its rows in this world, the header not counted.
    pub fn rows(self, world: &World) -> u64 {
        match self {
            Table::Persons => world.person_count(),
            Table::Claims => world.claim_count(),
            Table::Municipalities => world.municipalities().len() as u64,
        }
    }
}

/// Rows between two calls of the progress function.
const STRIDE: u64 = 1 << 16;

/// Writes a table with its header; `progress` is told now and then how many rows are written, and at the end.
///
/// # Errors
/// What `out` answers.
pub fn write_table(
    world: &World,
    table: Table,
    out: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> io::Result<()> {
    match table {
        Table::Persons => {
            writeln!(out, "person_id,insurer,sex,birth_year,municipality")?;
            for (person, row) in world.persons().zip(1..) {
                let municipality = world.places.code(person.municipality);
                let (insurer, sex, year) = (person.insurer, person.sex.letter(), person.birth_year);
                writeln!(out, "{},{insurer:08},{sex},{year},{municipality}", person.id)?;
                if row % STRIDE == 0 {
                    progress(row);
                }
            }
        }
        Table::Claims => {
            writeln!(
                out,
                "person_id,claim_month,facility,municipality,icd10,yj,points,days"
            )?;
            for (claim, row) in world.claims().zip(1..) {
                let municipality = world.places.code(claim.facility.municipality);
                write!(out, "{},", claim.person)?;
                write!(
                    out,
                    "{}-{:02}-01,{},{municipality},",
                    claim.month.year, claim.month.month, claim.facility
                )?;
                out.write_all(claim.icd10.as_bytes())?;
                out.write_all(b",")?;
                out.write_all(claim.yj.as_ref().map_or(b"", |code| code.as_slice()))?;
                writeln!(out, ",{},{}", claim.points, claim.days)?;
                if row % STRIDE == 0 {
                    progress(row);
                }
            }
        }
        Table::Municipalities => {
            writeln!(out, "code,prefecture,name,population")?;
            for place in world.municipalities() {
                let prefecture = place.code.get(..2).unwrap_or_default();
                writeln!(
                    out,
                    "{},{prefecture},{},{}",
                    place.code, place.name, place.population
                )?;
            }
        }
    }
    progress(table.rows(world));
    out.flush()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use super::*;

    #[test]
    fn the_spec_beside_the_tables_names_only_columns_that_are_written() {
        let spec: toml::Table = include_str!("../../claims/claims.toml").parse().unwrap();
        let world = World::new(1, 100);
        for table in Table::ALL {
            let entry = spec["table"]
                .as_array()
                .unwrap()
                .iter()
                .find(|t| t["name"].as_str() == Some(table.name()))
                .unwrap();
            assert_eq!(
                entry["files"][0].as_str().unwrap(),
                format!("{}.csv.gz", table.name())
            );
            let mut csv = Vec::new();
            write_table(&world, table, &mut csv, |_| ()).unwrap();
            let csv = String::from_utf8(csv).unwrap();
            let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
            assert!(
                csv.lines().all(|line| line.split(',').count() == header.len()),
                "{}",
                table.name()
            );
            for column in entry["columns"].as_table().unwrap().keys() {
                assert!(
                    header.contains(&column.as_str()),
                    "{} has no `{column}`",
                    table.name()
                );
            }
        }
    }

    #[test]
    fn spec_and_permit_are_valid() {
        tre_core::spec::Spec::parse(include_str!("../../claims/claims.toml")).unwrap();
        tre_core::permit::Permit::parse(include_str!("../../claims/prescribing.toml")).unwrap();
    }

    #[test]
    fn the_identifiers_look_like_those_that_must_not_be_stored() {
        use tre_core::spec::Pattern;
        let world = World::new(1, 1_000);
        for claim in world.claims() {
            assert_eq!(
                Pattern::of(&claim.facility.to_string()),
                Some(Pattern::Institution),
                "{}",
                claim.facility
            );
        }
        for person in world.persons().filter(|person| person.insurer >= 1_000_000) {
            assert_eq!(
                Pattern::of(&format!("{:08}", person.insurer)),
                Some(Pattern::Insurer),
                "{}",
                person.insurer
            );
        }
    }

    #[test]
    fn a_fixed_seed_gives_fixed_bytes() {
        let mut csv = Vec::new();
        write_table(&World::new(1, 2_000), Table::Claims, &mut csv, |_| ()).unwrap();
        let sum = csv.iter().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(1_099_511_628_211) ^ u64::from(*byte)
        });
        // Whoever changes the generator on purpose changes this number; nothing else may.
        assert_eq!(format!("{sum:016x}"), "96c25dd3c0c47877");
    }
}
