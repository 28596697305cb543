//! `tre sql` on a terminal: statements end with `;` and may span lines, arrow keys bring back earlier ones, Ctrl-C cancels
//! what runs or is being typed, Ctrl-D leaves.
//!
//! The history holds only what was typed here, never a result.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Editor, Helper};
use tokio::runtime::Handle;
use tre_core::ids::TableName;

use super::{close_session, query, split};
use crate::codes;
use crate::command::schema;
use crate::connect::Remote;
use crate::exit::Failure;
use crate::render::Format;
use crate::shell::Shell;

const HELP: &str = "\
SELECT …;       ask; a statement ends with ; and may span lines
\\d              tables, columns and rules of the project
\\d TABLE        one table
\\f FORMAT       print as table, json or csv
\\?              this help
\\q              leave (also Ctrl-D)
Ctrl-C cancels what runs or is being typed.";

/// A line that begins with a backslash.
#[derive(Debug, PartialEq, Eq)]
enum Meta {
    Help,
    Quit,
    Describe(Option<TableName>),
    Format(Format),
    Unknown(String),
}

/// Talks to a person until they leave.
pub(crate) fn interact(
    remote: &Remote,
    format: Format,
    shell: &Shell,
    runtime: &Handle,
) -> Result<(), Failure> {
    let terminal =
        |error: ReadlineError| Failure::of(&codes::CLI_FILE, format!("the terminal cannot be used: {error}"));
    let config = Config::builder()
        .auto_add_history(true)
        .max_history_size(1000)
        .map_err(terminal)?
        .build();
    let mut editor: Editor<Statements, DefaultHistory> = Editor::with_config(config).map_err(terminal)?;
    editor.set_helper(Some(Statements));
    let history = history_file(shell.state_dir.as_deref());
    if let Some(path) = &history {
        // A first session has none.
        let _none_yet = editor.load_history(path);
    }
    let mut format = format;
    shell.note("Every answer has passed the checker. End a statement with ; — \\? for help, \\q to leave.");
    loop {
        match editor.readline("tre> ") {
            Ok(text) => match text.trim().strip_prefix('\\') {
                Some(meta) => match parse(meta) {
                    Meta::Quit => break,
                    Meta::Help => shell.note(HELP),
                    Meta::Format(chosen) => format = chosen,
                    Meta::Unknown(word) => shell.note(&format!("\\{word} is not known; \\? lists what is")),
                    Meta::Describe(table) => {
                        let shown = runtime.block_on(schema::show(remote, table.as_ref(), format, shell));
                        report(shown, shell)?;
                    }
                },
                None => {
                    for statement in split(&text).complete {
                        report(ask(remote, statement, format, shell, runtime), shell)?;
                    }
                }
            },
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        }
    }
    if let Some(path) = &history
        && editor.save_history(path).is_err()
    {
        shell.note(&format!("the history cannot be written to `{}`", path.display()));
    }
    // The idle time would end it anyway.
    let _ended = runtime.block_on(close_session(remote));
    Ok(())
}

/// Runs one statement; Ctrl-C drops the query, which cancels it at the server.
fn ask(remote: &Remote, sql: &str, format: Format, shell: &Shell, runtime: &Handle) -> Result<(), Failure> {
    let spinner = shell.spinner("asking");
    let answered = runtime.block_on(async {
        tokio::select! {
            biased;
            _pressed = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            answered = query(remote, sql) => answered,
        }
    });
    spinner.finish_and_clear();
    let answer = answered?;
    shell.show(&answer, format)?;
    let rows = answer.rows();
    shell.note(&format!("({rows} {})", if rows == 1 { "row" } else { "rows" }));
    for notice in answer.notices() {
        shell.notice(&notice);
    }
    Ok(())
}

/// Failures of one statement are told and the session goes on; only a lost stdout ends it.
fn report(result: Result<(), Failure>, shell: &Shell) -> Result<(), Failure> {
    match result {
        Ok(()) => Ok(()),
        Err(Failure::Told(told)) => {
            shell.failed(&told);
            Ok(())
        }
        Err(Failure::Interrupted) => {
            shell.note("cancelled");
            Ok(())
        }
        Err(Failure::BrokenPipe) => Err(Failure::BrokenPipe),
    }
}

fn parse(text: &str) -> Meta {
    let mut words = text.trim_end_matches(';').split_whitespace();
    let (word, argument) = (words.next().unwrap_or_default(), words.next());
    match (word, argument) {
        ("?" | "h" | "help", None) => Meta::Help,
        ("q" | "quit", None) => Meta::Quit,
        ("d" | "dt", None) => Meta::Describe(None),
        ("d", Some(name)) => name.parse().map_or(Meta::Unknown(text.to_owned()), |table| {
            Meta::Describe(Some(table))
        }),
        ("f", Some("table")) => Meta::Format(Format::Table),
        ("f", Some("json")) => Meta::Format(Format::Json),
        ("f", Some("csv")) => Meta::Format(Format::Csv),
        _other => Meta::Unknown(text.trim().to_owned()),
    }
}

/// The history file, readable by its owner only; `None` where there is no place for one.
fn history_file(state: Option<&Path>) -> Option<PathBuf> {
    let dir = state?.join("tre");
    std::fs::create_dir_all(&dir).ok()?;
    let path = dir.join("history");
    let opened = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .ok()?;
    opened.set_permissions(Permissions::from_mode(0o600)).ok()?;
    Some(path)
}

/// Tells the line editor when a statement is complete.
struct Statements;

impl Validator for Statements {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let unfinished = !text.trim_start().starts_with('\\') && split(text).rest.is_some();
        Ok(if unfinished {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Helper for Statements {}
impl Highlighter for Statements {}
impl Hinter for Statements {
    type Hint = String;
}
impl Completer for Statements {
    type Candidate = String;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_commands_are_those_of_psql() {
        assert_eq!(parse("?"), Meta::Help);
        assert_eq!(parse("q"), Meta::Quit);
        assert_eq!(parse("d"), Meta::Describe(None));
        assert_eq!(parse("d visit;"), Meta::Describe("visit".parse().ok()));
        assert_eq!(parse("f csv"), Meta::Format(Format::Csv));
        for unknown in ["!", "! ls", "o file", "f xml", "d Visit", ""] {
            assert_eq!(parse(unknown), Meta::Unknown(unknown.to_owned()));
        }
    }
}
