//! One process at a time works on a home.
//!
//! The lock is the kernel's (`flock`), so it ends with its process however that ends; the file's text only says who
//! holds it.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use tre_core::codes::{HOME_LOCKED, Problem};

use crate::files::{FileError, PRIVATE_FILE};

/// Why a lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("the home is in use by {holder}")]
    Held {
        /// What the lock file says of the holder, e.g. `process 4711 (tre serve)`.
        holder: String,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl From<LockError> for Problem {
    fn from(error: LockError) -> Problem {
        match error {
            LockError::Held { .. } => Problem::of(&HOME_LOCKED, error.to_string()),
            LockError::File(error) => error.into(),
        }
    }
}

/// An exclusive lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would end the lock too, but not while a child that is being started still has a copy of it.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock or says who has it. `purpose` tells others what this process does, e.g. `tre serve`.
    pub fn take(path: &Path, purpose: &str) -> Result<Lock, LockError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE_FILE)
            .open(path)
            .map_err(FileError::on("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(FileError::on("lock", path)(error).into()),
        }
        // A name for people; losing it in a crash costs nothing, so it is not synced.
        let name = format!("{} {purpose}\n", std::process::id());
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(name.as_bytes()))
            .map_err(FileError::on("write", path))?;
        Ok(Lock { file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(200).read_to_string(&mut text);
    match (read, text.trim_end().split_once(' ')) {
        (Ok(_), Some((pid, purpose))) => format!("process {pid} ({purpose})"),
        (Ok(_) | Err(_), _) => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn the_second_taker_hears_who_was_first() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::take(&path, "tre serve").unwrap();
        let refusal = Lock::take(&path, "tre ingest").unwrap_err().to_string();
        assert_eq!(
            refusal,
            format!("the home is in use by process {} (tre serve)", std::process::id())
        );
        drop(first);
        Lock::take(&path, "tre ingest").unwrap();
    }
}
