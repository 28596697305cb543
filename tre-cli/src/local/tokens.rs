//! Tokens without a server: the same steps as a server takes, under the home's lock. Shape, entry in the log, then the
//! store; the text that is signed in between goes to whoever asked, and nowhere else.

use jiff::Timestamp;
use tre_core::audit::{Actor, Event};
use tre_core::codes::{AUTH_INVALID, AUTH_ISSUE, Problem};
use tre_core::ids::TokenId;
use tre_home::Home;
use tre_home::store::Token;
use tre_server::identity::{self, Caller, Wish};

/// A token and what there is to say about it.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) text: String,
    pub(crate) id: String,
    pub(crate) expires: String,
}

/// Issues a token.
pub(crate) async fn issue(home: &Home, wish: Wish, actor: Actor, now: Timestamp) -> Result<Issued, Problem> {
    let store = home.store().await?;
    let id = TokenId::from_random(home.vault().random()?);
    let caller = identity::shape(wish, id, now)?;
    if let Some(project) = &caller.project {
        let known = store.projects().get(project).await?;
        if known.is_none_or(|project| project.closed.is_some()) {
            return Err(Problem::of(
                &AUTH_ISSUE,
                format!("there is no open project `{project}`"),
            ));
        }
    }
    let text = identity::sign(&caller, home.config().origin.as_str(), now, home.vault().tokens())?;
    let user = actor.user.clone();
    home.audit().append(actor, event(&caller)).await?;
    let token = Token {
        id: caller.token.clone(),
        project: caller.project,
        user: caller.user,
        role: caller.role,
        issued_at: now,
        issued_by: user,
        expires_at: caller.expires,
        revoked: None,
    };
    if !store.tokens().issue(&token).await? {
        return Err(Problem::of(&AUTH_ISSUE, "the token could not be remembered"));
    }
    store.close().await;
    Ok(Issued {
        text,
        id: token.id.to_string(),
        expires: token.expires_at.to_string(),
    })
}

fn event(caller: &Caller) -> Event {
    Event::TokenIssued {
        token: caller.token.clone(),
        user: caller.user.clone(),
        role: caller.role,
        project: caller.project.clone(),
        expires: caller.expires,
    }
}

/// Revokes a token. No server runs, so no session does either.
pub(crate) async fn revoke(home: &Home, id: &TokenId, actor: Actor, now: Timestamp) -> Result<(), Problem> {
    let store = home.store().await?;
    match store.tokens().get(id).await? {
        None => {
            let hint = "its id was printed on stderr when it was issued, and stands in the audit log";
            return Err(Problem::new(
                &AUTH_INVALID,
                format!("there is no token `{id}`"),
                hint,
            ));
        }
        Some(token) if token.revoked.is_some() => return Ok(()),
        Some(_) => {}
    }
    let user = actor.user.clone();
    home.audit()
        .append(actor, Event::TokenRevoked { token: id.clone() })
        .await?;
    store.tokens().revoke(id, now, &user).await?;
    store.close().await;
    Ok(())
}
