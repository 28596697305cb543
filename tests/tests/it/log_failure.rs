//! The audit log fails under a server at work: nothing is answered from then on, and what was answered is in it.

use std::fs;

use tre_tests::log::positions;
use tre_tests::scenes::Permit;
use tre_tests::wait::{PATIENCE, until};

use crate::clinic::{PASSES, apply, clinic, person, submit};

#[test]
fn without_a_log_no_query_is_answered_and_no_request_taken() {
    let (home, server, operator) = clinic().unwrap();
    apply(&home, &operator, &Permit::default()).unwrap();
    let alice = person(&home, &server, "alice", "analyst");
    let bo = person(&home, &server, "bo", "checker");
    alice.sql(PASSES).unwrap();

    // A file where the log's tiles have to go stops whoever writes there, root included.
    let (tiles, aside) = (home.path().join("audit/tile"), home.beside("tile"));
    fs::rename(&tiles, &aside).unwrap();
    fs::write(&tiles, b"").unwrap();
    // Entries lie durably in one file before they go into tiles, so answers may leave until the log notices.
    let mut answers = 1;
    let first = until("a query that is withheld", PATIENCE, || {
        let run = alice.ask(PASSES)?;
        if run.status.success() {
            answers += 1;
            return Ok(None);
        }
        Ok(Some(run))
    });
    let first = first.unwrap().fails(4, "TRE-LOG-001").unwrap();
    assert_eq!(first.out, "", "{first}");

    let calls: [(&_, &[&str]); 5] = [
        (&alice, &["sql", "-c", PASSES]),
        (&alice, &["check", "-c", PASSES]),
        (&alice, &["schema"]),
        (&bo, &["review", "list"]),
        (&operator, &["project", "list"]),
    ];
    for (who, words) in calls {
        let run = who.tre(words).unwrap().fails(4, "TRE-LOG-001").unwrap();
        assert_eq!(run.out, "", "{run}");
    }
    assert!(submit(&alice, PASSES).is_err());
    let issued = home.tre(&["token", "issue", "--user", "eve", "--role", "auditor"]);
    let issued = issued.unwrap().fails(4, "TRE-LOG-001").unwrap();
    assert_eq!(issued.out, "", "{issued}");

    server.kill().unwrap();
    fs::remove_file(&tiles).unwrap();
    fs::rename(&aside, &tiles).unwrap();
    let log = home.log().unwrap();
    assert_eq!(positions(&log, "query_answered").len(), answers);
    assert!(positions(&log, "request_submitted").is_empty());
    home.is_sound().unwrap();
}
