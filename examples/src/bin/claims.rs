//! `claims`: writes the generator's tables to files or stdout.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use flate2::{Compression, write::GzEncoder};
use tre_examples::claims::{Table, World, write_table};

/// Writes tables like those of Japan's claims database, without a person in them, of any size.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to write.
    #[arg(value_enum, default_value = "all")]
    what: What,
    /// Claims; there is a person for every 20.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// The same seed and rows give the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A directory (for `all`), else a file, gzipped if it ends in .gz; `-` is stdout.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// persons.csv.gz, claims.csv.gz and municipalities.csv.gz
    All,
    Persons,
    Claims,
    Municipalities,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let world = World::new(arguments.seed, arguments.rows);
    let one = match arguments.what {
        What::Persons => Table::Persons,
        What::Claims => Table::Claims,
        What::Municipalities => Table::Municipalities,
        What::All => {
            std::fs::create_dir_all(&arguments.out)
                .with_context(|| format!("cannot make directory `{}`", arguments.out.display()))?;
            for table in Table::ALL {
                write(
                    &world,
                    table,
                    &arguments.out.join(format!("{}.csv.gz", table.name())),
                )?;
            }
            return Ok(());
        }
    };
    write(&world, one, &arguments.out)
}

fn write(world: &World, table: Table, path: &Path) -> Result<()> {
    let mut progress = Progress::new(table.name(), table.rows(world));
    if path == Path::new("-") {
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        return Ok(write_table(world, table, &mut out, |rows| progress.show(rows))?);
    }
    let file = File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    let file = BufWriter::with_capacity(1 << 16, file);
    if path.extension().is_some_and(|ending| ending == "gz") {
        let mut out = BufWriter::with_capacity(1 << 16, GzEncoder::new(file, Compression::fast()));
        write_table(world, table, &mut out, |rows| progress.show(rows))?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()?
            .flush()?;
    } else {
        write_table(world, table, &mut { file }, |rows| progress.show(rows))?;
    }
    Ok(())
}

/// One line on stderr, rewritten on a terminal; elsewhere only its last state is written.
struct Progress {
    name: &'static str,
    total: u64,
    begun: Instant,
    shown: Option<Instant>,
    live: bool,
}

impl Progress {
    fn new(name: &'static str, total: u64) -> Progress {
        Progress {
            name,
            total,
            begun: Instant::now(),
            shown: None,
            live: io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, rows: u64) {
        let recent = self
            .shown
            .is_some_and(|shown| shown.elapsed() < Duration::from_millis(250));
        let done = rows == self.total;
        if !done && (recent || !self.live) {
            return;
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let speed = rows as f64 / seconds.max(1e-9);
        let ends = if done { "\n" } else { "" };
        let begins = if self.live { "\r" } else { "" };
        eprint!(
            "{begins}{}: {rows} of {} rows, {seconds:.1} s, {speed:.0} rows/s{ends}",
            self.name, self.total
        );
        self.shown = Some(Instant::now());
    }
}
