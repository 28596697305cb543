//! Waiting for a condition. The condition is looked at again and again; time alone never counts as an event.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Patience with whatever takes seconds on an idle machine; tests may run on a crowded one.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Looks until there is something, or the deadline has passed: then the error names what was waited for.
pub fn until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() >= deadline {
            bail!("waited {} s in vain for: {what}", deadline.as_secs());
        }
        thread::sleep(PAUSE);
    }
}

/// As [`until`], for a condition that holds or does not.
pub fn holds(what: &str, deadline: Duration, mut look: impl FnMut() -> Result<bool>) -> Result<()> {
    until(what, deadline, || Ok(look()?.then_some(())))
}
