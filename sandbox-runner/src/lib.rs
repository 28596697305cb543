//! sandbox-runner.
