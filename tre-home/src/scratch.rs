//! What tests of the crate's parts begin with: the directories and keys of a home, without a log and a store.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use crate::files::{self, PASSAGE_DIR, PRIVATE_DIR, PRIVATE_FILE};
use crate::layout::Layout;
use crate::vault::Vault;

/// Deleted when dropped. Each has keys of its own.
pub(crate) struct Scratch {
    _directory: tempfile::TempDir,
    pub(crate) layout: Layout,
    pub(crate) vault: Vault,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        files::make_dir(&layout.vault(), PRIVATE_DIR).unwrap();
        files::make_dir(&layout.registries(), PRIVATE_DIR).unwrap();
        files::make_dir(&layout.datasets(), PASSAGE_DIR).unwrap();
        Vault::create(&layout).unwrap();
        files::write_new(&layout.audit_key(), b"", PRIVATE_FILE).unwrap();
        let vault = Vault::open(&layout).unwrap();
        Scratch {
            _directory: directory,
            layout,
            vault,
        }
    }
}
