#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::scratch::Scratch;
use crate::vault::sha256_hex;

impl Scratch {
    fn catalogue(&self) -> Catalogue<'_> {
        Catalogue { layout: &self.layout }
    }

    fn stage(&self, manifest: &mut Manifest, content: &str) -> Staging<'_> {
        let staging = Staging::create(&self.layout, &self.vault).unwrap();
        for file in manifest.tables.iter_mut().flat_map(|table| &mut table.files) {
            let text = format!("{content} {}", file.name);
            staging
                .create_file(&file.name)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
            (file.bytes, file.sha256) = (text.len() as u64, sha256_hex(text.as_bytes()));
        }
        staging
    }

    fn publish(&self, hash: u8, created: &str) -> Manifest {
        let mut manifest = manifest(hash, created);
        match self.stage(&mut manifest, created).seal(manifest.clone()).unwrap() {
            Staged::Ready(ready) => ready.publish().unwrap(),
            Staged::Unchanged(_) => panic!("it is new"),
        }
    }
}

fn manifest(hash: u8, created: &str) -> Manifest {
    let table = |name: &str, public: bool| TableManifest {
        name: name.parse().unwrap(),
        description: String::new(),
        public,
        columns: Vec::new(),
        files: (0..if public { 1 } else { UNIT_RANGES })
            .map(|range| FileManifest {
                name: data_file_name(&name.parse().unwrap(), range),
                rows: 1,
                bytes: 0,
                sha256: String::new(),
            })
            .collect(),
        rows: if public { 1 } else { UNIT_RANGES as u64 },
    };
    Manifest {
        version: VersionId::from_hash("liver".parse().unwrap(), [hash; 32]),
        title: "Liver".to_owned(),
        population: "clinic".parse().unwrap(),
        created: created.parse().unwrap(),
        spec: "{}".to_owned(),
        cuts: (0..UNIT_RANGES as u32).collect(),
        tables: vec![table("visit", false), table("icd10", true)],
        wrapped_key: String::new(),
    }
}

#[test]
fn a_version_appears_whole_with_the_modes_of_the_layout() {
    let home = Scratch::new();
    let first = home.publish(1, "2026-01-01T00:00:00Z");
    let later = home.publish(2, "2026-01-02T00:00:00Z");
    let catalogue = home.catalogue();
    assert_eq!(catalogue.datasets().unwrap(), ["liver".parse().unwrap()]);
    assert_eq!(catalogue.versions(&"liver".parse().unwrap()).unwrap().len(), 2);
    assert_eq!(catalogue.load(&first.version).unwrap(), first);
    assert_eq!(catalogue.newest(&"liver".parse().unwrap()).unwrap(), later);
    assert_eq!(catalogue.verify(&first.version).unwrap(), Vec::<String>::new());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let directory = home.layout.version(&first.version);
    assert_eq!(mode(directory.clone()), 0o711);
    assert_eq!(mode(home.layout.dataset(&"liver".parse().unwrap())), 0o711);
    assert_eq!(mode(directory.join("visit-03.parquet")), 0o644);
    assert_eq!(mode(directory.join(MANIFEST)), 0o600);
    assert_eq!(files::list(&home.layout.staging()).unwrap(), []);
    assert!(matches!(
        catalogue.newest(&"other".parse().unwrap()),
        Err(CatalogueError::Unknown(_))
    ));
    let absent = VersionId::from_hash("liver".parse().unwrap(), [3; 32]);
    assert!(matches!(catalogue.load(&absent), Err(CatalogueError::Unknown(_))));
}

#[test]
fn the_same_version_again_is_unchanged() {
    let home = Scratch::new();
    let first = home.publish(1, "2026-01-01T00:00:00Z");
    let mut again = manifest(1, "2026-02-01T00:00:00Z");
    match home
        .stage(&mut again, "other ciphertext")
        .seal(again.clone())
        .unwrap()
    {
        Staged::Unchanged(published) => assert_eq!(*published, first),
        Staged::Ready(_) => panic!("it was published before"),
    }
    assert_eq!(home.catalogue().newest(&"liver".parse().unwrap()).unwrap(), first);
    assert_eq!(files::list(&home.layout.staging()).unwrap(), []);
}

#[test]
fn damage_is_found() {
    let home = Scratch::new();
    let version = home.publish(1, "2026-01-01T00:00:00Z").version;
    let file = home.layout.version(&version).join("visit-07.parquet");
    let good = fs::read(&file).unwrap();

    let mut altered = good.clone();
    altered[0] ^= 1;
    fs::write(&file, &altered).unwrap();
    home.catalogue().load(&version).unwrap();
    assert_eq!(
        home.catalogue().verify(&version).unwrap(),
        ["`visit-07.parquet` was altered"]
    );

    fs::write(&file, &good[1..]).unwrap();
    assert!(
        home.catalogue()
            .load(&version)
            .unwrap_err()
            .to_string()
            .contains("visit-07.parquet")
    );
    fs::remove_file(&file).unwrap();
    assert!(home.catalogue().load(&version).is_err());
    assert_eq!(home.catalogue().verify(&version).unwrap().len(), 1);

    fs::write(&file, &good).unwrap();
    fs::write(home.layout.version(&version).join("extra"), b"").unwrap();
    assert_eq!(
        home.catalogue().verify(&version).unwrap(),
        ["`extra` does not belong to it"]
    );
}

#[test]
fn a_manifest_that_contradicts_its_files_is_not_published() {
    let home = Scratch::new();
    type Change = fn(&mut Manifest);
    let broken: [(&str, Change); 6] = [
        ("bytes", |m| m.tables[0].files[2].bytes += 1),
        ("rows", |m| m.tables[0].rows += 1),
        ("one file per unit range", |m| drop(m.tables[0].files.pop())),
        ("one file per unit range", |m| {
            m.tables[0].files[0].name = "../visit-00.parquet".to_owned()
        }),
        ("cut points", |m| m.cuts[3] = m.cuts[2]),
        ("twice", |m| m.tables.push(m.tables[1].clone())),
    ];
    for (word, change) in broken {
        let mut manifest = manifest(1, "2026-01-01T00:00:00Z");
        let staging = home.stage(&mut manifest, "");
        change(&mut manifest);
        let error = staging.seal(manifest).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    assert!(home.catalogue().datasets().unwrap().is_empty());
    assert_eq!(files::list(&home.layout.staging()).unwrap(), []);
}

#[test]
fn leftovers_are_removed() {
    let home = Scratch::new();
    let version = home.publish(1, "2026-01-01T00:00:00Z").version;
    let left = home.layout.staging().join("left");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("visit-00.parquet"), b"").unwrap();
    fs::create_dir(home.layout.datasets().join("empty")).unwrap();
    clean(&home.layout).unwrap();
    assert_eq!(files::list(&home.layout.staging()).unwrap(), []);
    assert!(!home.layout.datasets().join("empty").exists());
    home.catalogue().load(&version).unwrap();
}
