//! `tre init`: a new home.
//!
//! Everything is made in place, `tre.toml` last and by one rename: a directory with it is a home, a directory without it
//! is refused as unfinished and holds nothing worth keeping. Modes are set, not left to the umask.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use tre_core::audit::{Actor, Event, PolicyStamp};
use tre_core::codes::{HOME_EXISTS, HOME_INCOMPLETE, HOME_INIT, Problem};
use tre_core::ids::{PolicyId, base32_lower};

use crate::audit::{AuditError, AuditLog};
use crate::config::{Config, ConfigError, Origin, Timezone, Tls};
use crate::failpoint::{
    INIT_CERTIFICATE, INIT_CONFIG, INIT_DIRECTORIES, INIT_KEYS, INIT_LOG, INIT_POLICIES, INIT_STORE,
};
use crate::files::{self, FileError, PASSAGE_DIR, PRIVATE_DIR, PRIVATE_FILE};
use crate::layout::Layout;
use crate::lock::{Lock, LockError};
use crate::store::{Store, StoreError};
use crate::vault::crypto;
use crate::vault::{Vault, VaultError, sha256_hex};

/// What a new home is to be.
#[derive(Debug, Clone)]
pub struct InitOptions {
    /// What people call the deployment.
    pub name: String,
    /// Name of the audit log; none: `tre.local/` and ten random characters.
    pub origin: Option<Origin>,
    /// Where days begin and end.
    pub timezone: Timezone,
    /// Where the server listens, if not at the default.
    pub listen: Option<SocketAddr>,
    /// Where the server shows web pages, if not at the default.
    pub web: Option<SocketAddr>,
    /// Names and addresses for a self-signed certificate beside `localhost` and `127.0.0.1`; none: no certificate.
    pub certificate: Option<Vec<String>>,
    /// Rule packs: file name (`ndb.toml`) and content.
    pub sdc_policies: Vec<(String, Vec<u8>)>,
    /// Access policies and their schema: file name and content.
    pub access_policies: Vec<(String, Vec<u8>)>,
    /// Who does this, `local:<os user>`.
    pub actor: Actor,
}

/// Why there is no new home.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is something.
    #[error("`{0}` is not empty")]
    NotEmpty(String),
    /// There is a deployment.
    #[error("`{0}` is a home already")]
    Home(String),
    /// There is a file.
    #[error("`{0}` is a file and no directory")]
    NotADirectory(String),
    /// There is a home that was never finished.
    #[error("`{0}` is a home that was never finished")]
    Unfinished(String),
    /// An option cannot be used.
    #[error("{0}")]
    Option(String),
    /// The settings would not be valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// Keys cannot be made.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log cannot be made.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Somebody else makes a home here.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl From<InitError> for Problem {
    fn from(error: InitError) -> Problem {
        match error {
            InitError::NotEmpty(_) | InitError::NotADirectory(_) => {
                Problem::of(&HOME_EXISTS, error.to_string())
            }
            InitError::Home(_) => Problem::new(
                &HOME_EXISTS,
                error.to_string(),
                "use it as it is (`tre doctor` looks at it), or choose another directory with --home",
            ),
            InitError::Unfinished(_) => Problem::of(&HOME_INCOMPLETE, error.to_string()),
            InitError::Option(what) => Problem::of(&HOME_INIT, what),
            InitError::Config(error) => Problem::of(&HOME_INIT, error.what),
            InitError::File(error) => error.into(),
            InitError::Vault(error) => error.into(),
            InitError::Store(error) => error.into(),
            InitError::Audit(error) => error.into(),
            InitError::Lock(error) => error.into(),
        }
    }
}

/// Makes a home. Everything about the options is judged before anything is written.
pub(crate) fn init(root: &Path, options: InitOptions) -> Result<(), InitError> {
    let layout = Layout::new(root);
    let config = config(&options)?;
    let stamps = stamps(&options)?;
    let certificate = options.certificate.as_deref().map(certificate).transpose()?;
    vacant(&layout)?;

    INIT_DIRECTORIES.run(|| directories(&layout))?;
    let _lock = Lock::take(&layout.lock(), "tre init")?;
    INIT_KEYS.run(|| Vault::create(&layout))?;
    if let Some((cert, key)) = certificate {
        INIT_CERTIFICATE.run(|| {
            files::write_new(&layout.tls().join("cert.pem"), cert.as_bytes(), PRIVATE_FILE)?;
            files::write_new(&layout.tls().join("key.pem"), key.as_bytes(), PRIVATE_FILE)?;
            files::sync_dir(&layout.tls())
        })?;
    }
    INIT_POLICIES.run(|| {
        policies(&layout.sdc_policies(), &options.sdc_policies)?;
        policies(&layout.access_policies(), &options.access_policies)
    })?;
    INIT_STORE.run(|| store(&layout))?;
    INIT_LOG.run(|| {
        AuditLog::create(&layout, config.origin.as_str())?;
        let log = AuditLog::open(&layout, config.origin.as_str())?;
        let first = Event::HomeInitialised {
            name: config.name.clone(),
            origin: config.origin.to_string(),
            policies: stamps,
        };
        log.append_blocking(options.actor, first)?;
        log.checkpoint()
    })?;
    INIT_CONFIG.run(|| files::replace(&layout.config(), config.to_toml().as_bytes(), PRIVATE_FILE))?;
    Ok(())
}

/// A directory that does not exist or is empty.
fn vacant(layout: &Layout) -> Result<(), InitError> {
    let shown = layout.root().display().to_string();
    if layout.root().exists() && !layout.root().is_dir() {
        return Err(InitError::NotADirectory(shown));
    }
    if files::list(layout.root())?.is_empty() {
        return Ok(());
    }
    Err(match (layout.config().exists(), layout.vault().is_dir()) {
        (true, true) => InitError::Home(shown),
        (false, true) => InitError::Unfinished(shown),
        (_, false) => InitError::NotEmpty(shown),
    })
}

fn config(options: &InitOptions) -> Result<Config, InitError> {
    let origin = match &options.origin {
        Some(origin) => origin.clone(),
        None => {
            let random =
                crypto::random::<10>().map_err(VaultError::crypto("draw a name for the audit log"))?;
            let short: String = base32_lower(&random).chars().take(10).collect();
            format!("tre.local/{short}").parse().map_err(InitError::Option)?
        }
    };
    let mut config = Config::new(options.name.clone(), origin, options.timezone.clone())?;
    config.listen = options.listen.unwrap_or(config.listen);
    config.web = options.web.unwrap_or(config.web);
    if options.certificate.is_some() {
        config.tls = Some(Tls {
            cert: "tls/cert.pem".into(),
            key: "tls/key.pem".into(),
        });
    }
    Ok(config)
}

/// Ids and hashes of all policy files; file names must be plain.
fn stamps(options: &InitOptions) -> Result<Vec<PolicyStamp>, InitError> {
    let files = options.sdc_policies.iter().chain(&options.access_policies);
    files
        .map(|(name, bytes)| {
            let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem);
            let id: PolicyId = stem
                .parse()
                .map_err(|error| InitError::Option(format!("the policy file {error}")))?;
            let plain = name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            if !plain {
                return Err(InitError::Option(format!(
                    "`{name}` cannot be the name of a policy file"
                )));
            }
            Ok(PolicyStamp {
                id,
                sha256: sha256_hex(bytes),
            })
        })
        .collect()
}

/// Certificate and key in PEM.
fn certificate(names: &[String]) -> Result<(String, zeroize::Zeroizing<String>), InitError> {
    let unusable = |error: rcgen::Error| InitError::Option(format!("no certificate for {names:?}: {error}"));
    let mut all = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    all.extend(
        names
            .iter()
            .filter(|name| !matches!(name.as_str(), "localhost" | "127.0.0.1"))
            .cloned(),
    );
    let pair = rcgen::generate_simple_self_signed(all).map_err(unusable)?;
    Ok((
        pair.cert.pem(),
        zeroize::Zeroizing::new(pair.signing_key.serialize_pem()),
    ))
}

fn directories(layout: &Layout) -> Result<(), FileError> {
    if let Some(above) = layout.root().parent() {
        fs::create_dir_all(above).map_err(FileError::on("create", above))?;
    }
    files::make_dir(layout.root(), PASSAGE_DIR)?;
    let private = [
        layout.vault(),
        layout.registries(),
        layout.tls(),
        files::parent(&layout.sdc_policies()).to_owned(),
        layout.sdc_policies(),
        layout.access_policies(),
        layout.store(),
        layout.audit(),
        layout.run(),
        layout.tmp(),
    ];
    for directory in &private {
        files::make_dir(directory, PRIVATE_DIR)?;
    }
    files::make_dir(&layout.datasets(), PASSAGE_DIR)?;
    for directory in &private {
        files::sync_dir(files::parent(directory))?;
    }
    files::sync_dir(files::parent(layout.root()))
}

fn policies(directory: &Path, policies: &[(String, Vec<u8>)]) -> Result<(), FileError> {
    for (name, bytes) in policies {
        files::write_new(&directory.join(name), bytes, PRIVATE_FILE)?;
    }
    files::sync_dir(directory)
}

/// Makes the database. Its library is asynchronous; a thread of its own makes this callable from anywhere.
fn store(layout: &Layout) -> Result<(), InitError> {
    let path = layout.database();
    let failed = |error: std::io::Error| FileError::on("create", &path)(error);
    std::thread::scope(|scope| {
        let made = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            runtime.block_on(Store::create(&path)).map_err(InitError::from)
        });
        made.join()
            .unwrap_or_else(|_| Err(failed(std::io::Error::other("the database library failed")).into()))
    })
}
