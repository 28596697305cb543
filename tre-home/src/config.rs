//! `tre.toml`: the settings of a deployment.
//!
//! Every key that the file may have stands here with its default; an unknown one is an error, so that a misspelt
//! setting is not silently ignored. Paths in it are relative to the home.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tre_core::codes::{HOME_CONFIG, Problem};
use tre_core::permit;
use tre_core::size::ByteSize;
use tre_core::toml_words::in_words;

/// The settings of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What people call the deployment; 1 to 120 characters. Required.
    pub name: String,
    /// Name of the audit log in its checkpoints, e.g. `tre.example.org/audit`. Required; must never change.
    pub origin: Origin,
    /// IANA time zone in which the days of permits begin and end. Default `UTC`.
    #[serde(default)]
    pub timezone: Timezone,
    /// Where the server listens for Flight SQL and control calls. Default `127.0.0.1:50051`.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Where the server shows web pages. Default `127.0.0.1:8080`.
    #[serde(default = "default_web")]
    pub web: SocketAddr,
    /// Minutes without a call after which a session ends; 1 to 1440. Default 15.
    #[serde(default = "default_idle_minutes")]
    pub idle_minutes: u32,
    /// Certificate and key. Without them the server speaks plaintext, and on loopback only.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// How workers are jailed.
    #[serde(default)]
    pub jail: Jail,
    /// Limits of projects whose permits name none, each on its own.
    #[serde(default)]
    pub limits: Limits,
}

/// Certificate and key of the listening socket, both PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, e.g. `tls/cert.pem`.
    pub cert: PathBuf,
    /// The private key, e.g. `tls/key.pem`.
    pub key: PathBuf,
}

/// How workers are jailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jail {
    /// First user id of workers when the server runs as root; nobody else may have these. Default 200000.
    #[serde(default = "default_uid_base")]
    pub uid_base: u32,
    /// How many user ids from there on; each worker has its own. Default 256.
    #[serde(default = "default_uid_count")]
    pub uid_count: u32,
    /// Measures of the jail that may be missing on this machine, by the names that `tre doctor` prints. Default none:
    /// where a measure is missing no session starts.
    #[serde(default)]
    pub allow_missing: Vec<String>,
}

/// Limits of projects whose permits name none: the one place where such a limit comes from. They hold for such a project
/// from the server's next start on, since they bound this machine's load and no right to data hangs on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory of a session's data worker, 64 MiB to 1 TiB. Default `2 GiB`.
    #[serde(default = "default_memory")]
    pub memory: ByteSize,
    /// Seconds that one query may take; 1 to 86400. Default 300.
    #[serde(default = "default_query_seconds")]
    pub query_seconds: u32,
    /// Sessions of one project at a time; 1 to 64. Default 4.
    #[serde(default = "default_sessions")]
    pub sessions: u8,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 50051))
}

fn default_web() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))
}

fn default_idle_minutes() -> u32 {
    15
}

fn default_uid_base() -> u32 {
    200_000
}

fn default_uid_count() -> u32 {
    256
}

fn default_memory() -> ByteSize {
    ByteSize::bytes(2 << 30)
}

fn default_query_seconds() -> u32 {
    300
}

fn default_sessions() -> u8 {
    4
}

impl Default for Jail {
    fn default() -> Self {
        Jail {
            uid_base: default_uid_base(),
            uid_count: default_uid_count(),
            allow_missing: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory: default_memory(),
            query_seconds: default_query_seconds(),
            sessions: default_sessions(),
        }
    }
}

impl From<&Limits> for permit::Limits {
    fn from(limits: &Limits) -> permit::Limits {
        permit::Limits {
            memory: limits.memory.get(),
            query_seconds: limits.query_seconds,
            sessions: limits.sessions,
        }
    }
}

/// Name of an audit log: not empty, without white space, `+` or control characters (C2SP signed-note key names), at
/// most 200 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Origin(String);

impl Origin {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if (1..=200).contains(&text.len()) && text.chars().all(plain) {
            Ok(Origin(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` cannot name an audit log: use 1 to 200 characters without spaces and `+`"
            ))
        }
    }
}

/// A time zone that this machine knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Timezone(jiff::tz::TimeZone, String);

impl Timezone {
    /// The zone.
    pub fn zone(&self) -> &jiff::tz::TimeZone {
        &self.0
    }

    /// Its IANA name.
    pub fn name(&self) -> &str {
        &self.1
    }
}

impl Default for Timezone {
    fn default() -> Self {
        Timezone(jiff::tz::TimeZone::UTC, "UTC".to_owned())
    }
}

impl FromStr for Timezone {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        if name == "UTC" {
            return Ok(Timezone::default());
        }
        let zone = jiff::tz::TimeZone::get(name).map_err(|_| {
            format!("`{name}` is no time zone known here: use an IANA name such as `Asia/Tokyo` (system package tzdata)")
        })?;
        Ok(Timezone(zone, name.to_owned()))
    }
}

macro_rules! as_text {
    ($name:ident, $text:expr) => {
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text: fn(&$name) -> &str = $text;
                f.write_str(text(self))
            }
        }
    };
}

as_text!(Origin, Origin::as_str);
as_text!(Timezone, Timezone::name);

/// Why `tre.toml` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tre.toml{}: {what}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct ConfigError {
    /// Line of the file, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Problem {
        Problem::of(&HOME_CONFIG, error.to_string())
    }
}

impl Config {
    /// The settings of a new home: a name, and defaults.
    pub fn new(name: String, origin: Origin, timezone: Timezone) -> Result<Config, ConfigError> {
        let config = Config {
            name,
            origin,
            timezone,
            listen: default_listen(),
            web: default_web(),
            idle_minutes: default_idle_minutes(),
            tls: None,
            jail: Jail::default(),
            limits: Limits::default(),
        };
        config.check()?;
        Ok(config)
    }

    /// Reads settings.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            ConfigError {
                line: before.map(|before| before.matches('\n').count() + 1),
                what: in_words(&error),
            }
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |what: String| Err(ConfigError { line: None, what });
        let name_length = self.name.chars().count();
        if !(1..=120).contains(&name_length) || self.name.chars().any(char::is_control) {
            return refuse("`name` must have 1 to 120 characters, on one line".to_owned());
        }
        if !(1..=1440).contains(&self.idle_minutes) {
            return refuse(format!("`idle_minutes` is {}: use 1 to 1440", self.idle_minutes));
        }
        let Jail {
            uid_base, uid_count, ..
        } = self.jail;
        if uid_base == 0 || uid_count == 0 || uid_base.checked_add(uid_count).is_none() {
            return refuse(format!(
                "`jail` names no {uid_count} user ids from {uid_base} on: never use that of root"
            ));
        }
        permit::Limits::from(&self.limits)
            .check()
            .map_err(|problem| ConfigError {
                line: None,
                what: format!("{}: {}", problem.what, problem.hint),
            })
    }

    /// The published JSON schema of `tre.toml`.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Config).to_value()
    }

    /// The settings as a file for people, every key explained. Parses back to the same settings.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let tls = match &self.tls {
            None => "# [tls]                        # without it: plaintext, on loopback only\n\
                     # cert = \"tls/cert.pem\"\n\
                     # key = \"tls/key.pem\"\n"
                .to_owned(),
            Some(tls) => format!(
                "[tls]\ncert = {}\nkey = {}\n",
                quoted(&tls.cert.to_string_lossy()),
                quoted(&tls.key.to_string_lossy())
            ),
        };
        let allow_missing = self
            .jail
            .allow_missing
            .iter()
            .map(|name| quoted(name))
            .collect::<Vec<_>>()
            .join(", ");
        format!(
            "# Settings of this deployment. Unknown keys are errors; docs/settings.md explains each.\n\
             name = {name}\n\
             origin = {origin}          # of the audit log; it must never change\n\
             timezone = {timezone}      # days of permits begin and end here\n\
             listen = \"{listen}\"      # Flight SQL and control calls\n\
             web = \"{web}\"            # web pages\n\
             idle_minutes = {idle}      # then a session ends\n\
             \n\
             {tls}\
             \n\
             [jail]\n\
             uid_base = {uid_base}      # user ids of workers when the server runs as root\n\
             uid_count = {uid_count}\n\
             allow_missing = [{allow_missing}]      # measures that may be missing here, see `tre doctor`\n\
             \n\
             [limits]                   # of projects whose permits name none; from the server's next start\n\
             memory = \"{memory}\"\n\
             query_seconds = {query_seconds}\n\
             sessions = {sessions}\n",
            name = quoted(&self.name),
            origin = quoted(self.origin.as_str()),
            timezone = quoted(self.timezone.name()),
            listen = self.listen,
            web = self.web,
            idle = self.idle_minutes,
            uid_base = self.jail.uid_base,
            uid_count = self.jail.uid_count,
            memory = self.limits.memory,
            query_seconds = self.limits.query_seconds,
            sessions = self.limits.sessions,
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    const LEAST: &str = "name = \"x\"\norigin = \"tre.example.org/audit\"\n";

    #[test]
    fn the_least_file_has_the_documented_defaults() {
        let config = Config::parse(LEAST).unwrap();
        assert_eq!(config.timezone.name(), "UTC");
        assert_eq!(config.listen.to_string(), "127.0.0.1:50051");
        assert_eq!(config.web.to_string(), "127.0.0.1:8080");
        assert_eq!(config.idle_minutes, 15);
        assert_eq!(config.tls, None);
        assert_eq!(config.limits.memory.get(), 2 << 30);
        assert_eq!((config.limits.query_seconds, config.limits.sessions), (300, 4));
        assert!(config.jail.allow_missing.is_empty());
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut config = Config::parse(LEAST).unwrap();
        assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);
        config.name = "a \"quoted\" name \\ with # everything".to_owned();
        config.tls = Some(Tls {
            cert: "tls/cert.pem".into(),
            key: "tls/key.pem".into(),
        });
        config.jail.allow_missing = vec!["landlock".to_owned(), "identity".to_owned()];
        assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (line, extra, word) in [
            (Some(3), "idel_minutes = 3", "idel_minutes"),
            (Some(3), "timezone = \"Mars/Base\"", "Mars/Base"),
            (Some(3), "listen = \"here\"", "socket address"),
            (Some(4), "[limits]\nmemory = \"2 GB\"", "2 GB"),
            (None, "idle_minutes = 0", "idle_minutes"),
            (None, "[jail]\nuid_base = 0", "root"),
            (None, "[limits]\nmemory = \"1 KiB\"", "64 MiB"),
            (None, "[limits]\nsessions = 0", "sessions"),
            (Some(4), "[limits]\nsessions = 300", "300"),
            (None, "[limits]\nquery_seconds = 0", "1 to 86400"),
        ] {
            let error = Config::parse(&format!("{LEAST}{extra}\n")).unwrap_err();
            assert_eq!(error.line, line, "{extra}: {error}");
            assert!(error.what.contains(word), "{extra}: {error}");
        }
        assert!(Config::parse("name = \"x\"\norigin = \"a b\"\n").is_err());
        assert!(Config::parse("name = \"x\"\norigin = \"a+b\"\n").is_err());
        assert!(Config::parse("name = \"\"\norigin = \"a\"\n").is_err());
        assert!(Config::parse("origin = \"a\"\n").is_err());
    }

    #[test]
    fn the_schema_refuses_unknown_keys_too() {
        let schema = Config::json_schema();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["name", "origin"]));
    }
}
