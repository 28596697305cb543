//! One encrypted Parquet file of a version.
//!
//! Uniform encryption: footer, statistics and all columns, AES-256-GCM under the file's own key; the AAD prefix names
//! version, table and file and is not stored, so a file cannot stand in for another.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;
use tre_core::codes::{self, Problem};
use tre_core::ids::VersionId;
use tre_core::manifest::{FileManifest, TableManifest};
use tre_home::catalogue::Staging;
use tre_home::vault::{Sha256, VersionKey, file_aad};

use crate::storage;

/// Rows per row group.
const ROW_GROUP: usize = 128 * 1024;

/// Writes a file in staging.
pub(super) struct FileWriter {
    writer: ArrowWriter<Hashing<BufWriter<File>>>,
    name: String,
    rows: u64,
}

impl FileWriter {
    pub(super) fn create(
        staging: &Staging<'_>,
        version: &VersionId,
        key: &VersionKey,
        table: &TableManifest,
        name: String,
    ) -> Result<Self, Problem> {
        let key = key.file_key(version, &table.name, &name);
        let properties =
            properties(table, key.bytes(), &file_aad(version, &table.name, &name)).map_err(broken)?;
        let out = Hashing::new(BufWriter::with_capacity(1 << 18, staging.create_file(&name)?));
        let writer =
            ArrowWriter::try_new(out, Arc::new(table.file_schema()), Some(properties)).map_err(broken)?;
        Ok(FileWriter {
            writer,
            name,
            rows: 0,
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), Problem> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(broken)
    }

    /// Completes the file; it reaches the disk when staging is sealed.
    pub(super) fn finish(self) -> Result<FileManifest, Problem> {
        let mut out = self.writer.into_inner().map_err(broken)?;
        out.flush()
            .map_err(|error| storage("write a dataset file", &error))?;
        let digest = out.hash.finish();
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(FileManifest {
            name: self.name,
            rows: self.rows,
            bytes: out.bytes,
            sha256,
        })
    }
}

fn properties(table: &TableManifest, key: &[u8; 32], aad: &str) -> Result<WriterProperties, ParquetError> {
    let encryption = FileEncryptionProperties::builder(key.to_vec())
        .with_aad_prefix(aad.as_bytes().to_vec())
        .with_aad_prefix_storage(false)
        .build()?;
    let by_unit = SortingColumn {
        column_idx: 0,
        descending: false,
        nulls_first: false,
    };
    Ok(WriterProperties::builder()
        .set_created_by(concat!("tre ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_sorting_columns((!table.public).then(|| vec![by_unit]))
        .with_file_encryption_properties(encryption)
        .build())
}

/// The encoder's own errors are about the disk or about us, never about data.
fn broken(error: ParquetError) -> Problem {
    if let ParquetError::External(source) = &error {
        return Problem::of(
            &codes::ING_STORAGE,
            format!("cannot write a dataset file: {source}"),
        );
    }
    Problem::of(
        &codes::ING_INTERNAL,
        format!("cannot encode a dataset file: {error}"),
    )
}

/// Hashes and counts what passes.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    fn new(inner: W) -> Self {
        Hashing {
            inner,
            hash: Sha256::new(),
            bytes: 0,
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(bytes.split_at(written).0);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
