//! Policies without a server: those of a home, or those that this program ships.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::Args;
use tre_core::codes::PRJ_POLICY;
use tre_core::ids::PolicyId;
use tre_core::policy::Policy;
use tre_home::layout::Layout;

use crate::exit::Failure;
use crate::shipped;

/// Where policies are read from.
#[derive(Debug, Args)]
pub(super) struct ShelfArgs {
    /// Read the policies of this home; without it, those that come with this program
    #[arg(long, env = "TRE_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
}

impl ShelfArgs {
    /// One policy, or all in the order of their ids.
    ///
    /// # Errors
    /// When there is none of this name, or one of those asked for cannot be read.
    pub(super) fn policies(&self, id: Option<&PolicyId>) -> Result<Vec<Policy>, Failure> {
        let ids = match id {
            Some(id) => vec![id.clone()],
            None => self.ids()?,
        };
        ids.iter().map(|id| self.policy(id)).collect()
    }

    fn ids(&self) -> Result<Vec<PolicyId>, Failure> {
        let names = match &self.home {
            None => shipped::SDC.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Some(home) => {
                let directory = Layout::new(home).sdc_policies();
                let failed = |error| Failure::file("list", &directory, &error);
                let entries = fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
                let names = entries.map_err(failed)?;
                let names = names
                    .into_iter()
                    .filter_map(|entry| entry.file_name().into_string().ok());
                names.collect::<Vec<String>>()
            }
        };
        let stems = names.iter().filter_map(|name| name.strip_suffix(".toml"));
        let mut ids: Vec<PolicyId> = stems.filter_map(|stem| stem.parse().ok()).collect();
        ids.sort();
        Ok(ids)
    }

    fn policy(&self, id: &PolicyId) -> Result<Policy, Failure> {
        let text = self.text(&format!("{id}.toml"), &shipped::SDC)?;
        let text = text.ok_or_else(|| Failure::of(&PRJ_POLICY, format!("there is no policy `{id}`")))?;
        Ok(Policy::parse(id, &text)?)
    }

    /// The cases of a policy: the home's, else those that this program has of a policy of this name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn cases(&self, id: &PolicyId) -> Result<Option<String>, Failure> {
        let name = format!("{id}.toml");
        let of_home = self.text(&format!("conformance/{name}"), &[])?;
        Ok(of_home.or_else(|| embedded(&name, &shipped::CASES)))
    }

    /// A file of the home's policies, or of these where no home is named; `None`: there is none.
    fn text(&self, name: &str, files: &[shipped::File]) -> Result<Option<String>, Failure> {
        let Some(home) = &self.home else {
            return Ok(embedded(name, files));
        };
        let path = Layout::new(home).sdc_policies().join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file("read", &path, &error)),
        }
    }
}

fn embedded(name: &str, files: &[shipped::File]) -> Option<String> {
    let (_, bytes) = files.iter().find(|(file, _)| *file == name)?;
    String::from_utf8(bytes.to_vec()).ok()
}
