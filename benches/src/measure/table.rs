//! Tables of text that read well on a terminal and are Markdown besides.

use std::fmt;

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// Rows under headings.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: vec![],
        }
    }

    /// Adds a row. Cells that are missing are empty, and those that no column is left for are not shown.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn width(&self, column: usize, heading: &str) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| cell.chars().count())
            .chain([heading.chars().count()])
            .max()
            .unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (heading, _))| self.width(i, heading))
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, cell: &dyn Fn(usize) -> String| {
            for (i, ((_, align), width)) in self.columns.iter().zip(&widths).enumerate() {
                match align {
                    Align::Left => write!(f, "| {:<width$} ", cell(i))?,
                    Align::Right => write!(f, "| {:>width$} ", cell(i))?,
                }
            }
            writeln!(f, "|")
        };
        line(f, &|i| {
            self.columns
                .get(i)
                .map(|(heading, _)| (*heading).to_owned())
                .unwrap_or_default()
        })?;
        for ((_, align), width) in self.columns.iter().zip(&widths) {
            match align {
                Align::Left => write!(f, "|:{:-<1$}", "", width + 1)?,
                Align::Right => write!(f, "|{:-<1$}:", "", width + 1)?,
            }
        }
        writeln!(f, "|")?;
        for row in &self.rows {
            line(f, &|i| row.get(i).cloned().unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_left_and_numbers_right() {
        let mut table = Table::new(&[("query", Align::Left), ("ms", Align::Right)]);
        table.row(vec!["by month".to_owned(), "7".to_owned()]);
        table.row(vec!["all".to_owned()]);
        let expected = "| query    | ms |\n|:---------|---:|\n| by month |  7 |\n| all      |    |\n";
        assert_eq!(table.to_string(), expected);
    }
}
