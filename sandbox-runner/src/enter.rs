//! The second process of a jail, `tre KIND SESSION`: shuts itself in, reports, and becomes the worker.

use std::env;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{getpid, setsid};

use crate::channel::Channel;
use crate::report::{DESCRIPTORS, DIES_WITH_PARENT, Hello, IDENTITY, PROCESS_NAMESPACE, Report, SESSION};
use crate::settings::{Jail, Title};
use crate::stage::{self, Because, EnterError, Failure, Steps};
use crate::{namespaces, privileges, root, rules};

/// A worker inside its jail.
#[derive(Debug)]
pub struct Jailed {
    /// The two words of its title.
    pub title: Title,
    /// What holds; the server has it too.
    pub report: Report,
    /// The way to the server.
    pub channel: Channel,
}

/// Shuts this process in and returns when the server has been told; call it in `main` before any thread or runtime.
///
/// The process must have been started by [`crate::spawn`], through [`crate::jail_main`]. On an error the server knows
/// already; print it to standard error and exit. Afterwards there is no file system but an empty directory (and what
/// the settings show), no network, no other process, no environment; standard input and output are `/dev/null`.
pub fn enter() -> Result<Jailed, EnterError> {
    let mut channel = stage::begin()?;
    let words: Vec<String> = env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let title = match words.as_slice() {
        [kind, session] => Title::new(kind, session).ok(),
        _ => None,
    };
    let title = title.ok_or_else(|| EnterError::Settings(words.join(" ")))?;
    let lifeline = stage::take(io::stdout().as_fd(), |null| nix::unistd::dup2_stdout(null))?;
    let jail = stage::receive_settings(&mut channel, &title)?;
    match shut_in(&jail, &channel, &lifeline).and_then(|report| announce(&mut channel, report)) {
        Ok(report) => Ok(Jailed {
            title,
            report,
            channel,
        }),
        Err(error) => Err(stage::refuse(&mut channel, error)),
    }
}

/// The measures, in the order in which the earlier ones make the later ones possible.
fn shut_in(jail: &Jail, channel: &Channel, lifeline: &OwnedFd) -> Result<Report, EnterError> {
    let mut steps = Steps::new(jail);
    steps.record(IDENTITY, privileges::identity())?;
    steps.record(
        DESCRIPTORS,
        Ok("all inherited files but 0, 1 and 2 are closed".to_owned()),
    )?;
    steps.record(SESSION, own_session())?;
    steps.record(PROCESS_NAMESPACE, first_of_its_namespace())?;
    namespaces::separate(&mut steps)?;
    root::leave_host_files(&mut steps, jail)?;
    privileges::give_up(&mut steps, jail)?;
    rules::bind(&mut steps, jail)?;
    steps.record(DIES_WITH_PARENT, die_with_parent())?;
    steps.report.complete();
    // Only now: whoever died before the line above sent no signal, but closed its ends.
    if stage::hung_up(lifeline.as_fd())
        .and_then(|gone| Ok(gone || stage::hung_up(channel.as_fd())?))
        .map_err(|e| EnterError::Os("look for the parent", e.into()))?
    {
        return Err(EnterError::ParentGone);
    }
    Ok(steps.report)
}

fn announce(channel: &mut Channel, report: Report) -> Result<Report, EnterError> {
    stage::say(channel, &Hello::Ready(report.clone()), &[])?;
    Ok(report)
}

fn own_session() -> Result<String, Failure> {
    setsid().because("begin a session")?;
    Ok("own session without a terminal".to_owned())
}

fn first_of_its_namespace() -> Result<String, Failure> {
    if getpid().as_raw() != 1 {
        return Err(Failure("the worker sees the host's processes".to_owned()));
    }
    Ok("first process of its own namespace".to_owned())
}

fn die_with_parent() -> Result<String, Failure> {
    prctl::set_pdeathsig(Signal::SIGKILL).because("tie itself to its launcher")?;
    Ok("SIGKILL when launcher or server dies".to_owned())
}
