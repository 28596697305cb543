//! What the documents say about the command line is true, and every code that can be printed is explained.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tre_tests::home::Home;
use tre_tests::program::Tre;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// All words of a document that follow `tre ` in a code block or in backticks, one command line each.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if in_block {
            let line = line.trim_start().trim_start_matches("$ ");
            found.extend(line.starts_with("tre ").then(|| line.to_owned()));
        } else {
            found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .filter(|code| code.starts_with("tre "))
                    .map(str::to_owned),
            );
        }
    }
    found
}

#[test]
fn every_command_in_the_readme_is_in_the_help() {
    let tre = Tre::new(&std::env::temp_dir()).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).expect("the project has a README");
    let all = commands(&readme);
    assert!(all.len() >= 10, "the README shows {} commands", all.len());
    let mut wrong = Vec::new();
    for line in &all {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let plain =
            |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
        let mut names: Vec<&str> = words.iter().take_while(plain).copied().collect();
        // `tre demo`'s workers are not for people: `tre desk SESSION` is how `ps` shows one.
        if matches!(names.first(), Some(&("desk" | "data" | "jail"))) {
            continue;
        }
        let help = loop {
            let run = tre.run(&[&names[..], &["--help"]].concat()).unwrap();
            if run.status.success() || names.len() < 2 {
                break run;
            }
            names.pop();
        };
        if !help.status.success() || names.is_empty() {
            wrong.push(format!("`{line}`: there is no such command"));
            continue;
        }
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            let flag = flag
                .split(['=', ']', '|'])
                .next()
                .unwrap_or(flag)
                .trim_end_matches([',', ')', '\'']);
            if !help.out.contains(flag) {
                wrong.push(format!(
                    "`{line}`: `tre {} --help` has no {flag}",
                    names.join(" ")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_of_the_sources_is_explained() {
    let known = explained();
    let mut unknown = BTreeSet::new();
    let mut named = 0;
    let mut open = vec![root()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                let skipped = name.starts_with('.')
                    || ["target", "tests", "xtask", "fixtures"].contains(&name.as_str());
                open.extend((!skipped).then_some(path));
                continue;
            }
            if ![".rs", ".md", ".cedar", ".toml", ".proto"]
                .iter()
                .any(|ending| name.ends_with(ending))
                || name == "tests.rs"
            {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            // Unit tests name codes that do not exist, to see them refused.
            let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for code in codes(text) {
                named += 1;
                if !known.contains(&code) {
                    unknown.insert(format!(
                        "{code} in {}",
                        path.strip_prefix(root()).unwrap().display()
                    ));
                }
            }
        }
    }
    assert!(named > 80, "only {named} codes were found");
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn each_code_says_what_it_is_why_and_what_to_do() {
    let home = Home::none().unwrap();
    for code in explained() {
        let told = home
            .tre(&["explain", &code, "--format", "json"])
            .unwrap()
            .ok()
            .unwrap()
            .json()
            .unwrap();
        for field in ["title", "meaning", "remedy"] {
            assert!(
                told[field].as_str().is_some_and(|text| !text.is_empty()),
                "{code}: {told}"
            );
        }
    }
    home.tre(&["explain", "TRE-NONE-999"])
        .unwrap()
        .fails(1, "TRE-CLI-009")
        .unwrap();
}

/// The codes that `tre explain` lists.
pub(crate) fn explained() -> BTreeSet<String> {
    let tre = Tre::new(&std::env::temp_dir()).unwrap();
    let listed = tre
        .run(&["explain", "--format", "json"])
        .unwrap()
        .ok()
        .unwrap()
        .json()
        .unwrap();
    let rows = listed["rows"].as_array().expect("rows");
    rows.iter()
        .map(|row| row["code"].as_str().expect("a code").to_owned())
        .collect()
}

/// Every `TRE-AREA-NNN` of a text.
fn codes(text: &str) -> BTreeSet<String> {
    let shape = |word: &&str| {
        let parts: Vec<&str> = word.split('-').collect();
        matches!(parts[..], ["TRE", area, number]
            // CONTRIBUTING shows the form of a code as `TRE-AREA-000`.
            if area != "AREA" && !area.is_empty() && area.bytes().all(|b| b.is_ascii_uppercase())
                && number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(shape).map(str::to_owned).collect()
}
