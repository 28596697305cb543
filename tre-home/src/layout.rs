//! Where things lie in a home.

use std::path::{Path, PathBuf};

use tre_core::ids::{DatasetName, EntityKind, PopulationName, VersionId};

/// Name of a version's manifest in its directory.
pub const MANIFEST: &str = "manifest.json";

/// Name of a version's sealed rejects file in its directory, where there were rejects.
pub const REJECTS: &str = "rejects.sealed";

/// The paths of a home.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below a directory.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Layout { root: root.into() }
    }

    /// The home itself; mode 0711.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Settings.
    pub fn config(&self) -> PathBuf {
        self.root.join("tre.toml")
    }

    /// Keys and registries; mode 0700.
    pub fn vault(&self) -> PathBuf {
        self.root.join("vault")
    }

    /// The key from which all others of the vault are derived; 32 bytes.
    pub fn vault_key(&self) -> PathBuf {
        self.vault().join("vault.key")
    }

    /// Signs checkpoints; a note signer key.
    pub fn audit_key(&self) -> PathBuf {
        self.vault().join("audit.key")
    }

    /// Signs tokens; Ed25519 in PKCS#8.
    pub fn token_key(&self) -> PathBuf {
        self.vault().join("token.key")
    }

    /// Unit numbers.
    pub fn registries(&self) -> PathBuf {
        self.vault().join("registry")
    }

    /// Unit numbers of a population, or those of its entities of a kind.
    pub fn registry(&self, population: &PopulationName, kind: Option<&EntityKind>) -> PathBuf {
        let name = match kind {
            None => "units".to_owned(),
            Some(kind) => format!("entity.{kind}"),
        };
        self.registries().join(population.as_str()).join(name)
    }

    /// Certificate and key of the listening socket; mode 0700.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// Rule packs; mode 0700.
    pub fn sdc_policies(&self) -> PathBuf {
        self.root.join("policies").join("sdc")
    }

    /// Who may do what; mode 0700.
    pub fn access_policies(&self) -> PathBuf {
        self.root.join("policies").join("access")
    }

    /// Published versions; mode 0711.
    pub fn datasets(&self) -> PathBuf {
        self.root.join("datasets")
    }

    /// Versions of a dataset; mode 0711.
    pub fn dataset(&self, dataset: &DatasetName) -> PathBuf {
        self.datasets().join(dataset.as_str())
    }

    /// One version; mode 0711.
    pub fn version(&self, version: &VersionId) -> PathBuf {
        self.dataset(version.dataset()).join(version.suffix())
    }

    /// Versions in the making; mode 0700. On the file system of [`Layout::datasets`], so that publishing is a rename.
    pub fn staging(&self) -> PathBuf {
        self.datasets().join(".staging")
    }

    /// The database's directory; mode 0700.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.store().join("tre.sqlite")
    }

    /// The audit log; mode 0700.
    pub fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// What lives as long as a process; mode 0700.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Held by the process that works on the home.
    pub fn lock(&self) -> PathBuf {
        self.run().join("lock")
    }

    /// Held by the process that publishes a version.
    pub fn ingest_lock(&self) -> PathBuf {
        self.run().join("ingest.lock")
    }

    /// Where a running server hears local commands.
    pub fn control_socket(&self) -> PathBuf {
        self.run().join("control.sock")
    }

    /// Scratch space for sealed temporary files.
    pub fn tmp(&self) -> PathBuf {
        self.run().join("tmp")
    }
}
