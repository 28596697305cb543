//! Data that are made once: a home with one version, the same rows for the raw engine, and what making them took.

use std::fs::{create_dir_all, read_to_string, remove_dir_all, write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::convert::convert;
use super::holder::Holder;
use super::raw::decrypt;
use super::stored::Stored;
use crate::measure::{Cost, measured};

/// Says that everything in a directory is there. It is written last.
const COMPLETE: &str = "complete";

/// Data of both engines.
pub struct Prepared {
    /// What ours reads.
    pub stored: Stored,
    /// Where the raw engine's files lie.
    pub plain: PathBuf,
    /// What making them took; `None` where they were there already.
    pub making: Option<Making>,
}

/// What making the data took.
pub struct Making {
    /// Rows of all tables.
    pub rows: u64,
    /// Bytes of the holder's CSV files.
    pub csv_bytes: u64,
    /// Generating the CSV files.
    pub generated: Cost,
    /// Converting them to plain Parquet.
    pub converted: Cost,
    /// Bytes of those.
    pub converted_bytes: u64,
    /// Ingesting them.
    pub ingested: Cost,
}

impl Prepared {
    /// Data of these many claims in a directory: made, or found complete from an earlier call.
    ///
    /// # Errors
    /// When they cannot be made or opened.
    pub fn new(directory: &Path, seed: u64, claims: u64) -> Result<Prepared> {
        let directory = directory.join(format!("claims-{claims}-{seed}"));
        let (home, plain) = (directory.join("home"), directory.join("plain"));
        if read_to_string(directory.join(COMPLETE)).is_ok() {
            let stored = Stored::open(&home)?;
            return Ok(Prepared {
                stored,
                plain,
                making: None,
            });
        }
        if directory.exists() {
            remove_dir_all(&directory).context("cannot remove what an interrupted run has left")?;
        }
        let (csv, converted) = (directory.join("holder"), directory.join("converted"));
        for made in [&csv, &converted, &plain] {
            create_dir_all(made).with_context(|| format!("cannot make `{}`", made.display()))?;
        }
        let (holder, generated) = measured(|| Holder::generate(&csv, seed, claims))?;
        let (converted_bytes, conversion) = measured(|| convert(&holder, &converted))?;
        let home = Stored::home(&home)?;
        let (stored, ingested) = measured(|| Stored::ingest(home, &holder))?;
        decrypt(&stored, &plain)?;
        // With 10^8 claims these are most of the disk, and no query reads them.
        remove_dir_all(&csv)?;
        remove_dir_all(&converted)?;
        write(directory.join(COMPLETE), "")?;
        Ok(Prepared {
            stored,
            plain,
            making: Some(Making {
                rows: holder.rows,
                csv_bytes: holder.bytes,
                generated,
                converted: conversion,
                converted_bytes,
                ingested,
            }),
        })
    }
}
