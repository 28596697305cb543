//! How far an ingest is, and how to stop it.

use std::sync::atomic::{AtomicBool, Ordering};

use tre_core::codes::{self, Problem};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the holder's files; `done` and `total` are bytes of them.
    Reading,
    /// Naming the version; `done` and `total` are rows.
    Hashing,
    /// Writing the version's files; `done` and `total` are rows.
    Writing,
}

/// A point on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// How much of it.
    pub done: u64,
    /// Of how much.
    pub total: u64,
    /// Rows read so far, in all tables.
    pub rows: u64,
}

/// Hears about progress, a few thousand times at most.
pub trait Observer: Sync {
    /// Called from time to time and at the end of each phase.
    fn progress(&self, progress: Progress);
}

/// Hears nothing.
impl Observer for () {
    fn progress(&self, _progress: Progress) {}
}

/// Stops an ingest from outside, e.g. on Ctrl-C. What was staged is removed.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Not stopped yet.
    pub const fn new() -> Self {
        Cancel(AtomicBool::new(false))
    }

    /// Asks the ingest to stop; safe to call from a signal handler.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.0.load(Ordering::Relaxed) {
            Err(Problem::of(
                &codes::ING_CANCELLED,
                "the ingest was interrupted; nothing of it is left",
            ))
        } else {
            Ok(())
        }
    }
}

/// Rows between two looks at the flag and two reports.
const STRIDE: u64 = 1 << 14;

/// Counts within a phase, reports and looks at the flag now and then.
pub(crate) struct Pace<'a> {
    observer: &'a dyn Observer,
    cancel: &'a Cancel,
    phase: Phase,
    total: u64,
    count: u64,
}

impl<'a> Pace<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, cancel: &'a Cancel, phase: Phase, total: u64) -> Self {
        Pace {
            observer,
            cancel,
            phase,
            total,
            count: 0,
        }
    }

    /// One more row of a phase that is measured in something else.
    #[inline]
    pub(crate) fn row_with(&mut self, done: impl FnOnce() -> u64) -> Result<(), Problem> {
        self.count += 1;
        if self.count.is_multiple_of(STRIDE) {
            self.report(done())
        } else {
            Ok(())
        }
    }

    /// One more row of a phase that is measured in rows.
    #[inline]
    pub(crate) fn row(&mut self) -> Result<(), Problem> {
        let next = self.count + 1;
        self.row_with(|| next)
    }

    fn report(&self, done: u64) -> Result<(), Problem> {
        self.observer.progress(Progress {
            phase: self.phase,
            done,
            total: self.total,
            rows: self.count,
        });
        self.cancel.check()
    }

    /// The phase is over.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        self.report(self.total)
    }
}
