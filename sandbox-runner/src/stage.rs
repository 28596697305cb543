//! What the two processes of a jail, launcher and worker, have in common.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::unistd::{Gid, Uid};

use crate::channel::{Channel, ChannelError};
use crate::report::{Hello, Refusal, Report, State};
use crate::settings::{Jail, Title};
use crate::sys;

/// Why a process could not become part of a jail.
#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// Somebody typed the command; only the server can start it.
    #[error("this command is one of the server's own: it starts workers by it, people do not")]
    NotFromServer(#[source] ChannelError),
    /// Namespaces and Landlock bind the calling thread alone, so a jail begins before any other thread.
    #[error("the jail was entered with {0} threads running; enter it first of all in main")]
    Threads(usize),
    /// The command line and the settings on the channel disagree.
    #[error("the settings are not those of `{0}`")]
    Settings(String),
    /// The parent died meanwhile.
    #[error("the parent process is gone")]
    ParentGone,
    /// A measure could not be enforced.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server could not be told.
    #[error("the server went away before the jail was ready")]
    Channel(#[source] ChannelError),
    /// Any other failure.
    #[error("cannot {0}")]
    Os(&'static str, #[source] io::Error),
}

/// A step's failure, in words for the report.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Says what was tried when it failed.
pub(crate) trait Because<T> {
    fn because(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: std::error::Error> Because<T> for Result<T, E> {
    fn because(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }
}

/// Takes measures one after the other, and stops at the first that fails and is not tolerated.
pub(crate) struct Steps<'a> {
    tolerated: &'a BTreeSet<String>,
    pub(crate) report: Report,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(jail: &'a Jail) -> Self {
        Self {
            tolerated: &jail.tolerated,
            report: Report::begin(),
        }
    }

    /// Records the outcome of the measure `name`.
    pub(crate) fn record(&mut self, name: &str, outcome: Result<String, Failure>) -> Result<(), Refusal> {
        match outcome {
            Ok(how) => self.report.add(name, State::Enforced, how),
            Err(Failure(why)) if self.tolerated.contains(name) => {
                self.report.add(name, State::NotEnforced, why);
            }
            Err(Failure(why)) => {
                return Err(Refusal {
                    name: name.to_owned(),
                    why,
                });
            }
        }
        Ok(())
    }
}

/// The first statements of both processes: nothing inherited is left but 0, 1 and 2, and of these standard input,
/// the channel, is moved where no stray `read` finds it.
pub(crate) fn begin() -> Result<Channel, EnterError> {
    sys::close_inherited().map_err(|e| EnterError::Os("close inherited files", e))?;
    let threads = fs::read_dir("/proc/self/task")
        .map_err(|e| EnterError::Os("read /proc", e))?
        .count();
    if threads != 1 {
        return Err(EnterError::Threads(threads));
    }
    let socket = take(io::stdin().as_fd(), |null| nix::unistd::dup2_stdin(null))?;
    Ok(Channel::new(UnixStream::from(socket)))
}

/// Moves a standard stream to a descriptor of its own and leaves `/dev/null` in its place.
pub(crate) fn take(
    stream: BorrowedFd<'_>,
    replace: impl FnOnce(BorrowedFd<'_>) -> nix::Result<()>,
) -> Result<OwnedFd, EnterError> {
    let fail = |e: io::Error| EnterError::Os("replace a standard stream by /dev/null", e);
    let taken = stream.try_clone_to_owned().map_err(fail)?;
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(fail)?;
    replace(null.as_fd()).map_err(|e| fail(e.into()))?;
    Ok(taken)
}

/// The settings, which the server sends once to each of the two processes.
pub(crate) fn receive_settings(channel: &mut Channel, title: &Title) -> Result<Jail, EnterError> {
    let bytes = channel.receive().map_err(EnterError::NotFromServer)?;
    serde_json::from_slice::<Jail>(&bytes)
        .ok()
        .filter(|jail| jail.title() == title)
        .ok_or_else(|| EnterError::Settings(format!("tre {} {}", title.kind(), title.session())))
}

/// Tells the server why there will be no worker, as far as it still listens, and hands the error back.
pub(crate) fn refuse(channel: &mut Channel, error: EnterError) -> EnterError {
    let refusal = if let EnterError::Refused(refusal) = &error {
        refusal.clone()
    } else {
        Refusal {
            name: "start".to_owned(),
            why: error.to_string(),
        }
    };
    // If nobody listens any more, standard error still says it.
    let _nobody_listens = say(channel, &Hello::Refused(refusal), &[]);
    error
}

pub(crate) fn say(channel: &mut Channel, hello: &Hello, fds: &[BorrowedFd<'_>]) -> Result<(), EnterError> {
    let bytes = serde_json::to_vec(hello).map_err(|e| EnterError::Os("write a report", e.into()))?;
    channel.send_with_fds(&bytes, fds).map_err(EnterError::Channel)
}

/// In a fresh user namespace: maps exactly one user and one group, each to its own number, so that 0 is nobody.
pub(crate) fn map_one_identity(uid: Uid, gid: Gid) -> Result<(), Failure> {
    // The files belong to root while the process may not be dumped, which follows every change of user.
    prctl::set_dumpable(true)?;
    fs::write("/proc/self/setgroups", "deny").because("forbid setgroups")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1")).because("map the user")?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1")).because("map the group")?;
    prctl::set_dumpable(false)?;
    Ok(())
}

/// Whether the other end of a pipe or socket has been closed by everybody who held it.
pub(crate) fn hung_up(fd: BorrowedFd<'_>) -> nix::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::empty())];
    poll(&mut fds, PollTimeout::ZERO)?;
    Ok(fds.iter().any(|fd| {
        fd.revents()
            .is_some_and(|events| events.contains(PollFlags::POLLHUP))
    }))
}
