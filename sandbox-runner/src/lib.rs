//! The jail in which workers run, its supervisor, and the channel between the two.
//!
//! A worker reads hostile text, or people's data, or both. It runs as a re-execution of the server's own program in a
//! jail that leaves it memory, time and one channel: no file, no network, no other process. This crate builds the
//! jail, supervises it and carries bytes and open files across. It knows nothing of SQL, data or sessions; of the
//! workspace it alone contains `unsafe` (in one file, `sys.rs`), and depends on none of ours.
//!
//! # Use
//!
//! ```no_run
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     sandbox_runner::jail_main(); // does not return in a jail's launcher
//!     if std::env::args().nth(1).as_deref() == Some("desk") {
//!         let mut jailed = sandbox_runner::enter()?; // shut in from here on
//!         let request = jailed.channel.receive()?;
//!         jailed.channel.send(&request)?;
//!         return Ok(());
//!     }
//!     // The server, which may have threads and may be root:
//!     let mut jail = sandbox_runner::Jail::new("desk", "ses_x")?.run_as(sandbox_runner::RunAs::new(20001, 20001)?);
//!     jail.memory_bytes = 512 << 20;
//!     let mut worker = sandbox_runner::spawn(&jail, &sandbox_runner::Launch::default())?;
//!     let deadline = worker.kill_after(std::time::Instant::now() + std::time::Duration::from_secs(5))?;
//!     if let Some(channel) = worker.channel() {
//!         channel.send(b"hello")?;
//!         assert_eq!(channel.receive()?, b"hello");
//!     }
//!     assert!(!deadline.lift());
//!     worker.kill()?;
//!     Ok(())
//! }
//! ```
//!
//! # Two processes and an exec between them
//!
//! A threaded server must not fork and go on in the child, and namespaces cannot be entered by a process with threads.
//! So nothing here forks without exec:
//!
//! 1. [`spawn`] starts `tre jail KIND SESSION` with an empty environment and the channel as standard input, and sends
//!    the settings in the first frame. [`jail_main`] takes that process, the *launcher*, over: it closes inherited
//!    files, becomes the unprivileged user if it is root (before any namespace, and no namespace ever maps user 0),
//!    makes a user namespace and, by its right, a process namespace.
//! 2. It starts `tre KIND SESSION` as the first process of that namespace, the *worker*, and gives the server a pidfd
//!    of it; the server then sends the settings once more, for the worker. The exec has taken its
//!    capabilities, as its user is not 0, so [`enter`] makes a second user namespace inside the first, which gives
//!    them back for as long as it takes to make the other namespaces and an empty root; then all are dropped for good.
//!    Limits and Landlock follow, and the report goes to the server.
//!
//! Either process dies with its parent: by signal, and for a parent that died before the signal was asked for, by
//! looking whether the ends that the parent held are closed. The end of the worker is the end of everything in its
//! namespace. [`Worker`], [`Killer`] and [`Deadline`] kill through pidfds, never by number.
//!
//! # What it does not do
//!
//! The kernel lets a process on the host that runs as the workers' own user trace them: it owns their namespaces. Give
//! workers a user number that nothing else uses; one number may serve all of them, as none can see another. (Limits of
//! threads are each worker's own from Linux 5.14 on.)
//!
//! System calls are not filtered and no cgroup is made; the report says so. Until then a worker can reach kernel
//! interfaces that need no privilege and that namespaces do not cover, among them `AF_VSOCK` sockets and `io_uring`.
//! The jail limits the address space, not what shared memory inside it may cost.

// The server asks for a jail,
mod settings;
mod spawn;

// the launcher gives up root and starts the worker,
mod launcher;
mod stage;

// the worker shuts itself in, measure by measure,
mod enter;

mod namespaces;
mod root;

mod privileges;
mod rules;

// says so, and talks;
mod report;

mod channel;

// the server holds it, by the clock too.
mod worker;

mod deadline;

mod probe;

mod sys;

pub use channel::{
    Channel, ChannelError, DEFAULT_LIMIT, FDS_PER_FRAME, FDS_PER_MESSAGE, Frame, Receiver, Sender,
};
pub use deadline::Deadline;
pub use enter::{Jailed, enter};
pub use launcher::jail_main;
pub use probe::{Check, probe};
pub use report::{IDENTITY, MEASURES, Measure, Refusal, Report, State};
pub use settings::{Jail, RunAs, SettingsError, Title};
pub use spawn::{Launch, SpawnError, Stderr, spawn};
pub use stage::EnterError;
pub use worker::{Exit, Killer, Worker};
