//! The way to a server: its address, the certificates to trust and the token to show, and the two services behind one
//! port: Flight SQL for queries, `tre.v1.Control` for everything else.

mod plain;
mod status;
mod tls;
mod url;

use std::path::PathBuf;
use std::time::Duration;

use arrow_flight::sql::client::FlightSqlServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tre_proto::v1::control_client::ControlClient;

use crate::codes;
use crate::exit::Failure;
use crate::shell::Shell;

pub(crate) use status::{from_flight, from_status};
pub(crate) use url::ServerUrl;

/// The largest message that a client accepts: a release with its record, or a batch of an answer.
const MESSAGE_LIMIT: usize = 64 << 20;

/// What to do about a certificate of another host.
const OTHER_NAME: &str = "write a name that the certificate has, or give the server one for this name: `tre init \
                          --self-signed HOST` makes it";

/// How long the first handshake may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Options of every command that asks a server.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RemoteArgs {
    /// Address of the server: grpc://HOST:PORT on loopback, grpc+tls://HOST:PORT elsewhere
    #[arg(
        long,
        env = "TRE_URL",
        value_name = "URL",
        help_heading = "Server",
        default_value = "grpc://127.0.0.1:50051"
    )]
    pub(crate) url: ServerUrl,

    /// File that holds the token; without it, TRE_TOKEN holds it
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub(crate) token_file: Option<PathBuf>,

    /// Certificates to trust with grpc+tls, PEM; without it, those of the operating system
    #[arg(long, env = "TRE_CA", value_name = "FILE", help_heading = "Server")]
    pub(crate) ca: Option<PathBuf>,
}

/// A token as a header, never shown.
#[derive(Clone)]
pub(crate) struct Token {
    bare: String,
    header: MetadataValue<Ascii>,
}

impl Token {
    /// From `--token-file`, else TRE_TOKEN.
    fn find(args: &RemoteArgs, shell: &Shell) -> Result<Self, Failure> {
        let text = match (&args.token_file, &shell.token) {
            (Some(path), _) => {
                std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?
            }
            (None, Some(token)) => token.to_string_lossy().into_owned(),
            (None, None) => return Err(Failure::of(&codes::CLI_NO_TOKEN, "this command needs a token")),
        };
        Token::new(text.trim())
    }

    /// Shapes the text of a token; what it says is the server's to judge.
    pub(crate) fn new(text: &str) -> Result<Self, Failure> {
        let malformed = || Failure::of(&codes::CLI_NO_TOKEN, "what was given as a token cannot be one");
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !plain {
            return Err(malformed());
        }
        let mut header: MetadataValue<Ascii> = format!("Bearer {text}").parse().map_err(|_| malformed())?;
        header.set_sensitive(true);
        Ok(Token {
            bare: text.to_owned(),
            header,
        })
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Adds the token to every call of the control service.
impl Interceptor for Token {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        request
            .metadata_mut()
            .insert("authorization", self.header.clone());
        Ok(request)
    }
}

/// Client of the control service.
pub(crate) type Control = ControlClient<InterceptedService<Channel, Token>>;

/// Client of the Flight SQL service.
pub(crate) type Flight = FlightSqlServiceClient<Channel>;

/// An open connection in somebody's name.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    channel: Channel,
    token: Token,
}

impl Remote {
    /// Connects as the arguments and the environment say.
    pub(crate) async fn open(args: &RemoteArgs, shell: &Shell) -> Result<Self, Failure> {
        let token = Token::find(args, shell)?;
        Remote::connect(&args.url, args.ca.as_deref(), token).await
    }

    /// Connects to an address with a token.
    pub(crate) async fn connect(
        url: &ServerUrl,
        ca: Option<&std::path::Path>,
        token: Token,
    ) -> Result<Self, Failure> {
        let unreachable = |error: &(dyn std::error::Error + 'static)| {
            let why = last_source(error);
            let code = if why.contains("certificate") {
                &codes::CLI_TLS
            } else {
                &codes::CLI_NO_SERVER
            };
            let what = format!("cannot reach `{url}`: {why}");
            if why.contains("not valid for name") {
                return Failure::new(code, what, OTHER_NAME);
            }
            Failure::of(code, what)
        };
        let endpoint = Endpoint::from_shared(url.http()).map_err(|error| unreachable(&error))?;
        let mut endpoint = endpoint.connect_timeout(CONNECT_WITHIN).tcp_nodelay(true);
        if url.is_tls() {
            let config = tls::config(url, ca)?;
            let refused = |error: tonic::transport::Error| {
                Failure::of(
                    &codes::CLI_TLS,
                    format!("the certificates cannot be used: {}", last_source(&error)),
                )
            };
            endpoint = endpoint.tls_config(config).map_err(refused)?;
        }
        let channel = endpoint.connect().await.map_err(|error| unreachable(&error))?;
        if !url.is_tls() && plain::is_refused_by_tls(url).await {
            return Err(Failure::new(
                &codes::CLI_NO_SERVER,
                format!("the server at `{url}` speaks TLS"),
                format!(
                    "write grpc+tls://{} in --url or TRE_URL, and name its certificate with --ca or TRE_CA",
                    url.authority()
                ),
            ));
        }
        Ok(Remote { channel, token })
    }

    /// The control service.
    pub(crate) fn control(&self) -> Control {
        ControlClient::with_interceptor(self.channel.clone(), self.token.clone())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    /// Flight SQL, as any other client would speak it.
    pub(crate) fn flight(&self) -> Flight {
        let inner = arrow_flight::flight_service_client::FlightServiceClient::new(self.channel.clone())
            .max_decoding_message_size(MESSAGE_LIMIT);
        let mut client = FlightSqlServiceClient::new_from_inner(inner);
        client.set_token(self.token.bare.clone());
        client
    }
}

/// The innermost cause: `connection refused` rather than `transport error`.
fn last_source(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match cause.downcast_ref::<std::io::Error>() {
        Some(error) => crate::exit::plain(error),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_word() {
        for bad in ["", "a b", "a\nb", "ä"] {
            assert!(Token::new(bad).is_err(), "{bad:?}");
        }
        assert!(Token::new("eyJ0.eyJ1.sig").is_ok());
    }

    #[test]
    fn a_token_is_never_shown() {
        let shown = Token::new("secret").map(|token| format!("{token:?}"));
        assert_eq!(shown, Ok("Token".to_owned()));
    }
}
