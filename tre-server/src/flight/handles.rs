//! Things under random handles, for one session: forgotten when unused for long, or when there are too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tre_core::codes::{self, Problem};

/// Most things of a session; one more makes it forget the one that was not used for longest. Clients that bind values
/// leave the unbound statement behind.
const MOST: usize = 128;
/// What was not used for so long is forgotten.
const TIME_TO_LIVE: SignedDuration = SignedDuration::from_mins(15);
/// Most bytes that the things of a session hold together.
const MOST_BYTES: usize = 256 << 20;

/// Something that is kept under a handle.
pub(super) trait Kept {
    /// Bytes that it holds now.
    fn bytes(&self) -> usize;
}

/// The things of one session.
#[derive(Debug)]
pub(super) struct Handles<T> {
    known: Mutex<HashMap<String, Known<T>>>,
}

#[derive(Debug)]
struct Known<T> {
    thing: Arc<T>,
    used: Timestamp,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Handles {
            known: Mutex::default(),
        }
    }
}

impl<T: Kept> Handles<T> {
    /// Keeps a thing.
    pub(super) fn put(&self, handle: String, thing: Arc<T>, now: Timestamp) {
        let mut known = self.lock();
        forget_old(&mut known, now);
        while known.len() >= MOST
            || known.values().map(|known| known.thing.bytes()).sum::<usize>() > MOST_BYTES
        {
            let oldest = known
                .iter()
                .min_by_key(|(_, known)| known.used)
                .map(|(handle, _)| handle.clone());
            let Some(oldest) = oldest else { break };
            known.remove(&oldest);
        }
        known.insert(handle, Known { thing, used: now });
    }

    /// The thing under a handle.
    ///
    /// # Errors
    /// `TRE-RUN-007` when it is not known here, or not any longer.
    pub(super) fn get(&self, handle: &[u8], now: Timestamp) -> Result<Arc<T>, Problem> {
        let mut known = self.lock();
        forget_old(&mut known, now);
        match std::str::from_utf8(handle)
            .ok()
            .and_then(|handle| known.get_mut(handle))
        {
            Some(known) => {
                known.used = now;
                Ok(Arc::clone(&known.thing))
            }
            None => Err(Problem::of(
                &codes::RUN_UNKNOWN_HANDLE,
                codes::RUN_UNKNOWN_HANDLE.title,
            )),
        }
    }

    /// Forgets a thing.
    pub(super) fn remove(&self, handle: &[u8]) {
        if let Ok(handle) = std::str::from_utf8(handle) {
            self.lock().remove(handle);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known<T>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget_old<T>(known: &mut HashMap<String, Known<T>>, now: Timestamp) {
    known.retain(|_, known| now.duration_since(known.used) < TIME_TO_LIVE);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    struct Thing(usize);

    impl Kept for Thing {
        fn bytes(&self) -> usize {
            self.0
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + 60 * minutes).unwrap()
    }

    fn put(handles: &Handles<Thing>, handle: &str, bytes: usize, when: Timestamp) {
        handles.put(handle.to_owned(), Arc::new(Thing(bytes)), when);
    }

    #[test]
    fn a_thing_lives_as_long_as_it_is_used() {
        let handles = Handles::default();
        put(&handles, "a", 0, at(0));
        assert!(handles.get(b"a", at(14)).is_ok());
        assert!(handles.get(b"a", at(28)).is_ok());
        assert_eq!(handles.get(b"a", at(43)).err().unwrap().code.id, "TRE-RUN-007");
        assert!(handles.get(b"\xff", at(0)).is_err());
    }

    #[test]
    fn a_client_that_leaks_loses_the_oldest() {
        let handles = Handles::default();
        for i in 0..=i64::try_from(MOST).unwrap() {
            put(
                &handles,
                &i.to_string(),
                0,
                at(0) + SignedDuration::from_millis(i),
            );
        }
        assert!(handles.get(b"0", at(0)).is_err());
        assert!(handles.get(b"1", at(0)).is_ok());
        assert_eq!(handles.lock().len(), MOST);
    }

    #[test]
    fn large_answers_make_room_for_each_other() {
        let handles = Handles::default();
        put(&handles, "old", MOST_BYTES, at(0));
        put(&handles, "new", MOST_BYTES, at(1));
        put(&handles, "newest", 0, at(2));
        assert!(handles.get(b"old", at(2)).is_err());
        assert!(handles.get(b"new", at(2)).is_ok() && handles.get(b"newest", at(2)).is_ok());
    }

    #[test]
    fn what_was_closed_is_not_known_any_more() {
        let handles = Handles::default();
        put(&handles, "a", 0, at(0));
        handles.remove(b"a");
        assert!(handles.get(b"a", at(0)).is_err());
    }
}
