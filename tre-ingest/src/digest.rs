//! Naming the version by its content.
//!
//! The vault's keyed hash (HMAC-SHA-256) runs over: the label `tre/version/v1` and 00; the spec's normal form, after its
//! length (8 bytes, big-endian); then for each table in the order of the spec its name after its length, for each row 01
//! and its encoding (see [`crate::row`]), and after the last row 00 and the number of rows (8 bytes).
//!
//! Rows come sorted by unit and then by all columns, where units and entities count by their linkage keys, which depend
//! on identifier and vault alone. Dense numbers do not enter: neither the order of files or rows, nor what the
//! population's registry knew before, changes the name of the same content.

use std::io;

use tre_core::codes::Problem;
use tre_core::ids::VersionId;
use tre_core::spec::Spec;
use tre_home::vault::VersionHasher;

use crate::progress::Pace;
use crate::row::UNIT_BYTES;
use crate::sort::{Sorted, Sorter};
use crate::storage;

/// Hashes the tables, which are in the order of the spec, and collects the units of private ones (each once per table).
pub(crate) fn name_version(
    mut hasher: VersionHasher,
    spec: &Spec,
    tables: &[Sorted],
    units: &mut Sorter,
    pace: &mut Pace<'_>,
) -> Result<VersionId, Problem> {
    hasher.update(b"tre/version/v1\0");
    framed(&mut hasher, spec.normal_form().as_bytes());
    for (table, sorted) in spec.tables.iter().zip(tables) {
        framed(&mut hasher, table.name.as_str().as_bytes());
        let mut last = [0; UNIT_BYTES];
        let mut first = true;
        let mut rows = sorted.read().map_err(read_error)?;
        // Short updates cost more than what they hash.
        let mut piece = Vec::with_capacity(1 << 16);
        while let Some(row) = rows.next().map_err(read_error)? {
            piece.push(1);
            piece.extend_from_slice(row);
            if piece.len() >= 1 << 15 {
                hasher.update(&piece);
                piece.clear();
            }
            if !table.is_public()
                && let Some(unit) = row.first_chunk::<UNIT_BYTES>()
                && (first || *unit != last)
            {
                units
                    .push_row(&[unit])
                    .map_err(|error| storage("write a sort run", &error))?;
                (first, last) = (false, *unit);
            }
            pace.row()?;
        }
        piece.push(0);
        piece.extend_from_slice(&sorted.rows().to_be_bytes());
        hasher.update(&piece);
    }
    Ok(hasher.finish(spec.dataset.clone()))
}

fn framed(hasher: &mut VersionHasher, text: &[u8]) {
    hasher.update(&(text.len() as u64).to_be_bytes());
    hasher.update(text);
}

fn read_error(error: io::Error) -> Problem {
    storage("read a sort run", &error)
}
