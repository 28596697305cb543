//! The permit file: its TOML shape, and the way from there to a [`Permit`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::value::Datetime;

use super::limits::{self, LimitsFile};
use super::{Exit, ExitName, Issued, Member, Permit, PermitDataset, PermitTable, Purpose, Role, Validity};
use crate::codes::{self, Code, Problem};
use crate::ids::InvalidName;
use crate::toml_words::in_words;

/// Longest permit file, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Longest text for people, in characters.
const MAX_WORDS: usize = 4_000;
/// Longest condition on rows, in bytes.
const MAX_CONDITION: usize = 16 << 10;
const REVIEWERS: std::ops::RangeInclusive<u8> = 0..=9;
/// Purposes of Article 53(1) of Regulation (EU) 2025/327.
const EHDS_PURPOSES: [&str; 6] = [
    "EHDS-53-1-a",
    "EHDS-53-1-b",
    "EHDS-53-1-c",
    "EHDS-53-1-d",
    "EHDS-53-1-e",
    "EHDS-53-1-f",
];

/// A permit: who may use which data, for what, until when, through which exits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Permit")]
struct PermitFile {
    /// Id of the project: a-z, 0-9, `-`, `_`.
    project: String,
    /// For people.
    title: String,
    /// What the data are used for.
    purpose: PurposeFile,
    /// Law or decision that allows it.
    legal_basis: String,
    /// The decision of the body that issued the permit.
    issued: Option<IssuedFile>,
    /// When it is in force.
    valid: ValidFile,
    /// Who may work in the project, as which role.
    people: Vec<MemberFile>,
    /// Which data.
    dataset: Vec<DatasetFile>,
    /// Ways out, each with its policy.
    exit: ExitsFile,
    /// What a session may use.
    #[serde(default)]
    limits: LimitsFile,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PurposeFile {
    /// In words, as the public register shows it.
    text: String,
    /// A code, e.g. `EHDS-53-1-e`.
    code: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IssuedFile {
    /// The body that decided.
    by: String,
    /// Its reference of the decision.
    reference: String,
    /// When it decided: a date without quotes.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    on: Option<Datetime>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ValidFile {
    /// First day: a date without quotes.
    #[schemars(with = "String", extend("format" = "date"))]
    from: Datetime,
    /// Last day, inclusive: a date without quotes.
    #[schemars(with = "String", extend("format" = "date"))]
    until: Datetime,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberFile {
    /// As tokens name them.
    user: String,
    /// `analyst`, `checker` or both.
    roles: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DatasetFile {
    /// The dataset; its newest version when the permit is applied is pinned.
    id: String,
    /// Its tables.
    #[serde(default)]
    tables: BTreeMap<String, TableFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TableFile {
    /// Columns that the project may name.
    columns: Vec<String>,
    /// Condition on the stored values of this table.
    rows: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExitsFile {
    /// Answers in a session.
    view: Option<ExitFile>,
    /// Released files.
    release: Option<ExitFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExitFile {
    /// A policy of the home: its file name without `.toml`.
    policy: String,
    /// Distinct people who must approve.
    reviewers: u8,
}

/// The published JSON schema of a permit file.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(PermitFile).to_value()
}

pub(super) fn parse(text: &str) -> Result<Permit, Problem> {
    if text.len() > MAX_BYTES {
        return Err(Problem::new(
            &codes::PRJ_FILE,
            "the permit is longer than 1 MiB",
            "a permit is a short text",
        ));
    }
    let file: PermitFile = toml::from_str(text).map_err(|error| not_a_permit(text, &error))?;
    let people = people(file.people)?;
    let permit = Permit {
        project: name(file.project, "project")?,
        title: words(file.title, "title")?,
        purpose: Purpose {
            text: words(file.purpose.text, "purpose.text")?,
            code: purpose_code(file.purpose.code)?,
        },
        legal_basis: words(file.legal_basis, "legal_basis")?,
        issued: file.issued.map(issued).transpose()?,
        valid: validity(&file.valid)?,
        exits: exits(file.exit, &people)?,
        people,
        datasets: datasets(file.dataset)?,
        limits: limits::read(&file.limits)?,
    };
    Ok(permit)
}

/// One line of what TOML or serde says, with the line of the file.
fn not_a_permit(text: &str, error: &toml::de::Error) -> Problem {
    let message: String = in_words(error).chars().take(300).collect();
    let line = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let what = match line {
        Some(line) => format!("line {line} of the permit: {message}"),
        None => format!("the permit: {message}"),
    };
    Problem::of(&codes::PRJ_FILE, what)
}

fn bad(code: &'static Code, what: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem::new(code, what, hint)
}

fn name<T: std::str::FromStr<Err = InvalidName>>(text: String, place: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: InvalidName| {
        bad(
            &codes::PRJ_NAME,
            format!("{place}: `{}` is not a valid {}", error.text, error.kind),
            error.rule,
        )
    })
}

fn words(text: String, place: &str) -> Result<String, Problem> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        return Err(bad(
            &codes::PRJ_NAME,
            format!("{place} is empty"),
            "say it in words",
        ));
    }
    if length > MAX_WORDS || text.chars().any(|c| c.is_control() && c != '\n') {
        let hint = format!("write at most {MAX_WORDS} characters, without control characters");
        return Err(bad(
            &codes::PRJ_NAME,
            format!("{place} is too long or has control characters"),
            hint,
        ));
    }
    Ok(text)
}

fn purpose_code(code: Option<String>) -> Result<Option<String>, Problem> {
    let Some(code) = code else { return Ok(None) };
    let plain = (1..=40).contains(&code.len())
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if !plain || (code.starts_with("EHDS-") && !EHDS_PURPOSES.contains(&code.as_str())) {
        let shown: String = code.chars().take(40).collect();
        let hint = format!(
            "write one of {}, or a code of your own register",
            EHDS_PURPOSES.join(", ")
        );
        return Err(bad(
            &codes::PRJ_NAME,
            format!("purpose.code: `{shown}` is not a code of a purpose"),
            hint,
        ));
    }
    Ok(Some(code))
}

fn issued(file: IssuedFile) -> Result<Issued, Problem> {
    Ok(Issued {
        by: words(file.by, "issued.by")?,
        reference: words(file.reference, "issued.reference")?,
        on: file.on.map(|on| date(&on, "issued.on")).transpose()?,
    })
}

fn date(value: &Datetime, place: &str) -> Result<Date, Problem> {
    let problem = || {
        bad(
            &codes::PRJ_DATES,
            format!("{place}: `{value}` is not a date"),
            "write e.g. 2026-01-31",
        )
    };
    let (Some(date), None, None) = (value.date, value.time, value.offset) else {
        return Err(problem());
    };
    let (Ok(year), Ok(month), Ok(day)) = (
        i16::try_from(date.year),
        i8::try_from(date.month),
        i8::try_from(date.day),
    ) else {
        return Err(problem());
    };
    Date::new(year, month, day).map_err(|_| problem())
}

fn validity(file: &ValidFile) -> Result<Validity, Problem> {
    let valid = Validity {
        from: date(&file.from, "valid.from")?,
        until: date(&file.until, "valid.until")?,
    };
    if valid.until < valid.from {
        let what = format!(
            "valid.until {} lies before valid.from {}",
            valid.until, valid.from
        );
        return Err(bad(&codes::PRJ_DATES, what, "the last day comes after the first"));
    }
    Ok(valid)
}

fn people(files: Vec<MemberFile>) -> Result<Vec<Member>, Problem> {
    let mut people: Vec<Member> = Vec::new();
    for file in files {
        let user = name(file.user, "people")?;
        if people.iter().any(|member| member.user == user) {
            return Err(bad(
                &codes::PRJ_PEOPLE,
                format!("`{user}` is listed twice"),
                "list all roles of a person once",
            ));
        }
        let mut roles = BTreeSet::new();
        for text in file.roles {
            let role = text
                .parse::<Role>()
                .ok()
                .filter(|role| role.is_of_a_project())
                .ok_or_else(|| {
                    let shown: String = text.chars().take(80).collect();
                    let what = format!("`{user}` cannot be `{shown}` in a permit");
                    bad(
                        &codes::PRJ_PEOPLE,
                        what,
                        "write analyst or checker; operators and auditors are in no permit",
                    )
                })?;
            roles.insert(role);
        }
        if roles.is_empty() {
            return Err(bad(
                &codes::PRJ_PEOPLE,
                format!("`{user}` has no role"),
                "write analyst or checker",
            ));
        }
        people.push(Member { user, roles });
    }
    if !people.iter().any(|member| member.roles.contains(&Role::Analyst)) {
        return Err(bad(
            &codes::PRJ_PEOPLE,
            "the permit names no analyst",
            "list at least one person as analyst",
        ));
    }
    Ok(people)
}

fn datasets(files: Vec<DatasetFile>) -> Result<Vec<PermitDataset>, Problem> {
    let mut datasets: Vec<PermitDataset> = Vec::new();
    for file in files {
        let id = name(file.id, "dataset.id")?;
        if datasets.iter().any(|dataset| dataset.id == id) {
            let hint = "list all tables of a dataset in one [[dataset]]";
            return Err(bad(
                &codes::PRJ_DATA,
                format!("dataset `{id}` is listed twice"),
                hint,
            ));
        }
        let mut tables = BTreeMap::new();
        for (table, file) in file.tables {
            let place = format!("dataset.tables.{}", table.chars().take(80).collect::<String>());
            tables.insert(name(table, &place)?, permit_table(file, &place)?);
        }
        if tables.is_empty() {
            return Err(bad(
                &codes::PRJ_DATA,
                format!("dataset `{id}` has no table"),
                "name at least one table",
            ));
        }
        datasets.push(PermitDataset { id, tables });
    }
    if datasets.is_empty() {
        return Err(bad(
            &codes::PRJ_DATA,
            "the permit names no dataset",
            "add a [[dataset]]",
        ));
    }
    Ok(datasets)
}

fn permit_table(file: TableFile, place: &str) -> Result<PermitTable, Problem> {
    let mut columns = Vec::new();
    for column in file.columns {
        let column = name(column, &format!("{place}.columns"))?;
        if columns.contains(&column) {
            return Err(bad(
                &codes::PRJ_DATA,
                format!("{place}: `{column}` is listed twice"),
                "list a column once",
            ));
        }
        columns.push(column);
    }
    if columns.is_empty() {
        return Err(bad(
            &codes::PRJ_DATA,
            format!("{place} has no column"),
            "name at least one column",
        ));
    }
    if file
        .rows
        .as_ref()
        .is_some_and(|rows| rows.trim().is_empty() || rows.len() > MAX_CONDITION)
    {
        let hint = "leave `rows` out for all rows, or write one SQL condition of at most 16 KiB";
        return Err(bad(
            &codes::PRJ_ROWS,
            format!("{place}.rows is empty or too long"),
            hint,
        ));
    }
    Ok(PermitTable {
        columns,
        rows: file.rows,
    })
}

fn exits(file: ExitsFile, people: &[Member]) -> Result<BTreeMap<ExitName, Exit>, Problem> {
    let checkers = people
        .iter()
        .filter(|member| member.roles.contains(&Role::Checker))
        .count();
    let mut exits = BTreeMap::new();
    for (exit, file) in [(ExitName::View, file.view), (ExitName::Release, file.release)] {
        let Some(file) = file else { continue };
        let policy = name(file.policy, &format!("exit.{exit}.policy"))?;
        if !REVIEWERS.contains(&file.reviewers) || (exit == ExitName::View && file.reviewers > 0) {
            let what = format!("exit.{exit}.reviewers cannot be {}", file.reviewers);
            return Err(bad(
                &codes::PRJ_EXIT,
                what,
                "view: 0, since answers leave at once; release: 0 to 9",
            ));
        }
        if usize::from(file.reviewers) > checkers {
            let what = format!(
                "exit.{exit} needs {} reviewers, but the permit names {checkers}",
                file.reviewers
            );
            return Err(bad(
                &codes::PRJ_EXIT,
                what,
                "list more people as checker, or ask for fewer reviewers",
            ));
        }
        exits.insert(
            exit,
            Exit {
                policy,
                reviewers: file.reviewers,
            },
        );
    }
    if exits.is_empty() {
        return Err(bad(
            &codes::PRJ_EXIT,
            "the permit has no exit",
            "add [exit.view] or [exit.release]",
        ));
    }
    Ok(exits)
}
