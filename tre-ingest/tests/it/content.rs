//! What is stored is what the spec says, and nothing else.

use std::collections::BTreeMap;

use tre_core::spec::Doubt;
use tre_ingest::Outcome;

use crate::support::{ICD10, LIVER, VISIT, World};

#[test]
fn stored_rows_are_the_generalised_ones() {
    let world = World::new();
    world.write("visit.csv", VISIT);
    world.write("icd10.csv", ICD10);
    let report = world.ingest(LIVER).unwrap();
    assert_eq!(report.outcome, Outcome::Published);
    assert_eq!((report.units, report.population_units), (3, Some(3)));
    let visit = &report.tables[0];
    assert_eq!((visit.files, visit.rows_read, visit.rows_stored), (1, 4, 4));
    assert_eq!(visit.dropped_columns, ["phone"]);
    assert_eq!(visit.clamped, BTreeMap::from([("cost".to_owned(), 2)]));

    let manifest = world.manifest(&report);
    let rows: Vec<_> = world.files(&manifest, "visit").into_iter().flatten().collect();
    // Cells by a unit's own number, which depends on the vault.
    let of = |age: &str, note: &str| {
        rows.iter()
            .find(|row| row.cells[1] == age && row.cells[6] == note)
            .unwrap_or_else(|| panic!("{rows:?}"))
    };
    let (young, middle, old, empty) = (of("0", "∅"), of("40", ""), of("80", "a, \"b\""), of("∅", "∅"));
    assert_eq!(
        young.cells[1..],
        [
            "0",
            "2024-02-01",
            "K70",
            "12.35",
            "F",
            "∅",
            "true",
            "2024-02-29T01:00:00"
        ]
    );
    assert_eq!(
        middle.cells[1..],
        ["40", "2024-03-01", "K74", "0.00", "M", "", "false", "∅"]
    );
    assert_eq!(
        old.cells[1..],
        [
            "80",
            "2023-12-01",
            "K70",
            "1000000.00",
            "F",
            "a, \"b\"",
            "∅",
            "2024-01-01T00:00:00"
        ]
    );
    assert_eq!(empty.cells, ["∅"; 9]);
    assert_eq!(young.unit, old.unit, "full-width spelling of the same person");
    assert_eq!(young.cells[0], old.cells[0], "one facility, one number");
    assert_ne!(young.cells[0], middle.cells[0]);
    let mut units: Vec<_> = rows.iter().map(|row| row.unit.unwrap()).collect();
    units.sort();
    units.dedup();
    assert_eq!(units, [0, 1, 2]);
    assert_eq!(
        world.rows(&report, "icd10"),
        [
            "K70|Alcoholic liver disease",
            "K74|Fibrosis and cirrhosis of liver"
        ]
    );
}

#[test]
fn every_private_table_has_one_sorted_file_per_range_and_no_unit_is_split() {
    let world = World::new();
    let mut visit = String::from(VISIT.lines().next().unwrap());
    for n in 0..3000 {
        visit.push_str(&format!(
            "\nc{},P{},{},2024-01-{:02},K70,1,F,n{n},,,",
            n % 7,
            n * n % 997,
            n % 90,
            n % 28 + 1
        ));
    }
    world.write("visit.csv", visit);
    world.write("icd10.csv", ICD10);
    let manifest = world.manifest(&world.ingest(LIVER).unwrap());
    assert_eq!(manifest.cuts.len(), 16);
    let files = world.files(&manifest, "visit");
    assert_eq!(files.len(), 16);
    let mut next = 0;
    for (range, rows) in files.iter().enumerate() {
        let end = manifest.cuts.get(range + 1).copied().unwrap_or(u32::MAX);
        let units: Vec<u32> = rows.iter().map(|row| row.unit.unwrap()).collect();
        assert!(units.is_sorted() && !units.is_empty());
        assert!(
            units
                .iter()
                .all(|unit| (manifest.cuts[range]..end).contains(unit))
        );
        for unit in units {
            assert!(unit == next || unit + 1 == next, "numbers are dense");
            next = unit + 1;
        }
    }
    assert_eq!(
        world.home.catalogue().verify(&manifest.version).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(world.files(&manifest, "icd10").len(), 1);
}

#[test]
fn ranges_without_units_have_files_too() {
    let world = World::new();
    world.write("visit.csv", VISIT.lines().next().unwrap());
    world.write("icd10.csv", ICD10);
    let report = world.ingest(LIVER).unwrap();
    let files = world.files(&world.manifest(&report), "visit");
    assert_eq!(
        (report.units, files.len(), files.iter().flatten().count()),
        (0, 16, 0)
    );
}

#[test]
fn files_and_directory_names_hold_nothing_of_the_data() {
    let world = World::new();
    let mut visit = String::from(VISIT.lines().next().unwrap());
    (0..2000)
        .for_each(|n| visit.push_str(&format!("\nclinic{n},PATIENT{n},1,2024-01-01,K70,1,F,note{n},,,")));
    world.write("visit.csv", visit);
    world.write("icd10.csv", ICD10);
    world.ingest(LIVER).unwrap();
    for (path, bytes) in world.bytes() {
        // The code with its length before it, as a footer's statistics have it: three bytes alone come up by chance.
        for secret in ["PATIENT", "clinic1", "note1", "\u{3}K70"] {
            assert!(
                !path
                    .to_string_lossy()
                    .contains(secret.trim_start_matches('\u{3}'))
            );
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

#[test]
fn gz_parquet_and_other_column_orders_give_the_same_version() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", VISIT);
    let csv = world.ingest(LIVER).unwrap();
    std::fs::remove_file(world.holder().join("visit.csv")).unwrap();

    world.write_gz("visit.csv.gz", VISIT);
    assert_eq!(world.ingest(LIVER).unwrap().version, csv.version);
    std::fs::remove_file(world.holder().join("visit.csv.gz")).unwrap();

    world.write("visit.parquet", parquet_of_visits());
    let parquet = world.ingest(LIVER).unwrap();
    assert_eq!(
        (parquet.version, parquet.outcome),
        (csv.version, Outcome::Unchanged)
    );
}

/// The rows of [`VISIT`] with the types that another tool would give them.
fn parquet_of_visits() -> Vec<u8> {
    use arrow::array::*;
    use arrow::datatypes::*;
    use std::sync::Arc;
    let text = |values: [Option<&str>; 4]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let dates = Date32Array::from(vec![Some(19782), Some(19783), Some(19722), None]);
    let seen =
        TimestampMillisecondArray::from(vec![Some(1_709_168_400_000), None, Some(1_704_067_200_000), None])
            .with_timezone("Asia/Tokyo");
    let icd: DictionaryArray<Int8Type> = vec![Some("K70.3"), Some("K74.6"), Some("K70"), None]
        .into_iter()
        .collect();
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("seen", Arc::new(seen) as ArrayRef, true),
        (
            "unlisted",
            Arc::new(Int8Array::from(vec![1, 2, 3, 4])) as ArrayRef,
            true,
        ),
        (
            "ok",
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None])) as ArrayRef,
            true,
        ),
        ("note", text([None, Some(""), Some("a, \"b\""), None]), true),
        ("sex", text([Some("F"), Some("M"), Some("F"), None]), true),
        (
            "cost",
            Arc::new(Float64Array::from(vec![
                Some(12.345),
                Some(-5.0),
                Some(2e6),
                None,
            ])) as ArrayRef,
            true,
        ),
        ("icd", Arc::new(icd) as ArrayRef, true),
        ("date", Arc::new(dates) as ArrayRef, true),
        (
            "age",
            Arc::new(UInt8Array::from(vec![Some(39), Some(40), Some(95), None])) as ArrayRef,
            true,
        ),
        (
            "patient",
            text([Some("P-1"), Some("P-2"), Some("P-1"), Some("P-3")]),
            true,
        ),
        (
            "clinic_id",
            text([Some("c1"), Some("c2"), Some("c1"), None]),
            true,
        ),
    ])
    .unwrap();
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_compression(parquet::basic::Compression::SNAPPY)
        .build();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// People of whom nothing that identifies them passes a pattern of values.
#[test]
fn columns_that_may_identify_people_are_doubted_and_stored() {
    const SPEC: &str = r#"
dataset    = "ward"
title      = "A ward"
population = "ward"
[[table]]
name  = "stay"
files = ["stay.csv"]
unit  = { column = "no", canon = "text" }
[table.columns]
patient_name = { type = "text" }
dob          = { type = "date" }
ssn          = { type = "text" }
remark       = { type = "text" }
ward         = { type = "text" }
born_month   = { type = "date", source = "dob2", generalise = "month" }
tax_number   = { type = "text", identifier = false }
[[table]]
name   = "wards"
files  = ["wards.csv"]
public = true
[table.columns]
name = { type = "text" }
"#;
    let world = World::new();
    let mut stays = "no,patient_name,dob,ssn,remark,ward,dob2,tax_number\n".to_owned();
    for n in 0..60 {
        let person = n % 30;
        stays += &format!(
            "p{person},Name {person},19{:02}-05-0{},{},seen by {person},w{},1950-01-02,t{person}\n",
            40 + person,
            1 + person % 9,
            100_000_000 + person * 7_919,
            person % 4,
        );
    }
    world.write("stay.csv", stays);
    world.write(
        "wards.csv",
        (0..40)
            .map(|n| format!("Ward {n}\n"))
            .fold("name\n".to_owned(), |all, ward| all + &ward),
    );
    let report = world.ingest(SPEC).unwrap();
    let doubted: Vec<(&str, Doubt)> = report.tables[0]
        .doubts
        .iter()
        .map(|doubt| (doubt.column.as_str(), doubt.why))
        .collect();
    assert_eq!(
        doubted,
        [
            ("patient_name", Doubt::Name),
            ("dob", Doubt::BirthDate),
            ("ssn", Doubt::Name),
            ("remark", Doubt::HeldByOne),
        ]
    );
    assert!(
        report.tables[1].doubts.is_empty(),
        "a public table is about nobody"
    );
    assert_eq!(world.rows(&report, "stay").len(), 60, "a doubt stops nothing");
}
