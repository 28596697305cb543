//! The raw engine: plain DataFusion over the stored rows in plain Parquet files.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use arrow::record_batch::RecordBatch;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::encryption::decrypt::FileDecryptionProperties;
use tokio::runtime::Runtime;
use tre_home::vault::file_aad;

use super::convert::properties;
use super::stored::Stored;

/// Plain DataFusion with a table per table of the version.
pub struct Raw {
    runtime: Runtime,
    context: SessionContext,
}

impl Raw {
    /// Registers the files that [`decrypt`] has written into a directory.
    ///
    /// # Errors
    /// When a file is not there or cannot be read.
    pub fn open(stored: &Stored, directory: &Path, threads: usize) -> Result<Raw> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?;
        let mut config = SessionConfig::new().with_target_partitions(threads);
        // 0.1 is the same number on both sides; everything else is as DataFusion comes.
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        let context = SessionContext::new_with_config(config);
        for table in &stored.manifest.tables {
            let place = directory.join(table.name.as_str());
            let place = format!(
                "{}/",
                place.to_str().context("a directory whose name is not UTF-8")?
            );
            let registered =
                context.register_parquet(table.name.as_str(), place, ParquetReadOptions::default());
            runtime.block_on(registered)?;
        }
        Ok(Raw { runtime, context })
    }

    /// Plans and runs a query.
    ///
    /// # Errors
    /// When DataFusion refuses or fails.
    pub fn answer(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        self.runtime
            .block_on(async { Ok(self.context.sql(sql).await?.collect().await?) })
    }
}

/// Writes the version's rows, decrypted, file by file into a directory.
///
/// # Errors
/// When a file cannot be decrypted or written.
pub fn decrypt(stored: &Stored, directory: &Path) -> Result<()> {
    let version = &stored.manifest.version;
    let key = stored
        .home
        .vault()
        .unwrap_version_key(version, &stored.manifest.wrapped_key)?;
    for (table, file) in stored.files() {
        let file_key = key.file_key(version, &table.name, &file.name);
        let properties_of_file = FileDecryptionProperties::builder(file_key.bytes().to_vec())
            .with_aad_prefix(file_aad(version, &table.name, &file.name).into_bytes())
            .build()?;
        let options = ArrowReaderOptions::new().with_file_decryption_properties(properties_of_file);
        let sealed = stored.home.catalogue().open_file(version, file)?;
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(sealed, options)?.build()?;
        let place = directory.join(table.name.as_str());
        std::fs::create_dir_all(&place)?;
        let plain = File::create(place.join(&file.name))?;
        let mut writer = ArrowWriter::try_new(plain, table.file_schema().into(), Some(properties()?))?;
        for batch in reader {
            writer.write(&batch?)?;
        }
        writer.close()?;
    }
    Ok(())
}
