//! Who is calling: short-lived tokens, signed by the deployment, one role each.
//!
//! A token is a JWT (RFC 7519) signed with Ed25519 by the key in the vault: audience (the deployment), user, role, project,
//! token id, times. Nothing else is accepted: one header, one algorithm, known claims, names that are names. Analysts and
//! checkers need a project; operators and auditors are in no permit, and their token may be bound to a project or to
//! none.
//!
//! Whether the permit gives the person the role is not the token's business: permits change while tokens live, so the
//! access policies ask it at every call.

mod crypto;
mod header;

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use tre_core::codes::{self, Problem};
use tre_core::ids::{ProjectId, TokenId, UserName};
use tre_core::permit::Role;

use crate::authz::Principal;

pub(crate) use header::{authorization, bearer};

/// Life of a token unless its issuer says otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(8 * 3600);
/// Shortest and longest life of a token.
const TTL: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(30 * 24 * 3600);
/// Clocks of two machines may differ by so much.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);
/// No token of ours is longer.
const MAX_BYTES: usize = 1024;
/// The one header: `{"alg":"EdDSA","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9";

/// Whoever came with a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The person.
    pub user: UserName,
    /// What they act as.
    pub role: Role,
    /// The project that the token is for; analysts and checkers always have one.
    pub project: Option<ProjectId>,
    /// The token.
    pub token: TokenId,
    /// When it ends.
    pub expires: Timestamp,
}

impl Caller {
    /// The caller as the access policies see them.
    pub fn principal(&self) -> Principal<'_> {
        Principal {
            user: self.user.as_str(),
            role: Some(self.role),
            project: self.project.as_ref().map(ProjectId::as_str),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    sub: UserName,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<ProjectId>,
    jti: TokenId,
    iat: i64,
    exp: i64,
}

/// Signs with a key that does not leave its owner. 64 bytes, Ed25519.
pub trait Sign {
    /// The signature of a message.
    fn sign(&self, message: &[u8]) -> [u8; 64];
    /// The public half of the key.
    fn public_key(&self) -> [u8; 32];
}

impl Sign for tre_home::vault::TokenSigner {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        tre_home::vault::TokenSigner::sign(self, message)
    }

    fn public_key(&self) -> [u8; 32] {
        tre_home::vault::TokenSigner::public_key(self)
    }
}

/// What a new token shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// For whom.
    pub user: UserName,
    /// As what.
    pub role: Role,
    /// For which project.
    pub project: Option<ProjectId>,
    /// For how long.
    pub ttl: Duration,
}

/// Shapes a wish into the caller that its token will stand for.
///
/// # Errors
/// `TRE-AUTH-007` for an analyst or checker without project, and for a life that is too short or too long.
pub fn shape(wish: Wish, token: TokenId, now: Timestamp) -> Result<Caller, Problem> {
    if wish.role.is_of_a_project() && wish.project.is_none() {
        let what = format!("a token of role {} needs a project", wish.role);
        return Err(Problem::new(&codes::AUTH_ISSUE, what, "add --project"));
    }
    if !TTL.contains(&wish.ttl) {
        let what = format!("a token cannot live {} seconds", wish.ttl.as_secs());
        return Err(Problem::new(
            &codes::AUTH_ISSUE,
            what,
            "choose a time between one minute and 30 days",
        ));
    }
    let seconds = i64::try_from(wish.ttl.as_secs()).unwrap_or(i64::MAX);
    let expires = Timestamp::from_second(now.as_second().saturating_add(seconds)).map_err(|_| {
        Problem::new(
            &codes::AUTH_ISSUE,
            "the token would never end",
            "correct the clock",
        )
    })?;
    Ok(Caller {
        user: wish.user,
        role: wish.role,
        project: wish.project,
        token,
        expires,
    })
}

/// Signs a caller's token for the deployment called `audience`.
pub fn sign(caller: &Caller, audience: &str, now: Timestamp, key: &dyn Sign) -> Result<String, Problem> {
    let claims = Claims {
        aud: audience.to_owned(),
        sub: caller.user.clone(),
        role: caller.role,
        project: caller.project.clone(),
        jti: caller.token.clone(),
        iat: now.as_second(),
        exp: caller.expires.as_second(),
    };
    let claims = serde_json::to_vec(&claims)
        .map_err(|_| Problem::of(&codes::AUTH_ISSUE, "the token's claims cannot be written"))?;
    let message = format!("{HEADER}.{}", BASE64URL_NOPAD.encode(&claims));
    let signature = BASE64URL_NOPAD.encode(&key.sign(message.as_bytes()));
    Ok(format!("{message}.{signature}"))
}

/// Reads a token. Says nothing about revocation, which is for the store to know.
///
/// # Errors
/// `TRE-AUTH-002` for whatever this deployment did not sign so, `TRE-AUTH-003` when its time is over.
pub fn verify(text: &str, audience: &str, now: Timestamp, key: &dyn Sign) -> Result<Caller, Problem> {
    let invalid = || Problem::of(&codes::AUTH_INVALID, "the token is not one of this deployment");
    if text.len() > MAX_BYTES || text.split('.').next() != Some(HEADER) {
        return Err(invalid());
    }
    crypto::install();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["aud", "sub", "exp"]);
    // The library would read the clock; time is an argument here.
    validation.validate_exp = false;
    let key = DecodingKey::from_ed_der(&key.public_key());
    let claims = jsonwebtoken::decode::<Claims>(text, &key, &validation)
        .map_err(|_| invalid())?
        .claims;
    let times = (
        Timestamp::from_second(claims.iat),
        Timestamp::from_second(claims.exp),
    );
    let (Ok(issued), Ok(expires)) = times else {
        return Err(invalid());
    };
    if claims.role.is_of_a_project() && claims.project.is_none() {
        return Err(invalid());
    }
    if issued > now.saturating_add(LEEWAY).unwrap_or(now) {
        return Err(Problem::new(
            &codes::AUTH_INVALID,
            "the token is of a later time",
            "compare the clocks",
        ));
    }
    if expires <= now {
        return Err(Problem::of(&codes::AUTH_EXPIRED, "the token has expired"));
    }
    Ok(Caller {
        user: claims.sub,
        role: claims.role,
        project: claims.project,
        token: claims.jti,
        expires,
    })
}
