//! Namespaces of the worker, inside a user namespace of its own.
//!
//! The launcher's user namespace gave the right to make the process namespace, but its capabilities ended with the exec
//! of the worker, whose user is not 0. A second, nested user namespace gives them back for as long as setting up takes.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

use crate::report::{
    HOST_NAME, IPC_NAMESPACE, MOUNT_NAMESPACE, NETWORK_NAMESPACE, NO_MORE_NAMESPACES, Refusal, USER_NAMESPACE,
};
use crate::stage::{self, Because, Failure, Steps};

/// How many user namespaces may be made inside the current one; each namespace has its own value.
const USER_NAMESPACE_LIMIT: &str = "/proc/sys/user/max_user_namespaces";

pub(crate) fn separate(steps: &mut Steps<'_>) -> Result<(), Refusal> {
    steps.record(USER_NAMESPACE, user())?;
    steps.record(MOUNT_NAMESPACE, own(CloneFlags::CLONE_NEWNS, "own mounts"))?;
    steps.record(
        NETWORK_NAMESPACE,
        own(
            CloneFlags::CLONE_NEWNET,
            "own network without an interface that is up",
        ),
    )?;
    steps.record(
        IPC_NAMESPACE,
        own(
            CloneFlags::CLONE_NEWIPC,
            "own shared memory, queues and semaphores",
        ),
    )?;
    steps.record(HOST_NAME, host_name())?;
    steps.record(NO_MORE_NAMESPACES, no_more())
}

fn user() -> Result<String, Failure> {
    let (uid, gid) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).because("new user namespace")?;
    stage::map_one_identity(uid, gid)?;
    Ok(format!("own, with user {uid} and group {gid} alone"))
}

fn own(flag: CloneFlags, how: &str) -> Result<String, Failure> {
    unshare(flag)?;
    Ok(how.to_owned())
}

fn host_name() -> Result<String, Failure> {
    unshare(CloneFlags::CLONE_NEWUTS)?;
    sethostname("jail").because("rename the host")?;
    Ok("own host name, `jail`".to_owned())
}

/// A worker that could make a user namespace would be root in it, with the kernel's mount and network code to attack.
fn no_more() -> Result<String, Failure> {
    fs::write(USER_NAMESPACE_LIMIT, "0").because(USER_NAMESPACE_LIMIT)?;
    let limit = fs::read_to_string(USER_NAMESPACE_LIMIT).because(USER_NAMESPACE_LIMIT)?;
    if limit.trim() != "0" {
        return Err(Failure(format!(
            "{USER_NAMESPACE_LIMIT} stayed at {}",
            limit.trim()
        )));
    }
    Ok("no user namespace can be made inside".to_owned())
}
