//! `TRE-CLI`: what can go wrong on the way from a command line to a server or a home, before either has a say.

use tre_core::codes::Code;

/// Arguments that contradict each other, or too few of them.
pub(crate) static CLI_USAGE: Code = Code {
    id: "TRE-CLI-001",
    title: "the command line cannot be understood",
    meaning: "An argument is missing, two of them contradict each other, or a value has no meaning here.",
    remedy: "see `tre help` and the command's own `--help`",
};

/// A file that the command was told to use.
pub(crate) static CLI_FILE: Code = Code {
    id: "TRE-CLI-002",
    title: "a file cannot be read or written",
    meaning: "The operating system refused a file that the command line names, or one that the command has to write.",
    remedy: "check the path and its permissions",
};

/// No token.
pub(crate) static CLI_NO_TOKEN: Code = Code {
    id: "TRE-CLI-003",
    title: "no token was given",
    meaning: "Everything that goes through the server is done in someone's name. The name is in a token, which an operator \
              issues with `tre token issue`.",
    remedy: "set TRE_TOKEN, or name a file that holds the token with --token-file",
};

/// The server does not answer.
pub(crate) static CLI_NO_SERVER: Code = Code {
    id: "TRE-CLI-004",
    title: "the server cannot be reached",
    meaning: "No connection could be made to the address of --url or TRE_URL: nothing listens there, the name does not \
              resolve, or what answers does not speak gRPC as the address says: grpc+tls:// with TLS, grpc:// without.",
    remedy: "check that `tre serve` is running, the address, and whether it is grpc:// or grpc+tls://",
};

/// A certificate problem.
pub(crate) static CLI_TLS: Code = Code {
    id: "TRE-CLI-005",
    title: "the server's certificate cannot be checked",
    meaning: "A grpc+tls address needs the certificates to trust: those of --ca or TRE_CA, else those of the operating \
              system.",
    remedy: "name the certificate to trust with --ca, for example HOME/tls/cert.pem of a self-signed server",
};

/// The server said something that makes no sense.
pub(crate) static CLI_PROTOCOL: Code = Code {
    id: "TRE-CLI-006",
    title: "the server's answer cannot be understood",
    meaning: "Client and server speak different versions, or something between them changed the messages.",
    remedy: "use the `tre` of the server's own version",
};

/// The server refused without a code of its own.
pub(crate) static CLI_REFUSED: Code = Code {
    id: "TRE-CLI-007",
    title: "the server refused the call",
    meaning: "The server, or something before it, answered with an error that carries no code of this system.",
    remedy: "read the message; if it does not help, ask the operator",
};

/// A step of the demo did not come out as its script says.
pub(crate) static CLI_DEMO: Code = Code {
    id: "TRE-CLI-008",
    title: "the demo did not go as its script says",
    meaning: "A step of `tre demo` failed or ended differently than on the developers' machines. The data are embedded in the \
              program, so this is a defect or a limit of this machine.",
    remedy: "run `tre doctor`, then `tre demo --keep` and read the server's log in the directory that it names",
};

/// A code that nobody knows.
pub(crate) static CLI_UNKNOWN_CODE: Code = Code {
    id: "TRE-CLI-009",
    title: "there is no such code",
    meaning: "Codes look like TRE-SQL-003. `tre explain` without a code lists them all.",
    remedy: "run `tre explain` for the list of codes",
};

/// A check of `tre doctor` or `tre audit verify` failed.
pub(crate) static CLI_CHECK_FAILED: Code = Code {
    id: "TRE-CLI-010",
    title: "a check failed",
    meaning: "The report on stdout says which, and what to do about it.",
    remedy: "read the lines marked `fail` of the report",
};

static ALL: [&Code; 10] = [
    &CLI_USAGE,
    &CLI_FILE,
    &CLI_NO_TOKEN,
    &CLI_NO_SERVER,
    &CLI_TLS,
    &CLI_PROTOCOL,
    &CLI_REFUSED,
    &CLI_DEMO,
    &CLI_UNKNOWN_CODE,
    &CLI_CHECK_FAILED,
];

/// All codes of the whole system, the command line's own first.
pub(crate) fn all() -> impl Iterator<Item = &'static Code> {
    ALL.into_iter().chain(tre_core::codes::all())
}

/// A code by its id, upper or lower case.
pub(crate) fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_found_in_any_case() {
        let mut seen = std::collections::BTreeSet::new();
        for code in all() {
            assert!(seen.insert(code.id), "{} twice", code.id);
            assert!(find(&code.id.to_ascii_lowercase()).is_some());
        }
    }
}
