//! Encrypted Parquet from an open file: what a jailed worker without a file system can read.

use std::fs::File;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::error::{DataFusionError, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::encryption::decrypt::FileDecryptionProperties;

/// Key of one dataset file, 32 bytes. Prints nothing of itself.
#[derive(Clone)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        FileKey(bytes)
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// One file of a version, with its decrypted footer.
#[derive(Debug)]
pub(super) struct SealedFile {
    file: File,
    metadata: ArrowReaderMetadata,
}

impl SealedFile {
    /// Decrypts and checks the footer.
    ///
    /// # Errors
    /// When the key or the place (`version/table/file`, authenticated with every page) is another one's, or the file
    /// has other columns than its manifest says.
    pub(super) fn open(file: File, key: &FileKey, place: &str, schema: &SchemaRef) -> Result<Self> {
        let properties = FileDecryptionProperties::builder(key.0.to_vec())
            .with_aad_prefix(place.as_bytes().to_vec())
            .build()
            .map_err(DataFusionError::from)?;
        let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
        let metadata = ArrowReaderMetadata::load(&file, options).map_err(DataFusionError::from)?;
        let found = metadata.schema();
        let same = found.fields().len() == schema.fields().len()
            && found
                .fields()
                .iter()
                .zip(schema.fields())
                .all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
        if !same {
            return Err(DataFusionError::Execution(format!(
                "{place} has other columns than its manifest"
            )));
        }
        Ok(SealedFile { file, metadata })
    }

    /// Reads the columns at these positions of the file, in file order.
    ///
    /// # Errors
    /// When the file cannot be read or a page does not authenticate.
    pub(super) fn read(&self, columns: &[usize], batch_rows: usize) -> Result<ParquetRecordBatchReader> {
        let file = self
            .file
            .try_clone()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
            .with_projection(mask)
            .with_batch_size(batch_rows)
            .build()
            .map_err(DataFusionError::from)
    }
}

/// Arrow's errors as the engine's.
pub(super) fn arrow_error(error: ArrowError) -> DataFusionError {
    DataFusionError::ArrowError(Box::new(error), None)
}

/// Shares a schema.
pub(super) fn shared(schema: arrow::datatypes::Schema) -> SchemaRef {
    Arc::new(schema)
}
