//! Actions that the library does not know: session options, the end of a session, cancelling. Their messages are those of
//! Flight's protocol, written by hand, as the library does not generate them.

use std::collections::HashMap;

use arrow_flight::sql::{Any, CommandPreparedStatementQuery, TicketStatementQuery};
use arrow_flight::{CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo, Ticket};
use prost::Message;
use tonic::Status;
use tre_core::codes::{self, Problem};

use super::metadata::{CATALOG, PROJECT_SCHEMA};
use super::statements::Client;
use crate::fault::status;

/// What is served, as ListActions says.
pub(super) const SERVED: [(&str, &str); 8] = [
    ("CreatePreparedStatement", "plans one SELECT"),
    ("ClosePreparedStatement", "forgets a statement"),
    ("CancelQuery", "stops a running query"),
    ("CancelFlightInfo", "stops a running query"),
    (
        "SetSessionOptions",
        "sets `tre.disclosure`: whether answers end with the column `disclosure`",
    ),
    ("GetSessionOptions", "the session's options"),
    ("CloseSession", "ends the session"),
    ("ListActions", "this list"),
];

/// Session option: whether answers end with the column `disclosure`, `on` or `off`.
const DISCLOSURE: &str = "tre.disclosure";

#[derive(Clone, PartialEq, Message)]
struct OptionValue {
    #[prost(oneof = "value::Value", tags = "1, 2, 3, 4, 5")]
    value: Option<value::Value>,
}

mod value {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(super) enum Value {
        #[prost(string, tag = "1")]
        Text(String),
        #[prost(bool, tag = "2")]
        Bool(bool),
        #[prost(sfixed64, tag = "3")]
        Int(i64),
        #[prost(double, tag = "4")]
        Double(f64),
        #[prost(message, tag = "5")]
        List(super::TextList),
    }
}

#[derive(Clone, PartialEq, Message)]
struct TextList {
    #[prost(string, repeated, tag = "1")]
    values: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct SetSessionOptionsRequest {
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, OptionValue>,
}

#[derive(Clone, PartialEq, Message)]
struct SetSessionOptionsResult {
    #[prost(map = "string, message", tag = "1")]
    errors: HashMap<String, OptionError>,
}

/// `value`: 1 for a name that is not known, 2 for a value that cannot be.
#[derive(Clone, Copy, PartialEq, Message)]
struct OptionError {
    #[prost(int32, tag = "1")]
    value: i32,
}

const INVALID_NAME: i32 = 1;
const INVALID_VALUE: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct GetSessionOptionsResult {
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, OptionValue>,
}

/// `status`: 1 for closed.
#[derive(Clone, Copy, PartialEq, Message)]
struct CloseSessionResult {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// Sets options; says which could not be set.
pub(super) fn set_options(client: &Client, body: &[u8]) -> Result<Vec<u8>, Status> {
    let request = SetSessionOptionsRequest::decode(body).map_err(|_| unreadable("SetSessionOptions"))?;
    let mut result = SetSessionOptionsResult::default();
    for (name, value) in request.options {
        if let Err(value) = set_option(client, &name, value.value.as_ref()) {
            result.errors.insert(name, OptionError { value });
        }
    }
    Ok(result.encode_to_vec())
}

fn set_option(client: &Client, name: &str, value: Option<&value::Value>) -> Result<(), i32> {
    use value::Value::{Bool, Text};
    let only = |allowed: &str| match value {
        Some(Text(text)) if text == allowed => Ok(()),
        _ => Err(INVALID_VALUE),
    };
    match name {
        DISCLOSURE => {
            let on = match value {
                Some(Text(text)) if text == "on" || text == "true" => true,
                Some(Text(text)) if text == "off" || text == "false" => false,
                Some(Bool(on)) => *on,
                // No value: back to the default.
                None => true,
                Some(_) => return Err(INVALID_VALUE),
            };
            client.set_disclosure(on);
            Ok(())
        }
        // There is one of each, and it is set.
        "catalog" => only(CATALOG),
        "schema" => only(PROJECT_SCHEMA),
        _ => Err(INVALID_NAME),
    }
}

/// All options.
pub(super) fn get_options(client: &Client) -> Vec<u8> {
    let text = |text: &str| OptionValue {
        value: Some(value::Value::Text(text.to_owned())),
    };
    let disclosure = if client.disclosure() { "on" } else { "off" };
    let options = [
        ("catalog", text(CATALOG)),
        ("schema", text(PROJECT_SCHEMA)),
        (DISCLOSURE, text(disclosure)),
    ];
    let options = options
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    GetSessionOptionsResult { options }.encode_to_vec()
}

/// The session has ended.
pub(super) fn closed() -> Vec<u8> {
    CloseSessionResult { status: 1 }.encode_to_vec()
}

/// The statements that a CancelFlightInfo names.
pub(super) fn cancelled_handles(body: &[u8]) -> Result<Vec<Vec<u8>>, Status> {
    // Some clients wrap the message, as they do for the actions of Flight SQL.
    let request = CancelFlightInfoRequest::decode(body)
        .ok()
        .filter(|request| request.info.is_some())
        .or_else(|| CancelFlightInfoRequest::decode(&*Any::decode(body).ok()?.value).ok())
        .ok_or_else(|| unreadable("CancelFlightInfo"))?;
    Ok(request.info.map(handles_of).unwrap_or_default())
}

/// Whether anything was stopped, as CancelFlightInfo answers.
pub(super) fn cancel_result(stopped: bool) -> Vec<u8> {
    let status = if stopped {
        CancelStatus::Cancelled
    } else {
        CancelStatus::NotCancellable
    };
    CancelFlightInfoResult {
        status: status as i32,
    }
    .encode_to_vec()
}

/// The statements that a FlightInfo leads to.
pub(super) fn handles_of(info: FlightInfo) -> Vec<Vec<u8>> {
    info.endpoint
        .into_iter()
        .filter_map(|endpoint| handle_of(&endpoint.ticket?))
        .collect()
}

fn handle_of(ticket: &Ticket) -> Option<Vec<u8>> {
    let any = Any::decode(&*ticket.ticket).ok()?;
    if let Ok(Some(TicketStatementQuery { statement_handle })) = any.unpack() {
        return Some(statement_handle.to_vec());
    }
    let prepared = any.unpack::<CommandPreparedStatementQuery>().ok()??;
    Some(prepared.prepared_statement_handle.to_vec())
}

/// A message that cannot be read.
pub(super) fn unreadable(what: &str) -> Status {
    status(Problem::of(
        &codes::RUN_BAD_CALL,
        format!("the message `{what}` cannot be read"),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use arrow_flight::FlightEndpoint;
    use arrow_flight::sql::ProstMessageExt;

    use super::*;

    fn set(client: &Client, name: &str, value: value::Value) -> Option<i32> {
        let options = HashMap::from([(name.to_owned(), OptionValue { value: Some(value) })]);
        let body = SetSessionOptionsRequest { options }.encode_to_vec();
        let result = SetSessionOptionsResult::decode(&*set_options(client, &body).unwrap()).unwrap();
        result.errors.get(name).map(|error| error.value)
    }

    #[test]
    fn disclosure_can_be_switched_and_nothing_else() {
        use value::Value::{Bool, Int, Text};
        let client = Client::default();
        assert_eq!(set(&client, DISCLOSURE, Text("off".into())), None);
        assert!(!client.disclosure());
        assert_eq!(set(&client, DISCLOSURE, Bool(true)), None);
        assert!(client.disclosure());
        assert_eq!(set(&client, DISCLOSURE, Int(0)), Some(INVALID_VALUE));
        assert_eq!(
            set(&client, DISCLOSURE, Text("perhaps".into())),
            Some(INVALID_VALUE)
        );
        assert_eq!(set(&client, "catalog", Text("tre".into())), None);
        assert_eq!(set(&client, "catalog", Text("other".into())), Some(INVALID_VALUE));
        assert_eq!(set(&client, "memory", Text("1 TiB".into())), Some(INVALID_NAME));
        assert!(client.disclosure());
        let options = GetSessionOptionsResult::decode(&*get_options(&client))
            .unwrap()
            .options;
        assert_eq!(options.get(DISCLOSURE).unwrap().value, Some(Text("on".into())));
    }

    #[test]
    fn a_flight_info_names_its_statements_bare_or_wrapped() {
        let ticket = TicketStatementQuery {
            statement_handle: "abc".into(),
        }
        .as_any()
        .encode_to_vec();
        let info = FlightInfo::new().with_endpoint(FlightEndpoint::new().with_ticket(Ticket::new(ticket)));
        let request = CancelFlightInfoRequest { info: Some(info) };
        let wrapped = Any {
            type_url: "type.googleapis.com/x".into(),
            value: request.encode_to_vec().into(),
        };
        for body in [request.encode_to_vec(), wrapped.encode_to_vec()] {
            assert_eq!(cancelled_handles(&body).unwrap(), [b"abc".to_vec()]);
        }
        assert!(cancelled_handles(b"\xff\xff\xff").is_err());
    }
}
