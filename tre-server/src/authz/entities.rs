//! What the policies are asked about, as Cedar entities.

use std::collections::{HashMap, HashSet};
use std::error::Error;

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};
use tre_core::ids::{ProjectId, UserName};

use super::Principal;

/// What the policies know of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFacts {
    /// Its id.
    pub id: ProjectId,
    /// Applied, not closed, and within its days.
    pub in_force: bool,
    /// People with the role analyst.
    pub analysts: Vec<UserName>,
    /// People with the role checker.
    pub checkers: Vec<UserName>,
}

/// What is acted on.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// The deployment.
    Home,
    /// A project, or the wish for one.
    Project(&'a ProjectFacts),
    /// A request.
    Request {
        /// Its project.
        project: &'a ProjectFacts,
        /// Who asked.
        author: &'a UserName,
        /// Who has voted.
        voters: &'a [UserName],
    },
    /// A session.
    Session {
        /// Its project.
        project: &'a ProjectFacts,
        /// Whose it is.
        user: &'a UserName,
    },
}

type Failure = Box<dyn Error>;

/// All entities of one question, and which of them are the caller and the resource.
pub(super) fn entities(
    principal: Principal<'_>,
    resource: Resource<'_>,
    schema: &Schema,
) -> Result<(Entities, EntityUid, EntityUid), Failure> {
    let role = uid("Role", principal.role_name())?;
    let caller = uid("Caller", principal.user)?;
    let home = uid("Home", "home")?;
    let mut all = vec![
        Entity::with_uid(role.clone()),
        entity(
            &caller,
            [
                ("user", text(principal.user)),
                ("project", text(principal.project.unwrap_or_default())),
            ],
            role,
        )?,
        Entity::with_uid(home.clone()),
    ];
    let resource = match resource {
        Resource::Home => home,
        Resource::Project(facts) => add_project(&mut all, facts, home)?,
        Resource::Request {
            project,
            author,
            voters,
        } => {
            let project = add_project(&mut all, project, home)?;
            let request = uid("Request", "request")?;
            let attributes = [
                ("project", RestrictedExpression::new_entity_uid(project.clone())),
                ("author", text(author.as_str())),
                ("voters", users(voters)),
            ];
            all.push(entity(&request, attributes, project)?);
            request
        }
        Resource::Session { project, user } => {
            let project = add_project(&mut all, project, home)?;
            let session = uid("Session", "session")?;
            let attributes = [
                ("project", RestrictedExpression::new_entity_uid(project.clone())),
                ("user", text(user.as_str())),
            ];
            all.push(entity(&session, attributes, project)?);
            session
        }
    };
    Ok((Entities::from_entities(all, Some(schema))?, caller, resource))
}

fn add_project(all: &mut Vec<Entity>, facts: &ProjectFacts, home: EntityUid) -> Result<EntityUid, Failure> {
    let project = uid("Project", facts.id.as_str())?;
    let attributes = [
        ("id", text(facts.id.as_str())),
        ("inForce", RestrictedExpression::new_bool(facts.in_force)),
        ("analysts", users(&facts.analysts)),
        ("checkers", users(&facts.checkers)),
    ];
    all.push(entity(&project, attributes, home)?);
    Ok(project)
}

fn entity<const N: usize>(
    uid: &EntityUid,
    attributes: [(&str, RestrictedExpression); N],
    parent: EntityUid,
) -> Result<Entity, Failure> {
    let attributes: HashMap<String, RestrictedExpression> = attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Ok(Entity::new(uid.clone(), attributes, HashSet::from([parent]))?)
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, Failure> {
    let kind: EntityTypeName = format!("Tre::{kind}").parse()?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn users(users: &[UserName]) -> RestrictedExpression {
    RestrictedExpression::new_set(users.iter().map(|user| text(user.as_str())))
}
