//! A worker stays within its memory, time, threads and files.

use std::time::{Duration, Instant};

use sandbox_runner::{ChannelError, Exit};

use crate::harness::{allowed, blocked, contrast, inside, jail, outside, request, start};

#[test]
fn memory_is_limited() {
    let mut jail = jail();
    jail.memory_bytes = 512 << 20;
    let mut worker = start(&jail);
    contrast(&mut worker, &["memory", "600000000"]);
    allowed(&mut worker, &["memory", "100000000"]);
}

#[test]
fn threads_are_limited_for_each_worker_on_its_own() {
    let mut jail = jail();
    jail.processes = 40;
    let mut workers = [start(&jail), start(&jail)];
    contrast(&mut workers[0], &["threads", "100"]);
    for worker in &mut workers {
        allowed(worker, &["threads", "30"]);
    }
    assert!(inside(&mut workers[1], &["threads", "100"]).starts_with("blocked: stopped after 39"));
}

#[test]
fn open_files_are_limited() {
    let mut jail = jail();
    jail.open_files = 64;
    let mut worker = start(&jail);
    contrast(&mut worker, &["files", "70"]);
    allowed(&mut worker, &["files", "50"]);
}

#[test]
fn limits_cannot_be_raised() {
    let mut jail = jail();
    (jail.memory_bytes, jail.open_files, jail.cpu_seconds) = (512 << 20, 64, Some(100));
    let mut worker = start(&jail);
    for (limit, value) in [
        ("memory", "600000000"),
        ("files", "70"),
        ("threads", "65"),
        ("cpu", "101"),
        ("file-size", "1"),
    ] {
        contrast(&mut worker, &["raise", limit, value]);
    }
}

#[test]
fn processor_time_is_limited() {
    let mut jail = jail();
    jail.cpu_seconds = Some(1);
    let mut worker = start(&jail);
    let deadline = worker
        .kill_after(Instant::now() + Duration::from_secs(60))
        .unwrap();
    let channel = worker.channel().unwrap();
    channel.send(&request(&["spin"])).unwrap();
    assert!(matches!(channel.receive(), Err(ChannelError::Closed)));
    assert_eq!(worker.wait().unwrap(), Exit::Signal(9));
    assert!(!deadline.lift(), "the limit struck, not the deadline");
}

#[test]
fn shared_memory_of_the_host_is_out_of_reach() {
    // A key that nothing else uses; the segment goes with this process's last look at it.
    let key = 0x5452_0000 | (std::process::id().cast_signed() & 0xffff);
    let id = make_shared_memory(key);
    let mut worker = start(&jail());
    let control = outside(&["shared-memory", &key.to_string()]);
    let outcome = inside(&mut worker, &["shared-memory", &key.to_string()]);
    remove_shared_memory(id);
    assert!(control.starts_with("ALLOWED: "), "{control}");
    assert!(outcome.starts_with("blocked: "), "{outcome}");
    blocked(&mut worker, &["shared-memory", &key.to_string()]);
}

#[expect(unsafe_code, reason = "System V shared memory has no wrapper")]
fn make_shared_memory(key: i32) -> i32 {
    // SAFETY: takes no pointers.
    let id = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o666) };
    assert!(id >= 0, "{}", std::io::Error::last_os_error());
    id
}

#[expect(unsafe_code, reason = "System V shared memory has no wrapper")]
fn remove_shared_memory(id: i32) {
    // SAFETY: removing needs no buffer.
    unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
}
