//! The whole way, in one line of steps.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use tre_core::audit::Event;
use tre_core::codes::{self, Problem};
use tre_core::ids::{DatasetName, VersionId};
use tre_core::manifest::{Manifest, TableManifest};
use tre_core::spec::Spec;
use tre_home::audit::Sink;
use tre_home::catalogue::{CatalogueError, Staged, Staging};
use tre_home::layout::REJECTS;
use tre_home::vault::SealedWriter;
use tre_home::{HomeFiles, Ingest};

use crate::digest::name_version;
use crate::failpoint::{AUDIT, FILES, PUBLISH, REGISTRY, REJECTS_FILE};
use crate::number::{Entities, Units, count_units, number_entities, number_units};
use crate::progress::{Cancel, Observer, Pace, Phase};
use crate::read::{EntityLinkers, TableIngest};
use crate::rejects::Rejects;
use crate::report::{Failure, Outcome, Report, TableReport};
use crate::sort::{Scratch, Sorted, Sorter};
use crate::source::{InputFile, find_files};
use crate::storage;
use crate::write::{Target, write_table};

/// Longest spec that is read from a file; the parser has a lower limit of its own.
const MAX_SPEC: u64 = 2 << 20;

/// How to ingest.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bytes of rows that are kept in memory while sorting; with buffers of readers and writers, the process uses about
    /// 100 MB more. Less memory means more sort runs on disk, and the same result.
    pub memory: usize,
}

impl Default for Options {
    /// 768 MiB.
    fn default() -> Self {
        Options { memory: 768 << 20 }
    }
}

/// Makes a dataset version of a holder's files, or finds that it is there already.
///
/// `audit` gets one entry in any case: before the version is published, or when it is unchanged, or what it was refused
/// for. When this fails, nothing of the ingest is left.
pub fn ingest(
    home: &HomeFiles,
    audit: &dyn Sink,
    spec_path: &Path,
    options: &Options,
    now: Timestamp,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Report, Failure> {
    let mut dataset = None;
    let result = read_spec(spec_path).map_err(Failure::from).and_then(|spec| {
        dataset = Some(spec.dataset.clone());
        let run = Run {
            home,
            audit,
            spec: &spec,
            options,
            now,
            observer,
            cancel,
        };
        run.all(spec_path.parent().unwrap_or(Path::new("")))
    });
    result.map_err(|failure| refused(audit, dataset, failure))
}

/// Records the refusal; a log that takes no entries is the graver problem.
fn refused(audit: &dyn Sink, dataset: Option<DatasetName>, failure: Failure) -> Failure {
    let event = Event::DatasetRefused {
        dataset,
        code: failure.problem.code.id.to_owned(),
    };
    match audit.record(event) {
        Ok(_) => failure,
        Err(problem) => Failure { problem, ..failure },
    }
}

fn read_spec(path: &Path) -> Result<Spec, Problem> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Problem::of(
            &codes::ING_FILES,
            format!("cannot read the spec `{}`: {error}", path.display()),
        )
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SPEC).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8 text"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Spec::parse(&text).map_err(|problem| Problem {
        what: format!("`{name}`, {}", problem.what),
        ..problem
    })
}

/// One ingest, after its spec was read.
struct Run<'a> {
    home: &'a HomeFiles,
    audit: &'a dyn Sink,
    spec: &'a Spec,
    options: &'a Options,
    now: Timestamp,
    observer: &'a dyn Observer,
    cancel: &'a Cancel,
}

/// The tables after pass 1, in the order of the spec.
struct Tables<'a> {
    tables: Vec<Sorted>,
    reports: Vec<TableReport>,
    entities: EntityLinkers<'a>,
    rejects: Rejects,
}

impl<'a> Run<'a> {
    fn all(&self, directory: &Path) -> Result<Report, Failure> {
        let inputs = self.inputs(directory)?;
        let lock = self.home.ingest("tre ingest").map_err(Problem::from)?;
        let staging = lock.stage().map_err(Problem::from)?;
        let scratch = Scratch::new(staging.path()).map_err(|error| storage("make a key", &error))?;
        let scratch = Arc::new(scratch);

        let read = self.read(&inputs, &scratch)?;
        if read.rejects.too_many() {
            return Err(self.too_many(&read.rejects));
        }
        let (version, units) = self.name(&read, &scratch)?;
        match self.home.catalogue().load(&version) {
            Ok(published) => {
                self.audit.record(Event::DatasetUnchanged {
                    version: published.version,
                })?;
                return Ok(self.report(Outcome::Unchanged, &version, count_units(&units)?, None, read));
            }
            Err(CatalogueError::Unknown(_)) => {}
            Err(error) => return Err(Problem::from(error).into()),
        }
        let written = self.write(&lock, &staging, &scratch, read, &version, &units)?;
        Ok(self.publish(staging, written)?)
    }

    fn inputs(&self, directory: &Path) -> Result<Vec<Vec<InputFile>>, Problem> {
        self.spec
            .tables
            .iter()
            .map(|table| find_files(directory, table.name.as_str(), &table.files))
            .collect()
    }

    /// Pass 1: files to sorted rows.
    fn read(&self, inputs: &[Vec<InputFile>], scratch: &Arc<Scratch>) -> Result<Tables<'a>, Problem> {
        let (vault, population) = (self.home.vault(), &self.spec.population);
        let total = inputs.iter().flatten().map(|file| file.bytes).sum();
        let mut pace = Pace::new(self.observer, self.cancel, Phase::Reading, total);
        let bytes = Arc::new(AtomicU64::new(0));
        let mut read = Tables {
            tables: Vec::new(),
            reports: Vec::new(),
            entities: EntityLinkers::new(vault, population),
            rejects: Rejects::new(self.spec.max_rejects),
        };
        for (table, files) in self.spec.tables.iter().zip(inputs) {
            let mut sorter = Sorter::new(scratch, self.rows_memory());
            let mut ingest =
                TableIngest::new(table, vault, population, &mut read.entities, &mut read.rejects);
            for file in files {
                // Decoders of other people's formats have been known to panic; that is a damaged file, not our end.
                let reading = AssertUnwindSafe(|| {
                    ingest.file(
                        file,
                        &mut read.entities,
                        &mut sorter,
                        &mut read.rejects,
                        &mut pace,
                        &bytes,
                    )
                });
                catch_unwind(reading).unwrap_or_else(|_| {
                    let what = format!(
                        "table `{}`, file `{}`: its decoder failed",
                        table.name, file.label
                    );
                    Err(Problem::of(&codes::ING_DAMAGED, what))
                })?;
            }
            read.reports.push(ingest.finish()?);
            let kept: usize = read.tables.iter().map(Sorted::memory).sum();
            let sorted = sorter.finish(self.rows_memory().saturating_sub(kept));
            read.tables
                .push(sorted.map_err(|error| storage("write a sort run", &error))?);
        }
        pace.finish()?;
        Ok(read)
    }

    /// Of the memory: 3/8 for the rows that are being sorted, 3/8 for tables that fit, 1/8 for units, 1/8 for sorting
    /// by number.
    fn rows_memory(&self) -> usize {
        self.options.memory / 8 * 3
    }

    fn too_many(&self, rejects: &Rejects) -> Failure {
        let what = format!(
            "{} rows could not be used; the spec allows {}",
            rejects.rows(),
            self.spec.max_rejects
        );
        let problem = Problem::of(&codes::ING_REJECTS, what);
        Failure {
            problem,
            rejects: Some(Box::new(rejects.report())),
        }
    }

    /// Pass 2: sorted rows to the version's id, and the units that occur.
    fn name(&self, read: &Tables<'_>, scratch: &Arc<Scratch>) -> Result<(VersionId, Sorted), Problem> {
        let rows = read.tables.iter().map(Sorted::rows).sum();
        let mut pace = Pace::new(self.observer, self.cancel, Phase::Hashing, rows);
        let mut units = Sorter::new(scratch, self.options.memory / 8);
        let hasher = self.home.vault().version_hasher();
        let version = name_version(hasher, self.spec, &read.tables, &mut units, &mut pace)?;
        pace.finish()?;
        let units = units
            .finish(self.options.memory / 8)
            .map_err(|error| storage("write a sort run", &error))?;
        Ok((version, units))
    }

    /// Pass 3: sorted rows to files in staging, with numbers that are not in force yet.
    fn write<'h>(
        &self,
        lock: &'h Ingest<'_>,
        staging: &Staging<'_>,
        scratch: &Arc<Scratch>,
        mut read: Tables<'_>,
        version: &VersionId,
        units: &Sorted,
    ) -> Result<Written<'h>, Problem> {
        let (vault, registry) = (self.home.vault(), lock.registry());
        let units = number_units(&registry, &self.spec.population, units)?;
        let entities = number_entities(&registry, &self.spec.population, &read.entities)?;
        let key = vault.new_version_key()?;
        let cuts = units.numbered.cuts();
        let target = Target {
            version,
            key: &key,
            staging,
            scratch,
            units: &units,
            entities: &entities,
            cuts: &cuts,
            budget: self.options.memory / 8,
        };
        let rows = read.tables.iter().map(Sorted::rows).sum();
        let mut pace = Pace::new(self.observer, self.cancel, Phase::Writing, rows);
        let sorted = std::mem::take(&mut read.tables);
        let tables: Vec<TableManifest> = FILES.run(|| {
            let tables = self.spec.tables.iter().zip(sorted);
            tables
                .map(|(table, sorted)| write_table(&target, table, sorted, &mut pace))
                .collect::<Result<_, _>>()
        })?;
        pace.finish()?;
        if read.rejects.rows() > 0 {
            REJECTS_FILE.run(|| self.write_rejects(staging, version, &read.rejects))?;
        }
        for (report, table) in read.reports.iter_mut().zip(&tables) {
            report.bytes_stored = table.files.iter().map(|file| file.bytes).sum();
        }
        let manifest = Manifest {
            version: version.clone(),
            title: self.spec.title.clone(),
            population: self.spec.population.clone(),
            created: self.now,
            spec: self.spec.normal_form(),
            cuts,
            tables,
            wrapped_key: vault.wrap_version_key(version, &key)?,
        };
        let report = self.report(
            Outcome::Published,
            version,
            units.count,
            Some(units.numbered.count()),
            read,
        );
        Ok(Written {
            manifest,
            units,
            entities,
            report,
        })
    }

    fn write_rejects(
        &self,
        staging: &Staging<'_>,
        version: &VersionId,
        rejects: &Rejects,
    ) -> Result<(), Problem> {
        let file = BufWriter::new(staging.create_file(REJECTS)?);
        let key = self.home.vault().stream_key(&format!("rejects/{version}"));
        let failed = |error| storage("write the rejects file", &error);
        let mut sealed = SealedWriter::new(file, &key, b"").map_err(failed)?;
        rejects.write(&mut sealed).map_err(failed)?;
        sealed.finish().and_then(|mut file| file.flush()).map_err(failed)
    }

    /// Entry, numbers, name, in this order: a version whose numbers could be given again must never be seen.
    fn publish(&self, staging: Staging<'_>, written: Written<'_>) -> Result<Report, Problem> {
        self.cancel.check()?;
        let Written {
            manifest,
            units,
            entities,
            report,
        } = written;
        let ready = match staging.seal(manifest)? {
            Staged::Ready(ready) => ready,
            Staged::Unchanged(published) => {
                let what = format!("`{}` appeared while it was being made", published.version);
                return Err(Problem::of(&codes::ING_INTERNAL, what));
            }
        };
        let manifest = ready.manifest();
        let event = Event::DatasetIngested {
            version: manifest.version.clone(),
            population: manifest.population.clone(),
            tables: u32::try_from(manifest.tables.len()).unwrap_or(u32::MAX),
            rows: manifest.tables.iter().map(|table| table.rows).sum(),
            rejected: report.rejects.rows,
            manifest_sha256: ready.manifest_sha256().to_owned(),
        };
        AUDIT.run(|| self.audit.record(event))?;
        REGISTRY.run(|| {
            units.numbered.commit()?;
            entities
                .into_iter()
                .try_for_each(|entities| entities.numbered.commit())
        })?;
        PUBLISH.run(|| ready.publish())?;
        Ok(report)
    }

    fn report(
        &self,
        outcome: Outcome,
        version: &VersionId,
        units: u64,
        population_units: Option<u64>,
        read: Tables<'_>,
    ) -> Report {
        Report {
            version: version.to_string(),
            outcome,
            units,
            population_units,
            tables: read.reports,
            rejects: read.rejects.report(),
        }
    }
}

/// Everything on its way to publication.
struct Written<'h> {
    manifest: Manifest,
    units: Units<'h>,
    entities: Vec<Entities<'h>>,
    report: Report,
}
