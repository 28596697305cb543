//! A worker has no right to give up and none to regain.

use std::process::Command;

use crate::harness::{blocked, contrast, is_root, jail, program, start};

#[test]
fn no_capability_is_left_or_can_be_taken_back() {
    let mut worker = start(&jail());
    contrast(&mut worker, &["capabilities"]);
    blocked(&mut worker, &["take-capabilities"]);
    if is_root() {
        // As root outside, a capability that is permitted can be made effective again.
        assert_eq!(as_root("take-capabilities"), "ALLOWED: done\n");
    }
}

#[test]
fn no_namespace_can_be_made_in_which_to_be_root() {
    let mut worker = start(&jail());
    contrast(&mut worker, &["user-namespace"]);
    contrast(&mut worker, &["user-namespace-then-mount"]);
}

#[test]
fn nobody_becomes_root() {
    let mut worker = start(&jail());
    for attack in ["root", "mount", "change-root"] {
        blocked(&mut worker, &[attack]);
    }
    if is_root() {
        assert_eq!(as_root("root"), "ALLOWED: done\n");
        assert_eq!(as_root("change-root"), "ALLOWED: done\n");
    }
}

#[test]
fn programs_give_no_privileges_and_memory_is_private() {
    let mut worker = start(&jail());
    contrast(&mut worker, &["new-privileges"]);
    contrast(&mut worker, &["dump"]);
}

/// The outcome outside a jail and without giving up root.
fn as_root(attack: &str) -> String {
    let output = Command::new(program()).args(["attack", attack]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
