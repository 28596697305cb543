//! Named points at which a test may end the process, before and after every step that makes something durable.
//!
//! They are compiled in always, so that what is tested is what runs. A point acts only where the environment has
//! `TRE_FAILPOINTS=1` and `TRE_FAILPOINT=NAME`, or `NAME#N` for the N-th time that it is reached; the process then
//! aborts, with nothing cleaned up, as after `kill -9`. The environment is read once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A durable step with the points before and after it.
#[derive(Debug)]
pub struct Step {
    /// Point before the step.
    pub before: &'static str,
    /// Point after it.
    pub after: &'static str,
}

impl Step {
    /// Runs the step between its points. A step that failed does not reach the second.
    pub fn run<T, E>(&self, effect: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        hit(self.before);
        let done = effect()?;
        hit(self.after);
        Ok(done)
    }

    /// As [`Step::run`] for a step that is awaited.
    pub async fn wait<T, E>(&self, effect: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        hit(self.before);
        let done = effect.await?;
        hit(self.after);
        Ok(done)
    }
}

/// Declares the steps and [`ALL`], the list of their points.
macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: Step =
                Step { before: concat!($text, ".before"), after: concat!($text, ".after") };
        )*

        /// Every point of this crate, for tests that end a process at each.
        pub static ALL: &[&str] = &[$(concat!($text, ".before"), concat!($text, ".after")),*];
    };
}

steps! {
    /// Directories of a new home.
    INIT_DIRECTORIES = "init.directories";
    /// Keys of a new home.
    INIT_KEYS = "init.keys";
    /// Its self-signed certificate.
    INIT_CERTIFICATE = "init.certificate";
    /// Its policies.
    INIT_POLICIES = "init.policies";
    /// Its database.
    INIT_STORE = "init.store";
    /// Its audit log with the first entry.
    INIT_LOG = "init.log";
    /// `tre.toml`, which makes it a home.
    INIT_CONFIG = "init.config";

    /// Entries reach the pending file.
    AUDIT_PENDING = "audit.pending";
    /// Their bundle is written.
    AUDIT_BUNDLE = "audit.bundle";
    /// Their hash tile is written.
    AUDIT_TILE = "audit.tile";
    /// The signed checkpoint covers them.
    AUDIT_CHECKPOINT = "audit.checkpoint";
    /// The pending file is emptied.
    AUDIT_RESET = "audit.reset";
    /// Partial tiles that wider ones replace are removed.
    AUDIT_TIDY = "audit.tidy";

    /// The next generation of a registry file is complete under another name.
    REGISTRY_WRITE = "registry.write";
    /// It takes the place of the old one.
    REGISTRY_RENAME = "registry.rename";

    /// The files of a version reach the disk, still in staging.
    PUBLISH_FILES = "publish.files";
    /// The version's directory takes its name.
    PUBLISH_RENAME = "publish.rename";

    /// A project's row is committed.
    STORE_PROJECT = "store.project";
    /// A project is closed: key and drafts are gone from the rows.
    STORE_CLOSE = "store.close";
    /// And from the write-ahead log.
    STORE_SCRUB = "store.scrub";
    /// A token's row is committed.
    STORE_TOKEN = "store.token";
    /// A session's row is committed.
    STORE_SESSION = "store.session";
    /// A request's row is committed.
    STORE_REQUEST = "store.request";
    /// A review's row is committed.
    STORE_REVIEW = "store.review";
    /// A release's row is committed.
    STORE_RELEASE = "store.release";
    /// An answer is in the ledger.
    STORE_LEDGER = "store.ledger";
}

/// Ends the process here if the environment asks for it. Other crates name points of their own.
pub fn hit(name: &str) {
    if let Some(armed) = armed()
        && armed.name == name
        && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

struct Armed {
    name: String,
    left: AtomicU64,
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    ARMED
        .get_or_init(|| from_environment(variable("TRE_FAILPOINTS"), variable("TRE_FAILPOINT")))
        .as_ref()
}

fn from_environment(allowed: Option<String>, wanted: Option<String>) -> Option<Armed> {
    if allowed.as_deref() != Some("1") {
        return None;
    }
    let wanted = wanted?;
    let (name, count) = match wanted.split_once('#') {
        Some((name, count)) => (name.to_owned(), count.parse().ok()?),
        None => (wanted, 1),
    };
    Some(Armed {
        name,
        left: AtomicU64::new(count),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that reads the environment, once"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn nothing_acts_without_permission() {
        let wanted = || Some("audit.pending.after#3".to_owned());
        assert!(from_environment(None, wanted()).is_none());
        assert!(from_environment(Some("yes".to_owned()), wanted()).is_none());
        assert!(from_environment(Some("1".to_owned()), None).is_none());
        let armed = from_environment(Some("1".to_owned()), wanted()).unwrap();
        assert_eq!(
            (armed.name.as_str(), armed.left.into_inner()),
            ("audit.pending.after", 3)
        );
    }

    #[test]
    fn points_are_unique() {
        let unique: std::collections::BTreeSet<_> = ALL.iter().collect();
        assert_eq!(unique.len(), ALL.len());
    }
}
