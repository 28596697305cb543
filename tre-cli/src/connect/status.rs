//! From the server's errors to what the person reads: code and reasons come in the trailer `tre-error-bin` as JSON, and
//! the kind of the gRPC status decides the exit code.

use arrow_flight::error::FlightError;
use serde::Deserialize;
use tonic::{Code as Grpc, Status};
use tre_core::codes::RUN_NOT_YET;

use crate::codes;
use crate::exit::{Exit, Failure, Told};

/// The trailer that carries the error as JSON.
const TRAILER: &str = "tre-error-bin";

/// The JSON of the trailer.
#[derive(Debug, Deserialize)]
struct Carried {
    code: String,
    what: String,
    #[serde(default)]
    hint: String,
    #[serde(default)]
    reasons: Vec<Reason>,
    #[serde(default)]
    rewrites: Vec<Rewrite>,
}

/// What to ask instead.
#[derive(Debug, Deserialize)]
struct Rewrite {
    what: String,
}

/// Why an output was referred or withheld: a sentence, or one with a code.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reason {
    Sentence(String),
    Coded {
        #[serde(default)]
        code: String,
        what: String,
    },
}

impl Reason {
    fn into_line(self) -> String {
        match self {
            Reason::Sentence(text) => text,
            Reason::Coded { code, what } if code.is_empty() => what,
            Reason::Coded { code, what } => format!("{code}: {what}"),
        }
    }
}

/// What a failed call means to the person who made it.
pub(crate) fn from_status(status: &Status) -> Failure {
    Failure::Told(Box::new(told(status)))
}

/// The same for errors of the Flight client, which wrap the status.
pub(crate) fn from_flight(error: FlightError) -> Failure {
    if let FlightError::Tonic(status) = error {
        return from_status(&status);
    }
    Failure::of(
        &codes::CLI_PROTOCOL,
        format!("the answer cannot be read: {error}"),
    )
}

/// The lines of a failed call.
fn told(status: &Status) -> Told {
    let carried = status
        .metadata()
        .get_bin(TRAILER)
        .and_then(|value| value.to_bytes().ok())
        .and_then(|bytes| serde_json::from_slice::<Carried>(&bytes).ok());
    match carried {
        Some(carried) => Told {
            exit: exit(status.code(), Some(&carried.code)),
            code: carried.code,
            what: carried.what,
            hint: carried.hint,
            reasons: more(carried.reasons),
            instead: carried.rewrites.into_iter().map(|rewrite| rewrite.what).collect(),
        },
        None => uncoded(status),
    }
}

/// The reasons as lines; a single one is what the error says already.
fn more(reasons: Vec<Reason>) -> Vec<String> {
    if reasons.len() < 2 {
        return Vec::new();
    }
    reasons.into_iter().map(Reason::into_line).collect()
}

/// A status from something that is not this system: a proxy, another server, the connection itself.
fn uncoded(status: &Status) -> Told {
    // A status that was made here, from a connection that broke or speaks something else, has a source.
    let is_ours = std::error::Error::source(status).is_some();
    let code = if is_ours || status.code() == Grpc::Unavailable {
        &codes::CLI_NO_SERVER
    } else if status.code() == Grpc::Unimplemented {
        &codes::CLI_PROTOCOL
    } else {
        &codes::CLI_REFUSED
    };
    let what = match status.message().trim() {
        "" => format!("the call ended with `{}`", status.code().description()),
        message => message.to_owned(),
    };
    Told {
        exit: exit(status.code(), None),
        code: code.id.to_owned(),
        what,
        hint: code.remedy.to_owned(),
        reasons: Vec::new(),
        instead: Vec::new(),
    }
}

/// Referred outputs are FAILED_PRECONDITION, withheld ones PERMISSION_DENIED with a code of the checker or of a failure
/// inside; a caller who may not make the call is denied as well, with a code of the access rules, and that is an error.
fn exit(grpc: Grpc, code: Option<&str>) -> Exit {
    match (grpc, code) {
        (_, None) => Exit::Error,
        (_, Some(code)) if code == RUN_NOT_YET.id => Exit::Usage,
        (Grpc::FailedPrecondition, Some(_)) => Exit::Referred,
        (Grpc::PermissionDenied, Some(code)) if !code.starts_with("TRE-AUTH-") => Exit::Withheld,
        _other => Exit::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::metadata::{MetadataMap, MetadataValue};

    fn status(grpc: Grpc, json: &str) -> Status {
        let mut trailers = MetadataMap::new();
        trailers.insert_bin(TRAILER, MetadataValue::from_bytes(json.as_bytes()));
        Status::with_metadata(grpc, "message", trailers)
    }

    #[test]
    fn exit_codes_follow_the_status() {
        for (grpc, code, expected) in [
            (Grpc::InvalidArgument, "TRE-SQL-003", Exit::Error),
            (Grpc::FailedPrecondition, "TRE-SDC-001", Exit::Referred),
            (Grpc::PermissionDenied, "TRE-SDC-002", Exit::Withheld),
            (Grpc::PermissionDenied, "TRE-RUN-005", Exit::Withheld),
            (Grpc::PermissionDenied, "TRE-AUTH-005", Exit::Error),
            (Grpc::Unimplemented, "TRE-RUN-004", Exit::Usage),
            (Grpc::Unauthenticated, "TRE-AUTH-001", Exit::Error),
        ] {
            let json = format!(r#"{{"code":"{code}","what":"it is so","hint":"do that","reasons":[]}}"#);
            let told = told(&status(grpc, &json));
            assert_eq!((told.exit, told.code.as_str()), (expected, code));
        }
    }

    #[test]
    fn several_reasons_are_listed_as_sentences_or_with_codes() {
        let json =
            r#"{"code":"TRE-SDC-001","what":"w","reasons":["plain",{"code":"TRE-SDC-009","what":"coded"}]}"#;
        assert_eq!(
            told(&status(Grpc::FailedPrecondition, json)).reasons,
            ["plain", "TRE-SDC-009: coded"]
        );
    }

    #[test]
    fn what_to_ask_instead_is_carried_along() {
        let json =
            r#"{"code":"TRE-SDC-023","what":"w","rewrites":[{"what":"leave out `age`","replace":"age"}]}"#;
        assert_eq!(
            told(&status(Grpc::FailedPrecondition, json)).instead,
            ["leave out `age`"]
        );
    }

    #[test]
    fn a_status_without_the_trailer_still_has_two_lines() {
        let told = told(&Status::unavailable(""));
        assert_eq!((told.exit, told.code.as_str()), (Exit::Error, "TRE-CLI-004"));
        assert!(!told.what.is_empty() && !told.hint.is_empty());
    }

    #[test]
    fn a_trailer_that_is_not_ours_is_no_panic() {
        assert_eq!(
            told(&status(Grpc::PermissionDenied, "nonsense")).code,
            "TRE-CLI-007"
        );
    }
}
