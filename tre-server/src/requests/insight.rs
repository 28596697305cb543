//! What reviewers see beside a request's bytes: sealed when it is kept, an entry of the log when it is shown.

use tre_core::audit::{Actor, Event};
use tre_core::codes::Problem;
use tre_core::ids::{ProjectId, RequestId};
use tre_home::store;
use tre_home::vault::sha256_hex;

use super::Dossier;
use crate::core::Core;
use crate::identity::Caller;
use crate::pipeline::{Frozen, Insight};
use crate::projects::internal;
use crate::sessions::Session;

/// What the vault's seal is for.
const PURPOSE: &str = "review-insight";

/// Keeps the insight into a request that is about to be submitted.
///
/// # Errors
/// When log, vault or store fail.
pub(super) async fn keep(
    core: &Core,
    caller: &Caller,
    session: &Session,
    request: &RequestId,
    frozen: &Frozen,
) -> Result<(), Problem> {
    let text = serde_json::to_vec(&frozen.insight).map_err(|error| internal(error.to_string()))?;
    let project: &ProjectId = &session.project.stored.id;
    let insight = store::Insight {
        sealed: core
            .home
            .vault()
            .seal(PURPOSE, request.as_str().as_bytes(), &text)?,
        sha256: sha256_hex(&text),
    };
    let event = Event::RewritesTried {
        request: request.clone(),
        query: frozen.query.clone(),
        session: session.id.clone(),
        project: project.clone(),
        tried: u32::try_from(frozen.insight.trials.len()).unwrap_or(u32::MAX),
        insight_sha256: insight.sha256.clone(),
    };
    core.audit(core.actor(caller, Some(&session.id)), event).await?;
    Ok(core.store.insights().keep(request, project, &insight).await?)
}

/// The insight into a request for one of its reviewers, who is about to see it and the frozen bytes; the entry of the log
/// comes first. None where nothing is kept any more.
///
/// # Errors
/// When log, vault or store fail, or what is kept is not what was kept.
pub(crate) async fn shown(core: &Core, actor: Actor, dossier: &Dossier) -> Result<Option<Insight>, Problem> {
    let request = &dossier.request;
    let kept = core.store.insights().of(&request.id).await?;
    let event = Event::ReviewShown {
        request: request.id.clone(),
        project: request.project.clone(),
        output_sha256: request.output_sha256.clone(),
        insight_sha256: kept.as_ref().map(|insight| insight.sha256.clone()),
    };
    core.audit(actor, event).await?;
    let Some(kept) = kept else {
        return Ok(None);
    };
    let id = request.id.as_str().as_bytes();
    let text = core.home.vault().open_sealed(PURPOSE, id, &kept.sealed)?;
    if sha256_hex(&text) != kept.sha256 {
        return Err(internal(format!(
            "the insight into request {} was altered",
            request.id
        )));
    }
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|error| internal(format!("the insight into request {}: {error}", request.id)))
}
