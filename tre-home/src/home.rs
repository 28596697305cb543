//! A home that is open.

use std::path::Path;

use tre_core::codes::{HOME_INCOMPLETE, HOME_MISSING, Problem};

use crate::audit::{AuditError, AuditLog};
use crate::catalogue::{self, Catalogue, CatalogueError, Staging};
use crate::config::{Config, ConfigError};
use crate::files::{self, FileError};
use crate::init::{self, InitError, InitOptions};
use crate::layout::Layout;
use crate::lock::{Lock, LockError};
use crate::registry::{self, Registry};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// Why a home was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No home is here.
    #[error("`{0}` is not a home")]
    Missing(String),
    /// `tre init` was interrupted here.
    #[error("`{0}` is a home that was never finished")]
    Unfinished(String),
    /// Somebody else has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// `tre.toml` cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Problem {
        match error {
            OpenError::Missing(_) => Problem::of(&HOME_MISSING, error.to_string()),
            OpenError::Unfinished(_) => Problem::of(&HOME_INCOMPLETE, error.to_string()),
            OpenError::Lock(error) => error.into(),
            OpenError::Config(error) => error.into(),
            OpenError::Vault(error) => error.into(),
            OpenError::Audit(error) => error.into(),
            OpenError::File(error) => error.into(),
        }
    }
}

/// The parts of a home that can be used beside a process that holds it: a server serves while an ingest publishes.
#[derive(Debug)]
pub struct HomeFiles {
    layout: Layout,
    config: Config,
    vault: Vault,
}

impl HomeFiles {
    /// Reads settings and keys, without taking the home's lock.
    pub fn open(root: &Path) -> Result<HomeFiles, OpenError> {
        let layout = Layout::new(root);
        let text = match files::read(&layout.config()) {
            Err(error) if error.is_missing() => {
                let shown = root.display().to_string();
                let begun = layout.vault().is_dir();
                return Err(if begun {
                    OpenError::Unfinished(shown)
                } else {
                    OpenError::Missing(shown)
                });
            }
            text => text?,
        };
        let text = std::str::from_utf8(&text).map_err(|_| ConfigError {
            line: None,
            what: "the file is not UTF-8 text".to_owned(),
        })?;
        let config = Config::parse(text)?;
        let vault = Vault::open(&layout)?;
        Ok(HomeFiles {
            layout,
            config,
            vault,
        })
    }

    /// Where things lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Published versions.
    pub fn catalogue(&self) -> Catalogue<'_> {
        Catalogue { layout: &self.layout }
    }

    /// Takes the right to number units and publish versions, one process at a time, and removes what an ingest that crashed
    /// has left. `purpose` tells others what this process does.
    pub fn ingest(&self, purpose: &str) -> Result<Ingest<'_>, LockError> {
        let lock = Lock::take(&self.layout.ingest_lock(), purpose)?;
        catalogue::clean(&self.layout)?;
        registry::clean(&self.layout)?;
        Ok(Ingest {
            files: self,
            _lock: lock,
        })
    }
}

/// The right to number units and publish versions.
#[derive(Debug)]
pub struct Ingest<'h> {
    files: &'h HomeFiles,
    _lock: Lock,
}

impl Ingest<'_> {
    /// Unit and entity numbers.
    pub fn registry(&self) -> Registry<'_> {
        Registry {
            layout: &self.files.layout,
            vault: &self.files.vault,
        }
    }

    /// A directory for a new version.
    pub fn stage(&self) -> Result<Staging<'_>, CatalogueError> {
        Staging::create(&self.files.layout, &self.files.vault)
    }
}

/// A home, held by this process.
#[derive(Debug)]
pub struct Home {
    // In the order in which they end: the log is brought to rest before the lock goes.
    audit: AuditLog,
    files: HomeFiles,
    _lock: Lock,
}

impl Home {
    /// Makes a new home in a directory that does not exist or is empty. Blocks the thread.
    pub fn init(root: &Path, options: InitOptions) -> Result<(), InitError> {
        init::init(root, options)
    }

    /// Opens a home for one process, repairing what a crash left. `purpose` tells others what this process does, e.g.
    /// `tre serve`. Blocks the thread.
    pub fn open(root: &Path, purpose: &str) -> Result<Home, OpenError> {
        let files = HomeFiles::open(root)?;
        let lock = Lock::take(&files.layout.lock(), purpose)?;
        match files.ingest(purpose) {
            // An ingest that began while no server ran goes on; it cleans up itself.
            Ok(_) | Err(LockError::Held { .. }) => {}
            Err(LockError::File(error)) => return Err(error.into()),
        }
        let audit = AuditLog::open(&files.layout, files.config.origin.as_str())?;
        Ok(Home {
            audit,
            files,
            _lock: lock,
        })
    }

    /// The parts that need no lock.
    pub fn files(&self) -> &HomeFiles {
        &self.files
    }

    /// Where things lie.
    pub fn layout(&self) -> &Layout {
        &self.files.layout
    }

    /// Settings.
    pub fn config(&self) -> &Config {
        &self.files.config
    }

    /// Keys.
    pub fn vault(&self) -> &Vault {
        &self.files.vault
    }

    /// Published versions.
    pub fn catalogue(&self) -> Catalogue<'_> {
        self.files.catalogue()
    }

    /// The audit log.
    pub fn audit(&self) -> &AuditLog {
        &self.audit
    }

    /// Opens the database: projects, tokens, sessions, requests, releases. Call it once; clones share connections.
    pub async fn store(&self) -> Result<Store, StoreError> {
        Store::open(&self.files.layout.database()).await
    }
}
