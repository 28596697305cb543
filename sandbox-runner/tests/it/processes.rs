//! A worker sees and touches no process but its own.

use std::fs;

use crate::harness::{Victim, blocked, contrast, is_root, jail, jail_of_kind, outside, start};

/// A process's command line as `ps -o args` prints it.
fn title(pid: u32) -> String {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    line.trim_end_matches('\0').replace('\0', " ")
}

fn status(pid: u32, field: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_process_list_shows_kind_and_session_and_nothing_more() {
    let worker = start(&jail_of_kind("desk", "ses_abcdefgh23456789"));
    assert_eq!(title(worker.pid()), "tre desk ses_abcdefgh23456789");
    assert_eq!(title(worker.launcher_pid()), "tre jail desk ses_abcdefgh23456789");
    assert_eq!(
        worker.titles(),
        [title(worker.pid()), title(worker.launcher_pid())]
    );
    assert_eq!(status(worker.pid(), "PPid:"), [worker.launcher_pid().to_string()]);
    assert_eq!(
        status(worker.launcher_pid(), "PPid:"),
        [std::process::id().to_string()]
    );
    assert_eq!(status(worker.pid(), "NSpid:").last().unwrap(), "1");
}

#[test]
fn seen_from_outside_the_worker_is_an_unprivileged_user_without_capabilities() {
    let worker = start(&jail());
    let user = if is_root() {
        crate::harness::WORKERS
    } else {
        nix::unistd::geteuid().as_raw()
    };
    let four = vec![user.to_string(); 4];
    for pid in [worker.pid(), worker.launcher_pid()] {
        assert_eq!(status(pid, "Uid:"), four);
        if is_root() {
            assert_eq!(status(pid, "Gid:"), four);
            assert_eq!(status(pid, "Groups:"), Vec::<String>::new());
        }
        assert_eq!(status(pid, "NoNewPrivs:"), ["1"]);
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(status(pid, set), ["0000000000000000"], "{set}");
        }
    }
    assert_eq!(status(worker.pid(), "CapBnd:"), ["0000000000000000"]);
}

#[test]
fn other_processes_do_not_exist() {
    let victim = Victim::start();
    let mut worker = start(&jail());
    contrast(&mut worker, &["pids"]);
    contrast(&mut worker, &["signal", &victim.pid()]);
    contrast(&mut worker, &["open-process", &victim.pid()]);
    contrast(&mut worker, &["trace", &victim.pid()]);
    contrast(&mut worker, &["read", &format!("/proc/{}/cmdline", victim.pid())]);
    blocked(&mut worker, &["signal", &std::process::id().to_string()]);
    blocked(&mut worker, &["trace", &std::process::id().to_string()]);
}

#[test]
fn two_workers_do_not_see_each_other() {
    let (mut one, other) = (
        start(&jail_of_kind("desk", "ses_one")),
        start(&jail_of_kind("desk", "ses_other")),
    );
    for pid in [other.pid(), other.launcher_pid(), one.launcher_pid()] {
        blocked(&mut one, &["signal", &pid.to_string()]);
        blocked(&mut one, &["trace", &pid.to_string()]);
    }
}

/// (A worker can: whoever has its number on the host owns its namespaces. The launcher, which is outside, is safe.)
#[test]
fn a_launcher_cannot_be_traced_by_its_own_user() {
    let (worker, victim) = (start(&jail()), Victim::start());
    let control = outside(&["trace", &victim.pid()]);
    assert!(control.starts_with("ALLOWED: "), "{control}");
    let outcome = outside(&["trace", &worker.launcher_pid().to_string()]);
    assert!(outcome.starts_with("blocked: "), "{outcome}");
}

#[test]
fn the_environment_is_empty() {
    let mut worker = start(&jail());
    contrast(&mut worker, &["environment"]);
    // Only root may look at it from outside.
    if is_root() {
        for pid in [worker.pid(), worker.launcher_pid()] {
            assert_eq!(fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
        }
    }
}
