//! System calls of the attacks that no safe wrapper offers.

use std::io;
use std::os::fd::BorrowedFd;

fn done(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Reads from a descriptor of which only the number is known.
#[expect(unsafe_code, reason = "the attack is that nobody gave this descriptor")]
pub(crate) fn read_descriptor(number: i32, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the descriptor is borrowed for one read; if it is closed, the read fails.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    Ok(nix::unistd::read(fd, buffer)?)
}

#[expect(unsafe_code, reason = "PTRACE_SEIZE without nix's ptrace feature")]
pub(crate) fn trace(pid: i32) -> io::Result<()> {
    // SAFETY: seizing takes no pointers here.
    done(unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0) }).map(drop)
}

#[expect(unsafe_code, reason = "PR_SET_PTRACER has no wrapper")]
pub(crate) fn let_anyone_trace() {
    // SAFETY: takes no pointers; fails where the Yama module is absent, and then it is not needed.
    unsafe { libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY, 0, 0, 0) };
}

#[expect(unsafe_code, reason = "pidfd_open has no wrapper")]
pub(crate) fn open_process(pid: i32) -> io::Result<()> {
    // SAFETY: takes no pointers; the descriptor stays open until the program ends.
    done(unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) }).map(drop)
}

/// Looks up System V shared memory that another process made.
#[expect(unsafe_code, reason = "System V shared memory has no wrapper")]
pub(crate) fn find_shared_memory(key: i32) -> io::Result<()> {
    // SAFETY: takes no pointers and attaches nothing.
    done(unsafe { libc::shmget(key, 0, 0) }.into()).map(drop)
}

/// Whether any capability is permitted, bounds a later exec, or can be made ambient.
#[expect(unsafe_code, reason = "capabilities have no wrapper")]
pub(crate) fn any_capability() -> io::Result<bool> {
    let header = [0x2008_0522_u32, 0];
    let mut sets = [0_u32; 6];
    // SAFETY: header and sets are laid out as capget(2) says for version 3.
    done(unsafe { libc::syscall(libc::SYS_capget, header.as_ptr(), sets.as_mut_ptr()) })?;
    // SAFETY: takes no pointers.
    let bounding = (0..64).any(|number| unsafe { libc::prctl(libc::PR_CAPBSET_READ, number, 0, 0, 0) } == 1);
    // SAFETY: takes no pointers.
    let raised = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_RAISE,
            0_u64,
            0_u64,
            0_u64,
        )
    } == 0;
    Ok(bounding || raised || sets.iter().any(|set| *set != 0))
}

/// Asks for every capability back.
#[expect(unsafe_code, reason = "capabilities have no wrapper")]
pub(crate) fn take_capabilities() -> io::Result<()> {
    let header = [0x2008_0522_u32, 0];
    // CAP_SYS_ADMIN alone, effective and permitted.
    let sets = [1_u32 << 21, 1 << 21, 0, 0, 0, 0];
    // SAFETY: header and sets are laid out as capset(2) says for version 3.
    done(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) }).map(drop)
}

#[expect(unsafe_code, reason = "capabilities have no wrapper")]
pub(crate) fn drop_capabilities() {
    let header = [0x2008_0522_u32, 0];
    let sets = [0_u32; 6];
    // SAFETY: header and sets are laid out as capset(2) says for version 3.
    unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
}
