//! Schemas, rows and bound values as Flight's messages hold them.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::server::PeekableFlightDataStream;
use arrow_flight::{
    FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket,
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tonic::{Request, Response, Status};
use tre_core::codes::{self, Problem};
use tre_proto::batches::encode;

use super::Replies;
use crate::fault::status;

/// Most bytes of bound values.
const MAX_BOUND: usize = 1 << 20;

/// A schema as Flight's messages hold it.
pub(super) fn schema_message(schema: &Schema) -> Result<Bytes, Status> {
    let message: Result<IpcMessage, _> = SchemaAsIpc::new(schema, &IpcWriteOptions::default()).try_into();
    message
        .map(|message| message.0)
        .map_err(|_| internal("a schema cannot be written"))
}

pub(super) fn internal(what: &str) -> Status {
    status(Problem::of(&codes::RUN_INTERNAL, what))
}

/// A FlightInfo with one ticket.
pub(super) fn info(
    descriptor: FlightDescriptor,
    ticket: Vec<u8>,
    schema: &Schema,
) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket {
        ticket: ticket.into(),
    });
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(|_| internal("a schema cannot be written"))?;
    Ok(Response::new(
        info.with_endpoint(endpoint).with_descriptor(descriptor),
    ))
}

/// Batches as an answer.
pub(super) fn rows(schema: SchemaRef, batches: Vec<RecordBatch>) -> Response<Replies<FlightData>> {
    let batches = futures::stream::iter(batches.into_iter().map(Ok));
    let data = FlightDataEncoderBuilder::new().with_schema(schema).build(batches);
    Response::new(Box::pin(
        data.map_err(|_| internal("an answer cannot be written")),
    ))
}

/// The bound values of a statement, as an Arrow IPC stream of one row.
pub(super) async fn bound_values(
    request: Request<PeekableFlightDataStream>,
) -> Result<(SchemaRef, Vec<u8>), Status> {
    let wrong = |what: &str| status(Problem::of(&codes::SQL_PARAMETERS, what));
    let mut bytes = 0_usize;
    let data = request.into_inner().map(move |data| {
        let data = data?;
        bytes = bytes.saturating_add(data.data_body.len());
        if bytes > MAX_BOUND {
            Err(wrong("the bound values are larger than 1 MiB"))
        } else {
            Ok(data)
        }
    });
    let stream = FlightRecordBatchStream::new_from_flight_data(data.map_err(FlightError::from));
    let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(|error| {
        if let FlightError::Tonic(status) = error {
            *status
        } else {
            wrong("the bound values cannot be read")
        }
    })?;
    let schema = batches
        .first()
        .map(RecordBatch::schema)
        .ok_or_else(|| wrong("no values were bound"))?;
    let batch = concat_batches(&schema, &batches).map_err(|_| wrong("the bound values cannot be read"))?;
    if batch.num_rows() != 1 {
        return Err(wrong(
            "bind one row of values: several queries at once are not run",
        ));
    }
    let bytes = encode(&schema, &[batch]).map_err(|_| wrong("the bound values cannot be read"))?;
    Ok((schema, bytes))
}
