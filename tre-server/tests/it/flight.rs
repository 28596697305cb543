//! Flight SQL from outside, as far as no worker is needed.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Schema;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo,
    ProstMessageExt, SqlInfo,
};
use arrow_flight::{Criteria, Empty, FlightDescriptor, FlightInfo};
use data_encoding::BASE64_NOPAD;
use futures::TryStreamExt;
use prost::Message;
use tonic::Request;
use tonic::transport::Channel;
use tre_core::permit::Role;

use crate::wire::with;
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
