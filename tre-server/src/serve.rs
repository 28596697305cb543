//! The listening server: one port for Flight SQL and the control service, a socket in the home for local commands.
//!
//! Plaintext is spoken on loopback only. The order of a start: what a crash left is brought to rest, the entry is written,
//! then it listens. The order of an end: nobody new, every session with its workers, calls that still run, the entry.

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server as Router, ServerTlsConfig};
use tre_core::audit::Event;
use tre_core::codes::{self, Problem};
use tre_home::Home;

use crate::core::Core;
use crate::local::Socket;
use crate::sessions::Sessions;
use crate::{control, flight, projects, requests};

/// How often is looked for what ends by the clock.
const SWEEP: Duration = Duration::from_secs(2);
/// How long calls may go on after the server was told to stop; their workers are dead by then.
const FAREWELL: Duration = Duration::from_secs(10);
/// A connection that does not answer for so long is lost, and its query cancelled.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Calls of one connection at a time.
const MOST_CALLS: u32 = 128;

/// What a server may be told beside its home.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where to listen instead of where tre.toml says; port 0: any free one.
    pub listen: Option<SocketAddr>,
    /// The program that workers are, by default the running one.
    pub worker: Option<PathBuf>,
}

/// A server that listens.
pub struct Server {
    core: Arc<Core>,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<ServerTlsConfig>,
    socket: Socket,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Opens everything and listens; connections are answered from [`Server::run`] on.
    ///
    /// # Errors
    /// A [`Problem`] when store, policies, certificate or jail cannot be used, the address is taken, or it is not on
    /// loopback and there is no certificate.
    pub async fn bind(home: Home, options: Options) -> Result<Server, Problem> {
        let wanted = options.listen.unwrap_or(home.config().listen);
        let tls = tls(&home)?;
        if tls.is_none() && !wanted.ip().is_loopback() {
            let what = format!("`{wanted}` is not on loopback, and no certificate is configured");
            let hint = "configure [tls] in tre.toml (`tre init --self-signed HOST` makes a certificate), or listen on \
                        127.0.0.1";
            return Err(Problem::new(&codes::RUN_LISTEN, what, hint));
        }
        let core = Core::open(home, options.worker).await?;
        let taken = |error: std::io::Error| cannot_listen(wanted, &error);
        let listener = TcpListener::bind(wanted).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let socket = Socket::bind(core.home.layout())?;
        bring_to_rest(&core).await?;
        let started = Event::ServerStarted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            listen: vec![address.to_string()],
        };
        core.audit(core.system()?, started).await?;
        Ok(Server {
            core,
            listener,
            address,
            tls,
            socket,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Answers until `stop`, then ends every session.
    ///
    /// # Errors
    /// A [`Problem`] when the listening socket fails, or the end cannot be logged.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), Problem> {
        let (stopping, stopped) = watch::channel(false);
        let core = self.core;
        let mut router = Router::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .max_concurrent_streams(MOST_CALLS);
        if let Some(tls) = self.tls {
            router = router
                .tls_config(tls)
                .map_err(|error| bad_certificate(&error.to_string()))?;
        }
        let router = router
            .add_service(flight::service(Arc::clone(&core)))
            .add_service(control::service(Arc::clone(&core)));
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        let broke = Arc::new(Notify::new());
        let remote = tokio::spawn(watched(
            "the listening socket failed",
            router.serve_with_incoming_shutdown(incoming, told(stopped.clone())),
            Arc::clone(&broke),
        ));
        let local = tokio::spawn(watched(
            "the socket in the home failed",
            self.socket.serve(Arc::clone(&core), told(stopped.clone())),
            Arc::clone(&broke),
        ));
        let sweeping = tokio::spawn(sweep(Arc::clone(&core), stopped));

        let told_to_stop = tokio::select! {
            () = stop => true,
            () = broke.notified() => false,
        };
        if told_to_stop {
            tracing::info!("stopping: sessions and their queries end now");
        }
        // Fails only when nobody listens any more.
        let _nobody_left = stopping.send(true);
        Sessions::end_where(&core, "the server stopped", |_| true).await;
        let farewell = async { tokio::join!(remote, local, sweeping) };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!("calls were still running when the server stopped");
        }
        let reason = if told_to_stop {
            "it was told to"
        } else {
            "a socket failed"
        };
        core.audit(
            core.system()?,
            Event::ServerStopped {
                reason: reason.to_owned(),
            },
        )
        .await?;
        core.store.close().await;
        if told_to_stop {
            Ok(())
        } else {
            Err(Problem::of(&codes::RUN_LISTEN, "a listening socket failed"))
        }
    }
}

/// Serves a home until the process is told to end by SIGTERM or SIGINT. `ready` hears the address once it listens, and
/// whether it speaks TLS.
///
/// # Errors
/// A [`Problem`] when it cannot start, or fails.
pub fn serve(home: Home, options: Options, ready: impl FnOnce(SocketAddr, bool)) -> Result<(), Problem> {
    let cannot = |error: std::io::Error| {
        Problem::of(
            &codes::RUN_INTERNAL,
            format!("no runtime can be started: {error}"),
        )
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    runtime.block_on(async {
        // Signals that arrive while it starts count too.
        let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
        let server = Server::bind(home, options).await?;
        ready(server.address(), server.is_tls());
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        server.run(stop).await
    })
}

/// What a server that was killed left: sessions that no longer live, requests between two moves, projects whose permit
/// ended meanwhile.
async fn bring_to_rest(core: &Arc<Core>) -> Result<(), Problem> {
    let reason = "the server stopped";
    for session in core.store.sessions().close_all(core.now(), reason).await? {
        let closed = Event::SessionClosed {
            session,
            reason: reason.to_owned(),
        };
        core.audit(core.system()?, closed).await?;
    }
    projects::close_expired(core).await?;
    requests::resume(core).await
}

/// Ends what is due, for as long as the server runs.
async fn sweep(core: Arc<Core>, stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let told = told(stopped);
    tokio::pin!(told);
    loop {
        tokio::select! {
            () = &mut told => return,
            _ = ticks.tick() => {}
        }
        Sessions::sweep(&core).await;
        if let Err(problem) = projects::close_expired(&core).await {
            tracing::error!(%problem, "projects whose permit ended could not be closed");
        }
    }
}

/// Ends when the server was told to stop, or is gone.
async fn told(mut stopped: watch::Receiver<bool>) {
    let _gone_too = stopped.wait_for(|stopped| *stopped).await;
}

/// Serves, and tells when that ended; by itself it ends only when it fails.
async fn watched<T, E: std::fmt::Display>(
    what: &'static str,
    serving: impl Future<Output = Result<T, E>>,
    broke: Arc<Notify>,
) {
    if let Err(error) = serving.await {
        tracing::error!(%error, "{what}");
    }
    broke.notify_one();
}

/// Why the operating system did not give an address.
fn cannot_listen(wanted: SocketAddr, error: &std::io::Error) -> Problem {
    let known = [
        (
            ErrorKind::AddrInUse,
            "another program listens there",
            "stop it, or choose another port with --listen or `listen` in tre.toml",
        ),
        (
            ErrorKind::AddrNotAvailable,
            "this machine does not have that address",
            "choose one of its own with --listen or `listen` in tre.toml, or 0.0.0.0 for all of them",
        ),
        (
            ErrorKind::PermissionDenied,
            "the operating system does not allow it",
            "choose a port above 1023 with --listen or `listen` in tre.toml",
        ),
    ];
    let (why, hint) = known
        .into_iter()
        .find(|(kind, ..)| *kind == error.kind())
        .map_or_else(
            || (error.to_string(), codes::RUN_LISTEN.remedy),
            |(_, why, hint)| (why.to_owned(), hint),
        );
    Problem::new(
        &codes::RUN_LISTEN,
        format!("cannot listen on `{wanted}`: {why}"),
        hint,
    )
}

/// Certificate and key, where tre.toml names them.
fn tls(home: &Home) -> Result<Option<ServerTlsConfig>, Problem> {
    let Some(tls) = &home.config().tls else {
        return Ok(None);
    };
    let read = |path: &PathBuf| {
        let path = home.layout().root().join(path);
        std::fs::read(&path).map_err(|error| bad_certificate(&format!("`{}`: {error}", path.display())))
    };
    Ok(Some(
        ServerTlsConfig::new().identity(Identity::from_pem(read(&tls.cert)?, read(&tls.key)?)),
    ))
}

fn bad_certificate(what: &str) -> Problem {
    let hint = "correct [tls] in tre.toml: paths of PEM files, relative to the home";
    Problem::new(
        &codes::RUN_LISTEN,
        format!("the certificate cannot be used: {what}"),
        hint,
    )
}
