//! What the program does as a worker, by the kind of its jail.

use std::io::Read;

use sandbox_runner::{ChannelError, enter};

use crate::attacks;

/// `desk`: carries out the attacks that the test sends, and answers with their outcome. The other kinds never become
/// proper workers, each in its own way.
pub(crate) fn run(kind: &str) {
    match kind {
        "desk" => obey(),
        "threads" => {
            let _second = std::thread::spawn(std::thread::park);
            eprintln!(
                "{}",
                enter().expect_err("a jail must not be entered with threads")
            );
            std::process::exit(3);
        }
        "hang" => loop {
            std::thread::park();
        },
        "garbage" => {
            // A frame of one byte that is no report.
            use std::os::fd::AsFd;
            let stdin = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
            let mut socket = std::os::unix::net::UnixStream::from(stdin);
            std::io::Write::write_all(&mut socket, &[0, 0, 0, 1, b'?']).unwrap();
            let mut rest = Vec::new();
            let _whatever_comes = socket.read_to_end(&mut rest);
        }
        "early" => {
            eprintln!("no wish to be jailed");
            std::process::exit(7);
        }
        other => panic!("no worker is of the kind `{other}`"),
    }
}

fn obey() {
    let mut jailed = match enter() {
        Ok(jailed) => jailed,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    };
    loop {
        match jailed.channel.receive_with_fds(1000) {
            Ok(frame) => {
                let words: Vec<String> = serde_json::from_slice(&frame.bytes).unwrap();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let outcome = match words.as_slice() {
                    ["read-given"] => read_all(frame.fds),
                    ["say", text] => {
                        eprintln!("{text}");
                        "ALLOWED: said".to_owned()
                    }
                    attack => attacks::run(attack),
                };
                jailed.channel.send(outcome.as_bytes()).unwrap();
            }
            Err(ChannelError::Closed) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// What the files behind the descriptors hold, one after the other.
fn read_all(fds: Vec<std::os::fd::OwnedFd>) -> String {
    let mut text = String::from("ALLOWED: ");
    for fd in fds {
        std::fs::File::from(fd).read_to_string(&mut text).unwrap();
    }
    text
}
