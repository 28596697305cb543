//! The attacks. Each says `ALLOWED: …` or `blocked: …`; the tests run the same one in a jail and outside.

use std::ffi::CString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::{SocketAddr as UnixAddress, UnixStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::kill;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{Pid, Uid, chroot, gethostname, setresuid};

use crate::raw;

pub(crate) fn run(words: &[&str]) -> String {
    match attempt(words) {
        Ok(text) => format!("ALLOWED: {text}"),
        Err(error) => format!("blocked: {error}"),
    }
}

fn attempt(words: &[&str]) -> io::Result<String> {
    let ok = |()| "done".to_owned();
    match words {
        // Files.
        ["read", path] => fs::read_to_string(path),
        ["list", path] => list(path),
        ["write", path] => OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .open(path)?
            .write_all(b"x")
            .map(ok),
        ["fill", path, bytes] => fill(path, bytes),
        ["make-directory", path] => DirBuilder::new().mode(0o700).create(path).map(ok),
        ["make-device", path] => mknod(*path, SFlag::S_IFCHR, Mode::S_IRUSR, makedev(1, 3))
            .map(ok)
            .map_err(io::Error::from),
        ["execute", path] => execute(path),
        ["descriptor", number] => descriptor(number),
        ["standard-input"] => read_some(&mut io::stdin()),
        // Other processes.
        ["pids"] => pids(),
        ["signal", pid] => kill(Pid::from_raw(number(pid)), None)
            .map(ok)
            .map_err(io::Error::from),
        ["trace", pid] => raw::trace(number(pid)).map(ok),
        ["open-process", pid] => raw::open_process(number(pid)).map(ok),
        ["environment"] => environment(),
        // The network.
        ["tcp", port] => {
            let address = SocketAddr::from(([127, 0, 0, 1], number(port)));
            TcpStream::connect_timeout(&address, Duration::from_secs(5)).map(|_stream| "connected".to_owned())
        }
        ["listen"] => TcpListener::bind("127.0.0.1:0").map(|_listener| "bound".to_owned()),
        ["udp", port] => {
            let socket = UdpSocket::bind("0.0.0.0:0")?;
            socket
                .send_to(b"x", ("127.0.0.1", number::<u16>(port)))
                .map(|_sent| "sent".to_owned())
        }
        ["abstract", name] => UnixStream::connect_addr(&UnixAddress::from_abstract_name(name)?)
            .map(|_stream| "connected".to_owned()),
        ["shared-memory", key] => raw::find_shared_memory(number(key)).map(ok),
        ["host-name", outside] => host_name(outside),
        // Privileges.
        ["root"] => {
            let root = Uid::from_raw(0);
            setresuid(root, root, root).map(ok).map_err(io::Error::from)
        }
        ["capabilities"] => {
            if raw::any_capability()? {
                Ok("some left".to_owned())
            } else {
                Err(io::Error::other("none left"))
            }
        }
        ["take-capabilities"] => raw::take_capabilities().map(ok),
        ["user-namespace"] => unshare(CloneFlags::CLONE_NEWUSER)
            .map(ok)
            .map_err(io::Error::from),
        ["user-namespace-then-mount"] => {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
            mount(Some("none"), "/", Some("tmpfs"), MsFlags::empty(), None::<&str>)
                .map(ok)
                .map_err(io::Error::from)
        }
        ["mount"] => mount(Some("none"), "/", Some("tmpfs"), MsFlags::empty(), None::<&str>)
            .map(ok)
            .map_err(io::Error::from),
        ["change-root"] => chroot("/").map(ok).map_err(io::Error::from),
        ["new-privileges"] => {
            if nix::sys::prctl::get_no_new_privs()? {
                Err(io::Error::other("given up"))
            } else {
                Ok("kept".to_owned())
            }
        }
        ["dump"] => {
            if nix::sys::prctl::get_dumpable()? {
                Ok("dumpable".to_owned())
            } else {
                Err(io::Error::other("not dumpable"))
            }
        }
        // Limits.
        ["raise", limit, value] => raise(limit, value),
        ["memory", bytes] => {
            let mut memory: Vec<u8> = Vec::new();
            memory
                .try_reserve_exact(number(bytes))
                .map(ok)
                .map_err(io::Error::other)
        }
        ["threads", count] => threads(number(count)),
        ["files", count] => files(number(count)),
        ["spin"] => loop {
            std::hint::spin_loop();
        },
        ["park"] => loop {
            thread::park();
        },
        ["abort"] => std::process::abort(),
        ["exit", code] => std::process::exit(number(code)),
        other => panic!("{other:?} is no attack"),
    }
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse()
        .unwrap_or_else(|_| panic!("`{word}` is no number for this attack"))
}

fn list(path: &str) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    if names.is_empty() {
        return Err(io::Error::other("nothing there"));
    }
    names.sort();
    Ok(names.join(" "))
}

/// Writes until it is stopped; a full disk and a file that is too large are errors, not signals.
fn fill(path: &str, bytes: &str) -> io::Result<String> {
    let bytes: usize = number(bytes);
    let mut file = File::create(path)?;
    let block = [b'x'; 4096];
    for _ in 0..bytes.div_ceil(block.len()) {
        file.write_all(&block)?;
    }
    Ok(format!("{bytes} bytes"))
}

fn execute(path: &str) -> io::Result<String> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o700)
        .open(path)?
        .write_all(b"#!/bin/sh\n")?;
    let path = CString::new(path)?;
    Command::new(path.to_str().map_err(io::Error::other)?)
        .status()
        .map(|status| status.to_string())
}

fn descriptor(word: &str) -> io::Result<String> {
    let mut buffer = [0; 64];
    let bytes = raw::read_descriptor(number(word), &mut buffer)?;
    Ok(String::from_utf8_lossy(buffer.get(..bytes).unwrap_or_default()).into_owned())
}

fn read_some(from: &mut impl Read) -> io::Result<String> {
    let mut buffer = [0; 64];
    match from.read(&mut buffer)? {
        0 => Err(io::Error::other("nothing to read")),
        bytes => Ok(format!("{bytes} bytes")),
    }
}

/// Processes other than this one, by `/proc` and by signals.
fn pids() -> io::Result<String> {
    let own = std::process::id();
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    let seen = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let answering = (1..400).filter(|pid| {
        let pid = i32::try_from(*pid).unwrap_or_default();
        kill(Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
    });
    let others = seen.chain(answering).filter(|pid| *pid != own).count();
    if others == 0 {
        Err(io::Error::other("alone"))
    } else {
        Ok(format!("{others} others"))
    }
}

fn environment() -> io::Result<String> {
    match std::env::vars_os().count() {
        0 => Err(io::Error::other("empty")),
        count => Ok(format!("{count} variables")),
    }
}

fn host_name(outside: &str) -> io::Result<String> {
    let name = gethostname()?.to_string_lossy().into_owned();
    if name == outside {
        Ok(name)
    } else {
        Err(io::Error::other(format!("only `{name}`")))
    }
}

fn raise(limit: &str, value: &str) -> io::Result<String> {
    let resource = match limit {
        "files" => Resource::RLIMIT_NOFILE,
        "memory" => Resource::RLIMIT_AS,
        "threads" => Resource::RLIMIT_NPROC,
        "cpu" => Resource::RLIMIT_CPU,
        "file-size" => Resource::RLIMIT_FSIZE,
        other => panic!("`{other}` is no limit of this attack"),
    };
    let value = number(value);
    setrlimit(resource, value, value)?;
    Ok(format!("{:?}", getrlimit(resource)?))
}

fn files(count: usize) -> io::Result<String> {
    let open: Vec<OwnedFd> = (0..count)
        .map(|_| io::stdin().as_fd().try_clone_to_owned())
        .collect::<Result<_, _>>()?;
    Ok(format!("{} files", open.len()))
}

fn threads(count: usize) -> io::Result<String> {
    let mut running = Vec::new();
    let mut outcome = Ok(format!("{count} threads"));
    for _ in 0..count {
        match thread::Builder::new().stack_size(64 << 10).spawn(thread::park) {
            Ok(handle) => running.push(handle),
            Err(error) => {
                outcome = Err(io::Error::other(format!(
                    "stopped after {}: {error}",
                    running.len()
                )));
                break;
            }
        }
    }
    for handle in running {
        handle.thread().unpark();
        let _ended = handle.join();
    }
    outcome
}
