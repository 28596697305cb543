//! `tre sql` on a terminal: statements end with `;` and may span lines, arrow keys bring back earlier ones, Ctrl-C cancels
//! what runs or is being typed, Ctrl-D leaves. While a statement goes on, the prompt is another one.
//!
//! The history holds only what was typed here, never a result.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Config, Editor};
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
    /// `\f` with something else.
    NoFormat,
    Unknown(String),
}

/// What was typed up to an end.
#[derive(Debug, PartialEq, Eq)]
enum Input {
    Nothing,
    Meta(Meta),
    /// One line after the other, up to a `;`.
    Sql(String),
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
    // A token that is not good is heard of now, not after the first query was typed.
    let project = runtime.block_on(schema::project(remote))?;
    let config = Config::builder()
        .max_history_size(1000)
        .map_err(terminal)?
        .build();
    let mut editor: Editor<(), DefaultHistory> = Editor::with_config(config).map_err(terminal)?;
    let history = history_file(shell.state_dir.as_deref());
    if let Some(path) = &history {
        // A first session has none.
        let _none_yet = editor.load_history(path);
    }
    let mut format = format;
    shell.note(&format!(
        "Project {project}. Every answer has passed the checker. End a statement with ; — \\? for help, \\q to leave."
    ));
    loop {
        let input = match read(&mut editor) {
            Ok(input) => input,
            Err(ReadlineError::Interrupted) => {
                shell.note("nothing was asked; \\q leaves");
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error)),
        };
        match input {
            Input::Nothing => {}
            Input::Meta(Meta::Quit) => break,
            Input::Meta(Meta::Help) => shell.note(HELP),
            Input::Meta(Meta::Format(chosen)) => format = chosen,
            Input::Meta(Meta::NoFormat) => shell.note("write \\f table, \\f json or \\f csv"),
            Input::Meta(Meta::Unknown(word)) => {
                shell.note(&format!("\\{word} is not known; \\? lists what is"));
            }
            Input::Meta(Meta::Describe(table)) => {
                let shown = runtime.block_on(schema::show(remote, table.as_ref(), format, shell));
                report(shown, shell)?;
            }
            Input::Sql(text) => {
                for statement in split(&text).complete {
                    report(ask(remote, statement, format, shell, runtime), shell)?;
                }
            }
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

/// Reads lines until what they say is complete, and keeps it in the history as one entry.
fn read(editor: &mut Editor<(), DefaultHistory>) -> Result<Input, ReadlineError> {
    let mut text = editor.readline("tre> ")?;
    let mut input = understood(&text);
    while input.is_none() {
        text.push('\n');
        text.push_str(&editor.readline("...> ")?);
        input = understood(&text);
    }
    let input = input.unwrap_or(Input::Nothing);
    if input != Input::Nothing {
        editor.add_history_entry(text)?;
    }
    Ok(input)
}

/// What the lines so far say; `None` while a statement goes on. `exit`, `quit` and `help` are no SQL, and alone on a line
/// they can only mean one thing.
fn understood(text: &str) -> Option<Input> {
    let line = text.trim();
    if let Some(meta) = line.strip_prefix('\\') {
        return Some(Input::Meta(parse(meta)));
    }
    match line
        .trim_end_matches(';')
        .trim_end()
        .to_ascii_lowercase()
        .as_str()
    {
        "exit" | "quit" => return Some(Input::Meta(Meta::Quit)),
        "help" => return Some(Input::Meta(Meta::Help)),
        _sql => {}
    }
    let found = split(text);
    match (found.complete.is_empty(), found.rest) {
        (_, Some(_)) => None,
        (true, None) => Some(Input::Nothing),
        (false, None) => Some(Input::Sql(text.to_owned())),
    }
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
    for meaning in answer.meanings() {
        shell.notice(&meaning);
    }
    for what in answer.instead() {
        shell.notice(&format!("to see more, {what}"));
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
        ("f", _) => Meta::NoFormat,
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
        assert_eq!(parse("f xml"), Meta::NoFormat);
        assert_eq!(parse("f"), Meta::NoFormat);
        for unknown in ["!", "! ls", "o file", "d Visit", ""] {
            assert_eq!(parse(unknown), Meta::Unknown(unknown.to_owned()));
        }
    }

    #[test]
    fn statements_go_on_until_their_semicolon() {
        assert_eq!(understood(""), Some(Input::Nothing));
        assert_eq!(understood("-- only words"), Some(Input::Nothing));
        assert_eq!(understood("SELECT 1"), None);
        assert_eq!(understood("SELECT 'a;\n"), None);
        let two = "SELECT 1\n+ 1;";
        assert_eq!(understood(two), Some(Input::Sql(two.to_owned())));
        assert_eq!(understood("SELECT 1; SELECT"), None);
    }

    #[test]
    fn words_by_which_people_leave_or_ask_for_help_are_no_sql() {
        for word in ["exit", "quit", "EXIT;", " quit ; ", "\\q"] {
            assert_eq!(understood(word), Some(Input::Meta(Meta::Quit)), "{word}");
        }
        for word in ["help", "Help;", "\\?"] {
            assert_eq!(understood(word), Some(Input::Meta(Meta::Help)), "{word}");
        }
        assert_eq!(understood("SELECT 1\nexit"), None);
    }
}
