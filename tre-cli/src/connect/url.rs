//! Addresses as ADBC writes them. Plain text only to this very machine: a token travels with every call.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A parsed server address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUrl {
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
}

/// Why an address was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("write grpc://HOST:PORT (loopback only) or grpc+tls://HOST:PORT")]
    Form,
    #[error(
        "plain grpc:// is for loopback addresses only, because the token would travel readable; use grpc+tls://"
    )]
    PlainText,
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Form)?;
        let tls = match scheme {
            "grpc" | "grpc+tcp" => false,
            "grpc+tls" => true,
            _ => return Err(UrlError::Form),
        };
        let (host, port) = rest
            .trim_end_matches('/')
            .rsplit_once(':')
            .ok_or(UrlError::Form)?;
        let port = port.parse().map_err(|_| UrlError::Form)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() => v6,
            Some(_) => return Err(UrlError::Form),
            None => host,
        };
        let is_name = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
        if bracketed.is_none() && !is_name {
            return Err(UrlError::Form);
        }
        if !tls && !is_loopback(host) {
            return Err(UrlError::PlainText);
        }
        Ok(ServerUrl {
            tls,
            host: host.to_owned(),
            port,
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl ServerUrl {
    /// Whether the connection is encrypted.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// The name that the server's certificate must carry.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// As HTTP libraries write it.
    pub(crate) fn http(&self) -> String {
        format!(
            "{}://{}",
            if self.tls { "https" } else { "http" },
            self.authority()
        )
    }

    /// Host and port.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}",
            if self.tls { "grpc+tls" } else { "grpc" },
            self.authority()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_on_this_machine() {
        for good in [
            "grpc://127.0.0.1:50051",
            "grpc://localhost:1",
            "grpc://[::1]:50051",
            "grpc+tls://tre.example:443",
        ] {
            assert_eq!(
                good.parse::<ServerUrl>().map(|url| url.to_string()),
                Ok(good.to_owned())
            );
        }
        for far in [
            "grpc://tre.example:443",
            "grpc://10.0.0.1:50051",
            "grpc://127.0.0.1.example:1",
        ] {
            assert_eq!(far.parse::<ServerUrl>(), Err(UrlError::PlainText), "{far}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "127.0.0.1:1",
            "http://localhost:1",
            "grpc://localhost",
            "grpc://:1",
            "grpc://u@localhost:1",
            "grpc://localhost:70000",
            "grpc://[::1:1",
            "grpc://[x]:1",
            "grpc://localhost:1/path",
        ] {
            assert_eq!(bad.parse::<ServerUrl>(), Err(UrlError::Form), "{bad}");
        }
    }

    #[test]
    fn http_form_keeps_brackets() {
        assert_eq!(
            "grpc+tls://[::1]:2".parse::<ServerUrl>().map(|url| url.http()),
            Ok("https://[::1]:2".to_owned())
        );
    }
}
