//! Desks and data workers, found by their titles among the processes of the machine.

use std::fs;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Processes whose title is exactly `tre KIND SESSION`, KIND being `desk` or `data`.
pub fn workers(kind: &str, session: &str) -> Result<Vec<Pid>> {
    let title = format!("tre {kind} {session}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // A process may end while it is looked at.
        if self::title(pid).is_some_and(|of| of == title) && !is_zombie(pid) {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

/// All processes of a session, launchers included.
pub fn of_session(session: &str) -> Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let words = title(pid).unwrap_or_default();
        if words.split(' ').any(|word| word == session) && words.contains("tre") && !is_zombie(pid) {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

/// Processor time that a process has used so far, in clock ticks (hundredths of a second).
pub fn ticks(pid: Pid) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The fields after the name, which may hold anything: state is the first, user and system time the 12th and 13th.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let field = |at: usize| -> Result<u64> { Ok(fields.get(at).context("a short stat")?.parse()?) };
    Ok(field(11)? + field(12)?)
}

/// `kill -9`. A process that has ended already is no error.
pub fn kill_9(pid: Pid) {
    let _gone = kill(pid, Signal::SIGKILL);
}

fn title(pid: i32) -> Option<String> {
    let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words = String::from_utf8(words).ok()?;
    Some(words.trim_end_matches('\0').replace('\0', " "))
}

/// A dead process that its parent has not looked at yet.
fn is_zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X']))
}
