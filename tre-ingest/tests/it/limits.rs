//! Rejects, interruption, and what is left of an ingest that failed: nothing.

use std::io::Read;
use std::sync::Mutex;

use tre_core::audit::Event;
use tre_core::codes::{self, Problem};
use tre_home::audit::{Position, Sink};
use tre_home::vault::SealedReader;
use tre_ingest::{Cancel, Observer, Options, Phase, Progress, Reason};

use crate::support::{ICD10, LIVER, VISIT, World, ingest_path};

const BAD: &str = "\
clinic_id,patient,age,date,icd,cost,sex,note,ok,seen
c1,P1,x,2024-01-01,K70,1,F,secret-value,,
c1,P2,5,2024-01-01,K70,1,X,,,
c1,,5,2024-01-01,K70,1,F,,,
c1,P3,-1,2024-01-01,K70,1,F,,,
c1,P4,5,2024-01-01,K70,1,F
c1,P5,5,\"2024-01-01\"x,K70,1,F,,,
c1,P6,5,2024-02-30,K70,-1,F,,,
c1,P7,5,2024-01-01,K70,1,F,\"two
lines\",,
c1,P8,5,2024-01-01,K70,one,F,,,
";

#[test]
fn rejects_are_counted_by_class_and_their_places_are_kept_sealed() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", BAD);
    let report = world
        .ingest(&format!("{LIVER}\n[rejects]\nmax_rows = 8"))
        .unwrap();
    assert_eq!((report.tables[0].rows_read, report.tables[0].rows_stored), (9, 1));
    assert!(
        report.tables[0].clamped.is_empty(),
        "rows that are not stored clamp nothing"
    );
    let rejects: Vec<_> = report
        .rejects
        .first
        .iter()
        .map(|r| (r.line, r.column.as_str(), r.reason))
        .collect();
    let expected = [
        (2, "age", Reason::NotAnInt),
        (3, "sex", Reason::NotInValues),
        (4, "patient", Reason::NoUnit),
        (5, "age", Reason::BelowBands),
        (6, "", Reason::WrongWidth),
        (7, "", Reason::BadQuotes),
        (8, "date", Reason::NotADate),
        (11, "cost", Reason::NotANumber),
    ];
    assert_eq!(rejects, expected);
    assert_eq!(
        report.rejects.counts.iter().map(|count| count.rows).sum::<u64>(),
        8
    );

    let version = &report.version.parse().unwrap();
    let path = world
        .home
        .layout()
        .version(version)
        .join(tre_home::layout::REJECTS);
    let sealed = std::fs::read(path).unwrap();
    let key = world.home.vault().stream_key(&format!("rejects/{version}"));
    let mut text = String::new();
    SealedReader::new(sealed.as_slice(), &key, b"")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text.lines().count(), 9);
    assert!(text.contains("visit,visit.csv,3,sex,not-in-values") && !text.contains("secret-value"));
    assert_eq!(
        world.home.catalogue().verify(version).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn one_reject_too_many_leaves_nothing() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", BAD);
    let before = world.snapshot();
    let failure = world
        .ingest(&format!("{LIVER}\n[rejects]\nmax_rows = 7"))
        .unwrap_err();
    assert_eq!(failure.problem.code.id, "TRE-ING-012");
    assert_eq!(
        failure.problem.what,
        "8 rows could not be used; the spec allows 7"
    );
    let rejects = failure.rejects.unwrap();
    assert_eq!((rejects.rows, rejects.first.len()), (8, 8));
    assert_eq!(world.snapshot(), before);
    let entries = world.entries.0.lock().unwrap();
    assert!(matches!(&entries[..], [Event::DatasetRefused { code, .. }] if code == "TRE-ING-012"));
}

/// Presses Ctrl-C when a phase begins to report.
struct StopAt<'c>(Phase, &'c Cancel);

impl Observer for StopAt<'_> {
    fn progress(&self, progress: Progress) {
        assert!(progress.done <= progress.total);
        if progress.phase == self.0 {
            self.1.cancel();
        }
    }
}

#[test]
fn interrupted_in_any_phase_nothing_is_left() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", VISIT);
    let before = world.snapshot();
    for phase in [Phase::Reading, Phase::Hashing, Phase::Writing] {
        let cancel = Cancel::new();
        let failure = world
            .ingest_with(LIVER, &Options::default(), &StopAt(phase, &cancel), &cancel)
            .unwrap_err();
        assert_eq!(failure.problem.code.id, "TRE-ING-013");
        assert_eq!(world.snapshot(), before, "{phase:?}");
    }
}

/// A log that cannot be written when it matters.
struct Broken(Mutex<u32>);

impl Sink for Broken {
    fn record(&self, event: Event) -> Result<Position, Problem> {
        *self.0.lock().unwrap() += 1;
        Err(Problem::of(&codes::LOG_WRITE, format!("no room for {event:?}")))
    }
}

#[test]
fn without_its_entry_nothing_is_published() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", VISIT);
    let spec = world.write("spec.toml", LIVER);
    let before = world.snapshot();
    let broken = Broken(Mutex::new(0));
    let failure = ingest_path(
        &world.home,
        &broken,
        &spec,
        &Options::default(),
        &(),
        &Cancel::new(),
    )
    .unwrap_err();
    assert_eq!(failure.problem.code.id, codes::LOG_WRITE.id);
    assert_eq!(world.snapshot(), before);
    world.ingest(LIVER).unwrap();
}

/// Looks at the home at the moment of the entry.
struct Witness<'w>(&'w World);

impl Sink for Witness<'_> {
    fn record(&self, event: Event) -> Result<Position, Problem> {
        if let Event::DatasetIngested {
            version,
            manifest_sha256,
            ..
        } = &event
        {
            assert!(
                self.0.home.catalogue().load(version).is_err(),
                "the entry comes first"
            );
            assert_eq!(manifest_sha256.len(), 64);
        }
        self.0.entries.record(event)
    }
}

#[test]
fn the_entry_comes_before_the_version() {
    let world = World::new();
    world.write("icd10.csv", ICD10);
    world.write("visit.csv", VISIT);
    let spec = world.write("spec.toml", LIVER);
    let report = ingest_path(
        &world.home,
        &Witness(&world),
        &spec,
        &Options::default(),
        &(),
        &Cancel::new(),
    )
    .unwrap();
    let entries = world.entries.0.lock().unwrap();
    let manifest = world.manifest(&report);
    let bytes = std::fs::read(
        world
            .home
            .layout()
            .version(&manifest.version)
            .join("manifest.json"),
    )
    .unwrap();
    let sha256 = tre_home::vault::sha256_hex(&bytes);
    assert!(
        matches!(&entries[..], [Event::DatasetIngested { rows: 6, rejected: 0, manifest_sha256, .. }] if *manifest_sha256 == sha256)
    );
}
