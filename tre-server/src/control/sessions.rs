//! Calls about sessions.

use std::sync::Arc;

use tre_core::codes::{self, Problem};
use tre_core::ids::SessionId;
use tre_proto::v1;

use super::place::listing;
use crate::authz::{Action, Resource};
use crate::core::{Core, On};
use crate::fault::Fault;
use crate::identity::Caller;
use crate::sessions::{Session, Sessions};

pub(super) async fn list(
    core: &Arc<Core>,
    caller: &Caller,
    _: v1::ListSessionsRequest,
) -> Result<v1::ListSessionsResponse, Fault> {
    let only = listing(core, caller, Action::ListSessions).await?;
    let open = core.sessions.list();
    let here = open
        .iter()
        .filter(|session| only.is_none_or(|id| *id == session.project.stored.id));
    let sessions = here
        .filter(|session| may_see(core, caller, session))
        .map(|session| shown(session))
        .collect();
    Ok(v1::ListSessionsResponse { sessions })
}

pub(super) async fn kill(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::KillSessionRequest,
) -> Result<v1::KillSessionResponse, Fault> {
    let found = message
        .id
        .parse::<SessionId>()
        .ok()
        .and_then(|id| core.sessions.find(&id));
    let session = found.ok_or_else(|| unknown(&message.id))?;
    let on = On::Session {
        project: &session.project,
        user: &session.caller.user,
    };
    let _allowed = core.authorize(caller, Action::KillSession, on).await?;
    if Sessions::end(core, &session.id, &format!("ended by {}", caller.user)).await {
        Ok(v1::KillSessionResponse {})
    } else {
        Err(unknown(&message.id))
    }
}

/// Asked of every session in a list: what may not be seen is left out, and that is nothing to log.
fn may_see(core: &Core, caller: &Caller, session: &Session) -> bool {
    let resource = Resource::Session {
        project: &session.project.facts,
        user: &session.caller.user,
    };
    core.access
        .authorize(caller.principal(), Action::ShowSession, resource)
        .is_ok()
}

fn unknown(id: &str) -> Fault {
    let shown: String = id.chars().take(80).collect();
    Problem::of(
        &codes::RUN_UNKNOWN_SESSION,
        format!("there is no session `{shown}`"),
    )
    .into()
}

fn shown(session: &Session) -> v1::Session {
    v1::Session {
        id: session.id.to_string(),
        project: session.project.stored.id.to_string(),
        user: session.caller.user.to_string(),
        started: session.opened.to_string(),
        last_call: session.last_call().to_string(),
        state: if session.is_querying() { "querying" } else { "idle" }.to_owned(),
        queries: session.queries(),
        data_worker: session.has_data_worker(),
    }
}
