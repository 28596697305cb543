//! Whether a server that was called in plain text speaks TLS. Of that the calls themselves learn no more than that the
//! connection broke, so it is asked once, before them. Plain text is for this machine only, where asking costs nothing.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ServerUrl;

/// How a client begins to speak HTTP/2 (RFC 9113, section 3.4): the preface and an empty frame of settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// What a record with an alert begins with (RFC 8446, section 5.1): a server with TLS answers so to anything else.
const ALERT: u8 = 21;
/// A server that says nothing for so long is not known to speak TLS.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether what listens there answers plain text with an alert of TLS.
pub(super) async fn is_refused_by_tls(url: &ServerUrl) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(url.authority()).await?;
        stream.write_all(PREFACE).await?;
        stream.read_u8().await
    };
    matches!(tokio::time::timeout(PATIENCE, asked).await, Ok(Ok(ALERT)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use tokio::net::TcpListener;

    use super::*;

    /// What is found of a server that answers so.
    async fn found(answer: &'static [u8]) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("grpc://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut preface = vec![0; PREFACE.len()];
            stream.read_exact(&mut preface).await.unwrap();
            assert_eq!(preface, PREFACE);
            stream.write_all(answer).await.unwrap();
        });
        let found = is_refused_by_tls(&url.parse().unwrap()).await;
        serving.await.unwrap();
        found
    }

    #[tokio::test]
    async fn an_alert_is_told_from_settings_and_from_nothing() {
        assert!(found(b"\x15\x03\x03\x00\x02\x02\x32").await);
        assert!(!found(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00").await);
        assert!(!found(b"").await);
        assert!(!is_refused_by_tls(&"grpc://127.0.0.1:1".parse().unwrap()).await);
    }
}
