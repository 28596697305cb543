//! `tre project`: permits and what they put in force.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::ids::ProjectId;
use tre_proto::v1;

use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, Grid, Published, Shown, View, listing, published};
use crate::shell::Shell;

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

/// What a permit changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlanReport {
    /// The project.
    project: String,
    /// Names this plan for `apply --plan`.
    plan_id: String,
    /// The project does not exist yet.
    is_new: bool,
    /// The changes are in force now.
    pub(crate) applied: bool,
    /// Differences between what is in force and what the permit says; empty: none.
    pub(crate) changes: Vec<ChangeRow>,
}

/// One difference.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChangeRow {
    /// added, removed or changed.
    change: &'static str,
    /// What differs, e.g. dataset.liver.visit.columns.
    what: String,
    /// Null: there was nothing.
    before: Option<String>,
    /// Null: there is nothing any more.
    after: Option<String>,
    /// Somebody could see or do more.
    widens: bool,
}

impl ChangeRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(self.change),
            Cell::text(&self.what),
            Cell::optional(self.before.as_ref()),
            Cell::optional(self.after.as_ref()),
            Cell::text(self.widens),
        ]
    }
}

impl From<v1::Change> for ChangeRow {
    fn from(change: v1::Change) -> Self {
        let given = |text: String| (!text.is_empty()).then_some(text);
        ChangeRow {
            change: match change.kind() {
                v1::ChangeKind::Added => "added",
                v1::ChangeKind::Removed => "removed",
                v1::ChangeKind::Changed | v1::ChangeKind::Unspecified => "changed",
            },
            what: change.what,
            before: given(change.before),
            after: given(change.after),
            widens: change.widens,
        }
    }
}

impl From<v1::ProjectPlan> for PlanReport {
    fn from(plan: v1::ProjectPlan) -> Self {
        PlanReport {
            project: plan.project,
            plan_id: plan.plan_id,
            is_new: plan.is_new,
            applied: plan.applied,
            changes: plan.changes.into_iter().map(ChangeRow::from).collect(),
        }
    }
}

impl PlanReport {
    fn block(&self, title: &str, widens: bool) -> Option<Grid> {
        let changes = self.changes.iter().filter(|change| change.widens == widens);
        // The last cell repeats what the block's title says.
        let rows: Vec<_> = changes
            .map(|change| change.cells().into_iter().take(4).collect())
            .collect();
        (!rows.is_empty()).then(|| Grid::new(&["change", "what", "before", "after"], rows).titled(title))
    }

    fn state(&self) -> String {
        match (self.changes.len(), self.applied) {
            (0, _) => "nothing changes: the permit is in force as it stands".to_owned(),
            (1, true) => "1 change, in force".to_owned(),
            (n, true) => format!("{n} changes, in force"),
            (1, false) => "1 change, not applied".to_owned(),
            (n, false) => format!("{n} changes, not applied"),
        }
    }
}

impl Shown for PlanReport {
    const KIND: &'static str = "project-plan";

    fn view(&self) -> View {
        let project = if self.is_new {
            format!("{} (new)", self.project)
        } else {
            self.project.clone()
        };
        let facts = vec![
            ("project", project),
            ("plan", self.plan_id.clone()),
            ("result", self.state()),
        ];
        let widening = self.block("WIDENS ACCESS: somebody could see or do more than today", true);
        View {
            facts,
            grids: widening
                .into_iter()
                .chain(self.block("other changes", false))
                .collect(),
        }
    }
}

listing!(
    /// Projects.
    Projects of ProjectRow, "projects", ["id", "state", "from", "until", "applied", "title"]
);

/// One project.
#[derive(Debug, Serialize, JsonSchema)]
struct ProjectRow {
    /// The project's id.
    id: String,
    /// Its title.
    title: String,
    /// open, not-yet, expired or closed.
    state: String,
    /// First day.
    from: String,
    /// Last day.
    until: String,
    /// When the permit in force was applied.
    applied: String,
}

impl ProjectRow {
    fn cells(&self) -> Vec<Cell> {
        [
            &self.id,
            &self.state,
            &self.from,
            &self.until,
            &self.applied,
            &self.title,
        ]
        .map(Cell::text)
        .into()
    }
}

impl From<v1::ProjectSummary> for ProjectRow {
    fn from(project: v1::ProjectSummary) -> Self {
        ProjectRow {
            id: project.id,
            title: project.title,
            state: project.state,
            from: project.from,
            until: project.until,
            applied: project.applied,
        }
    }
}

/// One project in full.
#[derive(Debug, Serialize, JsonSchema)]
struct ProjectReport {
    #[serde(flatten)]
    summary: ProjectRow,
    /// What the data are used for.
    purpose: String,
    /// The purpose's code.
    purpose_code: String,
    /// The law that allows it.
    legal_basis: String,
    /// Who may act, and as what.
    people: Vec<MemberRow>,
    /// What the project sees.
    tables: Vec<GrantRow>,
    /// How results leave.
    exits: Vec<ExitRow>,
    /// Memory of a session's worker.
    memory_bytes: u64,
    /// The longest that a query may take.
    query_seconds: u64,
    /// Sessions at a time.
    sessions: u32,
    /// SHA-256 of the permit in force.
    permit_sha256: String,
    /// Its text.
    permit: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MemberRow {
    /// As tokens name them.
    user: String,
    /// analyst, checker.
    roles: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GrantRow {
    /// The pinned version.
    version: String,
    /// The table.
    table: String,
    /// Permitted columns.
    columns: Vec<String>,
    /// The permit's condition; null: all rows.
    rows: Option<String>,
}

/// A way out and its rules.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ExitRow {
    /// view, release or rows.
    pub(crate) exit: String,
    /// The policy.
    pub(crate) policy: String,
    /// SHA-256 of the policy's file.
    policy_sha256: String,
    /// People who must approve.
    pub(crate) reviewers: u32,
    /// The policy in plain words.
    pub(crate) words: String,
}

impl From<v1::Exit> for ExitRow {
    fn from(exit: v1::Exit) -> Self {
        ExitRow {
            exit: exit.name,
            policy: exit.policy,
            policy_sha256: exit.policy_sha256,
            reviewers: exit.reviewers,
            words: exit.words,
        }
    }
}

impl From<v1::Project> for ProjectReport {
    fn from(project: v1::Project) -> Self {
        let limits = project.limits.unwrap_or_default();
        let member = |member: v1::Member| MemberRow {
            user: member.user,
            roles: member.roles,
        };
        let grant = |table: v1::ProjectTable| GrantRow {
            version: table.version,
            table: table.table,
            columns: table.columns,
            rows: (!table.rows.is_empty()).then_some(table.rows),
        };
        ProjectReport {
            summary: project.summary.unwrap_or_default().into(),
            purpose: project.purpose,
            purpose_code: project.purpose_code,
            legal_basis: project.legal_basis,
            people: project.people.into_iter().map(member).collect(),
            tables: project.tables.into_iter().map(grant).collect(),
            exits: project.exits.into_iter().map(ExitRow::from).collect(),
            memory_bytes: limits.memory_bytes,
            query_seconds: limits.query_seconds,
            sessions: limits.sessions,
            permit_sha256: project.permit_sha256,
            permit: project.permit,
        }
    }
}

impl Shown for ProjectReport {
    const KIND: &'static str = "project";

    fn view(&self) -> View {
        let summary = &self.summary;
        let limits = format!(
            "{} MiB memory, {} s per query, {} sessions",
            self.memory_bytes >> 20,
            self.query_seconds,
            self.sessions
        );
        let facts = vec![
            ("project", summary.id.clone()),
            ("title", summary.title.clone()),
            ("state", summary.state.clone()),
            ("valid", format!("{} to {}", summary.from, summary.until)),
            ("purpose", format!("{} ({})", self.purpose, self.purpose_code)),
            ("legal basis", self.legal_basis.clone()),
            ("limits", limits),
            ("permit", format!("sha256 {}", self.permit_sha256)),
        ];
        let person = |row: &MemberRow| vec![Cell::text(&row.user), Cell::text(row.roles.join(", "))];
        let table = |row: &GrantRow| {
            vec![
                Cell::text(&row.version),
                Cell::text(&row.table),
                Cell::text(row.columns.join(", ")),
                Cell::optional(row.rows.as_ref()),
            ]
        };
        let exit = |row: &ExitRow| {
            vec![
                Cell::text(&row.exit),
                Cell::text(&row.policy),
                Cell::number(row.reviewers),
            ]
        };
        let grids = vec![
            Grid::new(&["user", "roles"], self.people.iter().map(person).collect()).titled("people"),
            Grid::new(
                &["version", "table", "columns", "only rows where"],
                self.tables.iter().map(table).collect(),
            )
            .titled("tables"),
            Grid::new(
                &["exit", "policy", "reviewers"],
                self.exits.iter().map(exit).collect(),
            )
            .titled("exits"),
        ];
        View { facts, grids }
    }
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
                let listed = answer(control.list_projects(v1::ListProjectsRequest {}).await)?;
                let rows = listed.projects.into_iter().map(ProjectRow::from).collect();
                shell.show(&Projects { rows }, format.format)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;

    fn plan() -> PlanReport {
        let change = |what: &str, widens| v1::Change {
            kind: v1::ChangeKind::Added.into(),
            what: what.to_owned(),
            after: "x".to_owned(),
            widens,
            ..v1::Change::default()
        };
        let changes = vec![change("limits.sessions", false), change("people.dan", true)];
        PlanReport::from(v1::ProjectPlan {
            project: "p".to_owned(),
            changes,
            ..v1::ProjectPlan::default()
        })
    }

    #[test]
    fn what_widens_access_comes_first_and_apart() {
        let text = printed(&plan(), Format::Table);
        let widening = text.find("WIDENS ACCESS").zip(text.find("people.dan"));
        let other = text.find("other changes").zip(text.find("limits.sessions"));
        assert!(
            matches!((widening, other), (Some((a, b)), Some((c, d))) if a < b && b < c && c < d),
            "{text}"
        );
        assert!(text.contains("2 changes, not applied"));
    }

    #[test]
    fn an_unchanged_permit_is_said_to_be_one() {
        let text = printed(
            &PlanReport {
                changes: Vec::new(),
                ..plan()
            },
            Format::Table,
        );
        assert!(
            text.contains("nothing changes") && !text.contains("WIDENS"),
            "{text}"
        );
    }
}
