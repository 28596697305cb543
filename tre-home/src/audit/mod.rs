//! The audit log: an append-only Merkle tree of canonical JSON entries, verifiable by anyone who has its public key.
//!
//! Entries are of [`tre_core::audit`]. The tree hashes as RFC 6962 says, lies in files as C2SP tlog-tiles says
//! (`tile/<level>/<index>`, `tile/entries/<index>`) and is signed as C2SP tlog-checkpoint says (`checkpoint`, an Ed25519
//! signed note; its public key in `vkey`), so programs that we did not write can verify it.
//!
//! An entry's way: the log's thread numbers it, brings it into canonical form, appends it with all others that wait at
//! that moment to `pending` and syncs; then its caller hears the position, and may do what the entry says. Later,
//! when nobody waits or after a second, the pending entries go into bundles and tiles, the checkpoint is signed over them,
//! and `pending` is emptied. A crash at any point loses no entry that anybody heard of.
//!
//! When a write fails it is not known what reached the disk, so from then on every append fails, until the home is
//! opened anew. Callers then serve nothing.

mod copy;
mod entry;
mod note;
mod pending;
mod read;
mod snapshot;
mod tiles;
mod tree;
mod verify;
mod writer;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tre_core::audit::{Actor, Event};
use tre_core::codes::{LOG_BROKEN, LOG_TOO_LARGE, LOG_WRITE, Problem};

pub use copy::{LogFile, LogFiles};
pub use read::Entries;
pub use tiles::LARGEST_ENTRY;
pub use verify::{Fault, Report, verify};

use crate::files::{self, FileError, PRIVATE_FILE};
use crate::layout::Layout;
use crate::vault::VaultError;
use note::Signer;
use tiles::Directory;
use writer::Writer;

/// Index of an entry in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub u64);

/// Why an entry was not logged, or a log not opened.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The entry would not fit into a bundle; nothing was written.
    #[error("the audit entry has {bytes} bytes, more than {LARGEST_ENTRY}")]
    TooLarge {
        /// Its size in canonical form.
        bytes: usize,
    },
    /// The log failed, now or earlier; it takes no entry any more.
    #[error("the audit log takes no entries: {0}")]
    Failed(String),
    /// The files of the log contradict each other.
    #[error("the audit log is damaged: {0}")]
    Broken(String),
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The signing key cannot be used.
    #[error(transparent)]
    Key(#[from] VaultError),
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Problem {
        match error {
            AuditError::TooLarge { .. } => Problem::of(&LOG_TOO_LARGE, error.to_string()),
            AuditError::Failed(_) | AuditError::File(_) => Problem::of(&LOG_WRITE, error.to_string()),
            AuditError::Broken(_) => Problem::of(&LOG_BROKEN, error.to_string()),
            AuditError::Key(error) => error.into(),
        }
    }
}

/// Where entries go: the log of this process, or a server that holds it.
pub trait Sink: Send + Sync {
    /// Returns when the entry is durable.
    fn record(&self, event: Event) -> Result<Position, Problem>;
}

/// How long entries may stay pending while others keep coming, and while none does.
const LONGEST_PENDING: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_millis(100);

/// At most so many entries are made durable together, and may be pending.
const LARGEST_BATCH: usize = 256;
const MOST_PENDING: u64 = 1024;

type Reply<T> = Box<dyn FnOnce(Result<T, AuditError>) + Send>;

enum Command {
    Append(Box<(Actor, Event)>, Reply<Position>),
    Checkpoint(Reply<String>),
}

/// The log of an open home. Dropping it brings what is pending into tiles and ends its thread.
#[derive(Debug)]
pub struct AuditLog {
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl AuditLog {
    /// Makes the signing key and an empty log for a new home.
    pub(crate) fn create(layout: &Layout, origin: &str) -> Result<(), AuditError> {
        let (key, vkey) = note::new_key(origin)?;
        files::write_new(&layout.audit_key(), key.as_bytes(), PRIVATE_FILE)?;
        files::sync_dir(&layout.vault())?;
        Writer::create(&Directory::new(&layout.audit()), &Signer::from_text(&key)?, &vkey)
    }

    /// Opens the log, after a crash too. The home's lock must be held: a log has one writer.
    pub(crate) fn open(layout: &Layout, origin: &str) -> Result<AuditLog, AuditError> {
        let key = zeroize::Zeroizing::new(files::read(&layout.audit_key())?);
        let key = std::str::from_utf8(&key).map_err(|_| VaultError::KeyFile("audit.key"))?;
        let signer = Signer::from_text(key)?;
        if signer.origin() != origin {
            return Err(AuditError::Broken(format!(
                "tre.toml calls it `{origin}`, its key `{}`: `origin` must never change",
                signer.origin()
            )));
        }
        AuditLog::start(Writer::open(Directory::new(&layout.audit()), signer)?)
    }

    fn start(writer: Writer) -> Result<AuditLog, AuditError> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("tre audit log".to_owned())
            .spawn(move || run(writer, &receiver))
            .map_err(|error| AuditError::Failed(error.to_string()))?;
        Ok(AuditLog {
            commands: Some(sender),
            thread: Some(thread),
        })
    }

    /// Logs what is about to happen. When this returns a position the entry is on the disk.
    pub async fn append(&self, actor: Actor, event: Event) -> Result<Position, AuditError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.send(Command::Append(
            Box::new((actor, event)),
            Box::new(move |result| drop(reply.send(result))),
        ))?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// [`AuditLog::append`] for code that is not async. Blocks the thread.
    pub fn append_blocking(&self, actor: Actor, event: Event) -> Result<Position, AuditError> {
        self.ask(|reply| Command::Append(Box::new((actor, event)), reply))
    }

    /// Brings everything into tiles and returns the signed checkpoint over it. Blocks the thread.
    pub fn checkpoint(&self) -> Result<String, AuditError> {
        self.ask(Command::Checkpoint)
    }

    /// A sink in which everything is done by one actor.
    pub fn sink(&self, actor: Actor) -> impl Sink {
        LocalSink { log: self, actor }
    }

    fn ask<T: Send + 'static>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, AuditError> {
        let (reply, answer) = mpsc::channel();
        self.send(command(Box::new(move |result| drop(reply.send(result)))))?;
        answer.recv().unwrap_or_else(|_| Err(ended()))
    }

    fn send(&self, command: Command) -> Result<(), AuditError> {
        let sender = self.commands.as_ref().ok_or_else(ended)?;
        sender.send(command).map_err(|_| ended())
    }
}

fn ended() -> AuditError {
    AuditError::Failed("its thread has ended".to_owned())
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has answered nobody; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

struct LocalSink<'l> {
    log: &'l AuditLog,
    actor: Actor,
}

impl Sink for LocalSink<'_> {
    fn record(&self, event: Event) -> Result<Position, Problem> {
        Ok(self.log.append_blocking(self.actor.clone(), event)?)
    }
}

/// The log's thread: serves commands until nobody can send any more.
fn run(writer: Writer, commands: &Receiver<Command>) {
    let mut log = Running {
        writer,
        failure: None,
        pending_since: None,
    };
    loop {
        let command = match log.patience() {
            None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(patience) => commands.recv_timeout(patience),
        };
        match command {
            Ok(command) => log.serve(command, commands),
            Err(RecvTimeoutError::Timeout) => log.integrate(),
            Err(RecvTimeoutError::Disconnected) => {
                log.integrate();
                return;
            }
        }
    }
}

struct Running {
    writer: Writer,
    /// Why nothing is logged any more.
    failure: Option<String>,
    pending_since: Option<Instant>,
}

impl Running {
    /// How long to wait for commands before pending entries go into tiles; forever if there are none.
    fn patience(&self) -> Option<Duration> {
        let waited = self.pending_since?.elapsed();
        Some(LONGEST_PENDING.saturating_sub(waited).min(IDLE))
    }

    /// Serves a command and all that wait behind it.
    fn serve(&mut self, first: Command, commands: &Receiver<Command>) {
        let mut batch = Vec::new();
        let mut checkpoints = Vec::new();
        for command in std::iter::once(first).chain(commands.try_iter()) {
            match command {
                Command::Append(event, reply) => batch.push((*event, reply)),
                Command::Checkpoint(reply) => checkpoints.push(reply),
            }
            if batch.len() == LARGEST_BATCH {
                break;
            }
        }
        self.append(batch);
        let overdue = self
            .pending_since
            .is_some_and(|since| since.elapsed() >= LONGEST_PENDING);
        if overdue || !checkpoints.is_empty() || self.writer.pending_entries() >= MOST_PENDING {
            self.integrate();
        }
        for reply in checkpoints {
            reply(match &self.failure {
                None => self.writer.checkpoint(),
                Some(why) => Err(AuditError::Failed(why.clone())),
            });
        }
    }

    fn append(&mut self, batch: Vec<((Actor, Event), Reply<Position>)>) {
        let (events, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let appended = match &self.failure {
            None => self.writer.append(events).map_err(|error| self.fail(&error)),
            Some(why) => Err(why.clone()),
        };
        match appended {
            Ok(positions) => {
                if self.writer.has_pending() {
                    self.pending_since.get_or_insert_with(Instant::now);
                }
                replies
                    .into_iter()
                    .zip(positions)
                    .for_each(|(reply, position)| reply(position));
            }
            Err(why) => replies
                .into_iter()
                .for_each(|reply| reply(Err(AuditError::Failed(why.clone())))),
        }
    }

    fn integrate(&mut self) {
        self.pending_since = None;
        if self.failure.is_none()
            && self.writer.has_pending()
            && let Err(error) = self.writer.integrate()
        {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &AuditError) -> String {
        tracing::error!(%error, size = self.writer.size(), "the audit log failed; nothing can be served");
        let why = error.to_string();
        self.failure = Some(why.clone());
        why
    }
}
