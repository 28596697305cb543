//! `tre project`: permits and what they put in force.

mod plan;
mod report;

use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tre_core::ids::ProjectId;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Published, published};
use crate::shell::Shell;

use plan::PlanReport;
use report::{ProjectReport, Projects, listed};

pub(crate) use report::ExitRow;

/// Plan, apply, list, show or close projects (permits in force)
///
/// A permit is a TOML file: who may use which tables, columns and rows, for which purpose, until when, and under which
/// policy results leave. Applied, it is a project. `plan` shows what would change and changes nothing; what widens
/// anybody's access stands in a block of its own.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ProjectArgs {
    #[command(subcommand)]
    command: ProjectCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre project plan permit.toml
  tre project apply permit.toml
  tre project apply permit.toml --plan ID     only if nothing moved since that plan
  tre project list
  tre project show liver-outcomes             people, tables with their versions, exits
  tre project close liver-outcomes            for good";

#[derive(Debug, Subcommand)]
enum ProjectCommand {
    /// Show what applying a permit would change
    Plan {
        /// The permit
        file: PathBuf,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Put a permit in force, with the newest version of each dataset
    ///
    /// A permit that is applied again changes what differs from what is in force: also the version of a dataset, when a
    /// newer one was ingested, and the content of a policy. `tre project plan` shows it before; where nothing differs,
    /// nothing changes.
    Apply {
        /// The permit
        file: PathBuf,
        /// Id of a plan seen before: apply exactly that, or refuse
        #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
        plan: String,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// List projects
    List {
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show one project
    Show {
        /// The project
        id: ProjectId,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// End a project for good: its key and its drafts are destroyed
    ///
    /// On a terminal it asks for the project's id once more, unless --yes says that you are sure. A script is not asked.
    Close {
        /// The project
        id: ProjectId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        remote: RemoteArgs,
    },
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![
        published::<Projects>(),
        published::<ProjectReport>(),
        published::<PlanReport>(),
    ]
}

/// Asks the server.
pub(crate) fn run(args: ProjectArgs, shell: &Shell) -> Outcome {
    block_on(async {
        match args.command {
            ProjectCommand::Plan { file, remote, format } => {
                let permit = read(&file)?;
                let mut control = Remote::open(&remote, shell).await?.control();
                let plan = answer(control.plan_project(v1::PlanProjectRequest { permit }).await)?;
                shell.show(&PlanReport::from(plan), format.format)?;
            }
            ProjectCommand::Apply {
                file,
                plan,
                remote,
                format,
            } => {
                let permit = read(&file)?;
                let mut control = Remote::open(&remote, shell).await?.control();
                let request = v1::ApplyProjectRequest {
                    permit,
                    plan_id: plan,
                };
                let plan = answer(control.apply_project(request).await)?;
                shell.show(&PlanReport::from(plan), format.format)?;
            }
            ProjectCommand::List { remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let answered = answer(control.list_projects(v1::ListProjectsRequest {}).await)?;
                shell.show(&listed(answered.projects), format.format)?;
            }
            ProjectCommand::Show { id, remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let project = answer(
                    control
                        .show_project(v1::ShowProjectRequest { id: id.to_string() })
                        .await,
                )?;
                shell.show(&ProjectReport::from(project), format.format)?;
            }
            ProjectCommand::Close { id, yes, remote } => {
                if shell.interactive && !yes {
                    confirm(&id, &mut std::io::stdin().lock(), shell)?;
                }
                let mut control = Remote::open(&remote, shell).await?.control();
                let closed = answer(
                    control
                        .close_project(v1::CloseProjectRequest { id: id.to_string() })
                        .await,
                )?;
                let (sessions, requests) = (closed.sessions_ended, closed.requests_lapsed);
                shell.note(&closed_words(&id, sessions, requests));
            }
        }
        Ok(Exit::Answered)
    })
}

/// Asks a person to type the project's id.
fn confirm(id: &ProjectId, answer: &mut impl BufRead, shell: &Shell) -> Result<(), Failure> {
    shell.note(&format!(
        "Closing {id} cannot be undone: its key, its drafts and its tokens end, and its released files cannot be fetched \
         any more.\nType the id of the project to go on:"
    ));
    let mut typed = String::new();
    answer.read_line(&mut typed)?;
    if typed.trim() == id.as_str() {
        return Ok(());
    }
    Err(Failure::usage(
        format!("`{id}` is not closed: another text was typed"),
        "type the id as it is written above, or say --yes",
    ))
}

/// What the end of a project took with it.
fn closed_words(id: &ProjectId, sessions: u32, requests: u32) -> String {
    let count = |n: u32, thing: &str| format!("{n} {thing}{}", if n == 1 { "" } else { "s" });
    format!(
        "closed {id}: {} ended, {} lapsed.\nDestroyed: the key of its pseudonyms and the frozen bytes of requests that were \
         not released. Its tokens are revoked, so its released files cannot be fetched any more; the audit log keeps \
         their hashes.",
        count(sessions, "session"),
        count(requests, "request"),
    )
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_project_is_closed_by_its_id_and_by_nothing_else() {
        let id: ProjectId = "liver-outcomes".parse().unwrap();
        let shell = Shell::look();
        assert_eq!(confirm(&id, &mut "liver-outcomes\n".as_bytes(), &shell), Ok(()));
        for other in ["", "\n", "y\n", "yes\n", "liver\n"] {
            let refused = confirm(&id, &mut other.as_bytes(), &shell).map_err(|failure| failure.exit());
            assert_eq!(refused, Err(Exit::Usage), "{other:?}");
        }
    }

    #[test]
    fn what_a_closed_project_took_with_it_is_said() {
        let said = closed_words(&"liver".parse().unwrap(), 1, 2);
        assert!(
            said.starts_with("closed liver: 1 session ended, 2 requests lapsed."),
            "{said}"
        );
        assert!(said.contains("cannot be fetched any more"), "{said}");
    }
}
