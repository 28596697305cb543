//! `TRE-SDC`: policies, what the checker did to a value, and what it decided about an output.

super::codes! {
    /// The policy file is not TOML, or far too large.
    SDC_POLICY_SYNTAX = "TRE-SDC-001", "the policy is not readable as TOML",
        "A policy is a TOML file in UTF-8 of at most 64 KiB. While it cannot be read nothing is released under it.",
        "correct the file at the line named";
    /// A key is missing, unknown or of another type.
    SDC_POLICY_FIELD = "TRE-SDC-002", "a key of the policy is missing, unknown or of another type",
        "A policy names every parameter itself: there are no defaults in the program, and a key that no rule reads is an error, since its author believes that it protects.",
        "compare the file with policies/sdc/ndb.toml; docs/policy.md and `tre explain --json-schema rule-pack` list every key";
    /// A number or word outside of what the rule can mean.
    SDC_POLICY_VALUE = "TRE-SDC-003", "a parameter of the policy has a value that it cannot have",
        "Every parameter has a range: minima are at least 1, significant digits 1 to 38, rounding bases at least 2.",
        "use a value of the range named";
    /// The id in the file is not the file's name.
    SDC_POLICY_ID = "TRE-SDC-004", "the policy's id is not its file name",
        "Permits name a policy by its file name without `.toml`. The file repeats it, so that a copied file is noticed.",
        "make `id` in the file and the file's name equal";
    /// Two parameters that cannot both be meant.
    SDC_POLICY_CONTRADICTION = "TRE-SDC-005", "parameters of the policy contradict each other",
        "Each parameter is possible on its own, but one undoes what another demands.",
        "change one of the two parameters named";
    /// A permit asks for an exit on terms that its policy does not allow.
    SDC_POLICY_EXIT = "TRE-SDC-006", "the policy does not allow this exit on these terms",
        "A policy says whether answers in a session may leave by themselves and how many people must review a release at least.",
        "raise the number of reviewers of the exit, or name another policy";
    /// A file of cases that cannot be used.
    SDC_CASES = "TRE-SDC-007", "the cases of a policy cannot be read",
        "A file of cases says what has to become of cells with a given number of people and values. It is TOML; every key of it is known, and a case does not contradict itself.",
        "correct the file at the place named; compare it with policies/sdc/conformance/ndb.toml";

    /// Suppressed: too few people behind the value.
    SDC_THRESHOLD = "TRE-SDC-011", "suppressed (threshold): too few people stand behind the value",
        "The people who contribute to the value are fewer than the policy's minimum. Where the policy does not show zeros, a value of nobody is suppressed in the same words, so that the two cannot be told apart.",
        "group more coarsely or widen the selection";
    /// Suppressed: zero where the policy shows none.
    SDC_ZERO = "TRE-SDC-012", "suppressed (zero): the policy does not show values of nobody",
        "A zero says of everybody in the group that they are not counted. The checker words it as `threshold`, so that nobody cannot be told from too few; this word is reserved.",
        "group more coarsely";
    /// Suppressed: the label itself belongs to too few people.
    SDC_RARE_LABEL = "TRE-SDC-013", "suppressed (rare-label): too few people carry the label",
        "A value of a column without declared domain is itself a statement about those who carry it. Rows of rare labels are left out of the answer.",
        "group by a coarser column, or ask the data holder to declare the column's domain";
    /// Suppressed: the difference to another value of the row belongs to too few people.
    SDC_COMPLEMENT = "TRE-SDC-014", "suppressed (complement): the value differs from another of its row by too few people",
        "Two values of one row over almost the same people give away the rest by subtraction, e.g. count(*) beside count(x) where x is missing for two people. The other side of a condition (FILTER, CASE) counts as such a value even where the whole is not asked for. The value with fewer people is suppressed.",
        "ask for one of the two values only, or restrict both to rows where neither column is NULL";
    /// Suppressed: everybody behind the value has the same.
    SDC_SAME_VALUE = "TRE-SDC-015", "suppressed (same-value): everybody behind the value has the same",
        "Where all values are equal their sum or mean states the value of every person in the group.",
        "group more coarsely";
    /// Suppressed: nearly everybody behind the value has the same.
    SDC_MAJORITY = "TRE-SDC-030", "suppressed (majority): nearly everybody behind the value has the same",
        "Where more than half have the same value and too few another, who knows or guesses the one learns from the sum what the few others add up to, and of nearly everybody what they have. The sum and the average are suppressed; the count of the same column may stay.",
        "group more coarsely, or ask for counts per value instead";
    /// Rounded to the policy's base.
    SDC_BASE = "TRE-SDC-016", "rounded (base): rounded to a multiple of the policy's base",
        "All values that the rule covers are marked as rounded, also those that rounding left as they were.",
        "nothing to do; report the value as rounded";
    /// Perturbed by noise.
    SDC_CELL_KEY = "TRE-SDC-029", "perturbed (cell-key): a little noise was added to the count",
        "The policy adds noise to every count, drawn by a key for the people behind it: the same people always give the same count, and zero stays zero. All counts are marked, also those whose noise is zero. Parts do not add up to totals.",
        "nothing to do; report the count as perturbed";
    /// Suppressed: the smallest or largest value belongs to too few people.
    SDC_EXTREME = "TRE-SDC-028", "suppressed (extreme): too few people share the smallest or largest value",
        "A minimum or maximum is somebody's own value. It is shown only when enough people have exactly that value, so that it tells of none of them more than of the others.",
        "group the column into bands, or ask for counts per band instead of the extreme";
    /// Answered from the ledger: the people are nearly those of a value that has left before.
    SDC_DIFFERING = "TRE-SDC-041", "snapped, suppressed or referred (differing): nearly the people of a value that has left",
        "Two values over nearly the same people give away the rest by subtraction, whoever asked for them and when. The policy says what becomes of the later one: it is answered with the value that has left, suppressed, or put before a person. So it does with a value over the people of another that was asked with other conditions on a sensitive column.",
        "use the value that has left, or ask about people that differ by more";

    /// Suppressed: one or two people make up too much of the sum.
    SDC_DOMINANCE = "TRE-SDC-017", "suppressed (dominance): one or two people make up too much of the sum",
        "The second largest contributor to such a sum could compute the largest contribution to within a few percent. The sum and the average are suppressed; the count of the same column may stay.",
        "group more coarsely, or ask for the count only";
    /// Suppressed: too few degrees of freedom.
    SDC_DEGREES_OF_FREEDOM = "TRE-SDC-018", "suppressed (degrees-of-freedom): too few people have a value",
        "A mean of n people has n - 1 degrees of freedom; the policy demands more of them for a sum or an average than of people for a count.",
        "group more coarsely, or ask for the count only";

    /// Suppressed: what is not shown of its level could be computed from a coarser one.
    SDC_LEVEL = "TRE-SDC-051", "suppressed (level): with others it adds up to a value of a coarser level",
        "A total less the parts of it that are shown is what the other parts are together. Where these are of too few people, all parts of the total are suppressed.",
        "ask for the coarser level alone, or for parts of which each has enough people";

    /// Suppressed: everybody of a group falls into one category.
    SDC_CLASS = "TRE-SDC-019", "suppressed (class-disclosure): everybody of a group falls into one category",
        "Where all people with the same values of the other keys are in one category of a key, the table tells that category of each of them. All categories are suppressed, so that it is not said in which one they are.",
        "leave out the key, or group more coarsely";

    /// Suppressed: a value of a tagged column of which nothing is shown.
    SDC_TAG = "TRE-SDC-020", "suppressed (tag): the policy shows nothing of this value of a column",
        "The policy lists the values of a column, for example municipalities by their population, and says how many people have to stand behind each. Of a value that it does not list nothing is shown, whatever stands behind it.",
        "group by a coarser column, for example by prefecture";

    /// More rows than the policy lets out at once.
    SDC_TOO_MANY_ROWS = "TRE-SDC-021", "the answer has more rows than the policy lets out at once",
        "The policy limits how many rows one aggregation over people may answer with. Only rows that may be shown are counted.",
        "group more coarsely or select fewer groups";
    /// The cells and what is known of them do not fit together.
    SDC_EVIDENCE = "TRE-SDC-022", "the cells do not fit what is known of the query",
        "The data worker answered with cells that contradict the lineage of the query. Whatever the cause, nothing leaves.",
        "report it to the operator with the query id";
    /// Too many answers of a day had to be changed by the ledger.
    SDC_REFUSALS = "TRE-SDC-042", "too many answers of the last 24 hours were near to what has left",
        "Answers that the ledger has to change say a little by being changed. The policy limits how many of them a user and a project may have in 24 hours; after that every answer is put before a person.",
        "wait, or file a request for release";
    /// The ledger cannot be read or written.
    SDC_LEDGER = "TRE-SDC-043", "what has left before cannot be compared with",
        "Every answer is compared with the ledger and written to it before it leaves. While the ledger cannot be read or written, nothing leaves.",
        "tell the operator; `tre doctor` says what is wrong with the store";
    /// Since a request was frozen, something else has left that is too near to it.
    SDC_OVERTAKEN = "TRE-SDC-044", "since the request was made, something has left that is too near to it",
        "A request freezes its bytes. At approval they are compared with what has left in the meantime; a value over nearly the same people as one of these would give the rest away by subtraction.",
        "withdraw the request and submit the query again: it is then answered from what has left";
    /// More keys than the policy lets be asked for.
    SDC_TOO_MANY_KEYS = "TRE-SDC-023", "the question has more keys than the policy allows",
        "The more columns a table is grouped by, the fewer people are in each cell and the more tables it can be compared with. It is decided before any data are read.",
        "group by fewer columns";
    /// Referred: a sum of values below zero.
    SDC_NEGATIVE = "TRE-SDC-024", "a sum over values below zero needs a person",
        "Contributions of both signs cancel, so that the largest may be larger than the whole sum: rules of dominance are not defined for them, and the policy lets a person decide.",
        "file a request, or restrict the question to values of one sign with WHERE";
    /// Referred: everybody of a group falls into one category.
    SDC_UNANIMOUS = "TRE-SDC-025", "everybody of a group falls into one category, which needs a person",
        "Where all people with the same values of the other keys are in one category of a key, the table tells that category of each of them. Whether that matters depends on the category, and the policy lets a person decide.",
        "file a request, leave out the key, or group more coarsely";
    /// Two tags that may not meet.
    SDC_CROSS = "TRE-SDC-026", "the question brings two columns together that the policy keeps apart",
        "The policy names pairs of columns, by their tags, that may not be in one question: as keys, in what keys are computed from, or in its conditions. It is decided before any data are read.",
        "ask by one of the two columns only";
    /// People are selected by a tagged column.
    SDC_SELECTED = "TRE-SDC-027", "the question selects by a column whose values the policy judges one by one",
        "How many people have to stand behind a value depends on the value of this column. Where it is in a condition, or a key is computed from it, the value is not known. It is decided before any data are read.",
        "group by the column itself instead of selecting by it, or file a request";
}
