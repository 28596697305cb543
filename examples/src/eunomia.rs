//! The Eunomia extract, embedded: 2,694 simulated persons in the OMOP model (origin and licence: `eunomia/ORIGIN.md`).

/// The dataset spec, as `tre ingest` reads it. It names [`FILES`] relative to itself.
pub const SPEC: &str = include_str!("../eunomia/eunomia.toml");

/// A project on diagnoses and hospital stays: analyst `alice`, checkers `bo` and `cy`, two reviewers per release.
pub const OUTCOMES: &str = include_str!("../eunomia/outcomes.toml");

/// A project on drugs and measurements: analysts `dara` and `emi`, checkers `cy` and `finn`, another policy.
pub const DRUGS: &str = include_str!("../eunomia/drugs.toml");

/// Origin, contents and licence of the data.
pub const ORIGIN: &str = include_str!("../eunomia/ORIGIN.md");

/// The holder's files: name relative to the spec, gzipped CSV.
pub const FILES: [(&str, &[u8]); 6] = [
    ("person.csv.gz", include_bytes!("../eunomia/person.csv.gz")),
    (
        "visit_occurrence.csv.gz",
        include_bytes!("../eunomia/visit_occurrence.csv.gz"),
    ),
    (
        "condition_occurrence.csv.gz",
        include_bytes!("../eunomia/condition_occurrence.csv.gz"),
    ),
    (
        "drug_exposure.csv.gz",
        include_bytes!("../eunomia/drug_exposure.csv.gz"),
    ),
    (
        "measurement.csv.gz",
        include_bytes!("../eunomia/measurement.csv.gz"),
    ),
    ("concept.csv.gz", include_bytes!("../eunomia/concept.csv.gz")),
];

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]

    use std::io::Read;

    use super::*;

    fn text(packed: &[u8]) -> String {
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed)
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn origin_states_the_rows_that_the_files_have() {
        for (name, packed) in FILES {
            let rows = text(packed).lines().count() - 1;
            let line = ORIGIN
                .lines()
                .find(|line| line.starts_with(&format!("| {name} ")))
                .unwrap();
            let stated = line.split('|').nth(2).unwrap().trim().replace(',', "");
            assert_eq!(stated, rows.to_string(), "{name}");
        }
    }

    #[test]
    fn the_extract_stays_small() {
        let bytes: usize = FILES.iter().map(|(_, packed)| packed.len()).sum();
        assert!(bytes <= 4 << 20, "{bytes} bytes");
    }

    #[test]
    fn the_spec_names_every_file_and_only_columns_that_exist() {
        let spec: toml::Table = SPEC.parse().unwrap();
        let tables = spec["table"].as_array().unwrap();
        assert_eq!(tables.len(), FILES.len());
        for table in tables {
            let file = table["files"][0].as_str().unwrap();
            let Some((_, packed)) = FILES.iter().find(|(name, _)| *name == file) else {
                panic!("no `{file}`")
            };
            let csv = text(packed);
            let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
            for column in table["columns"].as_table().unwrap().keys() {
                assert!(header.contains(&column.as_str()), "{file} has no `{column}`");
            }
        }
    }

    #[test]
    fn spec_and_permits_are_valid() {
        tre_core::spec::Spec::parse(SPEC).unwrap();
        for permit in [OUTCOMES, DRUGS] {
            tre_core::permit::Permit::parse(permit).unwrap();
        }
    }

    #[test]
    fn the_projects_differ_in_people_policy_and_columns() {
        let (outcomes, drugs): (toml::Table, toml::Table) =
            (OUTCOMES.parse().unwrap(), DRUGS.parse().unwrap());
        assert_ne!(
            outcomes["exit"]["view"]["policy"],
            drugs["exit"]["view"]["policy"]
        );
        assert_ne!(outcomes["people"], drugs["people"]);
        assert_ne!(outcomes["dataset"][0]["tables"], drugs["dataset"][0]["tables"]);
        assert_eq!(outcomes["exit"]["release"]["reviewers"].as_integer(), Some(2));
    }
}
