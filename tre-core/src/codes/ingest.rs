//! `TRE-ING`: specs and what holders hand in.

super::codes! {
    /// The text is not TOML, or has a key or a kind of value that a spec does not have.
    ING_SPEC_SYNTAX = "TRE-ING-001", "the spec cannot be read",
        "A spec is a TOML file with a fixed set of keys. Unknown keys are errors, so that a misspelt option is not silently ignored.",
        "correct the line; docs/spec.md and `tre explain --json-schema spec` list every key";
    /// A name is malformed, reserved or used twice.
    ING_SPEC_NAME = "TRE-ING-002", "a name in the spec cannot be used",
        "Datasets, populations, tables and columns are named in SQL and in permits: lower-case letters, digits, `-` and `_`, starting with a letter, each once. `pid` and `disclosure` are reserved.",
        "choose another name; `source` in a column says what it is called in the file";
    /// A table lacks something or has something that it must not have.
    ING_SPEC_TABLE = "TRE-ING-003", "a table of the spec is not complete",
        "A private table names its files, its columns and its unit (whose rows these are). A public table is about nobody, so it has neither unit nor entity.",
        "add what is missing, or say `public = true` if the table is about nobody";
    /// A column declares something that its type cannot have.
    ING_SPEC_COLUMN = "TRE-ING-004", "a column's declaration contradicts its type",
        "Bands and top codes are for numbers, months for dates, prefixes for text, declared values for text, int and bool, scale for float and decimal.",
        "change the type or remove the option";
    /// Bands or values do not describe a domain.
    ING_SPEC_DOMAIN = "TRE-ING-005", "a declared domain is not one",
        "Declared values must be of the column's type and each be named once; bands are lower bounds in ascending order.",
        "list each value once, and bands from the lowest bound up";
    /// Bounds or scale of a number do not fit.
    ING_SPEC_BOUNDS = "TRE-ING-006", "bounds or scale of a number do not fit",
        "A measure has both `min` and `max`, with min below or equal to max, in no more decimal places than its `scale`; float and decimal columns need a `scale` of 0 to 18.",
        "give min, max and scale that fit together";
    /// A direct identifier would be stored.
    ING_IDENTIFIER = "TRE-ING-007", "a direct identifier would be stored",
        "Direct identifiers are never stored: columns marked `identifier = true`, the source of a unit or entity, and columns whose values look like identity numbers, phone numbers, e-mail addresses or hashes of persons.",
        "remove the column from the spec; if it is looked at and identifies nobody, mark it `identifier = false`";
    /// A hierarchy does not exist.
    ING_SPEC_REFERENCE = "TRE-ING-008", "a hierarchy points nowhere",
        "`hierarchy` is `table.column` of a public table of the same spec, of the same type.",
        "name a public table of this spec and a column of it with the same type";
    /// No such file, or not a kind that can be read.
    ING_FILES = "TRE-ING-009", "the holder's files cannot be found or read",
        "Files are named relative to the spec, with `*` and `?` as wildcards; they end in .csv, .csv.gz or .parquet.",
        "check the paths, and that the files may be read";
    /// A column is not in the file.
    ING_HEADER = "TRE-ING-010", "a file's header does not fit the spec",
        "Columns are matched by the names in the first line (CSV) or in the schema (Parquet). Each that the spec lists must be there once.",
        "correct the name in the spec, or give the file's name for it as `source`";
    /// A file breaks off or is not what it says.
    ING_DAMAGED = "TRE-ING-011", "a file is damaged",
        "The file could not be read to its end: compressed data broke off, a Parquet file is malformed, or a quoted field never ends.",
        "send the file again";
    /// More rejected rows than the spec allows.
    ING_REJECTS = "TRE-ING-012", "too many rows could not be used",
        "Rows that do not parse are rejected; beyond `[rejects] max_rows` the whole ingest fails and leaves no version.",
        "correct the rows at the lines that the report names, or raise `max_rows` in `[rejects]`";
    /// Somebody pressed Ctrl-C.
    ING_CANCELLED = "TRE-ING-013", "the ingest was interrupted",
        "It was stopped from outside; nothing of it is left.",
        "run it again";
    /// The disk is full or refuses.
    ING_STORAGE = "TRE-ING-014", "the ingest could not write",
        "Sort runs, dataset files or the manifest could not be written; nothing is left of the ingest.",
        "free space or correct the rights of the home, then run it again";
    /// Too many persons or entities.
    ING_TOO_MANY = "TRE-ING-015", "more persons or entities than can be numbered",
        "Unit numbers are 32 bits wide, and a kind of entity may have four million members: entities are places and organisations, not events.",
        "check that the entity's column is not the number of a claim or a visit";
    /// Inside contradiction.
    ING_INTERNAL = "TRE-ING-016", "an internal check of the ingest failed",
        "Two steps of the ingest disagreed about the data. Then nothing is published.",
        "report it with the spec";
}
