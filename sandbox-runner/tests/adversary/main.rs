//! Launcher and adversaries of the jail's tests: one program, because a jail begins with an exec of its own program.
//!
//! Inside a jail its kind says what it does (see [`worker`]). Outside, its first word does:
//!
//! * `attack [--as UID] WORDS…`: one attack without a jail, as the control of the same attack inside;
//! * `victim [--as UID]`: lives until its standard input closes, for others to attack;
//! * `serve [--as UID]`: a server with one worker, for tests that kill the server;
//! * `crippled [--as UID] TOLERATED…`: a server on a host without user namespaces;
//! * `latency N`: the median time from spawn to report.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program of the tests: it talks to them, and fails by panicking"
)]

mod attacks;
mod raw;
mod servers;
mod worker;

fn main() {
    sandbox_runner::jail_main();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let [command, "--as", uid, rest @ ..] = words.as_slice() {
        servers::become_user(uid.parse().expect("a user's number"));
        words = [&[*command], rest].concat();
    }
    match words.as_slice() {
        ["attack", attack @ ..] => println!("{}", attacks::run(attack)),
        ["victim"] => servers::victim(),
        ["serve"] => servers::serve(),
        ["crippled", tolerated @ ..] => servers::crippled(tolerated),
        ["latency", times] => servers::latency(times.parse().expect("a number of times")),
        [kind, _session] => worker::run(kind),
        other => panic!("{other:?} is nothing that this program does"),
    }
}
