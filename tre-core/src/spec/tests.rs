#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
use super::*;

use super::malformed::with_column;

pub(super) const LIVER: &str = r#"
dataset    = "liver"
title      = "Liver clinic cohort"
population = "clinic"
[[table]]
name   = "visit"
files  = ["visit.csv"]
unit   = { column = "patient", canon = "text" }
entity = { facility = "clinic_id" }
[table.columns]
age  = { type = "int",   generalise = { bands = [0, 40, 60, 80] } }
date = { type = "date",  generalise = "month" }
icd  = { type = "text",  generalise = { prefix = 3 }, tag = "icd10", hierarchy = "icd10.code" }
cost = { type = "float", min = 0, max = 1000000, scale = 2 }
sex  = { type = "text", values = ["F", "M"] }
[[table]]
name   = "icd10"
files  = ["icd10.csv"]
public = true
[table.columns]
code = { type = "text" }
name = { type = "text" }
"#;

#[test]
fn the_example_of_the_contract() {
    let spec = Spec::parse(LIVER).unwrap();
    assert_eq!(spec.max_rejects, 0);
    let visit = &spec.tables[0];
    assert_eq!(
        visit.unit,
        Some(UnitSource {
            column: "patient".to_owned(),
            canon: Canon::Text
        })
    );
    let names: Vec<_> = visit.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(
        names,
        ["age", "date", "icd", "cost", "sex"],
        "the order of the text, not of the alphabet"
    );
    let metas = visit.column_metas();
    assert_eq!(metas[0].name.as_str(), "clinic_id");
    assert_eq!(metas[0].entity.as_ref().unwrap().as_str(), "facility");
    assert_eq!(metas[1].domain, Some([0, 40, 60, 80].map(Value::Int).to_vec()));
    assert_eq!(metas[1].generalised, "bands");
    assert_eq!(metas[3].hierarchy.as_deref(), Some("icd10.code"));
    let bound = |unscaled| Value::Decimal { unscaled, scale: 2 };
    assert_eq!(
        metas[4].measure,
        Some(Bounds {
            min: bound(0),
            max: bound(100_000_000)
        })
    );
    assert_eq!(
        metas[5].domain,
        Some(vec![Value::Text("F".to_owned()), Value::Text("M".to_owned())])
    );
    assert!(spec.tables[1].is_public());
}

#[test]
fn bounds_with_a_generalisation_make_no_measure() {
    let spec = with_column("x = { type = \"int\", min = 0, max = 9, generalise = { top = 5 } }");
    let column = &Spec::parse(&spec).unwrap().tables[0].columns[0];
    assert!(column.bounds.is_some() && column.measure().is_none());
}

#[test]
fn normal_form_ignores_files_comments_and_layout_but_nothing_that_has_meaning() {
    let normal = Spec::parse(LIVER).unwrap().normal_form();
    let same = LIVER
        .replace("[\"visit.csv\"]", "[\n\"a*.csv\", \"b.csv.gz\"] # moved")
        .replace("   =", " =");
    assert_eq!(Spec::parse(&same).unwrap().normal_form(), normal);
    assert_eq!(
        Spec::parse(&format!("{LIVER}\n[rejects]\nmax_rows = 5"))
            .unwrap()
            .normal_form(),
        normal
    );
    for (from, to) in [
        ("\"Liver clinic cohort\"", "\"Liver\""),
        ("\"clinic\"", "\"clinics\""),
        ("canon = \"text\"", "canon = \"digits\""),
        ("facility =", "hospital ="),
        ("60, 80", "60, 90"),
        ("prefix = 3", "prefix = 4"),
        ("1000000", "1000001"),
        ("\"float\"", "\"decimal\""),
        ("scale = 2", "scale = 3"),
        ("tag = \"icd10\"", "tag = \"icd9\""),
        ("[\"F\", \"M\"]", "[\"M\", \"F\"]"),
        (
            "code = { type = \"text\" }",
            "code = { type = \"text\", description = \"c\" }",
        ),
    ] {
        let changed = LIVER.replace(from, to);
        assert_ne!(changed, LIVER, "{from}");
        assert_ne!(
            Spec::parse(&changed).unwrap().normal_form(),
            normal,
            "{from} → {to}"
        );
    }
    let keys: Vec<_> = normal.match_indices("\"dataset\"").collect();
    assert_eq!(keys.len(), 1);
    assert!(serde_json::from_str::<serde_json::Value>(&normal).is_ok());
}

#[test]
fn no_text_panics() {
    for cut in 0..LIVER.len() {
        drop(Spec::parse(&LIVER[..cut]));
        let mut garbled = LIVER.as_bytes().to_vec();
        garbled[cut] = b"\"[]{}=.,\n0x"[cut % 11];
        drop(Spec::parse(&String::from_utf8(garbled).unwrap()));
    }
}

#[test]
fn the_schema_refuses_unknown_keys_too() {
    let schema = spec_json_schema();
    assert_eq!(schema["additionalProperties"], false);
    let column = &schema["$defs"]["RawColumn"];
    assert_eq!(column["additionalProperties"], false);
    for key in [
        "type",
        "source",
        "generalise",
        "min",
        "max",
        "scale",
        "values",
        "tag",
        "hierarchy",
        "description",
        "identifier",
    ] {
        assert!(column["properties"][key].is_object(), "{key}");
    }
}
