//! `TRE-SQL`: what was asked, and why it cannot be asked so.

super::codes! {
    /// The text is not SQL.
    SQL_SYNTAX = "TRE-SQL-001", "the SQL text cannot be parsed",
        "The text is not a statement that the SQL parser knows.",
        "correct the statement at the place named";
    /// Something other than one SELECT.
    SQL_NOT_A_QUERY = "TRE-SQL-002", "only a single SELECT can be run",
        "Sessions read: they do not create, change, copy or configure anything, and they run one statement at a time.",
        "send one SELECT statement";
    /// A table, column or function name that does not exist for the project.
    SQL_UNKNOWN_NAME = "TRE-SQL-003", "a name is not known in this project",
        "The permit of the project does not contain a table or column of this name, or the name is ambiguous.",
        "see `tre schema` for the tables and columns of the project";
    /// A function, operator or plan shape that is not on the list of allowed ones.
    SQL_NOT_ALLOWED = "TRE-SQL-004", "a function or construct is not allowed below the aggregation",
        "Expressions over people's rows are limited to a short list, because only these are known to fail never and to spell out nobody.",
        "over people's rows use comparisons, arithmetic, CASE, coalesce, nullif, LIKE, lower, upper, trim, character_length, substr, extract and date_trunc, or compute it above the aggregation";
    /// Rows of people would be returned.
    SQL_ROWS = "TRE-SQL-005", "rows of people cannot be returned",
        "An answer consists of aggregates over people. A query that returns, sorts or limits people's rows has no cells to check.",
        "aggregate: use GROUP BY with count(*), count(distinct pid), sum or avg";
    /// `pid` used as a value.
    SQL_PID = "TRE-SQL-006", "pid is not a value",
        "pid stands for a person. It can be joined with another pid, compared with one, tested for NULL and counted distinct, nothing else.",
        "use pid in a join or in count(distinct pid)";
    /// An aggregate that is not among the allowed ones.
    SQL_AGGREGATE = "TRE-SQL-007", "this aggregate cannot be checked",
        "Only aggregates with known evidence can be released: count, sum, avg, min, max, and what is computed from these: variances, standard deviations, covariances, correlations. What shows one row's value, or a list or sketch of values, is withheld.",
        "use one of the aggregates of docs/aggregates.md, of a bare column";
    /// sum or avg of something other than a declared measure.
    SQL_MEASURE = "TRE-SQL-008", "sum and avg take a declared measure",
        "A column can be summed when its dataset declares bounds for it and it is used as it is. A computed argument can spell out one person.",
        "sum a bare column that `tre schema` lists as a measure";
    /// More than one aggregation over people.
    SQL_SHAPE = "TRE-SQL-009", "this shape of query cannot be checked",
        "The checker judges one aggregation over people's rows per query, over inner joins on pid and joins with public tables.",
        "write the query as one GROUP BY over the joined tables";
    /// Too long, too deep or too many operators.
    SQL_TOO_LARGE = "TRE-SQL-010", "the query is too large",
        "Length, nesting and the number of operators are limited so that planning always ends.",
        "shorten the query or split it";
    /// A parameter is missing or of another type.
    SQL_PARAMETERS = "TRE-SQL-011", "the parameters do not fit the query",
        "Placeholders are filled in the order in which they stand; number and types must fit.",
        "bind one value per placeholder";
    /// A column named `disclosure`.
    SQL_RESERVED = "TRE-SQL-012", "a column name is reserved",
        "The last column of every answer is called `disclosure` and says what was done to the row.",
        "give the column another name";
    /// A join that is not one of the allowed ones.
    SQL_JOIN = "TRE-SQL-013", "these tables cannot be joined so",
        "Tables about people are joined on pid, within one population; a public table is joined by equality of columns.",
        "join on a.pid = b.pid, or on equal columns of a public table";
}
