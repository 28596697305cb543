//! What this host can enforce, found out by a jail that is thrown away.

use std::io::{self, Write};

use crate::channel::ChannelError;
use crate::enter::enter;
use crate::launcher::with_sources;
use crate::report::{MEASURES, State};
use crate::settings::{Jail, RunAs};
use crate::spawn::{Launch, spawn};

pub(crate) const KIND: &str = "probe";
pub(crate) const SESSION: &str = "host";

/// One line of `tre doctor`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// The measure.
    pub name: String,
    /// Whether this host enforces it.
    pub ok: bool,
    /// How, or why not.
    pub detail: String,
}

/// Tries every measure in a throwaway jail that tolerates each failure. `run_as` as in [`Jail::run_as`].
///
/// The running program must call [`crate::jail_main`]. If the jail cannot even start, one check named `jail` says why.
pub fn probe(launch: &Launch, run_as: Option<RunAs>) -> Vec<Check> {
    let jail = Jail::new(KIND, SESSION).and_then(|jail| {
        let jail = run_as.into_iter().fold(jail, Jail::run_as);
        MEASURES
            .iter()
            .filter(|name| **name != crate::report::IDENTITY)
            .try_fold(jail, |jail, name| jail.tolerate(name))
    });
    let worker = jail.map_err(|e| e.to_string()).and_then(|mut jail| {
        // So that the jail's `/tmp` is tried as well.
        jail.temporary_bytes = 1 << 20;
        spawn(&jail, launch).map_err(|error| with_sources(&error))
    });
    match worker {
        Ok(worker) => worker
            .report()
            .measures
            .iter()
            .map(|measure| Check {
                name: measure.name.clone(),
                ok: measure.state == State::Enforced,
                detail: measure.detail.clone(),
            })
            .collect(),
        Err(detail) => vec![Check {
            name: "jail".to_owned(),
            ok: false,
            detail,
        }],
    }
}

/// The probe's worker: does nothing until the server has seen enough.
pub(crate) fn inside() -> i32 {
    let error = match enter() {
        Ok(mut jailed) => match jailed.channel.receive() {
            Err(ChannelError::Closed) => return 0,
            Ok(_) => "the probe has nothing to do".to_owned(),
            Err(error) => with_sources(&error),
        },
        Err(error) => with_sources(&error),
    };
    // Standard error may be closed; the exit code remains.
    let _unheard = writeln!(io::stderr(), "tre {KIND}: {error}");
    1
}
