//! File operations that survive a crash and do not depend on the umask.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tre_core::codes::{HOME_IO, Problem};

/// Mode of directories with secrets.
pub const PRIVATE_DIR: u32 = 0o700;
/// Mode of directories that another user may pass through but not list.
pub const PASSAGE_DIR: u32 = 0o711;
/// Mode of files with secrets or plain metadata.
pub const PRIVATE_FILE: u32 = 0o600;
/// Mode of files that hold ciphertext only.
pub const SEALED_FILE: u32 = 0o644;

/// Ending of files that are not yet complete; whoever finds one ignores or removes it.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// The operating system refused something.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`: {source}", path.display())]
pub struct FileError {
    /// What was tried, e.g. `write`.
    pub action: &'static str,
    /// With what.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Names action and path of a system error; for `map_err`.
    pub fn on(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        move |source| FileError {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the path does not exist.
    pub fn is_missing(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }
}

impl From<FileError> for Problem {
    fn from(error: FileError) -> Problem {
        Problem::of(&HOME_IO, error.to_string())
    }
}

/// Makes one directory with exactly this mode; one that is there keeps its content and gets the mode.
pub(crate) fn make_dir(path: &Path, mode: u32) -> Result<(), FileError> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made.map_err(FileError::on("create", path))?,
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(FileError::on("set the mode of", path))
}

/// Makes an empty file with exactly this mode, for reading and writing; it must not exist.
pub(crate) fn create_new(path: &Path, mode: u32) -> Result<File, FileError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(FileError::on("create", path))?;
    file.set_permissions(Permissions::from_mode(mode))
        .map_err(FileError::on("set the mode of", path))?;
    Ok(file)
}

/// Writes a new file and waits until it is on the disk; its name is durable after [`sync_dir`] of the parent.
pub(crate) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let mut file = create_new(path, mode)?;
    file.write_all(bytes).map_err(FileError::on("write", path))?;
    file.sync_all().map_err(FileError::on("sync", path))
}

/// Puts a file in place of another, or of none, so that at any moment the name leads to the whole old or the whole new
/// content; durable on return.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let unfinished = unfinished(path);
    remove_if_there(&unfinished)?;
    write_new(&unfinished, bytes, mode)?;
    rename(&unfinished, path)
}

/// Renames, and makes the new name durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::on("rename", from))?;
    sync_dir(parent(to))
}

/// The name under which a file is written before it is complete.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// Removes a file; none there is as good.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(FileError::on("remove", path)),
    }
}

/// Waits until the names in a directory are on the disk.
pub(crate) fn sync_dir(path: &Path) -> Result<(), FileError> {
    let directory = File::open(path).map_err(FileError::on("open", path))?;
    directory.sync_all().map_err(FileError::on("sync", path))
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(FileError::on("read", path))
}

/// Names in a directory with whether each is a directory, in order; a missing directory has none.
pub(crate) fn list(path: &Path) -> Result<Vec<(String, bool)>, FileError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(FileError::on("list", path))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(FileError::on("list", path))?;
        let kind = entry.file_type().map_err(FileError::on("list", path))?;
        names.push((entry.file_name().to_string_lossy().into_owned(), kind.is_dir()));
    }
    names.sort();
    Ok(names)
}

/// Whether others than the owner have any right to a file or directory.
pub(crate) fn open_to_others(path: &Path) -> Result<bool, FileError> {
    let metadata = fs::metadata(path).map_err(FileError::on("read the mode of", path))?;
    Ok(metadata.mode() & 0o077 != 0)
}

/// The directory that a path lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}
