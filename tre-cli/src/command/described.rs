//! Tables and columns in words: what a column is called, what it holds, how coarse it is, what may be done with it.

use schemars::JsonSchema;
use serde::Serialize;
use tre_proto::v1;

use crate::render::{Cell, Grid};

/// A table of a dataset or of a project.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TableReport {
    /// The dataset that it belongs to.
    dataset: String,
    /// Its name in SQL.
    name: String,
    /// In the holder's words.
    description: String,
    /// Reference data about nobody.
    public: bool,
    /// Tables of one population are joined on pid; empty for public tables.
    population: String,
    /// The permit's condition on the rows; null: all rows.
    rows: Option<String>,
    /// How many rows; null unless the caller may know.
    row_count: Option<u64>,
    /// Columns in the order of the table.
    columns: Vec<ColumnReport>,
}

/// A column.
#[derive(Debug, Serialize, JsonSchema)]
struct ColumnReport {
    /// Its name in SQL.
    name: String,
    /// int, decimal(SCALE), bool, text, date, timestamp or pid.
    r#type: String,
    /// In the holder's words.
    description: String,
    /// The kind of protected party that it identifies; shown as pseudonyms.
    entity: Option<String>,
    /// It may be summed and averaged.
    measure: bool,
    /// Smallest value; lower ones were raised to it.
    min: Option<String>,
    /// Largest value; higher ones were lowered to it.
    max: Option<String>,
    /// All values that it can have, if the holder declared them; such groups are shown even when empty.
    domain: Option<Vec<String>>,
    /// What the values are codes of, e.g. icd10.
    tag: Option<String>,
    /// The table and column with the names or coarser levels.
    hierarchy: Option<String>,
    /// How the holder coarsened it.
    generalised: Option<String>,
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<v1::Table> for TableReport {
    fn from(table: v1::Table) -> Self {
        TableReport {
            dataset: table.dataset,
            name: table.name,
            description: table.description,
            public: table.public,
            population: table.population,
            rows: given(table.rows),
            row_count: (table.row_count > 0).then_some(table.row_count),
            columns: table.columns.into_iter().map(ColumnReport::from).collect(),
        }
    }
}

impl From<v1::Column> for ColumnReport {
    fn from(column: v1::Column) -> Self {
        ColumnReport {
            name: column.name,
            r#type: column.r#type,
            description: column.description,
            entity: given(column.entity),
            measure: column.measure,
            min: given(column.min),
            max: given(column.max),
            domain: column.has_domain.then_some(column.domain),
            tag: given(column.tag),
            hierarchy: given(column.hierarchy),
            generalised: given(column.generalised),
        }
    }
}

impl TableReport {
    /// `dataset.table`, what it is, and which rows of it there are.
    fn title(&self) -> String {
        let kind = if self.public {
            "reference data"
        } else {
            "about people"
        };
        let mut title = format!("{} ({}, {kind}", self.name, self.dataset);
        if let Some(rows) = self.row_count {
            title.push_str(&format!(", {rows} rows"));
        }
        title.push(')');
        if let Some(condition) = &self.rows {
            title.push_str(&format!(", only rows where {condition}"));
        }
        if !self.description.is_empty() {
            title.push_str(&format!(": {}", self.description));
        }
        title
    }

    /// The columns, one a line.
    pub(crate) fn grid(&self) -> Grid {
        let rows = self.columns.iter().map(ColumnReport::cells).collect();
        Grid::new(&["column", "type", "what it holds", "description"], rows).titled(self.title())
    }
}

impl ColumnReport {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.name),
            Cell::text(&self.r#type),
            Cell::text(self.holds()),
            Cell::text(&self.description),
        ]
    }

    /// What may be done with it, in few words.
    fn holds(&self) -> String {
        let mut parts = Vec::new();
        if let (true, Some(min), Some(max)) = (self.measure, &self.min, &self.max) {
            parts.push(format!("measure {min} to {max}"));
        }
        if let Some(domain) = &self.domain {
            parts.push(format!("one of {}", shortened(domain)));
        }
        parts.extend(self.entity.iter().map(|kind| format!("pseudonym of a {kind}")));
        parts.extend(self.generalised.iter().map(|how| format!("coarsened: {how}")));
        parts.extend(self.tag.iter().map(|tag| format!("{tag} codes")));
        parts.extend(self.hierarchy.iter().map(|place| format!("see {place}")));
        parts.join("; ")
    }
}

/// The first values of a domain and how many more there are.
fn shortened(domain: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = domain.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = domain.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_column_holds_is_said_in_words() {
        let column = v1::Column {
            name: "age".to_owned(),
            r#type: "int".to_owned(),
            has_domain: true,
            domain: (0..10).map(|age| (age * 10).to_string()).collect(),
            generalised: "bands".to_owned(),
            ..v1::Column::default()
        };
        let expected = "one of 0, 10, 20, 30, 40, 50, 60, 70 and 2 more; coarsened: bands";
        assert_eq!(ColumnReport::from(column).holds(), expected);
    }

    #[test]
    fn an_empty_domain_is_still_a_domain() {
        let column = v1::Column {
            has_domain: true,
            ..v1::Column::default()
        };
        assert_eq!(ColumnReport::from(column).domain, Some(Vec::new()));
    }
}
