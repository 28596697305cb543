//! Where a call takes place: in the caller's project, or in the deployment.

use tre_core::codes::{self, Code, Problem};
use tre_core::ids::{InvalidName, ProjectId};

use crate::authz::Action;
use crate::core::{Core, On, Project};
use crate::fault::Fault;
use crate::identity::Caller;

/// The project that the caller's token is for.
///
/// # Errors
/// `TRE-AUTH-005` for a token that is for none, which no role with work in a project has.
pub(super) async fn own_project(core: &Core, caller: &Caller) -> Result<Project, Fault> {
    let id = caller.project.as_ref().ok_or_else(|| {
        let what = format!("the token of `{}` is for no project", caller.user);
        Problem::new(&codes::AUTH_DENIED, what, "use a token of a project")
    })?;
    Ok(core.project(id).await?)
}

/// Asks whether the caller may do something in their project, and gives the project.
pub(super) async fn in_project(core: &Core, caller: &Caller, action: Action) -> Result<Project, Fault> {
    let project = own_project(core, caller).await?;
    let _allowed = core.authorize(caller, action, On::Project(&project)).await?;
    Ok(project)
}

/// Asks whether the caller may list things: people of a permit in their project, others in the deployment. Gives the
/// project that the list is limited to.
pub(super) async fn listing<'c>(
    core: &Core,
    caller: &'c Caller,
    action: Action,
) -> Result<Option<&'c ProjectId>, Fault> {
    if caller.role.is_of_a_project() {
        in_project(core, caller, action).await?;
    } else {
        let _allowed = core.authorize(caller, action, On::Home).await?;
    }
    Ok(caller.project.as_ref())
}

/// Asks whether the caller may do something with a project that the call names, and gives the project.
pub(super) async fn named(core: &Core, caller: &Caller, action: Action, id: &str) -> Result<Project, Fault> {
    let id: ProjectId = id.parse().map_err(bad_name(&codes::PRJ_UNKNOWN))?;
    let project = core.project(&id).await?;
    let _allowed = core.authorize(caller, action, On::Project(&project)).await?;
    Ok(project)
}

/// A name in a call that is none.
pub(super) fn bad_name(code: &'static Code) -> impl Fn(InvalidName) -> Problem {
    move |error| Problem::of(code, error.to_string())
}
