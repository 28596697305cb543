//! All of these tests once more without root: a server needs no privilege to jail its workers.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::{WORKERS, is_root, open_to_all, program};

#[test]
fn everything_holds_for_an_ordinary_user_too() {
    if !is_root() {
        return;
    }
    // Where the user can reach it, whatever directory this is built in.
    let directory = tempfile::tempdir().unwrap();
    open_to_all(directory.path(), 0o755);
    let copy = directory.path().join("sandbox-adversary");
    fs::copy(program(), &copy).unwrap();
    open_to_all(&copy, 0o755);
    let user = WORKERS + 1;
    let output = Command::new("/proc/self/exe")
        .env("SANDBOX_ADVERSARY", &copy)
        .current_dir("/")
        .uid(user)
        .gid(user)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
