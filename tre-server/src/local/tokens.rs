//! Issuing and revoking tokens, with or without a server.

use jiff::Timestamp;
use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::ids::{ProjectId, TokenId};
use tre_core::permit::{Permit, Phase};
use tre_home::Home;
use tre_home::store::{Store, Token};

use crate::identity::{self, Caller, Wish};

/// A token that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The token itself; it is nowhere else.
    pub token: String,
    /// Its id.
    pub id: TokenId,
    /// When it ends.
    pub expires: Timestamp,
}

/// Logs, remembers and signs a token.
///
/// # Errors
/// `TRE-AUTH-007` for a wish that would mean nothing: a person whom the permit does not give the role, a permit that is over,
/// a life too short or too long, a name of the system. `TRE-PRJ` codes for a project that is unknown or closed.
pub async fn issue(
    home: &Home,
    store: &Store,
    actor: Actor,
    wish: Wish,
    now: Timestamp,
) -> Result<Issued, Problem> {
    let caller = match judged(home, store, wish, now).await {
        Ok(caller) => caller,
        Err(problem) => {
            let (call, code) = ("IssueToken".to_owned(), problem.code.id.to_owned());
            home.audit()
                .append(actor, Event::ControlRefused { call, code })
                .await?;
            return Err(problem);
        }
    };
    let event = Event::TokenIssued {
        token: caller.token.clone(),
        user: caller.user.clone(),
        role: caller.role,
        project: caller.project.clone(),
        expires: caller.expires,
    };
    home.audit().append(actor.clone(), event).await?;
    let row = Token {
        id: caller.token.clone(),
        project: caller.project.clone(),
        user: caller.user.clone(),
        role: caller.role,
        issued_at: now,
        issued_by: actor.user,
        expires_at: caller.expires,
        revoked: None,
    };
    if !store.tokens().issue(&row).await? {
        return Err(Problem::of(
            &codes::PRJ_CLOSED,
            "the project was closed before the token was issued",
        ));
    }
    let token = identity::sign(&caller, home.config().origin.as_str(), now, home.vault().tokens())?;
    Ok(Issued {
        token,
        id: caller.token,
        expires: caller.expires,
    })
}

/// What a wish's token would say, if it may be issued.
async fn judged(home: &Home, store: &Store, wish: Wish, now: Timestamp) -> Result<Caller, Problem> {
    let caller = identity::shape(wish, TokenId::from_random(home.vault().random()?), now)?;
    is_a_name_for_people(&caller)?;
    if let Some(project) = &caller.project {
        let permit = open_permit(store, project).await?;
        fits(
            &permit,
            &caller,
            permit.valid.phase(now, home.config().timezone.zone()),
        )?;
    }
    Ok(caller)
}

/// Logs and ends a token. Returns false, and logs nothing, for one that was revoked before. Its session is for a running
/// server to end.
///
/// # Errors
/// `TRE-AUTH-002` when no token has this id.
pub async fn revoke(
    home: &Home,
    store: &Store,
    actor: Actor,
    id: &TokenId,
    now: Timestamp,
) -> Result<bool, Problem> {
    let Some(token) = store.tokens().get(id).await? else {
        let what = format!("there is no token `{id}`");
        return Err(Problem::new(
            &codes::AUTH_INVALID,
            what,
            "write the id that `tre token issue` said",
        ));
    };
    if token.revoked.is_some() {
        return Ok(false);
    }
    home.audit()
        .append(actor.clone(), Event::TokenRevoked { token: id.clone() })
        .await?;
    Ok(store.tokens().revoke(id, now, &actor.user).await?)
}

async fn open_permit(store: &Store, id: &ProjectId) -> Result<Permit, Problem> {
    match store.projects().get(id).await? {
        None => Err(Problem::of(
            &codes::PRJ_UNKNOWN,
            format!("there is no project `{id}`"),
        )),
        Some(project) if project.closed.is_some() => Err(Problem::of(
            &codes::PRJ_CLOSED,
            format!("the project `{id}` is closed"),
        )),
        Some(project) => Permit::parse(&project.permit),
    }
}

/// The log keeps these names for the system and for people at the home's own files.
fn is_a_name_for_people(caller: &Caller) -> Result<(), Problem> {
    let name = caller.user.as_str();
    if name.starts_with("local:") || name.starts_with("tre:") {
        let hint = "choose a user name that does not start with `local:` or `tre:`";
        return Err(Problem::new(
            &codes::AUTH_ISSUE,
            format!("`{name}` is a name that the system uses itself"),
            hint,
        ));
    }
    Ok(())
}

/// Whether the permit has a use for this token: it names the person in the role, and is not over.
fn fits(permit: &Permit, caller: &Caller, phase: Phase) -> Result<(), Problem> {
    let (project, user, role) = (&permit.project, &caller.user, caller.role);
    if phase == Phase::Expired {
        let what = format!("the permit of `{project}` ended on {}", permit.valid.until);
        let hint = "apply a permit with a later `until` first";
        return Err(Problem::new(&codes::AUTH_ISSUE, what, hint));
    }
    if role.is_of_a_project() && !permit.has(user, role) {
        let what = format!("the permit of `{project}` does not name `{user}` as {role}");
        let hint = format!(
            "see its people with `tre project show {project}`, or apply a permit that names `{user}`"
        );
        return Err(Problem::new(&codes::AUTH_ISSUE, what, hint));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::time::Duration;

    use tre_core::permit::Role;

    use super::*;
    use crate::projects::tests::PERMIT;

    fn caller(user: &str, role: Role) -> Caller {
        let wish = Wish {
            user: user.parse().unwrap(),
            role,
            project: Some("liver-outcomes".parse().unwrap()),
            ttl: Duration::from_secs(3600),
        };
        let now = "2026-06-01T12:00:00Z".parse().unwrap();
        identity::shape(wish, TokenId::from_random([1; 10]), now).unwrap()
    }

    #[test]
    fn a_token_is_for_somebody_whom_the_permit_gives_the_role() {
        let permit = Permit::parse(PERMIT).unwrap();
        for (user, role, phase, good) in [
            ("alice", Role::Analyst, Phase::InForce, true),
            ("alice", Role::Analyst, Phase::NotYet, true),
            ("bo", Role::Checker, Phase::InForce, true),
            ("olga", Role::Operator, Phase::InForce, true),
            ("alice", Role::Checker, Phase::InForce, false),
            ("mallory", Role::Analyst, Phase::InForce, false),
            ("alice", Role::Analyst, Phase::Expired, false),
        ] {
            let said = fits(&permit, &caller(user, role), phase).map_err(|problem| problem.code.id);
            assert_eq!(
                said,
                if good { Ok(()) } else { Err("TRE-AUTH-007") },
                "{user} {role} {phase:?}"
            );
        }
    }

    #[test]
    fn nobody_gets_a_token_in_the_systems_name() {
        assert!(is_a_name_for_people(&caller("alice", Role::Analyst)).is_ok());
        for name in ["tre:system", "local:root"] {
            assert!(
                is_a_name_for_people(&caller(name, Role::Operator)).is_err(),
                "{name}"
            );
        }
    }
}
