//! From cells to stored values: parse, clamp, make coarser, check the declared domain, encode.
//!
//! One [`ColumnReader`] per column of the spec, built once per table so that nothing is decided per value that the spec
//! has decided already.

mod distinct;
mod text;

pub(crate) use distinct::hash_bytes;

use std::collections::HashSet;
use std::fmt::Write as _;

use tre_core::manifest::Bounds;
use tre_core::spec::{Coarsen, Column, Digits, NotDecimal, Parse, Pattern, parse_decimal};
use tre_core::types::Value;

use crate::reason::Reason;
use crate::row;
use crate::source::Cell;
use distinct::{Distinct, mix};
use text::MICROS_PER_DAY;

/// Reads the values of one column.
pub(crate) struct ColumnReader {
    kind: Kind,
    clamped: u64,
    /// Whether the last value was.
    last_clamped: bool,
    /// Watches for identifiers where nothing in the spec rules them out.
    distinct: Option<Distinct>,
    scratch: String,
}

enum Kind {
    Number(Number),
    /// Which of (false, true) are declared values.
    Bool([bool; 2]),
    Text(Text),
    Date {
        month: bool,
    },
    Timestamp {
        month: bool,
    },
}

struct Number {
    /// `None`: whole numbers.
    decimal: Option<(u8, Digits)>,
    bounds: Option<(i128, i128)>,
    /// Ascending lower bounds.
    bands: Vec<i128>,
    top: Option<i128>,
    /// Declared values, ascending.
    values: Option<Vec<i128>>,
}

struct Text {
    /// Characters kept.
    prefix: Option<usize>,
    values: Option<HashSet<Box<[u8]>>>,
}

impl ColumnReader {
    pub(crate) fn new(column: &Column) -> Self {
        let month = column.coarsen == Coarsen::Month;
        let kind = match column.parse {
            Parse::Int => Kind::Number(Number::new(column, None)),
            Parse::Decimal { scale, digits } => Kind::Number(Number::new(column, Some((scale, digits)))),
            Parse::Bool => {
                let declared = |b| {
                    column
                        .values
                        .as_ref()
                        .is_none_or(|values| values.contains(&Value::Bool(b)))
                };
                Kind::Bool([declared(false), declared(true)])
            }
            Parse::Text => Kind::Text(Text::new(column)),
            Parse::Date => Kind::Date { month },
            Parse::Timestamp => Kind::Timestamp { month },
        };
        // Declared values were looked at in the spec; bands and top codes leave no identifier.
        let open = match &column.coarsen {
            Coarsen::Keep => column.values.is_none(),
            Coarsen::Prefix(_) => true,
            Coarsen::Bands(_) | Coarsen::Month | Coarsen::Top(_) => false,
        };
        let watched = open && !column.harmless && matches!(column.parse, Parse::Int | Parse::Text);
        ColumnReader {
            kind,
            clamped: 0,
            last_clamped: false,
            distinct: watched.then(Distinct::new),
            scratch: String::new(),
        }
    }

    /// Appends the stored value of `cell` to `out`, or says why its row must be rejected. `owner` tells people apart; in
    /// a public table everybody is 0.
    pub(crate) fn encode(&mut self, cell: Cell<'_>, owner: u64, out: &mut Vec<u8>) -> Result<(), Reason> {
        self.last_clamped = false;
        if let Cell::Null = cell {
            row::put_null(out);
            return Ok(());
        }
        match &self.kind {
            Kind::Number(number) => {
                let read = match number.decimal {
                    None => read_int(cell)?,
                    Some((scale, digits)) => read_decimal(cell, scale, digits, &mut self.scratch)?,
                };
                let (value, clamped) = number.store(read)?;
                self.clamped += u64::from(clamped);
                self.last_clamped = clamped;
                if let (Some(distinct), Ok(small)) = (&mut self.distinct, u64::try_from(value)) {
                    distinct.observe(mix(small ^ 0x5851_F42D_4C95_7F2D), owner, || small.to_string());
                }
                row::put_number(value, out);
            }
            Kind::Bool(declared) => {
                let value = read_bool(cell)?;
                if !declared.get(usize::from(value)).copied().unwrap_or(false) {
                    return Err(Reason::NotInValues);
                }
                row::put_bool(value, out);
            }
            Kind::Text(text) => {
                let stored = text.store(read_text(cell, &mut self.scratch)?)?;
                if let Some(distinct) = &mut self.distinct {
                    distinct.observe(hash_bytes(stored.as_bytes()), owner, || stored);
                }
                row::put_text(stored, out);
            }
            Kind::Date { month } => {
                let days = read_date(cell)?;
                row::put_number(
                    i128::from(if *month { text::first_of_month(days) } else { days }),
                    out,
                );
            }
            Kind::Timestamp { month } => {
                let micros = read_timestamp(cell)?;
                row::put_number(i128::from(if *month { month_of(micros) } else { micros }), out);
            }
        }
        Ok(())
    }

    /// The row of the last value is not stored after all.
    pub(crate) fn take_back(&mut self) {
        self.clamped -= u64::from(std::mem::take(&mut self.last_clamped));
    }

    /// Values of stored rows that were outside `min` and `max`.
    pub(crate) fn clamped(&self) -> u64 {
        self.clamped
    }

    /// The kind of direct identifier that the column holds, if it does.
    pub(crate) fn identifiers(&self) -> Option<Pattern> {
        self.distinct.as_ref().and_then(Distinct::verdict)
    }

    /// Whether nearly every value belongs to one person only. Measures are meant to differ from person to person.
    pub(crate) fn is_held_by_one(&self) -> bool {
        let is_measure = matches!(&self.kind, Kind::Number(number) if number.bounds.is_some());
        !is_measure && self.distinct.as_ref().is_some_and(Distinct::is_held_by_one)
    }
}

impl Number {
    fn new(column: &Column, decimal: Option<(u8, Digits)>) -> Self {
        let bounds = column
            .bounds
            .as_ref()
            .map(|Bounds { min, max }| (unscaled(min), unscaled(max)));
        let (bands, top) = match &column.coarsen {
            Coarsen::Bands(bounds) => (bounds.iter().map(unscaled).collect(), None),
            Coarsen::Top(top) => (Vec::new(), Some(unscaled(top))),
            Coarsen::Keep | Coarsen::Month | Coarsen::Prefix(_) => (Vec::new(), None),
        };
        let values = column.values.as_ref().map(|values| {
            let mut values: Vec<i128> = values.iter().map(unscaled).collect();
            values.sort_unstable();
            values
        });
        Number {
            decimal,
            bounds,
            bands,
            top,
            values,
        }
    }

    /// The value to store, and whether it was clamped.
    fn store(&self, read: i128) -> Result<(i128, bool), Reason> {
        let mut value = read;
        if let Some((min, max)) = self.bounds {
            value = value.clamp(min, max);
        }
        let clamped = value != read;
        if let Some(top) = self.top {
            value = value.min(top);
        }
        if !self.bands.is_empty() {
            let above = self.bands.partition_point(|bound| *bound <= value);
            value = *above
                .checked_sub(1)
                .and_then(|at| self.bands.get(at))
                .ok_or(Reason::BelowBands)?;
        }
        if self
            .values
            .as_ref()
            .is_some_and(|values| values.binary_search(&value).is_err())
        {
            return Err(Reason::NotInValues);
        }
        Ok((value, clamped))
    }
}

impl Text {
    fn new(column: &Column) -> Self {
        let prefix = match column.coarsen {
            Coarsen::Prefix(characters) => Some(usize::from(characters)),
            Coarsen::Keep | Coarsen::Bands(_) | Coarsen::Month | Coarsen::Top(_) => None,
        };
        let values = column.values.as_ref().map(|values| {
            let texts = values.iter().filter_map(|value| match value {
                Value::Text(text) => Some(text.as_bytes().into()),
                Value::Null(_)
                | Value::Int(_)
                | Value::Decimal { .. }
                | Value::Bool(_)
                | Value::Date(_)
                | Value::Timestamp(_) => None,
            });
            texts.collect()
        });
        Text { prefix, values }
    }

    fn store<'a>(&self, text: &'a str) -> Result<&'a str, Reason> {
        if self
            .values
            .as_ref()
            .is_some_and(|values| !values.contains(text.as_bytes()))
        {
            return Err(Reason::NotInValues);
        }
        Ok(match self.prefix {
            Some(characters) => text
                .char_indices()
                .nth(characters)
                .map_or(text, |(end, _)| text.split_at(end).0),
            None => text,
        })
    }
}

/// Integers and decimals of a checked spec as unscaled numbers.
fn unscaled(value: &Value) -> i128 {
    match value {
        Value::Int(n) => i128::from(*n),
        Value::Decimal { unscaled, .. } => *unscaled,
        Value::Null(_) | Value::Bool(_) | Value::Text(_) | Value::Date(_) | Value::Timestamp(_) => 0,
    }
}

fn read_int(cell: Cell<'_>) -> Result<i128, Reason> {
    match cell {
        Cell::Text(bytes) => text::int(bytes).map(i128::from),
        Cell::Int(n) => Ok(i128::from(n)),
        // Integers with gaps become floats in some tools; 2^53 is where that loses digits.
        Cell::Float(x) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => Ok(x as i128),
        Cell::Decimal(n, 0) => i64::try_from(n).map(i128::from).map_err(|_| Reason::TooLarge),
        Cell::Null
        | Cell::Float(_)
        | Cell::Decimal(..)
        | Cell::Bool(_)
        | Cell::Date(_)
        | Cell::Timestamp(_) => Err(Reason::NotAnInt),
    }
}

fn read_decimal(cell: Cell<'_>, scale: u8, digits: Digits, scratch: &mut String) -> Result<i128, Reason> {
    scratch.clear();
    // Writing to a String cannot fail; Display of a float gives the shortest digits that read back as it.
    let (text, written) = match cell {
        Cell::Text(bytes) => (bytes.trim_ascii(), Ok(())),
        Cell::Int(n) => {
            let written = write!(scratch, "{n}");
            (scratch.as_bytes(), written)
        }
        Cell::Float(x) => {
            let written = write!(scratch, "{x}");
            (scratch.as_bytes(), written)
        }
        Cell::Decimal(n, places) => {
            let written = write!(scratch, "{n}e{}", -i32::from(places));
            (scratch.as_bytes(), written)
        }
        Cell::Null | Cell::Bool(_) | Cell::Date(_) | Cell::Timestamp(_) => return Err(Reason::NotANumber),
    };
    if written.is_err() {
        return Err(Reason::NotANumber);
    }
    parse_decimal(text, scale, digits).map_err(|error| match error {
        NotDecimal::Form => Reason::NotANumber,
        NotDecimal::Places => Reason::TooManyPlaces,
        NotDecimal::Range => Reason::TooLarge,
    })
}

fn read_bool(cell: Cell<'_>) -> Result<bool, Reason> {
    match cell {
        Cell::Text(bytes) => text::truth(bytes),
        Cell::Bool(value) => Ok(value),
        Cell::Int(0) => Ok(false),
        Cell::Int(1) => Ok(true),
        Cell::Null
        | Cell::Int(_)
        | Cell::Float(_)
        | Cell::Decimal(..)
        | Cell::Date(_)
        | Cell::Timestamp(_) => Err(Reason::NotABool),
    }
}

fn read_text<'a>(cell: Cell<'a>, scratch: &'a mut String) -> Result<&'a str, Reason> {
    scratch.clear();
    match cell {
        Cell::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotText)?;
            if bytes.contains(&0) {
                Err(Reason::NotText)
            } else {
                Ok(text)
            }
        }
        // Codes that some tool took for numbers.
        Cell::Int(n) => write!(scratch, "{n}")
            .map(|()| scratch.as_str())
            .map_err(|_| Reason::NotText),
        Cell::Bool(value) => Ok(if value { "true" } else { "false" }),
        Cell::Null | Cell::Float(_) | Cell::Decimal(..) | Cell::Date(_) | Cell::Timestamp(_) => {
            Err(Reason::NotText)
        }
    }
}

/// Years 1 to 9999, as in text.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

fn read_date(cell: Cell<'_>) -> Result<i32, Reason> {
    let days = match cell {
        Cell::Text(bytes) => return text::date(bytes),
        Cell::Date(days) => days,
        Cell::Timestamp(micros) if micros % MICROS_PER_DAY == 0 => (micros / MICROS_PER_DAY) as i32,
        Cell::Null
        | Cell::Timestamp(_)
        | Cell::Int(_)
        | Cell::Float(_)
        | Cell::Decimal(..)
        | Cell::Bool(_) => {
            return Err(Reason::NotADate);
        }
    };
    if DAYS.contains(&days) {
        Ok(days)
    } else {
        Err(Reason::NotADate)
    }
}

fn read_timestamp(cell: Cell<'_>) -> Result<i64, Reason> {
    let micros = match cell {
        Cell::Text(bytes) => return text::timestamp(bytes),
        Cell::Timestamp(micros) => micros,
        Cell::Date(days) => i64::from(days) * MICROS_PER_DAY,
        Cell::Null | Cell::Int(_) | Cell::Float(_) | Cell::Decimal(..) | Cell::Bool(_) => {
            return Err(Reason::NotATimestamp);
        }
    };
    let days = micros.div_euclid(MICROS_PER_DAY);
    if (i64::from(*DAYS.start())..=i64::from(*DAYS.end())).contains(&days) {
        Ok(micros)
    } else {
        Err(Reason::NotATimestamp)
    }
}

fn month_of(micros: i64) -> i64 {
    let days = micros.div_euclid(MICROS_PER_DAY) as i32;
    i64::from(text::first_of_month(days)) * MICROS_PER_DAY
}

#[cfg(test)]
mod tests;
