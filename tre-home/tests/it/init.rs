//! New homes: layout, modes, refusals, the lock.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tre_core::codes::Problem;
use tre_home::{Home, HomeFiles, OpenError};

use crate::{crash, scene};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_home_has_the_layout_and_modes_that_are_promised_under_any_umask() {
    for umask in ["022", "000", "077"] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("home");
        let output = crash::run_under(umask, &root, "init");
        assert!(output.status.success(), "{output:?}");
        assert_layout(&root);
    }
}

fn assert_layout(root: &Path) {
    for (path, expected) in [
        (".", 0o711),
        ("datasets", 0o711),
        ("vault", 0o700),
        ("vault/registry", 0o700),
        ("tls", 0o700),
        ("policies", 0o700),
        ("policies/sdc", 0o700),
        ("policies/access", 0o700),
        ("store", 0o700),
        ("audit", 0o700),
        ("run", 0o700),
        ("run/tmp", 0o700),
        ("tre.toml", 0o600),
        ("vault/vault.key", 0o600),
        ("vault/audit.key", 0o600),
        ("vault/token.key", 0o600),
        ("tls/cert.pem", 0o600),
        ("tls/key.pem", 0o600),
        ("policies/sdc/ndb.toml", 0o600),
        ("policies/access/tre.cedar", 0o600),
        ("store/tre.sqlite", 0o600),
        ("audit/checkpoint", 0o600),
        ("run/lock", 0o600),
    ] {
        assert_eq!(mode(&root.join(path)), expected, "{path}");
    }
    assert_eq!(fs::read(root.join("vault/vault.key")).unwrap().len(), 32);
    let home = scene::open(root);
    assert_eq!(home.config().name, "a test");
    assert_eq!(
        home.config().tls.as_ref().unwrap().cert,
        Path::new("tls/cert.pem")
    );
    assert!(
        fs::read_to_string(root.join("tls/cert.pem"))
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    let first = tre_home::audit::Entries::new(&root.join("audit"), 0)
        .next()
        .unwrap()
        .unwrap();
    let first: tre_core::audit::Entry = serde_json::from_slice(&first).unwrap();
    assert!(
        matches!(first.event(), tre_core::audit::Event::HomeInitialised { policies, .. } if policies.len() == 2)
    );
    assert_eq!(first.actor().user.as_str(), "local:tester");
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let directory = scene::new_home();
    let key = fs::read(directory.path().join("vault/vault.key")).unwrap();
    let problem = Problem::from(Home::init(directory.path(), scene::options()).unwrap_err());
    assert_eq!(problem.code.id, "TRE-HOME-001");
    assert_eq!(fs::read(directory.path().join("vault/vault.key")).unwrap(), key);
    let full = tempfile::tempdir().unwrap();
    fs::write(full.path().join("thesis.tex"), "").unwrap();
    assert!(Home::init(full.path(), scene::options()).is_err());
    assert!(Home::init(&full.path().join("thesis.tex"), scene::options()).is_err());
    assert_eq!(fs::read_dir(full.path()).unwrap().count(), 1);
}

#[test]
fn bad_options_are_refused_before_anything_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("home");
    let bad: [fn(&mut tre_home::InitOptions); 5] = [
        |o| o.name = String::new(),
        |o| o.sdc_policies[0].0 = "../ndb.toml".to_owned(),
        |o| o.sdc_policies[0].0 = "ndb.toml/x".to_owned(),
        |o| o.access_policies[0].0 = "UPPER.cedar".to_owned(),
        |o| o.certificate = Some(vec!["not a name \u{e9}".to_owned()]),
    ];
    for (n, change) in bad.into_iter().enumerate() {
        let mut options = scene::options();
        change(&mut options);
        let problem = Problem::from(Home::init(&root, options).unwrap_err());
        assert_eq!(problem.code.id, "TRE-HOME-013", "{n}: {problem}");
        assert!(!root.exists(), "{n}");
    }
}

#[test]
fn one_process_at_a_time_holds_a_home() {
    let directory = scene::new_home();
    let home = Home::open(directory.path(), "tre serve").unwrap();
    let problem = Problem::from(Home::open(directory.path(), "tre token").unwrap_err());
    assert_eq!(problem.code.id, "TRE-HOME-004");
    assert!(
        problem
            .what
            .contains(&format!("process {} (tre serve)", std::process::id())),
        "{problem}"
    );
    // An ingest works beside a server, one at a time.
    let files = HomeFiles::open(directory.path()).unwrap();
    let ingest = files.ingest("tre ingest").unwrap();
    assert!(files.ingest("tre ingest").is_err());
    drop(ingest);
    files.ingest("tre ingest").unwrap();
    drop(home);
    scene::open(directory.path());
}

#[test]
fn a_running_ingest_is_left_alone_when_a_server_starts() {
    let directory = scene::new_home();
    let files = HomeFiles::open(directory.path()).unwrap();
    let ingest = files.ingest("tre ingest").unwrap();
    let staging = ingest.stage().unwrap();
    let home = scene::open(directory.path());
    assert!(staging.path().exists());
    drop(home);
    let left = staging.path().to_owned();
    std::mem::forget(staging);
    drop(ingest);
    scene::open(directory.path());
    assert!(!left.exists());
}

#[test]
fn what_is_no_home_or_not_in_order_is_refused_with_its_code() {
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(
        Home::open(empty.path(), "x"),
        Err(OpenError::Missing(_))
    ));

    let directory = scene::new_home();
    let root = directory.path();
    let code = || Problem::from(Home::open(root, "x").unwrap_err()).code.id;
    let settings = fs::read_to_string(root.join("tre.toml")).unwrap();

    fs::write(root.join("tre.toml"), format!("colour = 1\n{settings}")).unwrap();
    assert_eq!(code(), "TRE-HOME-005");
    fs::write(root.join("tre.toml"), [0xff, 0xfe]).unwrap();
    assert_eq!(code(), "TRE-HOME-005");
    fs::write(
        root.join("tre.toml"),
        settings.replace("tre.example.org/audit", "tre.example.org/other"),
    )
    .unwrap();
    assert_eq!(code(), "TRE-LOG-002");
    fs::write(root.join("tre.toml"), &settings).unwrap();

    fs::set_permissions(root.join("vault"), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code(), "TRE-HOME-007");
    fs::set_permissions(root.join("vault"), Permissions::from_mode(0o700)).unwrap();

    let key = fs::read(root.join("vault/token.key")).unwrap();
    fs::write(root.join("vault/token.key"), &key[1..]).unwrap();
    assert_eq!(code(), "TRE-HOME-008");
    fs::write(root.join("vault/token.key"), key).unwrap();
    scene::open(root);
}
