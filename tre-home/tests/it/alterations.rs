//! Whatever is done to the files of a log is found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tre_home::audit::{Entries, verify};

use crate::scene;

const SEED: u64 = 20_261_121;

/// A closed log of 300 entries, a full bundle and a partial one, with the checkpoint when it had 150.
fn log() -> (tempfile::TempDir, PathBuf, String) {
    let directory = scene::new_home();
    let home = scene::open(directory.path());
    for n in 0..149 {
        home.audit()
            .append_blocking(scene::actor(), scene::event(n))
            .unwrap();
    }
    let earlier = home.audit().checkpoint().unwrap();
    for n in 0..150 {
        home.audit()
            .append_blocking(scene::actor(), scene::event(n))
            .unwrap();
    }
    drop(home);
    let path = directory.path().join("audit");
    (directory, path, earlier)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path))
        } else {
            files.push(path)
        }
    }
    files.sort();
    files
}

#[test]
fn every_one_of_250_random_alterations_is_found() {
    let (home, log, _) = log();
    let vkey = scene::vkey(home.path());
    let report = verify(&log, &vkey, None);
    assert_eq!(
        (report.fault, report.entries, report.checkpointed),
        (None, 300, 300)
    );
    let files = files(&log);
    let names: Vec<_> = files
        .iter()
        .map(|file| file.strip_prefix(&log).unwrap().to_str().unwrap())
        .collect();
    let expected = [
        "checkpoint",
        "pending",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
        "vkey",
    ];
    assert_eq!(names, expected);

    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut altered = BTreeSet::new();
    for round in 0..250 {
        let file = &files[random.random_range(0..files.len())];
        let good = fs::read(file).unwrap();
        let mut bad = good.clone();
        let what = match random.random_range(0..4) {
            0 | 1 if !good.is_empty() => {
                let (byte, bit) = (random.random_range(0..good.len()), random.random_range(0..8));
                bad[byte] ^= 1 << bit;
                format!("bit {bit} of byte {byte}")
            }
            2 if !good.is_empty() => {
                bad.truncate(random.random_range(0..good.len()));
                format!("cut to {}", bad.len())
            }
            _ => {
                bad.push(random.random());
                "one byte more".to_owned()
            }
        };
        fs::write(file, &bad).unwrap();
        let report = verify(&log, &vkey, None);
        assert!(report.fault.is_some(), "round {round}: {} {what}", file.display());
        fs::write(file, &good).unwrap();
        altered.insert(file);
    }
    assert_eq!(altered.len(), files.len(), "every file had its turn");
    assert_eq!(verify(&log, &vkey, None).fault, None);
}

#[test]
fn a_missing_and_a_foreign_file_are_found() {
    let (home, log, _) = log();
    let vkey = scene::vkey(home.path());
    for file in files(&log) {
        let good = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let fault = verify(&log, &vkey, None).fault.expect("a missing file");
        assert!(file.ends_with(&fault.file), "{fault} for {}", file.display());
        fs::write(&file, good).unwrap();
    }
    for foreign in [
        "notes.txt",
        "tile/0/002",
        "tile/0/001.p/45",
        "tile/entries/001.p/1",
        "tile/0/000.p/5",
    ] {
        let path = log.join(foreign);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"").unwrap();
        assert_eq!(
            verify(&log, &vkey, None).fault.expect("a foreign file").file,
            foreign
        );
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn the_altered_entry_is_named() {
    let (home, log, _) = log();
    let vkey = scene::vkey(home.path());
    let bundle = log.join("tile/entries/000");
    let good = fs::read(&bundle).unwrap();
    let call = b"\"call 50\"";
    let byte = good
        .windows(call.len())
        .position(|window| window == call)
        .unwrap()
        + 6;
    let mut bad = good.clone();
    bad[byte] = b'6';
    fs::write(&bundle, bad).unwrap();
    let fault = verify(&log, &vkey, None).fault.unwrap();
    assert_eq!(
        (fault.file.as_str(), fault.position),
        ("tile/entries/000", Some(51)),
        "{fault}"
    );
}

#[test]
fn a_log_cut_back_to_an_old_checkpoint_is_found_by_whoever_kept_a_newer_one() {
    let young = scene::new_home();
    let home = scene::open(young.path());
    home.audit()
        .append_blocking(scene::actor(), scene::event(0))
        .unwrap();
    home.audit().checkpoint().unwrap();
    drop(home);
    let vkey = scene::vkey(young.path());
    let log = young.path().join("audit");
    let saved = tempfile::tempdir().unwrap();
    scene::copy(&log, saved.path());

    let home = scene::open(young.path());
    home.audit()
        .append_blocking(scene::actor(), scene::event(1))
        .unwrap();
    let kept = home.audit().checkpoint().unwrap();
    drop(home);
    assert_eq!(verify(&log, &vkey, Some(kept.as_bytes())).fault, None);

    // The old log is a log, and says so: only the checkpoint that left the house shows the difference.
    assert_eq!(verify(saved.path(), &vkey, None).fault, None);
    let fault = verify(saved.path(), &vkey, Some(kept.as_bytes())).fault.unwrap();
    assert!(fault.what.contains("an earlier one had"), "{fault}");

    // Grown anew, with the right key but another history.
    fs::remove_dir_all(&log).unwrap();
    scene::copy(saved.path(), &log);
    let home = scene::open(young.path());
    for n in 5..9 {
        home.audit()
            .append_blocking(scene::actor(), scene::event(n))
            .unwrap();
    }
    drop(home);
    assert_eq!(verify(&log, &vkey, None).fault, None);
    let fault = verify(&log, &vkey, Some(kept.as_bytes())).fault.unwrap();
    assert!(fault.what.contains("not those signed earlier"), "{fault}");
}

#[test]
fn an_earlier_checkpoint_is_a_prefix() {
    let (home, log, earlier) = log();
    assert_eq!(
        verify(&log, &scene::vkey(home.path()), Some(earlier.as_bytes())).fault,
        None
    );
    let other = scene::another_home();
    let fault = verify(&log, &scene::vkey(other.path()), None).fault.unwrap();
    assert_eq!(fault.file, "vkey");
}

#[test]
fn a_damaged_log_is_not_opened() {
    for file in [
        "checkpoint",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/001.p/44",
        "vkey",
    ] {
        let (home, log, _) = log();
        let path = log.join(file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = tre_home::Home::open(home.path(), "a test")
            .unwrap_err()
            .to_string();
        assert!(error.contains("the audit log is damaged"), "{file}: {error}");
    }
}

#[test]
fn the_export_has_every_entry_once_and_in_order() {
    let (_home, log, _) = log();
    let all: Vec<_> = Entries::new(&log, 0).map(Result::unwrap).collect();
    assert_eq!(all.len(), 300);
    for (n, entry) in all.iter().enumerate() {
        let entry: tre_core::audit::Entry = serde_json::from_slice(entry).unwrap();
        assert_eq!(entry.sequence(), n as u64);
    }
    let tail: Vec<_> = Entries::new(&log, 200).map(Result::unwrap).collect();
    assert_eq!(tail, all[200..]);
}
