//! The checks of `tre doctor`: this machine ([`machine`]) and, where one is named, a home ([`home`]). They look and
//! report; what they open they leave as it was.

mod home;
mod machine;

use schemars::JsonSchema;
use serde::Serialize;

use crate::render::Cell;

pub(crate) use home::checks as home;
pub(crate) use machine::checks as machine;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it must be.
    Ok,
    /// Works, but somebody should know.
    Warn,
    /// Must be mended.
    Fail,
    /// Could not be looked at now.
    Skipped,
}

/// One check.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct CheckRow {
    /// What it is about: jail, machine, home, log, …
    area: &'static str,
    /// What was looked at.
    check: String,
    /// How it ended.
    pub(crate) state: State,
    /// What was found.
    found: String,
    /// What to do; null: nothing.
    fix: Option<String>,
}

impl CheckRow {
    fn new(area: &'static str, check: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        CheckRow {
            area,
            check: check.into(),
            state,
            found: found.into(),
            fix: None,
        }
    }

    fn ok(area: &'static str, check: impl Into<String>, found: impl Into<String>) -> Self {
        CheckRow::new(area, check, State::Ok, found)
    }

    fn fail(area: &'static str, check: impl Into<String>, found: impl Into<String>) -> Self {
        CheckRow::new(area, check, State::Fail, found)
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The check as a row.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let state = match self.state {
            State::Ok => "ok",
            State::Warn => "WARN",
            State::Fail => "FAIL",
            State::Skipped => "skipped",
        };
        vec![
            Cell::text(self.area),
            Cell::text(&self.check),
            Cell::text(state),
            Cell::text(&self.found),
            Cell::optional(self.fix.as_ref()),
        ]
    }
}
