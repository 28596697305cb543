//! A running jail as the server holds it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::channel::Channel;
use crate::deadline::{self, Deadline};
use crate::report::Report;
use crate::settings::Title;
use crate::sys;

/// How long a launcher may take to notice that its worker has been killed; it takes microseconds.
pub(crate) const LAUNCHER_PATIENCE: Duration = Duration::from_secs(5);
const STDERR_KEPT: usize = 16 << 10;

/// How a worker ended.
///
/// A worker is the first process of its namespace, which the kernel shields from its own signals: where another
/// process would end by `abort` with signal 6, a worker ends by the fault that follows, signal 11 (or 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// A signal ended it: 9 from the supervisor or a limit, 11 a fault or an abort.
    Signal(i32),
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, signal) => Self::Signal(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A jailed worker. Dropping it kills and reaps the whole jail, which blocks for some milliseconds.
#[derive(Debug)]
pub struct Worker {
    title: Title,
    report: Report,
    channel: Option<Channel>,
    launcher: Child,
    pid: u32,
    killer: Killer,
    stderr: Option<StderrTail>,
    exit: Option<Exit>,
}

/// The two processes of a jail that is ready.
pub(crate) struct Processes {
    pub(crate) launcher: Child,
    pub(crate) launcher_handle: OwnedFd,
    pub(crate) worker: (u32, OwnedFd),
    pub(crate) stderr: Option<StderrTail>,
}

impl Worker {
    pub(crate) fn new(title: Title, report: Report, channel: Channel, processes: Processes) -> Self {
        let Processes {
            launcher,
            launcher_handle,
            worker: (pid, worker_handle),
            stderr,
        } = processes;
        let killer = Killer(Arc::new(Handles {
            launcher: launcher_handle,
            worker: worker_handle,
        }));
        Self {
            title,
            report,
            channel: Some(channel),
            launcher,
            pid,
            killer,
            stderr,
            exit: None,
        }
    }

    /// The worker's process number as the server sees it (inside, it is 1).
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The process number of the launcher, the worker's parent.
    pub fn launcher_pid(&self) -> u32 {
        self.launcher.id()
    }

    /// The two words of the worker's title.
    pub fn title(&self) -> &Title {
        &self.title
    }

    /// How `ps -o args` shows the worker and its launcher.
    pub fn titles(&self) -> [String; 2] {
        let (kind, session) = (self.title.kind(), self.title.session());
        [
            format!("tre {kind} {session}"),
            format!("tre jail {kind} {session}"),
        ]
    }

    /// What the jail enforces.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The channel, until it is taken.
    pub fn channel(&mut self) -> Option<&mut Channel> {
        self.channel.as_mut()
    }

    /// Takes the channel, for example to split it between two threads.
    pub fn take_channel(&mut self) -> Option<Channel> {
        self.channel.take()
    }

    /// The last 16 KiB of the worker's standard error, complete once the worker has been waited for; empty when
    /// inherited. Written by hostile code: for the operator's log, never for an analyst.
    pub fn stderr(&self) -> String {
        self.stderr.as_ref().map(StderrTail::text).unwrap_or_default()
    }

    /// A handle by which any thread may kill this jail, also while another waits for its answer.
    pub fn killer(&self) -> Killer {
        self.killer.clone()
    }

    /// Kills the jail and waits until nothing of it is left.
    pub fn kill(&mut self) -> io::Result<Exit> {
        if let Some(exit) = self.exit {
            return Ok(exit);
        }
        self.killer.kill()?;
        if !ended_within(&self.killer.0.launcher, Some(LAUNCHER_PATIENCE))? {
            sys::pidfd_signal(&self.killer.0.launcher, Signal::SIGKILL)?;
        }
        self.wait()
    }

    /// Kills the jail at `when`, unless the returned guard is dropped before.
    pub fn kill_after(&self, when: Instant) -> io::Result<Deadline> {
        deadline::arm(when, self.killer())
    }

    /// How the worker ended, if it has.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        if self.exit.is_none() && self.launcher.try_wait()?.is_some() {
            self.wait()?;
        }
        Ok(self.exit)
    }

    /// Waits until nothing of the jail is left.
    pub fn wait(&mut self) -> io::Result<Exit> {
        if let Some(exit) = self.exit {
            return Ok(exit);
        }
        let exit = Exit::from(self.launcher.wait()?);
        // A launcher that was killed itself takes the worker along, a moment later.
        ended_within(&self.killer.0.worker, None)?;
        if let Some(stderr) = &mut self.stderr {
            stderr.drain();
        }
        self.exit = Some(exit);
        Ok(exit)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // SIGKILL to a process of our own cannot fail while the handle is open, and there is nobody to tell here.
        let _nobody_to_tell = self.kill();
    }
}

/// Kills one jail; cheap to clone, and harmless when the jail is gone, even if its process numbers are reused.
#[derive(Debug, Clone)]
pub struct Killer(Arc<Handles>);

#[derive(Debug)]
struct Handles {
    launcher: OwnedFd,
    worker: OwnedFd,
}

impl Killer {
    /// SIGKILL to the jail, without waiting. The kernel ends every process of the worker's namespace with the worker.
    pub fn kill(&self) -> io::Result<()> {
        end_worker(&self.0.worker, &self.0.launcher)
    }
}

/// Kills the worker alone: its launcher ends by itself when it has reaped it. (Killed together, the worker would be
/// left for the host's first process to reap, and in many a container that is a server that does not.)
pub(crate) fn end_worker(worker: &OwnedFd, launcher: &OwnedFd) -> io::Result<()> {
    sys::pidfd_signal(worker, Signal::SIGKILL)?;
    // Somebody may have stopped it.
    sys::pidfd_signal(launcher, Signal::SIGCONT)
}

/// Waits for the end of a process, and of every process of its namespace if it is the first there.
pub(crate) fn ended_within(pidfd: &OwnedFd, limit: Option<Duration>) -> io::Result<bool> {
    let limit = match limit {
        Some(limit) => PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX),
        None => PollTimeout::NONE,
    };
    loop {
        match poll(&mut [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)], limit) {
            Err(Errno::EINTR) => {}
            other => return other.map(|ready| ready > 0).map_err(io::Error::from),
        }
    }
}

/// Follows a worker's standard error, so that the pipe never fills, and keeps its end.
#[derive(Debug)]
pub(crate) struct StderrTail {
    text: Arc<Mutex<VecDeque<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl StderrTail {
    pub(crate) fn follow(mut pipe: ChildStderr) -> io::Result<Self> {
        let text = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&text);
        let reader = thread::Builder::new()
            .name("jail-stderr".to_owned())
            .spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(bytes @ 1..) = pipe.read(&mut buffer) {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend(buffer.iter().take(bytes));
                    let excess = kept.len().saturating_sub(STDERR_KEPT);
                    kept.drain(..excess);
                }
            })?;
        Ok(Self {
            text,
            reader: Some(reader),
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut kept = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous()).into_owned()
    }

    /// Reads to the end, which comes when every process that could write has ended.
    pub(crate) fn drain(&mut self) {
        if let Some(reader) = self.reader.take() {
            // The reader has nothing that could panic; if it did, what it kept is still there.
            let _kept_anyway = reader.join();
        }
    }
}
