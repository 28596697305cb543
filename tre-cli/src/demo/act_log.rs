//! Last act: the log of everything that happened is verified, and a single altered byte is found.

use std::path::{Path, PathBuf};

use super::act_questions::insist;
use super::stage::Stage;
use crate::codes;
use crate::exit::{Exit, Failure};

pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage
        .narrator
        .chapter("What happened is written down, and stays so")?;
    stage.narrator.say(
        "Everything above stands in an audit log: each entry was on the disk before its effect, and each is bound to all \
         earlier ones by hashes and a signature. Anybody with the log's public key can check that; nobody has to trust \
         this program for it, and no server has to run.",
    )?;
    stage
        .narrator
        .say("uta is an auditor: she sees no data, and may take a copy of the log home with her.")?;
    stage.play(
        "uta",
        &["tre", "audit", "export", "--copy", "copy"],
        Exit::Answered,
    )?;
    stage.announce("operator", &["kill", "%1"])?;
    stage.close();
    stage.play(
        "uta",
        &["tre", "audit", "verify", "--log", "copy"],
        Exit::Answered,
    )?;

    stage
        .narrator
        .say("Suppose that somebody changes one byte of it, the smallest lie there is:")?;
    let (file, at) = alter_one_byte(&stage.path("copy"))?;
    stage
        .narrator
        .say(&format!("(byte {at} of copy/{file} is now another one)"))?;
    let printed = stage.play("uta", &["tre", "audit", "verify", "--log", "copy"], Exit::Error)?;
    insist(printed.out.contains("ALTERED"), "the altered byte was not found")?;

    stage.narrator.chapter("What this house does not do yet")?;
    stage.narrator.say(
        "It judges every answer on its own, without memory of earlier ones: two tables that are harmless alone can give \
         somebody away together. Sums dominated by one contributor, suppressed cells that a total gives back, noise with a \
         budget (differential privacy) and review pages for a browser come later too. The README says what is guarded and \
         what is not.",
    )
}

/// Flips a bit in the middle of the first file of entries; returns the file and the place.
fn alter_one_byte(copy: &Path) -> Result<(String, usize), Failure> {
    let path =
        entries_file(copy).ok_or_else(|| Failure::of(&codes::CLI_DEMO, "the copied log has no entries"))?;
    let mut bytes = std::fs::read(&path).map_err(|error| Failure::file("read", &path, &error))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(&path, bytes).map_err(|error| Failure::file("write", &path, &error))?;
    let name = path.strip_prefix(copy).unwrap_or(&path).display().to_string();
    Ok((name, middle))
}

/// The first bundle of entries, full (`000`) or not yet (`000.p/7`).
fn entries_file(copy: &Path) -> Option<PathBuf> {
    let mut found: Option<PathBuf> = None;
    let mut open = vec![copy.join("tile/entries")];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if found.as_ref().is_none_or(|found| &path < found) {
                found = Some(path);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn exactly_one_bit_changes() {
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(copy.path().join("tile/entries/000.p")).unwrap();
        let path = copy.path().join("tile/entries/000.p/7");
        std::fs::write(&path, b"abcde").unwrap();
        assert_eq!(
            alter_one_byte(copy.path()).unwrap(),
            ("tile/entries/000.p/7".to_owned(), 2)
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"abbde");
    }
}
