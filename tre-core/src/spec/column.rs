//! Checks of one column: type, scale, generalisation, bounds, declared values.

use toml::Value as Toml;

use super::locate::Step;
use super::raw::{RawColumn, RawType};
use super::validate::{Place, type_word};
use super::{Coarsen, Column, Digits, NotDecimal, Parse, Pattern, Suspicion, parse_decimal};
use crate::codes::{self, Code, Problem};
use crate::ids::{ColumnName, TableName};
use crate::manifest::Bounds;
use crate::types::Value;

const MAX_DOMAIN: usize = 100_000;
const MAX_PREFIX: u16 = 1000;

pub(super) fn check(
    place: Place<'_>,
    name: ColumnName,
    source: String,
    raw: &RawColumn,
) -> Result<Column, Problem> {
    if source.is_empty() {
        return Err(at(place, &codes::ING_SPEC_NAME, "source", "`source` is empty"));
    }
    let parse = parse_of(place, raw)?;
    let coarsen = coarsen_of(place, raw, parse)?;
    let bounds = bounds_of(place, raw, parse)?;
    let values = values_of(place, raw, parse)?;
    if values.is_some() && coarsen != Coarsen::Keep {
        let what = "`values` and `generalise` both say what the stored values are; keep one of them";
        return Err(at(place, &codes::ING_SPEC_DOMAIN, "values", what));
    }
    if values.is_some() && bounds.is_some() {
        let what = "a column with `values` cannot be a measure; remove `values` or `min` and `max`";
        return Err(at(place, &codes::ING_SPEC_DOMAIN, "values", what));
    }
    let tag = raw
        .tag
        .as_deref()
        .map(|tag| place.line_of_text("tag", tag))
        .transpose()?;
    if tag.as_deref() == Some("") {
        return Err(at(place, &codes::ING_SPEC_SYNTAX, "tag", "`tag` is empty"));
    }
    Ok(Column {
        name,
        source,
        parse,
        coarsen,
        bounds,
        values,
        tag,
        hierarchy: raw
            .hierarchy
            .as_deref()
            .map(|text| hierarchy_of(place, text))
            .transpose()?,
        description: place.line_of_text("description", &raw.description)?,
        harmless: raw.identifier == Some(false),
    })
}

fn at(place: Place<'_>, code: &'static Code, key: &str, what: impl AsRef<str>) -> Problem {
    place.problem(code, &[Step::Key(key)], what)
}

fn parse_of(place: Place<'_>, raw: &RawColumn) -> Result<Parse, Problem> {
    let digits = match raw.kind {
        RawType::Float => Digits::Rounded,
        RawType::Decimal => Digits::Exact,
        RawType::Int | RawType::Bool | RawType::Text | RawType::Date | RawType::Timestamp => {
            if raw.scale.is_some() {
                let what = format!(
                    "`scale` is for float and decimal columns; this one is {}",
                    type_word(raw.kind)
                );
                return Err(at(place, &codes::ING_SPEC_COLUMN, "scale", what));
            }
            return Ok(match raw.kind {
                RawType::Int | RawType::Float | RawType::Decimal => Parse::Int,
                RawType::Bool => Parse::Bool,
                RawType::Text => Parse::Text,
                RawType::Date => Parse::Date,
                RawType::Timestamp => Parse::Timestamp,
            });
        }
    };
    let Some(scale) = raw.scale else {
        let what = format!(
            "a {} column needs `scale`, the decimal places to keep",
            type_word(raw.kind)
        );
        return Err(at(place, &codes::ING_SPEC_BOUNDS, "type", what));
    };
    match u8::try_from(scale) {
        Ok(scale @ 0..=18) => Ok(Parse::Decimal { scale, digits }),
        _ => Err(at(
            place,
            &codes::ING_SPEC_BOUNDS,
            "scale",
            format!("`scale` = {scale} is not between 0 and 18"),
        )),
    }
}

fn is_number(parse: Parse) -> bool {
    parse.column_type().is_numeric()
}

/// A number of the spec in the column's type, exactly.
fn number(parse: Parse, toml: &Toml) -> Result<Value, String> {
    let text = match toml {
        Toml::Integer(n) => n.to_string(),
        // The shortest digits that read back as this float: what the holder wrote.
        Toml::Float(x) if x.is_finite() => x.to_string(),
        Toml::Float(_)
        | Toml::String(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Array(_)
        | Toml::Table(_) => {
            return Err(format!("`{}` is not a number", shown(toml)));
        }
    };
    let scale = match parse {
        Parse::Decimal { scale, .. } => scale,
        Parse::Int | Parse::Bool | Parse::Text | Parse::Date | Parse::Timestamp => 0,
    };
    let unscaled = parse_decimal(text.as_bytes(), scale, Digits::Exact).map_err(|error| match error {
        NotDecimal::Places if scale == 0 => format!("`{text}` is not a whole number"),
        NotDecimal::Places => format!("`{text}` has more than the {scale} decimal places of `scale`"),
        NotDecimal::Form | NotDecimal::Range => format!("`{text}` is too large"),
    })?;
    match parse {
        Parse::Int => i64::try_from(unscaled)
            .map(Value::Int)
            .map_err(|_| format!("`{text}` is too large")),
        Parse::Decimal { .. } | Parse::Bool | Parse::Text | Parse::Date | Parse::Timestamp => {
            Ok(Value::Decimal { unscaled, scale })
        }
    }
}

/// The holder's own text in a message, cut to a length that fits a line.
fn shown(toml: &Toml) -> String {
    let text = match toml {
        Toml::String(text) => text.clone(),
        Toml::Integer(_)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Array(_)
        | Toml::Table(_) => toml.to_string(),
    };
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

fn unscaled(value: &Value) -> i128 {
    match value {
        Value::Int(n) => i128::from(*n),
        Value::Decimal { unscaled, .. } => *unscaled,
        Value::Null(_) | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => 0,
    }
}

fn coarsen_of(place: Place<'_>, raw: &RawColumn, parse: Parse) -> Result<Coarsen, Problem> {
    let Some(generalise) = &raw.generalise else {
        return Ok(Coarsen::Keep);
    };
    let wrong_type = |option: &str, types: &str| {
        let what = format!(
            "`{option}` is for {types} columns; this one is {}",
            type_word(raw.kind)
        );
        at(place, &codes::ING_SPEC_COLUMN, "generalise", what)
    };
    let unknown = || {
        let what = "`generalise` is `\"month\"`, `{ bands = […] }`, `{ top = N }` or `{ prefix = N }`";
        at(place, &codes::ING_SPEC_SYNTAX, "generalise", what)
    };
    let table = match generalise {
        Toml::String(word) if word == "month" => {
            return match parse {
                Parse::Date | Parse::Timestamp => Ok(Coarsen::Month),
                Parse::Int | Parse::Decimal { .. } | Parse::Bool | Parse::Text => {
                    Err(wrong_type("month", "date and timestamp"))
                }
            };
        }
        Toml::Table(table) => table,
        Toml::String(_)
        | Toml::Integer(_)
        | Toml::Float(_)
        | Toml::Boolean(_)
        | Toml::Datetime(_)
        | Toml::Array(_) => {
            return Err(unknown());
        }
    };
    let mut entries = table.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else {
        return Err(unknown());
    };
    match (key.as_str(), value) {
        ("bands", Toml::Array(_)) | ("top", _) if !is_number(parse) => {
            Err(wrong_type(key, "int, float and decimal"))
        }
        ("bands", Toml::Array(bounds)) => bands_of(place, bounds, parse),
        ("top", value) => number(parse, value).map(Coarsen::Top).map_err(|what| {
            at(
                place,
                &codes::ING_SPEC_DOMAIN,
                "generalise",
                format!("`top`: {what}"),
            )
        }),
        ("prefix", _) if parse != Parse::Text => Err(wrong_type("prefix", "text")),
        ("prefix", Toml::Integer(length)) => match u16::try_from(*length) {
            Ok(length @ 1..=MAX_PREFIX) => Ok(Coarsen::Prefix(length)),
            _ => {
                let what = format!("`prefix` = {length} is not between 1 and {MAX_PREFIX}");
                Err(at(place, &codes::ING_SPEC_DOMAIN, "generalise", what))
            }
        },
        _ => Err(unknown()),
    }
}

fn bands_of(place: Place<'_>, bounds: &[Toml], parse: Parse) -> Result<Coarsen, Problem> {
    let wrong = |what: String| at(place, &codes::ING_SPEC_DOMAIN, "generalise", what);
    if bounds.is_empty() || bounds.len() > MAX_DOMAIN {
        return Err(wrong(format!("`bands` must list 1 to {MAX_DOMAIN} lower bounds")));
    }
    let values: Vec<Value> = bounds
        .iter()
        .map(|b| number(parse, b))
        .collect::<Result<_, _>>()
        .map_err(|w| wrong(format!("`bands`: {w}")))?;
    if !values.is_sorted_by(|left, right| unscaled(left) < unscaled(right)) {
        return Err(wrong(
            "`bands` must be lower bounds in ascending order, each once".to_owned(),
        ));
    }
    Ok(Coarsen::Bands(values))
}

fn bounds_of(place: Place<'_>, raw: &RawColumn, parse: Parse) -> Result<Option<Bounds>, Problem> {
    let (min, max) = match (&raw.min, &raw.max) {
        (None, None) => return Ok(None),
        (Some(min), Some(max)) => (min, max),
        (Some(_), None) | (None, Some(_)) => {
            let (present, missing) = if raw.min.is_some() {
                ("min", "max")
            } else {
                ("max", "min")
            };
            let what =
                format!("`{present}` without `{missing}`; a measure has both, other columns have neither");
            return Err(at(place, &codes::ING_SPEC_BOUNDS, present, what));
        }
    };
    if !is_number(parse) {
        let what = format!(
            "`min` and `max` are for int, float and decimal columns; this one is {}",
            type_word(raw.kind)
        );
        return Err(at(place, &codes::ING_SPEC_COLUMN, "min", what));
    }
    let bound = |key: &str, toml: &Toml| {
        number(parse, toml)
            .map_err(|what| at(place, &codes::ING_SPEC_BOUNDS, key, format!("`{key}`: {what}")))
    };
    let bounds = Bounds {
        min: bound("min", min)?,
        max: bound("max", max)?,
    };
    if unscaled(&bounds.min) > unscaled(&bounds.max) {
        return Err(at(place, &codes::ING_SPEC_BOUNDS, "min", "`min` is above `max`"));
    }
    Ok(Some(bounds))
}

fn values_of(place: Place<'_>, raw: &RawColumn, parse: Parse) -> Result<Option<Vec<Value>>, Problem> {
    let Some(listed) = &raw.values else {
        return Ok(None);
    };
    let wrong = |what: String| at(place, &codes::ING_SPEC_DOMAIN, "values", what);
    if listed.is_empty() || listed.len() > MAX_DOMAIN {
        return Err(wrong(format!("`values` must list 1 to {MAX_DOMAIN} values")));
    }
    let value = |toml: &Toml| match (parse, toml) {
        (Parse::Text, Toml::String(text)) if !text.contains('\0') => Ok(Value::Text(text.clone())),
        (Parse::Int, Toml::Integer(n)) => Ok(Value::Int(*n)),
        (Parse::Bool, Toml::Boolean(b)) => Ok(Value::Bool(*b)),
        (Parse::Text | Parse::Int | Parse::Bool, _) => Err(wrong(format!(
            "`{}` in `values` is not {}",
            shown(toml),
            type_word(raw.kind)
        ))),
        (Parse::Decimal { .. } | Parse::Date | Parse::Timestamp, _) => {
            let what = format!(
                "`values` is for text, int and bool columns; this one is {}",
                type_word(raw.kind)
            );
            Err(at(place, &codes::ING_SPEC_COLUMN, "values", what))
        }
    };
    let values: Vec<Value> = listed.iter().map(value).collect::<Result<_, _>>()?;
    let mut seen = std::collections::HashSet::new();
    if let Some((_, twice)) = values.iter().zip(listed).find(|(value, _)| !seen.insert(*value)) {
        return Err(wrong(format!("`{}` is listed twice in `values`", shown(twice))));
    }
    if raw.identifier != Some(false) {
        let mut suspicion = Suspicion::default();
        listed
            .iter()
            .for_each(|toml| suspicion.observe(Pattern::of(&shown(toml))));
        if let Some(pattern) = suspicion.verdict() {
            let what = format!("the declared values look like {}", pattern.describe());
            return Err(at(place, &codes::ING_IDENTIFIER, "values", what));
        }
    }
    Ok(Some(values))
}

fn hierarchy_of(place: Place<'_>, text: &str) -> Result<(TableName, ColumnName), Problem> {
    let parts = text
        .split_once('.')
        .and_then(|(table, column)| Some((table.parse().ok()?, column.parse().ok()?)));
    parts.ok_or_else(|| {
        let what = format!(
            "`{}` is not `table.column`",
            text.chars().take(80).collect::<String>()
        );
        at(place, &codes::ING_SPEC_REFERENCE, "hierarchy", what)
    })
}
