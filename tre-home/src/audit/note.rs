//! Signed checkpoints: size and root of the log, as a C2SP signed note under its Ed25519 key.

use std::fmt;

use ed25519_dalek::SigningKey;
use signed_note::{Note, StandardSigner, StandardVerifier, Verifier, VerifierList, new_ed25519_verifier_key};
use tlog_tiles::{Checkpoint, Hash};
use zeroize::Zeroizing;

use super::AuditError;
use crate::vault::VaultError;
use crate::vault::crypto;

/// Size and root of a log that its key has vouched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) root: Hash,
}

/// A new signing key in the text form of signed notes, and the verifier key to it.
pub(super) fn new_key(origin: &str) -> Result<(Zeroizing<String>, String), VaultError> {
    let seed = crypto::random_key().map_err(VaultError::crypto("make the key of the audit log"))?;
    let key = SigningKey::from_bytes(&seed);
    let vkey = new_ed25519_verifier_key(origin, &key.verifying_key());
    // `name+id+public` becomes `PRIVATE+KEY+name+id+seed`; the byte before both keys names Ed25519. Base64 has `+` too.
    let mut parts = vkey.splitn(3, '+');
    let (name, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut tagged = Zeroizing::new(vec![1]);
    tagged.extend_from_slice(seed.as_ref());
    let secret = Zeroizing::new(data_encoding::BASE64.encode(&tagged));
    Ok((
        Zeroizing::new(format!("PRIVATE+KEY+{name}+{id}+{}", secret.as_str())),
        vkey,
    ))
}

/// Signs checkpoints of one log.
pub(super) struct Signer {
    signer: StandardSigner,
    origin: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(secret)")
    }
}

impl Signer {
    pub(super) fn from_text(key: &str) -> Result<Self, VaultError> {
        let signer = StandardSigner::new(key).map_err(|_| VaultError::KeyFile("audit.key"))?;
        let origin = signed_note::Signer::name(&signer).to_owned();
        Ok(Signer { signer, origin })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn sign(&self, head: Head) -> Result<Vec<u8>, AuditError> {
        let malformed =
            |what: &dyn fmt::Display| AuditError::Failed(format!("the checkpoint cannot be signed: {what}"));
        let checkpoint =
            Checkpoint::new(&self.origin, head.size, head.root, "").map_err(|error| malformed(&error))?;
        let mut note = Note::new(&checkpoint.to_bytes(), &[]).map_err(|error| malformed(&error))?;
        note.add_sigs(&[&self.signer])
            .map_err(|error| malformed(&error))?;
        Ok(note.to_bytes())
    }
}

/// Checks checkpoints of one log.
pub(super) struct Checker {
    origin: String,
    keys: VerifierList,
}

impl Checker {
    /// From a verifier key, `name+id+key`.
    pub(super) fn new(vkey: &str) -> Result<Self, String> {
        let key = StandardVerifier::new(vkey).map_err(|error| format!("`{vkey}`: {error}"))?;
        let origin = key.name().to_owned();
        Ok(Checker {
            origin,
            keys: VerifierList::new(vec![Box::new(key)]),
        })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Size and root of a signed checkpoint; signatures of others (witnesses) may stand beside ours.
    pub(super) fn open(&self, note: &[u8]) -> Result<Head, String> {
        let note = Note::from_bytes(note).map_err(|error| error.to_string())?;
        note.verify(&self.keys).map_err(|error| error.to_string())?;
        let checkpoint = Checkpoint::from_bytes(note.text()).map_err(|error| error.to_string())?;
        if checkpoint.origin() != self.origin {
            return Err(format!("it is of the log `{}`", checkpoint.origin()));
        }
        Ok(Head {
            size: checkpoint.size(),
            root: *checkpoint.hash(),
        })
    }
}

/// Size that a checkpoint claims, its signature unseen.
pub(super) fn claimed_size(note: &[u8]) -> Option<u64> {
    let note = Note::from_bytes(note).ok()?;
    Checkpoint::from_bytes(note.text())
        .ok()
        .map(|checkpoint| checkpoint.size())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn checkpoints_open_with_their_key_only() {
        let (key, vkey) = new_key("tre.example.org/audit").unwrap();
        let signer = Signer::from_text(&key).unwrap();
        assert_eq!(signer.origin(), "tre.example.org/audit");
        let head = Head {
            size: 5,
            root: Hash([7; 32]),
        };
        let note = signer.sign(head).unwrap();
        let checker = Checker::new(&vkey).unwrap();
        assert_eq!(checker.open(&note).unwrap(), head);
        // Keys differ in where their base64 has a `+`.
        for _ in 0..50 {
            let (key, _) = new_key("tre.example.org/audit").unwrap();
            Signer::from_text(&key).unwrap();
        }
        let (_, other) = new_key("tre.example.org/audit").unwrap();
        assert!(Checker::new(&other).unwrap().open(&note).is_err());
        for position in 0..note.len() {
            let mut altered = note.clone();
            altered.splice(position..=position, [note.get(position).unwrap() ^ 1]);
            assert!(checker.open(&altered).is_err(), "byte {position}");
        }
    }
}
