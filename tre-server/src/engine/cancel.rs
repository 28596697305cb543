//! Stopping a query from another thread.

use std::sync::{Mutex, PoisonError};

use sandbox_runner::Killer;
use tre_core::codes::{self, Problem};

/// The way to stop one running query: the worker that has it at the moment is killed, and no other gets it.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cancelled: bool,
    killer: Option<Killer>,
}

impl Cancel {
    /// Stops the query, now or at its next step.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        if let Some(killer) = state.killer.take()
            && let Err(error) = killer.kill()
        {
            tracing::error!(%error, "a worker could not be killed");
        }
    }

    /// Whether somebody has stopped it.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// From here on a worker has the query.
    ///
    /// # Errors
    /// `TRE-RUN-009` when it was stopped before.
    pub(super) fn arm(&self, killer: Killer) -> Result<(), Problem> {
        let mut state = self.lock();
        if state.cancelled {
            return Err(cancelled());
        }
        state.killer = Some(killer);
        Ok(())
    }

    /// No worker has it any more.
    pub(super) fn disarm(&self) {
        self.lock().killer = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The query was stopped.
pub(crate) fn cancelled() -> Problem {
    Problem::of(&codes::RUN_CANCELLED, "the query was cancelled")
}

/// Cancels when dropped, unless it was defused: a connection that is lost drops it.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(Option<std::sync::Arc<Cancel>>);

impl CancelOnDrop {
    /// Watches over a query.
    pub(crate) fn new(cancel: std::sync::Arc<Cancel>) -> Self {
        CancelOnDrop(Some(cancel))
    }

    /// The query has ended.
    pub(crate) fn defuse(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = self.0.take() {
            cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_lost_connection_cancels_and_a_finished_call_does_not() {
        let lost = Arc::new(Cancel::default());
        drop(CancelOnDrop::new(Arc::clone(&lost)));
        assert!(lost.is_cancelled());
        let finished = Arc::new(Cancel::default());
        CancelOnDrop::new(Arc::clone(&finished)).defuse();
        assert!(!finished.is_cancelled());
    }
}
