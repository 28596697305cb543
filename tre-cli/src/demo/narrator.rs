//! Prints the story: chapters, paragraphs, command lines and what they answered. At most [`WIDTH`] columns, readable
//! without colours, which are used on a terminal only.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};

use crate::exit::Failure;
use crate::render::{visible, wrapped};

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

    /// What a command printed.
    pub(super) fn output(&mut self, text: &str) -> Result<(), Failure> {
        let shown: String = text.lines().map(|line| format!("{}\n", indented(line))).collect();
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

/// One line of output, indented, safe to show, and cut where the page ends.
fn indented(line: &str) -> String {
    let line = visible(line);
    let room = WIDTH - INDENT.len();
    let cut = line.char_indices().nth(room).is_some();
    let kept: String = line.chars().take(if cut { room - 1 } else { room }).collect();
    let text = format!("{INDENT}{kept}{}", if cut { "…" } else { "" });
    text.trim_end().to_owned()
}

/// `who$ word word`, quoted for a shell.
fn command_line(who: &str, words: &[String]) -> String {
    let prompt = format!("{who}$");
    let mut lines = vec![prompt];
    for word in words {
        let word = quoted(word);
        let fits = lines
            .last()
            .is_some_and(|line| line.chars().count() + 1 + first_line(&word) + 2 <= WIDTH);
        match lines.last_mut() {
            Some(line) if fits => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => {
                if let Some(line) = lines.last_mut() {
                    line.push_str(" \\");
                }
                lines.push(format!("      {word}"));
            }
        }
    }
    lines.join("\n")
}

fn first_line(word: &str) -> usize {
    word.lines().next().map_or(0, |line| line.chars().count())
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,&".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
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
        assert_eq!(
            command_line("alice", &words(&["tre", "sql", "-c", "select 'x'"])),
            "alice$ tre sql -c 'select '\\''x'\\'''"
        );
    }

    #[test]
    fn long_command_lines_are_broken_between_words() {
        let long = "x".repeat(60);
        let line = command_line("bo", &words(&["tre", &long, &long]));
        assert_eq!(line, format!("bo$ tre {long} \\\n      {long}"));
    }

    #[test]
    fn output_never_leaves_the_page() {
        let shown = indented(&"y".repeat(300));
        assert_eq!((shown.chars().count(), shown.ends_with('…')), (WIDTH, true));
        assert_eq!(indented(""), "");
    }
}
