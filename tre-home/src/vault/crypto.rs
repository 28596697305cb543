//! Every call into the cryptographic library of this crate. Nothing else names `ring`.
//!
//! AES-256-GCM (NIST SP 800-38D) with 96-bit nonces, HKDF and HMAC with SHA-256 (RFC 5869, RFC 2104), Ed25519 (RFC 8032).

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use ring::{digest, hmac};
use zeroize::Zeroizing;

/// A 256-bit key, wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

const NONCE: usize = 12;
const TAG: usize = 16;

/// How much longer a sealed text is than the plain one, with its nonce.
pub(crate) const SEAL_OVERHEAD: usize = NONCE + TAG;

/// The library failed, or sealed bytes are not what this key sealed with this context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CryptoError {
    #[error("the operating system gives no random numbers")]
    Random,
    #[error("altered, cut, or sealed with another key or for another purpose")]
    NotAuthentic,
    #[error("not a valid signing key")]
    SigningKey,
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

pub(crate) fn random_key() -> Result<Key, CryptoError> {
    let mut key = Zeroizing::new([0; 32]);
    SystemRandom::new()
        .fill(key.as_mut())
        .map_err(|_| CryptoError::Random)?;
    Ok(key)
}

/// HKDF-SHA-256 with the concatenation of `info`, 32 bytes: extract and the one block of expand, spelt out as two calls of
/// HMAC, which cannot fail.
pub(crate) fn derive(key: &Key, salt: &[u8], info: &[&[u8]]) -> Key {
    let extracted = Zeroizing::new(array(
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), key.as_ref()).as_ref(),
    ));
    let mut expand = Hmac::new(&extracted).begin();
    info.iter().for_each(|piece| expand.update(piece));
    expand.update(&[1]);
    Zeroizing::new(expand.finish())
}

/// A nonce, the sealed text and its tag.
pub(crate) fn seal(key: &Key, context: &[u8], text: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let nonce = random::<NONCE>()?;
    let mut sealed = Vec::with_capacity(text.len() + SEAL_OVERHEAD);
    sealed.extend_from_slice(&nonce);
    let mut body = text.to_vec();
    Aead::new(key)?.seal(nonce, context, &mut body)?;
    sealed.append(&mut body);
    Ok(sealed)
}

/// Inverse of [`seal`].
pub(crate) fn open(key: &Key, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (nonce, body) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or(CryptoError::NotAuthentic)?;
    let mut body = Zeroizing::new(body.to_vec());
    let length = Aead::new(key)?.open(*nonce, context, &mut body)?;
    body.truncate(length);
    Ok(body)
}

/// AES-256-GCM where the caller answers for nonces never repeating.
pub(crate) struct Aead(LessSafeKey);

impl Aead {
    pub(crate) fn new(key: &Key) -> Result<Self, CryptoError> {
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| CryptoError::NotAuthentic)?;
        Ok(Aead(LessSafeKey::new(key)))
    }

    /// Replaces the text by its sealed form with tag.
    pub(crate) fn seal(
        &self,
        nonce: [u8; NONCE],
        context: &[u8],
        text: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), text)
            .map_err(|_| CryptoError::NotAuthentic)
    }

    /// Opens in place; the text is the first so many bytes.
    pub(crate) fn open(
        &self,
        nonce: [u8; NONCE],
        context: &[u8],
        sealed: &mut [u8],
    ) -> Result<usize, CryptoError> {
        self.0
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(context), sealed)
            .map(|text| text.len())
            .map_err(|_| CryptoError::NotAuthentic)
    }
}

/// HMAC-SHA-256 with its key schedule computed once.
#[derive(Clone)]
pub(crate) struct Hmac(hmac::Key);

impl Hmac {
    pub(crate) fn new(key: &Key) -> Self {
        Hmac(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    pub(crate) fn of(&self, text: &[u8]) -> [u8; 32] {
        array(hmac::sign(&self.0, text).as_ref())
    }

    pub(crate) fn begin(&self) -> HmacRun {
        HmacRun(hmac::Context::with_key(&self.0))
    }
}

/// HMAC-SHA-256 of a text that arrives in pieces.
#[derive(Clone)]
pub(crate) struct HmacRun(hmac::Context);

impl HmacRun {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        array(self.0.sign().as_ref())
    }
}

/// SHA-256 of a text that arrives in pieces.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Of no text yet.
    pub fn new() -> Self {
        Sha256(digest::Context::new(&digest::SHA256))
    }

    /// Adds a piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash, 32 bytes.
    pub fn finish(self) -> [u8; 32] {
        array(self.0.finish().as_ref())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Sha256::new()
    }
}

/// SHA-256 of a text, 32 bytes.
pub fn sha256(text: &[u8]) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, text).as_ref())
}

/// SHA-256 of a text in lower-case hex.
pub fn sha256_hex(text: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&sha256(text))
}

/// Outputs of SHA-256 have 32 bytes.
fn array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(bytes);
    array
}

/// An Ed25519 key in PKCS#8.
pub(crate) fn new_signing_key() -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| CryptoError::Random)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

/// An Ed25519 key pair.
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    pub(crate) fn from_pkcs8(document: &[u8]) -> Result<Self, CryptoError> {
        Ed25519KeyPair::from_pkcs8(document)
            .map(Signer)
            .map_err(|_| CryptoError::SigningKey)
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        array(self.0.public_key().as_ref())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }
}

pub(crate) fn verify(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn hkdf_is_that_of_rfc_5869() {
        // As the library does it, which its authors test against the RFC.
        let key = Zeroizing::new([7; 32]);
        for salt in [&b""[..], b"salt", &[9; 100]] {
            let mut expected = [0; 32];
            let extracted = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, salt).extract(key.as_ref());
            let info: [&[u8]; 2] = [b"a", b"b"];
            extracted
                .expand(&info, ring::hkdf::HKDF_SHA256)
                .unwrap()
                .fill(&mut expected)
                .unwrap();
            assert_eq!(*derive(&key, salt, &info), expected);
            assert_eq!(*derive(&key, salt, &[b"ab"]), expected);
        }
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        // Test case 2, its key padded with zeros, which HMAC itself would do.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = Hmac::new(&Zeroizing::new(key)).of(b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(HEXLOWER.encode(&mac), expected);
    }

    #[test]
    fn sealed_texts_open_only_as_they_were_sealed() {
        let key = Zeroizing::new([1; 32]);
        let sealed = seal(&key, b"context", b"text").unwrap();
        assert_eq!(open(&key, b"context", &sealed).unwrap().as_slice(), b"text");
        assert!(open(&Zeroizing::new([2; 32]), b"context", &sealed).is_err());
        assert!(open(&key, b"other", &sealed).is_err());
        assert!(open(&key, b"context", &[]).is_err());
        assert!(open(&key, b"context", &sealed[..sealed.len() - 1]).is_err());
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert!(open(&key, b"context", &altered).is_err(), "byte {position}");
        }
        assert_ne!(
            seal(&key, b"context", b"text").unwrap(),
            sealed,
            "a nonce is used once"
        );
    }

    #[test]
    fn signatures_verify_for_their_message_only() {
        let signer = Signer::from_pkcs8(&new_signing_key().unwrap()).unwrap();
        let signature = signer.sign(b"message");
        assert!(verify(&signer.public(), b"message", &signature));
        assert!(!verify(&signer.public(), b"massage", &signature));
        assert!(!verify(&[0; 32], b"message", &signature));
    }
}
