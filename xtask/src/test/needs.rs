//! What the tests need of the machine beyond cargo and a C compiler, and how it gets there.
//!
//! Debian's packages, by name, through apt as root. Where that cannot be done the command stops before anything else
//! with the one line that a person can run.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::shell::{Shell, call, output, say, succeeds};

/// A Debian package, what it is for, and how to tell that it is there.
struct Need {
    package: &'static str,
    purpose: &'static str,
    present: fn(&Shell) -> bool,
}

const NEEDS: [Need; 4] = [
    Need {
        package: "python3",
        purpose: "runs the Flight SQL clients",
        present: |shell| succeeds(&mut shell.program("python3", &["--version"])),
    },
    Need {
        package: "python3-venv",
        purpose: "makes their virtual environment",
        present: |shell| succeeds(&mut shell.program("python3", &["-c", "import venv, ensurepip"])),
    },
    Need {
        package: "golang-go",
        purpose: "compiles the verifier of the audit log",
        present: |shell| succeeds(&mut shell.program("go", &["version"])),
    },
    Need {
        package: "golang-golang-x-mod-dev",
        purpose: "the third party's code that verifies: sumdb/note and sumdb/tlog",
        present: |_| Path::new("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go").is_file(),
    },
];

/// Installs what is missing, or stops with the line that would.
pub(super) fn install(shell: &Shell) -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.present)(shell)).collect();
    if missing.is_empty() {
        say("nothing is missing");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let root = output(&mut shell.program("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    if !root || !succeeds(&mut shell.program("apt-get", &["--version"])) {
        bail!("the tests need Debian packages; run: {}", by_hand(&packages));
    }
    for need in &missing {
        say(&format!(
            "installing Debian package {}: {}",
            need.package, need.purpose
        ));
    }
    let apt = |arguments: &[&str]| {
        let mut command = shell.program("apt-get", arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        call(&mut command).with_context(|| format!("by hand: {}", by_hand(&packages)))
    };
    apt(&["-qq", "update"])?;
    apt(&[
        &["-qq", "-y", "--no-install-recommends", "install"],
        packages.as_slice(),
    ]
    .concat())?;
    let still: Vec<&str> = NEEDS
        .iter()
        .filter(|need| !(need.present)(shell))
        .map(|need| need.package)
        .collect();
    ensure!(
        still.is_empty(),
        "apt installed {}, but they do not work here",
        still.join(" ")
    );
    Ok(())
}

/// The one line to run.
fn by_hand(packages: &[&str]) -> String {
    format!(
        "sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    )
}
