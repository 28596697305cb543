//! `cargo xtask soak`: the soundness property over many more worlds than CI has time for.
//!
//! The test is the one that CI runs, told how many queries to ask and with which seed to begin. It prints its progress and,
//! when a world fails, the seed that shows it again.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::shell::{Shell, call};

/// The property, by its name among the tests of `tre-query`.
const PROPERTY: &str = "soundness::whatever_differs_lies_in_values_of_enough_people";

/// How much to ask.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    queries: u64,
    seed: u64,
}

/// Runs the property; fails when it does.
pub(crate) fn run(shell: &Shell, arguments: &[String]) -> Result<ExitCode> {
    let wanted = parse(arguments)?;
    let mut command = shell.cargo(&["test", "--locked", "--workspace", "--test", "it", "--"]);
    command
        .args([PROPERTY, "--exact", "--nocapture"])
        .env("TRE_SOAK_QUERIES", wanted.queries.to_string())
        .env("TRE_SOAK_SEED", wanted.seed.to_string());
    call(&mut command)?;
    Ok(ExitCode::SUCCESS)
}

fn parse(arguments: &[String]) -> Result<Wanted> {
    let mut wanted = Wanted {
        queries: 20_000,
        seed: 0,
    };
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = match name.as_str() {
            "--queries" => &mut wanted.queries,
            "--seed" => &mut wanted.seed,
            other => bail!("unexpected argument `{other}`: `soak` takes --queries N and --seed N"),
        };
        let text = arguments
            .next()
            .with_context(|| format!("`{name}` needs a number"))?;
        *value = text
            .parse()
            .with_context(|| format!("`{text}` is not a number for `{name}`"))?;
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn cases() {
        for (typed, expected) in [
            ("", Some((20_000, 0))),
            ("--seed 7", Some((20_000, 7))),
            ("--queries 5 --seed 7", Some((5, 7))),
            ("--seed", None),
            ("--seed x", None),
            ("--hours 3", None),
        ] {
            let arguments: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
            let found = parse(&arguments).ok().map(|wanted| (wanted.queries, wanted.seed));
            assert_eq!(found, expected, "{typed}");
        }
    }

    #[test]
    fn the_property_is_a_test_of_that_name() {
        let shell = Shell::new().unwrap();
        let (module, name) = PROPERTY.split_once("::").unwrap();
        let file = shell.root.join(format!("tre-query/tests/it/{module}/mod.rs"));
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.contains(&format!("#[test]\nfn {name}()")));
    }
}
