//! Who the worker is, what it may use, and that it never gets more.

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, getgroups, getresgid, getresuid, setuid};

use crate::report::{CAPABILITIES, LIMITS, NO_NEW_PRIVILEGES, NOT_DUMPABLE, Refusal};
use crate::settings::Jail;
use crate::stage::{Because, Failure, Steps};
use crate::sys;

/// Checks what the launcher did, from inside.
pub(crate) fn identity() -> Result<String, Failure> {
    let (users, groups) = (getresuid()?, getresgid()?);
    if [users.effective, users.saved]
        .iter()
        .any(|user| *user != users.real)
        || [groups.effective, groups.saved]
            .iter()
            .any(|group| *group != groups.real)
    {
        return Err(Failure(
            "real, effective and saved user or group differ".to_owned(),
        ));
    }
    if users.real.is_root() || groups.real.as_raw() == 0 {
        return Err(Failure(
            "a worker runs neither as user 0 nor in group 0".to_owned(),
        ));
    }
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(Failure("user 0 could be taken".to_owned()));
    }
    // Only root can leave groups, so a server that is not root hands its own down; no file is left that they open.
    let others = getgroups()?
        .into_iter()
        .filter(|group| *group != groups.real)
        .count();
    let others = if others == 0 {
        "no other groups".to_owned()
    } else {
        format!("{others} of the server's groups")
    };
    Ok(format!("user {}, group {}, {others}", users.real, groups.real))
}

pub(crate) fn give_up(steps: &mut Steps<'_>, jail: &Jail) -> Result<(), Refusal> {
    steps.record(LIMITS, limit(jail))?;
    steps.record(CAPABILITIES, capabilities())?;
    steps.record(NO_NEW_PRIVILEGES, no_new_privileges())?;
    steps.record(NOT_DUMPABLE, not_dumpable())
}

fn limit(jail: &Jail) -> Result<String, Failure> {
    let limits = [
        (Resource::RLIMIT_CORE, "core", Some(0)),
        (Resource::RLIMIT_FSIZE, "file bytes", Some(jail.temporary_bytes)),
        (Resource::RLIMIT_NOFILE, "files", Some(jail.open_files)),
        // Counted within the worker's own user namespace (kernel 5.14 and later), so workers do not share it.
        (Resource::RLIMIT_NPROC, "threads", Some(jail.processes)),
        // Soft and hard alike: the first process of a namespace ignores the soft limit's SIGXCPU.
        (Resource::RLIMIT_CPU, "CPU seconds", jail.cpu_seconds),
        (Resource::RLIMIT_AS, "bytes of memory", Some(jail.memory_bytes)),
    ];
    let mut said = Vec::new();
    for (resource, unit, wanted) in limits {
        let Some(wanted) = wanted else { continue };
        let (_, hard) = getrlimit(resource).because(unit)?;
        let value = wanted.min(hard);
        setrlimit(resource, value, value).because(unit)?;
        said.push(format!("{value} {unit}"));
    }
    Ok(said.join(", "))
}

fn capabilities() -> Result<String, Failure> {
    // What is held is dropped even where the bounding set has to stay.
    let bounding = sys::empty_bounding_set();
    sys::drop_capabilities()?;
    bounding.because("none is held, but the bounding set stays")?;
    Ok("none, and none to be had".to_owned())
}

fn no_new_privileges() -> Result<String, Failure> {
    prctl::set_no_new_privs()?;
    if !prctl::get_no_new_privs()? {
        return Err(Failure("the kernel did not keep the flag".to_owned()));
    }
    Ok("set-uid programs give nothing".to_owned())
}

fn not_dumpable() -> Result<String, Failure> {
    prctl::set_dumpable(false)?;
    if prctl::get_dumpable()? {
        return Err(Failure("the kernel did not keep the flag".to_owned()));
    }
    Ok("no core files, no tracing from inside".to_owned())
}
