//! A jail that cannot be is refused, with the reason; nothing of it is left.

use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox_runner::{Exit, Jail, Launch, SpawnError, spawn};

use crate::harness::{is_root, jail, jail_of_kind, launch, program};

fn failure(jail: &Jail, launch: &Launch) -> SpawnError {
    match spawn(jail, launch) {
        Ok(worker) => panic!("there is a worker {}", worker.pid()),
        Err(error) => error,
    }
}

#[test]
fn as_root_a_user_must_be_named() {
    if is_root() {
        let error = failure(&Jail::new("desk", "ses_x").unwrap(), &launch());
        assert!(matches!(error, SpawnError::RootWithoutUser));
    }
}

#[test]
fn a_program_that_is_not_there() {
    let launch = Launch {
        program: "/nonexistent/tre".into(),
        ..launch()
    };
    let error = failure(&jail(), &launch);
    assert!(matches!(error, SpawnError::Start { .. }));
    assert_eq!(
        error.to_string(),
        "cannot start the jail's launcher `/nonexistent/tre`"
    );
}

#[test]
fn a_program_that_is_something_else() {
    let launch = Launch {
        program: "/bin/echo".into(),
        ..launch()
    };
    assert!(matches!(
        failure(&jail(), &launch),
        SpawnError::Ended {
            exit: Exit::Code(0),
            ..
        }
    ));
}

#[test]
fn a_worker_that_has_threads_already() {
    let error = failure(&jail_of_kind("threads", "ses_x"), &launch());
    assert!(
        matches!(
            error,
            SpawnError::Ended {
                exit: Exit::Code(3),
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("the jail was entered with 2 threads running"),
        "{error}"
    );
}

#[test]
fn a_worker_that_ends_first() {
    let error = failure(&jail_of_kind("early", "ses_x"), &launch());
    assert!(
        matches!(
            error,
            SpawnError::Ended {
                exit: Exit::Code(7),
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("; standard error: no wish to be jailed"),
        "{error}"
    );
}

#[test]
fn a_worker_that_never_reports_is_killed() {
    let launch = Launch {
        ready_within: Duration::from_millis(300),
        ..launch()
    };
    let error = failure(&jail_of_kind("hang", "ses_x"), &launch);
    assert!(matches!(error, SpawnError::TimedOut { .. }), "{error}");
}

#[test]
fn a_worker_that_speaks_another_language() {
    let error = failure(&jail_of_kind("garbage", "ses_x"), &launch());
    assert!(matches!(error, SpawnError::Misunderstood { .. }), "{error}");
}

#[test]
fn what_cannot_be_shown_is_named() {
    let jail = jail().show("/nonexistent/data".into(), "/data".into()).unwrap();
    let error = failure(&jail, &launch()).to_string();
    assert!(error.contains("`empty-root` cannot be enforced"), "{error}");
    assert!(error.contains("show `/nonexistent/data`"), "{error}");
}

#[test]
fn people_who_type_the_servers_commands_are_told() {
    for words in [["jail", "desk", "ses_x"].as_slice(), &["desk", "ses_x"]] {
        let output = Command::new(program())
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains("it starts workers by it, people do not"),
            "{words:?}: {text}"
        );
    }
}

#[test]
fn a_title_that_is_no_title_starts_nothing() {
    let output = Command::new(program())
        .args(["jail", "desk", "a b"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("`a b` is no session title")
    );
}
