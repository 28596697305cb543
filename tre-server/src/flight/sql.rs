//! The commands of Flight SQL.

use std::sync::Arc;

use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionBeginSavepointRequest, ActionBeginSavepointResult, ActionBeginTransactionRequest,
    ActionBeginTransactionResult, ActionCancelQueryRequest, ActionCancelQueryResult,
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest,
    ActionCreatePreparedStatementResult, ActionCreatePreparedSubstraitPlanRequest, ActionEndSavepointRequest,
    ActionEndTransactionRequest, Any, Command, CommandPreparedStatementQuery, CommandPreparedStatementUpdate,
    CommandStatementIngest, CommandStatementQuery, CommandStatementSubstraitPlan, CommandStatementUpdate,
    DoPutPreparedStatementResult, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{
    Action, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket,
};
use futures::future::{AbortHandle, Abortable};
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status, Streaming};
use tre_core::codes::{self, Problem};
use tre_core::permit::ExitName;

use super::actions::{self, unreadable};
use super::statements::{Client, Clients, Statement};
use super::wire::{bound_values, info, internal, rows, schema_message};
use super::{Flight, Replies, access, not_served, only_select};
use crate::authz::Action as May;
use crate::core::{Core, Project};
use crate::fault::{Fault, status};
use crate::pipeline::{self, Answer};
use crate::sessions::{Session, Sessions};

/// Longest SQL text; the desk has its own limits on what is in it.
const MAX_SQL: usize = 256 << 10;

/// The service behind [`Flight`].
#[derive(Clone)]
pub(super) struct Sql {
    core: Arc<Core>,
    clients: Arc<Clients>,
}

impl std::fmt::Debug for Sql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sql")
    }
}

/// A caller in their session.
struct Seat {
    session: Arc<Session>,
    client: Arc<Client>,
}

impl Sql {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Sql {
            core,
            clients: Arc::default(),
        }
    }

    /// The project of a call that reads names only; it opens no session.
    pub(super) async fn describing(&self, metadata: &MetadataMap) -> Result<Project, Status> {
        let caller = access::caller(&self.core, metadata).await?;
        access::project(&self.core, &caller, May::Describe).await
    }

    /// The session of a call, after asking whether its caller may do `action` now.
    async fn seat(&self, metadata: &MetadataMap, action: May) -> Result<Seat, Status> {
        let caller = access::caller(&self.core, metadata).await?;
        access::project(&self.core, &caller, action).await?;
        let session = Sessions::of(&self.core, &caller).await.map_err(status)?;
        let living: Vec<_> = self
            .core
            .sessions
            .list()
            .iter()
            .map(|session| session.id.clone())
            .collect();
        Ok(Seat {
            client: self.clients.of(&session.id, &living),
            session,
        })
    }

    /// Plans a query and keeps it.
    async fn prepare(
        &self,
        seat: &Seat,
        sql: &str,
        bound: Option<Vec<u8>>,
    ) -> Result<Arc<Statement>, Status> {
        if sql.len() > MAX_SQL {
            let what = format!("the SQL text has {} bytes, more than {MAX_SQL}", sql.len());
            return Err(status(Problem::of(&codes::SQL_TOO_LARGE, what)));
        }
        let disclosure = seat.client.disclosure();
        let prepared = pipeline::prepare(&self.core, &seat.session, ExitName::View, sql, bound, disclosure);
        let prepared = prepared.await.map_err(Fault::from)?;
        let handle = data_encoding::HEXLOWER.encode(&self.core.random::<32>().map_err(status)?);
        let statement = Arc::new(Statement::new(handle.clone(), prepared));
        seat.client
            .statements
            .put(handle, Arc::clone(&statement), self.core.now());
        Ok(statement)
    }

    fn statement(&self, seat: &Seat, handle: &[u8]) -> Result<Arc<Statement>, Status> {
        seat.client
            .statements
            .get(handle, self.core.now())
            .map_err(status)
    }

    /// The answer of a statement: the stored one, or the one that is made now. Dropping the call stops the query.
    async fn answer(&self, seat: &Seat, statement: &Statement) -> Result<Arc<Answer>, Status> {
        let mut stored = statement.answer.lock().await;
        if let Some(answer) = &*stored {
            return Ok(Arc::clone(answer));
        }
        let (handle, registration) = AbortHandle::new_pair();
        statement.set_running(Some(handle));
        let running = Abortable::new(
            pipeline::answer(&self.core, &seat.session, &statement.prepared),
            registration,
        );
        let ended = running.await;
        statement.set_running(None);
        let cancelled = |_| status(Problem::of(&codes::RUN_CANCELLED, codes::RUN_CANCELLED.title));
        let answer = Arc::new(ended.map_err(cancelled)?.map_err(Fault::from)?);
        *stored = Some(Arc::clone(&answer));
        Ok(answer)
    }

    async fn get(
        &self,
        metadata: &MetadataMap,
        handle: &[u8],
    ) -> Result<Response<Replies<FlightData>>, Status> {
        let seat = self.seat(metadata, May::Query).await?;
        let statement = self.statement(&seat, handle)?;
        let answer = self.answer(&seat, &statement).await?;
        Ok(rows(Arc::clone(&answer.schema), answer.batches.clone()))
    }
}

#[tonic::async_trait]
impl FlightSqlService for Sql {
    type FlightService = Flight;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Replies<HandshakeResponse>>, Status> {
        let token = access::handshake_token(request.metadata())?;
        let caller = self.core.caller(&token).await.map_err(status)?;
        access::project(&self.core, &caller, May::Connect).await?;
        let header = format!("Bearer {token}");
        let reply = HandshakeResponse {
            protocol_version: 0,
            payload: token.into(),
        };
        let mut response: Response<Replies<HandshakeResponse>> =
            Response::new(Box::pin(futures::stream::iter([Ok(reply)])));
        let value = MetadataValue::try_from(header).map_err(|_| internal("a token cannot be a header"))?;
        response.metadata_mut().insert("authorization", value);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let seat = self.seat(request.metadata(), May::Plan).await?;
        if query.transaction_id.is_some() {
            return Err(not_served("a transaction"));
        }
        let statement = self.prepare(&seat, &query.query, None).await?;
        let ticket = TicketStatementQuery {
            statement_handle: statement.handle.clone().into(),
        };
        info(
            request.into_inner(),
            ticket.as_any().encode_to_vec(),
            &statement.prepared.schema,
        )
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Replies<FlightData>>, Status> {
        self.get(request.metadata(), &ticket.statement_handle).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let seat = self.seat(request.metadata(), May::Plan).await?;
        if query.transaction_id.is_some() {
            return Err(not_served("a transaction"));
        }
        let statement = self.prepare(&seat, &query.query, None).await?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: statement.handle.clone().into(),
            dataset_schema: schema_message(&statement.prepared.schema)?,
            parameter_schema: schema_message(&statement.prepared.parameters)?,
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let seat = self.seat(request.metadata(), May::Plan).await?;
        let statement = self.statement(&seat, &query.prepared_statement_handle)?;
        let (schema, values) = bound_values(request).await?;
        if statement.prepared.parameters.fields().is_empty() && schema.fields().is_empty() {
            return Ok(DoPutPreparedStatementResult {
                prepared_statement_handle: Some(query.prepared_statement_handle),
            });
        }
        let bound = self.prepare(&seat, &statement.prepared.sql, Some(values)).await?;
        Ok(DoPutPreparedStatementResult {
            prepared_statement_handle: Some(bound.handle.clone().into()),
        })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let seat = self.seat(request.metadata(), May::Plan).await?;
        let statement = self.statement(&seat, &query.prepared_statement_handle)?;
        info(
            request.into_inner(),
            query.as_any().encode_to_vec(),
            &statement.prepared.schema,
        )
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Replies<FlightData>>, Status> {
        self.get(request.metadata(), &query.prepared_statement_handle)
            .await
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        let seat = self.seat(request.metadata(), May::Connect).await?;
        seat.client.statements.remove(&query.prepared_statement_handle);
        Ok(())
    }

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        request: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let seat = self.seat(request.metadata(), May::Connect).await?;
        let flight = FlightInfo::decode(query.info).map_err(|_| unreadable("CancelQuery"))?;
        // 1: cancelled, 3: there was nothing to cancel.
        let result = if cancel(&seat, actions::handles_of(flight), &self.core) {
            1
        } else {
            3
        };
        Ok(ActionCancelQueryResult { result })
    }

    async fn do_action_fallback(
        &self,
        request: Request<Action>,
    ) -> Result<Response<Replies<arrow_flight::Result>>, Status> {
        let seat = self.seat(request.metadata(), May::Connect).await?;
        let action = request.into_inner();
        let body = match action.r#type.as_str() {
            "SetSessionOptions" => actions::set_options(&seat.client, &action.body)?,
            "GetSessionOptions" => actions::get_options(&seat.client),
            "CloseSession" => {
                Sessions::end(&self.core, &seat.session.id, "it was closed").await;
                actions::closed()
            }
            "CancelFlightInfo" => actions::cancel_result(cancel(
                &seat,
                actions::cancelled_handles(&action.body)?,
                &self.core,
            )),
            other => {
                return Err(not_served(&format!(
                    "the action `{}`",
                    other.chars().take(80).collect::<String>()
                )));
            }
        };
        Ok(Response::new(Box::pin(futures::stream::iter([Ok(
            arrow_flight::Result { body: body.into() },
        )]))))
    }

    // What is refused. DoPut has asked who calls already; the others ask here, so that strangers learn nothing.

    async fn get_flight_info_substrait_plan(
        &self,
        _: CommandStatementSubstraitPlan,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("a Substrait plan"))
    }

    async fn get_flight_info_fallback(
        &self,
        _: Command,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("this command"))
    }

    async fn do_get_fallback(
        &self,
        request: Request<Ticket>,
        _: Any,
    ) -> Result<Response<Replies<FlightData>>, Status> {
        self.describing(request.metadata()).await?;
        Err(status(Problem::of(
            &codes::RUN_UNKNOWN_HANDLE,
            "the ticket is not one of this server",
        )))
    }

    async fn do_put_statement_update(
        &self,
        _: CommandStatementUpdate,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(only_select("an update"))
    }

    async fn do_put_prepared_statement_update(
        &self,
        _: CommandPreparedStatementUpdate,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(only_select("an update"))
    }

    async fn do_put_statement_ingest(
        &self,
        _: CommandStatementIngest,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(only_select("an upload"))
    }

    async fn do_put_substrait_plan(
        &self,
        _: CommandStatementSubstraitPlan,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(not_served("a Substrait plan"))
    }

    async fn do_action_create_prepared_substrait_plan(
        &self,
        _: ActionCreatePreparedSubstraitPlanRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("a Substrait plan"))
    }

    async fn do_action_begin_transaction(
        &self,
        _: ActionBeginTransactionRequest,
        request: Request<Action>,
    ) -> Result<ActionBeginTransactionResult, Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("a transaction"))
    }

    async fn do_action_end_transaction(
        &self,
        _: ActionEndTransactionRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("a transaction"))
    }

    async fn do_action_begin_savepoint(
        &self,
        _: ActionBeginSavepointRequest,
        request: Request<Action>,
    ) -> Result<ActionBeginSavepointResult, Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("a savepoint"))
    }

    async fn do_action_end_savepoint(
        &self,
        _: ActionEndSavepointRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        self.describing(request.metadata()).await?;
        Err(not_served("a savepoint"))
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}

/// Stops queries of this session; says whether one ran.
fn cancel(seat: &Seat, handles: Vec<Vec<u8>>, core: &Core) -> bool {
    let mut any = false;
    for handle in handles {
        if let Ok(statement) = seat.client.statements.get(&handle, core.now()) {
            any |= statement.cancel();
        }
    }
    any
}
