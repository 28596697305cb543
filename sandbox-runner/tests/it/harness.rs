//! Jails, attacks and their controls.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::unistd::geteuid;
use sandbox_runner::{Jail, Launch, RunAs, Worker, spawn};

/// Whom workers, and controls outside a jail, become when the tests run as root.
pub(crate) const WORKERS: u32 = 64001;

pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

/// The program that plays launcher and adversary.
#[expect(
    clippy::disallowed_methods,
    reason = "an ordinary user's run is told where its copy of the program is"
)]
pub(crate) fn program() -> OsString {
    std::env::var_os("SANDBOX_ADVERSARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_sandbox-adversary").into())
}

pub(crate) fn launch() -> Launch {
    Launch {
        program: program().into(),
        ..Launch::default()
    }
}

/// A jail of that kind; with a user of its own if the tests are root.
pub(crate) fn jail_of_kind(kind: &str, session: &str) -> Jail {
    let jail = Jail::new(kind, session).unwrap();
    if is_root() {
        jail.run_as(RunAs::new(WORKERS, WORKERS).unwrap())
    } else {
        jail
    }
}

pub(crate) fn jail() -> Jail {
    jail_of_kind("desk", "ses_test")
}

pub(crate) fn start(jail: &Jail) -> Worker {
    spawn(jail, &launch()).unwrap()
}

pub(crate) fn request(attack: &[&str]) -> Vec<u8> {
    serde_json::to_vec(attack).unwrap()
}

/// The outcome of an attack inside.
pub(crate) fn inside(worker: &mut Worker, attack: &[&str]) -> String {
    let channel = worker.channel().unwrap();
    channel.send(&request(attack)).unwrap();
    String::from_utf8(channel.receive().unwrap()).unwrap()
}

/// The outcome of the same attack by the same user without a jail.
pub(crate) fn outside(attack: &[&str]) -> String {
    let output = adversary("attack", attack).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{attack:?} {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The program outside a jail, as the user that workers have.
pub(crate) fn adversary(command: &str, words: &[&str]) -> Command {
    let mut adversary = Command::new(program());
    adversary
        .args([command, "--as", &WORKERS.to_string()])
        .args(words);
    adversary
}

/// The attack succeeds outside and fails inside a jail.
pub(crate) fn contrast(worker: &mut Worker, attack: &[&str]) {
    let control = outside(attack);
    assert!(
        control.starts_with("ALLOWED: "),
        "{attack:?} must succeed outside, or it shows nothing: {control}"
    );
    blocked(worker, attack);
}

/// The attack fails inside.
pub(crate) fn blocked(worker: &mut Worker, attack: &[&str]) {
    let outcome = inside(worker, attack);
    assert!(
        outcome.starts_with("blocked: "),
        "{attack:?} inside a jail: {outcome}"
    );
}

/// The attack, or rather use, succeeds inside.
pub(crate) fn allowed(worker: &mut Worker, attack: &[&str]) {
    let outcome = inside(worker, attack);
    assert!(
        outcome.starts_with("ALLOWED: "),
        "{attack:?} inside a jail: {outcome}"
    );
}

/// A process that lives until the test ends, for workers to attack.
pub(crate) struct Victim(Child);

impl Victim {
    pub(crate) fn start() -> Self {
        let mut child = adversary("victim", &[])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "ready\n");
        Self(child)
    }

    pub(crate) fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// Makes `path` reachable for the user that workers have.
pub(crate) fn open_to_all(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
