//! The vault: all keys of a deployment, and the few things that may be done with them.
//!
//! One random key of 32 bytes (`vault.key`) is the root. Everything below is HKDF-SHA-256 of it with its own label, so no
//! key serves two purposes. Only what must be destroyable or exchangeable is random by itself and wrapped: the data
//! key of each version and the pseudonym key of each project.
//!
//! | label | key |
//! |---|---|
//! | `tre/vault/wrap/v1` | wraps data keys of versions; AAD `tre/version-key/v1/<version>` |
//! | `tre/vault/pseudonym/v1` | wraps pseudonym keys of projects; AAD `tre/pseudonym-key/v1/<project>` |
//! | `tre/vault/linkage/v1` 0 population 0 `unit` | HMAC key of linkage keys of units |
//! | `tre/vault/linkage/v1` 0 population 0 `entity` 0 kind | the same of entities |
//! | `tre/vault/sketch/v1` 0 population | key of unit-set sketches |
//! | `tre/vault/version-id/v1` | HMAC key of version ids |
//! | `tre/vault/seal/v1` 0 purpose | seals small texts |
//! | `tre/vault/stream/v1` 0 purpose | seals streams that outlive a process |
//!
//! What the vault does not know: files of datasets, rows, tokens' contents, the log's tree.

pub(crate) mod crypto;
mod keys;
mod stream;

use data_encoding::BASE64;
use tre_core::codes::{HOME_MODES, HOME_VAULT, Problem};
use tre_core::ids::{EntityKind, PopulationName, ProjectId, VersionId};
use zeroize::Zeroizing;

pub use crypto::{Sha256, sha256, sha256_hex};
pub use keys::{
    DrawKey, FileKey, Link, LinkageKey, PseudonymKey, SketchKey, StreamKey, TokenSigner, VersionHasher,
    VersionKey, file_aad,
};
pub use stream::{SealedReader, SealedWriter};

use crate::files::{self, FileError, PRIVATE_FILE};
use crate::layout::Layout;
use crypto::{CryptoError, Hmac, Key, Signer};

/// Why the vault did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A key file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key file has not the form that it must have.
    #[error("`{0}` of the vault is damaged")]
    KeyFile(&'static str),
    /// Something of the vault has modes that let others read it.
    #[error("`{0}` of the home can be read by others")]
    Modes(&'static str),
    /// Sealed bytes are not authentic, or the library failed.
    #[error("cannot {action}: {source}")]
    Crypto {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl VaultError {
    pub(crate) fn crypto(action: &'static str) -> impl FnOnce(CryptoError) -> VaultError {
        move |source| VaultError::Crypto {
            action,
            source: Box::new(source),
        }
    }

    fn not_authentic(action: &'static str) -> VaultError {
        VaultError::Crypto {
            action,
            source: Box::new(CryptoError::NotAuthentic),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Problem {
        match error {
            VaultError::File(error) => error.into(),
            VaultError::Modes(_) => Problem::of(&HOME_MODES, error.to_string()),
            VaultError::KeyFile(_) | VaultError::Crypto { .. } => Problem::of(&HOME_VAULT, error.to_string()),
        }
    }
}

/// A data key of a version or a pseudonym key of a project in its wrapped form: nonce, ciphertext and tag in base64.
/// Useless without the vault; destroying it destroys the key.
pub type Wrapped = String;

/// The keys of a deployment.
pub struct Vault {
    root: Key,
    tokens: TokenSigner,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(secret)")
    }
}

impl Vault {
    /// Makes the vault's own keys in the (empty) directory of a new home.
    pub(crate) fn create(layout: &Layout) -> Result<(), VaultError> {
        let root = crypto::random_key().map_err(VaultError::crypto("make the vault key"))?;
        files::write_new(&layout.vault_key(), root.as_ref(), PRIVATE_FILE)?;
        let token = crypto::new_signing_key().map_err(VaultError::crypto("make the token key"))?;
        files::write_new(&layout.token_key(), &token, PRIVATE_FILE)?;
        files::sync_dir(&layout.vault())?;
        Ok(())
    }

    /// Reads the keys, after a look at who else could.
    pub(crate) fn open(layout: &Layout) -> Result<Vault, VaultError> {
        for (path, name) in [
            (layout.vault(), "vault"),
            (layout.vault_key(), "vault/vault.key"),
            (layout.token_key(), "vault/token.key"),
            (layout.audit_key(), "vault/audit.key"),
        ] {
            if files::open_to_others(&path)? {
                return Err(VaultError::Modes(name));
            }
        }
        let bytes = Zeroizing::new(files::read(&layout.vault_key())?);
        let root = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| VaultError::KeyFile("vault.key"))?;
        let token = Zeroizing::new(files::read(&layout.token_key())?);
        let tokens = Signer::from_pkcs8(&token).map_err(|_| VaultError::KeyFile("token.key"))?;
        Ok(Vault {
            root: Zeroizing::new(root),
            tokens: TokenSigner(tokens),
        })
    }

    fn derive(&self, label: &[&[u8]]) -> Key {
        crypto::derive(&self.root, b"", label)
    }

    /// A new random data key for a version.
    pub fn new_version_key(&self) -> Result<VersionKey, VaultError> {
        crypto::random_key()
            .map(VersionKey)
            .map_err(VaultError::crypto("make a data key"))
    }

    /// Wraps a version's data key for its manifest.
    pub fn wrap_version_key(&self, version: &VersionId, key: &VersionKey) -> Result<Wrapped, VaultError> {
        self.wrap(b"tre/vault/wrap/v1", &version_context(version), &key.0)
    }

    /// Gives back a version's data key. Fails for another version's.
    pub fn unwrap_version_key(&self, version: &VersionId, wrapped: &str) -> Result<VersionKey, VaultError> {
        let action = "unwrap the data key of a version";
        self.unwrap(action, b"tre/vault/wrap/v1", &version_context(version), wrapped)
            .map(VersionKey)
    }

    /// A new random pseudonym key for a project. Only this wrapped form is ever stored, in one place (the project's row of
    /// the store): no other key or number leads to it, so deleting it ends the project's pseudonyms for good.
    pub fn new_pseudonym_key(&self, project: &ProjectId) -> Result<Wrapped, VaultError> {
        let key = crypto::random_key().map_err(VaultError::crypto("make a pseudonym key"))?;
        self.wrap(b"tre/vault/pseudonym/v1", &project_context(project), &key)
    }

    /// Gives back a project's pseudonym key. Fails for another project's.
    pub fn unwrap_pseudonym_key(
        &self,
        project: &ProjectId,
        wrapped: &str,
    ) -> Result<PseudonymKey, VaultError> {
        let action = "unwrap the pseudonym key of a project";
        self.unwrap(
            action,
            b"tre/vault/pseudonym/v1",
            &project_context(project),
            wrapped,
        )
        .map(PseudonymKey)
    }

    fn wrap(&self, label: &[u8], context: &[u8], key: &Key) -> Result<Wrapped, VaultError> {
        let sealed = crypto::seal(&self.derive(&[label]), context, key.as_ref());
        Ok(BASE64.encode(&sealed.map_err(VaultError::crypto("wrap a key"))?))
    }

    fn unwrap(
        &self,
        action: &'static str,
        label: &[u8],
        context: &[u8],
        wrapped: &str,
    ) -> Result<Key, VaultError> {
        let sealed = BASE64
            .decode(wrapped.as_bytes())
            .map_err(|_| VaultError::not_authentic(action))?;
        let key =
            crypto::open(&self.derive(&[label]), context, &sealed).map_err(VaultError::crypto(action))?;
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| VaultError::not_authentic(action))?;
        Ok(Zeroizing::new(key))
    }

    /// Makes linkage keys of a population's units.
    pub fn unit_linkage(&self, population: &PopulationName) -> LinkageKey {
        let population = population.as_str().as_bytes();
        let key = self.derive(&[b"tre/vault/linkage/v1\0", population, b"\0unit"]);
        LinkageKey(Hmac::new(&key))
    }

    /// Makes linkage keys of a population's entities of one kind.
    pub fn entity_linkage(&self, population: &PopulationName, kind: &EntityKind) -> LinkageKey {
        let (population, kind) = (population.as_str().as_bytes(), kind.as_str().as_bytes());
        let key = self.derive(&[b"tre/vault/linkage/v1\0", population, b"\0entity\0", kind]);
        LinkageKey(Hmac::new(&key))
    }

    /// Key of the sketches of a population's units. Sets are comparable under one key only, so it never changes; it goes to
    /// every data worker that computes sketches.
    pub fn sketch_key(&self, population: &PopulationName) -> SketchKey {
        let population = population.as_str().as_bytes();
        SketchKey(self.derive(&[b"tre/vault/sketch/v1\0", population]))
    }

    /// Key of what the checker draws for sets of people: one for the deployment, so that the same people get the same draw in
    /// every project, and so it never changes.
    pub fn draw_key(&self) -> DrawKey {
        DrawKey(self.derive(&[b"tre/vault/draws/v1"]))
    }

    /// Begins the keyed hash that names a version.
    pub fn version_hasher(&self) -> VersionHasher {
        VersionHasher(Hmac::new(&self.derive(&[b"tre/vault/version-id/v1"])).begin())
    }

    /// Seals a small text for one purpose, e.g. `audit/sql`; `context` is not stored and must be the same at opening.
    pub fn seal(&self, purpose: &str, context: &[u8], text: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.derive(&[b"tre/vault/seal/v1\0", purpose.as_bytes()]);
        crypto::seal(&key, context, text).map_err(VaultError::crypto("seal a text"))
    }

    /// Opens what [`Vault::seal`] sealed.
    pub fn open_sealed(
        &self,
        purpose: &str,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.derive(&[b"tre/vault/seal/v1\0", purpose.as_bytes()]);
        crypto::open(&key, context, sealed).map_err(VaultError::crypto("open a sealed text"))
    }

    /// Key of sealed streams that outlive the process, one per purpose, e.g. `rejects/<version>`.
    pub fn stream_key(&self, purpose: &str) -> StreamKey {
        StreamKey(self.derive(&[b"tre/vault/stream/v1\0", purpose.as_bytes()]))
    }

    /// Signs tokens.
    pub fn tokens(&self) -> &TokenSigner {
        &self.tokens
    }

    /// Random bytes for ids, nonces and handles.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], VaultError> {
        crypto::random().map_err(VaultError::crypto("draw random numbers"))
    }
}

fn version_context(version: &VersionId) -> Vec<u8> {
    format!("tre/version-key/v1/{version}").into_bytes()
}

fn project_context(project: &ProjectId) -> Vec<u8> {
    format!("tre/pseudonym-key/v1/{project}").into_bytes()
}

#[cfg(test)]
mod tests;
