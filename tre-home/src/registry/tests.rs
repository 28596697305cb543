#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::scratch::Scratch;

impl Scratch {
    fn registry(&self) -> Registry<'_> {
        Registry {
            layout: &self.layout,
            vault: &self.vault,
        }
    }

    fn numbered(&self, links: &[Link]) -> Result<(Vec<u32>, Numbered<'_>), RegistryError> {
        let mut assignment = self.registry().assign(&clinic(), None)?;
        let numbers = links
            .iter()
            .map(|link| assignment.number(link))
            .collect::<Result<_, _>>()?;
        Ok((numbers, assignment.finish()?))
    }

    fn commit(&self, links: &[Link]) -> Vec<u32> {
        let (numbers, numbered) = self.numbered(links).unwrap();
        numbered.commit().unwrap();
        numbers
    }
}

fn clinic() -> PopulationName {
    "clinic".parse().unwrap()
}

fn link(n: u32) -> Link {
    let mut link = [0; 16];
    link[..4].copy_from_slice(&n.to_be_bytes());
    link
}

#[test]
fn new_keys_are_numbered_in_their_order_and_old_ones_keep_their_number() {
    let home = Scratch::new();
    assert_eq!(
        home.commit(&[link(10), link(20), link(20), link(30)]),
        [0, 1, 1, 2]
    );
    assert_eq!(
        home.commit(&[link(5), link(20), link(25), link(40)]),
        [3, 1, 4, 5]
    );
    let (numbers, numbered) = home.numbered(&[link(5), link(10)]).unwrap();
    assert_eq!(numbers, [3, 0]);
    let records: BTreeMap<_, _> = numbered.records().unwrap().map(Result::unwrap).collect();
    let expected = [(5, 3), (10, 0), (20, 1), (25, 4), (30, 2), (40, 5)];
    assert_eq!(records, expected.into_iter().map(|(k, n)| (link(k), n)).collect());
    assert_eq!(numbered.count(), 6);
}

#[test]
fn nothing_new_changes_no_byte_and_nothing_committed_leaves_nothing() {
    let home = Scratch::new();
    home.commit(&[link(1), link(2)]);
    let path = home.layout.registry(&clinic(), None);
    let before = fs::read(&path).unwrap();
    let (_, numbered) = home.numbered(&[link(2)]).unwrap();
    assert!(!numbered.is_changed());
    numbered.commit().unwrap();
    drop(home.numbered(&[link(3)]).unwrap());
    drop(home.registry().assign(&clinic(), None).unwrap());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(
        files::list(files::parent(&path)).unwrap(),
        [("units".to_owned(), false)]
    );
}

#[test]
fn cut_points_are_chosen_once_and_kept() {
    let home = Scratch::new();
    assert_eq!(home.registry().cuts(&clinic()).unwrap(), None);
    let (_, nobody) = home.numbered(&[]).unwrap();
    assert_eq!(nobody.cuts(), (0..16).collect::<Vec<_>>());
    nobody.commit().unwrap();
    assert_eq!(home.registry().cuts(&clinic()).unwrap(), None);
    let many: Vec<Link> = (0..160).map(link).collect();
    home.commit(&many);
    let expected: Vec<u32> = (0..16).map(|i| i * 10).collect();
    assert_eq!(home.registry().cuts(&clinic()).unwrap(), Some(expected.clone()));
    let (_, more) = home
        .numbered(&(1000..2000).map(link).collect::<Vec<_>>())
        .unwrap();
    assert_eq!(more.cuts(), expected);
}

#[test]
fn first_cut_points_ascend_strictly_for_any_number_of_units() {
    for units in (0..200).chain([u32::MAX, 1 << 20]) {
        let cuts = first_cuts(units);
        assert_eq!((cuts.len(), cuts[0]), (UNIT_RANGES, 0));
        assert!(cuts.is_sorted_by(|a, b| a < b), "{units}: {cuts:?}");
    }
}

#[test]
fn keys_out_of_order_are_refused() {
    let home = Scratch::new();
    assert!(matches!(
        home.numbered(&[link(2), link(1)]),
        Err(RegistryError::Order)
    ));
}

#[test]
fn populations_and_kinds_number_apart() {
    let home = Scratch::new();
    home.commit(&[link(1), link(2)]);
    let kind: EntityKind = "facility".parse().unwrap();
    let mut facilities = home.registry().assign(&clinic(), Some(&kind)).unwrap();
    assert_eq!(facilities.number(&link(7)).unwrap(), 0);
    let facilities = facilities.finish().unwrap();
    facilities.commit().unwrap();
    let mut ward = home.registry().assign(&"ward".parse().unwrap(), None).unwrap();
    assert_eq!(ward.number(&link(2)).unwrap(), 0);
}

#[test]
fn every_altered_cut_or_moved_file_is_refused() {
    let home = Scratch::new();
    home.commit(&(0..5000).map(link).collect::<Vec<_>>());
    let path = home.layout.registry(&clinic(), None);
    let good = fs::read(&path).unwrap();
    let read_all = || -> Result<(), RegistryError> {
        let (_, numbered) = home.numbered(&[])?;
        numbered.records()?.try_for_each(|record| record.map(drop))
    };
    read_all().unwrap();
    for position in (0..good.len()).step_by(499).chain(0..200) {
        let mut bad = good.clone();
        bad[position] ^= 0x10;
        fs::write(&path, &bad).unwrap();
        assert!(read_all().is_err(), "byte {position}");
        fs::write(&path, &good[..position]).unwrap();
        assert!(read_all().is_err(), "cut at {position}");
    }
    // A header of one generation before the stream of another.
    fs::write(&path, &good).unwrap();
    home.commit(&[link(9999)]);
    let mut mixed = fs::read(&path).unwrap();
    mixed[..file::SEALED_HEADER].copy_from_slice(&good[..file::SEALED_HEADER]);
    fs::write(&path, &mixed).unwrap();
    assert!(home.registry().assign(&clinic(), None).is_err());
    assert!(home.registry().cuts(&clinic()).is_err());
    // The file of another population.
    fs::create_dir_all(files::parent(
        &home.layout.registry(&"ward".parse().unwrap(), None),
    ))
    .unwrap();
    fs::write(home.layout.registry(&"ward".parse().unwrap(), None), &good).unwrap();
    assert!(home.registry().assign(&"ward".parse().unwrap(), None).is_err());
}
