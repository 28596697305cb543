//! Encrypted Parquet from an open file: what a jailed worker without a file system can read.

use std::fs::File;
use std::io::{BufReader, Read, Result as IoResult};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
use bytes::Bytes;
use datafusion::error::{DataFusionError, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{ChunkReader, Length};

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

/// A file that is read by position. Threads and joins read one file at once; descriptors that were duplicated share one
/// offset, so reading by seeking would hand one reader the other's bytes.
#[derive(Debug, Clone)]
struct Positioned {
    file: Arc<File>,
    length: u64,
}

/// Bytes from a position on.
struct FromPosition {
    file: Arc<File>,
    at: u64,
}

impl Read for FromPosition {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Length for Positioned {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Positioned {
    type T = BufReader<FromPosition>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(FromPosition {
            file: Arc::clone(&self.file),
            at: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        // A length comes from an authenticated footer or page header; it still cannot be longer than the file.
        if start.saturating_add(length as u64) > self.length {
            return Err(parquet::errors::ParquetError::EOF(format!(
                "{length} bytes at {start} are not there"
            )));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// One file of a version, with its decrypted footer.
#[derive(Debug)]
pub(super) struct SealedFile {
    file: Positioned,
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
        let length = file
            .metadata()
            .map_err(|error| DataFusionError::External(Box::new(error)))?
            .len();
        let file = Positioned {
            file: Arc::new(file),
            length,
        };
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

    /// Reads the columns at these positions of the file, in file order; text at the `coded` ones as codes of a
    /// dictionary, see [`coded_type`].
    ///
    /// # Errors
    /// When the file cannot be read or a page does not authenticate.
    pub(super) fn read(
        &self,
        columns: &[usize],
        coded: &[usize],
        batch_rows: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), columns.iter().copied());
        let metadata = if coded.is_empty() {
            self.metadata.clone()
        } else {
            let fields = self.metadata.schema().fields().iter().enumerate();
            let fields = fields.map(|(position, field)| match coded.contains(&position) {
                true => Arc::new(field.as_ref().clone().with_data_type(coded_type())),
                false => Arc::clone(field),
            });
            let schema = shared(Schema::new(fields.collect::<Vec<_>>()));
            let options = ArrowReaderOptions::new().with_schema(schema);
            ArrowReaderMetadata::try_new(Arc::clone(self.metadata.metadata()), options)
                .map_err(DataFusionError::from)?
        };
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.file.clone(), metadata)
            .with_projection(mask)
            .with_batch_size(batch_rows)
            .build()
            .map_err(DataFusionError::from)
    }
}

/// Type of a text column that is read as it is stored: a code per row, and the texts once.
pub(super) fn coded_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Arrow's errors as the engine's.
pub(super) fn arrow_error(error: ArrowError) -> DataFusionError {
    DataFusionError::ArrowError(Box::new(error), None)
}

/// Shares a schema.
pub(super) fn shared(schema: Schema) -> SchemaRef {
    Arc::new(schema)
}
