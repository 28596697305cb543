//! From the raw spec to the checked one. Every refusal names line, table and column.

use std::collections::BTreeSet;

use super::locate::{Locator, Step};
use super::raw::{RawCanon, RawColumn, RawSpec, RawTable, RawType, RawUnit};
use super::{Canon, Column, EntitySource, MAX_REJECTS, Spec, Table, UnitSource, column};
use crate::codes::{self, Code, Problem};
use crate::ids::{ColumnName, InvalidName, TableName};
use crate::toml_words::in_words;

/// A spec is written by hand; anything longer is not one.
const MAX_TEXT: usize = 1 << 20;
const MAX_TABLES: usize = 200;
const MAX_COLUMNS: usize = 2_000;

/// Names that SQL needs for itself.
const RESERVED: [&str; 2] = ["pid", "disclosure"];

pub(super) fn parse(text: &str) -> Result<Spec, Problem> {
    let syntax = |message: &str| Problem::of(&codes::ING_SPEC_SYNTAX, message);
    if text.len() > MAX_TEXT {
        return Err(syntax("the spec is longer than 1 MiB"));
    }
    let unlocated = |error: &toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
        });
        syntax(&format!("line {line}: {}", in_words(error)))
    };
    let locator = Locator::new(text).map_err(|error| unlocated(&error))?;
    let raw: RawSpec = toml::from_str(text).map_err(|error| match error.span() {
        Some(span) => {
            let (table, column) = locator.context(span.start);
            let place = place(locator.line_at(span.start), table.as_deref(), column.as_deref());
            syntax(&format!("{place}: {}", in_words(&error)))
        }
        None => unlocated(&error),
    })?;
    Validator { locator }.spec(raw)
}

fn place(line: usize, table: Option<&str>, column: Option<&str>) -> String {
    let table = table.map(|name| format!(", table `{name}`")).unwrap_or_default();
    let column = column
        .map(|name| format!(", column `{name}`"))
        .unwrap_or_default();
    format!("line {line}{table}{column}")
}

struct Validator<'a> {
    locator: Locator<'a>,
}

/// Where the validator is, for messages.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    locator: &'a Locator<'a>,
    table: Option<(usize, &'a str)>,
    column: Option<&'a str>,
}

impl Place<'_> {
    /// A problem at `steps` below this place, with the code's general remedy.
    pub(super) fn problem(&self, code: &'static Code, steps: &[Step<'_>], what: impl AsRef<str>) -> Problem {
        Problem::of(code, self.what(steps, what.as_ref()))
    }

    fn what(&self, steps: &[Step<'_>], what: &str) -> String {
        let mut path = Vec::new();
        if let Some((index, _)) = self.table {
            path.extend([Step::Key("table"), Step::At(index)]);
        }
        if let Some(column) = self.column {
            path.extend([Step::Key("columns"), Step::Key(column)]);
        }
        path.extend_from_slice(steps);
        let line = self.locator.line_of(&path);
        format!(
            "{}: {what}",
            place(line, self.table.map(|(_, name)| name), self.column)
        )
    }

    fn name<T: std::str::FromStr<Err = InvalidName>>(
        &self,
        steps: &[Step<'_>],
        text: &str,
    ) -> Result<T, Problem> {
        text.parse()
            .map_err(|error: InvalidName| self.problem(&codes::ING_SPEC_NAME, steps, error.to_string()))
    }

    /// Text that is shown to people: one line, no control characters, not too long.
    pub(super) fn line_of_text(&self, key: &str, text: &str) -> Result<String, Problem> {
        let text = text.trim();
        if text.chars().any(char::is_control) || text.chars().count() > 1000 {
            let what = format!("`{key}` must be one line of at most 1000 characters");
            return Err(self.problem(&codes::ING_SPEC_SYNTAX, &[Step::Key(key)], what));
        }
        Ok(text.to_owned())
    }
}

impl Validator<'_> {
    fn spec(&self, raw: RawSpec) -> Result<Spec, Problem> {
        let top = Place {
            locator: &self.locator,
            table: None,
            column: None,
        };
        let title = top.line_of_text("title", &raw.title)?;
        if title.is_empty() {
            let what = "`title` is empty; say in one line what the dataset is";
            return Err(top.problem(&codes::ING_SPEC_SYNTAX, &[Step::Key("title")], what));
        }
        let max_rejects = u64::try_from(raw.rejects.max_rows)
            .ok()
            .filter(|rows| *rows <= MAX_REJECTS);
        let Some(max_rejects) = max_rejects else {
            let what = format!(
                "`max_rows` = {} is not between 0 and {MAX_REJECTS}",
                raw.rejects.max_rows
            );
            return Err(top.problem(
                &codes::ING_SPEC_SYNTAX,
                &[Step::Key("rejects"), Step::Key("max_rows")],
                what,
            ));
        };
        if raw.table.is_empty() || raw.table.len() > MAX_TABLES {
            let what = format!(
                "the spec has {} tables; it needs 1 to {MAX_TABLES} `[[table]]`",
                raw.table.len()
            );
            return Err(top.problem(&codes::ING_SPEC_TABLE, &[Step::Key("table")], what));
        }
        let mut tables: Vec<Table> = Vec::with_capacity(raw.table.len());
        for (index, raw_table) in raw.table.iter().enumerate() {
            let place = Place {
                table: Some((index, &raw_table.name)),
                ..top
            };
            let table = self.table(place, raw_table)?;
            if tables.iter().any(|other| other.name == table.name) {
                let what = "there is another table of this name";
                return Err(place.problem(&codes::ING_SPEC_NAME, &[Step::Key("name")], what));
            }
            tables.push(table);
        }
        self.check_hierarchies(&raw.table, &tables)?;
        Ok(Spec {
            dataset: top.name(&[Step::Key("dataset")], &raw.dataset)?,
            title,
            population: top.name(&[Step::Key("population")], &raw.population)?,
            tables,
            max_rejects,
        })
    }

    fn table(&self, place: Place<'_>, raw: &RawTable) -> Result<Table, Problem> {
        let name: TableName = place.name(&[Step::Key("name")], &raw.name)?;
        let incomplete =
            |key: &str, what: &str| Err(place.problem(&codes::ING_SPEC_TABLE, &[Step::Key(key)], what));
        if raw.files.is_empty()
            || raw
                .files
                .iter()
                .any(|file| file.is_empty() || file.contains('\0'))
        {
            return incomplete(
                "files",
                "`files` must name at least one file, and none of them empty",
            );
        }
        let unit = match (&raw.unit, raw.public) {
            (Some(_), true) => {
                return incomplete(
                    "unit",
                    "a public table is about nobody; remove `unit` or `public = true`",
                );
            }
            (None, false) => {
                return incomplete(
                    "unit",
                    "`unit` is missing; say whose rows these are: `unit = { column = \"…\", canon = \"text\" }`",
                );
            }
            (Some(unit), false) => Some(unit_source(place, unit)?),
            (None, true) => None,
        };
        if raw.public && !raw.entity.is_empty() {
            return incomplete(
                "entity",
                "a public table is about nobody; remove `entity` or `public = true`",
            );
        }
        if raw.columns.len() + raw.entity.len() == 0 || raw.columns.len() > MAX_COLUMNS {
            let what = format!("`[table.columns]` must list 1 to {MAX_COLUMNS} columns to keep");
            return incomplete("columns", &what);
        }
        let entities = self.entities(place, raw, unit.as_ref())?;
        let columns = self.columns(place, raw, unit.as_ref(), &entities)?;
        Ok(Table {
            name,
            description: place.line_of_text("description", &raw.description)?,
            files: raw.files.clone(),
            unit,
            entities,
            columns,
        })
    }

    fn entities(
        &self,
        place: Place<'_>,
        raw: &RawTable,
        unit: Option<&UnitSource>,
    ) -> Result<Vec<EntitySource>, Problem> {
        let mut kinds: Vec<(&String, &String)> = raw.entity.iter().collect();
        kinds.sort_by_key(|(kind, _)| self.offset(place, &[Step::Key("entity"), Step::Key(kind)]));
        let mut seen = BTreeSet::new();
        let mut entities = Vec::with_capacity(kinds.len());
        for (kind, column) in kinds {
            let steps = [Step::Key("entity"), Step::Key(kind)];
            if unit.is_some_and(|unit| &unit.column == column) {
                let what = format!("`{column}` is the unit's column; it cannot be an entity too");
                return Err(place.problem(&codes::ING_SPEC_TABLE, &steps, what));
            }
            if !seen.insert(column) {
                let what = format!("`{column}` is named by two entities");
                return Err(place.problem(&codes::ING_SPEC_TABLE, &steps, what));
            }
            refuse_reserved(place, &steps, column)?;
            entities.push(EntitySource {
                kind: place.name(&steps, kind)?,
                column: place.name(&steps, column)?,
            });
        }
        Ok(entities)
    }

    fn columns(
        &self,
        place: Place<'_>,
        raw: &RawTable,
        unit: Option<&UnitSource>,
        entities: &[EntitySource],
    ) -> Result<Vec<Column>, Problem> {
        let mut listed: Vec<(&String, &RawColumn)> = raw.columns.iter().collect();
        listed.sort_by_key(|(name, _)| self.offset(place, &[Step::Key("columns"), Step::Key(name)]));
        let mut columns: Vec<Column> = Vec::with_capacity(listed.len());
        for (text, raw_column) in listed {
            let place = Place {
                column: Some(text),
                ..place
            };
            refuse_reserved(place, &[], text)?;
            let name: ColumnName = place.name(&[], text)?;
            let source = raw_column.source.clone().unwrap_or_else(|| text.clone());
            let identifier = |what: String| Err(place.problem(&codes::ING_IDENTIFIER, &[], what));
            if raw_column.identifier == Some(true) {
                return identifier(
                    "the column is marked as a direct identifier, and those are never stored".to_owned(),
                );
            }
            if unit.is_some_and(|unit| unit.column == source) {
                return identifier(format!("`{source}` is the unit's column; in SQL it is `pid`"));
            }
            if entities.iter().any(|entity| entity.column.as_str() == source) {
                return identifier(format!(
                    "`{source}` is an entity's column; it is stored as such already"
                ));
            }
            if entities.iter().any(|entity| entity.column == name) {
                let what = "an entity's column has the same name in SQL";
                return Err(place.problem(&codes::ING_SPEC_NAME, &[], what));
            }
            if columns.iter().any(|other| other.source == source) {
                let what = format!("`{source}` of the files is listed twice");
                return Err(place.problem(&codes::ING_SPEC_NAME, &[Step::Key("source")], what));
            }
            columns.push(column::check(place, name, source, raw_column)?);
        }
        Ok(columns)
    }

    /// Order in the text is the order of the columns; toml's own maps are ordered by name.
    fn offset(&self, place: Place<'_>, steps: &[Step<'_>]) -> usize {
        let index = place.table.map_or(0, |(index, _)| index);
        let path: Vec<_> = [Step::Key("table"), Step::At(index)]
            .into_iter()
            .chain(steps.iter().copied())
            .collect();
        self.locator.offset_of(&path)
    }

    fn check_hierarchies(&self, raw: &[RawTable], tables: &[Table]) -> Result<(), Problem> {
        for (index, (raw_table, table)) in raw.iter().zip(tables).enumerate() {
            for column in &table.columns {
                let Some((target_table, target_column)) = &column.hierarchy else {
                    continue;
                };
                let place = Place {
                    locator: &self.locator,
                    table: Some((index, &raw_table.name)),
                    column: Some(column.name.as_str()),
                };
                let nowhere = |what: String| {
                    Err(place.problem(&codes::ING_SPEC_REFERENCE, &[Step::Key("hierarchy")], what))
                };
                let Some(target) = tables.iter().find(|t| &t.name == target_table) else {
                    return nowhere(format!(
                        "`hierarchy` names table `{target_table}`, which is not in this spec"
                    ));
                };
                if !target.is_public() {
                    return nowhere(format!(
                        "`hierarchy` names table `{target_table}`, which is not public"
                    ));
                }
                match target
                    .columns
                    .iter()
                    .find(|c| &c.name == target_column)
                    .map(|c| c.parse.column_type())
                {
                    None => {
                        return nowhere(format!("table `{target_table}` has no column `{target_column}`"));
                    }
                    Some(other) if other != column.parse.column_type() => {
                        let own = column.parse.column_type();
                        return nowhere(format!(
                            "`{target_table}.{target_column}` is {other}, this column is {own}"
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }
}

fn unit_source(place: Place<'_>, raw: &RawUnit) -> Result<UnitSource, Problem> {
    if raw.column.is_empty() {
        let what = "`unit` must name the column that identifies the person";
        return Err(place.problem(
            &codes::ING_SPEC_TABLE,
            &[Step::Key("unit"), Step::Key("column")],
            what,
        ));
    }
    let canon = match raw.canon {
        RawCanon::Text => Canon::Text,
        RawCanon::Digits => Canon::Digits,
        RawCanon::JpMemberId => Canon::JpMemberId,
    };
    Ok(UnitSource {
        column: raw.column.clone(),
        canon,
    })
}

fn refuse_reserved(place: Place<'_>, steps: &[Step<'_>], name: &str) -> Result<(), Problem> {
    if RESERVED.contains(&name) {
        let what = format!("`{name}` is a reserved name");
        return Err(place.problem(&codes::ING_SPEC_NAME, steps, what));
    }
    Ok(())
}

/// The type of a raw column without its options.
pub(super) fn type_word(kind: RawType) -> &'static str {
    match kind {
        RawType::Int => "int",
        RawType::Float => "float",
        RawType::Decimal => "decimal",
        RawType::Bool => "bool",
        RawType::Text => "text",
        RawType::Date => "date",
        RawType::Timestamp => "timestamp",
    }
}
