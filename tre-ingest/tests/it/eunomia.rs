//! The shipped extract ingests as it is.

use std::path::Path;

use tre_ingest::{Cancel, Options, Outcome};

use crate::support::{World, ingest_path};

#[test]
fn the_extract_ingests() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/eunomia/eunomia.toml");
    let world = World::new();
    let ingest = || {
        ingest_path(
            &world.home,
            &world.entries,
            &spec,
            &Options::default(),
            &(),
            &Cancel::new(),
        )
        .unwrap()
    };
    let report = ingest();
    assert_eq!((report.units, report.rejects.rows), (2694, 0));
    let rows: Vec<_> = report
        .tables
        .iter()
        .map(|table| (table.table.as_str(), table.rows_stored))
        .collect();
    let expected = [
        ("person", 2694),
        ("visit_occurrence", 1037),
        ("condition_occurrence", 65332),
        ("drug_exposure", 67707),
        ("measurement", 44053),
        ("concept", 249),
    ];
    assert_eq!(rows, expected);
    assert_eq!(report.tables[0].dropped_columns, ["birth_date"]);
    let manifest = world.manifest(&report);
    let words: Vec<_> = manifest
        .tables
        .iter()
        .map(|table| table.description.as_str())
        .collect();
    assert_eq!(words[0], "one row a person");
    assert!(words.iter().all(|words| !words.is_empty()), "{words:?}");
    let persons: std::collections::BTreeSet<u32> = world
        .files(&manifest, "person")
        .into_iter()
        .flatten()
        .map(|row| row.unit.unwrap())
        .collect();
    assert_eq!(persons, (0..2694).collect());
    assert_eq!(
        world
            .files(&manifest, "measurement")
            .iter()
            .map(Vec::len)
            .sum::<usize>(),
        44053
    );
    assert_eq!(ingest().outcome, Outcome::Unchanged);
}
