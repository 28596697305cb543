//! What people write beside a request, and how much.

use tre_core::codes::{self, Problem};

const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 10_000;

/// A title: one line.
pub(super) fn title(text: &str) -> Result<(), Problem> {
    if text.contains('\n') {
        return Err(Problem::of(&codes::REQ_TEXT, "the title has several lines"));
    }
    required("title", text, MAX_TITLE)
}

/// A text that must be there.
pub(super) fn context(text: &str) -> Result<(), Problem> {
    required("context", text, MAX_TEXT)
}

/// A comment; `must` it be there?
pub(super) fn comment(text: &str, must: bool) -> Result<(), Problem> {
    if must {
        required("comment", text, MAX_TEXT)
    } else {
        fits("comment", text, MAX_TEXT)
    }
}

fn required(name: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::of(&codes::REQ_TEXT, format!("the {name} is missing")));
    }
    fits(name, text, most)
}

fn fits(name: &str, text: &str, most: usize) -> Result<(), Problem> {
    let length = text.chars().count();
    if length > most {
        return Err(Problem::of(
            &codes::REQ_TEXT,
            format!("the {name} has {length} characters, more than {most}"),
        ));
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t' && c != '\r')
    {
        return Err(Problem::of(
            &codes::REQ_TEXT,
            format!("the {name} holds control characters"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_there_and_readable() {
        assert!(title("Table 1").is_ok() && context("Baseline.\nNew.").is_ok());
        assert!(comment("", false).is_ok() && comment("say how", true).is_ok());
        let long = "x".repeat(10_001);
        for wrong in [
            title(" "),
            title("a\nb"),
            title(&"x".repeat(201)),
            context(""),
            context(&long),
            context("\u{1b}[31m"),
            comment("", true),
            comment(" \n", true),
            comment(&long, false),
        ] {
            assert_eq!(wrong.map_err(|problem| problem.code.id), Err("TRE-REQ-003"));
        }
    }
}
