//! A home with one version of the claims.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use tre_core::audit::{Actor, Event};
use tre_core::codes::Problem;
use tre_core::ids::VersionId;
use tre_core::manifest::{FileManifest, Manifest, TableManifest};
use tre_home::audit::{Position, Sink};
use tre_home::{Home, HomeFiles, InitOptions};

use super::holder::Holder;

/// When the version is made, whenever it is.
const NOW: &str = "2026-04-01T00:00:00Z";

/// An ingest here has one entry for the log, and no one reads it.
struct NoLog;

impl Sink for NoLog {
    fn record(&self, _event: Event) -> Result<Position, Problem> {
        Ok(Position(0))
    }
}

/// An ingested version and the home that it lies in.
pub struct Stored {
    /// The home.
    pub home: HomeFiles,
    /// The version.
    pub manifest: Manifest,
}

impl Stored {
    /// Makes a home in an empty or missing directory.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn home(root: &Path) -> Result<HomeFiles> {
        let options = InitOptions {
            name: "benches".to_owned(),
            origin: None,
            timezone: Default::default(),
            listen: None,
            web: None,
            certificate: None,
            sdc_policies: vec![],
            access_policies: vec![],
            actor: Actor::user("local:benches".parse().context("an actor")?),
        };
        Home::init(root, options)?;
        Ok(HomeFiles::open(root)?)
    }

    /// Opens a home that has its version already.
    ///
    /// # Errors
    /// When it has none or cannot be read.
    pub fn open(root: &Path) -> Result<Stored> {
        let home = HomeFiles::open(root)?;
        let manifest = home.catalogue().newest(&"claims".parse()?)?;
        Ok(Stored { home, manifest })
    }

    /// Ingests the holder's files: everything that `tre ingest` does but its entry in the log.
    ///
    /// # Errors
    /// When the ingest is refused or fails.
    pub fn ingest(home: HomeFiles, holder: &Holder) -> Result<Stored> {
        let (options, cancel) = (tre_ingest::Options::default(), tre_ingest::Cancel::new());
        let now: Timestamp = NOW.parse()?;
        let report = tre_ingest::ingest(&home, &NoLog, &holder.spec, &options, now, &(), &cancel)?;
        let version: VersionId = report.version.parse().context("the version of the report")?;
        let manifest = home.catalogue().load(&version)?;
        Ok(Stored { home, manifest })
    }

    /// Bytes of the version's files.
    pub fn bytes(&self) -> u64 {
        self.files().map(|(_, file)| file.bytes).sum()
    }

    /// All files with their tables, in the order of a grant of everything.
    pub fn files(&self) -> impl Iterator<Item = (&TableManifest, &FileManifest)> {
        self.manifest
            .tables
            .iter()
            .flat_map(|table| table.files.iter().map(move |file| (table, file)))
    }
}
