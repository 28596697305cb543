//! The log while it is written: many writers, a verifier beside them, a crash with entries pending.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tre_core::audit::Event;
use tre_home::audit::{Entries, LogFiles, Sink, verify};

use crate::scene;

#[test]
fn concurrent_appenders_get_one_place_each() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    let mut positions: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..50).map(|n| append(&home, n)).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    positions.sort_unstable();
    assert_eq!(positions, (1..=400).collect::<Vec<u64>>());
    let asynchronous = scene::wait(home.audit().append(scene::actor(), scene::event(0))).unwrap();
    assert_eq!(asynchronous.0, 401);
    let sink = home.audit().sink(scene::actor());
    assert_eq!(sink.record(scene::event(0)).unwrap().0, 402);
    drop(sink);
    drop(home);
    let report = verify(
        &directory.path().join("audit"),
        &scene::vkey(directory.path()),
        None,
    );
    assert_eq!((report.fault, report.checkpointed), (None, 403));
}

fn append(home: &tre_home::Home, n: usize) -> u64 {
    home.audit()
        .append_blocking(scene::actor(), scene::event(n))
        .unwrap()
        .0
}

#[test]
fn a_verifier_and_a_reader_beside_a_writer_see_a_whole_log() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    let log = directory.path().join("audit");
    let vkey = scene::vkey(directory.path());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..700 {
                append(&home, n);
                if n % 7 == 0 {
                    home.audit().checkpoint().unwrap();
                }
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut looks = 0;
        while !done.load(Ordering::SeqCst) || looks < 3 {
            let report = verify(&log, &vkey, None);
            assert_eq!(report.fault, None, "after {} entries", report.entries);
            let read = Entries::new(&log, 0).map(Result::unwrap).count() as u64;
            assert!(read >= report.checkpointed);
            let copy = tempfile::tempdir().unwrap();
            copied(&log, copy.path());
            let of_copy = verify(copy.path(), &vkey, None);
            assert_eq!(of_copy.fault, None, "a copy of {} entries", of_copy.entries);
            assert!(
                of_copy.entries >= report.entries,
                "a copy is no older than what was seen before"
            );
            looks += 1;
        }
    });
}

/// Writes the files of a log at one moment to another directory.
fn copied(log: &Path, copy: &Path) {
    for file in LogFiles::of(log).unwrap() {
        let file = file.unwrap();
        let path = copy.join(file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.content).unwrap();
    }
}

/// Entries that are durable but in no tile yet: what `kill -9` right after the answer leaves.
#[test]
fn pending_entries_are_verified_kept_and_cannot_be_altered() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    let audit = directory.path().join("audit");
    let vkey = scene::vkey(directory.path());
    // Copied between the answer and the moment at which the log's thread brings it into tiles; the copy is what counts.
    let crashed = tempfile::tempdir().unwrap();
    let root = crashed.path();
    let copied = (0..200).any(|n| {
        append(&home, n);
        let pending = fs::read(audit.join("pending")).unwrap();
        fs::create_dir_all(root.join("audit")).unwrap();
        fs::write(root.join("audit/pending"), &pending).unwrap();
        !pending.is_empty()
    });
    assert!(copied);
    drop(home);

    let pending = fs::read(root.join("audit/pending")).unwrap();
    let whole = scene::another_home();
    let log = whole.path().join("audit");
    let first_log = Entries::new(&audit, 0).map(Result::unwrap).collect::<Vec<_>>();
    assert!(first_log.len() >= 2);
    // A frame of one log is worth nothing in another, whatever its index.
    fs::write(log.join("pending"), &pending).unwrap();
    let fault = verify(&log, &scene::vkey(whole.path()), None).fault.unwrap();
    assert_eq!(fault.file, "pending");
    assert!(tre_home::Home::open(whole.path(), "a test").is_err());
    // Back in its own log, which has these entries in tiles by now, it is repetition and does no harm.
    fs::write(audit.join("pending"), &pending).unwrap();
    assert_eq!(verify(&audit, &vkey, None).fault, None);
    for position in (0..pending.len()).step_by(3) {
        let mut altered = pending.clone();
        altered[position] ^= 2;
        fs::write(audit.join("pending"), &altered).unwrap();
        assert!(verify(&audit, &vkey, None).fault.is_some(), "byte {position}");
        let error = tre_home::Home::open(directory.path(), "a test")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the audit log is damaged"),
            "byte {position}: {error}"
        );
    }
    // A torn tail was heard of by nobody: the verifier tells, opening cuts it off.
    fs::write(audit.join("pending"), &pending[..pending.len() - 5]).unwrap();
    let fault = verify(&audit, &vkey, None).fault.unwrap();
    assert!(fault.what.contains("ends within an entry"), "{fault}");
    drop(scene::open(directory.path()));
    assert_eq!(verify(&audit, &vkey, None).fault, None);
    let again = Entries::new(&audit, 0).map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(again, first_log);
}

#[test]
fn what_is_too_large_is_refused_and_the_log_goes_on() {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    let large = Event::ServerStopped {
        reason: "x".repeat(70_000),
    };
    let error = home.audit().append_blocking(scene::actor(), large).unwrap_err();
    assert_eq!(tre_core::codes::Problem::from(error).code.id, "TRE-LOG-003");
    assert_eq!(append(&home, 0), 1);
}
