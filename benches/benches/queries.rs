//! `cargo bench -p tre-benches [-- --rows N]`: what an ingest and a checked answer cost beside the raw engine.
//!
//! With ten million claims it takes some minutes and about three gigabytes of disk; a million make a smoke test, and a
//! hundred million ten times as much of both. `--data DIR` keeps the data for the next run.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use tre_benches::measure::{
    Align, Compared, Cost, GOAL, Table, geometric_mean, measured, misses, reset_peak, typical,
};
use tre_benches::workload::checked::Session;
use tre_benches::workload::prepared::{Making, Prepared};
use tre_benches::workload::queries::{QUERIES, Query};
use tre_benches::workload::raw::Raw;
use tre_benches::workload::sorted_rows;

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
    /// Where data are kept from run to run; a temporary directory if not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Only queries whose name contains this.
    #[arg(long, default_value = "")]
    query: String,
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
    let temporary = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = arguments.data.as_deref().unwrap_or(temporary.path());
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
    let prepared = Prepared::new(directory, arguments.seed, arguments.rows)?;
    if let Some(making) = &prepared.making {
        let csv = format!("{} MB of CSV", making.csv_bytes / 1_000_000);
        let took = seconds(making.generated.time);
        writeln!(out, "{} rows in all, {csv}, generated in {took} s\n", making.rows)?;
        writeln!(out, "{}", made(making, prepared.stored.bytes()))?;
    }

    let raw = Raw::open(&prepared.stored, &prepared.plain, arguments.threads)?;
    let mut session = Session::open(&prepared.stored, arguments.threads)?;
    let mut all = Vec::new();
    for query in QUERIES
        .iter()
        .filter(|query| query.name.contains(&arguments.query))
    {
        all.push(compared(query, &raw, &mut session, arguments.runs)?);
    }
    let (rows, runs, threads) = (arguments.rows, arguments.runs, arguments.threads);
    writeln!(
        out,
        "{rows} claims, medians of {runs} runs, {threads} threads\n\n{}",
        answered(&all)
    )?;
    if let Some(mean) = geometric_mean(&all) {
        writeln!(out, "geometric mean of the ratios: {mean:.2}; the goal is {GOAL}")?;
    }
    for missed in misses(&all) {
        writeln!(out, "misses its target: {missed}")?;
    }
    Ok(())
}

/// Runs a query on both sides in turn, after each has answered it once and the values were the same.
fn compared(query: &Query, raw: &Raw, session: &mut Session, runs: u64) -> Result<Compared> {
    let groups = sorted_rows(&raw.answer(query.sql).context(query.name)?)?;
    ensure!(
        sorted_rows(&session.untreated(query.sql).context(query.name)?)? == groups,
        "`{}`: the values differ",
        query.name
    );
    let (mut raws, mut checkeds) = (vec![], vec![]);
    for _ in 0..runs {
        raws.push(measured(|| raw.answer(query.sql))?.1);
        checkeds.push(measured(|| session.answer(query.sql))?.1);
    }
    let typical = |runs: &[Cost]| typical(runs).context("no run");
    Ok(Compared {
        name: query.name,
        groups: groups.len() as u64,
        raw: typical(&raws)?,
        checked: typical(&checkeds)?,
    })
}

fn made(making: &Making, stored_bytes: u64) -> Table {
    let mut table = Table::new(&[
        ("from CSV to", Align::Left),
        ("s", Align::Right),
        ("rows/s", Align::Right),
        ("times as long", Align::Right),
        ("MB", Align::Right),
        ("peak MiB", Align::Right),
    ]);
    for (name, cost, bytes) in [
        ("plain Parquet", making.converted, making.converted_bytes),
        ("a dataset version", making.ingested, stored_bytes),
    ] {
        table.row(vec![
            name.to_owned(),
            seconds(cost.time),
            format!("{:.0}", making.rows as f64 / cost.time.as_secs_f64()),
            format!(
                "{:.2}",
                cost.time.as_secs_f64() / making.converted.time.as_secs_f64()
            ),
            (bytes / 1_000_000).to_string(),
            mebibytes(cost.peak),
        ]);
    }
    table
}

fn answered(all: &[Compared]) -> Table {
    let mut table = Table::new(&[
        ("query", Align::Left),
        ("groups", Align::Right),
        ("raw ms", Align::Right),
        ("checked ms", Align::Right),
        ("ratio", Align::Right),
        ("raw peak MiB", Align::Right),
        ("checked peak MiB", Align::Right),
        ("at most", Align::Right),
    ]);
    for one in all {
        table.row(vec![
            one.name.to_owned(),
            one.groups.to_string(),
            milliseconds(one.raw.time),
            milliseconds(one.checked.time),
            format!("{:.2}", one.ratio()),
            mebibytes(one.raw.peak),
            mebibytes(one.checked.peak),
            mebibytes(one.allowance()),
        ]);
    }
    table
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or("unknown".to_owned(), |bytes| (bytes >> 20).to_string())
}
