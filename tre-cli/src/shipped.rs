//! The policies that `tre init` copies into a new home, out of this program, and the cases that say what they mean.

/// File name and content.
pub(crate) type File = (&'static str, &'static [u8]);

/// What may leave: rule packs.
pub(crate) const SDC: [File; 8] = [
    (
        "acro-defaults.toml",
        include_bytes!("../../policies/sdc/acro-defaults.toml"),
    ),
    (
        "datashield-defaults.toml",
        include_bytes!("../../policies/sdc/datashield-defaults.toml"),
    ),
    (
        "genomics-england.toml",
        include_bytes!("../../policies/sdc/genomics-england.toml"),
    ),
    (
        "kaigo-db.toml",
        include_bytes!("../../policies/sdc/kaigo-db.toml"),
    ),
    ("ndb.toml", include_bytes!("../../policies/sdc/ndb.toml")),
    (
        "nhs-england-sde.toml",
        include_bytes!("../../policies/sdc/nhs-england-sde.toml"),
    ),
    ("ons.toml", include_bytes!("../../policies/sdc/ons.toml")),
    (
        "opensafely.toml",
        include_bytes!("../../policies/sdc/opensafely.toml"),
    ),
];

/// Cases of the same, for `tre policy test`.
pub(crate) const CASES: [File; 8] = [
    (
        "acro-defaults.toml",
        include_bytes!("../../policies/sdc/conformance/acro-defaults.toml"),
    ),
    (
        "datashield-defaults.toml",
        include_bytes!("../../policies/sdc/conformance/datashield-defaults.toml"),
    ),
    (
        "genomics-england.toml",
        include_bytes!("../../policies/sdc/conformance/genomics-england.toml"),
    ),
    (
        "kaigo-db.toml",
        include_bytes!("../../policies/sdc/conformance/kaigo-db.toml"),
    ),
    (
        "ndb.toml",
        include_bytes!("../../policies/sdc/conformance/ndb.toml"),
    ),
    (
        "nhs-england-sde.toml",
        include_bytes!("../../policies/sdc/conformance/nhs-england-sde.toml"),
    ),
    (
        "ons.toml",
        include_bytes!("../../policies/sdc/conformance/ons.toml"),
    ),
    (
        "opensafely.toml",
        include_bytes!("../../policies/sdc/conformance/opensafely.toml"),
    ),
];

/// Who may do what: Cedar policies and their schema.
pub(crate) const ACCESS: [File; 3] = [
    ("roles.cedar", include_bytes!("../../policies/access/roles.cedar")),
    (
        "separation.cedar",
        include_bytes!("../../policies/access/separation.cedar"),
    ),
    (
        "schema.cedarschema",
        include_bytes!("../../policies/access/schema.cedarschema"),
    ),
];

/// Owned copies, as `tre init` takes them.
pub(crate) fn owned(files: &[File]) -> Vec<(String, Vec<u8>)> {
    files
        .iter()
        .map(|&(name, content)| (name.to_owned(), content.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn no_policy_of_the_project_is_forgotten() {
        for (directory, files) in [
            ("sdc", &SDC[..]),
            ("sdc/conformance", &CASES[..]),
            ("access", &ACCESS[..]),
        ] {
            let path = format!("{}/../policies/{directory}", env!("CARGO_MANIFEST_DIR"));
            let mut there: Vec<String> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap())
                .filter(|entry| entry.file_type().unwrap().is_file())
                .map(|entry| entry.file_name().into_string().unwrap())
                .collect();
            there.sort();
            let mut shipped: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
            shipped.sort();
            assert_eq!(shipped, there, "{directory}");
        }
    }
}
