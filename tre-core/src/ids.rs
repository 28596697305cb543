//! Names and identifiers. Names are chosen by people and validated; identifiers are drawn at random by the shell
//! and only shaped here.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE32_NOPAD, Encoding};
use serde::{Deserialize, Serialize};

/// A name or identifier that does not have the required form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {rule}")]
pub struct InvalidName {
    /// The offending text, cut to 80 characters.
    pub text: String,
    /// What it was meant to be, e.g. `project id`.
    pub kind: &'static str,
    /// The rule that it breaks.
    pub rule: &'static str,
}

impl InvalidName {
    fn new(text: &str, kind: &'static str, rule: &'static str) -> Self {
        InvalidName {
            text: text.chars().take(80).collect(),
            kind,
            rule,
        }
    }
}

const SLUG_RULE: &str = "use 1 to 63 characters a-z, 0-9, `-` or `_`, starting with a letter";
const USER_RULE: &str =
    "use 1 to 63 characters a-z, A-Z, 0-9, `.`, `-`, `_`, `@` or `:`, starting with a letter or digit";

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first_is_letter = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    first_is_letter
        && text.len() <= 63
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_user(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first_ok = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
    first_ok && text.len() <= 63 && bytes.all(|b| b.is_ascii_alphanumeric() || b".-_@:".contains(&b))
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $check:path, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if $check(text) { Ok($name(text.to_owned())) } else { Err(InvalidName::new(text, $kind, $rule)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name_type!(
    /// Id of a project, chosen in its permit, e.g. `liver-outcomes`.
    ProjectId, "project id", is_slug, SLUG_RULE
);
name_type!(
    /// Name of a dataset, e.g. `liver`.
    DatasetName, "dataset name", is_slug, SLUG_RULE
);
name_type!(
    /// Name of a population: datasets of one population share unit numbers.
    PopulationName, "population name", is_slug, SLUG_RULE
);
name_type!(
    /// Name of a table within a dataset.
    TableName, "table name", is_slug, SLUG_RULE
);
name_type!(
    /// Name of a column within a table.
    ColumnName, "column name", is_slug, SLUG_RULE
);
name_type!(
    /// Kind of a protected entity: `facility`, `insurer`, `municipality`, …
    EntityKind, "entity kind", is_slug, SLUG_RULE
);
name_type!(
    /// Id of a policy, the file name without `.toml`.
    PolicyId, "policy id", is_slug, SLUG_RULE
);
name_type!(
    /// A user as tokens name them; `local:<os user>` for commands that work on the home directly.
    UserName, "user name", is_user, USER_RULE
);

/// Lower-case base32 without padding (RFC 4648 alphabet), the text form of random and keyed identifiers.
pub fn base32_lower(bytes: &[u8]) -> String {
    let encoding: &Encoding = &BASE32_NOPAD;
    encoding.encode(bytes).to_ascii_lowercase()
}

fn is_base32_lower(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Shapes 80 random bits into an id.
            pub fn from_random(bits: [u8; 10]) -> Self {
                $name(format!(concat!($prefix, "_{}"), base32_lower(&bits)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                match text.strip_prefix(concat!($prefix, "_")) {
                    Some(rest) if is_base32_lower(rest, 16) => Ok($name(text.to_owned())),
                    _ => Err(InvalidName::new(
                        text,
                        $kind,
                        concat!("it starts with `", $prefix, "_`, followed by 16 characters a-z or 2-7"),
                    )),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

random_id!(
    /// Everything that arrives with one token.
    SessionId, "ses", "session id"
);
random_id!(
    /// One signed token.
    TokenId, "tok", "token id"
);
random_id!(
    /// One query of a session.
    QueryId, "qry", "query id"
);
random_id!(
    /// An analyst's wish for a release.
    RequestId, "req", "request id"
);
random_id!(
    /// One released output.
    ReleaseId, "rel", "release id"
);

/// Id of a dataset version: `<dataset>@<26 base32 characters>`, the first 130 bits of a keyed hash of its content, so
/// that it names the content and confirms nothing to outsiders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VersionId {
    dataset: DatasetName,
    suffix: String,
}

impl VersionId {
    /// Names a version by the keyed hash of its content (HMAC-SHA-256, 32 bytes).
    pub fn from_hash(dataset: DatasetName, hash: [u8; 32]) -> Self {
        let mut suffix = base32_lower(&hash);
        suffix.truncate(26);
        VersionId { dataset, suffix }
    }

    /// The dataset that this is a version of.
    pub fn dataset(&self) -> &DatasetName {
        &self.dataset
    }

    /// The part after `@`, a safe directory name.
    pub fn suffix(&self) -> &str {
        &self.suffix
    }
}

impl FromStr for VersionId {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let rule = "write `<dataset>@<26 characters a-z or 2-7>`";
        let invalid = || InvalidName::new(text, "version id", rule);
        let (dataset, suffix) = text.split_once('@').ok_or_else(invalid)?;
        if !is_base32_lower(suffix, 26) {
            return Err(invalid());
        }
        Ok(VersionId {
            dataset: dataset.parse()?,
            suffix: suffix.to_owned(),
        })
    }
}

impl TryFrom<String> for VersionId {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<VersionId> for String {
    fn from(id: VersionId) -> String {
        id.to_string()
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.dataset, self.suffix)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn slugs_are_lower_case_and_start_with_a_letter() {
        for good in ["liver", "liver-outcomes", "a", "t_1"] {
            assert!(good.parse::<ProjectId>().is_ok(), "{good}");
        }
        for bad in ["", "Liver", "1a", "-a", "a b", "a/b", "..", "ä", &"a".repeat(64)] {
            assert!(bad.parse::<ProjectId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn random_ids_round_trip_and_refuse_other_prefixes() {
        let id = RequestId::from_random([7; 10]);
        assert_eq!(id.as_str().parse::<RequestId>().unwrap(), id);
        assert!(id.as_str().parse::<SessionId>().is_err());
        assert!("req_".parse::<RequestId>().is_err());
        assert!("req_AAAAAAAAAAAAAAAA".parse::<RequestId>().is_err());
    }

    #[test]
    fn version_ids_round_trip() {
        let id = VersionId::from_hash("liver".parse().unwrap(), [9; 32]);
        assert_eq!(id.suffix().len(), 26);
        assert_eq!(id.to_string().parse::<VersionId>().unwrap(), id);
        assert!("liver@../../etc".parse::<VersionId>().is_err());
    }
}
