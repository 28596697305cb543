//! A home, a directory of the holder's, and what is in a version.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use arrow::array::{Array, AsArray};
use arrow::datatypes::UInt32Type;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::encryption::decrypt::FileDecryptionProperties;
use tempfile::TempDir;
use tre_core::audit::{Actor, Event};
use tre_core::codes::Problem;
use tre_core::manifest::{FileManifest, Manifest, TableManifest};
use tre_home::audit::{Position, Sink};
use tre_home::vault::file_aad;
use tre_home::{Home, HomeFiles, InitOptions};
use tre_ingest::{Cancel, Failure, Observer, Options, Report};

/// Entries that would have gone to the log.
#[derive(Default)]
pub(crate) struct Entries(pub(crate) Mutex<Vec<Event>>);

impl Sink for Entries {
    fn record(&self, event: Event) -> Result<Position, Problem> {
        let mut entries = self.0.lock().unwrap();
        entries.push(event);
        Ok(Position(entries.len() as u64))
    }
}

pub(crate) struct World {
    pub(crate) directory: TempDir,
    pub(crate) home: HomeFiles,
    pub(crate) entries: Entries,
}

impl World {
    pub(crate) fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("home");
        init(&root);
        let home = HomeFiles::open(&root).unwrap();
        std::fs::create_dir(directory.path().join("holder")).unwrap();
        World {
            directory,
            home,
            entries: Entries::default(),
        }
    }

    pub(crate) fn holder(&self) -> PathBuf {
        self.directory.path().join("holder")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.holder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn write_gz(&self, name: &str, text: &str) {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        self.write(name, encoder.finish().unwrap());
    }

    /// Ingests a spec given as text.
    pub(crate) fn ingest(&self, spec: &str) -> Result<Report, Failure> {
        self.ingest_with(spec, &Options::default(), &(), &Cancel::new())
    }

    pub(crate) fn ingest_with(
        &self,
        spec: &str,
        options: &Options,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> Result<Report, Failure> {
        let path = self.write("spec.toml", spec);
        ingest_path(&self.home, &self.entries, &path, options, observer, cancel)
    }

    pub(crate) fn manifest(&self, report: &Report) -> Manifest {
        self.home
            .catalogue()
            .load(&report.version.parse().unwrap())
            .unwrap()
    }

    /// The decrypted rows of a table, file by file.
    pub(crate) fn files(&self, manifest: &Manifest, table: &str) -> Vec<Vec<Row>> {
        let table = manifest.table(&table.parse().unwrap()).unwrap();
        table
            .files
            .iter()
            .map(|file| self.file(manifest, table, file))
            .collect()
    }

    /// The decrypted rows of a table without their units, sorted.
    pub(crate) fn rows(&self, report: &Report, table: &str) -> Vec<String> {
        let files = self.files(&self.manifest(report), table);
        let mut rows: Vec<String> = files
            .into_iter()
            .flatten()
            .map(|row| row.cells.join("|"))
            .collect();
        rows.sort();
        rows
    }

    pub(crate) fn file(&self, manifest: &Manifest, table: &TableManifest, file: &FileManifest) -> Vec<Row> {
        let opened = self.home.catalogue().open_file(&manifest.version, file).unwrap();
        let key = self
            .home
            .vault()
            .unwrap_version_key(&manifest.version, &manifest.wrapped_key)
            .unwrap();
        let key = key.file_key(&manifest.version, &table.name, &file.name);
        let decryption = FileDecryptionProperties::builder(key.bytes().to_vec())
            .with_aad_prefix(file_aad(&manifest.version, &table.name, &file.name).into_bytes())
            .build()
            .unwrap();
        let options = ArrowReaderOptions::new().with_file_decryption_properties(decryption);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options).unwrap();
        for group in builder.metadata().row_groups() {
            let sorted = group.sorting_columns().map(|columns| columns[0].column_idx);
            assert_eq!(sorted, (!table.public).then_some(0));
            assert!(group.num_rows() <= 128 * 1024);
        }
        assert_eq!(
            builder
                .schema()
                .as_ref()
                .clone()
                .with_metadata(Default::default()),
            table.file_schema()
        );
        let mut rows = Vec::new();
        for batch in builder.build().unwrap() {
            let batch = batch.unwrap();
            for at in 0..batch.num_rows() {
                let unit = (!table.public).then(|| batch.column(0).as_primitive::<UInt32Type>().value(at));
                let cells = batch.columns()[usize::from(!table.public)..].iter().map(|array| {
                    if array.is_null(at) {
                        "∅".to_owned()
                    } else {
                        array_value_to_string(array, at).unwrap()
                    }
                });
                rows.push(Row {
                    unit,
                    cells: cells.collect(),
                });
            }
        }
        assert_eq!(rows.len() as u64, file.rows);
        rows
    }

    /// Every file of the home but the lock files, with the hash of its bytes.
    pub(crate) fn snapshot(&self) -> BTreeMap<PathBuf, String> {
        let bytes = self.bytes();
        bytes
            .into_iter()
            .map(|(path, bytes)| (path, tre_home::vault::sha256_hex(&bytes)))
            .collect()
    }

    /// Every file of the home but the lock files.
    pub(crate) fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        walk(&self.root(), &mut files);
        files
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) unit: Option<u32>,
    pub(crate) cells: Vec<String>,
}

pub(crate) fn ingest_path(
    home: &HomeFiles,
    audit: &dyn Sink,
    spec: &Path,
    options: &Options,
    observer: &dyn Observer,
    cancel: &Cancel,
) -> Result<Report, Failure> {
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    tre_ingest::ingest(home, audit, spec, options, now, observer, cancel)
}

fn init(root: &Path) {
    let options = InitOptions {
        name: "test".to_owned(),
        origin: None,
        timezone: Default::default(),
        listen: None,
        web: None,
        certificate: None,
        sdc_policies: Vec::new(),
        access_policies: Vec::new(),
        actor: Actor::user("local:test".parse().unwrap()),
    };
    Home::init(root, options).unwrap();
}

fn walk(directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if !path.ends_with("run/ingest.lock") && !path.ends_with("run/lock") {
            files.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
}

pub(crate) const LIVER: &str = r#"
dataset    = "liver"
title      = "Liver clinic cohort"
population = "clinic"
[[table]]
name   = "visit"
files  = ["visit*"]
unit   = { column = "patient", canon = "text" }
entity = { facility = "clinic_id" }
[table.columns]
age  = { type = "int",   generalise = { bands = [0, 40, 60, 80] } }
date = { type = "date",  generalise = "month" }
icd  = { type = "text",  generalise = { prefix = 3 }, tag = "icd10" }
cost = { type = "float", min = 0, max = 1000000, scale = 2 }
sex  = { type = "text", values = ["F", "M"] }
note = { type = "text" }
ok   = { type = "bool" }
seen = { type = "timestamp" }
[[table]]
name   = "icd10"
files  = ["icd10.csv"]
public = true
[table.columns]
code = { type = "text" }
name = { type = "text" }
"#;

pub(crate) const ICD10: &str =
    "code,name\nK70,Alcoholic liver disease\nK74,Fibrosis and cirrhosis of liver\n";

pub(crate) const VISIT: &str = "\
clinic_id,patient,age,date,icd,cost,sex,note,ok,seen,phone
c1,P-1,39,2024-02-29,K70.3,12.345,F,,true,2024-02-29T10:00:00+09:00,090
c2,P-2,40,2024-03-01,K74.6,-5,M,\"\",no,,091
c1,Ｐ－１,95,2023-12-31,K70,2000000,F,\"a, \"\"b\"\"\",,2024-01-01,092
,P-3,,,,,,,,,
";
