//! The process is ended before and after every durable step; what is left must open, verify, and hold everything that
//! anybody was told is durable.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tre_home::audit::{Entries, verify};
use tre_home::failpoint;
use tre_home::{Home, OpenError};

use crate::{ledger, scene, store};

const SCENE: &str = "TRE_TEST_SCENE";
const ROOT: &str = "TRE_TEST_ROOT";

/// Runs a scene in a process of its own that ends at a failpoint.
fn run(root: &Path, scene: &str, point: Option<&str>) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    if let Some(point) = point {
        child.env("TRE_FAILPOINTS", "1").env("TRE_FAILPOINT", point);
    }
    finish(child, root, scene)
}

/// Runs a scene in a process of its own with this file mode mask.
pub(crate) fn run_under(umask: &str, root: &Path, scene: &str) -> Output {
    let mut child = Command::new("/bin/sh");
    child
        .args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap());
    finish(child, root, scene)
}

fn finish(mut child: Command, root: &Path, scene: &str) -> Output {
    child.args([
        "--exact",
        "crash::child",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    child
        .env(SCENE, scene)
        .env(ROOT, root)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn aborted(output: &Output) -> bool {
    output.status.signal() == Some(6)
}

/// Positions that the child was told are durable.
fn acknowledged(output: &Output) -> Vec<u64> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| line.strip_prefix("durable ")?.parse().ok())
        .collect()
}

#[test]
#[ignore = "run by the other tests, in a process of its own"]
#[expect(
    clippy::disallowed_methods,
    reason = "a child hears from its parent what to do"
)]
fn child() {
    let (Ok(scene), Ok(root)) = (std::env::var(SCENE), std::env::var(ROOT)) else {
        return;
    };
    let root = Path::new(&root);
    match scene.as_str() {
        "init" => Home::init(root, scene::options()).unwrap(),
        "work" => {
            let home = scene::open(root);
            append(&home, 3);
            scene::ingest(&home, 1);
            scene::wait(async {
                let store = home.store().await.unwrap();
                scene::work_in_store(&home, &store).await;
                store.close().await;
            });
            append(&home, 3);
        }
        "many" => {
            let home = scene::open(root);
            for _ in 0..8 {
                append(&home, 70);
                home.audit().checkpoint().unwrap();
            }
        }
        other => panic!("no scene `{other}`"),
    }
}

fn append(home: &Home, count: usize) {
    for n in 0..count {
        let position = home
            .audit()
            .append_blocking(scene::actor(), scene::event(n))
            .unwrap();
        // The test harness leaves its own line unfinished.
        println!("\ndurable {}", position.0);
    }
}

/// Everything that must hold of a home at rest.
fn assert_sound(root: &Path, when: &str) {
    let report = verify(&root.join("audit"), &scene::vkey(root), None);
    assert_eq!(report.fault, None, "{when}");
    let home = scene::open(root);
    for dataset in home.catalogue().datasets().unwrap() {
        for version in home.catalogue().versions(&dataset).unwrap() {
            assert_eq!(
                home.catalogue().verify(&version).unwrap(),
                Vec::<String>::new(),
                "{when}"
            );
        }
    }
    let faults = scene::wait(async { home.store().await.unwrap().integrity().await.unwrap() });
    assert_eq!(faults, Vec::<String>::new(), "{when}");
    ledger::assert_whole(&home);
    drop(home);
    let report = verify(&root.join("audit"), &scene::vkey(root), None);
    assert_eq!(report.fault, None, "{when}, after opening");
    assert_eq!(
        report.entries, report.checkpointed,
        "{when}: opening brings everything under the checkpoint"
    );
}

fn entries(root: &Path) -> Vec<serde_json::Value> {
    Entries::new(&root.join("audit"), 0)
        .map(|entry| serde_json::from_slice(&entry.unwrap()).unwrap())
        .collect()
}

#[test]
fn every_point_of_init_leaves_no_home_a_whole_home_or_a_clear_error() {
    for point in failpoint::ALL.iter().filter(|point| point.starts_with("init.")) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("home");
        let output = run(&root, "init", Some(point));
        assert!(aborted(&output), "{point} was not reached: {output:?}");
        match Home::open(&root, "a test") {
            Ok(home) => {
                assert_eq!(*point, "init.config.after");
                drop(home);
                assert_sound(&root, point);
            }
            Err(OpenError::Missing(_)) => {
                assert_eq!(*point, "init.directories.before");
                Home::init(&root, scene::options()).unwrap();
            }
            Err(OpenError::Unfinished(_)) => {
                let again = Home::init(&root, scene::options()).unwrap_err().to_string();
                assert!(again.contains("never finished"), "{point}: {again}");
            }
            Err(other) => panic!("{point}: {other}"),
        }
    }
}

#[test]
fn every_other_point_leaves_a_home_that_opens_verifies_and_forgot_nothing() {
    let reached: Vec<_> = failpoint::ALL
        .iter()
        .filter(|point| !point.starts_with("init."))
        .collect();
    for point in reached {
        let directory = scene::new_home();
        let root = directory.path();
        let output = run(root, "work", Some(point));
        assert!(aborted(&output), "{point} was not reached: {output:?}");
        // Before anything opens and repairs it: an auditor can verify what a crash left.
        assert_sound(root, point);
        let entries = entries(root);
        for position in acknowledged(&output) {
            let entry = entries
                .get(position as usize)
                .unwrap_or_else(|| panic!("{point}: {position} is lost"));
            assert_eq!(entry["metadata"]["sequence"], position);
        }
        // A key that was destroyed in a transaction is overwritten, even if the process ended between the two.
        if ["store.close.after", "store.scrub.before", "store.scrub.after"].contains(point) {
            let text = String::from_utf8_lossy(&output.stdout);
            let key = text.lines().find_map(|line| line.strip_prefix("key ")).unwrap();
            assert!(!store::on_disk(root, key.as_bytes()), "{point}");
        }
        // Nothing was published without its entry, and what was begun can be done.
        let home = scene::open(root);
        let published = home.catalogue().versions(&scene::dataset()).unwrap();
        let logged: BTreeSet<_> = entries
            .iter()
            .filter_map(|e| e["tre"]["what"]["version"].as_str())
            .collect();
        assert!(
            published
                .iter()
                .all(|version| logged.contains(version.to_string().as_str())),
            "{point}"
        );
        let version = scene::ingest(&home, 1);
        home.catalogue().load(&version).unwrap();
        assert!(
            !home.layout().staging().read_dir().unwrap().any(|_| true),
            "{point}: staging is not clean"
        );
    }
}

#[test]
fn a_log_of_several_tiles_survives_a_crash_at_any_of_its_steps() {
    let points = failpoint::ALL.iter().filter(|point| point.starts_with("audit."));
    for point in points {
        for time in [1, 4, 7] {
            let directory = scene::new_home();
            let root = directory.path();
            let output = run(root, "many", Some(&format!("{point}#{time}")));
            assert!(aborted(&output), "{point}#{time} was not reached");
            assert_sound(root, &format!("{point}#{time}"));
            let durable = acknowledged(&output);
            let entries = entries(root);
            assert!(
                durable
                    .iter()
                    .all(|position| (*position as usize) < entries.len()),
                "{point}#{time}"
            );
            // At most the batch in flight was logged without anybody hearing of it.
            assert!(entries.len() <= durable.len() + 2, "{point}#{time}");
        }
    }
}

#[test]
fn without_a_failpoint_the_scenes_run_to_their_end() {
    let directory = scene::new_home();
    for scene in ["work", "many"] {
        let output = run(directory.path(), scene, None);
        assert!(output.status.success(), "{scene}: {output:?}");
    }
    assert_sound(directory.path(), "at the end");
}
