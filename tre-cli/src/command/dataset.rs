//! `tre dataset`: what data holders have put in.

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tre_proto::v1;

use super::described::TableReport;
use super::{answer, block_on};
use crate::args::FormatArgs;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Outcome};
use crate::render::{Cell, Grid, Published, Shown, View, listing, published};
use crate::shell::Shell;

/// List datasets, or show one
///
/// A dataset is a set of tables from data holders; each `tre ingest` makes an immutable version of it.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre dataset list
  tre dataset show liver                    its newest version: tables, columns, coarsening
  tre dataset show liver --format json      the same for a program";

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    /// List all datasets with their newest versions
    List {
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Show the tables and columns of a dataset
    Show {
        /// A dataset (its newest version), or a version id
        name: String,
        #[command(flatten)]
        remote: RemoteArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
}

listing!(
    /// Datasets.
    Datasets of DatasetRow, "datasets", ["name", "population", "tables", "versions", "newest", "created", "title"]
);

/// One dataset.
#[derive(Debug, Serialize, JsonSchema)]
struct DatasetRow {
    /// Name in permits.
    name: String,
    /// The holder's title.
    title: String,
    /// Datasets of one population share persons.
    population: String,
    /// Tables of the newest version.
    tables: u32,
    /// How many versions there are.
    versions: u32,
    /// Id of the newest version.
    newest: String,
    /// When the newest version was published.
    created: String,
}

impl DatasetRow {
    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.name),
            Cell::text(&self.population),
            Cell::number(self.tables),
            Cell::number(self.versions),
            Cell::text(&self.newest),
            Cell::time(&self.created),
            Cell::text(&self.title),
        ]
    }
}

impl From<v1::DatasetSummary> for DatasetRow {
    fn from(dataset: v1::DatasetSummary) -> Self {
        DatasetRow {
            name: dataset.name,
            title: dataset.title,
            population: dataset.population,
            tables: dataset.tables,
            versions: dataset.versions,
            newest: dataset.newest,
            created: dataset.created,
        }
    }
}

/// One version of a dataset.
#[derive(Debug, Serialize, JsonSchema)]
struct DatasetReport {
    #[serde(flatten)]
    summary: DatasetRow,
    /// The version shown.
    version: String,
    /// All versions, newest first.
    all_versions: Vec<String>,
    /// Tables of the version shown.
    contents: Vec<TableReport>,
}

impl Shown for DatasetReport {
    const KIND: &'static str = "dataset";

    fn view(&self) -> View {
        let facts = vec![
            ("dataset", self.summary.name.clone()),
            ("title", self.summary.title.clone()),
            ("population", self.summary.population.clone()),
            ("version", self.version.clone()),
            ("versions", self.all_versions.join("\n")),
        ];
        View {
            facts,
            grids: self.contents.iter().map(TableReport::grid).collect::<Vec<Grid>>(),
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Datasets>(), published::<DatasetReport>()]
}

/// Asks the server.
pub(crate) fn run(args: DatasetArgs, shell: &Shell) -> Outcome {
    block_on(async {
        match args.command {
            DatasetCommand::List { remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let listed = answer(control.list_datasets(v1::ListDatasetsRequest {}).await)?;
                let rows = listed.datasets.into_iter().map(DatasetRow::from).collect();
                shell.show(&Datasets { rows }, format.format)?;
            }
            DatasetCommand::Show { name, remote, format } => {
                let mut control = Remote::open(&remote, shell).await?.control();
                let dataset = answer(control.show_dataset(v1::ShowDatasetRequest { name }).await)?;
                let report = DatasetReport {
                    summary: dataset.summary.unwrap_or_default().into(),
                    version: dataset.version,
                    all_versions: dataset.versions,
                    contents: dataset.tables.into_iter().map(TableReport::from).collect(),
                };
                shell.show(&report, format.format)?;
            }
        }
        Ok(Exit::Answered)
    })
}
