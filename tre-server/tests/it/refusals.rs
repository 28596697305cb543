//! What Flight SQL refuses, to whom, and how that looks on the wire.

use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::{
    ActionBeginTransactionRequest, Any, CommandGetCatalogs, CommandStatementIngest, CommandStatementUpdate,
    ProstMessageExt, TicketStatementQuery,
};
use arrow_flight::{Action, Criteria, Empty, FlightData, FlightDescriptor, Ticket};
use prost::Message;
use tonic::{Code, Status};
use tre_core::audit::Event;
use tre_core::permit::Role;

use crate::wire::{code, status, with};
use crate::world::World;

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
