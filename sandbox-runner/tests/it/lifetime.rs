//! Nothing of a jail outlives its supervisor, its launcher, its deadline or its worker.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sandbox_runner::{ChannelError, Deadline, Exit, Worker};

use crate::harness::{adversary, allowed, inside, jail, request, start};

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

/// A bound on tests that would otherwise hang where they should fail.
fn patience(worker: &Worker) -> Deadline {
    worker
        .kill_after(Instant::now() + Duration::from_secs(60))
        .unwrap()
}

/// Whether the process lives; one that only waits to be reaped does not.
fn lives(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .any(|line| line.starts_with("State:") && !line.contains('Z') && !line.contains('X'))
}

#[test]
fn killing_the_worker_is_reported_as_signal_9() {
    let mut worker = start(&jail());
    let patience = patience(&worker);
    signal(worker.pid(), Signal::SIGKILL);
    assert_eq!(worker.wait().unwrap(), Exit::Signal(9));
    assert!(!patience.lift());
    assert!(matches!(
        worker.channel().unwrap().receive(),
        Err(ChannelError::Closed)
    ));
    assert_eq!(
        worker.try_wait().unwrap(),
        Some(Exit::Signal(9)),
        "asking again changes nothing"
    );
    assert_eq!(
        worker.kill().unwrap(),
        Exit::Signal(9),
        "nor does killing what is gone"
    );
}

#[test]
fn killing_the_launcher_kills_the_worker() {
    for how in [Signal::SIGKILL, Signal::SIGTERM] {
        let mut worker = start(&jail());
        let (patience, pid) = (patience(&worker), worker.pid());
        signal(worker.launcher_pid(), how);
        assert_eq!(worker.wait().unwrap(), Exit::Signal(how as i32));
        assert!(!patience.lift());
        assert!(!lives(pid));
    }
}

/// The server's death is followed by that of launcher and worker, which hold its standard error open until then. The
/// worker is deaf, so it does not end because its channel closes.
#[test]
fn killing_the_server_kills_launcher_and_worker() {
    let mut server = adversary("serve", &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let pids: Vec<u32> = line.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.len() == 2 && pids.iter().all(|pid| lives(*pid)), "{line}");
    server.kill().unwrap();
    server.wait().unwrap();
    let mut stderr = server.stderr.take().unwrap();
    let mut closed = [PollFd::new(stderr.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut closed, PollTimeout::from(20_000_u16)).unwrap();
    assert_eq!(ready, 1, "launcher or worker outlived the server");
    let mut text = String::new();
    stderr.read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
}

/// The kernel's parent-death signal comes when the thread that started the child ends, not only with the process.
#[test]
fn a_worker_outlives_the_thread_that_asked_for_it() {
    let mut worker = thread::spawn(|| start(&jail())).join().unwrap();
    allowed(&mut worker, &["memory", "1"]);
    let deadline = worker
        .kill_after(Instant::now() + Duration::from_millis(300))
        .unwrap();
    worker.wait().unwrap();
    assert!(deadline.has_expired(), "it lived until then");
}

#[test]
fn a_deadline_kills_a_busy_worker() {
    let mut worker = start(&jail());
    let deadline = worker
        .kill_after(Instant::now() + Duration::from_millis(50))
        .unwrap();
    let channel = worker.channel().unwrap();
    channel.send(&request(&["spin"])).unwrap();
    assert!(matches!(channel.receive(), Err(ChannelError::Closed)));
    assert_eq!(worker.wait().unwrap(), Exit::Signal(9));
    assert!(deadline.has_expired());
    assert!(deadline.lift());
}

#[test]
fn a_lifted_deadline_does_not() {
    let (mut spared, mut struck) = (start(&jail()), start(&jail()));
    let soon = Instant::now() + Duration::from_millis(50);
    let lifted = spared.kill_after(soon).unwrap();
    drop(spared.kill_after(soon).unwrap());
    let later = struck.kill_after(soon + Duration::from_millis(1)).unwrap();
    assert!(!lifted.lift());
    // Once the later deadline has struck, the earlier ones would have.
    assert_eq!(struck.wait().unwrap(), Exit::Signal(9));
    assert!(later.has_expired());
    allowed(&mut spared, &["memory", "1"]);
}

#[test]
fn another_thread_can_kill_while_one_waits_for_an_answer() {
    let mut worker = start(&jail());
    let killer = worker.killer();
    let (mut sender, mut receiver) = worker.take_channel().unwrap().split();
    sender.send(&request(&["park"])).unwrap();
    let waiting = thread::spawn(move || receiver.receive());
    killer.kill().unwrap();
    assert!(matches!(waiting.join().unwrap(), Err(ChannelError::Closed)));
    assert_eq!(worker.wait().unwrap(), Exit::Signal(9));
    killer.kill().expect("killing what is gone is no error");
}

#[test]
fn dropping_a_worker_leaves_nothing() {
    let worker = start(&jail());
    let pids = [worker.pid(), worker.launcher_pid()];
    assert!(pids.iter().all(|pid| lives(*pid)));
    drop(worker);
    // Reaped too: not even an entry in the process list is left for somebody else to clear away.
    assert!(
        !pids
            .iter()
            .any(|pid| std::fs::exists(format!("/proc/{pid}")).unwrap())
    );
}

#[test]
fn a_stopped_jail_can_be_killed() {
    let mut worker = start(&jail());
    signal(worker.launcher_pid(), Signal::SIGSTOP);
    signal(worker.pid(), Signal::SIGSTOP);
    assert_eq!(worker.kill().unwrap(), Exit::Signal(9));
}

#[test]
fn exits_are_told_apart() {
    for (attack, expected) in [
        (["exit", "0"].as_slice(), [Exit::Code(0)].as_slice()),
        (&["exit", "42"], &[Exit::Code(42)]),
        // The kernel shields the first process of a namespace from its own SIGABRT; abort then faults.
        (&["abort"], &[Exit::Signal(4), Exit::Signal(11)]),
    ] {
        let mut worker = start(&jail());
        let patience = patience(&worker);
        worker.channel().unwrap().send(&request(attack)).unwrap();
        let exit = worker.wait().unwrap();
        assert!(expected.contains(&exit), "{attack:?}: {exit}");
        assert!(!patience.lift());
    }
}

#[test]
fn a_worker_ends_when_the_server_closes_the_channel() {
    let mut worker = start(&jail());
    let patience = patience(&worker);
    drop(worker.take_channel());
    assert_eq!(worker.wait().unwrap(), Exit::Code(0));
    assert!(!patience.lift());
}

#[test]
fn the_end_of_standard_error_is_kept() {
    let mut worker = start(&jail());
    let long = "x".repeat(40_000);
    assert!(inside(&mut worker, &["say", &long]).starts_with("ALLOWED"));
    assert!(inside(&mut worker, &["say", "the last words"]).starts_with("ALLOWED"));
    drop(worker.take_channel());
    worker.wait().unwrap();
    let text = worker.stderr();
    assert!(text.len() <= 16 << 10, "{}", text.len());
    assert!(text.ends_with("x\nthe last words\n"), "{text}");
}
