//! Sealed streams: files of any length, sealed in chunks, so that nobody reads, alters, reorders, exchanges or cuts
//! them unnoticed. For temporary runs, rejects and registries.
//!
//! The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): a stream has a random salt, from which HKDF
//! makes its own key; chunk `i` has the nonce (i, is it the last?), 64 KiB of text except the last. A stream that
//! was cut ends in a chunk that does not open as the last. A reader never returns bytes that are not authentic.
//!
//! Layout: 8 bytes magic, 32 bytes salt, chunks with 16 bytes of tag each.

use std::io::{self, Read, Write};

use zeroize::{Zeroize, Zeroizing};

use super::crypto::{self, Aead};
use super::keys::StreamKey;

const MAGIC: &[u8; 8] = b"TRESEAL1";
const SALT: usize = 32;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

fn chunk_key(key: &StreamKey, salt: &[u8; SALT], context: &[u8]) -> io::Result<Aead> {
    let derived = crypto::derive(&key.0, salt, &[b"tre/stream/v1\0", context]);
    Aead::new(&derived).map_err(io::Error::other)
}

/// Eight bytes of counter, one that tells the last chunk, three of zero.
fn nonce(index: u64, last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some((counter, rest)) = nonce.split_first_chunk_mut::<8>() {
        *counter = index.to_be_bytes();
        if let Some(flag) = rest.first_mut() {
            *flag = u8::from(last);
        }
    }
    nonce
}

/// Seals what is written to it. A stream is whole only after [`SealedWriter::finish`].
pub struct SealedWriter<W: Write> {
    inner: W,
    aead: Aead,
    index: u64,
    text: Zeroizing<Vec<u8>>,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a stream. Only a reader with the same key and context can read it.
    pub fn new(mut inner: W, key: &StreamKey, context: &[u8]) -> io::Result<Self> {
        let salt = crypto::random::<SALT>().map_err(io::Error::other)?;
        let aead = chunk_key(key, &salt, context)?;
        inner.write_all(MAGIC)?;
        inner.write_all(&salt)?;
        Ok(SealedWriter {
            inner,
            aead,
            index: 0,
            text: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
        })
    }

    /// Seals the last chunk and gives back what lies below, flushed but not synced.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal_chunk(true)?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    fn seal_chunk(&mut self, last: bool) -> io::Result<()> {
        self.aead
            .seal(nonce(self.index, last), b"", &mut self.text)
            .map_err(io::Error::other)?;
        self.inner.write_all(&self.text)?;
        self.text.clear();
        self.index += 1;
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits for the next byte, since only then is it known not to be the last.
        if self.text.len() == CHUNK && !bytes.is_empty() {
            self.seal_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.text.len());
        self.text.extend_from_slice(bytes.split_at(taken).0);
        Ok(taken)
    }

    /// Chunks have a fixed size, so nothing is sealed early.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a sealed stream. Every error but those of the reader below is of the kind `InvalidData`.
pub struct SealedReader<R: Read> {
    inner: R,
    aead: Aead,
    index: u64,
    /// Sealed bytes read ahead: one more than a chunk tells that it is not the last.
    ahead: Vec<u8>,
    text: Zeroizing<Vec<u8>>,
    position: usize,
    finished: bool,
}

fn not_authentic(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the sealed stream was altered or cut: {why}"),
    )
}

impl<R: Read> SealedReader<R> {
    /// Begins to read; fails if this is no sealed stream.
    pub fn new(mut inner: R, key: &StreamKey, context: &[u8]) -> io::Result<Self> {
        let mut header = [0; MAGIC.len() + SALT];
        inner.read_exact(&mut header).map_err(|error| {
            let ended = error.kind() == io::ErrorKind::UnexpectedEof;
            if ended { not_authentic("no header") } else { error }
        })?;
        let salt = match header.split_first_chunk::<8>() {
            Some((magic, salt)) if magic == MAGIC => salt.first_chunk::<SALT>(),
            Some(_) | None => None,
        };
        let salt = salt.ok_or_else(|| not_authentic("another magic"))?;
        let aead = chunk_key(key, salt, context)?;
        Ok(SealedReader {
            inner,
            aead,
            index: 0,
            ahead: Vec::with_capacity(CHUNK + TAG + 1),
            text: Zeroizing::new(Vec::new()),
            position: 0,
            finished: false,
        })
    }

    fn open_chunk(&mut self) -> io::Result<()> {
        let wanted = CHUNK + TAG + 1;
        let missing = wanted - self.ahead.len();
        self.inner
            .by_ref()
            .take(missing as u64)
            .read_to_end(&mut self.ahead)?;
        let last = self.ahead.len() < wanted;
        let next = if last { None } else { self.ahead.pop() };
        let length = self
            .aead
            .open(nonce(self.index, last), b"", &mut self.ahead)
            .map_err(|_| not_authentic(&format!("chunk {}", self.index)))?;
        self.ahead.truncate(length);
        self.text.zeroize();
        std::mem::swap(&mut *self.text, &mut self.ahead);
        self.ahead.clear();
        self.ahead.extend(next);
        self.position = 0;
        self.index += 1;
        self.finished = last;
        Ok(())
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.position == self.text.len() {
            if self.finished {
                return Ok(0);
            }
            self.open_chunk()?;
        }
        let rest = self.text.split_at(self.position).1;
        let given = rest.len().min(buffer.len());
        buffer
            .split_at_mut(given)
            .0
            .copy_from_slice(rest.split_at(given).0);
        self.position += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    const HEADER: usize = 8 + SALT;
    const SEALED: usize = CHUNK + TAG;

    fn key() -> StreamKey {
        StreamKey::ephemeral().unwrap()
    }

    fn sealed_stream(key: &StreamKey, text: &[u8]) -> Vec<u8> {
        let mut writer = SealedWriter::new(Vec::new(), key, b"run 1").unwrap();
        for piece in text.chunks(10_007) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap()
    }

    fn opened(key: &StreamKey, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        SealedReader::new(sealed, key, b"run 1")?.read_to_end(&mut text)?;
        Ok(text)
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 31 / 7) as u8).collect()
    }

    #[test]
    fn streams_of_all_lengths_around_chunk_borders_round_trip() {
        let key = key();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5] {
            let sealed = sealed_stream(&key, &text(length));
            assert_eq!(opened(&key, &sealed).unwrap(), text(length), "{length}");
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        let key = key();
        let sealed = sealed_stream(&key, &text(2 * CHUNK + 5));
        let borders = [
            0,
            1,
            HEADER - 1,
            HEADER,
            HEADER + SEALED - 1,
            HEADER + SEALED,
            HEADER + 2 * SEALED,
        ];
        for cut in borders.into_iter().chain((0..sealed.len()).step_by(997)) {
            assert!(opened(&key, &sealed[..cut]).is_err(), "cut at {cut}");
        }
        let whole_chunks = sealed_stream(&key, &text(2 * CHUNK));
        assert!(opened(&key, &whole_chunks[..HEADER + SEALED]).is_err());
    }

    #[test]
    fn reordered_repeated_and_exchanged_chunks_are_noticed() {
        let key = key();
        let one = sealed_stream(&key, &text(3 * CHUNK));
        let chunk = |bytes: &[u8], i: usize| bytes[HEADER + i * SEALED..HEADER + (i + 1) * SEALED].to_vec();
        let with = |bytes: &[u8], order: &[usize]| {
            let mut result = bytes[..HEADER].to_vec();
            order.iter().for_each(|&i| result.extend(chunk(bytes, i)));
            result
        };
        assert!(opened(&key, &with(&one, &[0, 1, 2])).is_ok());
        for order in [&[1, 0, 2][..], &[0, 0, 1, 2], &[0, 2], &[0, 1, 2, 2], &[2, 1, 0]] {
            assert!(opened(&key, &with(&one, order)).is_err(), "{order:?}");
        }
        let mut exchanged = one.clone();
        let two = sealed_stream(&key, &text(3 * CHUNK));
        exchanged[HEADER..HEADER + SEALED].copy_from_slice(&chunk(&two, 0));
        assert!(
            opened(&key, &exchanged).is_err(),
            "a chunk of another stream with the same key"
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed_and_so_are_other_keys_and_contexts() {
        let key = key();
        let good = sealed_stream(&key, &text(CHUNK + 300));
        for position in (0..good.len()).step_by(101).chain(0..HEADER) {
            let mut bad = good.clone();
            bad[position] ^= 1 << (position % 8);
            assert!(opened(&key, &bad).is_err(), "byte {position}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert!(opened(&key, &longer).is_err());
        assert!(opened(&StreamKey::ephemeral().unwrap(), &good).is_err());
        let other = SealedReader::new(good.as_slice(), &key, b"run 2")
            .unwrap()
            .read_to_end(&mut Vec::new());
        assert!(other.is_err());
    }

    #[test]
    fn an_unfinished_stream_cannot_be_read() {
        let key = key();
        let mut file = Vec::new();
        SealedWriter::new(&mut file, &key, b"run 1")
            .unwrap()
            .write_all(&text(3 * CHUNK))
            .unwrap();
        assert!(opened(&key, &file).is_err());
    }
}
