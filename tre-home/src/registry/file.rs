//! One registry file: a sealed header of fixed size, then a sealed stream of records in the order of their linkage keys.
//!
//! A record is a linkage key (16 bytes) and its number (u32, big-endian). The header holds what is known only at the end
//! of writing: the next free number, how many records there are, the cut points, and the SHA-256 of the sealed
//! stream's beginning (its salt), so that header and stream of two generations cannot be combined.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{RegistryError, UNIT_RANGES};
use crate::files::{self, FileError, PRIVATE_FILE};
use crate::vault::{Link, SealedReader, SealedWriter, StreamKey, Vault, sha256};

const RECORD: usize = 20;
const STREAM_HEADER: usize = 40;
const PLAIN_HEADER: usize = 4 + 8 + 1 + 4 * UNIT_RANGES + 32;
pub(super) const SEALED_HEADER: usize = PLAIN_HEADER + crate::vault::crypto::SEAL_OVERHEAD;
const PURPOSE: &str = "registry";

/// What the header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) next: u32,
    pub(super) count: u64,
    /// Empty, or one per unit range.
    pub(super) cuts: Vec<u32>,
}

impl Header {
    fn to_bytes(&self, stream: [u8; 32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PLAIN_HEADER);
        bytes.extend(self.next.to_be_bytes());
        bytes.extend(self.count.to_be_bytes());
        bytes.push(u8::from(!self.cuts.is_empty()));
        for range in 0..UNIT_RANGES {
            bytes.extend(self.cuts.get(range).copied().unwrap_or(0).to_be_bytes());
        }
        bytes.extend(stream);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<(Header, [u8; 32])> {
        let (next, rest) = bytes.split_first_chunk::<4>()?;
        let (count, rest) = rest.split_first_chunk::<8>()?;
        let (has_cuts, rest) = rest.split_first()?;
        let (cuts, stream) = rest.split_at_checked(4 * UNIT_RANGES)?;
        let cuts = cuts
            .chunks_exact(4)
            .filter_map(|cut| Some(u32::from_be_bytes(cut.try_into().ok()?)));
        let cuts = if *has_cuts == 1 {
            cuts.collect()
        } else {
            Vec::new()
        };
        let header = Header {
            next: u32::from_be_bytes(*next),
            count: u64::from_be_bytes(*count),
            cuts,
        };
        Some((header, stream.try_into().ok()?))
    }
}

/// One linkage key and its number.
pub(super) type Record = (Link, u32);

/// Reads a registry file in order.
pub(super) struct RecordReader {
    stream: SealedReader<BufReader<File>>,
    left: u64,
    last: Option<Link>,
}

/// Opens a registry file; none there is an empty one.
pub(super) fn open(
    vault: &Vault,
    path: &Path,
    name: &str,
) -> Result<(Header, Option<RecordReader>), RegistryError> {
    let damaged = || RegistryError::Damaged(name.to_owned());
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Header::default(), None)),
        file => file.map_err(FileError::on("open", path))?,
    };
    let mut start = [0; SEALED_HEADER + STREAM_HEADER];
    file.read_exact(&mut start).map_err(|_| damaged())?;
    let (sealed, stream_start) = start.split_at(SEALED_HEADER);
    let plain = vault
        .open_sealed(PURPOSE, name.as_bytes(), sealed)
        .map_err(|_| damaged())?;
    let (header, stream_hash) = Header::from_bytes(&plain).ok_or_else(damaged)?;
    if stream_hash != sha256(stream_start) {
        return Err(damaged());
    }
    file.seek(SeekFrom::Start(SEALED_HEADER as u64))
        .map_err(FileError::on("read", path))?;
    let stream = SealedReader::new(BufReader::new(file), &stream_key(vault, name), name.as_bytes());
    let left = header.count;
    Ok((
        header,
        Some(RecordReader {
            stream: stream.map_err(|_| damaged())?,
            left,
            last: None,
        }),
    ))
}

fn stream_key(vault: &Vault, name: &str) -> StreamKey {
    vault.stream_key(&format!("{PURPOSE}/{name}"))
}

impl RecordReader {
    /// The next record, or none at the (authentic) end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if self.left == 0 {
            // The stream's own end is its last authentic chunk; what it says must agree with the header.
            let more = self.stream.read(&mut [0])?;
            return if more == 0 {
                Ok(None)
            } else {
                Err(io::ErrorKind::InvalidData.into())
            };
        }
        let mut bytes = [0; RECORD];
        self.stream.read_exact(&mut bytes)?;
        let (link, number) = bytes
            .split_first_chunk::<16>()
            .ok_or(io::ErrorKind::InvalidData)?;
        let number = u32::from_be_bytes(number.try_into().map_err(io::Error::other)?);
        if self.last.is_some_and(|last| last >= *link) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.last = Some(*link);
        self.left -= 1;
        Ok(Some((*link, number)))
    }
}

/// Writes a registry file in order.
pub(super) struct RecordWriter {
    stream: SealedWriter<BufWriter<File>>,
    count: u64,
}

impl RecordWriter {
    /// Begins a file that must not exist.
    pub(super) fn create(vault: &Vault, path: &Path, name: &str) -> Result<Self, RegistryError> {
        let mut file = files::create_new(path, PRIVATE_FILE)?;
        // The header's place; what stands there until the end opens with no key.
        file.write_all(&[0; SEALED_HEADER])
            .map_err(FileError::on("write", path))?;
        let stream = SealedWriter::new(BufWriter::new(file), &stream_key(vault, name), name.as_bytes());
        Ok(RecordWriter {
            stream: stream.map_err(FileError::on("write", path))?,
            count: 0,
        })
    }

    pub(super) fn write(&mut self, (link, number): Record) -> io::Result<()> {
        self.stream.write_all(&link)?;
        self.stream.write_all(&number.to_be_bytes())?;
        self.count += 1;
        Ok(())
    }

    /// Writes the header and waits until the file is on the disk.
    pub(super) fn finish(
        self,
        vault: &Vault,
        path: &Path,
        name: &str,
        next: u32,
        cuts: Vec<u32>,
    ) -> Result<Header, RegistryError> {
        let header = Header {
            next,
            count: self.count,
            cuts,
        };
        let on = || FileError::on("write", path);
        let mut file = self
            .stream
            .finish()
            .map_err(on())?
            .into_inner()
            .map_err(|e| on()(e.into_error()))?;
        let mut stream_start = [0; STREAM_HEADER];
        file.seek(SeekFrom::Start(SEALED_HEADER as u64)).map_err(on())?;
        file.read_exact(&mut stream_start).map_err(on())?;
        let plain = header.to_bytes(sha256(&stream_start));
        let sealed = vault.seal(PURPOSE, name.as_bytes(), &plain)?;
        file.seek(SeekFrom::Start(0)).map_err(on())?;
        file.write_all(&sealed).map_err(on())?;
        file.sync_all().map_err(on())?;
        Ok(header)
    }
}
