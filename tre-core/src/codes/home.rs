//! `TRE-HOME` and `TRE-LOG`: the home directory of a deployment and its audit log.

super::codes! {
    /// `tre init` on something that is there.
    HOME_EXISTS = "TRE-HOME-001", "the directory is not empty",
        "A new deployment is made in a directory that does not exist or is empty. An existing home is never overwritten, since its keys cannot be made again.",
        "choose another directory with --home";
    /// The directory is no home.
    HOME_MISSING = "TRE-HOME-002", "there is no home here",
        "A home is a directory made by `tre init`; it contains `tre.toml`.",
        "check --home or TRE_HOME, or make a home with `tre init --home DIR`";
    /// `tre init` was cut off.
    HOME_INCOMPLETE = "TRE-HOME-003", "the home was never finished",
        "`tre init` was interrupted before it wrote `tre.toml`, its last step. Such a home holds no data.",
        "remove the directory and run `tre init` again";
    /// Another process works on the home.
    HOME_LOCKED = "TRE-HOME-004", "another process is using this home",
        "One process at a time holds a home: a running server, or a command that works on its files. Two would write one log.",
        "wait for it or stop it; while a server runs, ask the server";
    /// `tre.toml` says something that is not understood.
    HOME_CONFIG = "TRE-HOME-005", "tre.toml cannot be used",
        "Unknown keys and values are refused, so that a misspelt setting is not silently ignored.",
        "correct the line named; docs/settings.md and `tre explain --json-schema config` list every key";
    /// The operating system refused.
    HOME_IO = "TRE-HOME-006", "a file of the home cannot be read or written",
        "The operating system refused: missing permission, full disk or a failing device. Nothing was half done: what was not finished is removed or ignored when the home is opened next.",
        "mend the cause named and repeat the command";
    /// A file that holds keys can be read by others.
    HOME_MODES = "TRE-HOME-007", "a secret of the home is readable by others",
        "Directories with keys are open to the owner only. With wider modes a worker or another user could read them.",
        "restore the modes (0700 for directories, 0600 for files) and consider the keys as known to others";
    /// A key is missing or does not fit.
    HOME_VAULT = "TRE-HOME-008", "the vault cannot be opened",
        "A key file is missing or damaged, or something sealed was altered or sealed by another home's vault.",
        "restore the home from its backup; sealed data cannot be read without the key that sealed them";
    /// A version's files do not agree with its manifest.
    HOME_VERSION = "TRE-HOME-009", "a dataset version is damaged",
        "The files of a version are compared with its manifest before use. One is missing, has another size or another content.",
        "restore the version from the backup or ingest it again";
    /// No such dataset or version.
    HOME_NO_DATASET = "TRE-HOME-010", "there is no such dataset or version",
        "Nothing of this name was published in this home.",
        "see `tre dataset list`";
    /// The unit registry cannot be used.
    HOME_REGISTRY = "TRE-HOME-011", "the unit registry cannot be used",
        "The registry maps linkage keys to unit numbers. It is damaged, or a population has more units than numbers.",
        "restore the vault from the backup";
    /// The database cannot be used.
    HOME_STORE = "TRE-HOME-012", "the store cannot be used",
        "The database of projects, tokens and requests cannot be read or written, or contains what it must not. Until it can, nothing leaves.",
        "see `tre doctor`, and restore the store from the backup if it is damaged";
    /// Settings of `tre init` that cannot be used.
    HOME_INIT = "TRE-HOME-013", "the new home cannot be made as asked",
        "A name, host name or policy file given to `tre init` is not usable.",
        "correct the argument named";

    /// The log does not take entries.
    LOG_WRITE = "TRE-LOG-001", "the audit log cannot be written",
        "What happens is written down first. When the log fails, nothing is served until the home is opened anew, because it is not known what reached the disk.",
        "mend the cause (most often a full disk), then restart";
    /// The log contradicts itself.
    LOG_BROKEN = "TRE-LOG-002", "the audit log was altered or is damaged",
        "Entries, tiles and signed checkpoint do not agree: something was changed, dropped or lost.",
        "run `tre audit verify`, keep the home as it is and compare with the checkpoints kept elsewhere";
    /// Too much in one entry.
    LOG_TOO_LARGE = "TRE-LOG-003", "an entry is too large for the audit log",
        "An entry has at most 65,535 bytes. What cannot be logged is not done.",
        "make the call smaller";
}
