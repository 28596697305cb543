//! The worker's file system: an empty, read-only directory in memory.
//!
//! Nothing of the host is needed in it: the program is mapped already, and data files come over the channel as open
//! descriptors. What the settings show is mounted read-only; `/tmp`, if asked for, is in memory and capped.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{chdir, pivot_root};

use crate::report::{EMPTY_ROOT, Refusal};
use crate::settings::{Bind, Jail};
use crate::stage::{Because, Failure, Steps};
use crate::sys;

/// Where the new root is mounted before it becomes the root. It exists wherever a user namespace can be set up, since
/// the identity maps are files in it, and no one needs what it hides.
const STAGING: &str = "/proc";
const NOTHING: Option<&str> = None;

pub(crate) fn leave_host_files(steps: &mut Steps<'_>, jail: &Jail) -> Result<(), Refusal> {
    steps.record(EMPTY_ROOT, build(jail))
}

fn build(jail: &Jail) -> Result<String, Failure> {
    let closed = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        NOTHING,
        "/",
        NOTHING,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        NOTHING,
    )
    .because("make mounts private")?;
    // Room for the mount points only.
    mount(
        Some("none"),
        STAGING,
        Some("tmpfs"),
        closed,
        Some("size=64k,nr_inodes=256,mode=755"),
    )
    .because("mount the root")?;
    for bind in &jail.binds {
        show(bind).map_err(|Failure(why)| Failure(format!("show `{}`: {why}", bind.outside.display())))?;
    }
    if jail.temporary_bytes > 0 {
        let options = format!("size={},nr_inodes=4096,mode=700", jail.temporary_bytes);
        let place = Path::new(STAGING).join("tmp");
        fs::create_dir_all(&place).because("make /tmp")?;
        mount(
            Some("none"),
            &place,
            Some("tmpfs"),
            closed,
            Some(options.as_str()),
        )
        .because("mount /tmp")?;
    }
    chdir(STAGING).because("enter the root")?;
    // With both names the same, the old root ends up on top of the new one and is taken off there.
    pivot_root(".", ".").because("change the root")?;
    umount2(".", MntFlags::MNT_DETACH).because("take the host's files away")?;
    chdir("/").because("enter the root")?;
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NOTHING, "/", NOTHING, read_only | closed, NOTHING).because("make the root read-only")?;
    verify(jail)
}

fn show(bind: &Bind) -> Result<(), Failure> {
    let inside: PathBuf = bind
        .inside
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect();
    let place = Path::new(STAGING).join(inside);
    if fs::metadata(&bind.outside)?.is_dir() {
        fs::create_dir_all(&place)?;
    } else {
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        File::create(&place)?;
    }
    // Recursive, because the kernel lets nobody uncover what lies below a mount of the host.
    mount(
        Some(&bind.outside),
        &place,
        NOTHING,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        NOTHING,
    )?;
    sys::restrict_mount_tree(&CString::new(place.as_os_str().as_bytes())?)?;
    Ok(())
}

/// Looks at the root from inside.
fn verify(jail: &Jail) -> Result<String, Failure> {
    let mut expected: BTreeSet<PathBuf> = jail
        .binds
        .iter()
        .filter_map(|bind| bind.inside.components().nth(1))
        .map(|first| PathBuf::from(first.as_os_str()))
        .collect();
    if jail.temporary_bytes > 0 {
        expected.insert("tmp".into());
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/").because("look at the root")? {
        found.insert(PathBuf::from(entry?.file_name()));
    }
    if found != expected {
        return Err(Failure(format!(
            "the root holds {found:?} instead of {expected:?}"
        )));
    }
    if File::create("/probe").is_ok() {
        return Err(Failure("the root can be written to".to_owned()));
    }
    for bind in &jail.binds {
        let flags = statvfs(&bind.inside).because("look at what is shown")?.flags();
        if !flags.contains(FsFlags::ST_RDONLY | FsFlags::ST_NOSUID | FsFlags::ST_NODEV | FsFlags::ST_NOEXEC) {
            return Err(Failure(format!(
                "`{}` is shown with more than reading",
                bind.inside.display()
            )));
        }
    }
    Ok(match (jail.binds.len(), jail.temporary_bytes) {
        (0, 0) => "empty and read-only".to_owned(),
        (binds, 0) => format!("empty and read-only but for {binds} shown read-only"),
        (0, bytes) => format!("empty and read-only, /tmp of {bytes} bytes"),
        (binds, bytes) => {
            format!("empty and read-only but for {binds} shown read-only, /tmp of {bytes} bytes")
        }
    })
}
