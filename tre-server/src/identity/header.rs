//! The token of a call, in its header `authorization`.

use tonic::metadata::MetadataMap;
use tre_core::codes::{self, Problem};

/// Scheme and value of the header, e.g. `Bearer` and a token. Neither is empty.
///
/// # Errors
/// `TRE-AUTH-001` when there is none, or several: it would be unclear in whose name the call is made.
pub(crate) fn authorization(metadata: &MetadataMap) -> Result<(&str, &str), Problem> {
    let missing = |what: &str| Problem::of(&codes::AUTH_MISSING, what.to_owned());
    let mut headers = metadata.get_all("authorization").iter();
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(missing("the call carries no token, or several"));
    };
    let text = header.to_str().map_err(|_| missing("the token cannot be read"))?;
    match text.split_once(' ').map(|(scheme, value)| (scheme, value.trim())) {
        Some((scheme, value)) if !scheme.is_empty() && !value.is_empty() => Ok((scheme, value)),
        Some(_) | None => Err(missing("the call is not authorised by a token")),
    }
}

/// The token in `authorization: Bearer TOKEN`.
///
/// # Errors
/// `TRE-AUTH-001` when there is none, several, or something else.
pub(crate) fn bearer(metadata: &MetadataMap) -> Result<&str, Problem> {
    match authorization(metadata)? {
        (scheme, token) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _another => Err(Problem::of(
            &codes::AUTH_MISSING,
            "the call is not authorised by a bearer token",
        )),
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
