//! Promise 2 on the shipped extract: leave a person out, and whatever changes lies in a value whose evidence counts them.
//!
//! One plan per query finds the values without each of 200 seeded persons: plain DataFusion over the decrypted rows,
//! crossed with a replica column that names who is left out. Five persons are left out for real, by ingesting the
//! holder's files without their rows. Plain DataFusion knows nothing of evidence, units or our operators.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{Field, Schema, UInt32Type};
use arrow::util::display::array_value_to_string;
use datafusion::prelude::{SessionConfig, SessionContext};
use output_checker::lineage::lineage;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::encryption::decrypt::FileDecryptionProperties;
use tre_core::audit::{Actor, Event};
use tre_core::codes::Problem;
use tre_core::evidence::BaseCells;
use tre_core::manifest::Manifest;
use tre_home::audit::{Position, Sink};
use tre_home::vault::file_aad;
use tre_home::{Home, HomeFiles, InitOptions};
use tre_query::data::{Engine, FileKey, Opened, full_grant};
use tre_query::desk::{Desk, DeskTable};

/// Persons left out of every query, drawn by a fixed linear congruence over the units.
const REPLICAS: u32 = 200;
/// Persons in the extract.
const PERSONS: u32 = 2694;

/// FROM clause (its private tables all join on pid, the first is `a`), WHERE, keys, and aggregates with their argument.
type Question = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [(&'static str, Option<&'static str>)],
);

const ROWS: (&str, Option<&str>) = ("count(*)", None);
const PEOPLE: (&str, Option<&str>) = ("count(distinct a.pid)", None);

#[rustfmt::skip]
const QUESTIONS: [Question; 30] = [
    ("person a", "true", &[], &[ROWS, PEOPLE]),
    ("person a", "true", &["a.gender"], &[ROWS]),
    ("person a", "true", &["a.gender", "a.year_of_birth"], &[ROWS, PEOPLE]),
    ("person a", "true", &["a.race", "a.ethnicity"], &[PEOPLE]),
    ("person a", "a.year_of_birth >= 1950", &["a.ethnicity"], &[ROWS]),
    ("person a", "a.race IN ('white', 'asian') AND a.gender <> 'M'", &["a.year_of_birth"], &[ROWS]),
    ("visit_occurrence a", "true", &["a.age"], &[ROWS, ("sum(a.visit_days)", Some("a.visit_days"))]),
    ("visit_occurrence a", "a.visit_days > 1", &[], &[("avg(a.visit_days)", Some("a.visit_days")), PEOPLE]),
    ("visit_occurrence a", "true", &["extract(year FROM a.visit_start_date)"], &[ROWS, ("count(a.visit_days)", Some("a.visit_days"))]),
    ("visit_occurrence a", "a.visit_start_date < date '2000-01-01'", &["a.age"], &[PEOPLE]),
    ("condition_occurrence a", "true", &["a.age"], &[ROWS, PEOPLE]),
    ("condition_occurrence a", "true", &["a.condition_concept_id"], &[ROWS, PEOPLE]),
    ("condition_occurrence a", "a.condition_days IS NOT NULL", &["a.condition_concept_id"], &[("sum(a.condition_days)", Some("a.condition_days"))]),
    ("condition_occurrence a", "a.age >= 60", &["a.condition_concept_id"], &[("avg(a.condition_days)", Some("a.condition_days")), ROWS]),
    ("condition_occurrence a", "a.condition_days % 7 = 0", &["a.age"], &[ROWS]),
    ("condition_occurrence a", "a.condition_days BETWEEN 10 AND 20", &["a.age", "a.condition_concept_id"], &[PEOPLE]),
    ("condition_occurrence a", "true", &["extract(year FROM a.condition_start_date)"], &[ROWS, ("count(a.condition_days)", Some("a.condition_days"))]),
    ("condition_occurrence a JOIN concept c ON a.condition_concept_id = c.concept_id", "true", &["c.concept_name"], &[PEOPLE]),
    ("condition_occurrence a JOIN concept c ON a.condition_concept_id = c.concept_id", "c.concept_name LIKE '%fracture%'", &["a.age"], &[ROWS, PEOPLE]),
    ("drug_exposure a", "true", &["a.drug_type_concept_id"], &[ROWS, ("sum(a.days_supply)", Some("a.days_supply"))]),
    ("drug_exposure a", "a.days_supply > 0", &["a.drug_concept_id"], &[("avg(a.days_supply)", Some("a.days_supply")), PEOPLE]),
    ("drug_exposure a", "true", &["a.age", "a.drug_type_concept_id"], &[ROWS, PEOPLE]),
    ("drug_exposure a", "a.days_supply * 2 > 100", &["a.age"], &[ROWS]),
    ("drug_exposure a JOIN concept c ON a.drug_concept_id = c.concept_id", "true", &["c.concept_class_id"], &[ROWS, ("sum(a.days_supply)", Some("a.days_supply"))]),
    ("measurement a", "true", &["a.measurement_concept_id"], &[ROWS, PEOPLE]),
    ("measurement a", "a.age < 18 OR a.age >= 80", &["a.age"], &[ROWS]),
    ("visit_occurrence a JOIN person b ON a.pid = b.pid", "true", &["b.gender", "b.race"], &[ROWS, ("sum(a.visit_days)", Some("a.visit_days"))]),
    ("visit_occurrence a JOIN condition_occurrence b ON a.pid = b.pid", "b.age >= 50", &["a.age"], &[ROWS, PEOPLE]),
    ("visit_occurrence a JOIN person b ON a.pid = b.pid JOIN drug_exposure d ON d.pid = a.pid", "d.days_supply > 30", &["b.gender"], &[ROWS, PEOPLE]),
    ("person a JOIN visit_occurrence b ON a.pid = b.pid", "lower(substr(a.ethnicity, 1, 1)) < 'm'", &["upper(a.race)"], &[PEOPLE]),
];

struct NoLog;

impl Sink for NoLog {
    fn record(&self, _: Event) -> Result<Position, Problem> {
        Ok(Position(0))
    }
}

/// A home with the extract, less the persons whose rows `keep` drops by the holder's own person number.
struct World {
    _directory: tempfile::TempDir,
    home: HomeFiles,
    manifest: Manifest,
}

impl World {
    fn ingested(keep: &dyn Fn(&str) -> bool) -> World {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("home");
        let options = InitOptions {
            name: "people".to_owned(),
            origin: None,
            timezone: Default::default(),
            listen: None,
            web: None,
            certificate: None,
            sdc_policies: vec![],
            access_policies: vec![],
            actor: Actor::user("local:test".parse().unwrap()),
        };
        Home::init(&root, options).unwrap();
        let home = HomeFiles::open(&root).unwrap();
        let holder = directory.path().join("holder");
        std::fs::create_dir(&holder).unwrap();
        for (name, bytes) in tre_examples::eunomia::FILES {
            std::fs::write(holder.join(name), without(bytes, keep)).unwrap();
        }
        let spec = holder.join("eunomia.toml");
        std::fs::write(&spec, tre_examples::eunomia::SPEC).unwrap();
        let manifest = ingest(&home, &spec);
        World {
            _directory: directory,
            home,
            manifest,
        }
    }

    fn opened(&self) -> Opened {
        let grant = full_grant("p".parse().unwrap(), std::slice::from_ref(&self.manifest));
        let key = self
            .home
            .vault()
            .unwrap_version_key(&self.manifest.version, &self.manifest.wrapped_key)
            .unwrap();
        let (mut files, mut keys) = (vec![], vec![]);
        for table in &self.manifest.tables {
            for file in &table.files {
                files.push(
                    self.home
                        .catalogue()
                        .open_file(&self.manifest.version, file)
                        .unwrap(),
                );
                keys.push(FileKey::new(
                    *key.file_key(&self.manifest.version, &table.name, &file.name)
                        .bytes(),
                ));
            }
        }
        Opened {
            grant,
            files,
            keys,
            pseudonym_key: [0; 32],
            memory_bytes: 1 << 30,
            threads: 2,
        }
    }

    /// The stored rows of every table, decrypted, for the reference.
    fn plain(&self) -> SessionContext {
        let mut config = SessionConfig::new().with_target_partitions(2);
        config.options_mut().sql_parser.parse_float_as_decimal = true;
        config.options_mut().sql_parser.map_string_types_to_utf8view = false;
        let context = SessionContext::new_with_config(config);
        let version = &self.manifest.version;
        let key = self
            .home
            .vault()
            .unwrap_version_key(version, &self.manifest.wrapped_key)
            .unwrap();
        for table in &self.manifest.tables {
            let mut batches = vec![];
            for file in &table.files {
                let opened = self.home.catalogue().open_file(version, file).unwrap();
                let properties = FileDecryptionProperties::builder(
                    key.file_key(version, &table.name, &file.name).bytes().to_vec(),
                )
                .with_aad_prefix(file_aad(version, &table.name, &file.name).into_bytes())
                .build()
                .unwrap();
                let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
                let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options).unwrap();
                batches.extend(reader.build().unwrap().map(Result::unwrap));
            }
            let schema = batches[0].schema();
            let all = arrow::compute::concat_batches(&schema, &batches).unwrap();
            context.register_batch(table.name.as_str(), all).unwrap();
        }
        context
    }
}

fn ingest(home: &HomeFiles, spec: &Path) -> Manifest {
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    let (options, cancel) = (tre_ingest::Options::default(), tre_ingest::Cancel::new());
    let report = tre_ingest::ingest(home, &NoLog, spec, &options, now, &(), &cancel).unwrap();
    home.catalogue().load(&report.version.parse().unwrap()).unwrap()
}

/// A holder's file without the rows of persons that are not kept; the person number is the column `person_id`.
fn without(gz: &[u8], keep: &dyn Fn(&str) -> bool) -> Vec<u8> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(gz)
        .read_to_string(&mut text)
        .unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap();
    let person = header.split(',').position(|name| name == "person_id");
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(out, "{header}").unwrap();
    for line in lines {
        // Person numbers stand before any quoted text in every table of the extract.
        if person.is_none_or(|at| keep(line.split(',').nth(at).unwrap())) {
            writeln!(out, "{line}").unwrap();
        }
    }
    out.finish().unwrap()
}

fn sql((from, condition, keys, aggregates): &Question) -> String {
    let mut columns: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(i, key)| format!("{key} AS k{i}"))
        .collect();
    columns.extend(
        aggregates
            .iter()
            .enumerate()
            .map(|(i, (aggregate, _))| format!("{aggregate} AS v{i}")),
    );
    let group = if keys.is_empty() {
        String::new()
    } else {
        format!(" GROUP BY {}", keys.join(", "))
    };
    format!(
        "SELECT {} FROM {from} WHERE {condition}{group}",
        columns.join(", ")
    )
}

type Group = Vec<String>;

fn text(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        "NULL".to_owned()
    } else {
        array_value_to_string(column, row).unwrap()
    }
}

/// What our engine says of every group: values, and the units present behind each.
async fn ours(
    engine: &Engine,
    grant: &tre_core::grant::Grant,
    question: &Question,
) -> BTreeMap<Group, Vec<(String, u64)>> {
    let sql = sql(question);
    let mut desk = Desk::open(DeskTable::of_grant(grant)).unwrap();
    let planned = desk
        .plan("q", &sql, None, false)
        .await
        .unwrap_or_else(|p| panic!("{sql}: {p}"));
    let frontier = &planned.frontiers[0];
    let (_, batch) = engine.run(frontier).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let cells = BaseCells::new(lineage(frontier, grant).unwrap().layout, batch.clone()).unwrap();
    // Keys and values as an analyst gets them, untreated; base groups and answer rows are matched by key.
    let keys = question.2.len();
    let mut treated: Vec<ArrayRef> = batch.columns()[..keys + cells.layout().values.len()].to_vec();
    for _ in 0..cells.layout().values.len() {
        treated.push(Arc::new(arrow::array::Int32Array::from(vec![
            0;
            batch.num_rows()
        ])));
    }
    let fields: Vec<Field> = treated
        .iter()
        .enumerate()
        .map(|(i, c)| Field::new(i.to_string(), c.data_type().clone(), true))
        .collect();
    let treated = RecordBatch::try_new(Arc::new(Schema::new(fields)), treated).unwrap();
    let (_, answers) = desk.finish("q", vec![treated], vec![]).await.unwrap();
    let arguments: Vec<Option<usize>> = {
        let mut seen: Vec<&str> = vec![];
        let number = |argument: &Option<&'static str>, seen: &mut Vec<&str>| {
            argument.map(|name| match seen.iter().position(|known| *known == name) {
                Some(i) => i,
                None => {
                    seen.push(name);
                    seen.len() - 1
                }
            })
        };
        question
            .3
            .iter()
            .map(|(_, argument)| number(argument, &mut seen))
            .collect()
    };
    let mut evidence = BTreeMap::new();
    for row in 0..cells.len() {
        let group: Group = cells.keys().iter().map(|key| text(key, row)).collect();
        evidence.insert(
            group,
            arguments
                .iter()
                .map(|a| cells.present(*a, row))
                .collect::<Vec<u64>>(),
        );
    }
    let mut groups = BTreeMap::new();
    for answer in &answers {
        for row in 0..answer.num_rows() {
            let group: Group = answer.columns()[..keys]
                .iter()
                .map(|key| text(key, row))
                .collect();
            let units = &evidence[&group];
            let values = answer.columns()[keys..]
                .iter()
                .zip(units)
                .map(|(v, u)| (text(v, row), *u))
                .collect();
            groups.insert(group, values);
        }
    }
    groups
}

/// The same by plain DataFusion without each replica's person: values and distinct people per replica and group.
async fn reference(
    context: &SessionContext,
    question: &Question,
) -> BTreeMap<u32, BTreeMap<Group, Vec<(String, u64)>>> {
    let (from, condition, keys, aggregates) = question;
    let mut columns = vec!["r.replica".to_owned()];
    columns.extend(keys.iter().map(|key| key.to_string()));
    columns.extend(aggregates.iter().map(|(aggregate, _)| aggregate.to_string()));
    columns.extend(aggregates.iter().map(|(_, argument)| match argument {
        None => "count(distinct a.pid)".to_owned(),
        Some(argument) => format!("count(distinct CASE WHEN {argument} IS NOT NULL THEN a.pid END)"),
    }));
    let columns: Vec<String> = columns
        .into_iter()
        .enumerate()
        .map(|(i, c)| format!("{c} AS x{i}"))
        .collect();
    let group = [&["r.replica"], *keys].concat().join(", ");
    let sql = format!(
        "SELECT {} FROM {from} CROSS JOIN replicas r WHERE ({condition}) AND a.pid <> r.replica GROUP BY {group}",
        columns.join(", ")
    );
    let batches = context
        .sql(&sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
        .collect()
        .await
        .unwrap();
    let mut replicas: BTreeMap<u32, BTreeMap<Group, Vec<(String, u64)>>> = BTreeMap::new();
    let (k, n) = (keys.len(), aggregates.len());
    for batch in &batches {
        let who = batch.column(0).as_primitive::<UInt32Type>();
        for row in 0..batch.num_rows() {
            let group: Group = (0..k).map(|i| text(batch.column(1 + i), row)).collect();
            let people = |i: usize| text(batch.column(1 + k + n + i), row).parse().unwrap();
            let values = (0..n)
                .map(|i| (text(batch.column(1 + k + i), row), people(i)))
                .collect();
            replicas.entry(who.value(row)).or_default().insert(group, values);
        }
    }
    replicas
}

/// Every value that differs without somebody counted exactly them.
fn assert_counted(
    sql: &str,
    who: &str,
    full: &BTreeMap<Group, Vec<(String, u64)>>,
    less: &BTreeMap<Group, Vec<(String, u64)>>,
) -> usize {
    let mut changed = 0;
    assert!(
        less.keys().all(|group| full.contains_key(group)),
        "{sql}: a group appears without {who}"
    );
    for (group, values) in full {
        let Some(rest) = less.get(group) else {
            // The row goes with its only person; a value that nobody had counted nobody.
            for (value, units) in values {
                let one = *units == 1 || (*units == 0 && value == "NULL");
                assert!(
                    one,
                    "{sql}\n  group {group:?} of {units}: {value} is absent without {who}"
                );
                changed += 1;
            }
            continue;
        };
        for (i, (value, units)) in values.iter().enumerate() {
            let (without, people) = rest[i].clone();
            if *value == without {
                continue;
            }
            changed += 1;
            assert_eq!(
                *units,
                people + 1,
                "{sql}\n  group {group:?}, value {i}: {value} is {without} without {who}"
            );
        }
    }
    changed
}

fn context_with_replicas(world: &World) -> (SessionContext, Vec<u32>) {
    let context = world.plain();
    let drawn: BTreeSet<u32> = (0..)
        .map(|i: u32| (i * 1_103 + 77) % PERSONS)
        .take(REPLICAS as usize)
        .collect();
    let drawn: Vec<u32> = drawn.into_iter().collect();
    let schema = Arc::new(Schema::new(vec![Field::new(
        "replica",
        arrow::datatypes::DataType::UInt32,
        false,
    )]));
    let column: ArrayRef = Arc::new(UInt32Array::from(drawn.clone()));
    context
        .register_batch("replicas", RecordBatch::try_new(schema, vec![column]).unwrap())
        .unwrap();
    (context, drawn)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_a_person_out_changes_only_values_that_count_them() {
    let world = World::ingested(&|_| true);
    let opened = world.opened();
    let grant = opened.grant.clone();
    let engine = Engine::open(opened).unwrap();
    let (context, replicas) = context_with_replicas(&world);
    assert_eq!(replicas.len(), REPLICAS as usize);
    let mut changed = 0;
    for question in &QUESTIONS {
        let full = ours(&engine, &grant, question).await;
        let without = reference(&context, question).await;
        for replica in &replicas {
            let none = BTreeMap::new();
            let less = without.get(replica).unwrap_or(&none);
            changed += assert_counted(&sql(question), &format!("unit {replica}"), &full, less);
        }
    }
    assert!(
        changed > 10_000,
        "the persons left out changed {changed} values only"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ingesting_without_a_person_changes_only_values_that_count_them() {
    let everybody = World::ingested(&|_| true);
    let opened = everybody.opened();
    let grant = opened.grant.clone();
    let engine = Engine::open(opened).unwrap();
    let mut full = vec![];
    for question in &QUESTIONS {
        full.push(ours(&engine, &grant, question).await);
    }
    let mut changed = 0;
    for person in ["5", "1280", "2591", "3593", "4222"] {
        let world = World::ingested(&|number| number != person);
        let opened = world.opened();
        let grant = opened.grant.clone();
        let engine = Engine::open(opened).unwrap();
        for (question, full) in QUESTIONS.iter().zip(&full) {
            let less = ours(&engine, &grant, question).await;
            changed += assert_counted(&sql(question), &format!("person {person}"), full, &less);
        }
    }
    assert!(
        changed > 100,
        "the persons left out changed {changed} values only"
    );
}
