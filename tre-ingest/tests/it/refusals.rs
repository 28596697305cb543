//! Everything that a holder can get wrong: a clear refusal with a code, and a home that is as it was.

use crate::support::{ICD10, LIVER, VISIT, World};

fn refuse(world: &World, spec: &str, code: &str, message: &str) {
    let failure = world.ingest(spec).unwrap_err();
    assert_eq!(failure.problem.code.id, code, "{failure}");
    assert!(
        failure.problem.what.contains(message),
        "`{}` lacks `{message}`",
        failure.problem.what
    );
    assert!(!failure.problem.what.contains('\n'));
}

fn world() -> World {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", VISIT);
    world
}

#[test]
fn specs() {
    let world = world();
    let before = world.snapshot();
    refuse(&world, "dataset =", "TRE-ING-001", "`spec.toml`, line 1");
    refuse(
        &world,
        &LIVER.replace("visit*", "visits"),
        "TRE-ING-009",
        "table `visit`: `visits`",
    );
    refuse(
        &world,
        &LIVER.replace("visit*", "x*.csv"),
        "TRE-ING-009",
        "no file matches `x*.csv`",
    );
    refuse(
        &world,
        &LIVER.replace("\"patient\"", "\"patent\""),
        "TRE-ING-010",
        "there is no column `patent`",
    );
    refuse(
        &world,
        &LIVER.replace("name = { type", "nome = { type"),
        "TRE-ING-010",
        "file `icd10.csv`",
    );
    assert_eq!(world.snapshot(), before);
    assert_eq!(
        world.entries.0.lock().unwrap().len(),
        5,
        "every refusal is in the log"
    );
}

#[test]
fn files() {
    let world = world();
    let before = world.snapshot();
    let header = VISIT.lines().next().unwrap();
    let cases: [(&str, Vec<u8>, &str, &str); 8] = [
        (
            "visit.csv",
            Vec::new(),
            "TRE-ING-010",
            "there is no column `patient`",
        ),
        (
            "visit.csv",
            header.replace("phone", "age").into_bytes(),
            "TRE-ING-010",
            "there are 2 columns `age`",
        ),
        (
            "visit.csv",
            format!("{header}\nc1,\"P1,").into_bytes(),
            "TRE-ING-011",
            "line 2 never ends",
        ),
        (
            "visit.csv",
            format!("{header}\n{}", "x".repeat(3 << 20)).into_bytes(),
            "TRE-ING-011",
            "line 2 is longer",
        ),
        (
            "visit.csv.gz",
            b"not gzip".to_vec(),
            "TRE-ING-011",
            "file `visit.csv.gz`",
        ),
        (
            "visit.csv.gz",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48".to_vec(),
            "TRE-ING-011",
            "visit.csv.gz",
        ),
        (
            "visit.parquet",
            b"PAR1 no PAR1".to_vec(),
            "TRE-ING-011",
            "file `visit.parquet`",
        ),
        (
            "visit.tsv",
            b"a".to_vec(),
            "TRE-ING-009",
            "`visit.tsv` ends neither",
        ),
    ];
    for (name, bytes, code, message) in cases {
        std::fs::remove_file(world.holder().join("visit.csv")).unwrap_or_default();
        world.write(name, bytes);
        refuse(&world, LIVER, code, message);
        std::fs::remove_file(world.holder().join(name)).unwrap();
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn damaged_parquet_never_panics_through() {
    let world = world();
    std::fs::remove_file(world.holder().join("visit.csv")).unwrap();
    let spec = LIVER.replace("patient", "code").replace("clinic_id", "name");
    let mut csv_as_parquet = Vec::new();
    let batch = arrow::array::RecordBatch::try_from_iter([(
        "code",
        std::sync::Arc::new(arrow::array::StringArray::from(vec!["a", "b"])) as arrow::array::ArrayRef,
    )])
    .unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut csv_as_parquet, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    for at in (0..csv_as_parquet.len()).step_by(7) {
        let mut damaged = csv_as_parquet.clone();
        damaged[at] ^= 0x55;
        world.write("visit.parquet", damaged);
        assert!(world.ingest(&spec).is_err());
    }
}

#[test]
fn columns_of_direct_identifiers() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    let before = world.snapshot();
    let visits = |note: &dyn Fn(u32) -> String| {
        let line = |n: u32| format!("c1,P{n},1,2024-01-01,K70,1,F,{},,,\n", note(n));
        format!(
            "{}\n{}",
            VISIT.lines().next().unwrap(),
            (0..60).map(line).collect::<String>()
        )
    };
    let my_number = |n: u32| {
        let body = format!("{:011}", 98_320_567_321u64 - u64::from(n) * 1_000_003);
        let sum: u32 = body
            .bytes()
            .rev()
            .zip(1..)
            .map(|(b, n)| u32::from(b - b'0') * if n <= 6 { n + 1 } else { n - 5 })
            .sum();
        format!("{body}{}", if sum % 11 <= 1 { 0 } else { 11 - sum % 11 })
    };
    let cases: [(&dyn Fn(u32) -> String, &str); 5] = [
        (&|n| format!("p{n}@example.org"), "e-mail"),
        (&|n| format!("０９０－１２３４－{:04}", n), "phone"),
        (&|n| format!("{:064x}", u128::from(n) << 64), "hash"),
        (&my_number, "My Number"),
        (
            &|n| {
                if n % 2 == 0 {
                    format!("03-1234-{n:04}")
                } else {
                    "same".to_owned()
                }
            },
            "phone",
        ),
    ];
    for (note, word) in cases {
        world.write("visit.csv", visits(note));
        refuse(
            &world,
            LIVER,
            "TRE-ING-007",
            "table `visit`, column `note`: its values look like",
        );
        let failure = world.ingest(LIVER).unwrap_err();
        assert!(failure.problem.what.contains(word), "{failure}");
    }
    assert_eq!(world.snapshot(), before);
    // The holder has looked.
    world
        .ingest(&LIVER.replace(
            "note = { type = \"text\" }",
            "note = { type = \"text\", identifier = false }",
        ))
        .unwrap();
    // Ordinary text.
    world.write("visit.csv", visits(&|n| format!("note {n}")));
    world.ingest(LIVER).unwrap();
}
