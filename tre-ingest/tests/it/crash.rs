//! A process that dies at any durable step leaves the whole version or none, and the next ingest finds its way.

use std::process::Command;

use tre_home::HomeFiles;
use tre_ingest::{Cancel, FAILPOINTS, Options};

use crate::support::{Entries, ICD10, LIVER, VISIT, World, ingest_path};

/// What the child does: not a test of its own.
#[test]
#[ignore = "run by the test below, in a process that dies"]
fn child() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the parent says by the environment where the home is"
    )]
    let (root, spec) = (
        std::env::var_os("CRASH_HOME").unwrap(),
        std::env::var_os("CRASH_SPEC").unwrap(),
    );
    let home = HomeFiles::open(root.as_ref()).unwrap();
    ingest_path(
        &home,
        &Entries::default(),
        spec.as_ref(),
        &Options::default(),
        &(),
        &Cancel::new(),
    )
    .unwrap();
}

#[test]
fn at_every_point() {
    let of_home = [
        "registry.write",
        "registry.rename",
        "publish.files",
        "publish.rename",
    ];
    let of_home = of_home
        .iter()
        .flat_map(|name| [format!("{name}.before"), format!("{name}.after")]);
    for point in FAILPOINTS.iter().map(|name| (*name).to_owned()).chain(of_home) {
        let world = World::new();
        world.write("icd10.csv", ICD10);
        world.write("visit.csv", format!("{VISIT}c1,P-9,old\n"));
        let spec = world.write("spec.toml", format!("{LIVER}\n[rejects]\nmax_rows = 1"));
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored", "--test-threads=1"])
            .env("CRASH_HOME", world.root())
            .env("CRASH_SPEC", &spec)
            .env("TRE_FAILPOINTS", "1")
            .env("TRE_FAILPOINT", &point)
            .output()
            .unwrap();
        assert!(!died.status.success(), "{point} was not reached");

        let catalogue = world.home.catalogue();
        let left = catalogue.versions(&"liver".parse().unwrap()).unwrap();
        let published = matches!(point.as_str(), "ingest.publish.after" | "publish.rename.after");
        assert_eq!(left.len(), usize::from(published), "{point}");
        for version in &left {
            assert_eq!(
                catalogue.verify(version).unwrap(),
                Vec::<String>::new(),
                "{point}"
            );
        }
        let again = world.ingest(&std::fs::read_to_string(&spec).unwrap()).unwrap();
        assert!(
            left.iter().all(|version| version.to_string() == again.version),
            "{point}"
        );
        let manifest = world.manifest(&again);
        assert_eq!(catalogue.verify(&manifest.version).unwrap(), Vec::<String>::new());
        let mut units: Vec<_> = world
            .files(&manifest, "visit")
            .iter()
            .flatten()
            .map(|row| row.unit.unwrap())
            .collect();
        units.dedup();
        assert_eq!(
            units,
            [0, 1, 2],
            "{point}: numbers are those of the first attempt"
        );
        assert_eq!(
            std::fs::read_dir(world.home.layout().staging()).unwrap().count(),
            0,
            "{point}"
        );
    }
}
