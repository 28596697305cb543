//! A data holder's files as they lie in a directory before they are ingested, uncompressed, so that others can read them
//! too.

use std::fs::{self, File};
use std::io::{BufWriter, Read};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use tempfile::TempDir;
use tre_examples::claims::{Table, World, write_table};
use tre_examples::eunomia;

use crate::home::Home;
use crate::plain::Plain;

/// The spec of the generated claims; it names gzipped files.
const CLAIMS_SPEC: &str = include_str!("../../examples/claims/claims.toml");

/// Spec and files of one dataset.
#[derive(Debug)]
pub struct Holder {
    spec: String,
    directory: TempDir,
}

impl Holder {
    /// Generated claims.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn claims(rows: u64, seed: u64) -> Result<Holder> {
        let directory = tempfile::tempdir()?;
        let world = World::new(seed, rows);
        for table in Table::ALL {
            let file = File::create(directory.path().join(format!("{}.csv", table.name())))?;
            write_table(
                &world,
                table,
                &mut BufWriter::with_capacity(1 << 18, file),
                |_| (),
            )?;
        }
        Holder::with_spec(CLAIMS_SPEC, directory)
    }

    /// The Eunomia extract.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn eunomia() -> Result<Holder> {
        let directory = tempfile::tempdir()?;
        for (name, packed) in eunomia::FILES {
            let mut text = Vec::new();
            GzDecoder::new(packed).read_to_end(&mut text)?;
            fs::write(directory.path().join(name.trim_end_matches(".gz")), text)?;
        }
        Holder::with_spec(eunomia::SPEC, directory)
    }

    fn with_spec(spec: &str, directory: TempDir) -> Result<Holder> {
        let spec = spec.replace(".csv.gz\"", ".csv\"");
        fs::write(directory.path().join("spec.toml"), &spec)?;
        Ok(Holder { spec, directory })
    }

    /// Ingests the dataset into a home.
    ///
    /// # Errors
    /// When `tre ingest` fails.
    pub fn ingest(&self, home: &Home) -> Result<()> {
        let spec = self.directory.path().join("spec.toml");
        home.tre(&["ingest", spec.to_str().context("a path that is not UTF-8")?])?
            .ok()?;
        Ok(())
    }

    /// The dataset in an engine that checks nothing.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn plain(&self) -> Result<Plain> {
        Plain::of(&self.spec, self.directory.path())
    }
}
