//! The system calls that no safe wrapper offers. All `unsafe` of the workspace is in this file.
//!
//! Every function here is safe to call: it checks or builds its arguments itself and hands out owned descriptors.

use std::io::{self, IoSliceMut};
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use nix::cmsg_space;
use nix::sys::signal::{SigHandler, Signal};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

/// As many descriptors as the kernel lets one message carry (SCM_MAX_FD).
const KERNEL_FDS_PER_MESSAGE: usize = 253;

/// What one `recvmsg` brought.
pub(crate) struct Received {
    /// Bytes written to the buffer; 0 means that the peer has closed.
    pub(crate) bytes: usize,
    /// Descriptors that came with them, close-on-exec.
    pub(crate) fds: Vec<OwnedFd>,
    /// The kernel dropped descriptors: none were wanted, or this process can open no more.
    pub(crate) fds_lost: bool,
}

/// Receives into `buffer`; descriptors are accepted only if `want_fds`, otherwise the kernel discards them.
pub(crate) fn receive(socket: &UnixStream, buffer: &mut [u8], want_fds: bool) -> io::Result<Received> {
    let mut control = if want_fds {
        cmsg_space!([RawFd; KERNEL_FDS_PER_MESSAGE])
    } else {
        Vec::new()
    };
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut slices,
        want_fds.then_some(control.as_mut_slice()),
        MsgFlags::MSG_CMSG_CLOEXEC,
    )?;
    let fds_lost = message.flags.contains(MsgFlags::MSG_CTRUNC);
    let mut fds = Vec::new();
    if !fds_lost {
        for item in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(numbers) = item {
                fds.extend(numbers.into_iter().map(adopt));
            }
        }
    }
    Ok(Received {
        bytes: message.bytes,
        fds,
        fds_lost,
    })
}

#[expect(
    unsafe_code,
    reason = "ownership of a number that the kernel has just handed over"
)]
fn adopt(number: RawFd) -> OwnedFd {
    // SAFETY: only called with numbers that recvmsg or pidfd_open has just installed in this process; nobody else
    // knows them.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Closes every descriptor from 3 upwards. Call it first of all: before anything of this process owns one.
#[expect(unsafe_code, reason = "close_range has no wrapper")]
pub(crate) fn close_inherited() -> io::Result<()> {
    // SAFETY: takes no pointers. Its callers are the first statements of a fresh program, so no owner of a
    // descriptor above 2 exists whose number could be reused under it.
    done(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) }.into())
}

/// A handle on the process `pid` that stays on it even when the number is reused.
#[expect(unsafe_code, reason = "pidfd_open has no wrapper")]
pub(crate) fn pidfd_open(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers; pidfds are close-on-exec by themselves.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) };
    done(number)?;
    RawFd::try_from(number).map(adopt).map_err(io::Error::other)
}

/// A signal to the process of a pidfd; a process that is gone already is success.
#[expect(unsafe_code, reason = "pidfd_send_signal has no wrapper")]
pub(crate) fn pidfd_signal(pidfd: &OwnedFd, signal: Signal) -> io::Result<()> {
    let info: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: the descriptor is open while borrowed, and a null siginfo means an ordinary kill.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            libc::c_long::from(pidfd.as_fd().as_raw_fd()),
            libc::c_long::from(signal as libc::c_int),
            info,
            ZERO,
        )
    };
    match done(result) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        other => other,
    }
}

/// Empties the bounding set of this thread, so that no exec can give a capability; needs CAP_SETPCAP.
#[expect(unsafe_code, reason = "the capability prctls have no wrapper")]
pub(crate) fn empty_bounding_set() -> io::Result<()> {
    for capability in 0..=LAST_POSSIBLE_CAPABILITY {
        // SAFETY: takes no pointers.
        match done(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, ZERO, ZERO, ZERO) }.into()) {
            Ok(()) => {}
            // The first number that this kernel does not know.
            Err(error) if capability > 0 && error.raw_os_error() == Some(libc::EINVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Empties the ambient, inheritable, permitted and effective capability sets of this thread; needs no right.
#[expect(unsafe_code, reason = "capset and the capability prctls have no wrapper")]
pub(crate) fn drop_capabilities() -> io::Result<()> {
    // SAFETY: takes no pointers.
    done(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, CLEAR_ALL, ZERO, ZERO, ZERO) }.into())?;
    let header = CapabilityHeader {
        version: CAPABILITY_VERSION_3,
        pid: 0,
    };
    let none = [CapabilityData::default(); 2];
    // SAFETY: both point to live values laid out as capset(2) says for version 3: one header, two data elements.
    done(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) })
}

/// Makes the mount tree at `path` read-only, without set-uid, devices or execution; flags already there stay.
#[expect(unsafe_code, reason = "mount_setattr has no wrapper")]
pub(crate) fn restrict_mount_tree(path: &std::ffi::CStr) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY
            | libc::MOUNT_ATTR_NOSUID
            | libc::MOUNT_ATTR_NODEV
            | libc::MOUNT_ATTR_NOEXEC,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the path is a C string, the attributes live across the call and their size is given.
    done(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    })
}

/// Gives `signal` its default action again.
#[expect(unsafe_code, reason = "nix marks every change of a handler unsafe")]
pub(crate) fn default_action(signal: Signal) -> io::Result<()> {
    // SAFETY: the default action runs no code of ours.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }?;
    Ok(())
}

/// prctl reads whole words, so its arguments are given as such.
const ZERO: libc::c_ulong = 0;
const CLEAR_ALL: libc::c_ulong = libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong;
const LAST_POSSIBLE_CAPABILITY: libc::c_ulong = 63;
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilityData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

fn done(result: libc::c_long) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
