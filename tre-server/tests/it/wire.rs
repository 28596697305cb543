//! What tests of the wire share: requests with a token or none, and what a refusal carries.

use arrow_flight::error::FlightError;
use tonic::{Request, Status};

pub(crate) fn status(error: FlightError) -> Status {
    let FlightError::Tonic(status) = error else {
        panic!("{error}")
    };
    *status
}

/// The code in the trailer.
pub(crate) fn code(status: &Status) -> String {
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
pub(crate) fn with<T>(token: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    request
}
