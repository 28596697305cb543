//! `tre ingest`: a data holder's files become an encrypted dataset version.

use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::runtime::Runtime;
use tre_core::codes::Problem;
use tre_home::HomeFiles;
use tre_home::audit::Sink;
use tre_ingest::{Cancel, ColumnDoubt, Observer, Options, Phase, Progress, RejectCount, TableReport};

use crate::args::{FormatArgs, HomeArgs};
use crate::codes;
use crate::exit::{Exit, Failure, Outcome};
use crate::local::{self, Access, ServerSink};
use crate::render::{Cell, Grid, Published, Shown, View, published};
use crate::shell::Shell;

/// Turn a data holder's files into an encrypted dataset version
///
/// Reads CSV (also .gz) and Parquet as the spec says, pseudonymises persons and entities, keeps only the columns listed,
/// coarsens them, sorts by person and writes encrypted Parquet. A version is published whole or not at all, and never
/// changes. A running server is told; it need not stop.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct IngestArgs {
    /// The spec; its files are found relative to it
    spec: PathBuf,

    /// Memory for sorting, in MiB; with less, more is sorted on disk, encrypted
    #[arg(long, value_name = "MIB", default_value_t = 768, value_parser = clap::value_parser!(u32).range(16..))]
    memory: u32,

    #[command(flatten)]
    home: HomeArgs,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre ingest --home /srv/tre liver/SPEC.toml
  tre ingest --home /srv/tre liver/SPEC.toml --format json > report.json";

/// What came of an ingest.
#[derive(Debug, Serialize, JsonSchema)]
struct IngestReport {
    #[serde(flatten)]
    report: tre_ingest::Report,
}

impl Shown for IngestReport {
    const KIND: &'static str = "ingest";

    fn view(&self) -> View {
        let report = &self.report;
        let outcome = match report.outcome {
            tre_ingest::Outcome::Published => "published",
            tre_ingest::Outcome::Unchanged => "unchanged: this content is there already",
        };
        let population = report
            .population_units
            .map(|units| format!(", {units} in its population"));
        let persons = format!(
            "{} in this version{}",
            report.units,
            population.unwrap_or_default()
        );
        let rejects = format!(
            "{} rows, {} allowed",
            report.rejects.rows, report.rejects.max_rows
        );
        let facts = vec![
            ("version", report.version.clone()),
            ("result", outcome.to_owned()),
            ("persons", persons),
            ("rejected", rejects),
        ];
        let table = |table: &TableReport| {
            let clamped = table
                .clamped
                .iter()
                .map(|(column, values)| format!("{column}: {values}"));
            vec![
                Cell::text(&table.table),
                Cell::number(table.rows_read),
                Cell::number(table.rows_stored),
                Cell::text(table.dropped_columns.join(", ")),
                Cell::text(clamped.collect::<Vec<_>>().join(", ")),
            ]
        };
        let tables = report.tables.iter().map(table).collect();
        let tables = Grid::new(
            &[
                "table",
                "rows read",
                "stored",
                "columns dropped",
                "values clamped",
            ],
            tables,
        );
        let mut grids = vec![tables];
        if !report.rejects.counts.is_empty() {
            let count = |count: &RejectCount| {
                vec![
                    Cell::text(&count.table),
                    Cell::text(&count.column),
                    Cell::number(count.rows),
                    Cell::text(count.reason.describe()),
                ]
            };
            let counts = report.rejects.counts.iter().map(count).collect();
            grids.push(Grid::new(&["table", "column", "rows", "why"], counts).titled("rejected rows"));
        }
        let doubts: Vec<Vec<Cell>> = self
            .doubts()
            .map(|(table, doubt)| {
                vec![
                    Cell::text(table),
                    Cell::text(&doubt.column),
                    Cell::text(doubt.why.describe()),
                ]
            })
            .collect();
        if !doubts.is_empty() {
            grids.push(
                Grid::new(&["table", "column", "why"], doubts)
                    .titled("columns that may hold direct identifiers"),
            );
        }
        View { facts, grids }
    }
}

impl IngestReport {
    /// Columns that may hold direct identifiers, with their tables.
    fn doubts(&self) -> impl Iterator<Item = (&str, &ColumnDoubt)> {
        let tables = self.report.tables.iter();
        tables.flat_map(|table| table.doubts.iter().map(|doubt| (table.table.as_str(), doubt)))
    }

    /// What the holder should do about columns that may hold direct identifiers.
    fn warn(&self, shell: &Shell) {
        for (table, doubt) in self.doubts() {
            shell.notice(&format!("`{table}.{}` {}", doubt.column, doubt.why.describe()));
        }
        if self.doubts().next().is_some() {
            shell.note(
                "  the version holds these columns. Drop them from the spec or make them coarser, and ingest again; \
                 where one identifies nobody, say `identifier = false`. Permits decide who may read them",
            );
        }
    }
}

/// Stops the ingest on Ctrl-C; what was staged is removed.
static CANCEL: Cancel = Cancel::new();

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<IngestReport>()]
}

/// Ingests.
pub(crate) fn run(args: &IngestArgs, shell: &Shell) -> Outcome {
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell reads the clock for the crates that must not"
    )]
    let now = Timestamp::now();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::of(&codes::CLI_FILE, format!("cannot start: {error}")))?;
    runtime.spawn(async {
        if tokio::signal::ctrl_c().await.is_ok() {
            CANCEL.cancel();
        }
    });
    let bar = Bar::new(shell);
    let options = Options {
        memory: usize::try_from(args.memory).unwrap_or(usize::MAX) << 20,
    };
    let ingested = with_log(args, &runtime, shell, |files, log| {
        tre_ingest::ingest(files, log, &args.spec, &options, now, &bar, &CANCEL)
    })?;
    bar.0.finish_and_clear();
    let report = ingested.map_err(rejected)?;
    let report = IngestReport { report };
    shell.show(&report, args.format.format)?;
    report.warn(shell);
    if report.report.outcome == tre_ingest::Outcome::Published {
        shell.note(
            "Projects keep the version that they have until their permit is planned and applied again: see \
             `tre project show` and `tre project plan`.",
        );
    }
    Ok(Exit::Answered)
}

/// Hands over the files of the home and its log: that of a running server, else the log itself under the home's lock.
fn with_log<T>(
    args: &IngestArgs,
    runtime: &Runtime,
    shell: &Shell,
    ingest: impl FnOnce(&HomeFiles, &dyn Sink) -> T,
) -> Result<T, Failure> {
    let root = &args.home.home;
    // Settings and keys first: a home that is none is said to be none before anybody is waited for.
    let files = HomeFiles::open(root).map_err(Problem::from)?;
    match runtime.block_on(local::access(root, "tre ingest", shell))? {
        Access::Server(server) => Ok(ingest(&files, &ServerSink::new(server, runtime.handle().clone()))),
        Access::Own(home) => {
            let log = home.audit().sink(local::actor()?);
            Ok(ingest(home.files(), &log))
        }
    }
}

/// Why an ingest was refused, with the classes of the rows that were the reason and where the first of them stand.
fn rejected(failure: tre_ingest::Failure) -> Failure {
    let mut told = Failure::from(failure.problem);
    if let (Failure::Told(told), Some(rejects)) = (&mut told, failure.rejects) {
        for count in rejects.counts {
            let at = rejects
                .first
                .iter()
                .find(|place| place.column == count.column && place.reason == count.reason);
            let at = at.map(|place| format!(", first in `{}`, line {}", place.file, place.line));
            told.reasons.push(format!(
                "{}: {} {}: {}{}",
                place(&count),
                count.rows,
                if count.rows == 1 { "row" } else { "rows" },
                count.reason.describe(),
                at.unwrap_or_default()
            ));
        }
    }
    told
}

/// Table and column; the table alone where the whole record is malformed.
fn place(count: &RejectCount) -> String {
    match count.column.as_str() {
        "" => count.table.clone(),
        column => format!("{}.{column}", count.table),
    }
}

/// Progress on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new(shell: &Shell) -> Self {
        let bar = ProgressBar::with_draw_target(None, shell.draw_target());
        if let Ok(style) = ProgressStyle::with_template("{msg:22} {bar:40} {percent:>3} %  {elapsed}") {
            bar.set_style(style);
        }
        Bar(bar)
    }
}

impl Observer for Bar {
    fn progress(&self, progress: Progress) {
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
        self.0.set_message(match progress.phase {
            Phase::Reading => "reading the files",
            Phase::Hashing => "naming the version",
            Phase::Writing => "encrypting and writing",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use crate::render::tests::printed;
    use tre_core::spec::Doubt;
    use tre_ingest::{Reason, RejectReport, Report};

    #[test]
    fn a_rejected_row_has_its_column_unless_it_is_all_wrong() {
        let count = |column: &str| RejectCount {
            table: "visit".to_owned(),
            column: column.to_owned(),
            reason: Reason::WrongWidth,
            rows: 1,
        };
        assert_eq!(place(&count("age")), "visit.age");
        assert_eq!(place(&count("")), "visit");
    }

    #[test]
    fn a_report_says_what_was_dropped_clamped_and_doubted() {
        let table = TableReport {
            table: "visit".to_owned(),
            rows_read: 10,
            rows_stored: 9,
            dropped_columns: vec!["name".to_owned(), "address".to_owned()],
            clamped: [("cost".to_owned(), 3)].into(),
            doubts: vec![ColumnDoubt {
                column: "ssn".to_owned(),
                why: Doubt::Name,
            }],
            ..TableReport::default()
        };
        let report = Report {
            version: "liver@x".to_owned(),
            outcome: tre_ingest::Outcome::Published,
            population_units: Some(5),
            units: 4,
            tables: vec![table],
            rejects: RejectReport {
                rows: 1,
                max_rows: 2,
                ..RejectReport::default()
            },
        };
        let text = printed(&IngestReport { report }, Format::Table);
        for expected in [
            "name, address",
            "cost: 3",
            "4 in this version, 5 in its population",
            "1 rows, 2 allowed",
            "is named like a direct identifier",
        ] {
            assert!(text.contains(expected), "{expected:?} in {text}");
        }
    }
}
