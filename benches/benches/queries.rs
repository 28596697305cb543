//! `cargo bench -p tre-benches [-- --rows N]`: what an ingest and a checked answer cost beside the raw engine.
//!
//! With ten million claims it takes some minutes and about three gigabytes of disk.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tre_benches::measure::{Align, Cost, Table, measured, reset_peak, typical};
use tre_benches::workload::checked::Session;
use tre_benches::workload::convert::convert;
use tre_benches::workload::holder::Holder;
use tre_benches::workload::queries::{QUERIES, Query};
use tre_benches::workload::raw::Raw;
use tre_benches::workload::sorted_rows;
use tre_benches::workload::stored::Stored;

/// Ratios of checked to raw, measured in one run.
#[derive(Debug, Parser)]
#[command(name = "queries")]
struct Arguments {
    /// Claims to generate; there is a person for every 20.
    #[arg(long, env = "TRE_BENCH_ROWS", default_value_t = 10_000_000)]
    rows: u64,
    /// Seed of the generator.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs of every query on each side; the table shows medians.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Threads of each engine.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where a temporary directory is made; the system's place for them if not given.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Cargo says that this is `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut out = stdout().lock();
    if !arguments.bench {
        // `cargo test --benches` starts it, too.
        writeln!(out, "nothing is measured: run it by `cargo bench -p tre-benches`")?;
        return Ok(());
    }
    let directory = match &arguments.directory {
        Some(parent) => tempfile::tempdir_in(parent),
        None => tempfile::tempdir(),
    };
    let directory = directory.context("cannot make a temporary directory")?;
    if cfg!(debug_assertions) {
        writeln!(
            out,
            "this is not the release profile: the numbers below say little"
        )?;
    }
    if !reset_peak() {
        writeln!(
            out,
            "the peak of memory cannot be reset here: peaks are of everything up to then"
        )?;
    }
    let make = |name: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir(&path)
            .map(|()| path)
            .with_context(|| format!("cannot make the directory `{name}`"))
    };

    let (holder, cost) = measured(|| Holder::generate(&make("holder")?, arguments.seed, arguments.rows))?;
    writeln!(
        out,
        "{} claims, {} rows in all, {} MB of CSV, generated in {} s\n",
        arguments.rows,
        holder.rows,
        holder.bytes / 1_000_000,
        seconds(cost.time)
    )?;

    let mut table = Table::new(&[
        ("from CSV to", Align::Left),
        ("s", Align::Right),
        ("rows/s", Align::Right),
        ("times as long", Align::Right),
        ("MB", Align::Right),
        ("peak MiB", Align::Right),
    ]);
    let target = make("converted")?;
    let (bytes, conversion) = measured(|| convert(&holder, &target))?;
    let home = Stored::home(&directory.path().join("home"))?;
    let (stored, ingest) = measured(|| Stored::ingest(home, &holder))?;
    for (name, cost, bytes) in [
        ("plain Parquet", conversion, bytes),
        ("a dataset version", ingest, stored.bytes()),
    ] {
        table.row(vec![
            name.to_owned(),
            seconds(cost.time),
            format!("{:.0}", holder.rows as f64 / cost.time.as_secs_f64()),
            ratio(cost.time, conversion.time),
            (bytes / 1_000_000).to_string(),
            mebibytes(cost.peak),
        ]);
    }
    writeln!(out, "{table}")?;

    let raw = Raw::open(&stored, &make("plain")?, arguments.threads)?;
    let mut session = Session::open(&stored, arguments.threads)?;
    let mut table = Table::new(&[
        ("query", Align::Left),
        ("groups", Align::Right),
        ("raw ms", Align::Right),
        ("checked ms", Align::Right),
        ("ratio", Align::Right),
        ("raw peak MiB", Align::Right),
        ("checked peak MiB", Align::Right),
    ]);
    for query in &QUERIES {
        table.row(compared(query, &raw, &mut session, arguments.runs)?);
    }
    writeln!(
        out,
        "medians of {} runs, {} threads\n\n{table}",
        arguments.runs, arguments.threads
    )?;
    Ok(())
}

/// Runs a query on both sides in turn, after each has answered it once and the values were the same.
fn compared(query: &Query, raw: &Raw, session: &mut Session, runs: u64) -> Result<Vec<String>> {
    let groups = sorted_rows(&raw.answer(query.sql)?)?;
    ensure!(
        sorted_rows(&session.untreated(query.sql)?)? == groups,
        "`{}`: the values differ",
        query.name
    );
    let (mut raws, mut checkeds) = (vec![], vec![]);
    for _ in 0..runs {
        raws.push(measured(|| raw.answer(query.sql))?.1);
        checkeds.push(measured(|| session.answer(query.sql))?.1);
    }
    let typical = |runs: &[Cost]| typical(runs).context("no run");
    let (raw, checked) = (typical(&raws)?, typical(&checkeds)?);
    Ok(vec![
        query.name.to_owned(),
        groups.len().to_string(),
        milliseconds(raw.time),
        milliseconds(checked.time),
        ratio(checked.time, raw.time),
        mebibytes(raw.peak),
        mebibytes(checked.peak),
    ])
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn ratio(time: Duration, of: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() / of.as_secs_f64())
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or("unknown".to_owned(), |bytes| (bytes >> 20).to_string())
}
