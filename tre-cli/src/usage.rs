//! The command line's own words: examples at the second level of commands, and usage errors that say what was needed.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error, FromArgMatches};

use crate::args::Cli;

/// Reads a command line.
///
/// # Errors
/// clap's, completed; help and version are errors of this kind too, and end with 0.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Cli, Error> {
    let matches = command()
        .try_get_matches_from(words.iter())
        .map_err(|error| completed(error, &words))?;
    Cli::from_arg_matches(&matches).map_err(|error| completed(error, &words))
}

/// The definition, with the examples of a command shown at its subcommands too, each where it belongs.
pub(crate) fn command() -> Command {
    let mut all = Cli::command();
    let names: Vec<String> = all.get_subcommands().map(|of| of.get_name().to_owned()).collect();
    for name in names {
        all = all.mut_subcommand(name, share_examples);
    }
    all
}

fn share_examples(parent: Command) -> Command {
    let text = parent
        .get_after_long_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let first = parent.get_name().to_owned();
    let names: Vec<String> = parent
        .get_subcommands()
        .map(|of| of.get_name().to_owned())
        .collect();
    names.into_iter().fold(parent, |parent, second| {
        let words = format!("tre {first} {second}");
        let is_of_it = |line: &&str| {
            line.split_once(&words)
                .is_some_and(|(_, rest)| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-'))
        };
        let examples: Vec<&str> = text.lines().filter(is_of_it).collect();
        if examples.is_empty() {
            return parent;
        }
        let help = format!("Examples:\n{}", examples.join("\n"));
        parent.mut_subcommand(second, |child| child.after_long_help(help))
    })
}

/// What may stand in place of an argument that is missing.
const INSTEAD: [(&str, &str); 3] = [
    ("--home", "the environment variable TRE_HOME may name it too"),
    ("--context", "--context-file reads it from a file"),
    (
        "--project",
        "analysts and checkers need one; `tre project list` shows what there is",
    ),
];

/// clap shows as usage what was given or set in the environment, as if all of it were required. The command's own usage
/// says what is.
fn completed(mut error: Error, words: &[OsString]) -> Error {
    if error.get(ContextKind::Usage).is_some() {
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage(words)));
    }
    if error.kind() == ErrorKind::MissingRequiredArgument {
        let missing = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::Strings(missing)) => missing.join("\n"),
            Some(_) | None => String::new(),
        };
        let tips = INSTEAD
            .iter()
            .filter(|(argument, _)| missing.contains(&format!("{argument} ")))
            .map(|(_, tip)| StyledStr::from(*tip))
            .collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// The usage of the deepest command that the words name.
fn usage(words: &[OsString]) -> StyledStr {
    let mut all = command();
    all.build();
    let mut found = &all;
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        match found.find_subcommand(word) {
            Some(deeper) => found = deeper,
            None => break,
        }
    }
    found.clone().render_usage()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(words: &[&str]) -> String {
        let words = std::iter::once("tre").chain(words.iter().copied());
        match parse(words.map(OsString::from).collect()) {
            Ok(cli) => format!("{cli:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_examples() {
        let says = |command: &Command, path: &str| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{path} has no help");
            let long = command.clone().render_long_help().to_string();
            let is_there = !about.contains("not in this version");
            assert!(long.contains("Examples:") || !is_there, "{path} has no examples");
            for line in long.lines() {
                assert!(line.chars().count() <= 100, "{path}: {line}");
            }
        };
        let mut seen = 0;
        for first in command().get_subcommands() {
            says(first, first.get_name());
            for second in first.get_subcommands() {
                says(second, &format!("{} {}", first.get_name(), second.get_name()));
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen} commands of the second level");
    }

    #[test]
    fn usage_shows_what_is_required_and_nothing_that_was_merely_set() {
        let said = error(&[
            "request",
            "submit",
            "--url",
            "grpc://127.0.0.1:1",
            "-c",
            "SELECT 1",
            "--title",
            "t",
        ]);
        let usage = said
            .lines()
            .find(|line| line.starts_with("Usage: "))
            .unwrap_or_default();
        assert!(
            usage.starts_with("Usage: tre request submit [OPTIONS] --title"),
            "{said}"
        );
        assert!(!usage.contains("--url"), "{said}");
        assert!(said.contains("--context-file"), "{said}");
    }

    #[test]
    fn a_missing_home_names_the_variable() {
        assert!(error(&["doctor", "--format", "xml"]).contains("table, json, csv"));
        let said = error(&["token", "issue", "--user", "o", "--role", "operator"]);
        assert!(
            said.contains("--home <DIR>") && said.contains("TRE_HOME"),
            "{said}"
        );
    }

    #[test]
    fn an_address_that_is_none_is_shown_one() {
        for words in [
            &["serve", "--home", "h", "--listen", "localhost:50061"][..],
            &["serve", "--home", "h", "--listen", "50061"],
            &["init", "--home", "h", "--listen", "50061"],
        ] {
            let said = error(words);
            assert!(said.contains("127.0.0.1:50051"), "{words:?}: {said}");
        }
    }
}
