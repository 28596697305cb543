//! One sorted run on disk: rows with their lengths, in a sealed stream, in a file without a name.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tre_home::vault::{SealedReader, SealedWriter, StreamKey};

/// Where runs are written, and the key that they are sealed with.
pub(crate) struct Scratch {
    directory: PathBuf,
    key: StreamKey,
    next: AtomicU64,
}

impl Scratch {
    /// Files appear (for a moment) in `directory`, which must exist.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let key = StreamKey::ephemeral().map_err(io::Error::other)?;
        Ok(Scratch {
            directory: directory.to_owned(),
            key,
            next: AtomicU64::new(0),
        })
    }

    fn file(&self) -> io::Result<(File, u64)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self
            .directory
            .join(format!("run-{}-{number}", std::process::id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        std::fs::remove_file(&path)?;
        Ok((file, number))
    }
}

/// Writes a run.
pub(crate) struct RunWriter {
    stream: SealedWriter<BufWriter<File>>,
    key: StreamKey,
    number: u64,
}

impl RunWriter {
    pub(crate) fn create(scratch: &Scratch) -> io::Result<Self> {
        let (file, number) = scratch.file()?;
        let buffered = BufWriter::with_capacity(256 << 10, file);
        let stream = SealedWriter::new(buffered, &scratch.key, &number.to_be_bytes())?;
        Ok(RunWriter {
            stream,
            key: scratch.key.clone(),
            number,
        })
    }

    /// Rows must come in order.
    pub(crate) fn write(&mut self, row: &[u8]) -> io::Result<()> {
        let length = u32::try_from(row.len()).map_err(io::Error::other)?;
        self.stream.write_all(&length.to_le_bytes())?;
        self.stream.write_all(row)
    }

    pub(crate) fn finish(self) -> io::Result<Run> {
        let file = self
            .stream
            .finish()?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Run {
            file,
            key: self.key,
            number: self.number,
        })
    }
}

/// A run that can be read any number of times.
pub(crate) struct Run {
    file: File,
    key: StreamKey,
    number: u64,
}

impl Run {
    pub(crate) fn read(&self) -> io::Result<RunReader<'_>> {
        let from_start = FromStart {
            file: &self.file,
            offset: 0,
        };
        let sealed = SealedReader::new(from_start, &self.key, &self.number.to_be_bytes())?;
        Ok(RunReader {
            stream: BufReader::with_capacity(32 << 10, sealed),
            row: Vec::new(),
        })
    }

    #[cfg(test)]
    pub(crate) fn raw_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        FromStart {
            file: &self.file,
            offset: 0,
        }
        .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Reads a run row by row.
pub(crate) struct RunReader<'r> {
    stream: BufReader<SealedReader<FromStart<'r>>>,
    row: Vec<u8>,
}

impl RunReader<'_> {
    /// Goes to the next row; false at the end.
    pub(crate) fn advance(&mut self) -> io::Result<bool> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        self.row.resize(u32::from_le_bytes(length) as usize, 0);
        self.stream.read_exact(&mut self.row)?;
        Ok(true)
    }

    pub(crate) fn row(&self) -> &[u8] {
        &self.row
    }
}

/// A reader with a place of its own in a file that others read too.
struct FromStart<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(out, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
