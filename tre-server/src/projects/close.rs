//! The end of a project, by an operator or with its permit.

use std::sync::Arc;

use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::permit::Phase;
use tre_home::store::{Closed, Project as StoredProject, StoreError};

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
pub(crate) async fn close(
    core: &Arc<Core>,
    actor: Actor,
    project: &Project,
    reason: &str,
) -> Result<Ended, Problem> {
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
    let end = Closed {
        at: core.now(),
        by: actor.user.clone(),
        reason: reason.to_owned(),
    };
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
    Ok(Ended {
        sessions: before.saturating_add(after),
        requests,
    })
}

/// Closes the projects whose permits are over. Call it now and then. Returns how many it closed. One that cannot be closed
/// keeps no other open: it is tried again at the next call, and its sessions have ended with its permit.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn close_expired(core: &Arc<Core>) -> Result<u32, Problem> {
    let mut ended = 0;
    for stored in core.store.projects().list().await? {
        let id = stored.id.clone();
        match close_if_expired(core, stored).await {
            Ok(true) => ended += 1,
            Ok(false) => {}
            Err(problem) => {
                tracing::error!(project = %id, %problem, "a project whose permit is over cannot be closed")
            }
        }
    }
    Ok(ended)
}

async fn close_if_expired(core: &Arc<Core>, stored: StoredProject) -> Result<bool, Problem> {
    if stored.closed.is_some() {
        return Ok(false);
    }
    let project = core.parsed(stored)?;
    if project
        .permit
        .valid
        .phase(core.now(), core.home.config().timezone.zone())
        != Phase::Expired
    {
        return Ok(false);
    }
    close(core, core.system()?, &project, "the permit ended").await?;
    Ok(true)
}

async fn end_sessions(core: &Core, project: &Project, reason: &str) -> u32 {
    Sessions::end_where(core, reason, |session| {
        session.project.stored.id == project.stored.id
    })
    .await
}
