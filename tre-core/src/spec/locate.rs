//! Where in the text of a spec something stands, so that every message can name its line.
//!
//! The document is parsed a second time into toml's tree with spans; deserialised values know nothing of their origin.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step from a value to one inside it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// Into a table by key.
    Key(&'a str),
    /// Into an array by position.
    At(usize),
}

/// The text of a spec and its tree.
pub(super) struct Locator<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
}

impl<'a> Locator<'a> {
    /// Parses the text; syntax errors are the caller's to report.
    pub(super) fn new(text: &'a str) -> Result<Self, toml::de::Error> {
        Ok(Locator {
            text,
            root: DeTable::parse(text)?,
        })
    }

    /// Line (from 1) of the deepest part of `path` that exists, keys before values.
    pub(super) fn line_of(&self, path: &[Step<'_>]) -> usize {
        self.line_at(self.offset_of(path))
    }

    /// Line (from 1) of a byte offset.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
    }

    /// Byte offset of the key (or array element) that `path` ends in, or of the deepest part that exists.
    pub(super) fn offset_of(&self, path: &[Step<'_>]) -> usize {
        let mut offset = 0;
        let mut value: Option<&Spanned<DeValue<'a>>> = None;
        for (depth, step) in path.iter().enumerate() {
            let table = if depth == 0 {
                Some(self.root.get_ref())
            } else {
                value.and_then(|v| v.get_ref().as_table())
            };
            let next = match step {
                Step::Key(name) => table
                    .and_then(|t| t.iter().find(|(key, _)| key.get_ref() == name))
                    .map(|(key, v)| {
                        offset = key.span().start;
                        v
                    }),
                Step::At(index) => {
                    let element = value
                        .and_then(|v| v.get_ref().as_array())
                        .and_then(|a| a.get(*index));
                    if let Some(v) = element {
                        offset = v.span().start;
                    }
                    element
                }
            };
            match next {
                Some(v) => value = Some(v),
                None => break,
            }
        }
        offset
    }

    /// In which table, by its name, and column an offset lies: the last of each that begins at or before it.
    pub(super) fn context(&self, offset: usize) -> (Option<String>, Option<String>) {
        let tables = self
            .root
            .get_ref()
            .iter()
            .find(|(key, _)| key.get_ref() == "table");
        let Some(tables) = tables.and_then(|(_, value)| value.get_ref().as_array()) else {
            return (None, None);
        };
        let within = |table: &&Spanned<DeValue<'a>>| {
            let first = table
                .get_ref()
                .as_table()
                .into_iter()
                .flatten()
                .map(|(key, _)| key.span().start)
                .min();
            first.is_some_and(|start| start <= offset)
        };
        let Some(table) = tables.iter().rfind(within).and_then(|t| t.get_ref().as_table()) else {
            return (None, None);
        };
        let get = |name: &str| {
            table
                .iter()
                .find(|(key, _)| key.get_ref() == name)
                .map(|(_, v)| v.get_ref())
        };
        let name = get("name").and_then(|v| v.as_str()).map(str::to_owned);
        let columns = get("columns").and_then(|v| v.as_table());
        let column = columns
            .into_iter()
            .flatten()
            .filter(|(key, value)| key.span().start <= offset && offset <= value.span().end)
            .max_by_key(|(key, _)| key.span().start)
            .map(|(key, _)| key.get_ref().to_string());
        (name, column)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const TEXT: &str = "dataset = \"d\"\n\n[[table]]\nname = \"a\"\n[table.columns]\nx = { type = \"int\" }\n\n[[table]]\nname = \"b\"\n[table.columns]\ny = { type = \"int\",\n values = [1,\n 2] }\n";

    #[test]
    fn paths_lead_to_lines() {
        let locator = Locator::new(TEXT).unwrap();
        assert_eq!(locator.line_of(&[Step::Key("dataset")]), 1);
        let y = [
            Step::Key("table"),
            Step::At(1),
            Step::Key("columns"),
            Step::Key("y"),
        ];
        assert_eq!(locator.line_of(&y), 11);
        let second = [&y[..], &[Step::Key("values"), Step::At(1)]].concat();
        assert_eq!(locator.line_of(&second), 13);
        let missing = [&y[..], &[Step::Key("scale")]].concat();
        assert_eq!(
            locator.line_of(&missing),
            11,
            "what is not there is shown where it belongs"
        );
    }

    #[test]
    fn offsets_have_a_table_and_a_column() {
        let locator = Locator::new(TEXT).unwrap();
        let offset = TEXT.find("values").unwrap();
        assert_eq!(
            locator.context(offset),
            (Some("b".to_owned()), Some("y".to_owned()))
        );
        assert_eq!(locator.context(3), (None, None));
    }
}
