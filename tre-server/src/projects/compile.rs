//! From a permit to a grant: every dataset at its newest version, every table and column found in it, every row condition
//! ready to be lowered.

use std::collections::BTreeMap;

use tre_core::codes::{self, Problem};
use tre_core::grant::GrantedTable;
use tre_core::ids::{ColumnName, DatasetName};
use tre_core::manifest::{Manifest, TableManifest, UNIT_COLUMN};
use tre_core::permit::{Permit, PermitTable};

/// A granted table without its row filter, and the condition that becomes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) table: GrantedTable,
    pub(super) rows: Option<String>,
}

/// The tables of a permit in its order, given the manifest of the version to pin for each of its datasets.
///
/// # Errors
/// `TRE-PRJ-008` naming what does not exist, and what does.
pub(super) fn drafts(
    permit: &Permit,
    manifests: &BTreeMap<DatasetName, Manifest>,
) -> Result<Vec<Draft>, Problem> {
    let mut drafts = Vec::new();
    for dataset in &permit.datasets {
        let manifest = manifests
            .get(&dataset.id)
            .ok_or_else(|| no_dataset(&dataset.id))?;
        for (name, wanted) in &dataset.tables {
            let table = manifest.table(name).ok_or_else(|| {
                let there = list(manifest.tables.iter().map(|table| &table.name));
                unknown(format!("`{}` has no table `{name}`", manifest.version), &there)
            })?;
            drafts.push(draft(manifest, table, wanted)?);
        }
    }
    Ok(drafts)
}

/// What to say of a dataset that was never published.
pub(super) fn no_dataset(dataset: &DatasetName) -> Problem {
    Problem::new(
        &codes::PRJ_UNKNOWN_DATA,
        format!("there is no dataset `{dataset}`"),
        "see `tre dataset list`",
    )
}

fn draft(manifest: &Manifest, table: &TableManifest, wanted: &PermitTable) -> Result<Draft, Problem> {
    let mut columns = Vec::new();
    for name in &wanted.columns {
        if name.as_str() == UNIT_COLUMN && !table.public {
            // The person stands behind every row whether listed or not; it is no column of the grant.
            continue;
        }
        if table.column(name).is_none() {
            return Err(no_column(manifest, table, name));
        }
        columns.push(name.clone());
    }
    Ok(Draft {
        table: GrantedTable {
            version: manifest.version.clone(),
            table: table.name.clone(),
            description: table.description.clone(),
            public: table.public,
            population: manifest.population.clone(),
            cuts: manifest.cuts.clone(),
            stored: table.columns.clone(),
            columns,
            row_filter: None,
            files: table.files.clone(),
        },
        rows: wanted.rows.clone(),
    })
}

fn no_column(manifest: &Manifest, table: &TableManifest, name: &ColumnName) -> Problem {
    let (version, of) = (&manifest.version, &table.name);
    if name.as_str() == UNIT_COLUMN {
        let what = format!("table `{of}` of `{version}` is about nobody and has no `{UNIT_COLUMN}`");
        return Problem::new(
            &codes::PRJ_UNKNOWN_DATA,
            what,
            format!("leave `{UNIT_COLUMN}` out"),
        );
    }
    let there = list(table.columns.iter().map(|column| &column.name));
    unknown(
        format!("table `{of}` of `{version}` has no column `{name}`"),
        &there,
    )
}

fn unknown(what: String, there: &str) -> Problem {
    let hint = if there.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there is {there}")
    };
    Problem::new(&codes::PRJ_UNKNOWN_DATA, what, hint)
}

/// At most 40 names, since a person reads them.
fn list<T: std::fmt::Display>(names: impl Iterator<Item = T>) -> String {
    const MOST: usize = 40;
    let mut names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    let listed = names.join(", ");
    if more == 0 {
        listed
    } else {
        format!("{listed} and {more} more")
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::super::tests::{PERMIT, manifest};
    use super::*;

    fn compile(permit: &str) -> Result<Vec<Draft>, Problem> {
        let manifests = [("liver".parse().unwrap(), manifest())].into();
        drafts(&Permit::parse(permit).unwrap(), &manifests)
    }

    #[test]
    fn a_grant_pins_the_version_and_keeps_all_stored_columns_for_the_condition() {
        let drafts = compile(PERMIT).unwrap();
        let [draft] = drafts.as_slice() else {
            unreachable!("one table")
        };
        assert_eq!(draft.table.version, manifest().version);
        assert_eq!(draft.table.stored.len(), 4);
        assert_eq!(draft.table.description, "the holder's words on visit");
        assert_eq!(draft.table.cuts, manifest().cuts);
        assert_eq!(draft.rows.as_deref(), Some("age >= 40"));
    }

    #[test]
    fn pid_may_be_listed_and_is_no_column_of_the_grant() {
        let columns = |text: &str| {
            let names = &compile(text).unwrap()[0].table.columns;
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(columns(PERMIT), ["age", "sex"]);
        assert_eq!(columns(&PERMIT.replace("\"pid\", ", "")), ["age", "sex"]);
        assert!(columns(&PERMIT.replace(r#", "age", "sex""#, "")).is_empty());
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        for (from, to, what, hint) in [
            (
                "id = \"liver\"",
                "id = \"heart\"",
                "there is no dataset `heart`",
                "tre dataset list",
            ),
            (
                "tables.visit",
                "tables.visits",
                "has no table `visits`",
                "`visit`, `stay`, `icd10`",
            ),
            (
                "\"sex\"",
                "\"gender\"",
                "table `visit` of `liver@",
                "`age`, `sex`, `cost`, `clinic`",
            ),
            ("tables.visit", "tables.icd10", "about nobody", "leave `pid` out"),
        ] {
            let problem = compile(&PERMIT.replacen(from, to, 1)).unwrap_err();
            assert_eq!(problem.code.id, "TRE-PRJ-008");
            assert!(
                problem.what.contains(what) && problem.hint.contains(hint),
                "{problem}"
            );
        }
    }
}
