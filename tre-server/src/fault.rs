//! What a call ends with when it does not end well, and how it looks on the wire.
//!
//! A status carries the gRPC code by which clients tell refused from referred from withheld, one line of text, and in the
//! trailer `tre-error-bin` the same as JSON: `{"code", "what", "hint", "reasons": [{"code", "what", "hint"}],
//! "rewrites": [{"what", "replace", "by", "add", "against"}]}`; a rewrite is what to ask instead.

use output_checker::rewrites::Rewrite;
use serde::Serialize;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code as Grpc, Status};
use tre_core::codes::{self, Code, Problem};

use crate::pipeline::Refusal;

/// The trailer that carries an error as JSON.
const TRAILER: &str = "tre-error-bin";

/// Why a call ends without what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Refused, or failed.
    Problem(Problem),
    /// A question that cannot be asked, and what to ask instead.
    Refused(Problem, Vec<Rewrite>),
    /// A person must decide; at least one reason, and what to ask instead.
    Referred(Vec<Problem>, Vec<Rewrite>),
    /// Nothing may leave; at least one reason, and what to ask instead.
    Withheld(Vec<Problem>, Vec<Rewrite>),
}

impl Fault {
    fn grpc(&self) -> Grpc {
        match self {
            Fault::Problem(problem) | Fault::Refused(problem, _) => grpc_of(problem.code),
            Fault::Referred(..) => Grpc::FailedPrecondition,
            Fault::Withheld(..) => Grpc::PermissionDenied,
        }
    }

    fn body(&self) -> Body<'_> {
        let first = |reasons: &[Problem], fallback: &'static str| match reasons.first() {
            Some(reason) => (reason.code, reason.what.clone()),
            None => (&codes::RUN_INTERNAL, fallback.to_owned()),
        };
        let one = |problem: &Problem| Body {
            code: problem.code.id,
            what: problem.what.clone(),
            hint: problem.hint.clone(),
            reasons: &[],
            rewrites: &[],
        };
        match self {
            Fault::Problem(problem) => one(problem),
            Fault::Refused(problem, rewrites) => Body {
                rewrites,
                ..one(problem)
            },
            Fault::Referred(reasons, rewrites) => {
                let (code, what) = first(reasons, "a person must decide");
                let hint = "file a request with `tre request submit`: a person decides".to_owned();
                Body {
                    code: code.id,
                    what: format!("referred: {what}"),
                    hint,
                    reasons,
                    rewrites,
                }
            }
            Fault::Withheld(reasons, rewrites) => {
                let (code, what) = first(reasons, "nothing may leave");
                let hint = reasons
                    .first()
                    .map_or(codes::RUN_INTERNAL.remedy, |reason| reason.hint.as_str())
                    .to_owned();
                Body {
                    code: code.id,
                    what: format!("withheld: {what}"),
                    hint,
                    reasons,
                    rewrites,
                }
            }
        }
    }
}

#[derive(Serialize)]
struct Body<'f> {
    code: &'static str,
    what: String,
    hint: String,
    reasons: &'f [Problem],
    rewrites: &'f [Rewrite],
}

/// FAILED_PRECONDITION is for referred outputs alone, and PERMISSION_DENIED for withheld ones, for failures of checker,
/// store and log, and, with a code of the access rules, for calls that somebody may not make.
fn grpc_of(code: &Code) -> Grpc {
    let unauthenticated = [
        &codes::AUTH_MISSING,
        &codes::AUTH_INVALID,
        &codes::AUTH_EXPIRED,
        &codes::AUTH_REVOKED,
    ];
    if unauthenticated.contains(&code) || *code == codes::PRJ_NOT_IN_FORCE {
        Grpc::Unauthenticated
    } else if *code == codes::RUN_WORKER_LOST
        || *code == codes::RUN_FAILED
        || *code == codes::RUN_SESSION_ENDED
    {
        Grpc::Aborted
    } else if *code == codes::RUN_CANCELLED {
        Grpc::Cancelled
    } else if *code == codes::RUN_TIME {
        Grpc::DeadlineExceeded
    } else if *code == codes::RUN_NOT_YET || *code == codes::RUN_NOT_SERVED {
        Grpc::Unimplemented
    } else if [&codes::RUN_TOO_MANY_SESSIONS, &codes::REQ_TOO_MANY].contains(&code) {
        Grpc::ResourceExhausted
    } else if [
        &codes::PRJ_UNKNOWN,
        &codes::REQ_UNKNOWN,
        &codes::RUN_UNKNOWN_HANDLE,
        &codes::RUN_UNKNOWN_SESSION,
        &codes::HOME_NO_DATASET,
    ]
    .contains(&code)
    {
        Grpc::NotFound
    } else if [&codes::PRJ_STALE, &codes::REQ_STATE, &codes::REQ_VOTED].contains(&code) {
        Grpc::Aborted
    } else {
        match code.id.split('-').nth(1) {
            Some("SQL" | "PRJ" | "REQ" | "RUN") if *code != codes::RUN_INTERNAL => Grpc::InvalidArgument,
            _ => Grpc::PermissionDenied,
        }
    }
}

/// Failures inside name files, arrays or what a worker said: that is for the operator's log, and callers hear the code's
/// title. Everything else was written for them.
fn tellable(problem: Problem) -> Problem {
    let inside = problem.code.id.starts_with("TRE-LOG-")
        || (problem.code.id.starts_with("TRE-HOME-") && *problem.code != codes::HOME_NO_DATASET)
        || *problem.code == codes::RUN_INTERNAL;
    if !inside {
        return problem;
    }
    tracing::error!(%problem, "a call ended with a failure inside");
    Problem::of(problem.code, problem.code.title)
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Status {
        let all = |reasons: Vec<Problem>| reasons.into_iter().map(tellable).collect();
        let fault = match fault {
            Fault::Problem(problem) => Fault::Problem(tellable(problem)),
            Fault::Refused(problem, rewrites) => Fault::Refused(tellable(problem), rewrites),
            Fault::Referred(reasons, rewrites) => Fault::Referred(all(reasons), rewrites),
            Fault::Withheld(reasons, rewrites) => Fault::Withheld(all(reasons), rewrites),
        };
        let body = fault.body();
        let message = format!("{}: {} ({})", body.code, body.what, body.hint);
        let mut trailers = MetadataMap::new();
        if let Ok(json) = serde_json::to_vec(&body) {
            trailers.insert_bin(TRAILER, MetadataValue::from_bytes(&json));
        }
        Status::with_metadata(fault.grpc(), message, trailers)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Fault {
        Fault::Problem(problem)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        match refusal {
            Refusal::Referred(reasons, rewrites) => Fault::Referred(reasons, rewrites),
            Refusal::Withheld(reasons, rewrites) => match <[Problem; 1]>::try_from(reasons) {
                // What an access rule forbids, or the log or store fails over, is no output that is withheld.
                Ok([reason]) if !reason.code.id.starts_with("TRE-SDC-") => Fault::Problem(reason),
                Ok(reason) => Fault::Withheld(reason.to_vec(), rewrites),
                Err(reasons) => Fault::Withheld(reasons, rewrites),
            },
            Refusal::Refused(reasons, rewrites) => {
                let first = reasons.into_iter().next();
                let nameless = || Problem::of(&codes::RUN_INTERNAL, codes::RUN_INTERNAL.title);
                Fault::Refused(first.unwrap_or_else(nameless), rewrites)
            }
            Refusal::Failed(problem) => Fault::Problem(problem),
        }
    }
}

/// Whether a status was made here, and so carries its code.
pub(crate) fn is_coded(status: &Status) -> bool {
    status.metadata().contains_key(TRAILER)
}

/// Ends a call with a problem.
pub(crate) fn status(problem: Problem) -> Status {
    Fault::Problem(problem).into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn clients_tell_refused_referred_and_withheld_apart_by_the_grpc_code() {
        let one = |code: &'static Code| vec![Problem::of(code, "so")];
        let problem = |code: &'static Code| Fault::Problem(Problem::of(code, "so"));
        for (fault, expected) in [
            (problem(&codes::SQL_ROWS), Grpc::InvalidArgument),
            (problem(&codes::AUTH_EXPIRED), Grpc::Unauthenticated),
            (problem(&codes::AUTH_DENIED), Grpc::PermissionDenied),
            (problem(&codes::RUN_INTERNAL), Grpc::PermissionDenied),
            (problem(&codes::LOG_WRITE), Grpc::PermissionDenied),
            (problem(&codes::HOME_STORE), Grpc::PermissionDenied),
            (problem(&codes::RUN_WORKER_LOST), Grpc::Aborted),
            (
                Fault::Referred(one(&codes::SDC_TOO_MANY_ROWS), vec![]),
                Grpc::FailedPrecondition,
            ),
            (
                Fault::Withheld(one(&codes::SDC_TOO_MANY_ROWS), vec![]),
                Grpc::PermissionDenied,
            ),
        ] {
            assert_eq!(Status::from(fault.clone()).code(), expected, "{fault:?}");
        }
        let others = codes::all()
            .filter(|code| grpc_of(code) == Grpc::FailedPrecondition)
            .count();
        assert_eq!(others, 0, "only a referred output is a failed precondition");
    }

    #[test]
    fn the_trailer_carries_code_and_reasons_as_json() {
        let reasons = vec![
            Problem::of(&codes::SDC_TOO_MANY_ROWS, "many"),
            Problem::of(&codes::SDC_EVIDENCE, "odd"),
        ];
        let rewrite = Rewrite {
            what: "leave out `age`".to_owned(),
            replace: "age".to_owned(),
            by: String::new(),
            add: String::new(),
            against: vec![],
        };
        let status = Status::from(Fault::Withheld(reasons, vec![rewrite]));
        let json = status.metadata().get_bin(TRAILER).unwrap().to_bytes().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json.get("code").unwrap(), codes::SDC_TOO_MANY_ROWS.id);
        assert_eq!(json.get("reasons").unwrap().as_array().unwrap().len(), 2);
        assert_eq!(json.pointer("/rewrites/0/replace").unwrap(), "age");
        assert!(status.message().starts_with(codes::SDC_TOO_MANY_ROWS.id));
    }

    #[test]
    fn what_failed_inside_is_told_by_its_title_alone() {
        for code in [&codes::RUN_INTERNAL, &codes::HOME_STORE, &codes::LOG_WRITE] {
            let secret = || Problem::of(code, "row 17 of /srv/tre holds `alice`");
            for fault in [
                Fault::Problem(secret()),
                Fault::Refused(secret(), vec![]),
                Fault::Withheld(vec![secret()], vec![]),
                Fault::Referred(vec![secret()], vec![]),
            ] {
                let status = Status::from(fault);
                let json = status.metadata().get_bin(TRAILER).unwrap().to_bytes().unwrap();
                let told = format!("{} {}", status.message(), String::from_utf8_lossy(&json));
                assert!(
                    !told.contains("alice") && !told.contains("/srv") && told.contains(code.title),
                    "{told}"
                );
            }
        }
        let status = Status::from(Fault::from(Problem::of(
            &codes::SQL_ROWS,
            "`alice` is my own text",
        )));
        assert!(status.message().contains("alice"));
    }
}
