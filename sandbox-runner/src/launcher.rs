//! The first process of a jail, `tre jail KIND SESSION`: gives up root, makes the process namespace, starts the worker
//! as its first process, and lives exactly as long as that.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, Child, Command, ExitStatus, Stdio};

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{Signal, raise};
use nix::unistd::{Gid, Uid, getgid, getresuid, getuid, setgroups, setresgid, setresuid, setsid, setuid};

use crate::channel::Channel;
use crate::report::{Hello, IDENTITY, PROCESS_NAMESPACE, USER_NAMESPACE};
use crate::settings::{Jail, RunAs, Title};
use crate::stage::{self, Because, EnterError, Failure, Steps};
use crate::{probe, sys};

/// The file that a process runs, whatever happened to its name since.
pub(crate) const OWN_PROGRAM: &str = "/proc/self/exe";

/// Takes the process over if it was started as a jail's launcher, and then never returns; otherwise returns at once.
///
/// Call it as the first statement of `main`, before any thread, runtime or argument parser.
pub fn jail_main() {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Option<Vec<&str>> = words.iter().map(|word| word.to_str()).collect();
    match words.as_deref() {
        Some(["jail", kind, session]) => {
            let done = Title::new(kind, session)
                .map_err(|e| e.to_string())
                .and_then(|title| run(&title).map_err(|error| with_sources(&error)));
            match done {
                Ok(status) => exit_like(status),
                Err(text) => {
                    // Standard error may be closed; the exit code remains.
                    let _unheard = writeln!(io::stderr(), "tre jail: {text}");
                    process::exit(1);
                }
            }
        }
        Some([probe::KIND, probe::SESSION]) => process::exit(probe::inside()),
        _ => {}
    }
}

fn run(title: &Title) -> Result<ExitStatus, EnterError> {
    let mut channel = stage::begin()?;
    let jail = stage::receive_settings(&mut channel, title)?;
    let (child, lifeline) = match start_worker(&jail, &channel) {
        Ok(started) => started,
        Err(error) => return Err(stage::refuse(&mut channel, error)),
    };
    let handle = sys::pidfd_open(child.id()).map_err(|e| EnterError::Os("follow the worker", e))?;
    stage::say(&mut channel, &Hello::Started, &[handle.as_fd()])?;
    // From here on only the worker holds this end, so the server sees it close when the worker dies.
    drop(channel);
    let status = wait(child)?;
    drop(lifeline);
    Ok(status)
}

fn wait(mut child: Child) -> Result<ExitStatus, EnterError> {
    child.wait().map_err(|e| EnterError::Os("wait for the worker", e))
}

/// The worker, and the pipe end whose closing tells it that this process died.
fn start_worker(jail: &Jail, channel: &Channel) -> Result<(Child, io::PipeWriter), EnterError> {
    // Out of the server's terminal and process group: Ctrl-C is the server's to handle.
    setsid().map_err(|e| EnterError::Os("begin a session", e.into()))?;
    env::set_current_dir("/").map_err(|e| EnterError::Os("leave the working directory", e))?;
    let mut steps = Steps::new(jail);
    steps.record(IDENTITY, give_up_root(jail.run_as))?;
    prctl::set_no_new_privs().map_err(|e| EnterError::Os("give up new privileges", e.into()))?;
    let (uid, gid) = (getuid(), getgid());
    // Whether these hold, the worker reports: it sees for itself.
    steps.record(USER_NAMESPACE, new_user_namespace(uid, gid))?;
    steps.record(PROCESS_NAMESPACE, new_process_namespace())?;
    sys::drop_capabilities().map_err(|e| EnterError::Os("drop capabilities", e))?;

    // After the last change of credentials, which would undo it.
    prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|e| EnterError::Os("tie itself to the server", e.into()))?;
    if stage::hung_up(channel.as_fd()).map_err(|e| EnterError::Os("look for the server", e.into()))? {
        return Err(EnterError::ParentGone);
    }
    let (heard, lifeline) = io::pipe().map_err(|e| EnterError::Os("make a pipe", e))?;
    let socket = channel
        .as_fd()
        .try_clone_to_owned()
        .map_err(|e| EnterError::Os("share the channel", e))?;
    let child = Command::new(OWN_PROGRAM)
        .arg0("tre")
        .args([jail.title().kind(), jail.title().session()])
        .env_clear()
        .stdin(Stdio::from(socket))
        .stdout(Stdio::from(heard))
        .spawn()
        .map_err(|e| EnterError::Os("start the worker: the program must be executable by its user", e))?;
    Ok((child, lifeline))
}

/// Becomes the unprivileged user before any namespace exists: a mapped uid 0 was an escape to the host's `/proc/sys`.
fn give_up_root(run_as: Option<RunAs>) -> Result<String, Failure> {
    let ids = getresuid()?;
    if [ids.real, ids.effective, ids.saved]
        .iter()
        .any(|uid| uid.is_root())
    {
        let run_as = run_as.ok_or_else(|| {
            Failure("the server is root and the settings name no user to become".to_owned())
        })?;
        let (uid, gid) = (Uid::from_raw(run_as.uid()), Gid::from_raw(run_as.gid()));
        setgroups(&[]).because("leave all groups")?;
        setresgid(gid, gid, gid).because("change group")?;
        setresuid(uid, uid, uid).because("change user")?;
    }
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(Failure("root could be taken back".to_owned()));
    }
    Ok(format!("user {}", getuid()))
}

fn new_user_namespace(uid: Uid, gid: Gid) -> Result<String, Failure> {
    unshare(CloneFlags::CLONE_NEWUSER).because("new user namespace")?;
    stage::map_one_identity(uid, gid)?;
    Ok("made".to_owned())
}

fn new_process_namespace() -> Result<String, Failure> {
    unshare(CloneFlags::CLONE_NEWPID).because("new process namespace")?;
    Ok("made".to_owned())
}

/// Ends as the worker ended, so that whoever waits for this process learns it.
fn exit_like(status: ExitStatus) -> ! {
    if let Some(number) = status.signal() {
        if let Ok(signal) = Signal::try_from(number) {
            // KILL has no other action and cannot be given one.
            let _already_default = sys::default_action(signal);
            let _or_exit_below = raise(signal);
        }
        process::exit(128_i32.saturating_add(number));
    }
    process::exit(status.code().unwrap_or(1))
}

/// An error with what lies behind it, on one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
