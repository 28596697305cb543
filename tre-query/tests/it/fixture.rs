//! Small granted tables, encrypted as `tre ingest` encrypts them, in files that are unlinked at once.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use parquet::arrow::ArrowWriter;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::file::properties::WriterProperties;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::VersionId;
use tre_core::manifest::{Bounds, ColumnMeta, FileManifest, TableManifest};
use tre_core::types::{ColumnType, Value};
use tre_query::data::{Engine, FileKey, Opened};

/// First units of the three ranges of every test table.
pub(crate) const CUTS: [u32; 3] = [0, 4, 8];

pub(crate) fn column(name: &str, column_type: ColumnType) -> ColumnMeta {
    ColumnMeta {
        name: name.parse().unwrap(),
        column_type,
        description: String::new(),
        entity: None,
        measure: None,
        domain: None,
        tag: None,
        hierarchy: None,
        generalised: String::new(),
    }
}

pub(crate) fn measure(name: &str, column_type: ColumnType) -> ColumnMeta {
    let bounds = Bounds {
        min: Value::Null(column_type),
        max: Value::Null(column_type),
    };
    ColumnMeta {
        measure: Some(bounds),
        ..column(name, column_type)
    }
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub(crate) fn null(ty: ColumnType) -> Value {
    Value::Null(ty)
}

fn scalar(value: &Value, meta: &ColumnMeta) -> ScalarValue {
    if meta.entity.is_some() {
        let Value::Int(number) = value else {
            return ScalarValue::UInt32(None);
        };
        return ScalarValue::UInt32(u32::try_from(*number).ok());
    }
    match value {
        Value::Null(_) => ScalarValue::try_from(&meta.column_type.arrow()).unwrap(),
        Value::Int(v) => ScalarValue::Int64(Some(*v)),
        Value::Decimal { unscaled, scale } => ScalarValue::Decimal128(Some(*unscaled), 38, *scale as i8),
        Value::Bool(v) => ScalarValue::Boolean(Some(*v)),
        Value::Text(v) => ScalarValue::Utf8(Some(v.clone())),
        Value::Date(v) => ScalarValue::Date32(Some(*v)),
        Value::Timestamp(v) => ScalarValue::TimestampMicrosecond(Some(*v), None),
    }
}

/// A table as a test writes it: rows with their unit, in any order.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) public: bool,
    pub(crate) columns: Vec<ColumnMeta>,
    pub(crate) rows: Vec<(u32, Vec<Value>)>,
}

impl Table {
    /// Rows as a batch in the file's schema; `units` keeps them in order.
    fn batch(&self, schema: &SchemaRef, rows: &[&(u32, Vec<Value>)]) -> RecordBatch {
        let mut arrays: Vec<ArrayRef> = Vec::new();
        if !self.public {
            arrays.push(Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|(unit, _)| *unit),
            )));
        }
        for (i, meta) in self.columns.iter().enumerate() {
            let scalars: Vec<_> = rows.iter().map(|(_, values)| scalar(&values[i], meta)).collect();
            arrays.push(if scalars.is_empty() {
                arrow::array::new_empty_array(&meta.stored_type())
            } else {
                ScalarValue::iter_to_array(scalars).unwrap()
            });
        }
        RecordBatch::try_new(Arc::clone(schema), arrays).unwrap()
    }

    /// A file of these rows, sorted by unit and encrypted as if it lay at `place`.
    pub(crate) fn file(&self, place: &str, key: [u8; 32], mut rows: Vec<(u32, Vec<Value>)>) -> File {
        rows.sort_by_key(|(unit, _)| *unit);
        let schema = Arc::new(self.manifest().file_schema());
        let batch = self.batch(&schema, &rows.iter().collect::<Vec<_>>());
        sealed(place, key, &schema, &batch)
    }

    /// All rows as plain columns, for the reference.
    pub(crate) fn plain(&self) -> RecordBatch {
        let manifest = self.manifest();
        self.batch(
            &Arc::new(manifest.file_schema()),
            &self.rows.iter().collect::<Vec<_>>(),
        )
    }

    fn manifest(&self) -> TableManifest {
        TableManifest {
            name: self.name.parse().unwrap(),
            description: String::new(),
            public: self.public,
            columns: self.columns.clone(),
            files: vec![],
            rows: self.rows.len() as u64,
        }
    }
}

fn sealed(place: &str, key: [u8; 32], schema: &SchemaRef, batch: &RecordBatch) -> File {
    let encryption = FileEncryptionProperties::builder(key.to_vec())
        .with_aad_prefix(place.as_bytes().to_vec())
        .with_aad_prefix_storage(false)
        .build()
        .unwrap();
    let properties = WriterProperties::builder()
        .with_file_encryption_properties(encryption)
        .build();
    let mut file = tempfile::tempfile().unwrap();
    let mut writer =
        ArrowWriter::try_new(file.try_clone().unwrap(), Arc::clone(schema), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file.flush().unwrap();
    file.rewind().unwrap();
    file
}

/// A grant of whole tables, with files and keys, and what a test wants otherwise.
pub(crate) fn opened(tables: &[Table], change: impl FnOnce(&mut Grant)) -> Opened {
    let (mut granted, mut files, mut keys) = (vec![], vec![], vec![]);
    let version = VersionId::from_hash("d".parse().unwrap(), [3; 32]);
    for table in tables {
        let mut manifests = vec![];
        let ranges = if table.public { 1 } else { CUTS.len() };
        for range in 0..ranges {
            let bound = |i: usize| CUTS.get(i).copied().unwrap_or(u32::MAX);
            let rows: Vec<_> = table
                .rows
                .iter()
                .filter(|(unit, _)| table.public || (bound(range)..bound(range + 1)).contains(unit))
                .cloned()
                .collect();
            let key = [u8::try_from(files.len()).unwrap() + 1; 32];
            let name = format!("{}-{range:02}.parquet", table.name);
            files.push(table.file(&format!("{version}/{}/{name}", table.name), key, rows.clone()));
            keys.push(FileKey::new(key));
            manifests.push(FileManifest {
                name,
                rows: rows.len() as u64,
                bytes: 0,
                sha256: String::new(),
            });
        }
        granted.push(GrantedTable {
            version: version.clone(),
            table: table.name.parse().unwrap(),
            description: String::new(),
            public: table.public,
            population: "clinic".parse().unwrap(),
            cuts: CUTS.to_vec(),
            stored: table.columns.clone(),
            columns: table.columns.iter().map(|c| c.name.clone()).collect(),
            row_filter: None,
            files: manifests,
        });
    }
    let mut grant = Grant {
        project: "p".parse().unwrap(),
        tables: granted,
    };
    change(&mut grant);
    Opened {
        grant,
        files,
        keys,
        pseudonym_key: [9; 32],
        memory_bytes: 64 << 20,
        threads: 2,
    }
}

pub(crate) fn engine(tables: &[Table]) -> (Grant, Engine) {
    let opened = opened(tables, |_| {});
    (opened.grant.clone(), Engine::open(opened).unwrap())
}

/// A clinic of twelve: visits with costs and gaps, persons, and a public list of diagnoses.
pub(crate) fn clinic() -> Vec<Table> {
    let cost = |cents: i128| Value::Decimal {
        unscaled: cents,
        scale: 2,
    };
    let no_cost = null(ColumnType::Decimal { scale: 2 });
    let day = |d: i32| Value::Date(13_000 + d);
    let mut visits = vec![];
    for unit in 0..12_u32 {
        for visit in 0..=(unit % 4) {
            let n = i128::from(unit * 31 + visit * 17);
            let icd = ["I10", "E11", "J45"][((unit + visit) % 3) as usize];
            let amount = match (unit + visit) % 5 {
                0 => no_cost.clone(),
                1 => cost(0),
                _ => cost(100 * n - 700),
            };
            visits.push((
                unit,
                vec![
                    if unit % 5 == 4 {
                        null(ColumnType::Text)
                    } else {
                        text(icd)
                    },
                    amount,
                    Value::Int(i64::from(visit) + 1),
                    day((unit * 40 + visit * 9) as i32),
                    Value::Int(i64::from(unit % 3)),
                ],
            ));
        }
    }
    let mut facility = column("facility", ColumnType::Text);
    facility.entity = Some("facility".parse().unwrap());
    let mut sex = column("sex", ColumnType::Text);
    sex.domain = Some(vec![text("F"), text("M")]);
    vec![
        Table {
            name: "visit",
            public: false,
            columns: vec![
                column("icd", ColumnType::Text),
                measure("cost", ColumnType::Decimal { scale: 2 }),
                measure("days", ColumnType::Int),
                column("date", ColumnType::Date),
                facility,
            ],
            rows: visits,
        },
        Table {
            name: "person",
            public: false,
            columns: vec![sex, column("age", ColumnType::Int)],
            rows: (0..11_u32)
                .map(|u| {
                    (
                        u,
                        vec![
                            text(if u % 2 == 0 { "F" } else { "M" }),
                            Value::Int(i64::from(20 + u * 5)),
                        ],
                    )
                })
                .collect(),
        },
        Table {
            name: "icd10",
            public: true,
            columns: vec![
                column("code", ColumnType::Text),
                column("chapter", ColumnType::Text),
            ],
            rows: [
                ("I10", "circulatory"),
                ("E11", "endocrine"),
                ("J45", "respiratory"),
                ("J46", "respiratory"),
            ]
            .iter()
            .map(|(code, chapter)| (0, vec![text(code), text(chapter)]))
            .collect(),
        },
    ]
}
