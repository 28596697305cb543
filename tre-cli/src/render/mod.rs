//! The one place that turns what a command found into bytes on stdout: a table for people, JSON and CSV for programs.
//!
//! A command hands in a value that implements [`Shown`]. JSON is the value itself, as serde writes it, with its kind in
//! front; its schema is generated from the type and kept in `tre-cli/schema/`. The table and CSV come from
//! [`Shown::view`]: facts, then grids. CSV has room for one grid; it shows the first, or the facts where there is none.
//!
//! What users, holders and authors of requests wrote is hostile text on an operator's or reviewer's terminal: the table
//! shows control characters and direction marks as escapes (see [`visible`]). CSV and JSON carry the text as it is.

mod csv;
mod json;
mod table;

use std::io::Write;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

use crate::exit::Failure;

/// Formats of every listing and report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document; `tre explain --json-schema KIND` prints the schema of its kind.
    Json,
    /// RFC 4180, with a header line. An unquoted empty field is NULL.
    Csv,
}

/// Something that can be printed in every [`Format`].
pub(crate) trait Shown: Serialize + JsonSchema {
    /// The value of `kind` in JSON and the name of the schema file, e.g. `datasets`.
    const KIND: &'static str;

    /// What the table and CSV show.
    fn view(&self) -> View;
}

/// Facts and grids, in the order in which a person reads them.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) grids: Vec<Grid>,
}

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Grid {
    /// Stands above the grid where a view has several; may be empty.
    pub(crate) title: String,
    pub(crate) headings: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// One value of a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// NULL.
    Null,
    /// Set flush left.
    Text(String),
    /// Digits, set flush right; text, so that no digit is lost.
    Number(String),
}

impl Cell {
    /// Text of anything that can be displayed.
    pub(crate) fn text(value: impl ToString) -> Self {
        Cell::Text(value.to_string())
    }

    /// A number of anything that displays as one.
    pub(crate) fn number(value: impl ToString) -> Self {
        Cell::Number(value.to_string())
    }

    /// A time, as [`to_the_second`].
    pub(crate) fn time(text: &str) -> Self {
        Cell::Text(to_the_second(text))
    }

    /// Text, or NULL.
    pub(crate) fn optional(value: Option<impl ToString>) -> Self {
        value.map_or(Cell::Null, Cell::text)
    }
}

impl Grid {
    /// A grid without a title.
    pub(crate) fn new(headings: &[&str], rows: Vec<Vec<Cell>>) -> Self {
        let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
        Grid {
            title: String::new(),
            headings,
            rows,
        }
    }

    /// The same grid under a title.
    pub(crate) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }
}

impl View {
    /// A view of one grid and nothing else.
    pub(crate) fn grid(grid: Grid) -> Self {
        View {
            facts: Vec::new(),
            grids: vec![grid],
        }
    }
}

/// Where and how results are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paper {
    /// COLUMNS, else the columns of the terminal; `None` where neither says, and then nothing is wrapped.
    pub(crate) width: Option<u16>,
}

/// Prints in the format asked for.
pub(crate) fn print<S: Shown>(
    shown: &S,
    format: Format,
    paper: Paper,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let text = match format {
        Format::Table => table::text(&shown.view(), paper),
        Format::Json => json::text(shown)?,
        Format::Csv => csv::text(&shown.view()),
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The JSON schema of one kind of document.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) kind: &'static str,
    pub(crate) schema: serde_json::Value,
}

/// The schema of what [`Format::Json`] prints for a type: its own, with `kind` added.
pub(crate) fn published<S: Shown>() -> Published {
    let mut schema = schemars::schema_for!(S).to_value();
    let entry = |schema: &mut serde_json::Value, name: &str, value: serde_json::Value| {
        if let Some(object) = schema.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    if let Some(properties) = schema.get_mut("properties") {
        entry(properties, "kind", serde_json::json!({ "const": S::KIND }));
    }
    if let Some(required) = schema
        .get_mut("required")
        .and_then(serde_json::Value::as_array_mut)
    {
        required.insert(0, "kind".into());
    }
    entry(&mut schema, "title", S::KIND.into());
    Published {
        kind: S::KIND,
        schema,
    }
}

/// A time of RFC 3339 without the fractions that only programs want; JSON has them.
pub(crate) fn to_the_second(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// One line of text that is safe to show: control characters, line ends and direction marks become escapes.
pub(crate) fn visible(text: &str) -> String {
    let direction =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || direction(c) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    shown
}

/// As [`visible`], but lines stay lines: for text that people wrote in paragraphs, such as SQL and contexts.
pub(crate) fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Text broken into lines of at most `width` characters between words.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    folded(&text.split_whitespace().collect::<Vec<_>>().join(" "), width, "").join("\n")
}

/// A line, broken between words where it is longer than `width`; what follows begins with the line's own indentation and
/// `more`. A word that is longer than a line is broken itself.
pub(crate) fn folded(line: &str, width: usize, more: &str) -> Vec<String> {
    let length = |text: &str| text.chars().count();
    if length(line) <= width {
        return vec![line.to_owned()];
    }
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = vec![indent.clone()];
    let mut is_fresh = true;
    for word in line.split_whitespace() {
        let mut word = word;
        loop {
            let used = lines.last().map_or(0, |line| length(line)) + usize::from(!is_fresh);
            if used + length(word) <= width {
                break;
            }
            if is_fresh {
                // Nothing stands on this line yet, and the word alone is too long.
                let at = word
                    .char_indices()
                    .nth(width.saturating_sub(used).max(1))
                    .map_or(word.len(), |(at, _)| at);
                let (head, tail) = word.split_at(at);
                lines.last_mut().into_iter().for_each(|line| line.push_str(head));
                word = tail;
            }
            lines.push(format!("{indent}{more}"));
            is_fresh = true;
        }
        if let Some(line) = lines.last_mut() {
            if !is_fresh {
                line.push(' ');
            }
            line.push_str(word);
        }
        is_fresh = false;
    }
    lines
}

/// Implements [`Shown`] for a listing: a struct whose only field is `rows`.
macro_rules! listing {
    ($(#[$doc:meta])* $vis:vis $listing:ident of $row:ident, $kind:literal, [$($heading:literal),+ $(,)?]) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize, schemars::JsonSchema)]
        $vis struct $listing {
            /// In the order in which the server gives them.
            rows: Vec<$row>,
        }

        impl $crate::render::Shown for $listing {
            const KIND: &'static str = $kind;

            fn view(&self) -> $crate::render::View {
                let rows = self.rows.iter().map($row::cells).collect();
                $crate::render::View::grid($crate::render::Grid::new(&[$($heading),+], rows))
            }
        }
    };
}
pub(crate) use listing;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What a command would print, as text.
    pub(crate) fn printed<S: Shown>(shown: &S, format: Format) -> String {
        let mut out = Vec::new();
        let printed = print(shown, format, Paper { width: None }, &mut out);
        assert_eq!(printed, Ok(()));
        String::from_utf8_lossy(&out).into_owned()
    }

    #[derive(Debug, Serialize, JsonSchema)]
    struct Pet {
        name: String,
        legs: u8,
    }

    impl Pet {
        fn cells(&self) -> Vec<Cell> {
            vec![Cell::text(&self.name), Cell::number(self.legs)]
        }
    }

    listing!(
        /// Pets.
        Pets of Pet, "pets", ["name", "legs"]
    );

    fn pets() -> Pets {
        let pet = |name: &str, legs| Pet {
            name: name.to_owned(),
            legs,
        };
        Pets {
            rows: vec![pet("cat, the", 4), pet("snake\u{1b}[2J", 0)],
        }
    }

    #[test]
    fn a_table_shows_control_characters_as_escapes() {
        let text = printed(&pets(), Format::Table);
        assert!(text.contains("cat, the"));
        assert!(
            text.contains("snake\\u{1b}[2J") && !text.contains('\u{1b}'),
            "{text}"
        );
    }

    #[test]
    fn json_names_its_kind_first() {
        let text = printed(&pets(), Format::Json);
        assert!(
            text.starts_with("{\n  \"kind\": \"pets\",\n  \"rows\": ["),
            "{text}"
        );
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        assert_eq!(
            printed(&pets(), Format::Csv),
            "name,legs\n\"cat, the\",4\nsnake\u{1b}[2J,0\n"
        );
    }

    #[test]
    fn direction_marks_are_shown() {
        assert_eq!(visible("a\u{202e}b\n"), "a\\u{202e}b\\n");
        assert_eq!(visible_lines("a\u{7}\nb"), "a\\u{7}\nb");
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrapped("aa bb cc", 5), "aa bb\ncc");
        assert_eq!(wrapped("aa  bb\ncc", 80), "aa bb cc");
    }

    #[test]
    fn long_lines_fold_under_their_indentation() {
        assert_eq!(folded("  aa bb cc", 8, "  "), ["  aa bb", "    cc"]);
        assert_eq!(folded("  aa  bb", 8, "  "), ["  aa  bb"]);
        assert_eq!(folded("abcdefghij k", 4, ""), ["abcd", "efgh", "ij k"]);
        assert_eq!(folded("a bcdefg", 4, "> "), ["a", "> bc", "> de", "> fg"]);
    }

    #[test]
    fn times_are_shown_to_the_second() {
        assert_eq!(
            Cell::time("2026-11-21T06:18:59.937677855Z"),
            Cell::text("2026-11-21T06:18:59Z")
        );
        assert_eq!(Cell::time("yesterday"), Cell::text("yesterday"));
    }
}
