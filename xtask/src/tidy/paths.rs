//! The project runs anywhere: no directory of one machine, no host of a package registry.

use super::tree::{Finding, Tree};

/// Written so that this file does not contain them.
const PLACES: [&str; 8] = [
    concat!("/ro", "ot/."),
    concat!("/wo", "rk/"),
    concat!("/ho", "me/user"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("py", "pi.org"),
    concat!("registry.", "npmjs.org"),
    concat!("deb.", "debian.org"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.path != "Cargo.lock" && !file.path.starts_with('('))
    {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(place) = PLACES.iter().find(|place| names(line, place)) {
                findings.push(Finding::new(
                    file,
                    index + 1,
                    format!("`{place}` is a place of one machine or network"),
                ));
            }
        }
    }
    findings
}

/// Whether the line names this place, and not a longer relative path that ends alike.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !place.starts_with('/') || !before.is_some_and(|c| c.is_alphanumeric() || "._-*}".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::found;
    use super::*;

    #[test]
    fn cases() {
        let [cache, work, _, index, ..] = PLACES;
        for (text, expected) in [
            (format!("cd {work}x"), Some(work)),
            (format!("a\nDIR={cache}cache"), Some(cache)),
            (format!("url = \"sparse+https://{index}/\""), Some(index)),
            (format!("the network{work}x"), None),
            (format!("run{work}x"), None),
        ] {
            let line = text.lines().count();
            let expected =
                expected.map(|p| format!("a.md:{line}: `{p}` is a place of one machine or network"));
            assert_eq!(
                found(check, &[("a.md", &text)]).first(),
                expected.as_ref(),
                "{text}"
            );
            assert!(found(check, &[("Cargo.lock", &text)]).is_empty());
        }
    }
}
