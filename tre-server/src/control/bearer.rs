//! The token of a call.

use tonic::metadata::MetadataMap;
use tre_core::codes::{self, Problem};

/// The token in `authorization: Bearer TOKEN`.
///
/// # Errors
/// `TRE-AUTH-001` when there is none, or several.
pub(crate) fn bearer(metadata: &MetadataMap) -> Result<&str, Problem> {
    let missing = |what: &str| Problem::of(&codes::AUTH_MISSING, what.to_owned());
    let mut headers = metadata.get_all("authorization").iter();
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(missing("the call carries no token, or several"));
    };
    let text = header.to_str().map_err(|_| missing("the token cannot be read"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() => {
            Ok(token.trim())
        }
        Some(_) | None => Err(missing("the call is not authorised by a bearer token")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn said(headers: &[&'static str]) -> Result<String, &'static str> {
        let mut metadata = MetadataMap::new();
        for header in headers {
            metadata.append("authorization", header.parse().unwrap());
        }
        bearer(&metadata)
            .map(str::to_owned)
            .map_err(|problem| problem.code.id)
    }

    #[test]
    fn one_bearer_token_is_read_and_nothing_else() {
        assert_eq!(said(&["Bearer abc"]), Ok("abc".to_owned()));
        assert_eq!(said(&["bearer  abc "]), Ok("abc".to_owned()));
        for wrong in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Basic abc"],
            &["abc"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(said(wrong), Err("TRE-AUTH-001"), "{wrong:?}");
        }
    }
}
