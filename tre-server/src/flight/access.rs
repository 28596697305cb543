//! Who calls: the token in the header, or as the password of a handshake.

use data_encoding::{BASE64, BASE64_NOPAD};
use tonic::Status;
use tonic::metadata::MetadataMap;
use tre_core::codes::{self, Problem};

use crate::authz::Action;
use crate::core::{Core, On, Project};
use crate::fault::status;
use crate::identity::{Caller, authorization, bearer};

/// The caller of a call.
pub(super) async fn caller(core: &Core, metadata: &MetadataMap) -> Result<Caller, Status> {
    core.caller(bearer(metadata).map_err(status)?)
        .await
        .map_err(status)
}

/// The token of a handshake: the password of HTTP's Basic scheme, padded or not (Go's clients do not), or a bearer's.
pub(super) fn handshake_token(metadata: &MetadataMap) -> Result<String, Status> {
    let malformed = || {
        status(Problem::of(
            &codes::AUTH_MISSING,
            "the handshake holds no user name and token",
        ))
    };
    let (scheme, value) = authorization(metadata).map_err(status)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(value.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let decoded = BASE64_NOPAD.decode(value.trim_end_matches('=').as_bytes());
    let decoded = decoded
        .or_else(|_| BASE64.decode(value.as_bytes()))
        .map_err(|_| malformed())?;
    let text = String::from_utf8(decoded).map_err(|_| malformed())?;
    let (_user, password) = text.split_once(':').ok_or_else(malformed)?;
    Ok(password.to_owned())
}

/// The caller's project as it is now, in which they may do `action` now: a permit that ended or changed counts at once, also
/// for sessions that began before.
pub(super) async fn project(core: &Core, caller: &Caller, action: Action) -> Result<Project, Status> {
    let id = caller.project.as_ref().ok_or_else(|| {
        let what = format!("`{}` may not open a session as {}", caller.user, caller.role);
        status(Problem::new(
            &codes::AUTH_DENIED,
            what,
            "use the token of an analyst",
        ))
    })?;
    let project = core.project(id).await.map_err(status)?;
    let _allowed = core
        .authorize(caller, action, On::Project(&project))
        .await
        .map_err(status)?;
    Ok(project)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn with(header: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", header.parse().unwrap());
        metadata
    }

    #[test]
    fn the_password_is_the_token_with_and_without_padding() {
        for user in ["", "a", "al", "ali"] {
            let plain = format!("{user}:tok.en.x");
            let padded = BASE64.encode(plain.as_bytes());
            for value in [padded.as_str(), padded.trim_end_matches('=')] {
                assert_eq!(
                    handshake_token(&with(&format!("Basic {value}"))).unwrap(),
                    "tok.en.x"
                );
                assert_eq!(
                    handshake_token(&with(&format!("basic {value}"))).unwrap(),
                    "tok.en.x"
                );
            }
        }
        assert_eq!(handshake_token(&with("Bearer tok.en.x")).unwrap(), "tok.en.x");
    }

    #[test]
    fn a_password_may_hold_colons() {
        let value = BASE64.encode(b"alice:a:b");
        assert_eq!(handshake_token(&with(&format!("Basic {value}"))).unwrap(), "a:b");
    }

    #[test]
    fn what_is_no_handshake_is_unauthenticated() {
        let no_colon = format!("Basic {}", BASE64.encode(b"alice"));
        for header in [
            "Basic",
            "Basic !!!",
            "Digest abc",
            "Basic /w==",
            no_colon.as_str(),
        ] {
            assert_eq!(
                handshake_token(&with(header)).unwrap_err().code(),
                tonic::Code::Unauthenticated,
                "{header}"
            );
        }
        assert!(handshake_token(&MetadataMap::new()).is_err());
    }
}
