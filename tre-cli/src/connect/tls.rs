//! Which certificates a client trusts.

use std::path::Path;

use tonic::transport::{Certificate, ClientTlsConfig};

use super::ServerUrl;
use crate::codes;
use crate::exit::Failure;

/// Where operating systems keep the certificates that they trust, most common first.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// TLS as the address and `--ca` ask for it.
pub(super) fn config(url: &ServerUrl, ca: Option<&Path>) -> Result<ClientTlsConfig, Failure> {
    let pem = match ca {
        Some(path) => {
            let pem = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
            if !pem.windows(MARK.len()).any(|window| window == MARK) {
                let what = format!("`{}` holds no certificate in PEM form", path.display());
                return Err(Failure::of(&codes::CLI_TLS, what));
            }
            pem
        }
        None => SYSTEM
            .iter()
            .find_map(|path| std::fs::read(path).ok())
            .ok_or_else(|| Failure::of(&codes::CLI_TLS, "this system has no list of trusted certificates"))?,
    };
    Ok(ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(pem))
        .domain_name(url.host()))
}

const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";
