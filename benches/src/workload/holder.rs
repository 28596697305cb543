//! The holder's files: generated claims as CSV, and their spec.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tre_examples::claims::{Table, World, write_table};

/// The generated claims' own spec; it names gzipped files.
const SPEC: &str = include_str!("../../../examples/claims/claims.toml");

/// Files as a data holder would hand them in.
#[derive(Debug)]
pub struct Holder {
    /// The spec, beside the files.
    pub spec: PathBuf,
    /// The CSV files, with a header each.
    pub files: Vec<PathBuf>,
    /// Rows of all files.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Holder {
    /// Writes the tables of a world with `claims` claims into a directory. They are not compressed: what unpacking costs is
    /// the same for every reader.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn generate(directory: &Path, seed: u64, claims: u64) -> Result<Holder> {
        let world = World::new(seed, claims);
        let spec = directory.join("claims.toml");
        std::fs::write(&spec, SPEC.replace(".csv.gz\"", ".csv\"")).context("cannot write the spec")?;
        let mut holder = Holder {
            spec,
            files: vec![],
            rows: 0,
            bytes: 0,
        };
        for table in Table::ALL {
            let path = directory.join(format!("{}.csv", table.name()));
            let written = || format!("cannot write `{}`", path.display());
            let file = File::create(&path).with_context(written)?;
            write_table(
                &world,
                table,
                &mut BufWriter::with_capacity(1 << 18, file),
                |_| (),
            )
            .with_context(written)?;
            holder.rows += table.rows(&world);
            holder.bytes += std::fs::metadata(&path).with_context(written)?.len();
            holder.files.push(path);
        }
        Ok(holder)
    }
}
