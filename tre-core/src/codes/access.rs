//! `TRE-AUTH`: who is asking and whether they may. `TRE-PRJ`: permits and projects. `TRE-REQ`: requests, reviews and
//! releases.

super::codes! {
    /// No token, or none that can be read.
    AUTH_MISSING = "TRE-AUTH-001", "no valid token came with the call",
        "Every call carries a token as `authorization: Bearer TOKEN`; with user name and password the password is the token.",
        "set TRE_TOKEN, or ask the operator for a token";
    /// A token that this deployment did not sign, or that says something it cannot.
    AUTH_INVALID = "TRE-AUTH-002", "the token is not valid here",
        "A token is accepted only as this deployment signed it: its form, signature, audience, names and times are all checked.",
        "ask the operator for a new token";
    /// Its time is over.
    AUTH_EXPIRED = "TRE-AUTH-003", "the token has expired",
        "Tokens live for hours. When one ends, so does the session that runs on it.",
        "ask the operator for a new token";
    /// Taken back.
    AUTH_REVOKED = "TRE-AUTH-004", "the token was revoked",
        "Somebody with access to the home ended this token, and with it its session.",
        "ask the operator";
    /// The policies say no.
    AUTH_DENIED = "TRE-AUTH-005", "this may not be done with this token",
        "Who may do what stands in the access policies of the deployment. They allow a call, or it is refused.",
        "use a token of the role that this is for, or ask the operator";
    /// No such role.
    AUTH_ROLE = "TRE-AUTH-006", "a role is not known",
        "The roles are analyst, checker, operator and auditor.",
        "write analyst, checker, operator or auditor";
    /// A token that would mean nothing.
    AUTH_ISSUE = "TRE-AUTH-007", "this token cannot be issued",
        "A token of an analyst or checker names a project whose permit gives that person that role; its life is limited.",
        "compare user and role with the people in `tre project show`";
    /// Policies of the home do not validate.
    AUTH_POLICIES = "TRE-AUTH-008", "the access policies cannot be used",
        "The Cedar policies are validated strictly against their schema when the server starts; one that could fail while it decides is refused.",
        "correct the files under policies/access in the home, or remove them to use the built-in ones";

    /// Not TOML, an unknown key, a wrong type.
    PRJ_FILE = "TRE-PRJ-001", "the permit cannot be read",
        "A permit is a TOML file with known keys; dates are written without quotes.",
        "correct the line named; docs/permit.md and `tre explain --json-schema permit` list every key";
    /// A name or text.
    PRJ_NAME = "TRE-PRJ-002", "a name or text in the permit is not valid",
        "Ids and names have a fixed form; texts for people are not empty.",
        "correct the value named";
    /// Dates.
    PRJ_DATES = "TRE-PRJ-003", "the dates of the permit are not valid",
        "`valid` holds a first and a last day, both without a time of day.",
        "write e.g. valid = { from = 2026-01-01, until = 2026-12-31 }";
    /// People and roles.
    PRJ_PEOPLE = "TRE-PRJ-004", "the people of the permit are not valid",
        "A permit lists each person once, as analyst, checker or both. Operators and auditors are in no permit.",
        "correct the person named";
    /// Datasets, tables, columns as the permit lists them.
    PRJ_DATA = "TRE-PRJ-005", "the data of the permit are not valid",
        "A permit names datasets, their tables and columns, each once.",
        "correct the table named";
    /// Exits.
    PRJ_EXIT = "TRE-PRJ-006", "an exit of the permit is not valid",
        "An exit names a policy and how many people must approve; the permit lists enough checkers.",
        "correct the exit named";
    /// Limits.
    PRJ_LIMITS = "TRE-PRJ-007", "a limit is not valid",
        "Memory, time and sessions have lower and upper bounds.",
        "correct the limit named";
    /// The dataset does not exist, or lacks the table or column.
    PRJ_UNKNOWN_DATA = "TRE-PRJ-008", "the permit names data that do not exist",
        "When a permit is applied, the newest version of each dataset is pinned; tables and columns must be in it.",
        "see `tre dataset show`";
    /// The row condition.
    PRJ_ROWS = "TRE-PRJ-009", "a row condition of the permit cannot be used",
        "`rows` is one SQL condition over the stored columns of its table, of the expressions that queries may use too.",
        "correct the condition named";
    /// The policy.
    PRJ_POLICY = "TRE-PRJ-010", "a policy of the permit cannot be used",
        "An exit names a policy file of the home. Release without a reviewer needs a policy that allows automatic release.",
        "see `tre policy list`";
    /// The plan is old.
    PRJ_STALE = "TRE-PRJ-011", "the plan is out of date",
        "Between plan and apply the project, a dataset or a policy changed.",
        "plan again";
    /// Closed for good.
    PRJ_CLOSED = "TRE-PRJ-012", "the project is closed",
        "A closed project has lost its key; its id is not used again.",
        "write a permit with another project id";
    /// No such project.
    PRJ_UNKNOWN = "TRE-PRJ-013", "there is no such project",
        "Projects come into being when an operator applies a permit.",
        "see `tre project list`";
    /// Before or after its days.
    PRJ_NOT_IN_FORCE = "TRE-PRJ-014", "the permit is not in force",
        "A permit is in force from its first to its last day. Outside of them nobody has access.",
        "ask the operator for a new permit";

    /// No such request, or none that the caller may see.
    REQ_UNKNOWN = "TRE-REQ-001", "there is no such request or release",
        "Requests are known to their author and to the checkers of their project.",
        "see `tre request list` or `tre review list`";
    /// The state does not allow it.
    REQ_STATE = "TRE-REQ-002", "the request is not in a state for this",
        "A request moves along fixed paths: reviewed, then released, returned or rejected; what is over stays over.",
        "see its state with `tre request show`";
    /// Title or context.
    REQ_TEXT = "TRE-REQ-003", "title, context or comment is missing or too long",
        "Reviewers need to know what an output is and why it is needed; authors need to know why it came back.",
        "write one line of title, and context or comment of at most 10000 characters";
    /// Two votes of one person.
    REQ_VOTED = "TRE-REQ-004", "you have reviewed this request already",
        "Each reviewer has one vote; the others come from other people.",
        "ask another checker of the project";
    /// No such exit in the permit.
    REQ_NO_EXIT = "TRE-REQ-005", "the permit does not open this exit",
        "The permit of the project has no such way out.",
        "ask the operator";
    /// Too many open requests.
    REQ_TOO_MANY = "TRE-REQ-006", "too many open requests",
        "A project may have a limited number of requests open at once.",
        "withdraw one, or wait until the open ones are reviewed";
}
