//! What is enforced is reported, and what a host cannot enforce is refused or, if tolerated, said.

use sandbox_runner::{IDENTITY, MEASURES, RunAs, State, probe};

use crate::harness::{WORKERS, adversary, is_root, jail, launch, start};

#[test]
fn the_report_names_every_measure_and_what_is_still_missing() {
    let worker = start(&jail());
    let report = worker.report();
    assert!(report.is_complete(), "{report:?}");
    let names: Vec<&str> = report
        .measures
        .iter()
        .map(|measure| measure.name.as_str())
        .collect();
    assert_eq!(names, [MEASURES, &["seccomp", "cgroup"]].concat());
    for name in ["seccomp", "cgroup"] {
        let measure = report.measure(name).unwrap();
        assert_eq!(
            (measure.state, measure.detail.as_str()),
            (State::Absent, "not in this version")
        );
    }
}

#[test]
fn a_probe_reports_this_host() {
    let run_as = is_root().then(|| RunAs::new(WORKERS, WORKERS).unwrap());
    let checks = probe(&launch(), run_as);
    for check in &checks {
        assert_eq!(check.ok, MEASURES.contains(&check.name.as_str()), "{check:?}");
    }
    assert_eq!(checks.len(), MEASURES.len() + 2);
}

#[test]
fn a_probe_that_cannot_start_says_why() {
    let nobody = sandbox_runner::Launch {
        program: "/nonexistent/tre".into(),
        ..launch()
    };
    let run_as = is_root().then(|| RunAs::new(WORKERS, WORKERS).unwrap());
    let checks = probe(&nobody, run_as);
    assert_eq!(checks.len(), 1);
    assert!(!checks[0].ok && checks[0].name == "jail", "{checks:?}");
    assert!(
        checks[0].detail.contains("No such file or directory"),
        "{checks:?}"
    );
}

fn crippled(tolerated: &[&str]) -> String {
    let output = adversary("crippled", tolerated).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn without_user_namespaces_there_is_no_jail() {
    let text = crippled(&[]);
    assert!(
        text.starts_with("the jail's measure `user-namespace` cannot be enforced on this host: "),
        "{text}"
    );
    // Tolerating one of the measures that fail is not enough.
    let text = crippled(&["user-namespace"]);
    assert!(
        text.starts_with("the jail's measure `process-namespace` cannot be enforced on this host: "),
        "{text}"
    );
}

/// With everything tolerated the report says what is missing. This also switches the namespaces off and shows what
/// they are for, and that Landlock holds behind them.
#[test]
fn what_is_tolerated_is_reported_and_the_second_wall_holds() {
    let all: Vec<&str> = MEASURES
        .iter()
        .copied()
        .filter(|name| *name != IDENTITY)
        .collect();
    let text = crippled(&all);
    for name in [
        "user-namespace",
        "process-namespace",
        "mount-namespace",
        "network-namespace",
        "empty-root",
    ] {
        assert!(
            text.contains(&format!("{name}: NOT ENFORCED: ")),
            "{name}: {text}"
        );
    }
    for name in [
        "identity",
        "landlock-files",
        "limits",
        "no-new-privileges",
        "dies-with-parent",
    ] {
        assert!(
            text.contains(&format!("{name}: ")) && !text.contains(&format!("{name}: NOT")),
            "{name}: {text}"
        );
    }
    let mut lines = text.lines().rev();
    assert!(
        lines.next().unwrap().starts_with("ALLOWED: "),
        "without a process namespace others are seen: {text}"
    );
    assert_eq!(
        lines.next(),
        Some("blocked: Permission denied (os error 13)"),
        "Landlock: {text}"
    );
}
