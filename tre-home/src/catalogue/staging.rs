//! A version in the making.
//!
//! Two steps, because the audit log's entry comes between them: [`Staging::seal`] brings everything to the disk and
//! tells whether it is new, [`Ready::publish`] gives it its name.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tre_core::ids::base32_lower;
use tre_core::manifest::Manifest;

use super::{Catalogue, CatalogueError, complete};
use crate::failpoint::{PUBLISH_FILES, PUBLISH_RENAME};
use crate::files::{self, FileError, PASSAGE_DIR, PRIVATE_DIR, PRIVATE_FILE, SEALED_FILE};
use crate::layout::{Layout, MANIFEST};
use crate::vault::{Vault, sha256_hex};

/// A directory for a version's files. Dropped, it is removed.
#[derive(Debug)]
pub struct Staging<'h> {
    layout: &'h Layout,
    path: PathBuf,
}

/// What sealing found.
#[derive(Debug)]
#[must_use]
pub enum Staged<'h> {
    /// A version of this id, hence of this content, is published already; staging is gone.
    Unchanged(Box<Manifest>),
    /// It is new and can be published.
    Ready(Ready<'h>),
}

/// A version complete on the disk, without its name. Dropped, it is removed.
#[derive(Debug)]
pub struct Ready<'h> {
    staging: Staging<'h>,
    manifest: Box<Manifest>,
    manifest_sha256: String,
}

impl<'h> Staging<'h> {
    pub(crate) fn create(layout: &'h Layout, vault: &Vault) -> Result<Self, CatalogueError> {
        let name = vault
            .random::<10>()
            .map_err(|error| FileError::on("name", &layout.staging())(std::io::Error::other(error)))?;
        files::make_dir(&layout.staging(), PRIVATE_DIR)?;
        let path = layout.staging().join(base32_lower(&name));
        files::make_dir(&path, PRIVATE_DIR)?;
        Ok(Staging { layout, path })
    }

    /// The directory; sealed scratch files may lie here too, if they are removed before [`Staging::seal`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a file of the version, for reading and writing; it must hold ciphertext only.
    pub fn create_file(&self, name: &str) -> Result<File, CatalogueError> {
        Ok(files::create_new(&self.path.join(name), SEALED_FILE)?)
    }

    /// Writes the manifest, brings all files to the disk, and looks whether the version is new.
    pub fn seal(self, manifest: Manifest) -> Result<Staged<'h>, CatalogueError> {
        let catalogue = Catalogue { layout: self.layout };
        match catalogue.load(&manifest.version) {
            Ok(published) => return Ok(Staged::Unchanged(Box::new(published))),
            Err(CatalogueError::Unknown(_)) => {}
            Err(error) => return Err(error),
        }
        complete(&manifest, &self.path).map_err(|what| CatalogueError::Damaged {
            version: manifest.version.clone(),
            what,
        })?;
        let manifest_path = self.path.join(MANIFEST);
        let mut text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| FileError::on("write", &manifest_path)(error.into()))?;
        text.push(b'\n');
        PUBLISH_FILES.run(|| {
            files::write_new(&manifest_path, &text, PRIVATE_FILE)?;
            for (name, _) in files::list(&self.path)? {
                let path = self.path.join(name);
                File::open(&path)
                    .and_then(|file| file.sync_all())
                    .map_err(FileError::on("sync", &path))?;
            }
            fs::set_permissions(&self.path, Permissions::from_mode(PASSAGE_DIR))
                .map_err(FileError::on("set the mode of", &self.path))?;
            files::sync_dir(&self.path)
        })?;
        Ok(Staged::Ready(Ready {
            staging: self,
            manifest_sha256: sha256_hex(&text),
            manifest: Box::new(manifest),
        }))
    }
}

impl Ready<'_> {
    /// What will be published.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the manifest file, lower-case hex, for the audit log.
    pub fn manifest_sha256(&self) -> &str {
        &self.manifest_sha256
    }

    /// Gives the version its name, durably. The audit log has its entry by now.
    pub fn publish(self) -> Result<Manifest, CatalogueError> {
        let layout = self.staging.layout;
        files::make_dir(&layout.dataset(self.manifest.dataset()), PASSAGE_DIR)?;
        files::sync_dir(&layout.datasets())?;
        PUBLISH_RENAME.run(|| {
            files::rename(&self.staging.path, &layout.version(&self.manifest.version))?;
            files::sync_dir(&layout.staging())
        })?;
        Ok((*self.manifest).clone())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        // After publishing there is nothing of this name; what cannot be removed now is removed by the next ingest.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes what ingests that crashed have left: versions without a name, datasets without a version.
pub(crate) fn clean(layout: &Layout) -> Result<(), FileError> {
    let staging = layout.staging();
    for (name, _) in files::list(&staging)? {
        let path = staging.join(name);
        fs::remove_dir_all(&path).map_err(FileError::on("remove", &path))?;
    }
    for (name, is_dir) in files::list(&layout.datasets())? {
        if is_dir && !name.starts_with('.') {
            // Fails where versions are, which is the point.
            let _ = fs::remove_dir(layout.datasets().join(name));
        }
    }
    Ok(())
}
