//! Keys as they are handed out: each type can do one thing, none prints itself, all are wiped when dropped.

use std::fmt;

use tre_core::ids::{DatasetName, TableName, VersionId};

use super::crypto::{self, Hmac, HmacRun, Key, Signer};

/// A key's Debug says its type and nothing more.
macro_rules! silent {
    ($($name:ident),*) => {
        $(
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!(stringify!($name), "(secret)"))
                }
            }
        )*
    };
}

silent!(
    FileKey,
    PseudonymKey,
    DrawKey,
    SketchKey,
    VersionKey,
    LinkageKey,
    VersionHasher,
    StreamKey,
    TokenSigner
);

/// Key of one Parquet file, for AES-256-GCM. Goes to the data worker that may read the file.
pub struct FileKey(Key);

impl FileKey {
    /// The key itself, for the engine's decryption or the worker's pipe.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Key of one project's pseudonyms. Goes to the project's data workers; destroyed with the project.
pub struct PseudonymKey(pub(super) Key);

impl PseudonymKey {
    /// The key itself, for the worker's pipe.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Key of the unit-set sketches of one population. Goes to data workers that compute them.
pub struct SketchKey(pub(super) Key);

impl SketchKey {
    /// The key itself, for a sketcher or the worker's pipe.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Key of what the checker draws for sets of people. Never leaves the server.
pub struct DrawKey(pub(super) Key);

impl DrawKey {
    /// The key itself, for the checker.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Data key of one dataset version. Never used on data itself; every file has a key of its own.
pub struct VersionKey(pub(super) Key);

impl VersionKey {
    /// HKDF-SHA-256 with info `tre/parquet/v1` 0 version 0 table 0 file, so that files cannot be exchanged.
    pub fn file_key(&self, version: &VersionId, table: &TableName, file: &str) -> FileKey {
        let version = version.to_string();
        let info: [&[u8]; 7] = [
            b"tre/parquet/v1",
            b"\0",
            version.as_bytes(),
            b"\0",
            table.as_str().as_bytes(),
            b"\0",
            file.as_bytes(),
        ];
        FileKey(crypto::derive(&self.0, b"", &info))
    }
}

/// AAD prefix of one Parquet file: `<version>/<table>/<file>`. Not stored in the file.
pub fn file_aad(version: &VersionId, table: &TableName, file: &str) -> String {
    format!("{version}/{table}/{file}")
}

/// Turns a canonical identifier of one population's units, or of its entities of one kind, into a linkage key.
#[derive(Clone)]
pub struct LinkageKey(pub(super) Hmac);

impl LinkageKey {
    /// First 16 bytes of HMAC-SHA-256: two of 10^9 identifiers meet with a probability under 10^-20.
    pub fn link(&self, canonical: &[u8]) -> Link {
        let mut link = [0; 16];
        link.copy_from_slice(self.0.of(canonical).split_at(16).0);
        link
    }
}

/// A linkage key: stands for an identifier inside the ingest and the registry, never stored with data.
pub type Link = [u8; 16];

/// Names a version by its content: HMAC-SHA-256 over what the ingest feeds it, piece by piece.
#[derive(Clone)]
pub struct VersionHasher(pub(super) HmacRun);

impl VersionHasher {
    /// Adds a piece. Borders between pieces do not count: the caller frames what it feeds.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The version's id.
    pub fn finish(self, dataset: DatasetName) -> VersionId {
        VersionId::from_hash(dataset, self.0.finish())
    }
}

/// Key of sealed streams, see [`super::SealedWriter`].
#[derive(Clone)]
pub struct StreamKey(pub(super) Key);

impl StreamKey {
    /// A key that dies with the process: for temporary files that nobody reads later.
    pub fn ephemeral() -> Result<Self, super::VaultError> {
        Ok(StreamKey(
            crypto::random_key().map_err(super::VaultError::crypto("make a key"))?,
        ))
    }
}

/// Signs and verifies tokens; the private half does not leave it.
pub struct TokenSigner(pub(super) Signer);

impl TokenSigner {
    /// Ed25519 signature, 64 bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }

    /// Whether a signature is one of ours on this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        crypto::verify(&self.0.public(), message, signature)
    }

    /// The public half, 32 bytes.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.public()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn no_key_prints_itself() {
        let key = || Zeroizing::new([0xab; 32]);
        let printed = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            FileKey(key()),
            PseudonymKey(key()),
            VersionKey(key()),
            StreamKey(key()),
            LinkageKey(Hmac::new(&key()))
        );
        assert!(!printed.contains("171") && !printed.contains("ab, ") && printed.contains("FileKey(secret)"));
    }

    #[test]
    fn every_file_has_its_own_key_by_the_published_derivation() {
        let master = Zeroizing::new([5; 32]);
        let version = VersionId::from_hash("liver".parse().unwrap(), [9; 32]);
        let (visit, drug): (TableName, TableName) = ("visit".parse().unwrap(), "drug".parse().unwrap());
        let key = VersionKey(master.clone());
        let info = format!("tre/parquet/v1\0{version}\0visit\0visit-00.parquet");
        let expected = crypto::derive(&master, b"", &[info.as_bytes()]);
        assert_eq!(
            key.file_key(&version, &visit, "visit-00.parquet").bytes(),
            &*expected
        );
        assert_ne!(
            key.file_key(&version, &visit, "visit-01.parquet").bytes(),
            &*expected
        );
        assert_ne!(
            key.file_key(&version, &drug, "visit-00.parquet").bytes(),
            &*expected
        );
        assert_eq!(file_aad(&version, &visit, "f"), format!("{version}/visit/f"));
    }
}
