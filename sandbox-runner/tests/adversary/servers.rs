//! What the program does outside a jail.

use std::fs;
use std::io::{Read, Write};
use std::time::Instant;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid, setgroups, setresgid, setresuid};
use sandbox_runner::{Jail, Launch, RunAs, Stderr, Worker, spawn};

use crate::raw;

/// Whom workers become when this program is root.
const WORKERS: u32 = 64001;

/// Gives up root, as the launcher does, so that an attack outside a jail has no other advantage than being outside.
pub(crate) fn become_user(uid: u32) {
    if !geteuid().is_root() {
        return;
    }
    setgroups(&[]).unwrap();
    let gid = Gid::from_raw(uid);
    setresgid(gid, gid, gid).unwrap();
    let uid = Uid::from_raw(uid);
    setresuid(uid, uid, uid).unwrap();
    nix::sys::prctl::set_dumpable(true).unwrap();
}

pub(crate) fn victim() {
    raw::let_anyone_trace();
    say("ready");
    until_input_closes();
}

/// Has a worker that listens no more, prints its and the launcher's process numbers and waits to be killed; the jail inherits standard error, so
/// whoever reads that sees when the last of them has ended.
pub(crate) fn serve() {
    let launch = Launch {
        stderr: Stderr::Inherited,
        ..Launch::default()
    };
    let mut worker = spawn(&jail(), &launch).unwrap();
    worker
        .channel()
        .unwrap()
        .send(&serde_json::to_vec(&["park"]).unwrap())
        .unwrap();
    say(&format!("{} {}", worker.pid(), worker.launcher_pid()));
    until_input_closes();
}

/// Forbids user namespaces to itself and its children, then prints how a jail fares that tolerates `measures`, and
/// what reading the host's `/proc/self/status` does in it.
pub(crate) fn crippled(tolerated: &[&str]) {
    let (uid, gid) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    fs::write("/proc/self/setgroups", "deny").unwrap();
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).unwrap();
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).unwrap();
    fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
    raw::drop_capabilities();
    let jail = tolerated
        .iter()
        .fold(jail(), |jail, measure| jail.tolerate(measure).unwrap());
    match spawn(&jail, &Launch::default()) {
        Ok(mut worker) => {
            for measure in &worker.report().measures {
                println!("{measure}");
            }
            println!("{}", ask(&mut worker, &["read", "/proc/self/status"]));
            println!("{}", ask(&mut worker, &["pids"]));
        }
        Err(error) => println!("{error}"),
    }
}

pub(crate) fn latency(times: usize) {
    let mut taken = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        let worker = spawn(&jail(), &Launch::default()).unwrap();
        taken.push(begun.elapsed());
        drop(worker);
    }
    taken.sort();
    println!(
        "median {:?}, most {:?}",
        taken.get(times / 2).unwrap(),
        taken.last().unwrap()
    );
}

fn jail() -> Jail {
    let jail = Jail::new("desk", "ses_server").unwrap();
    if geteuid().is_root() {
        jail.run_as(RunAs::new(WORKERS, WORKERS).unwrap())
    } else {
        jail
    }
}

fn ask(worker: &mut Worker, attack: &[&str]) -> String {
    let channel = worker.channel().unwrap();
    channel.send(&serde_json::to_vec(attack).unwrap()).unwrap();
    String::from_utf8(channel.receive().unwrap()).unwrap()
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().unwrap();
}

fn until_input_closes() {
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
}
