//! Reading the policies: the shipped ones from the program, a home's from its files.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use tre_core::codes::{AUTH_POLICIES, Problem};

const SCHEMA: (&str, &str) = (
    "schema.cedarschema",
    include_str!("../../../policies/access/schema.cedarschema"),
);
pub(super) const ROLES: (&str, &str) = (
    "roles.cedar",
    include_str!("../../../policies/access/roles.cedar"),
);
const SEPARATION: (&str, &str) = (
    "separation.cedar",
    include_str!("../../../policies/access/separation.cedar"),
);

/// The shipped files by name. `tre init` puts copies into the home: `roles.cedar` there is in force, the others are for
/// reading.
pub const SHIPPED: [(&str, &str); 3] = [SCHEMA, ROLES, SEPARATION];

/// Longest policy file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

fn problem(what: String) -> Problem {
    Problem::of(&AUTH_POLICIES, what)
}

/// The home's own policy files by name, in the order of their names. A copy of the shipped prohibitions is not among them.
pub(super) fn read_home(directory: &Path) -> Result<Vec<(String, String)>, Problem> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(problem(format!("cannot list policies/access: {error}"))),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| problem(format!("cannot list policies/access: {error}")))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".cedar") || name == SEPARATION.0 {
            continue;
        }
        let length = entry.metadata().map_or(0, |metadata| metadata.len());
        if length > MAX_BYTES {
            return Err(problem(format!("`{name}` is longer than 1 MiB")));
        }
        let text = fs::read_to_string(entry.path())
            .map_err(|error| problem(format!("cannot read `{name}`: {error}")))?;
        files.push((name, text));
    }
    files.sort();
    Ok(files)
}

/// Parses and strictly validates role policies together with the shipped prohibitions.
pub(super) fn load(roles: &[(String, String)]) -> Result<(Schema, PolicySet), Problem> {
    let (schema, warnings) =
        Schema::from_cedarschema_str(SCHEMA.1).map_err(|error| problem(one_line(SCHEMA.0, &error)))?;
    if let Some(warning) = warnings.into_iter().next() {
        return Err(problem(one_line(SCHEMA.0, &warning)));
    }
    let mut all = PolicySet::new();
    let mut ids = BTreeSet::new();
    let separation = (SEPARATION.0.to_owned(), SEPARATION.1.to_owned());
    for (file, text) in std::iter::once(&separation).chain(roles) {
        let parsed = PolicySet::from_str(text).map_err(|error| problem(one_line(file, &error)))?;
        if parsed.templates().next().is_some() {
            return Err(problem(format!("`{file}`: templates cannot be used")));
        }
        for policy in parsed.policies() {
            let policy = named(file, policy)?;
            if !ids.insert(policy.id().to_string()) {
                return Err(problem(format!(
                    "`{file}`: there are two policies with @id(\"{}\")",
                    policy.id()
                )));
            }
            all.add(policy).map_err(|error| problem(one_line(file, &error)))?;
        }
    }
    let result = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
    if let Some(error) = result.validation_errors().next() {
        return Err(problem(one_line(error.policy_id().as_ref(), &error)));
    }
    if let Some(warning) = result.validation_warnings().next() {
        return Err(problem(one_line(warning.policy_id().as_ref(), &warning)));
    }
    Ok((schema, all))
}

/// A policy under the name that its `@id` gives it.
fn named(file: &str, policy: &Policy) -> Result<Policy, Problem> {
    match policy.annotation("id") {
        Some(id) if !id.is_empty() => Ok(policy.new_id(PolicyId::new(id))),
        Some(_) | None => Err(problem(format!("`{file}`: every policy starts with @id(\"…\")"))),
    }
}

fn one_line(place: &str, error: &dyn std::fmt::Display) -> String {
    let text = error.to_string().lines().collect::<Vec<_>>().join(" ");
    format!("`{place}`: {text}")
}
