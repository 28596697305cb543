//! Flight SQL from outside, as far as no worker is needed.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Schema;
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    ActionBeginTransactionRequest, Any, CommandGetCatalogs, CommandGetDbSchemas, CommandGetPrimaryKeys,
    CommandGetTables, CommandGetXdbcTypeInfo, CommandStatementIngest, CommandStatementUpdate,
    ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{Action, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, Ticket};
use data_encoding::BASE64_NOPAD;
use futures::TryStreamExt;
use prost::Message;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tre_core::audit::Event;
use tre_core::permit::Role;

use crate::world::World;

type Client = FlightSqlServiceClient<Channel>;

async fn fetch(client: &mut Client, info: FlightInfo) -> Vec<RecordBatch> {
    let ticket = info.endpoint.into_iter().next().unwrap().ticket.unwrap();
    client.do_get(ticket).await.unwrap().try_collect().await.unwrap()
}

fn texts(batches: &[RecordBatch], column: &str) -> Vec<String> {
    let columns = batches
        .iter()
        .map(|batch| batch.column_by_name(column).unwrap().as_string::<i32>());
    columns
        .flat_map(|column| column.iter().map(|text| text.unwrap().to_owned()))
        .collect()
}

fn status(error: FlightError) -> Status {
    let FlightError::Tonic(status) = error else {
        panic!("{error}")
    };
    *status
}

/// The code in the trailer.
fn code(status: &Status) -> String {
    let json = status
        .metadata()
        .get_bin("tre-error-bin")
        .expect("no trailer")
        .to_bytes()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(!json["what"].as_str().unwrap().is_empty() && !json["hint"].as_str().unwrap().is_empty());
    json["code"].as_str().unwrap().to_owned()
}

/// A bare Flight client's request, with a token or with none.
fn with<T>(token: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}

#[tokio::test]
async fn metadata_show_the_permit_and_nothing_else() {
    let world = World::start().await;
    let mut client = world.client(Some(world.token(Role::Analyst))).await;

    let info = client.get_catalogs().await.unwrap();
    assert_eq!(texts(&fetch(&mut client, info).await, "catalog_name"), ["tre"]);
    let info = client
        .get_db_schemas(CommandGetDbSchemas {
            catalog: None,
            db_schema_filter_pattern: None,
        })
        .await
        .unwrap();
    assert_eq!(
        texts(&fetch(&mut client, info).await, "db_schema_name"),
        ["liver"]
    );
    let info = client.get_table_types().await.unwrap();
    assert_eq!(texts(&fetch(&mut client, info).await, "table_type"), ["TABLE"]);

    let all = CommandGetTables {
        include_schema: true,
        ..Default::default()
    };
    let info = client.get_tables(all).await.unwrap();
    let tables = fetch(&mut client, info).await;
    assert_eq!(texts(&tables, "table_name"), ["icd10", "visit"]);
    let schemas = tables[0]
        .column_by_name("table_schema")
        .unwrap()
        .as_binary::<i32>();
    let columns = |row: usize| {
        let schema = Schema::try_from(arrow_flight::IpcMessage(schemas.value(row).to_vec().into())).unwrap();
        schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(columns(0), ["code"], "a public table has no pid");
    assert_eq!(columns(1), ["pid", "age"]);

    let some = CommandGetTables {
        table_name_filter_pattern: Some("vis%".into()),
        ..Default::default()
    };
    let info = client.get_tables(some).await.unwrap();
    assert_eq!(texts(&fetch(&mut client, info).await, "table_name"), ["visit"]);
    world.stop().await;
}

#[tokio::test]
async fn drivers_learn_what_the_server_can_do() {
    let world = World::start().await;
    let mut client = world.client(Some(world.token(Role::Analyst))).await;
    let info = client
        .get_sql_info(vec![
            SqlInfo::FlightSqlServerTransaction,
            SqlInfo::FlightSqlServerName,
        ])
        .await
        .unwrap();
    assert_eq!(fetch(&mut client, info).await[0].num_rows(), 2);
    let info = client
        .get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None })
        .await
        .unwrap();
    assert_eq!(texts(&fetch(&mut client, info).await, "type_name").len(), 6);
    let keys = CommandGetPrimaryKeys {
        catalog: None,
        db_schema: None,
        table: "visit".into(),
    };
    let info = client.get_primary_keys(keys).await.unwrap();
    let keys = fetch(&mut client, info).await;
    assert!(
        keys.iter().all(|batch| batch.num_rows() == 0),
        "empty, not unimplemented"
    );
    world.stop().await;
}

#[tokio::test]
async fn calls_that_the_library_leaves_out_are_answered() {
    let world = World::start().await;
    let token = Some(world.token(Role::Analyst));
    let mut flight = FlightServiceClient::new(world.channel().await);
    let tables = FlightDescriptor::new_cmd(CommandGetCatalogs {}.as_any().encode_to_vec());

    let schema = flight
        .get_schema(with(token, tables.clone()))
        .await
        .unwrap()
        .into_inner();
    let schema = Schema::try_from(arrow_flight::IpcMessage(schema.schema)).unwrap();
    assert_eq!(schema.field(0).name(), "catalog_name");
    let poll = flight
        .poll_flight_info(with(token, tables))
        .await
        .unwrap()
        .into_inner();
    assert!(
        poll.flight_descriptor.is_none() && poll.info.is_some(),
        "complete at once"
    );
    let flights = flight
        .list_flights(with(token, Criteria::default()))
        .await
        .unwrap()
        .into_inner();
    assert!(flights.try_collect::<Vec<_>>().await.unwrap().is_empty());
    let actions = flight
        .list_actions(with(token, Empty {}))
        .await
        .unwrap()
        .into_inner();
    let actions: Vec<_> = actions.try_collect().await.unwrap();
    assert!(actions.iter().any(|action| action.r#type == "CloseSession"));
    assert!(
        actions
            .iter()
            .all(|action| !action.r#type.contains("Transaction") && !action.r#type.contains("Substrait"))
    );
    world.stop().await;
}

#[tokio::test]
async fn the_password_of_a_handshake_is_the_token_padded_or_not() {
    let world = World::start().await;
    let token = world.token(Role::Analyst).to_owned();
    let mut client = world.client(None).await;
    assert_eq!(client.handshake("ana", &token).await.unwrap(), token.as_bytes());

    // Go's clients leave the padding out and read the token from the response's header.
    for user in ["a", "an", "ana"] {
        let mut request = Request::new(futures::stream::iter([]));
        let basic = format!(
            "Basic {}",
            BASE64_NOPAD.encode(format!("{user}:{token}").as_bytes())
        );
        request
            .metadata_mut()
            .insert("authorization", basic.parse().unwrap());
        let response = FlightServiceClient::new(world.channel().await)
            .handshake(request)
            .await
            .unwrap();
        let header = response
            .metadata()
            .get("authorization")
            .unwrap()
            .to_str()
            .unwrap();
        assert_eq!(header, format!("Bearer {token}"));
    }
    // A client that has a token sends it with every call, so the wrong password needs one that has none.
    let wrong = world
        .client(None)
        .await
        .handshake("ana", "swordfish")
        .await
        .unwrap_err();
    assert!(wrong.to_string().contains("TRE-AUTH-002"), "{wrong}");
    world.stop().await;
}

#[tokio::test]
async fn without_a_good_token_nothing_is_answered_and_refusals_are_logged() {
    let world = World::start().await;
    let stranger = |token: Option<&'static str>| world.client(token);
    let missing = status(stranger(None).await.get_catalogs().await.unwrap_err());
    assert_eq!(
        (missing.code(), code(&missing).as_str()),
        (Code::Unauthenticated, "TRE-AUTH-001")
    );
    for token in ["alice", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        let bad = status(stranger(Some(token)).await.get_catalogs().await.unwrap_err());
        assert_eq!(
            (bad.code(), code(&bad).as_str()),
            (Code::Unauthenticated, "TRE-AUTH-002"),
            "{token}"
        );
    }
    let events = world.stop().await;
    let refused = events
        .iter()
        .filter(|event| matches!(event, Event::TokenRefused { .. }))
        .count();
    assert_eq!(refused, 3, "a call without token is nobody's");
}

#[tokio::test]
async fn every_call_of_flight_refuses_strangers() {
    let world = World::start().await;
    let mut flight = FlightServiceClient::new(world.channel().await);
    let descriptor = || FlightDescriptor::new_cmd(CommandGetCatalogs {}.as_any().encode_to_vec());
    let nothing = || futures::stream::iter(Vec::<FlightData>::new());
    let mut refusals: Vec<(&str, Status)> = vec![
        (
            "ListFlights",
            flight
                .list_flights(with(None, Criteria::default()))
                .await
                .err()
                .unwrap(),
        ),
        (
            "GetFlightInfo",
            flight
                .get_flight_info(with(None, descriptor()))
                .await
                .err()
                .unwrap(),
        ),
        (
            "PollFlightInfo",
            flight
                .poll_flight_info(with(None, descriptor()))
                .await
                .err()
                .unwrap(),
        ),
        (
            "GetSchema",
            flight.get_schema(with(None, descriptor())).await.err().unwrap(),
        ),
        (
            "DoGet",
            flight
                .do_get(with(None, Ticket::new(descriptor().cmd)))
                .await
                .err()
                .unwrap(),
        ),
        ("DoPut", flight.do_put(with(None, nothing())).await.err().unwrap()),
        (
            "DoExchange",
            flight.do_exchange(with(None, nothing())).await.err().unwrap(),
        ),
        (
            "ListActions",
            flight.list_actions(with(None, Empty {})).await.err().unwrap(),
        ),
    ];
    for action in [
        "CreatePreparedStatement",
        "ClosePreparedStatement",
        "CreatePreparedSubstraitPlan",
        "BeginTransaction",
        "EndTransaction",
        "BeginSavepoint",
        "EndSavepoint",
        "CancelQuery",
        "CancelFlightInfo",
        "SetSessionOptions",
        "GetSessionOptions",
        "CloseSession",
        "RenewFlightEndpoint",
        "Anything",
    ] {
        let body = Any {
            type_url: format!("type.googleapis.com/arrow.flight.protocol.sql.Action{action}Request"),
            value: Default::default(),
        };
        let request = with(None, Action::new(action, body.encode_to_vec()));
        refusals.push((action, flight.do_action(request).await.err().unwrap()));
    }
    for (call, status) in refusals {
        assert_eq!(status.code(), Code::Unauthenticated, "{call}: {status}");
    }
    world.stop().await;
}

#[tokio::test]
async fn only_analysts_of_the_permit_reach_flight() {
    let world = World::start().await;
    for role in [Role::Checker, Role::Operator, Role::Auditor] {
        let mut client = world.client(Some(world.token(role))).await;
        for refused in [
            status(client.get_catalogs().await.unwrap_err()),
            status(client.execute("select 1".into(), None).await.unwrap_err()),
        ] {
            assert_eq!(
                (refused.code(), code(&refused).as_str()),
                (Code::PermissionDenied, "TRE-AUTH-005"),
                "{role}"
            );
        }
        assert!(client.handshake("x", world.token(role)).await.is_err());
    }
    let events = world.stop().await;
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::ControlRefused { call, .. } if call == "Plan"))
    );
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::SessionOpened { .. }))
    );
}

#[tokio::test]
async fn a_permit_that_ended_ends_access_at_once() {
    let world = World::start_expired().await;
    let mut client = world.client(Some(world.token(Role::Analyst))).await;
    let refused = status(client.get_catalogs().await.unwrap_err());
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    // The server that started after the last day closed the project: its key is gone, its tokens are revoked.
    assert_eq!(code(&refused), "TRE-AUTH-004");
    let events = world.stop().await;
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::ProjectClosed { .. }))
    );
}

#[tokio::test]
async fn uploads_updates_transactions_and_other_plans_are_refused() {
    let world = World::start().await;
    let token = Some(world.token(Role::Analyst));
    let mut flight = FlightServiceClient::new(world.channel().await);
    let put = |command: Any| {
        let descriptor = FlightDescriptor::new_cmd(command.encode_to_vec());
        futures::stream::iter([FlightData::new().with_descriptor(descriptor)])
    };
    let update = CommandStatementUpdate {
        query: "delete from visit".into(),
        transaction_id: None,
    }
    .as_any();
    let ingest = CommandStatementIngest {
        table: "mine".into(),
        ..Default::default()
    }
    .as_any();
    for (name, command) in [("update", update), ("ingest", ingest)] {
        let refused = flight.do_put(with(token, put(command))).await.err().unwrap();
        assert_eq!(
            (refused.code(), code(&refused).as_str()),
            (Code::InvalidArgument, "TRE-SQL-002"),
            "{name}"
        );
    }
    let begin = Action::new(
        "BeginTransaction",
        ActionBeginTransactionRequest {}.as_any().encode_to_vec(),
    );
    let refused = flight.do_action(with(token, begin)).await.err().unwrap();
    assert_eq!(
        (refused.code(), code(&refused).as_str()),
        (Code::Unimplemented, "TRE-RUN-008")
    );
    let exchange = flight
        .do_exchange(with(token, futures::stream::iter(Vec::<FlightData>::new())))
        .await
        .err()
        .unwrap();
    assert_eq!(code(&exchange), "TRE-RUN-008");
    world.stop().await;
}

#[tokio::test]
async fn a_session_whose_desk_cannot_start_says_so_without_a_path() {
    let world = World::start().await;
    let mut client = world.client(Some(world.token(Role::Analyst))).await;
    let refused = status(
        client
            .execute("select count(*) from visit".into(), None)
            .await
            .unwrap_err(),
    );
    assert_eq!(code(&refused), "TRE-RUN-013");
    assert!(!refused.message().contains("nonexistent"), "{refused}");
    let ticket = TicketStatementQuery {
        statement_handle: "00".into(),
    }
    .as_any()
    .encode_to_vec();
    assert!(client.do_get(Ticket::new(ticket)).await.is_err());
    world.stop().await;
}

#[tokio::test]
async fn messages_that_cannot_be_read_have_a_code_and_tell_nothing_of_the_decoder() {
    let world = World::start().await;
    let mut flight = FlightServiceClient::new(world.channel().await);
    let garbage: [&[u8]; 3] = [b"nonsense", b"\xff\xff\xff\xff", &[0x0a, 0x7f]];
    for bytes in garbage {
        for token in [None, Some(world.token(Role::Analyst))] {
            let descriptor = FlightDescriptor::new_cmd(bytes.to_vec());
            let put = futures::stream::iter([FlightData::new().with_descriptor(descriptor.clone())]);
            let refusals = [
                flight
                    .get_flight_info(with(token, descriptor))
                    .await
                    .err()
                    .unwrap(),
                flight
                    .do_get(with(token, Ticket::new(bytes.to_vec())))
                    .await
                    .err()
                    .unwrap(),
                flight.do_put(with(token, put)).await.err().unwrap(),
                flight
                    .do_action(with(
                        token,
                        Action::new("CreatePreparedStatement", bytes.to_vec()),
                    ))
                    .await
                    .err()
                    .unwrap(),
                flight
                    .do_action(with(token, Action::new("BeginTransaction", bytes.to_vec())))
                    .await
                    .err()
                    .unwrap(),
            ];
            for refused in refusals {
                let expected = if token.is_some() {
                    Code::InvalidArgument
                } else {
                    Code::Unauthenticated
                };
                assert_eq!(refused.code(), expected, "{bytes:?}: {refused}");
                assert!(code(&refused).starts_with("TRE-"), "{refused}");
                assert!(!refused.message().contains("Decode"), "{refused}");
            }
        }
    }
    world.stop().await;
}
