//! What the clients of a session have set up: options, planned queries, and their answers once there are some.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use futures::future::AbortHandle;
use tre_core::ids::SessionId;

use super::handles::{Handles, Kept};
use crate::pipeline::{Answer, Prepared};

/// A planned query under its handle.
#[derive(Debug)]
pub(super) struct Statement {
    /// 256 random bits, in hex.
    pub(super) handle: String,
    /// The plan.
    pub(super) prepared: Prepared,
    /// The answer; whoever holds the lock makes it.
    pub(super) answer: tokio::sync::Mutex<Option<Arc<Answer>>>,
    running: Mutex<Option<AbortHandle>>,
}

impl Statement {
    /// A statement without an answer.
    pub(super) fn new(handle: String, prepared: Prepared) -> Self {
        Statement {
            handle,
            prepared,
            answer: tokio::sync::Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// From here on, until `None`, [`Statement::cancel`] stops the query.
    pub(super) fn set_running(&self, running: Option<AbortHandle>) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }

    /// Stops the query if it runs; says whether it did. Whoever awaits the answer drops it, and with it the worker.
    pub(super) fn cancel(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        running.map(|handle| handle.abort()).is_some()
    }
}

impl Kept for Statement {
    fn bytes(&self) -> usize {
        let answer = self.answer.try_lock().ok().and_then(|answer| answer.clone());
        answer.map_or(0, |answer| {
            answer
                .batches
                .iter()
                .map(RecordBatch::get_array_memory_size)
                .sum()
        })
    }
}

/// What the clients of one session have set up.
#[derive(Debug)]
pub(super) struct Client {
    /// Its statements.
    pub(super) statements: Handles<Statement>,
    disclosure: AtomicBool,
}

impl Default for Client {
    fn default() -> Self {
        Client {
            statements: Handles::default(),
            disclosure: AtomicBool::new(true),
        }
    }
}

impl Client {
    /// Whether answers end with the column `disclosure`.
    pub(super) fn disclosure(&self) -> bool {
        self.disclosure.load(Ordering::Relaxed)
    }

    /// Sets it for statements to come.
    pub(super) fn set_disclosure(&self, on: bool) {
        self.disclosure.store(on, Ordering::Relaxed);
    }
}

/// The clients of all living sessions.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<HashMap<SessionId, Arc<Client>>>);

impl Clients {
    /// What the clients of `session` have set up. Forgets those of sessions that are not `living` any more, with their
    /// answers.
    pub(super) fn of(&self, session: &SessionId, living: &[SessionId]) -> Arc<Client> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.retain(|id, _| id == session || living.contains(id));
        Arc::clone(clients.entry(session.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_share_nothing_and_what_ended_is_forgotten() {
        let (one, other) = (SessionId::from_random([1; 10]), SessionId::from_random([2; 10]));
        let clients = Clients::default();
        let living = [one.clone(), other.clone()];
        let first = clients.of(&one, &living);
        first.set_disclosure(false);
        assert!(clients.of(&other, &living).disclosure());
        assert!(Arc::ptr_eq(&first, &clients.of(&one, &living)));
        clients.of(&other, std::slice::from_ref(&other));
        assert!(clients.of(&one, &living).disclosure(), "it ended in between");
    }
}
