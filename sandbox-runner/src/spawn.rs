//! Starting a jail from the server.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::channel::{Channel, ChannelError};
use crate::launcher::OWN_PROGRAM;
use crate::report::{Hello, Refusal, Report};
use crate::settings::Jail;
use crate::sys;
use crate::worker::{Exit, LAUNCHER_PATIENCE, Processes, StderrTail, Worker, end_worker, ended_within};

/// How the worker's program is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program, whose `main` must call [`crate::jail_main`] and [`crate::enter`]; by default the running one.
    pub program: PathBuf,
    /// Where the worker's standard error goes.
    pub stderr: Stderr,
    /// How long the jail may take to report; default 10 seconds.
    pub ready_within: Duration,
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            program: OWN_PROGRAM.into(),
            stderr: Stderr::Kept,
            ready_within: Duration::from_secs(10),
        }
    }
}

/// Where a worker's standard error goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stderr {
    /// To the supervisor, which keeps the last 16 KiB: [`Worker::stderr`].
    Kept,
    /// To the server's own. (If that is a file, the worker's file-size limit holds for it too.)
    Inherited,
}

/// Why there is no worker. The text of its standard error, where kept, is part of the message.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A root server must name an unprivileged user.
    #[error("the server runs as root: name the unprivileged user that workers become")]
    RootWithoutUser,
    /// The operating system started nothing.
    #[error("cannot start the jail's launcher `{program}`")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The jail says that it cannot hold.
    #[error("{refusal}{stderr}")]
    Refused {
        /// What failed.
        refusal: Refusal,
        /// Standard error, introduced by `; standard error: `, or empty.
        stderr: String,
    },
    /// The jail ended, or spoke something else, before it was ready.
    #[error("the jail ended before it was ready ({exit}){stderr}")]
    Ended {
        /// How the launcher ended.
        exit: Exit,
        /// What was wrong with the channel.
        source: ChannelError,
        /// Standard error, introduced by `; standard error: `, or empty.
        stderr: String,
    },
    /// The jail did not report in time and was killed.
    #[error("the jail was not ready within {within:?} and was killed{stderr}")]
    TimedOut {
        /// The time it had.
        within: Duration,
        /// Standard error, introduced by `; standard error: `, or empty.
        stderr: String,
    },
    /// The jail's first frame is not one of ours: the program is another version.
    #[error("the jail's report cannot be understood: `{program}` is not this version of the program")]
    Misunderstood {
        /// The program.
        program: PathBuf,
    },
    /// Any other failure of the system.
    #[error("cannot {doing}")]
    Os {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Starts a jail and returns when its worker has reported that it is shut in.
///
/// May be called from any thread of a server, root or not; it blocks for some milliseconds. The worker dies with the
/// server process, but not with the calling thread. On an error nothing of the jail is left.
pub fn spawn(jail: &Jail, launch: &Launch) -> Result<Worker, SpawnError> {
    let os = |doing| move |source| SpawnError::Os { doing, source };
    if jail.run_as.is_none() && nix::unistd::geteuid().is_root() {
        return Err(SpawnError::RootWithoutUser);
    }
    let settings = serde_json::to_vec(jail).map_err(|e| SpawnError::Os {
        doing: "write settings",
        source: e.into(),
    })?;
    let (ours, theirs) = UnixStream::pair().map_err(os("make a channel"))?;

    let mut command = Command::new(&launch.program);
    command
        .arg0("tre")
        .args(["jail", jail.title().kind(), jail.title().session()])
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(match launch.stderr {
            Stderr::Kept => Stdio::piped(),
            Stderr::Inherited => Stdio::inherit(),
        });
    let mut starting = Starting::begin(command, &launch.program)?;
    let mut channel = Channel::new(ours);
    channel.set_deadline(Some(Instant::now() + launch.ready_within));
    let unready = match handshake(&mut channel, &settings, &mut starting.worker) {
        Ok(report) => {
            channel.set_deadline(None);
            return starting.ready(jail, report, channel);
        }
        Err(unready) => unready,
    };
    // A worker that waits for its settings ends when it sees this close.
    drop(channel);
    match unready {
        Unready::Refused(refusal) => {
            let (_, stderr) = starting.abandon(GRACE)?;
            Err(SpawnError::Refused { refusal, stderr })
        }
        Unready::Misunderstood => {
            starting.abandon(Duration::ZERO)?;
            Err(SpawnError::Misunderstood {
                program: launch.program.clone(),
            })
        }
        Unready::Channel(ChannelError::TimedOut) => {
            let (_, stderr) = starting.abandon(Duration::ZERO)?;
            Err(SpawnError::TimedOut {
                within: launch.ready_within,
                stderr,
            })
        }
        Unready::Channel(source) => {
            let (exit, stderr) = starting.abandon(GRACE)?;
            Err(SpawnError::Ended { exit, source, stderr })
        }
    }
}

/// How long a jail that will not be may take to end by itself: its own words tell more than a kill.
const GRACE: Duration = Duration::from_millis(200);

enum Unready {
    Channel(ChannelError),
    Refused(Refusal),
    Misunderstood,
}

/// Settings to the launcher, the worker's handle back; settings to the worker, its report back.
fn handshake(
    channel: &mut Channel,
    settings: &[u8],
    worker: &mut Option<OwnedFd>,
) -> Result<Report, Unready> {
    match ask(channel, settings)? {
        (Hello::Started, Some(handle)) => *worker = Some(handle),
        (Hello::Refused(refusal), _) => return Err(Unready::Refused(refusal)),
        (Hello::Started | Hello::Ready(_), _) => return Err(Unready::Misunderstood),
    }
    match ask(channel, settings)? {
        (Hello::Ready(report), None) => Ok(report),
        (Hello::Refused(refusal), _) => Err(Unready::Refused(refusal)),
        (Hello::Started | Hello::Ready(_), _) => Err(Unready::Misunderstood),
    }
}

fn ask(channel: &mut Channel, settings: &[u8]) -> Result<(Hello, Option<OwnedFd>), Unready> {
    let sent = channel.send(settings);
    // A process that closed before it read everything may still have said why.
    let frame = match (channel.receive_with_fds(1), sent) {
        (Ok(frame), _) => frame,
        (Err(ChannelError::Closed), Err(sent)) => return Err(Unready::Channel(sent)),
        (Err(error), _) => return Err(Unready::Channel(error)),
    };
    let hello = serde_json::from_slice(&frame.bytes).map_err(|_not_ours| Unready::Misunderstood)?;
    Ok((hello, frame.fds.into_iter().next()))
}

/// A jail whose worker has not reported yet.
struct Starting {
    launcher: Child,
    launcher_handle: OwnedFd,
    worker: Option<OwnedFd>,
    stderr: Option<StderrTail>,
}

impl Starting {
    fn begin(command: Command, program: &Path) -> Result<Self, SpawnError> {
        let mut launcher =
            start(command)
                .and_then(|started| started)
                .map_err(|source| SpawnError::Start {
                    program: program.to_owned(),
                    source,
                })?;
        let followed = sys::pidfd_open(launcher.id()).and_then(|handle| {
            let stderr = launcher.stderr.take().map(StderrTail::follow).transpose()?;
            Ok((handle, stderr))
        });
        match followed {
            Ok((launcher_handle, stderr)) => Ok(Self {
                launcher,
                launcher_handle,
                worker: None,
                stderr,
            }),
            Err(source) => {
                // It has not been told whom to start yet.
                let _ended_already = launcher.kill();
                let _reaped = launcher.wait();
                Err(SpawnError::Os {
                    doing: "follow the launcher",
                    source,
                })
            }
        }
    }

    fn ready(mut self, jail: &Jail, report: Report, channel: Channel) -> Result<Worker, SpawnError> {
        let worker = self
            .worker
            .take()
            .ok_or_else(|| io::Error::other("no handle"))
            .and_then(|handle| {
                let pid = process_of(&handle)?;
                Ok((pid, handle))
            });
        match worker {
            Ok(worker) => {
                let Self {
                    launcher,
                    launcher_handle,
                    stderr,
                    ..
                } = self;
                let processes = Processes {
                    launcher,
                    launcher_handle,
                    worker,
                    stderr,
                };
                Ok(Worker::new(jail.title().clone(), report, channel, processes))
            }
            Err(source) => {
                drop(channel);
                self.abandon(Duration::ZERO)?;
                Err(SpawnError::Os {
                    doing: "follow the worker",
                    source,
                })
            }
        }
    }

    fn end(&self, grace: Duration) -> io::Result<()> {
        if ended_within(&self.launcher_handle, Some(grace))? {
            return Ok(());
        }
        if let Some(worker) = &self.worker {
            end_worker(worker, &self.launcher_handle)?;
            if ended_within(&self.launcher_handle, Some(LAUNCHER_PATIENCE))? {
                return Ok(());
            }
        }
        sys::pidfd_signal(&self.launcher_handle, Signal::SIGKILL)
    }

    /// Waits for the end or brings it about, and says how it came and what standard error had to say.
    fn abandon(mut self, grace: Duration) -> Result<(Exit, String), SpawnError> {
        let end = self.end(grace).and_then(|()| self.launcher.wait());
        let exit = end.map_err(|source| SpawnError::Os {
            doing: "end a jail that is not ready",
            source,
        })?;
        let text = self.stderr.as_mut().map_or_else(String::new, |stderr| {
            stderr.drain();
            stderr.text()
        });
        let text = text.trim();
        let text = if text.is_empty() {
            String::new()
        } else {
            format!("; standard error: {text}")
        };
        Ok((exit.into(), text))
    }
}

/// The process of a pidfd, numbered as this process sees it.
fn process_of(pidfd: &OwnedFd) -> io::Result<u32> {
    let mut text = String::new();
    fs::File::open(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))?.read_to_string(&mut text)?;
    text.lines()
        .find_map(|line| line.strip_prefix("Pid:"))
        .and_then(|pid| pid.trim().parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the report's descriptor is no pidfd"))
}

type Job = (Command, SyncSender<io::Result<Child>>);

static STARTER: Mutex<Option<mpsc::Sender<Job>>> = Mutex::new(None);

/// Starts `command` on a thread that lives as long as the process.
///
/// The kernel sends the parent-death signal when the *thread* that made the child ends, and threads of a pool end when
/// they are idle: a worker started from one would be killed some seconds later.
fn start(command: Command) -> io::Result<io::Result<Child>> {
    let mut starter = STARTER.lock().unwrap_or_else(PoisonError::into_inner);
    let jobs = match starter.as_ref() {
        Some(jobs) => jobs.clone(),
        None => {
            let (jobs, queue) = mpsc::channel::<Job>();
            thread::Builder::new()
                .name("jail-starter".to_owned())
                .spawn(move || {
                    for (mut command, reply) in queue {
                        // The caller waits for the reply, so it is there to take it.
                        let _caller_waits = reply.send(command.spawn());
                    }
                })?;
            starter.insert(jobs).clone()
        }
    };
    drop(starter);
    let (reply, started) = mpsc::sync_channel(1);
    let gone = || io::Error::other("the thread that starts jails is gone");
    jobs.send((command, reply)).map_err(|_gone| gone())?;
    started.recv().map_err(|_gone| gone())
}
