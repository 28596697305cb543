//! A script that starts a server and goes on at once, as the README shows it, and servers and addresses that do not fit.

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

#[test]
fn a_server_with_tls_and_a_port_that_is_taken_are_named() {
    let home = Home::eunomia().unwrap();
    let server = Server::start(&home).unwrap();
    let token = home.token("olga", "operator", None).unwrap();
    let plain = server.url().replace("grpc+tls://", "grpc://");
    let refused = server
        .person(&token)
        .tre(&["project", "list", "--url", &plain])
        .unwrap()
        .fails(1, "TRE-CLI-004")
        .unwrap();
    assert!(
        refused
            .err
            .contains(&format!("the server at `{plain}` speaks TLS")),
        "{refused}"
    );
    assert!(refused.err.contains(server.url()), "{refused}");

    let (_, address) = plain.split_once("://").unwrap();
    let taken = Home::empty()
        .unwrap()
        .tre(&["serve", "--listen", address])
        .unwrap()
        .fails(1, "TRE-RUN-014")
        .unwrap();
    assert!(taken.err.contains("another program listens there"), "{taken}");
    assert!(taken.err.contains("--listen"), "{taken}");
}
