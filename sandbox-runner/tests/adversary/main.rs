//! Launcher and adversaries of the jail's tests.

fn main() {
    sandbox_runner::jail_main();
}
