//! `tre sql`: questions in, checked answers out.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::block_on;
use crate::args::FormatArgs;
use crate::codes;
use crate::connect::{Remote, RemoteArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Published, published};
use crate::shell::Shell;
use crate::sql::{Answer, DISCLOSURE, interact, query, split};

/// Ask questions in SQL
///
/// Only SELECT, and only aggregates over people: count(*), count(x), count(distinct pid), sum(x), avg(x), with GROUP BY.
/// A value that may not be shown is NULL, and the last column, `disclosure`, says why. Without -c and -f, a terminal gets
/// an interactive session (history, several lines, \? for help); from a pipe, statements are read up to each `;`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SqlArgs {
    #[command(flatten)]
    text: TextArgs,

    /// Exit with 4 if any value was suppressed
    #[arg(long)]
    strict: bool,

    /// Leave out the column that says what was done to each row
    #[arg(long, conflicts_with = "strict")]
    no_disclosure: bool,

    #[command(flatten)]
    remote: RemoteArgs,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre sql                                                    interactive
  tre sql -c 'SELECT sex, count(*) AS n FROM visit GROUP BY sex'
  tre sql -f query.sql --format csv > answer.csv
  tre sql -f query.sql --format json --strict || echo 'not all values may be shown'

Exit codes: 0 answered (suppressed cells included; --strict makes that 4), 1 error or refused,
2 usage, 3 referred: a person has to decide (see `tre request submit`), 4 withheld.";

/// Where the SQL comes from.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct TextArgs {
    /// Run this statement
    #[arg(short = 'c', long = "command", value_name = "SQL")]
    command: Option<String>,

    /// Run the statements of this file, up to the first that fails; `-` reads standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl TextArgs {
    /// The statements to run; `None`: neither -c nor -f was given.
    pub(crate) fn statements(&self) -> Result<Option<Vec<String>>, Failure> {
        match (&self.command, &self.file) {
            // As it stands: if it is more than one statement, the server says so.
            (Some(sql), _) => Ok(Some(vec![sql.clone()])),
            (None, Some(path)) if path.as_os_str() == "-" => Ok(Some(from_stdin()?)),
            (None, Some(path)) => Ok(Some(from_file(path)?)),
            (None, None) => Ok(None),
        }
    }

    /// The one statement that a command is about.
    pub(crate) fn one(&self) -> Result<String, Failure> {
        let hint = "give one with -c 'SELECT …' or -f FILE";
        let mut statements = self
            .statements()?
            .ok_or_else(|| Failure::usage("there is no statement", hint))?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => Ok(statement),
            (Some(_), false) => Err(Failure::usage("there is more than one statement", hint)),
            (None, _) => Err(Failure::usage("there is no statement", hint)),
        }
    }
}

fn from_file(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok(all(&text))
}

fn from_stdin() -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failure::file("read", Path::new("-"), &error))?;
    Ok(all(&text))
}

/// Every statement of a text; the last one needs no `;`.
fn all(text: &str) -> Vec<String> {
    let found = split(text);
    found
        .complete
        .into_iter()
        .chain(found.rest)
        .map(str::to_owned)
        .collect()
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<Answer>()]
}

/// Runs the statements, or talks to a person.
pub(crate) fn run(args: &SqlArgs, shell: &Shell) -> Outcome {
    let statements = match args.text.statements()? {
        Some(statements) => statements,
        None if shell.interactive => return converse(args, shell),
        None => from_stdin()?,
    };
    block_on(async {
        let remote = Remote::open(&args.remote, shell).await?;
        let mut exit = Exit::Answered;
        for statement in &statements {
            if ask(&remote, statement, args, shell).await? == Exit::Withheld {
                exit = Exit::Withheld;
            }
        }
        Ok(exit)
    })
}

/// Runs one statement: the answer to stdout, notices to stderr.
async fn ask(remote: &Remote, sql: &str, args: &SqlArgs, shell: &Shell) -> Outcome {
    let spinner = shell.spinner("asking");
    let answered = query(remote, sql).await;
    spinner.finish_and_clear();
    let answer = answered?;
    let notices = answer.notices();
    let suppressed = answer.suppressed_rows();
    let (meanings, instead) = (answer.meanings(), answer.instead());
    if args.strict && !answer.is_disclosed() {
        let hint = "switch the session option tre.disclosure on, or leave out --strict";
        return Err(Failure::usage(
            format!("--strict needs the column `{DISCLOSURE}`"),
            hint,
        ));
    }
    let answer = if args.no_disclosure {
        answer.without_disclosure()
    } else {
        answer
    };
    shell.show(&answer, args.format.format)?;
    for notice in notices {
        shell.notice(&notice);
    }
    if suppressed > 0 {
        let rows = if suppressed == 1 { "row has" } else { "rows have" };
        let where_told = if args.no_disclosure {
            format!("without --no-disclosure the column `{DISCLOSURE}` says which and why")
        } else {
            format!("the column `{DISCLOSURE}` says which and why")
        };
        shell.notice(&format!("{suppressed} {rows} suppressed values; {where_told}"));
    }
    for meaning in meanings {
        shell.notice(&meaning);
    }
    for what in instead {
        shell.notice(&format!("to see more, {what}"));
    }
    Ok(if args.strict && suppressed > 0 {
        Exit::Withheld
    } else {
        Exit::Answered
    })
}

fn converse(args: &SqlArgs, shell: &Shell) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::of(&codes::CLI_FILE, format!("cannot start: {error}")))?;
    let remote = runtime.block_on(Remote::open(&args.remote, shell))?;
    interact(&remote, args.format.format, shell, runtime.handle())?;
    Ok(Exit::Answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_statement_needs_no_semicolon() {
        assert_eq!(all("select 1; select 2\n"), ["select 1", "select 2"]);
        assert_eq!(all(" -- nothing\n"), Vec::<String>::new());
    }

    #[test]
    fn a_command_of_two_statements_goes_to_the_server_as_it_stands() {
        let text = TextArgs {
            command: Some("select 1; select 2".to_owned()),
            file: None,
        };
        assert_eq!(text.statements(), Ok(Some(vec!["select 1; select 2".to_owned()])));
    }

    #[test]
    fn one_statement_is_asked_for_where_one_is_needed() {
        let nothing = TextArgs {
            command: None,
            file: None,
        };
        assert_eq!(nothing.one().map_err(|failure| failure.exit()), Err(Exit::Usage));
    }
}
