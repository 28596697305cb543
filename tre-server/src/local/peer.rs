//! Who is at the other end of the socket.

use nix::unistd::{Uid, User};
use tonic::Extensions;
use tonic::transport::server::UdsConnectInfo;
use tre_core::codes::{self, Problem};
use tre_core::ids::UserName;

/// `local:<os user>`, the user being the one that the kernel names.
///
/// # Errors
/// When the kernel names none: then nobody knows who asks.
pub(super) fn peer(extensions: &Extensions) -> Result<UserName, Problem> {
    let unknown = || {
        Problem::of(
            &codes::AUTH_MISSING,
            "the kernel does not say who is at the socket",
        )
    };
    let credentials = extensions
        .get::<UdsConnectInfo>()
        .and_then(|info| info.peer_cred)
        .ok_or_else(unknown)?;
    named(credentials.uid()).ok_or_else(unknown)
}

/// A name that the log cannot hold, or no name at all: the number.
fn named(uid: u32) -> Option<UserName> {
    let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let name = known.and_then(|user| format!("local:{}", user.name).parse().ok());
    name.or_else(|| format!("local:{uid}").parse().ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn users_have_their_name_or_their_number() {
        assert_eq!(named(0).unwrap().as_str(), "local:root");
        assert_eq!(named(3_999_999_999).unwrap().as_str(), "local:3999999999");
        assert!(peer(&Extensions::default()).is_err());
    }
}
