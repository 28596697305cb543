//! What `cargo xtask test` prepares is used: a peer that no test runs would be a silent skip.

use super::tree::{Finding, Tree};

/// Names that some test must contain, and what it then runs.
const PEERS: [(&str, &str); 5] = [
    ("TRE_TEST_PYTHON", "the virtual environment"),
    ("adbc_client.py", "the ADBC client"),
    ("pyarrow_client.py", "the pyarrow client"),
    ("TRE_TEST_VERIFIER", "the log verifier"),
    ("alterations", "the log verifier on altered logs"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let tests = || tree.rust().filter(|file| file.path.contains("/tests/it/"));
    let missing = PEERS
        .iter()
        .filter(|(name, _)| !tests().any(|file| file.text.contains(name)));
    missing
        .map(|(name, what)| Finding::of_project(format!("no test names `{name}`, so none runs {what}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        let all = PEERS.map(|(name, _)| format!("\"{name}\"")).join("\n");
        let most = all.replace("adbc_client.py", "");
        for (path, text, expected) in [
            ("tests/tests/it/peers.rs", &all, None),
            (
                "tests/tests/it/peers.rs",
                &most,
                Some("project: no test names `adbc_client.py`, so none runs the ADBC client"),
            ),
            (
                "tests/src/peers.rs",
                &all,
                Some("project: no test names `TRE_TEST_PYTHON`, so none runs the virtual environment"),
            ),
        ] {
            assert_eq!(
                found(check, &[(path, text)]).first().map(String::as_str),
                expected,
                "{path}"
            );
        }
    }
}
