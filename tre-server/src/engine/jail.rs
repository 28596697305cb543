//! Starting workers in their jails, and one exchange of messages with them.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prost::Message;
use sandbox_runner::{ChannelError, Jail, Killer, Launch, RunAs, SettingsError, Worker};
use tre_core::codes::{self, Problem};
use tre_core::ids::SessionId;
use tre_home::config;
use tre_proto::worker::MAX_FRAME;

use super::Cancel;

/// Most open files of a worker: those of its grant, and a few.
const OPEN_FILES: u64 = 4096 + 64;

/// Why a worker did not answer. The text is for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// It was killed because its time was over.
    #[error("killed at its time limit")]
    Time,
    /// It was killed because somebody stopped the query.
    #[error("killed because the query was cancelled")]
    Cancelled,
    /// It ended, or broke off.
    #[error("{channel}; it ended with {exit}; standard error: {stderr}")]
    Ended {
        /// What the channel said.
        channel: ChannelError,
        /// How the process ended.
        exit: String,
        /// The end of what it wrote.
        stderr: String,
    },
    /// It said something that is no answer.
    #[error("broke the protocol: {0}")]
    Protocol(String),
}

impl Lost {
    /// What the analyst hears.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Lost::Time => Problem::of(&codes::RUN_TIME, codes::RUN_TIME.title),
            Lost::Cancelled => super::cancelled(),
            Lost::Ended { .. } => Problem::of(&codes::RUN_WORKER_LOST, codes::RUN_WORKER_LOST.title),
            Lost::Protocol(_) => Problem::of(&codes::RUN_INTERNAL, codes::RUN_INTERNAL.title),
        }
    }
}

/// How workers are started on this machine.
#[derive(Debug)]
pub(crate) struct Jails {
    program: Option<PathBuf>,
    allow_missing: Vec<String>,
    uids: Arc<Uids>,
}

impl Jails {
    /// Workers are `program` (by default the running one), jailed as tre.toml says.
    ///
    /// # Errors
    /// A [`Problem`] when tre.toml names a measure or a user id that cannot be.
    pub(crate) fn new(settings: &config::Jail, program: Option<PathBuf>) -> Result<Self, Problem> {
        let uids = Uids {
            base: settings.uid_base,
            taken: Mutex::new(vec![false; settings.uid_count as usize]),
        };
        let jails = Jails {
            program,
            allow_missing: settings.allow_missing.clone(),
            uids: Arc::new(uids),
        };
        // Everything that can be wrong with the settings shows now, not with the first session.
        jails
            .jail("desk", "ses_probe", settings.uid_base)
            .map_err(|error| {
                Problem::new(
                    &codes::RUN_NO_WORKER,
                    error.to_string(),
                    "correct [jail] in tre.toml",
                )
            })?;
        Ok(jails)
    }

    /// Starts a worker with an address space of `memory` bytes. Returns when it is shut in.
    pub(super) fn spawn(&self, kind: &str, session: &SessionId, memory: u64) -> Result<Process, Problem> {
        let no_worker = |detail: String| {
            tracing::error!(%session, kind, detail, "no worker");
            Problem::of(&codes::RUN_NO_WORKER, codes::RUN_NO_WORKER.title)
        };
        let uid = Uids::take(&self.uids)
            .ok_or_else(|| no_worker("every user id for workers is taken".to_owned()))?;
        let mut jail = self
            .jail(kind, session.as_str(), uid.number)
            .map_err(|error| no_worker(error.to_string()))?;
        jail.memory_bytes = memory;
        jail.open_files = OPEN_FILES;
        let mut launch = Launch::default();
        if let Some(program) = &self.program {
            launch.program.clone_from(program);
        }
        let mut worker =
            sandbox_runner::spawn(&jail, &launch).map_err(|error| no_worker(error.to_string()))?;
        match worker.channel() {
            Some(channel) => channel.set_limit(MAX_FRAME),
            None => return Err(no_worker("the worker has no channel".to_owned())),
        }
        Ok(Process { worker, _uid: uid })
    }

    fn jail(&self, kind: &str, session: &str, uid: u32) -> Result<Jail, SettingsError> {
        let jail = Jail::new(kind, session)?.run_as(RunAs::new(uid, uid)?);
        self.allow_missing
            .iter()
            .try_fold(jail, |jail, measure| jail.tolerate(measure))
    }
}

/// The user ids of workers: each has its own while it lives.
#[derive(Debug)]
struct Uids {
    base: u32,
    taken: Mutex<Vec<bool>>,
}

#[derive(Debug)]
struct Uid {
    number: u32,
    index: usize,
    of: Arc<Uids>,
}

impl Uids {
    fn take(uids: &Arc<Uids>) -> Option<Uid> {
        let mut taken = uids.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, slot) = taken.iter_mut().enumerate().find(|(_, taken)| !**taken)?;
        let number = uids.base.checked_add(u32::try_from(index).ok()?)?;
        *slot = true;
        Some(Uid {
            number,
            index,
            of: Arc::clone(uids),
        })
    }
}

impl Drop for Uid {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = taken.get_mut(self.index) {
            *slot = false;
        }
    }
}

/// One worker. Dropping it kills it; its user id is free again when nothing of it is left.
#[derive(Debug)]
pub(super) struct Process {
    // Dropped in this order: the process is gone before its user id is given to another.
    worker: Worker,
    _uid: Uid,
}

impl Process {
    /// Kills it from any thread.
    pub(super) fn killer(&self) -> Killer {
        self.worker.killer()
    }

    /// Whether it still runs.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.worker.try_wait(), Ok(None))
    }

    /// Sends a request and waits for its response, until `deadline` (then the worker is killed) or until `cancel`. After an
    /// error the worker is dead.
    pub(super) fn call<Request: Message, Response: Message + Default>(
        &mut self,
        request: &Request,
        fds: &[BorrowedFd<'_>],
        deadline: Instant,
        cancel: &Cancel,
    ) -> Result<Response, Lost> {
        cancel.arm(self.killer()).map_err(|_| Lost::Cancelled)?;
        let answered = self.exchange(&request.encode_to_vec(), fds, deadline);
        cancel.disarm();
        let bytes = answered.map_err(|lost| {
            if cancel.is_cancelled() {
                Lost::Cancelled
            } else {
                lost
            }
        })?;
        Response::decode(bytes.as_slice()).map_err(|error| {
            self.end();
            Lost::Protocol(error.to_string())
        })
    }

    fn exchange(
        &mut self,
        request: &[u8],
        fds: &[BorrowedFd<'_>],
        deadline: Instant,
    ) -> Result<Vec<u8>, Lost> {
        let limit = self
            .worker
            .kill_after(deadline)
            .map_err(|error| Lost::Protocol(error.to_string()))?;
        let answered = match self.worker.channel() {
            Some(channel) => channel
                .send_with_fds(request, fds)
                .and_then(|()| channel.receive()),
            None => Err(ChannelError::Closed),
        };
        let in_time = !limit.lift();
        answered.map_err(|channel| {
            let exit = self.end();
            if in_time {
                Lost::Ended {
                    channel,
                    exit,
                    stderr: self.worker.stderr(),
                }
            } else {
                Lost::Time
            }
        })
    }

    fn end(&mut self) -> String {
        match self.worker.kill() {
            Ok(exit) => exit.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_user_id_belongs_to_one_worker_at_a_time() {
        let uids = Arc::new(Uids {
            base: 200_000,
            taken: Mutex::new(vec![false; 2]),
        });
        let (first, second) = (Uids::take(&uids).unwrap(), Uids::take(&uids).unwrap());
        assert_eq!((first.number, second.number), (200_000, 200_001));
        assert!(Uids::take(&uids).is_none());
        drop(first);
        assert_eq!(Uids::take(&uids).unwrap().number, 200_000);
        drop(second);
    }

    #[test]
    fn settings_of_the_jail_are_judged_when_the_server_starts() {
        let settings = config::Jail {
            allow_missing: vec!["moat".to_owned()],
            ..config::Jail::default()
        };
        assert_eq!(Jails::new(&settings, None).unwrap_err().code.id, "TRE-RUN-013");
        assert!(Jails::new(&config::Jail::default(), None).is_ok());
    }
}
