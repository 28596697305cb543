//! Prints the story: chapters, paragraphs, command lines and what they answered. At most [`WIDTH`] columns, readable
//! without colours, which are used on a terminal only.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};

use crate::exit::Failure;
use crate::render::{folded, visible, wrapped};

/// Columns that the story takes.
pub(super) const WIDTH: usize = 100;

/// What commands print stands this far in.
const INDENT: &str = "    ";

/// Writes to stdout.
#[derive(Debug)]
pub(super) struct Narrator {
    colour: bool,
    chapters: u8,
}

impl Narrator {
    pub(super) fn new(colour: bool) -> Self {
        Narrator { colour, chapters: 0 }
    }

    /// A new chapter: its number and title, and a line to the right margin.
    pub(super) fn chapter(&mut self, title: &str) -> Result<(), Failure> {
        self.chapters = self.chapters.saturating_add(1);
        let head = format!("── {}. {title} ", self.chapters);
        let rest = "─".repeat(WIDTH.saturating_sub(head.chars().count()));
        self.lines(&format!("\n{head}{rest}\n"), AnsiColor::Cyan.on_default().bold())
    }

    /// A paragraph.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.lines(&format!("\n{}\n", wrapped(text, WIDTH)), Style::new())
    }

    /// A command line, long ones broken between words as a shell would accept them.
    pub(super) fn command(&mut self, who: &str, words: &[String]) -> Result<(), Failure> {
        self.lines(
            &format!("\n{}\n", command_line(who, words)),
            AnsiColor::Green.on_default().bold(),
        )
    }

    /// What a command printed, safe to show, long lines folded.
    pub(super) fn output(&mut self, text: &str) -> Result<(), Failure> {
        let room = WIDTH - INDENT.len();
        let lines = text.lines().flat_map(|line| folded(&visible(line), room, "  "));
        let shown: String = lines
            .map(|line| format!("{}\n", format!("{INDENT}{line}").trim_end()))
            .collect();
        self.lines(&shown, Style::new())
    }

    fn lines(&self, text: &str, style: Style) -> Result<(), Failure> {
        let style = if self.colour { style } else { Style::new() };
        let mut out = io::stdout().lock();
        for line in text.lines() {
            match line {
                "" => writeln!(out)?,
                line => writeln!(out, "{style}{line}{style:#}")?,
            }
        }
        out.flush()?;
        Ok(())
    }
}

/// `who$ word word`, quoted for a shell, an option on one line with its value.
fn command_line(who: &str, words: &[String]) -> String {
    let mut lines = vec![format!("{who}$")];
    for unit in units(words) {
        let last = unit.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        let first = unit.lines().next().map_or(0, |line| line.chars().count());
        let used = lines.last().map_or(0, |line| line.chars().count());
        // A blank before it, and ` \\` behind it in case that another line follows.
        let fits = used + 1 + first + 2 <= WIDTH && last <= WIDTH;
        match lines.last_mut() {
            Some(line) if fits => {
                line.push(' ');
                line.push_str(&unit);
            }
            _ => {
                lines.last_mut().into_iter().for_each(|line| line.push_str(" \\"));
                lines.push(format!("      {unit}"));
            }
        }
        // The next word goes on where a text of several lines ends.
        if let Some((before, end)) = lines.last().and_then(|line| line.rsplit_once('\n')) {
            let (before, end) = (before.to_owned(), end.to_owned());
            lines.pop();
            lines.extend([before, end]);
        }
    }
    lines.join("\n")
}

/// Words, an option joined with the value that follows it.
fn units(words: &[String]) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut takes_value = false;
    for word in words {
        match units.last_mut() {
            Some(option) if takes_value && !word.starts_with('-') => {
                option.push(' ');
                option.push_str(&quoted(word));
                takes_value = false;
            }
            _ => {
                takes_value = word.starts_with('-');
                units.push(quoted(word));
            }
        }
    }
    units
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,&".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else if word.contains('\'') && !word.contains(['"', '$', '`', '\\', '!']) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn command_lines_can_be_pasted_into_a_shell() {
        for (word, expected) in [
            ("select 1", "'select 1'"),
            ("it's", "\"it's\""),
            ("it's $5", "'it'\\''s $5'"),
            ("", "''"),
            ("a/b.csv", "a/b.csv"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn long_command_lines_are_broken_between_words() {
        let long = "x".repeat(60);
        let line = command_line("bo", &words(&["tre", &long, "--file", &long, "end"]));
        assert_eq!(line, format!("bo$ tre {long} \\\n      --file {long} end"));
    }

    #[test]
    fn a_text_of_several_lines_keeps_them() {
        let line = command_line("bo", &words(&["tre", "-c", "select 1,\n  2", "--strict"]));
        assert_eq!(line, "bo$ tre -c 'select 1,\n  2' --strict");
    }
}
