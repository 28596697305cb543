//! `tre project`: permits and what they put in force.

mod plan;
mod report;

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
  tre project close liver-outcomes";

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
    /// Put a permit in force; an unchanged permit changes nothing
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
    Close {
        /// The project
        id: ProjectId,
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
            ProjectCommand::Close { id, remote } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let closed = answer(
                    control
                        .close_project(v1::CloseProjectRequest { id: id.to_string() })
                        .await,
                )?;
                let (sessions, requests) = (closed.sessions_ended, closed.requests_lapsed);
                shell.note(&format!(
                    "closed {id}: {sessions} sessions ended, {requests} requests lapsed"
                ));
            }
        }
        Ok(Exit::Answered)
    })
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))
}
