//! Arrow batches as bytes inside of messages: Arrow IPC streams.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

/// Batches of one schema as a stream.
///
/// # Errors
/// When a batch has another schema, or a type that the format does not have.
pub fn encode(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.into_inner()
}

/// Batches from a stream, with their schema.
///
/// # Errors
/// When the bytes are not one whole stream.
pub fn decode(bytes: &[u8]) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let reader = StreamReader::try_new(bytes, None)?;
    let schema = reader.schema();
    Ok((schema, reader.collect::<Result<_, _>>()?))
}

/// The schema of a stream.
///
/// # Errors
/// When the bytes do not begin with one.
pub fn schema_only(bytes: &[u8]) -> Result<SchemaRef, ArrowError> {
    Ok(StreamReader::try_new(bytes, None)?.schema())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    #[test]
    fn batches_and_schema_come_back_and_half_a_stream_does_not() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
        let numbers = Arc::new(Int64Array::from(vec![Some(1), None]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![numbers]).unwrap();
        let bytes = encode(&schema, std::slice::from_ref(&batch)).unwrap();
        assert_eq!(decode(&bytes).unwrap(), (Arc::clone(&schema), vec![batch]));
        assert_eq!(schema_only(&bytes).unwrap(), schema);
        let empty = encode(&schema, &[]).unwrap();
        assert_eq!(decode(&empty).unwrap(), (schema, vec![]));
        assert!(decode(bytes.get(..bytes.len() / 2).unwrap()).is_err());
        assert!(schema_only(b"").is_err());
    }
}
