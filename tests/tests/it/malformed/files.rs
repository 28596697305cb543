//! Holders' files that are damaged, or hold what they must not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tre_tests::scenes::{CLINIC, VISIT_HEADER, visits};

use super::{Case, Input, spec_with};

pub(super) fn cases() -> Vec<Case> {
    let any = spec_with("visit.csv", "visit*");
    let case = |code, name: &str, file: &'static str, bytes: Vec<u8>| {
        Case::new(
            code,
            format!("file: {name}"),
            Input::Ingest {
                spec: any.clone(),
                files: vec![(file, bytes)],
            },
        )
    };
    let csv = |code, name: &str, rows: String| {
        case(
            code,
            name,
            "visit.csv",
            format!("{VISIT_HEADER}\n{rows}").into_bytes(),
        )
    };
    let packed = packed(visits().as_bytes());
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let mails: String = (0..60)
        .map(|n| format!("p{n},c1,50,2025-01-01,K70,1,F,p{n}@example.org\n"))
        .collect();
    let mailed = spec_with("visit.csv", "visit*").replacen("sex  =", "note = { type = \"text\" }\nsex  =", 1);
    vec![
        case("TRE-ING-010", "an empty file", "visit.csv", Vec::new()),
        case(
            "TRE-ING-010",
            "no header that fits",
            "visit.csv",
            b"a,b\n1,2\n".to_vec(),
        ),
        csv(
            "TRE-ING-012",
            "letters for a number",
            "p1,c1,old,2025-01-01,K70,1,F\n".to_owned(),
        ),
        csv(
            "TRE-ING-012",
            "a day that does not exist",
            "p1,c1,50,2025-02-30,K70,1,F\n".to_owned(),
        ),
        csv(
            "TRE-ING-012",
            "a value outside the declared ones",
            "p1,c1,50,2025-01-01,K70,1,X\n".to_owned(),
        ),
        csv("TRE-ING-012", "too few fields", "p1,c1,50\n".to_owned()),
        csv("TRE-ING-012", "nobody", ",c1,50,2025-01-01,K70,1,F\n".to_owned()),
        csv(
            "TRE-ING-012",
            "below the lowest band",
            "p1,c1,-1,2025-01-01,K70,1,F\n".to_owned(),
        ),
        csv("TRE-ING-011", "a quote that never ends", "p1,\"c1,50".to_owned()),
        csv("TRE-ING-011", "a line without end", "x".repeat(3 << 20)),
        case(
            "TRE-ING-011",
            "gzip that is none",
            "visit.csv.gz",
            b"not gzip".to_vec(),
        ),
        case(
            "TRE-ING-011",
            "gzip that breaks off",
            "visit.csv.gz",
            packed[..packed.len() / 2].to_vec(),
        ),
        case("TRE-ING-011", "gzip with a flipped bit", "visit.csv.gz", flipped),
        case(
            "TRE-ING-011",
            "Parquet that is none",
            "visit.parquet",
            b"PAR1 nothing PAR1".to_vec(),
        ),
        case("TRE-ING-011", "an empty Parquet", "visit.parquet", Vec::new()),
        case(
            "TRE-ING-009",
            "another kind of file",
            "visit.tsv",
            b"a\tb\n".to_vec(),
        ),
        Case::new(
            "TRE-ING-007",
            "file: e-mail addresses in a column",
            Input::Ingest {
                spec: mailed,
                files: vec![("visit.csv", format!("{VISIT_HEADER},note\n{mails}").into_bytes())],
            },
        ),
        Case::new(
            "TRE-ING-009",
            "file: the spec itself is missing",
            Input::Words(vec!["ingest", "nowhere/spec.toml"]),
        )
        .entries(&["dataset_refused"]),
        Case::new(
            "TRE-ING-010",
            "file: a header with a column twice",
            Input::Ingest {
                spec: CLINIC.to_owned(),
                files: vec![("visit.csv", format!("{VISIT_HEADER},age\n").into_bytes())],
            },
        ),
    ]
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes bytes")
}
