//! A script that starts a server and goes on at once, as the README shows it.

use tre_tests::home::Home;
use tre_tests::log;
use tre_tests::server::Server;
use tre_tests::wait::PATIENCE;

#[test]
fn a_token_can_be_issued_while_the_server_starts() {
    let home = Home::empty().unwrap();
    let issue = ["token", "issue", "--user", "olga", "--role", "operator"];
    // Who is first differs from round to round: the command, the server without its socket yet, the server that serves.
    for round in 0..6 {
        let early = home.program().start(&issue).unwrap();
        let server = Server::start(&home).unwrap();
        let late = home.program().start(&issue).unwrap();
        for run in [early, late].map(|running| running.wait(PATIENCE).unwrap()) {
            let run = run.ok().unwrap();
            assert_eq!(run.out.lines().count(), 1, "round {round}\n{run}");
            assert_eq!(run.out.split('.').count(), 3, "round {round}: no token\n{run}");
        }
        server.stop().unwrap();
    }
    let issued = log::positions(&home.log().unwrap(), "token_issued");
    assert_eq!(issued.len(), 12, "each is in the log once");
}
