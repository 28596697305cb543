//! `tre explain CODE`: what an error code means and what to do about it; without a code, the list. And the JSON schemas
//! of all that this program prints and of the files that people write for it.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::codes::Code;

use crate::args::FormatArgs;
use crate::codes;
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Published, Shown, View, listing, published};
use crate::shell::Shell;

/// Explain an error code
///
/// Every error, refusal and referral carries a stable code. This says what it means, why it happens and what to do.
/// Without a code, all codes are listed. With --json-schema, it prints the schema of a file that people write (spec,
/// permit, config, rule-pack) or of a document that `--format json` prints.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// The code, e.g. TRE-SQL-005
    code: Option<String>,

    /// Instead: a JSON schema. Of files: spec, permit, config (tre.toml), rule-pack (a policy). Of what `--format json`
    /// prints: its `kind`, e.g. answer. `all`: an object of all of them
    #[arg(long, value_name = "KIND", conflicts_with = "code")]
    json_schema: Option<String>,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre explain TRE-SQL-005          one code
  tre explain                      all codes
  tre explain --format json        all codes, for a program
  tre explain --json-schema permit the keys of a permit file
  tre explain --json-schema answer the shape of `tre sql --format json`";

listing!(
    /// All codes.
    Codes of CodeRow, "codes", ["code", "title"]
);

/// One code in the list.
#[derive(Debug, Serialize, JsonSchema)]
struct CodeRow {
    /// The stable code.
    code: &'static str,
    /// One line: what it is.
    title: &'static str,
}

impl CodeRow {
    fn cells(&self) -> Vec<Cell> {
        vec![Cell::text(self.code), Cell::text(self.title)]
    }
}

/// One code in full.
#[derive(Debug, Serialize, JsonSchema)]
struct Explanation {
    /// The stable code.
    code: &'static str,
    /// One line: what it is.
    title: &'static str,
    /// Why it happens.
    meaning: &'static str,
    /// What the person who sees it can do.
    remedy: &'static str,
}

impl Shown for Explanation {
    const KIND: &'static str = "code";

    fn view(&self) -> View {
        let facts = vec![
            ("code", self.code.to_owned()),
            ("what", self.title.to_owned()),
            ("why", self.meaning.to_owned()),
            ("do", self.remedy.to_owned()),
        ];
        View {
            facts,
            grids: Vec::new(),
        }
    }
}

impl From<&'static Code> for Explanation {
    fn from(code: &'static Code) -> Self {
        Explanation {
            code: code.id,
            title: code.title,
            meaning: code.meaning,
            remedy: code.remedy,
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Codes>(), published::<Explanation>()]
}

/// Schemas of the files that people write, by the word for their kind. The documentation has a page of each.
fn of_files() -> [Published; 4] {
    let of = |kind, schema| Published { kind, schema };
    [
        of("spec", tre_core::spec::spec_json_schema()),
        of("permit", tre_core::permit::json_schema()),
        of("config", tre_home::config::Config::json_schema()),
        // `policy` is what `tre policy show` prints.
        of("rule-pack", tre_core::policy::Policy::json_schema().to_value()),
    ]
}

/// Prints one code, or all.
pub(crate) fn run(args: &ExplainArgs, shell: &Shell) -> Outcome {
    if let Some(kind) = &args.json_schema {
        return json_schema(kind, shell);
    }
    match &args.code {
        Some(id) => {
            let code = codes::find(id.trim()).ok_or_else(|| {
                Failure::of(
                    &codes::CLI_UNKNOWN_CODE,
                    format!("`{id}` is not a code of this version"),
                )
            })?;
            shell.show(&Explanation::from(code), args.format.format)?;
        }
        None => {
            let rows = codes::all()
                .map(|code| CodeRow {
                    code: code.id,
                    title: code.title,
                })
                .collect();
            shell.show(&Codes { rows }, args.format.format)?;
        }
    }
    Ok(Exit::Answered)
}

/// Prints the schema of one kind, or an object of all by kind.
fn json_schema(kind: &str, shell: &Shell) -> Outcome {
    let schemas: Vec<Published> = of_files().into_iter().chain(super::schemas()).collect();
    let kinds: Vec<&str> = schemas.iter().map(|published| published.kind).collect();
    let hint = format!("kinds: all, {}", kinds.join(", "));
    let mut chosen = schemas
        .into_iter()
        .filter(|published| kind == "all" || published.kind == kind)
        .peekable();
    if chosen.peek().is_none() {
        return Err(Failure::usage(format!("`{kind}` is no kind of document"), hint));
    }
    let schema = if kind == "all" {
        chosen
            .map(|published| (published.kind.to_owned(), published.schema))
            .collect()
    } else {
        chosen
            .next()
            .map(|published| published.schema)
            .unwrap_or_default()
    };
    shell.raw(format!("{schema:#}\n").as_bytes())?;
    Ok(Exit::Answered)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;

    #[test]
    fn one_code_is_told_in_full() {
        let text = printed(&Explanation::from(&tre_core::codes::SQL_ROWS), Format::Table);
        assert!(
            text.starts_with("code  TRE-SQL-005\nwhat  rows of people cannot be returned\nwhy "),
            "{text}"
        );
    }

    /// Names of all properties of a schema, those of nested tables included.
    fn keys(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                object.values().for_each(|inner| keys(inner, found));
            }
            Value::Array(all) => all.iter().for_each(|inner| keys(inner, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_key_of_a_file_stands_in_its_page() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        for file in of_files() {
            let page = match file.kind {
                "config" => "settings.md",
                "rule-pack" => "policy.md",
                "spec" => "spec.md",
                _permit => "permit.md",
            };
            let text = std::fs::read_to_string(docs.join(page)).unwrap();
            // The first cell of a row names the key, two keys where they go together.
            let cells = text
                .lines()
                .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
            let told: BTreeSet<&str> = cells
                .flat_map(|cell| cell.split('`').skip(1).step_by(2))
                .collect();
            let mut keys_of_file = BTreeSet::new();
            keys(&file.schema, &mut keys_of_file);
            assert!(keys_of_file.len() > 10, "{}: {keys_of_file:?}", file.kind);
            let missing: Vec<_> = keys_of_file
                .iter()
                .filter(|key| !told.contains(key.as_str()))
                .collect();
            assert!(missing.is_empty(), "docs/{page} does not tell of {missing:?}");
        }
    }

    #[test]
    fn kinds_of_files_and_of_documents_do_not_collide() {
        let mut seen = BTreeSet::new();
        for published in of_files().into_iter().chain(super::super::schemas()) {
            assert!(seen.insert(published.kind), "{} twice", published.kind);
        }
    }
}
