//! A worker reaches no network, not even that of its own host.

use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use nix::unistd::gethostname;

use crate::harness::{blocked, contrast, inside, jail, start};

#[test]
fn no_connection_to_a_listener_of_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut worker = start(&jail());
    contrast(&mut worker, &["tcp", &port]);
    contrast(&mut worker, &["listen"]);
}

#[test]
fn no_datagram_to_the_host() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let mut worker = start(&jail());
    contrast(&mut worker, &["udp", &port]);
    // Only the control's datagram arrived.
    let mut buffer = [0; 8];
    assert_eq!(socket.recv(&mut buffer).unwrap(), 1);
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut buffer).is_err());
}

#[test]
fn no_abstract_socket_of_the_host() {
    let name = format!("sandbox-runner-test-{}", std::process::id());
    let _listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let mut worker = start(&jail());
    contrast(&mut worker, &["abstract", &name]);
}

#[test]
fn not_even_the_hosts_name() {
    let name = gethostname().unwrap().into_string().unwrap();
    let mut worker = start(&jail());
    contrast(&mut worker, &["host-name", &name]);
    assert_eq!(inside(&mut worker, &["host-name", "jail"]), "ALLOWED: jail");
    blocked(&mut worker, &["read", "/etc/hostname"]);
}
