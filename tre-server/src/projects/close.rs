//! The end of a project, by an operator or with its permit.

use std::sync::Arc;

use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::permit::Phase;
use tre_home::store::{Closed, StoreError};

use super::apply::key_sha256;
use crate::core::{Core, Project};
use crate::requests;
use crate::sessions::Sessions;

/// What ended with a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) sessions: u32,
    pub(crate) requests: u32,
}

/// Ends a project for good. After the entry its sessions end, then the store destroys its pseudonym key and the drafts of
/// its requests and revokes its tokens, then its open requests lapse.
///
/// # Errors
/// `TRE-PRJ-012` when it is closed already. A failure of the store after the entry: repeat the call; what was not yet
/// overwritten on the disk is when the store is next opened.
pub(crate) async fn close(core: &Arc<Core>, actor: Actor, project: &Project, reason: &str) -> Result<Ended, Problem> {
    let id = &project.stored.id;
    let closed = || Problem::of(&codes::PRJ_CLOSED, format!("the project `{id}` is closed"));
    if project.stored.closed.is_some() {
        return Err(closed());
    }
    let event = Event::ProjectClosed {
        project: id.clone(),
        reason: reason.to_owned(),
        pseudonym_key_sha256: key_sha256(&project.stored),
    };
    core.audit(actor.clone(), event).await?;
    let before = end_sessions(core, project, reason).await;
    let end = Closed { at: core.now(), by: actor.user.clone(), reason: reason.to_owned() };
    let destroyed = core.store.projects().close(id, &end).await;
    // A session may have begun until the store knew.
    let after = end_sessions(core, project, reason).await;
    match destroyed {
        Ok(true) | Err(StoreError::NotScrubbed) => {}
        Ok(false) => return Err(closed()),
        Err(error) => return Err(error.into()),
    }
    let requests = requests::lapse(core, &actor, id, reason).await?;
    if let Err(error) = destroyed {
        return Err(error.into());
    }
    Ok(Ended { sessions: before.saturating_add(after), requests })
}

/// Closes the projects whose permits are over. Call it now and then. Returns how many it closed.
///
/// # Errors
/// When store or log fail.
pub(crate) async fn close_expired(core: &Arc<Core>) -> Result<u32, Problem> {
    let zone = core.home.config().timezone.zone();
    let mut ended = 0;
    for stored in core.store.projects().list().await? {
        if stored.closed.is_some() {
            continue;
        }
        let project = core.parsed(stored)?;
        if project.permit.valid.phase(core.now(), zone) == Phase::Expired {
            close(core, core.system()?, &project, "the permit ended").await?;
            ended += 1;
        }
    }
    Ok(ended)
}

async fn end_sessions(core: &Core, project: &Project, reason: &str) -> u32 {
    Sessions::end_where(core, reason, |session| session.project.stored.id == project.stored.id).await
}
