//! Rows that cannot be used: counted by class, the places of all kept for the rejects file.
//!
//! The rejects file is a sealed stream like the registry's (purpose `rejects/<version>`, no context) in the version's
//! directory; its text is CSV with the columns table, file, line, column, reason. It holds no value.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::reason::Reason;
use crate::report::{RejectCount, RejectPlace, RejectReport, SHOWN_REJECTS};

/// Collects rejected rows.
pub(crate) struct Rejects {
    max_rows: u64,
    rows: u64,
    /// By table, column and class.
    counts: BTreeMap<(usize, usize, Reason), u64>,
    places: Vec<Place>,
    tables: Vec<String>,
    files: Vec<String>,
    columns: Vec<String>,
}

#[derive(Clone, Copy)]
struct Place {
    table: usize,
    file: usize,
    line: u64,
    column: usize,
    reason: Reason,
}

/// Where rows come from, as numbers of [`Rejects`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    table: usize,
    file: usize,
}

/// Number of the column that stands for the whole record.
pub(crate) const WHOLE_RECORD: usize = 0;

impl Rejects {
    pub(crate) fn new(max_rows: u64) -> Self {
        Rejects {
            max_rows,
            rows: 0,
            counts: BTreeMap::new(),
            places: Vec::new(),
            tables: Vec::new(),
            files: Vec::new(),
            columns: vec![String::new()],
        }
    }

    /// Names the file that is read now.
    pub(crate) fn origin(&mut self, table: &str, file: &str) -> Origin {
        Origin {
            table: number(&mut self.tables, table),
            file: number(&mut self.files, file),
        }
    }

    /// Gives a column a number.
    pub(crate) fn column(&mut self, name: &str) -> usize {
        number(&mut self.columns, name)
    }

    pub(crate) fn add(&mut self, origin: Origin, line: u64, column: usize, reason: Reason) {
        self.rows += 1;
        *self.counts.entry((origin.table, column, reason)).or_default() += 1;
        // Beyond the limit the ingest fails anyway; what is kept then is for the report.
        if self.places.len() < self.max_rows as usize || self.places.len() < SHOWN_REJECTS {
            self.places.push(Place {
                table: origin.table,
                file: origin.file,
                line,
                column,
                reason,
            });
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn too_many(&self) -> bool {
        self.rows > self.max_rows
    }

    pub(crate) fn report(&self) -> RejectReport {
        let counts = self
            .counts
            .iter()
            .map(|((table, column, reason), rows)| RejectCount {
                table: name(&self.tables, *table),
                column: name(&self.columns, *column),
                reason: *reason,
                rows: *rows,
            });
        let first = self.places.iter().take(SHOWN_REJECTS).map(|place| RejectPlace {
            file: name(&self.files, place.file),
            line: place.line,
            column: name(&self.columns, place.column),
            reason: place.reason,
        });
        RejectReport {
            rows: self.rows,
            max_rows: self.max_rows,
            counts: counts.collect(),
            first: first.collect(),
        }
    }

    /// Writes the text of the rejects file.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "table,file,line,column,reason")?;
        for place in &self.places {
            let (table, file) = (name(&self.tables, place.table), name(&self.files, place.file));
            let column = name(&self.columns, place.column);
            let (file, column) = (quoted(&file), quoted(&column));
            writeln!(
                out,
                "{table},{file},{},{column},{}",
                place.line,
                place.reason.as_str()
            )?;
        }
        Ok(())
    }
}

fn number(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

fn name(names: &[String], number: usize) -> String {
    names.get(number).cloned().unwrap_or_default()
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn counts_all_and_keeps_places_up_to_the_limit() {
        let mut rejects = Rejects::new(30);
        let origin = rejects.origin("visit", "a, b.csv");
        let column = rejects.column("age");
        for line in 0..100 {
            rejects.add(origin, line, column, Reason::NotAnInt);
        }
        rejects.add(origin, 7, WHOLE_RECORD, Reason::WrongWidth);
        assert!(rejects.too_many());
        let report = rejects.report();
        assert_eq!(
            (report.rows, report.counts.len(), report.first.len()),
            (101, 2, SHOWN_REJECTS)
        );
        let mut text = Vec::new();
        rejects.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.lines().count(), 31);
        assert_eq!(text.lines().nth(1), Some("visit,\"a, b.csv\",0,age,not-an-int"));
    }
}
