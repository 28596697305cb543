//! Programs of other people that the tests run against ours: Flight SQL clients in Python, a log verifier in Go.
//!
//! Both are made here and handed to the tests as environment variables. Their own small tests run first.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};

use crate::shell::{Shell, call, say};

/// Environment variable for the tests: the virtual environment's interpreter.
pub(super) const PYTHON: &str = "TRE_TEST_PYTHON";
/// Environment variable for the tests: the log verifier.
pub(super) const VERIFIER: &str = "TRE_TEST_VERIFIER";

/// The interpreter of a virtual environment that has exactly `tests/clients/requirements.txt`. It is kept and made anew
/// only when that file changes.
pub(super) fn python(shell: &Shell) -> Result<PathBuf> {
    let clients = shell.root.join("tests").join("clients");
    let path = clients.join("requirements.txt");
    let wanted = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let directory = shell.peers().join("venv");
    let interpreter = directory.join("bin").join("python");
    let stamp = directory.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && interpreter.exists() {
        say(&format!(
            "virtual environment is up to date: {}",
            directory.display()
        ));
    } else {
        remove(&directory)?;
        fs::create_dir_all(shell.peers())?;
        call(&mut shell.program("python3", &["-m", "venv", &directory.to_string_lossy()]))?;
        let quiet = [
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "install",
        ];
        let mut pip = shell.program(&interpreter.to_string_lossy(), &quiet);
        call(pip.arg("--requirement").arg(&path))?;
        fs::write(&stamp, wanted)?;
    }
    let mut tests = shell.program(
        &interpreter.to_string_lossy(),
        &["-B", "-m", "unittest", "discover", "--start-directory"],
    );
    call(tests.arg(&clients))?;
    Ok(interpreter)
}

/// The verifier, compiled against Debian's copy of Go's own libraries.
pub(super) fn verifier(shell: &Shell) -> Result<PathBuf> {
    let program = shell.peers().join("log-verifier");
    fs::create_dir_all(shell.peers())?;
    let source = shell.root.join("tests").join("verifier");
    let go = |arguments: &[&str]| {
        let mut command = shell.program("go", arguments);
        command
            .current_dir(&source)
            .env("GO111MODULE", "off")
            .env("GOPATH", "/usr/share/gocode")
            .env("GOFLAGS", "")
            .env("GOCACHE", shell.peers().join("go-cache"));
        command
    };
    call(go(&["build", "-o"]).arg(&program).arg("main.go"))?;
    call(&mut go(&["test", "main.go", "main_test.go"]))?;
    Ok(program)
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", directory.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
