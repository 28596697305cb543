//! The calls of the local service.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status};
use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::ids::InvalidName;
use tre_proto::v1;
use tre_proto::v1::local_server::{Local, LocalServer};

use super::peer::peer;
use super::tokens;
use crate::authz::{Action, Principal, Resource};
use crate::core::Core;
use crate::fault::status;
use crate::identity::Wish;
use crate::sessions::Sessions;

/// The service, ready to be served.
pub(super) fn service(core: Arc<Core>) -> LocalServer<Calls> {
    LocalServer::new(Calls { core })
}

/// Answers the calls.
#[derive(Clone)]
pub(super) struct Calls {
    core: Arc<Core>,
}

impl Calls {
    /// Who asks, if the access policies let them.
    async fn open<T>(&self, action: Action, request: Request<T>) -> Result<(Actor, T), Problem> {
        let user = peer(request.extensions())?;
        let principal = Principal {
            user: user.as_str(),
            role: None,
            project: None,
        };
        let asked = self.core.access.authorize(principal, action, Resource::Home);
        let actor = Actor::user(user);
        match asked {
            Ok(_allowed) => Ok((actor, request.into_inner())),
            Err(denied) => {
                let problem = Problem::from(denied);
                let (call, code) = (action.as_str().to_owned(), problem.code.id.to_owned());
                self.core
                    .audit(actor, Event::ControlRefused { call, code })
                    .await?;
                Err(problem)
            }
        }
    }

    async fn issue(
        &self,
        request: Request<v1::IssueTokenRequest>,
    ) -> Result<v1::IssueTokenResponse, Problem> {
        let (actor, message) = self.open(Action::IssueToken, request).await?;
        let core = &self.core;
        let issued = tokens::issue(&core.home, &core.store, actor, wish(message)?, core.now()).await?;
        Ok(v1::IssueTokenResponse {
            token: issued.token,
            id: issued.id.to_string(),
            expires: issued.expires.to_string(),
        })
    }

    async fn revoke(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<v1::RevokeTokenResponse, Problem> {
        let (actor, message) = self.open(Action::RevokeToken, request).await?;
        let core = &self.core;
        let id = read(&message.id)?;
        tokens::revoke(&core.home, &core.store, actor, &id, core.now()).await?;
        // Also for one that was revoked before: whoever revokes wants nothing to run on it.
        Sessions::end_where(core, "its token was revoked", |session| {
            session.caller.token == id
        })
        .await;
        Ok(v1::RevokeTokenResponse {})
    }

    async fn append(
        &self,
        request: Request<v1::AppendEntryRequest>,
    ) -> Result<v1::AppendEntryResponse, Problem> {
        let (actor, message) = self.open(Action::AppendEntry, request).await?;
        let event = of_an_ingest(&message.event_json)?;
        let position = self.core.home.audit().append(actor, event).await?;
        Ok(v1::AppendEntryResponse { position: position.0 })
    }
}

#[tonic::async_trait]
impl Local for Calls {
    async fn ping(&self, request: Request<v1::PingRequest>) -> Result<Response<v1::PingResponse>, Status> {
        self.open(Action::Ping, request).await.map_err(status)?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Response::new(v1::PingResponse {
            version,
            pid: std::process::id(),
        }))
    }

    async fn issue_token(
        &self,
        request: Request<v1::IssueTokenRequest>,
    ) -> Result<Response<v1::IssueTokenResponse>, Status> {
        Ok(Response::new(self.issue(request).await.map_err(status)?))
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<Response<v1::RevokeTokenResponse>, Status> {
        Ok(Response::new(self.revoke(request).await.map_err(status)?))
    }

    async fn append_entry(
        &self,
        request: Request<v1::AppendEntryRequest>,
    ) -> Result<Response<v1::AppendEntryResponse>, Status> {
        Ok(Response::new(self.append(request).await.map_err(status)?))
    }
}

/// The wish for a token as the message says it.
fn wish(message: v1::IssueTokenRequest) -> Result<Wish, Problem> {
    let project = if message.project.is_empty() {
        None
    } else {
        Some(read(&message.project)?)
    };
    Ok(Wish {
        user: read(&message.user)?,
        role: message.role.parse()?,
        project,
        ttl: Duration::from_secs(message.ttl_seconds),
    })
}

fn read<T: FromStr<Err = InvalidName>>(text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|error: InvalidName| Problem::of(&codes::RUN_BAD_CALL, error.to_string()))
}

/// An entry that only an ingest makes. Everything else is for the server itself to log.
fn of_an_ingest(json: &[u8]) -> Result<Event, Problem> {
    let wrong = |what: &str| Problem::of(&codes::RUN_BAD_CALL, what.to_owned());
    let event: Event = serde_json::from_slice(json).map_err(|_| wrong("the entry cannot be read"))?;
    let is_of_an_ingest = matches!(
        event,
        Event::DatasetIngested { .. } | Event::DatasetUnchanged { .. } | Event::DatasetRefused { .. }
    );
    if is_of_an_ingest {
        Ok(event)
    } else {
        Err(wrong("only entries of an ingest can be handed over"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn only_entries_of_an_ingest_are_taken() {
        let refused = Event::DatasetRefused {
            dataset: None,
            code: "TRE-ING-001".to_owned(),
        };
        assert_eq!(of_an_ingest(&serde_json::to_vec(&refused).unwrap()), Ok(refused));
        let forged = [
            Event::ServerStopped {
                reason: "so it seems".to_owned(),
            },
            Event::TokenRevoked {
                token: "tok_aaaaaaaaaaaaaaaa".parse().unwrap(),
            },
        ];
        for event in forged {
            let problem = of_an_ingest(&serde_json::to_vec(&event).unwrap()).unwrap_err();
            assert_eq!(problem.code.id, "TRE-RUN-011");
        }
        for text in ["", "{}", r#"{"event":"dataset_refused","code":"x","more":1}"#] {
            assert!(of_an_ingest(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wish_is_read_strictly() {
        let message = |user: &str, role: &str, project: &str| v1::IssueTokenRequest {
            project: project.to_owned(),
            user: user.to_owned(),
            role: role.to_owned(),
            ttl_seconds: 60,
        };
        assert_eq!(wish(message("olga", "operator", "")).unwrap().project, None);
        for wrong in [
            message("", "operator", ""),
            message("olga", "root", ""),
            message("olga", "analyst", "A b"),
        ] {
            assert!(wish(wrong).is_err());
        }
    }
}
