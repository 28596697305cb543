//! The files of a log as they are at one moment, to be kept and verified elsewhere; also while a server appends.

use std::path::Path;

use super::AuditError;
use super::snapshot::Snapshot;
use super::tiles::Directory;

/// A file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Relative to the log's directory, with `/`.
    pub path: String,
    /// All of it.
    pub content: Vec<u8>,
}

/// All files of a log. What can change was read when this was made; full tiles and bundles, which are most of it and never
/// change, are read when their turn comes. Files that are none of a log's are left out. After an error it is at its end.
#[derive(Debug)]
pub struct LogFiles {
    directory: Directory,
    changing: Vec<LogFile>,
    settled: std::vec::IntoIter<String>,
    ended: bool,
}

impl LogFiles {
    /// The log in a directory.
    ///
    /// # Errors
    /// [`AuditError::Broken`] when it has no checkpoint, no public key or no pending file, or never holds still.
    pub fn of(directory: &Path) -> Result<LogFiles, AuditError> {
        let directory = Directory::new(directory);
        let snapshot = Snapshot::take(&directory).map_err(|fault| AuditError::Broken(fault.to_string()))?;
        let file = |path: &str, content| LogFile {
            path: path.to_owned(),
            content,
        };
        let mut changing = vec![
            file("vkey", directory.read("vkey")?),
            file("pending", snapshot.pending),
            file("checkpoint", snapshot.checkpoint),
        ];
        changing.extend(
            snapshot
                .edge
                .into_iter()
                .map(|(path, content)| LogFile { path, content }),
        );
        Ok(LogFiles {
            directory,
            changing,
            settled: snapshot.settled.into_iter(),
            ended: false,
        })
    }
}

impl Iterator for LogFiles {
    type Item = Result<LogFile, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(file) = self.changing.pop() {
            return Some(Ok(file));
        }
        let path = self.settled.next().filter(|_| !self.ended)?;
        Some(match self.directory.read(&path) {
            Ok(content) => Ok(LogFile { path, content }),
            Err(error) => {
                self.ended = true;
                Err(error.into())
            }
        })
    }
}
