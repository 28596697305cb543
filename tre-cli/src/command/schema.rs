//! `tre schema`: what a project can see, and the rules of its exits in plain words.

use std::collections::BTreeMap;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::TableName;
use tre_proto::v1;

use super::described::TableReport;
use super::project::ExitRow;
use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Format, Published, Shown, View, published};
use crate::shell::Shell;

/// Show the tables, columns and rules of your project
///
/// Types, measures and their bounds, declared domains, what was coarsened, and the policy in plain words. `pid` stands
/// for a person: it can be joined, compared with another pid and counted distinct, nothing else.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SchemaArgs {
    /// Only this table
    table: Option<TableName>,

    #[command(flatten)]
    remote: RemoteArgs,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre schema                        everything
  tre schema visit                  one table
  tre schema --format json          for a program";

/// What a project can see.
#[derive(Debug, Serialize, JsonSchema)]
struct SchemaReport {
    /// The project.
    project: String,
    /// Its title.
    title: String,
    /// Last day of the permit.
    until: String,
    /// Tables that SQL can name.
    tables: Vec<TableReport>,
    /// How results leave.
    exits: Vec<ExitRow>,
    /// One table was asked for: people want to see that, not the rules again.
    #[serde(skip)]
    brief: bool,
}

impl Shown for SchemaReport {
    const KIND: &'static str = "schema";

    fn view(&self) -> View {
        let grids = self.tables.iter().map(TableReport::grid).collect();
        if self.brief {
            return View {
                facts: Vec::new(),
                grids,
            };
        }
        let mut facts = vec![
            ("project", self.project.clone()),
            ("title", self.title.clone()),
            ("until", self.until.clone()),
        ];
        let exit = |row: &ExitRow| {
            let reviewers = match row.reviewers {
                0 => "no reviewer".to_owned(),
                1 => "1 reviewer".to_owned(),
                n => format!("{n} reviewers"),
            };
            format!("{}: policy {}, {reviewers}", row.exit, row.policy)
        };
        facts.push((
            "exits",
            self.exits.iter().map(exit).collect::<Vec<_>>().join("\n"),
        ));
        // Exits may share a policy; its words are said once.
        let policies: BTreeMap<&str, &str> = self
            .exits
            .iter()
            .map(|row| (row.policy.as_str(), row.words.as_str()))
            .collect();
        let words = policies
            .into_iter()
            .map(|(policy, words)| format!("{policy}:\n{words}"));
        facts.push(("rules", words.collect::<Vec<_>>().join("\n")));
        View { facts, grids }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<SchemaReport>()]
}

/// Asks the server.
pub(crate) fn run(args: &SchemaArgs, shell: &Shell) -> Outcome {
    block_on(async {
        let remote = Remote::open(&args.remote, shell).await?;
        show(&remote, args.table.as_ref(), args.format.format, shell).await?;
        Ok(Exit::Answered)
    })
}

/// The caller's project by id, so that a token is looked at before anything is typed.
pub(crate) async fn project(remote: &Remote) -> Result<String, Failure> {
    let table = String::new();
    Ok(answer(remote.control().get_schema(v1::GetSchemaRequest { table }).await)?.project)
}

/// Prints the schema; also `\d` of the interactive session.
pub(crate) async fn show(
    remote: &Remote,
    table: Option<&TableName>,
    format: Format,
    shell: &Shell,
) -> Result<(), Failure> {
    let brief = table.is_some();
    let table = table.map(TableName::to_string).unwrap_or_default();
    let schema = answer(remote.control().get_schema(v1::GetSchemaRequest { table }).await)?;
    let report = SchemaReport {
        project: schema.project,
        title: schema.title,
        until: schema.until,
        tables: schema.tables.into_iter().map(TableReport::from).collect(),
        exits: schema.exits.into_iter().map(ExitRow::from).collect(),
        brief,
    };
    shell.show(&report, format)
}
