//! The version id names the content: nothing else changes it, and every change of content does.

use std::process::Command;

use tre_core::audit::Event;
use tre_home::HomeFiles;
use tre_ingest::{Cancel, Options, Outcome};

use crate::support::{Entries, ICD10, LIVER, VISIT, World, ingest_path};

fn visits(range: std::ops::Range<u32>) -> String {
    let line = |n: u32| {
        format!(
            "c{},P{},{},2024-01-{:02},K70,{}.5,F,n{n},,,\n",
            n % 5,
            n * n % 97,
            n % 90,
            n % 28 + 1,
            n
        )
    };
    format!(
        "{}\n{}",
        VISIT.lines().next().unwrap(),
        range.map(line).collect::<String>()
    )
}

#[test]
fn order_of_rows_and_files_and_formatting_do_not_count() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", visits(0..500));
    let first = world.ingest(LIVER).unwrap();
    let before = world.snapshot();

    let text = visits(0..500);
    let mut lines: Vec<&str> = text.lines().collect();
    let header = lines.remove(0);
    lines.reverse();
    lines.rotate_left(123);
    world.write("visit.csv", format!("{header}\r\n{}", lines[..200].join("\r\n")));
    world.write_gz(
        "visit-more.csv.gz",
        &format!("{header}\n{}", lines[200..].join("\n")),
    );
    world.write("icd10.csv", ICD10.replace("K70,", "\"K70\","));
    let again = world.ingest(&LIVER.replace("   =", "=")).unwrap();
    assert_eq!(
        (again.outcome, &again.version, again.units),
        (Outcome::Unchanged, &first.version, first.units)
    );
    assert_eq!(world.snapshot(), before, "an unchanged dataset changes no byte");
    let entries = world.entries.0.lock().unwrap();
    assert!(
        matches!(
            &entries[..],
            [Event::DatasetIngested { .. }, Event::DatasetUnchanged { .. }]
        ),
        "{entries:?}"
    );
}

#[test]
fn any_change_of_content_or_meaning_counts() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    let base = visits(0..50);
    world.write("visit.csv", &base);
    let mut seen = std::collections::BTreeSet::from([world.ingest(LIVER).unwrap().version]);
    let mut lines: Vec<&str> = base.lines().collect();
    let twice = *lines.last().unwrap();
    lines.push(twice);
    let changes = [
        base.replace("7.5,F,n7", "7.51,F,n7"),
        base.replace("7.5,F,n7", "7.5,M,n7"),
        base.replace(",n7,", ",\"\","),
        base.replace(",n7,", ",,"),
        base.replace("c2,P49,", "c3,P49,"),
        base.replace("c2,P49,", "c2,P50,"),
        lines.join("\n"),
        visits(0..49),
    ];
    for changed in &changes {
        world.write("visit.csv", changed);
        assert!(seen.insert(world.ingest(LIVER).unwrap().version), "{changed}");
    }
    world.write("visit.csv", &base);
    for (from, to) in [
        ("[0, 40, 60, 80]", "[0, 40, 60]"),
        ("clinic cohort", "cohort"),
        ("tag = \"icd10\"", "tag = \"x\""),
    ] {
        assert!(
            seen.insert(world.ingest(&LIVER.replace(from, to)).unwrap().version),
            "{from} → {to}"
        );
    }
    // What generalisation removes does not count.
    world.write("visit.csv", base.replace("2024-01-08", "2024-01-09"));
    assert!(!seen.insert(world.ingest(LIVER).unwrap().version));
}

#[test]
fn the_registry_gives_one_number_per_person_in_all_datasets_and_does_not_enter_the_id() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    let copy = world.holder().join("copy");
    assert!(
        Command::new("cp")
            .arg("-r")
            .arg(world.root())
            .arg(&copy)
            .status()
            .unwrap()
            .success()
    );

    // Here another dataset of the population comes first, and knows half of the people.
    world.write("visit.csv", visits(0..40));
    let other = world.ingest(&LIVER.replace("\"liver\"", "\"other\"")).unwrap();
    world.write("visit.csv", visits(0..500));
    let after = world.ingest(LIVER).unwrap();
    assert!(after.population_units.unwrap() > other.population_units.unwrap());

    let units = |report, table| {
        let files = world.files(&world.manifest(report), table);
        let rows = files.into_iter().flatten();
        rows.map(|row| (row.cells[6].clone(), row.unit.unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let (old, new) = (units(&other, "visit"), units(&after, "visit"));
    assert!(
        old.iter().all(|(note, unit)| new[note] == *unit),
        "numbers are kept"
    );
    let manifest = world.manifest(&after);
    assert_eq!(manifest.cuts, world.manifest(&other).cuts, "cut points are kept");
    for (range, rows) in world.files(&manifest, "visit").iter().enumerate() {
        let units: Vec<_> = rows.iter().map(|row| row.unit.unwrap()).collect();
        assert!(
            units.is_sorted(),
            "sorted by number although numbers do not follow linkage keys"
        );
        assert!(units.iter().all(|unit| *unit >= manifest.cuts[range]));
    }
    assert_eq!(
        world.home.catalogue().verify(&manifest.version).unwrap(),
        Vec::<String>::new()
    );

    // There nothing came before.
    let home = HomeFiles::open(&copy).unwrap();
    let spec = world.holder().join("spec.toml");
    let fresh = ingest_path(
        &home,
        &Entries::default(),
        &spec,
        &Options::default(),
        &(),
        &Cancel::new(),
    )
    .unwrap();
    assert_eq!(fresh.version, after.version);

    // Another vault gives another id to the same content: it confirms nothing to outsiders.
    let elsewhere = World::new();
    elsewhere.write("icd10.csv", ICD10);
    elsewhere.write("visit.csv", visits(0..500));
    assert_ne!(elsewhere.ingest(LIVER).unwrap().version, after.version);
}

#[test]
fn little_memory_gives_the_same_version_and_the_same_files() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", visits(0..20_000));
    let copy = world.holder().join("copy");
    assert!(
        Command::new("cp")
            .arg("-r")
            .arg(world.root())
            .arg(&copy)
            .status()
            .unwrap()
            .success()
    );
    let ample = world.ingest(LIVER).unwrap();

    let home = HomeFiles::open(&copy).unwrap();
    let spec = world.holder().join("spec.toml");
    // 24 KB of rows at a time: about two hundred runs, which are merged in two levels.
    let little = Options { memory: 64 << 10 };
    let report = ingest_path(&home, &Entries::default(), &spec, &little, &(), &Cancel::new()).unwrap();
    assert_eq!(report.version, ample.version);
    let there = World { home, ..World::new() };
    assert_eq!(
        there.files(&there.manifest(&report), "visit"),
        world.files(&world.manifest(&ample), "visit")
    );
}
