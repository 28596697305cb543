#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
use super::*;
use crate::row::Cells;
use tre_core::spec::Spec;

fn reader(column: &str) -> ColumnReader {
    let spec = format!(
        "dataset = \"d\"\ntitle = \"t\"\npopulation = \"p\"\n[[table]]\nname = \"a\"\nfiles = [\"a.csv\"]\nunit = {{ column = \"who\", canon = \"text\" }}\n[table.columns]\nx = {column}\n"
    );
    ColumnReader::new(&Spec::parse(&spec).unwrap().tables[0].columns[0])
}

#[derive(Debug, PartialEq)]
enum Stored {
    Number(Option<i128>),
    Bool(Option<bool>),
    Text(Option<String>),
}

fn stored(reader: &mut ColumnReader, cell: Cell<'_>) -> Result<Stored, Reason> {
    let mut out = Vec::new();
    reader.encode(cell, 0, &mut out)?;
    let mut cells = Cells(&out);
    Ok(match reader.kind {
        Kind::Number(_) | Kind::Date { .. } | Kind::Timestamp { .. } => {
            Stored::Number(cells.number().unwrap())
        }
        Kind::Bool(_) => Stored::Bool(cells.bool().unwrap()),
        Kind::Text(_) => Stored::Text(cells.text().unwrap().map(str::to_owned)),
    })
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(text.as_bytes())
}

#[test]
fn stored_values() {
    let number = |n: i128| Ok(Stored::Number(Some(n)));
    let word = |t: &str| Ok(Stored::Text(Some(t.to_owned())));
    let day = |t: &str| number(text::date(t.as_bytes()).unwrap().into());
    let instant = |t: &str| number(text::timestamp(t.as_bytes()).unwrap().into());
    let bands = "{ type = \"int\", generalise = { bands = [0, 40, 60] } }";
    let decimal_bands = "{ type = \"float\", scale = 1, generalise = { bands = [0.5, 2] } }";
    let measure = "{ type = \"float\", scale = 2, min = 0, max = 10 }";
    let exact = "{ type = \"decimal\", scale = 2 }";
    let prefix = "{ type = \"text\", generalise = { prefix = 3 } }";
    let month = "{ type = \"date\", generalise = \"month\" }";
    let stamp_month = "{ type = \"timestamp\", generalise = \"month\" }";
    let cases: Vec<(&str, Cell<'_>, Result<Stored, Reason>)> = vec![
        ("{ type = \"int\" }", text("12"), number(12)),
        ("{ type = \"int\" }", Cell::Null, Ok(Stored::Number(None))),
        ("{ type = \"int\" }", text(""), Err(Reason::NotAnInt)),
        ("{ type = \"int\" }", text("1.5"), Err(Reason::NotAnInt)),
        ("{ type = \"int\" }", Cell::Float(3.0), number(3)),
        ("{ type = \"int\" }", Cell::Float(3.5), Err(Reason::NotAnInt)),
        ("{ type = \"int\" }", Cell::Decimal(7, 0), number(7)),
        ("{ type = \"int\", values = [1, 2] }", text("2"), number(2)),
        (
            "{ type = \"int\", values = [1, 2] }",
            text("3"),
            Err(Reason::NotInValues),
        ),
        (
            "{ type = \"int\", generalise = { top = 90 } }",
            text("95"),
            number(90),
        ),
        (
            "{ type = \"int\", generalise = { top = 90 } }",
            text("-5"),
            number(-5),
        ),
        (bands, text("0"), number(0)),
        (bands, text("39"), number(0)),
        (bands, text("40"), number(40)),
        (bands, text("200"), number(60)),
        (bands, text("-1"), Err(Reason::BelowBands)),
        (bands, Cell::Null, Ok(Stored::Number(None))),
        (decimal_bands, text("1.95"), number(20)),
        (decimal_bands, text("1.94"), number(5)),
        (decimal_bands, text("0.4"), Err(Reason::BelowBands)),
        (measure, text("3.14159"), number(314)),
        (measure, text("11"), number(1000)),
        (measure, text("-0.01"), number(0)),
        (measure, Cell::Float(0.1), number(10)),
        (measure, Cell::Float(f64::NAN), Err(Reason::NotANumber)),
        (measure, Cell::Int(4), number(400)),
        (measure, Cell::Decimal(1235, 3), number(124)),
        (measure, text("x"), Err(Reason::NotANumber)),
        (measure, text("1e99"), Err(Reason::TooLarge)),
        (exact, text("1.23"), number(123)),
        (exact, text("1.234"), Err(Reason::TooManyPlaces)),
        ("{ type = \"bool\" }", text("yes"), Ok(Stored::Bool(Some(true)))),
        (
            "{ type = \"bool\" }",
            Cell::Bool(false),
            Ok(Stored::Bool(Some(false))),
        ),
        ("{ type = \"bool\" }", text("maybe"), Err(Reason::NotABool)),
        (
            "{ type = \"bool\", values = [true] }",
            text("no"),
            Err(Reason::NotInValues),
        ),
        ("{ type = \"text\" }", text(""), word("")),
        ("{ type = \"text\" }", text(" a "), word(" a ")),
        ("{ type = \"text\" }", Cell::Text(&[0xff]), Err(Reason::NotText)),
        ("{ type = \"text\" }", Cell::Text(b"a\0b"), Err(Reason::NotText)),
        ("{ type = \"text\" }", Cell::Int(17), word("17")),
        ("{ type = \"text\", values = [\"F\"] }", text("F"), word("F")),
        (
            "{ type = \"text\", values = [\"F\"] }",
            text("f"),
            Err(Reason::NotInValues),
        ),
        (prefix, text("C34.1"), word("C34")),
        (prefix, text("肝硬変症"), word("肝硬変")),
        (prefix, text("C3"), word("C3")),
        ("{ type = \"date\" }", text("2024-02-29"), day("2024-02-29")),
        ("{ type = \"date\" }", Cell::Date(19782), day("2024-02-29")),
        (
            "{ type = \"date\" }",
            Cell::Timestamp(19782 * MICROS_PER_DAY),
            day("2024-02-29"),
        ),
        (
            "{ type = \"date\" }",
            Cell::Timestamp(19782 * MICROS_PER_DAY + 1),
            Err(Reason::NotADate),
        ),
        ("{ type = \"date\" }", Cell::Date(i32::MAX), Err(Reason::NotADate)),
        (month, text("2024-02-29"), day("2024-02-01")),
        (month, text("1969-12-31"), day("1969-12-01")),
        (
            "{ type = \"timestamp\" }",
            text("2024-02-29T01:00+09:00"),
            instant("2024-02-28T16:00Z"),
        ),
        (stamp_month, text("2024-02-29T12:00"), instant("2024-02-01T00:00")),
        (stamp_month, text("1960-02-29T12:00"), instant("1960-02-01T00:00")),
    ];
    for (column, cell, expected) in cases {
        assert_eq!(
            stored(&mut reader(column), cell),
            expected,
            "{column} of {cell:?}"
        );
    }
}

#[test]
fn clamping_is_counted() {
    let mut reader = reader("{ type = \"int\", min = 0, max = 10 }");
    for value in ["-1", "0", "10", "11", "5"] {
        stored(&mut reader, text(value)).unwrap();
    }
    assert_eq!(reader.clamped(), 2);
}

#[test]
fn identifiers_are_watched_for_unless_the_spec_rules_them_out() {
    let verdict = |column: &str| {
        let mut reader = reader(column);
        for n in 0..100 {
            stored(&mut reader, text(&format!("0901234{n:04}"))).unwrap();
        }
        reader.identifiers()
    };
    assert_eq!(verdict("{ type = \"text\" }"), Some(Pattern::Phone));
    assert_eq!(verdict("{ type = \"text\", identifier = false }"), None);
    assert_eq!(verdict("{ type = \"text\", generalise = { prefix = 3 } }"), None);
    assert_eq!(
        verdict("{ type = \"text\", generalise = { prefix = 20 } }"),
        Some(Pattern::Phone)
    );
}
