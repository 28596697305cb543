#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

use super::*;

pub(super) const NDB: &str = include_str!("../../../policies/sdc/ndb.toml");
const OPENSAFELY: &str = include_str!("../../../policies/sdc/opensafely.toml");

pub(super) fn id(name: &str) -> PolicyId {
    name.parse().unwrap()
}

pub(super) fn ndb() -> Policy {
    Policy::parse(&id("ndb"), NDB).unwrap()
}

#[test]
fn the_shipped_policies_hold_their_sources_numbers() {
    let ndb = ndb();
    assert_eq!(
        (ndb.rules().units.minimum.get(), ndb.rules().units.zero),
        (10, Showing::Show)
    );
    assert_eq!(ndb.rules().rounding, Rounding::None {});
    let opensafely = Policy::parse(&id("opensafely"), OPENSAFELY).unwrap();
    // "Counts of 7 or fewer are redacted": 8 is the first that is shown.
    assert!(!opensafely.rules().units.minimum.is_met_by(7) && opensafely.rules().units.minimum.is_met_by(8));
    assert!(matches!(opensafely.rules().rounding, Rounding::Nearest { base, sums: true } if base.get() == 5));
    assert_eq!(opensafely.rules().size.max_rows.get(), 5_000);
    assert_ne!(ndb.hash(), opensafely.hash());
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    let commented = format!("{NDB}# a comment\n");
    let other = Policy::parse(&id("ndb"), &commented).unwrap();
    assert_eq!(other.rules(), ndb().rules());
    assert_ne!(other.hash(), ndb().hash());
    assert_eq!(ndb().hash().len(), 64);
}

#[test]
fn every_key_of_the_file_is_demanded() {
    // Taking any one assignment out of a shipped policy makes it unreadable: there are no defaults.
    let assignments = NDB
        .lines()
        .filter(|line| !line.starts_with(['#', '[', ' ', ']']) && line.contains('='));
    let mut count = 0;
    for line in assignments.filter(|line| !line.ends_with('[')) {
        let text = NDB.replacen(line, "", 1);
        let problem = Policy::parse(&id("ndb"), &text).unwrap_err();
        assert!([2, 3].contains(&number(&problem)), "without `{line}`: {problem}");
        count += 1;
    }
    assert!(count >= 15, "only {count} assignments found");
}

pub(super) fn number(problem: &Problem) -> u32 {
    problem.code.id.rsplit('-').next().unwrap().parse().unwrap()
}

pub(super) type Malformed = (&'static str, &'static str, &'static str, u32, &'static str);

/// (what is wrong, text replaced, replacement, number of the code, part of the message)
const MALFORMED: &[Malformed] = &[
    ("not TOML", "[units]", "[units", 1, "line "),
    (
        "a key twice",
        "[labels]\nminimum = 10",
        "[labels]\nminimum = 10\nminimum = 9",
        1,
        "duplicate",
    ),
    ("an open string", "title = \"NDB", "title = \"NDB\n", 1, "line 6"),
    ("a table twice", "[labels]", "[units]", 1, "line "),
    ("unknown table", "[view]", "[wiew]", 2, "wiew"),
    (
        "unknown key",
        "[labels]\nminimum",
        "[labels]\nfewest = 3\nminimum",
        2,
        "fewest",
    ),
    (
        "key of another table",
        "[complement]",
        "[complement]\nzero = \"show\"",
        2,
        "zero",
    ),
    (
        "missing table",
        "[release]\nreviewers = 2",
        "",
        2,
        "missing field `release`",
    ),
    (
        "missing rounding method",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\n",
        2,
        "method",
    ),
    (
        "a base without a method that has one",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"none\"\nbase = 5",
        2,
        "base",
    ),
    (
        "nearest without base",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"nearest\"\nsums = true",
        2,
        "missing field `base`",
    ),
    (
        "nearest without sums",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"nearest\"\nbase = 5",
        2,
        "missing field `sums`",
    ),
    (
        "a minimum in quotes",
        "[labels]\nminimum = 10",
        "[labels]\nminimum = \"10\"",
        2,
        "invalid type",
    ),
    (
        "a minimum with a fraction",
        "[labels]\nminimum = 10",
        "[labels]\nminimum = 9.5",
        2,
        "invalid type",
    ),
    (
        "a boolean as text",
        "allowed = true",
        "allowed = \"yes\"",
        2,
        "invalid type",
    ),
    ("text as a list", "notes = \"No", "notes = [\"No", 1, "line "),
    (
        "minimum zero",
        "[units]\nminimum = 10",
        "[units]\nminimum = 0",
        3,
        "`0` is not a minimum of people",
    ),
    (
        "negative minimum",
        "[units]\nminimum = 10",
        "[units]\nminimum = -10",
        3,
        "`-10` is not a minimum",
    ),
    (
        "minimum beyond the range",
        "[units]\nminimum = 10",
        "[units]\nminimum = 10000000000",
        3,
        "1 to 1000000",
    ),
    (
        "complement zero",
        "[complement]\nminimum = 10",
        "[complement]\nminimum = 0",
        3,
        "minimum of people",
    ),
    (
        "no digits",
        "significant_digits = 4",
        "significant_digits = 0",
        3,
        "1 to 38",
    ),
    (
        "more digits than there are",
        "significant_digits = 4",
        "significant_digits = 39",
        3,
        "significant digits",
    ),
    (
        "base one",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"nearest\"\nbase = 1\nsums = false",
        3,
        "a rounding base",
    ),
    (
        "unknown method",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"random\"",
        3,
        "random",
    ),
    (
        "unknown word for zero",
        "zero    = \"show\"",
        "zero = \"maybe\"",
        3,
        "maybe",
    ),
    (
        "unknown word for contributors",
        "\"nonzero\"     #",
        "\"all\" #",
        3,
        "all",
    ),
    (
        "unknown word for too large",
        "above    = \"refer\"",
        "above = \"release\"",
        3,
        "release",
    ),
    (
        "rules of dominance without any",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"rules\"\nrules = []\nnegative = \"refer\"",
        5,
        "`dominance.rules` is empty",
    ),
    (
        "rules of dominance that say nothing of negative values",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"rules\"\nrules = [{ rule = \"p-percent\", p = 10 }]",
        2,
        "missing field `negative`",
    ),
    (
        "negative values without rules of dominance",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"none\"\nnegative = \"refer\"",
        2,
        "negative",
    ),
    (
        "an unknown rule of dominance",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"rules\"\nrules = [{ rule = \"p-ratio\", p = 10 }]\nnegative = \"refer\"",
        3,
        "p-ratio",
    ),
    (
        "three largest contributions",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"rules\"\nrules = [{ rule = \"nk\", n = 3, k = 90 }]\nnegative = \"refer\"",
        3,
        "use 1 to 2",
    ),
    (
        "more than a whole",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"rules\"\nrules = [{ rule = \"nk\", n = 2, k = 101 }]\nnegative = \"refer\"",
        3,
        "not a percentage",
    ),
    (
        "everybody knows it well enough beforehand",
        "[dominance]\nmethod   = \"none\"",
        "[dominance]\nmethod = \"rules\"\nrules = [{ rule = \"pq\", p = 50, q = 50 }]\nnegative = \"refer\"",
        5,
        "nobody could come nearer",
    ),
    (
        "midpoints of an odd base",
        "[rounding]\nmethod = \"none\"",
        "[rounding]\nmethod = \"midpoint\"\nbase = 5\nsums = true",
        3,
        "no whole midpoints",
    ),
    (
        "a negative number of degrees of freedom",
        "degrees_of_freedom = 0",
        "degrees_of_freedom = -1",
        3,
        "degrees of freedom",
    ),
    (
        "a negative number of keys",
        "max_keys = 10",
        "max_keys = -1",
        3,
        "a limit of keys",
    ),
    (
        "negative reviewers",
        "reviewers = 2",
        "reviewers = -1",
        3,
        "a number of reviewers",
    ),
    (
        "a date in quotes",
        "date  = 2025-09-03",
        "date = \"2025-09-03\"",
        3,
        "YYYY-MM-DD",
    ),
    (
        "a date with time",
        "date  = 2025-09-03",
        "date = 2025-09-03T00:00:00Z",
        3,
        "YYYY-MM-DD",
    ),
    (
        "an id with blanks",
        "id    = \"ndb\"",
        "id = \"N D B\"",
        3,
        "policy id",
    ),
    (
        "no title",
        "title = \"NDB Japan: standards that published results have to meet\"",
        "title = \" \"",
        3,
        "title",
    ),
    (
        "another id than the file",
        "id    = \"ndb\"",
        "id = \"bdn\"",
        4,
        "bdn",
    ),
    (
        "no word on the ledger",
        "keep      = true",
        "",
        2,
        "missing field `keep`",
    ),
    (
        "unknown word for differing",
        "differing = \"snap\"",
        "differing = \"forget\"",
        3,
        "forget",
    ),
    (
        "negative refusals",
        "refusals_per_user    = 50",
        "refusals_per_user = -1",
        3,
        "a number of refusals",
    ),
    (
        "people that sketches cannot tell apart",
        "{ minimum = 20, values",
        "{ minimum = 33, values",
        5,
        "at most 32 apart",
    ),
    (
        "completes more than may leave",
        "max_rows = 1_000_000",
        "max_rows = 99_999",
        5,
        "complete_up_to",
    ),
];

#[test]
fn malformed_policies_are_refused_with_code_line_and_advice() {
    for (case, from, to, code, part) in MALFORMED.iter().chain(tests_of_draws::MALFORMED) {
        assert!(NDB.contains(from), "{case}: nothing to replace");
        let text = NDB.replacen(from, to, 1);
        let problem = match Policy::parse(&id("ndb"), &text) {
            Err(problem) => problem,
            Ok(_) => panic!("{case}: accepted"),
        };
        assert_eq!(number(&problem), *code, "{case}: {problem}");
        assert!(problem.what.contains(part), "{case}: {problem}");
        assert!(
            !problem.what.contains('\n') && !problem.hint.is_empty(),
            "{case}: {problem}"
        );
    }
}

#[test]
fn a_huge_file_and_an_empty_one_are_refused() {
    let huge = format!("{NDB}#{}", "x".repeat(MAX_BYTES));
    assert_eq!(number(&Policy::parse(&id("ndb"), &huge).unwrap_err()), 1);
    assert_eq!(number(&Policy::parse(&id("ndb"), "").unwrap_err()), 2);
}

#[test]
fn exits_are_allowed_on_the_policys_terms_only() {
    let policy = ndb();
    assert!(policy.check_view().is_ok());
    assert!(policy.check_release(2).is_ok() && policy.check_release(3).is_ok());
    assert_eq!(number(&policy.check_release(1).unwrap_err()), 6);
    let closed = NDB.replacen("allowed = true", "allowed = false", 1);
    assert_eq!(
        number(
            &Policy::parse(&id("ndb"), &closed)
                .unwrap()
                .check_view()
                .unwrap_err()
        ),
        6
    );
}

#[test]
fn a_policy_that_keeps_a_ledger_asks_for_sketches_of_twice_its_minimum() {
    assert_eq!(ndb().rules().sketch().unwrap().capacity(), 20);
    let by_tag = NDB.replacen("{ minimum = 20, values", "{ minimum = 24, values", 1);
    let by_tag = Policy::parse(&id("ndb"), &by_tag).unwrap();
    assert_eq!(
        by_tag.rules().sketch().unwrap().capacity(),
        24,
        "as many as a tag needs"
    );
    let off = NDB.replacen("keep      = true", "keep = false", 1);
    let off = off.replacen("{ minimum = 20, values", "{ minimum = 1000, values", 1);
    let off = Policy::parse(&id("ndb"), &off).unwrap();
    assert!(off.rules().sketch().is_none());
    assert!(
        off.in_plain_words()
            .iter()
            .any(|s| s.contains("the difference of two can be one person"))
    );
}

#[test]
fn plain_words_name_the_numbers() {
    let ndb = ndb().in_plain_words();
    assert_eq!(
        ndb,
        [
            "A value is suppressed when 1 to 9 people stand behind it; zero is shown.",
            "Behind a sum or average stand those with a value other than zero.",
            "Groups of a column without declared domain are left out when fewer than 10 people are in them.",
            "Groups of columns with declared domains all stand in the answer, up to 100000 rows; above that the rule for columns without declared domain holds.",
            "Of two values of one row that differ by 1 to 9 people, the one of fewer people is suppressed.",
            "A sum or average is suppressed when everybody behind it has the same value.",
            "Sums keep 4 significant digits.",
            "Of the values of `jis-x-0402` only those are shown that the policy lists: 0 of them when at least 20 people stand behind them, 0 of them when at least 10 people stand behind them. A question that selects by `jis-x-0402` or computes a key from it goes to a person.",
            "Counts are not rounded.",
            "A question with `jis-x-0402` and `insurer` goes to a person.",
            "A question with more than 10 keys goes to a person.",
            "An answer of more than 1000000 rows goes to a person.",
            "Answers in a session leave at once.",
            "A file leaves when at least 2 other people have agreed.",
            "A value that differs from one that has left by up to 9 people is answered with the value that has left; after 50 such answers of a user or 200 of a project within 24 hours all go to a person.",
        ]
    );
    let opensafely = Policy::parse(&id("opensafely"), OPENSAFELY)
        .unwrap()
        .in_plain_words();
    assert!(opensafely.contains(&"Counts and sums are rounded to the nearest multiple of 5.".to_owned()));
    assert!(
        opensafely
            .iter()
            .any(|s| s.contains("fewer than 8 people stand behind it, nobody included"))
    );
}

#[test]
fn the_json_schema_accepts_what_the_reader_writes() {
    let schema = serde_json::to_value(Policy::json_schema()).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let written = serde_json::to_value(ndb().rules()).unwrap();
    let keys =
        |object: &serde_json::Map<String, serde_json::Value>| object.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(properties).len(), written.as_object().unwrap().len());
    assert!(keys(properties).iter().all(|key| written.get(key).is_some()));
    assert_eq!(schema["additionalProperties"], serde_json::Value::Bool(false));
    assert_eq!(schema["$defs"]["SignificantDigits"]["maximum"], 38);
}
