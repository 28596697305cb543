//! Times, peak memory, tables of them, and targets.

mod table;
mod targets;

pub use table::{Align, Table};
pub use targets::{Compared, GOAL, geometric_mean, misses};

use std::time::{Duration, Instant};

use anyhow::Result;

/// What a piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Wall-clock time.
    pub time: Duration,
    /// The process's largest resident set while it ran, in bytes; `None` where the system does not say.
    pub peak: Option<u64>,
}

/// Does a piece of work and says what it took.
///
/// The peak is that of the whole process: what was resident before, counts. Where the kernel does not permit its reset
/// (see [`reset_peak`]), it is the largest since the process began.
///
/// # Errors
/// What the work answers.
pub fn measured<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Cost)> {
    reset_peak();
    let begun = Instant::now();
    let done = work()?;
    let time = begun.elapsed();
    Ok((done, Cost { time, peak: peak() }))
}

/// Median times and the largest peak of several runs; `None` of no runs.
pub fn typical(runs: &[Cost]) -> Option<Cost> {
    let time = median(runs.iter().map(|run| run.time).collect())?;
    Some(Cost {
        time,
        peak: runs.iter().filter_map(|run| run.peak).max(),
    })
}

/// The middle one, the later of two; `None` of nothing.
pub fn median<T: Ord + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Lets the peak begin anew at what is resident now; `false` where that is not permitted.
pub fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

/// The process's largest resident set, in bytes, since its start or the last [`reset_peak`].
pub fn peak() -> Option<u64> {
    peak_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The `VmHWM` of a status file, which is in units of 1024 bytes whatever it calls them.
fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_of_the_sorted() {
        assert_eq!(median(vec![9, 1, 5, 3, 7]), Some(5));
        assert_eq!(median(vec![2, 1]), Some(2));
        assert_eq!(median::<u8>(vec![]), None);
    }

    #[test]
    fn runs_are_summed_up_by_median_time_and_largest_peak() {
        let run = |ms, peak| Cost {
            time: Duration::from_millis(ms),
            peak,
        };
        let runs = [run(30, Some(1)), run(10, Some(4)), run(20, None)];
        assert_eq!(typical(&runs), Some(run(20, Some(4))));
        assert_eq!(typical(&[]), None);
    }

    #[test]
    fn the_peak_is_read_from_the_status_file() {
        assert_eq!(
            peak_of("Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t    2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(peak_of("Name:\tx\n"), None);
        assert_eq!(peak_of("VmHWM:\tmuch\n"), None);
    }
}
