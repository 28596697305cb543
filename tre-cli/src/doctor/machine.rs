//! What this machine can enforce, and whether its clock can be believed.

use jiff::{Timestamp, civil};
use sandbox_runner::{Launch, RunAs, probe};

use super::{CheckRow, State};

/// Looks at the machine. `run_as` is whom workers become when the server is root, `tolerated` what tre.toml allows to
/// be missing.
pub(crate) fn checks(now: Timestamp, run_as: Option<RunAs>, tolerated: &[String]) -> Vec<CheckRow> {
    let mut rows: Vec<CheckRow> = jail(run_as, tolerated);
    rows.push(clock(now));
    rows
}

/// Every measure of the jail, as a jail that is thrown away found it.
fn jail(run_as: Option<RunAs>, tolerated: &[String]) -> Vec<CheckRow> {
    let row = |check: sandbox_runner::Check| {
        let (ok, tolerated) = (check.ok, tolerated.contains(&check.name));
        // Measures that no version has yet are told, so that nobody takes them for granted.
        let absent = !ok && !sandbox_runner::MEASURES.contains(&check.name.as_str()) && check.name != "jail";
        match (ok, absent, tolerated) {
            (true, _, _) => CheckRow::ok("jail", check.name, check.detail),
            (false, true, _) => CheckRow::new("jail", check.name, State::Warn, check.detail),
            (false, false, true) => CheckRow::new(
                "jail",
                check.name,
                State::Warn,
                format!("tolerated by tre.toml: {}", check.detail),
            ),
            (false, false, false) => CheckRow::fail("jail", check.name, check.detail)
                .fix("use a kernel that enforces it; without it no session starts"),
        }
    };
    probe(&Launch::default(), run_as).into_iter().map(row).collect()
}

/// The program was written in 2026: an earlier clock is wrong, and tokens and permits would be judged by it.
fn clock(now: Timestamp) -> CheckRow {
    let written = civil::date(2026, 1, 1)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map(|day| day.timestamp());
    let found = format!("{}", now.strftime("%Y-%m-%dT%H:%M:%SZ"));
    match written {
        Ok(written) if now < written => CheckRow::fail("machine", "clock", format!("{found} is in the past"))
            .fix("set the clock, best by NTP"),
        Ok(_) | Err(_) => CheckRow::ok("machine", "clock", found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_the_past_fails() {
        assert_eq!(clock(Timestamp::UNIX_EPOCH).state, State::Fail);
        let later = Timestamp::from_second(1_800_000_000).map(|now| clock(now).state);
        assert!(matches!(later, Ok(State::Ok)));
    }
}
