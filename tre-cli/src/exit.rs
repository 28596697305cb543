//! How a command ends: five exit codes that scripts rely on, and the two lines that a person reads when it failed.

use std::io;
use std::process::ExitCode;

use tre_core::codes::{Code, Problem};

use crate::codes;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was answered or done, perhaps with suppressed cells.
    Answered,
    /// It could not be done.
    Error,
    /// The command line asks for something that does not exist.
    Usage,
    /// A person has to decide.
    Referred,
    /// Policy, or a failure of what guards it, holds the output back.
    Withheld,
    /// Ctrl-C; the shell's convention for it.
    Interrupted,
}

impl Exit {
    /// The number that the process ends with.
    pub(crate) fn number(self) -> u8 {
        match self {
            Exit::Answered => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Referred => 3,
            Exit::Withheld => 4,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.number())
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<Exit, Failure>;

/// Why a command stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// To be told to the person.
    Told(Box<Told>),
    /// The reader of stdout went away (`tre … | head`): nobody is left to tell, and nothing is wrong.
    BrokenPipe,
    /// The person pressed Ctrl-C and knows.
    Interrupted,
}

/// One line of what, one of what to do, and whatever reasons came with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) exit: Exit,
    /// E.g. `TRE-SQL-003`. Text, because a newer server may send codes that this program has never heard of.
    pub(crate) code: String,
    pub(crate) what: String,
    pub(crate) hint: String,
    /// Further lines, for example why the checker referred an output.
    pub(crate) reasons: Vec<String>,
    /// What to ask instead, a sentence each.
    pub(crate) instead: Vec<String>,
}

impl Failure {
    /// An error with its own hint.
    pub(crate) fn new(code: &'static Code, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Problem::new(code, what, hint).into()
    }

    /// An error with the code's general remedy as hint.
    pub(crate) fn of(code: &'static Code, what: impl Into<String>) -> Self {
        Problem::of(code, what).into()
    }

    /// Something that design and help name, but that this version does not have: exit 2.
    pub(crate) fn not_yet(part: &str) -> Self {
        let problem = Problem::of(
            &tre_core::codes::RUN_NOT_YET,
            format!("`{part}` does not exist in this version"),
        );
        Failure::from(problem).with_exit(Exit::Usage)
    }

    /// A command line that says too little or too much: exit 2.
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure::new(&codes::CLI_USAGE, what, hint).with_exit(Exit::Usage)
    }

    /// A file that could not be read or written, named in the message.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &io::Error) -> Self {
        Failure::of(
            &codes::CLI_FILE,
            format!("cannot {doing} `{}`: {}", path.display(), plain(error)),
        )
    }

    /// The same failure with another exit code.
    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        if let Failure::Told(told) = &mut self {
            told.exit = exit;
        }
        self
    }

    /// The exit code that this failure ends the process with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Told(told) => told.exit,
            Failure::BrokenPipe => Exit::Answered,
            Failure::Interrupted => Exit::Interrupted,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Told(Box::new(Told {
            exit: Exit::Error,
            code: problem.code.id.to_owned(),
            what: problem.what,
            hint: problem.hint,
            reasons: Vec::new(),
            instead: Vec::new(),
        }))
    }
}

/// Errors of writing to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::BrokenPipe;
        }
        Failure::of(
            &codes::CLI_FILE,
            format!("cannot write to the output: {}", plain(&error)),
        )
    }
}

/// `No such file or directory` without `(os error 2)`, in lower case as all messages are.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let numbers = [
            Exit::Answered,
            Exit::Error,
            Exit::Usage,
            Exit::Referred,
            Exit::Withheld,
        ]
        .map(Exit::number);
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_does_not_exist_is_a_usage_error_and_says_so() {
        let failure = Failure::not_yet("tre budget show");
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(
            matches!(failure, Failure::Told(told) if told.what.contains("does not exist in this version"))
        );
    }

    #[test]
    fn a_broken_pipe_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit(), Exit::Answered);
    }

    #[test]
    fn system_errors_lose_their_number() {
        assert_eq!(
            plain(&io::Error::from_raw_os_error(2)),
            "no such file or directory"
        );
    }
}
