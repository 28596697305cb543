//! A worker reaches no file but those that it was given open, or shown.

use std::fs::{self, File};
use std::os::fd::AsFd;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::harness::{
    allowed, blocked, contrast, inside, is_root, jail, open_to_all, outside, request, start,
};

/// A directory that every user may read and write, with a file in it.
fn public_directory() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    open_to_all(directory.path(), 0o777);
    let file = directory.path().join("secret.txt");
    fs::write(&file, "secret").unwrap();
    open_to_all(&file, 0o666);
    let file = file.to_str().unwrap().to_owned();
    (directory, file)
}

#[test]
fn no_path_of_the_host_exists() {
    let (directory, file) = public_directory();
    let mut worker = start(&jail());
    contrast(&mut worker, &["read", &file]);
    contrast(&mut worker, &["read", "/etc/passwd"]);
    contrast(&mut worker, &["read", "/proc/self/status"]);
    contrast(&mut worker, &["list", "/"]);
    contrast(&mut worker, &["list", directory.path().to_str().unwrap()]);
    for path in [
        "/etc/shadow",
        "/proc/1/environ",
        "/proc/1/root/etc/passwd",
        "/sys/kernel/mm",
        "/dev/null",
        "/dev/vda",
    ] {
        blocked(&mut worker, &["read", path]);
    }
    for path in ["/..", "/../..", "/proc", "/sys", "/dev", "/home", "/root", "/tmp"] {
        blocked(&mut worker, &["list", path]);
    }
}

#[test]
fn nothing_can_be_written() {
    let (directory, file) = public_directory();
    let mut worker = start(&jail());
    contrast(&mut worker, &["write", &file]);
    contrast(
        &mut worker,
        &[
            "make-directory",
            &format!("{}/inside", directory.path().display()),
        ],
    );
    for path in [
        "/x",
        "/tmp/x",
        "/proc/x",
        "/proc/sys/kernel/core_pattern",
        "/sys/fs/cgroup/cgroup.procs",
    ] {
        blocked(&mut worker, &["write", path]);
        blocked(&mut worker, &["make-directory", path]);
        blocked(&mut worker, &["make-device", path]);
    }
}

#[test]
fn an_inherited_descriptor_is_closed() {
    let (_directory, file) = public_directory();
    let file = File::open(file).unwrap();
    // Far from the numbers that either process uses itself.
    let leaked = fcntl(&file, FcntlArg::F_DUPFD(100)).unwrap();
    #[expect(unsafe_code, reason = "fcntl hands out a bare number")]
    // SAFETY: the number has just been made and belongs to nobody else.
    let _leaked_until_the_end =
        unsafe { <std::os::fd::OwnedFd as std::os::fd::FromRawFd>::from_raw_fd(leaked) };
    let number = leaked.to_string();
    let control = outside(&["descriptor", &number]);
    assert_eq!(
        control, "ALLOWED: secret",
        "without close-on-exec a child gets it"
    );
    let mut worker = start(&jail());
    blocked(&mut worker, &["descriptor", &number]);
    for number in 3..64 {
        // 3 is the channel and may have bytes for nobody; reading it here would wait for ever.
        if number != 3 {
            blocked(&mut worker, &["descriptor", &number.to_string()]);
        }
    }
    assert_eq!(
        inside(&mut worker, &["standard-input"]),
        "blocked: nothing to read"
    );
}

#[test]
fn a_descriptor_that_is_sent_can_be_read() {
    let (_directory, file) = public_directory();
    let file = File::open(file).unwrap();
    assert_eq!(
        fcntl(&file, FcntlArg::F_GETFD).unwrap(),
        FdFlag::FD_CLOEXEC.bits()
    );
    let mut worker = start(&jail());
    let channel = worker.channel().unwrap();
    channel
        .send_with_fds(&request(&["read-given"]), &[file.as_fd()])
        .unwrap();
    assert_eq!(channel.receive().unwrap(), b"ALLOWED: secret");
}

#[test]
fn temporary_files_are_capped_and_cannot_be_executed() {
    let (directory, _file) = public_directory();
    let outside_program = directory.path().join("program");
    let control = outside(&["execute", outside_program.to_str().unwrap()]);
    assert!(control.starts_with("ALLOWED: "), "{control}");

    let mut jail = jail();
    jail.temporary_bytes = 1 << 20;
    let mut worker = start(&jail);
    allowed(&mut worker, &["write", "/tmp/x"]);
    allowed(&mut worker, &["make-directory", "/tmp/d"]);
    allowed(&mut worker, &["fill", "/tmp/part", "500000"]);
    let outcome = inside(&mut worker, &["execute", "/tmp/program"]);
    assert!(outcome.contains("Permission denied"), "{outcome}");
    blocked(&mut worker, &["make-device", "/tmp/device"]);
    blocked(&mut worker, &["fill", "/tmp/more", "600000"]);
    blocked(&mut worker, &["fill", "/tmp/part", "2000000"]);
    blocked(&mut worker, &["write", "/x"]);
    assert_eq!(
        inside(&mut worker, &["list", "/tmp"]),
        "ALLOWED: d more part program x"
    );
    blocked(&mut worker, &["list", "/"]);
}

#[test]
fn what_is_shown_can_be_read_and_nothing_else() {
    let (directory, file) = public_directory();
    let shown = jail()
        .show(directory.path().to_owned(), "/given/directory".into())
        .unwrap()
        .show(file.into(), "/one.txt".into())
        .unwrap();
    let mut worker = start(&shown);
    assert_eq!(
        inside(&mut worker, &["read", "/given/directory/secret.txt"]),
        "ALLOWED: secret"
    );
    assert_eq!(inside(&mut worker, &["read", "/one.txt"]), "ALLOWED: secret");
    assert_eq!(
        inside(&mut worker, &["list", "/given/directory"]),
        "ALLOWED: secret.txt"
    );
    for path in [
        "/given/directory/secret.txt",
        "/given/directory/new",
        "/one.txt",
        "/given/x",
        "/x",
    ] {
        blocked(&mut worker, &["write", path]);
    }
    blocked(&mut worker, &["execute", "/given/directory/secret.txt"]);
    blocked(&mut worker, &["read", "/given/directory/../../etc/passwd"]);
}

#[test]
fn as_root_the_worker_has_not_roots_rights_on_files() {
    if !is_root() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roots.txt");
    fs::write(&file, "roots").unwrap();
    // Even a directory that is shown is read as the worker's user, not as root: it may not be entered.
    open_to_all(directory.path(), 0o755);
    open_to_all(&file, 0o600);
    let mut worker = start(&jail().show(directory.path().to_owned(), "/given".into()).unwrap());
    allowed(&mut worker, &["list", "/given"]);
    blocked(&mut worker, &["read", "/given/roots.txt"]);
}
