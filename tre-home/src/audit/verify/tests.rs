#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use tre_core::audit::{Actor, Event};

use super::super::note::{Signer, new_key};
use super::super::writer::Writer;
use super::*;

struct Log {
    place: tempfile::TempDir,
    key: String,
    vkey: String,
}

impl Log {
    fn new() -> Log {
        let place = tempfile::tempdir().unwrap();
        let (key, vkey) = new_key("test").unwrap();
        let log = Log {
            place,
            key: key.to_string(),
            vkey,
        };
        Writer::create(&Directory::new(log.path()), &log.signer(), &log.vkey).unwrap();
        log
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn signer(&self) -> Signer {
        Signer::from_text(&self.key).unwrap()
    }

    fn open(&self) -> Result<Writer, String> {
        Writer::open(Directory::new(self.path()), self.signer()).map_err(|error| error.to_string())
    }

    fn verify(&self) -> Option<Fault> {
        verify(self.path(), &self.vkey, None).fault
    }

    fn frames(&self) -> Vec<Frame> {
        pending::scan(&std::fs::read(self.path().join("pending")).unwrap())
            .unwrap()
            .frames
    }

    /// Writes frames whose own hashes are right, as somebody without the signing key could.
    fn forge(&self, frames: &[Frame]) {
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|frame| frame.to_bytes().unwrap())
            .collect();
        std::fs::write(self.path().join("pending"), bytes).unwrap();
    }
}

fn event(reason: &str) -> (Actor, Event) {
    (
        Actor::user("alice".parse().unwrap()),
        Event::ServerStopped {
            reason: reason.to_owned(),
        },
    )
}

fn rename_actor(entry: &[u8]) -> Vec<u8> {
    String::from_utf8(entry.to_vec())
        .unwrap()
        .replace("alice", "mallo")
        .into_bytes()
}

#[test]
fn pending_entries_cannot_be_forged_without_the_key() {
    let log = Log::new();
    let mut writer = log.open().unwrap();
    writer.append(vec![event("one"), event("two")]).unwrap();
    writer.append(vec![event("three")]).unwrap();
    drop(writer);
    assert_eq!(log.verify(), None);
    let good = log.frames();

    type Forgery = fn(&mut Vec<Frame>);
    let forgeries: [(&str, Forgery); 6] = [
        ("another actor", |frames| {
            frames[0].entries[1] = rename_actor(&frames[0].entries[1])
        }),
        ("an entry less", |frames| drop(frames[0].entries.pop())),
        ("an entry more", |frames| {
            let entry = frames[1].entries[0].clone();
            frames[1].entries.push(entry);
        }),
        ("the first frame gone", |frames| drop(frames.remove(0))),
        ("frames exchanged", |frames| frames.swap(0, 1)),
        ("another checkpoint", |frames| {
            frames[0].checkpoint = frames[1].checkpoint.clone()
        }),
    ];
    for (what, forgery) in forgeries {
        let mut frames = good.clone();
        forgery(&mut frames);
        log.forge(&frames);
        assert!(log.verify().is_some(), "{what}");
        assert!(log.open().is_err(), "{what}");
    }
    log.forge(&good);
    assert_eq!(log.open().unwrap().size(), 3);
    assert_eq!(log.verify(), None);
}

#[test]
fn pending_entries_that_are_in_tiles_already_must_be_those() {
    let log = Log::new();
    let mut writer = log.open().unwrap();
    writer.append(vec![event("one")]).unwrap();
    let frames = log.frames();
    writer.integrate().unwrap();
    drop(writer);
    log.forge(&frames);
    assert_eq!(log.verify(), None);
    let mut forged = frames.clone();
    forged[0].entries[0] = rename_actor(&frames[0].entries[0]);
    log.forge(&forged);
    assert_eq!(log.verify().unwrap().position, Some(0));
}

#[test]
fn an_entry_must_be_canonical_and_numbered_by_its_place() {
    for (entry, what) in [
        (&b"{\"metadata\":{\"sequence\":3}}"[..], None),
        (b"{\"metadata\":{\"sequence\":4}}", Some("is numbered 4")),
        (b"{\"metadata\":{\"sequence\":\"3\"}}", Some("is not numbered")),
        (
            b"{\"metadata\": {\"sequence\":3}}",
            Some("is not in canonical form"),
        ),
        (
            b"{\"metadata\":{\"sequence\":3},\"a\":1}",
            Some("is not in canonical form"),
        ),
        (
            b"{\"metadata\":{\"sequence\":4,\"sequence\":3}}",
            Some("is not in canonical form"),
        ),
        (
            b"{\"metadata\":{\"sequence\":3.0}}",
            Some("is not in canonical form"),
        ),
        (b"{", Some("is not JSON")),
        (b"\xff", Some("is not JSON")),
    ] {
        let found = check_entry(entry, 3).err();
        let shown = String::from_utf8_lossy(entry).into_owned();
        match (found, what) {
            (None, None) => {}
            (Some(found), Some(what)) => assert!(found.contains(what), "{shown}: {found}"),
            (found, _) => assert_eq!(found.as_deref(), what, "{shown}"),
        }
    }
}
