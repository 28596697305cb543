//! Stable codes of everything that can go wrong or be refused, with what they mean and what to do.
//!
//! `tre explain CODE` prints them; scripts rely on them. A code is never reused for something else. One file per area.

mod access;
mod home;
mod ingest;
mod run;
mod sdc;
mod sql;

pub use access::*;
pub use home::*;
pub use ingest::*;
pub use run::*;
pub use sdc::*;
pub use sql::*;

use std::fmt;

use serde::Serialize;

/// A stable code.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// E.g. `TRE-SDC-012`.
    pub id: &'static str,
    /// One line: what this is.
    pub title: &'static str,
    /// Why it happens, in a few sentences.
    pub meaning: &'static str,
    /// What the person who sees it can do.
    pub remedy: &'static str,
}

#[expect(
    unused_qualifications,
    reason = "every area has an `ALL`; which one a glob would mean is nobody's guess"
)]
static AREAS: [&[&Code]; 6] = [access::ALL, home::ALL, ingest::ALL, run::ALL, sdc::ALL, sql::ALL];

/// All codes, area by area.
pub fn all() -> impl Iterator<Item = &'static Code> {
    AREAS.into_iter().flatten().copied()
}

/// A code by its id, upper or lower case.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id))
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// Something that was refused or failed, in words for the person who asked: what, and what to do.
///
/// Holds no value that came from data: only the user's own text, names of tables and columns, and constants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The stable code.
    #[serde(serialize_with = "serialize_code")]
    pub code: &'static Code,
    /// One line, lower case: what happened, the user's own text in backticks.
    pub what: String,
    /// One line: what to do.
    pub hint: String,
}

fn serialize_code<S: serde::Serializer>(code: &&'static Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.id)
}

impl Problem {
    /// A problem with its own hint.
    pub fn new(code: &'static Code, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem {
            code,
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// A problem with the code's general remedy as hint.
    pub fn of(code: &'static Code, what: impl Into<String>) -> Self {
        Problem {
            code,
            what: what.into(),
            hint: code.remedy.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  {}", self.code, self.what, self.hint)
    }
}

impl std::error::Error for Problem {}

/// Declares the codes of an area and its list `ALL`.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $(
            $(#[$doc])*
            pub static $name: crate::codes::Code =
                crate::codes::Code { id: $id, title: $title, meaning: $meaning, remedy: $remedy };
        )*
        /// All codes of this area.
        pub(super) static ALL: &[&crate::codes::Code] = &[$(&$name),*];
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_well_formed_and_explained() {
        let mut seen = std::collections::BTreeSet::new();
        for code in all() {
            assert!(seen.insert(code.id), "{} twice", code.id);
            let mut parts = code.id.split('-');
            assert_eq!(parts.next(), Some("TRE"));
            assert!(
                parts
                    .next()
                    .is_some_and(|area| area.chars().all(|c| c.is_ascii_uppercase()))
            );
            assert!(
                parts
                    .next()
                    .is_some_and(|n| n.len() == 3 && n.chars().all(|c| c.is_ascii_digit()))
            );
            assert!(
                !code.title.is_empty() && !code.meaning.is_empty() && !code.remedy.is_empty(),
                "{}",
                code.id
            );
        }
    }

    #[test]
    fn find_ignores_case() {
        assert!(find("tre-sql-001").is_some());
        assert!(find("TRE-SQL-999").is_none());
    }
}
