//! Killing by the clock: one thread of the supervisor watches all deadlines.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::worker::Killer;

/// A jail's time limit. Dropping it lifts the limit.
#[derive(Debug)]
#[must_use = "dropping a deadline lifts it"]
pub struct Deadline {
    key: Key,
    expired: Arc<AtomicBool>,
}

impl Deadline {
    /// Whether the jail was killed because of this deadline.
    pub fn has_expired(&self) -> bool {
        self.expired.load(Ordering::SeqCst)
    }

    /// Lifts the limit and says whether it had struck before.
    pub fn lift(self) -> bool {
        self.remove();
        self.has_expired()
    }

    fn remove(&self) {
        TIMER.lock().pending.remove(&self.key);
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The number tells deadlines of one instant apart.
type Key = (Instant, u64);

static TIMER: Timer = Timer {
    state: Mutex::new(State {
        pending: BTreeMap::new(),
        running: false,
    }),
    changed: Condvar::new(),
    next: AtomicU64::new(0),
};

struct Timer {
    state: Mutex<State>,
    changed: Condvar,
    next: AtomicU64,
}

struct State {
    pending: BTreeMap<Key, (Killer, Arc<AtomicBool>)>,
    running: bool,
}

impl Timer {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = state.pending.first_entry().map(|first| (first.key().0, first));
            state = match due {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some((when, first)) if when <= now => {
                    let (killer, expired) = first.remove();
                    expired.store(true, Ordering::SeqCst);
                    // It fails only for a jail that has ended, which is what was wanted.
                    let _ended_already = killer.kill();
                    state
                }
                Some((when, _)) => {
                    let left = when.saturating_duration_since(now);
                    self.changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

/// Kills by `killer` at `when`, unless the deadline is dropped before.
pub(crate) fn arm(when: Instant, killer: Killer) -> io::Result<Deadline> {
    let mut state = TIMER.lock();
    if !state.running {
        thread::Builder::new()
            .name("jail-deadlines".to_owned())
            .spawn(|| TIMER.run())?;
        state.running = true;
    }
    let key = (when, TIMER.next.fetch_add(1, Ordering::Relaxed));
    let expired = Arc::new(AtomicBool::new(false));
    state.pending.insert(key, (killer, Arc::clone(&expired)));
    TIMER.changed.notify_one();
    Ok(Deadline { key, expired })
}
