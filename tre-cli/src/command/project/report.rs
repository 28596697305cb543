//! Projects in a list, and one in full.

use schemars::JsonSchema;
use serde::Serialize;
use tre_proto::v1;

use crate::render::{Cell, Grid, Shown, View, listing};

listing!(
    /// Projects.
    pub(super) Projects of ProjectRow, "projects", ["id", "state", "from", "until", "applied", "title"]
);

/// One project.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProjectRow {
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
        vec![
            Cell::text(&self.id),
            Cell::text(&self.state),
            Cell::text(&self.from),
            Cell::text(&self.until),
            Cell::time(&self.applied),
            Cell::text(&self.title),
        ]
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
pub(super) struct ProjectReport {
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

/// A list of projects.
pub(super) fn listed(projects: Vec<v1::ProjectSummary>) -> Projects {
    Projects {
        rows: projects.into_iter().map(ProjectRow::from).collect(),
    }
}
