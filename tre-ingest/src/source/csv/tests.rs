#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
use super::*;

/// Gives one byte at a time, so that every boundary of a buffer is met.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let Some((first, rest)) = self.0.split_first() else {
            return Ok(0);
        };
        self.0 = rest;
        out.iter_mut().take(1).for_each(|b| *b = *first);
        Ok(1)
    }
}

type Rows = Vec<(u64, Vec<Option<String>>)>;

fn read(input: impl Read) -> Result<Rows, SourceError> {
    let mut reader = CsvReader::new(input)?;
    let mut rows = Vec::new();
    loop {
        match reader.next()? {
            Record::End => return Ok(rows),
            Record::Malformed => rows.push((reader.line(), vec![Some("malformed".to_owned())])),
            Record::Fields => {
                let text = |i| reader.field(i).map(|b| String::from_utf8(b.to_vec()).unwrap());
                rows.push((reader.line(), (0..reader.len()).map(text).collect()));
            }
        }
    }
}

fn both(text: &str) -> Rows {
    let whole = read(text.as_bytes()).unwrap();
    assert_eq!(whole, read(Dribble(text.as_bytes())).unwrap(), "{text:?}");
    whole
}

#[test]
fn an_unquoted_empty_field_is_null_and_a_quoted_one_is_empty() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(both("a,,\"\",\n"), [(1, vec![some("a"), None, some(""), None])]);
    assert_eq!(both("\"\"\n"), [(1, vec![some("")])]);
}

#[test]
fn quotes_line_ends_and_lines() {
    let some = |text: &str| Some(text.to_owned());
    let text = "\u{feff}h,i\r\n\r\n\"a,\"\"b\"\"\r\nc\",\"\"\"\"\n5\" pipe,x\ry,\"z\"";
    let expected = [
        (1, vec![some("h"), some("i")]),
        (3, vec![some("a,\"b\"\r\nc"), some("\"")]),
        (5, vec![some("5\" pipe"), some("x")]),
        (6, vec![some("y"), some("z")]),
    ];
    assert_eq!(both(text), expected);
}

#[test]
fn text_after_a_closing_quote_costs_one_line() {
    let some = |text: &str| Some(text.to_owned());
    let expected = [(1, vec![some("malformed")]), (2, vec![some("c"), some("d")])];
    assert_eq!(both("\"a\"b,1\nc,d\n"), expected);
}

#[test]
fn an_open_quote_is_an_error_not_the_rest_of_the_file() {
    let open = read("a\n\"b\nc\n".as_bytes());
    assert!(
        matches!(open, Err(SourceError::OpenQuote { line: 2 })),
        "{open:?}"
    );
    let long = [b"a\n\"".as_slice(), &vec![b'x'; MAX_RECORD * 2]].concat();
    assert!(matches!(
        read(long.as_slice()),
        Err(SourceError::TooLong {
            line: 2,
            quoted: true
        })
    ));
}

/// The usual parser as an oracle, on random text without malformed quoting (where it is more lenient).
#[test]
fn agrees_with_the_csv_crate() {
    let alphabet = [
        "a",
        "b",
        ",",
        ",",
        "\n",
        "\r\n",
        "\"x\"",
        "\"\"",
        "\"q\"\"q\"",
        "\"m,\nn\"",
        "ä",
        " ",
    ];
    let mut state = 7u64;
    for _ in 0..3000 {
        let mut text = String::new();
        let mut fresh = true;
        for _ in 0..24 {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let piece = alphabet
                .get((state >> 33) as usize % alphabet.len())
                .copied()
                .unwrap_or_default();
            // A quoted piece is a whole field.
            let ends = piece == "," || piece.ends_with('\n') && !piece.starts_with('"');
            if piece.starts_with('"') && !fresh || !ends && !fresh && text.ends_with('"') {
                continue;
            }
            fresh = ends;
            text.push_str(piece);
        }
        let mut parser = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = parser
            .records()
            .map(|r| r.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let ours: Vec<Vec<String>> = both(&text)
            .into_iter()
            .map(|(_, fields)| fields.into_iter().map(Option::unwrap_or_default).collect())
            .collect();
        assert_eq!(ours, expected, "{text:?}");
    }
}
