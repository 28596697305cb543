//! The policy files of the home, and which of them a permit's exits can have.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use tre_core::codes::{self, Problem};
use tre_core::ids::PolicyId;
use tre_core::permit::{ExitName, Permit};
use tre_core::policy::Policy;
use tre_home::files::FileError;
use tre_home::store::PinnedPolicy;

/// More of a file than any policy has is not read.
const MAX_BYTES: u64 = 1 << 20;

/// A policy of the home with the bytes that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Shelved {
    pub(crate) policy: Policy,
    pub(crate) text: String,
}

/// Reads one policy. Blocks the thread.
///
/// # Errors
/// `TRE-PRJ-010` when there is none of this name, a `TRE-SDC` code when it cannot be used.
pub(crate) fn read(directory: &Path, id: &PolicyId) -> Result<Shelved, Problem> {
    let path = directory.join(format!("{id}.toml"));
    if !path.is_file() {
        return Err(Problem::of(
            &codes::PRJ_POLICY,
            format!("there is no policy `{id}`"),
        ));
    }
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
    read.map_err(FileError::on("read", &path))?;
    Ok(Shelved {
        policy: Policy::parse(id, &text)?,
        text,
    })
}

/// Every policy file's name, and what is in it.
pub(crate) type Listed = Vec<(PolicyId, Result<Shelved, Problem>)>;

/// All policies by name, those that cannot be used with the reason. Blocks the thread.
pub(crate) fn list(directory: &Path) -> Result<Listed, Problem> {
    let failed = FileError::on("list", directory);
    let entries = fs::read_dir(directory)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed)?;
    let names = entries.iter().filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.strip_suffix(".toml")?.parse::<PolicyId>().ok()
    });
    let mut policies: Vec<_> = names.map(|id| (id.clone(), read(directory, &id))).collect();
    policies.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(policies)
}

/// The policies that a permit's exits name, as they are now, each judged for its exit. Blocks the thread.
///
/// # Errors
/// `TRE-PRJ-010` naming the exit.
pub(super) fn pin(permit: &Permit, directory: &Path) -> Result<Vec<PinnedPolicy>, Problem> {
    let mut pinned: Vec<PinnedPolicy> = Vec::new();
    for (name, exit) in &permit.exits {
        let at_exit = |problem: Problem| {
            let what = format!("exit.{name}: {}", problem.what);
            Problem::new(&codes::PRJ_POLICY, what, problem.hint)
        };
        let Shelved { policy, text } = read(directory, &exit.policy).map_err(at_exit)?;
        match name {
            ExitName::View => policy.check_view().map_err(at_exit)?,
            ExitName::Release => policy.check_release(exit.reviewers.into()).map_err(at_exit)?,
        }
        if !pinned.iter().any(|other| other.id == exit.policy) {
            pinned.push(PinnedPolicy {
                id: exit.policy.clone(),
                sha256: policy.hash().to_owned(),
                bytes: text.into_bytes(),
            });
        }
    }
    pinned.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(pinned)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::super::tests::PERMIT;
    use super::*;

    const NDB: &str = include_str!("../../../policies/sdc/ndb.toml");

    fn shelf() -> tempfile::TempDir {
        let shelf = tempfile::tempdir().unwrap();
        fs::write(shelf.path().join("ndb.toml"), NDB).unwrap();
        fs::write(shelf.path().join("broken.toml"), "units = 3").unwrap();
        fs::write(shelf.path().join("README"), "no policy").unwrap();
        shelf
    }

    fn pin_as(from: &str, to: &str) -> Result<Vec<PinnedPolicy>, Problem> {
        pin(
            &Permit::parse(&PERMIT.replacen(from, to, 1)).unwrap(),
            shelf().path(),
        )
    }

    #[test]
    fn a_policy_of_two_exits_is_pinned_once_with_its_bytes() {
        let pinned = pin_as("", "").unwrap();
        assert_eq!(pinned.len(), 1);
        assert_eq!(pinned[0].bytes, NDB.as_bytes());
        assert_eq!(pinned[0].sha256, tre_home::vault::sha256_hex(NDB.as_bytes()));
    }

    #[test]
    fn a_policy_that_cannot_be_had_for_an_exit_is_a_problem_of_the_permit() {
        let release = "policy = \"ndb\"\nreviewers = 2";
        for (from, to, part) in [
            (
                release,
                "policy = \"none\"\nreviewers = 2",
                "exit.release: there is no policy `none`",
            ),
            (
                release,
                "policy = \"broken\"\nreviewers = 2",
                "exit.release: policy `broken`",
            ),
            (
                "reviewers = 2",
                "reviewers = 1",
                "exit.release: policy `ndb` demands at least 2 reviewers",
            ),
        ] {
            let problem = pin_as(from, to).unwrap_err();
            assert_eq!(problem.code.id, "TRE-PRJ-010");
            assert!(problem.what.contains(part), "{problem}");
        }
    }

    #[test]
    fn a_list_names_the_policies_that_cannot_be_used_too() {
        let listed = list(shelf().path()).unwrap();
        let words: Vec<_> = listed
            .iter()
            .map(|(id, read)| (id.as_str(), read.is_ok()))
            .collect();
        assert_eq!(words, [("broken", false), ("ndb", true)]);
    }
}
