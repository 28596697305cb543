//! A deployment in a temporary directory, beside the files of its data holder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tre_examples::eunomia;

use crate::log;
use crate::program::{Run, Tre};
use crate::snapshot::Snapshot;
use crate::store::Store;

/// A home and what lies beside it; deleted when dropped.
#[derive(Debug)]
pub struct Home {
    directory: TempDir,
    tre: Tre,
}

/// A token with its id.
#[derive(Debug, Clone)]
pub struct Token {
    /// What the person shows.
    pub text: String,
    /// How others name it.
    pub id: String,
}

impl Home {
    /// A directory in which there is no home yet.
    pub fn none() -> Result<Home> {
        let directory = tempfile::Builder::new().prefix("tre-test-").tempdir()?;
        // Workers run as users of their own; what lies here is as reachable for them as a home on a real machine.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711))?;
        let tre = Tre::new(directory.path())?.with("TRE_HOME", directory.path().join("home"));
        Ok(Home { directory, tre })
    }

    /// A new home without data and without a certificate.
    pub fn empty() -> Result<Home> {
        let home = Home::none()?;
        home.tre(&["init"])?.ok()?;
        Ok(home)
    }

    /// A home with a certificate and the Eunomia extract, as `init` and `ingest` leave it. Made once per run of the
    /// tests and copied from then on.
    pub fn eunomia() -> Result<Home> {
        static TEMPLATE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| make_template().map_err(|error| format!("{error:#}")));
        let template = template
            .as_ref()
            .map_err(|error| anyhow!("no home to copy: {error}"))?;
        Home::like(template)
    }

    /// A copy of a home that is at rest.
    pub fn like(template: &Path) -> Result<Home> {
        let home = Home::none()?;
        copy(template, &home.path())?;
        Ok(home)
    }

    /// The home itself.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// A file beside the home.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file beside the home.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.beside(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }

    /// The certificate that clients trust.
    pub fn certificate(&self) -> Option<PathBuf> {
        let path = self.path().join("tls").join("cert.pem");
        path.is_file().then_some(path)
    }

    /// How the program is run on this home: as whoever has access to its files.
    pub fn program(&self) -> &Tre {
        &self.tre
    }

    /// Runs a command on this home.
    pub fn tre(&self, words: &[&str]) -> Result<Run> {
        self.tre.run(words)
    }

    /// Issues a token; operators and auditors have no project.
    pub fn token(&self, user: &str, role: &str, project: Option<&str>) -> Result<Token> {
        self.token_for(user, role, project, "8h")
    }

    /// Issues a token with a life of its own.
    pub fn token_for(&self, user: &str, role: &str, project: Option<&str>, ttl: &str) -> Result<Token> {
        let mut words = vec!["token", "issue", "--user", user, "--role", role, "--ttl", ttl];
        words.extend(project.iter().flat_map(|project| ["--project", project]));
        let run = self.tre(&words)?.ok()?;
        let text = run.out.trim_end_matches('\n').to_owned();
        ensure!(
            !text.is_empty() && !text.contains(char::is_whitespace),
            "not the token alone on stdout\n{run}"
        );
        Ok(Token {
            text,
            id: run.id("tok_")?,
        })
    }

    /// Entries of the log.
    pub fn log(&self) -> Result<Vec<Value>> {
        log::entries(&self.tre, &self.path())
    }

    /// Rows of the database.
    pub fn store(&self) -> Result<Store> {
        Store::read(&self.path())
    }

    /// Everything that it keeps.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Snapshot::of(&self.path())
    }

    /// Insists that `tre doctor` finds nothing wrong with the home and that the log verifies.
    pub fn is_sound(&self) -> Result<()> {
        let doctor = self.tre(&["doctor", "--format", "json"])?;
        let report = doctor.json()?;
        let rows = report
            .pointer("/rows")
            .and_then(Value::as_array)
            .context("doctor lists nothing")?;
        let of_home = |row: &&Value| ["home", "data", "log"].iter().any(|area| row["area"] == *area);
        for row in rows.iter().filter(of_home) {
            ensure!(row["state"] != "fail", "doctor: {row}");
        }
        ensure!(
            rows.iter().filter(of_home).count() >= 3,
            "doctor looked at too little\n{doctor}"
        );
        self.tre(&["audit", "verify"])?.ok()?;
        log::is_well_formed(&self.log()?)
    }
}

/// Writes the holder's files of the Eunomia extract below `eunomia/`.
pub fn bring_eunomia(home: &Home) -> Result<PathBuf> {
    for (name, content) in eunomia::FILES {
        home.write(&format!("eunomia/{name}"), content)?;
    }
    home.write("eunomia/eunomia.toml", eunomia::SPEC)
}

/// Makes the home that others copy; those of earlier runs are removed.
fn make_template() -> Result<PathBuf> {
    let all = std::env::temp_dir().join("tre-test-templates");
    fs::create_dir_all(&all)?;
    for entry in fs::read_dir(&all)?.flatten() {
        let is_used = Path::new("/proc").join(entry.file_name()).exists();
        if !is_used {
            // Another run of the tests may remove it at the same time.
            let _gone = fs::remove_dir_all(entry.path());
        }
    }
    let home = Home::none()?;
    home.tre(&["init", "--self-signed"])?.ok()?;
    bring_eunomia(&home)?;
    home.tre(&["ingest", "eunomia/eunomia.toml"])?.ok()?;
    let template = all.join(std::process::id().to_string());
    copy(&home.path(), &template)?;
    Ok(template)
}

/// Copies a directory with its modes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("cannot make `{}`", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target).with_context(|| format!("cannot copy `{}`", source.display()))?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}
