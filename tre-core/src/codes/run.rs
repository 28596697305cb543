//! `TRE-RUN`: sessions, workers and what happens to them.

super::codes! {
    /// A worker died or had to be killed.
    RUN_WORKER_LOST = "TRE-RUN-001", "the worker of this query ended before it answered",
        "The process that ran the query was killed: it used too much memory or time, or was ended from outside. Other sessions are not affected.",
        "run the query again; if it happens again, make it smaller";
    /// The query's time is over.
    RUN_TIME = "TRE-RUN-002", "the query took longer than the permit allows",
        "Every query has a time limit, set by the permit; at its end the worker is killed.",
        "narrow the query or ask the operator for a longer limit";
    /// The lower plan failed; the reason is not told, since it could depend on data.
    RUN_FAILED = "TRE-RUN-003", "the query could not be run",
        "Reasons that could depend on data, such as memory use, are never told to the analyst; the operator sees them in the log.",
        "run it again, or ask the operator with the query id";
    /// Not a part of this version.
    RUN_NOT_YET = "TRE-RUN-004", "this part does not exist in this version",
        "The command or option is reserved; the part behind it has not been built yet.",
        "see the README for what this version does";
    /// Something inside contradicts itself; nothing is served.
    RUN_INTERNAL = "TRE-RUN-005", "an internal check failed and nothing was answered",
        "Two parts of the system disagreed about the query, or one of them failed. Then nothing leaves.",
        "report it to the operator with the query id";
}
