//! The two mains of a session's workers. The server starts them by re-executing this program inside a jail; nobody types
//! them, so they are not among the subcommands.

use std::ffi::OsString;
use std::process::ExitCode;

/// What the command line asks for, if it is a worker's: `tre desk SESSION` or `tre data SESSION`.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Desk,
    Data,
}

/// Runs a worker to its end, if this process is one.
pub(crate) fn main() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    let kind = kind(args.next()?)?;
    // The session's title, for those who read the list of processes; the worker learns what matters over its channel.
    let _title = args.next()?;
    if args.next().is_some() {
        return None;
    }
    Some(match kind {
        Kind::Desk => tre_worker::desk_main(),
        Kind::Data => tre_worker::data_main(),
    })
}

fn kind(word: OsString) -> Option<Kind> {
    match word.to_str()? {
        "desk" => Some(Kind::Desk),
        "data" => Some(Kind::Data),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_words_make_a_worker() {
        assert_eq!(kind("desk".into()), Some(Kind::Desk));
        assert_eq!(kind("data".into()), Some(Kind::Data));
        for word in ["dataset", "jail", "Desk", ""] {
            assert_eq!(kind(word.into()), None, "{word}");
        }
    }
}
