//! Flight SQL as ADBC, JDBC, ODBC and pyarrow really speak it.
//!
//! Clients prepare a statement for every query, bind by position, plan with GetFlightInfo and fetch with DoGet. So
//! GetFlightInfo only plans, the first DoGet of a statement executes, judges and records, and a repeated one gets the
//! stored answer. Uploads, updates, transactions, savepoints and Substrait plans are refused. Metadata come from the
//! permit alone and need no worker.
//!
//! The library's [`FlightSqlService`](arrow_flight::sql::server::FlightSqlService) dispatches commands ([`sql`]); what it
//! answers itself and wrongly (GetSchema, PollFlightInfo, ListFlights, ListActions) is answered by the newtype [`Flight`].

mod access;
mod actions;
mod handles;
mod metadata;
mod sql;
mod statements;
mod wire;

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::Stream;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};
use tre_core::codes::{self, Problem};

use crate::core::Core;
use crate::fault::{is_coded, status};
use metadata::Asked;
use sql::Sql;

/// Largest message that a client may send: SQL text and bound values are far smaller.
const MAX_REQUEST: usize = 4 << 20;

/// What a streaming call answers.
type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The service for the listening port.
pub(crate) fn service(core: Arc<Core>) -> FlightServiceServer<Flight> {
    FlightServiceServer::new(Flight(Sql::new(core))).max_decoding_message_size(MAX_REQUEST)
}

/// A part of Flight SQL that is not offered.
fn not_served(what: &str) -> Status {
    status(Problem::of(
        &codes::RUN_NOT_SERVED,
        format!("{what} is not served"),
    ))
}

/// Everything but a SELECT.
fn only_select(what: &str) -> Status {
    status(Problem::of(
        &codes::SQL_NOT_A_QUERY,
        format!("{what} cannot be run"),
    ))
}

/// Flight with what the library leaves out.
#[derive(Debug)]
pub(crate) struct Flight(Sql);

impl Flight {
    /// What the library refuses by itself (messages that cannot be read, mostly) has neither asked who calls nor a code: a
    /// stranger hears that they are one, others that the call cannot be read.
    async fn coded<T>(&self, headers: &MetadataMap, result: Result<T, Status>) -> Result<T, Status> {
        match result {
            Err(refused) if !is_coded(&refused) => {
                self.0.describing(headers).await?;
                Err(status(Problem::of(
                    &codes::RUN_BAD_CALL,
                    codes::RUN_BAD_CALL.title,
                )))
            }
            result => result,
        }
    }

    /// Metadata of the caller's project.
    async fn described(&self, headers: &MetadataMap, asked: Asked) -> Result<RecordBatch, Status> {
        let project = self.0.describing(headers).await?;
        metadata::answer(asked, &project.grant).map_err(|error| wire::internal(&error.to_string()))
    }
}

#[tonic::async_trait]
impl FlightService for Flight {
    type HandshakeStream = Replies<HandshakeResponse>;
    type ListFlightsStream = Replies<FlightInfo>;
    type DoGetStream = Replies<FlightData>;
    type DoPutStream = Replies<PutResult>;
    type DoActionStream = Replies<arrow_flight::Result>;
    type ListActionsStream = Replies<ActionType>;
    type DoExchangeStream = Replies<FlightData>;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        FlightService::handshake(&self.0, request).await
    }

    /// There are no flights but those that a statement makes.
    async fn list_flights(
        &self,
        request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        self.0.describing(request.metadata()).await?;
        Ok(Response::new(Box::pin(futures::stream::empty())))
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        if let Some(asked) = metadata::asked(&request.get_ref().cmd) {
            let batch = self.described(request.metadata(), asked).await?;
            // The command is its own ticket.
            let ticket = request.get_ref().cmd.to_vec();
            return wire::info(request.into_inner(), ticket, &batch.schema());
        }
        let headers = request.metadata().clone();
        let result = FlightService::get_flight_info(&self.0, request).await;
        self.coded(&headers, result).await
    }

    /// GetFlightInfo only plans, so there is nothing to wait for.
    async fn poll_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<PollInfo>, Status> {
        let info = self.get_flight_info(request).await?.into_inner();
        Ok(Response::new(PollInfo {
            info: Some(info),
            flight_descriptor: None,
            progress: Some(1.0),
            expiration_time: None,
        }))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let info = self.get_flight_info(request).await?.into_inner();
        Ok(Response::new(SchemaResult { schema: info.schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        if let Some(asked) = metadata::asked(&request.get_ref().ticket) {
            let batch = self.described(request.metadata(), asked).await?;
            return Ok(wire::rows(batch.schema(), vec![batch]));
        }
        let headers = request.metadata().clone();
        let result = FlightService::do_get(&self.0, request).await;
        self.coded(&headers, result).await
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        // Uploads are refused before a byte of them is read, from strangers too.
        self.0.describing(request.metadata()).await?;
        let headers = request.metadata().clone();
        let result = FlightService::do_put(&self.0, request).await;
        self.coded(&headers, result).await
    }

    async fn do_exchange(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        self.0.describing(request.metadata()).await?;
        Err(not_served("DoExchange"))
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        let headers = request.metadata().clone();
        let result = FlightService::do_action(&self.0, request).await;
        self.coded(&headers, result).await
    }

    /// Only what is really served.
    async fn list_actions(
        &self,
        request: Request<Empty>,
    ) -> Result<Response<Self::ListActionsStream>, Status> {
        self.0.describing(request.metadata()).await?;
        let listed = actions::SERVED.iter().map(|(name, description)| {
            Ok(ActionType {
                r#type: (*name).to_owned(),
                description: (*description).to_owned(),
            })
        });
        Ok(Response::new(Box::pin(futures::stream::iter(
            listed.collect::<Vec<_>>(),
        ))))
    }
}
