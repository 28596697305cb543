//! Policies that draw for sets of people, or count their values.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::Policy;
use super::tests::{Malformed, NDB, id, ndb, number};

pub(super) const MALFORMED: &[Malformed] = &[
    (
        "a negative jitter",
        "jitter  = 0",
        "jitter  = -1",
        3,
        "a number of people more",
    ),
    (
        "noise that cannot be",
        "[perturbation]\nmethod = \"none\"",
        "[perturbation]\nmethod = \"cell-key\"\ndeviation = 2\nvariance = 3\nsmall = 1",
        5,
        "above 1 and below 2",
    ),
    (
        "noise that says nothing of small counts",
        "[perturbation]\nmethod = \"none\"",
        "[perturbation]\nmethod = \"cell-key\"\ndeviation = 2\nvariance = 1",
        2,
        "missing field `small`",
    ),
    (
        "a biased table",
        "[perturbation]\nmethod = \"none\"",
        "[perturbation]\nmethod = \"listed\"\ntable = [{ count = 1, noise = [[1, 1]] }]",
        3,
        "does not add up to zero",
    ),
    (
        "an unknown word for the majority",
        "majority     = \"show\"",
        "majority = \"refer\"",
        3,
        "refer",
    ),
];

#[test]
fn what_is_drawn_needs_sets_of_people_also_without_a_ledger() {
    let off = NDB.replacen("keep      = true", "keep = false", 1);
    let cell_key = "[perturbation]\nmethod = \"cell-key\"\ndeviation = 2\nvariance = 1.08\nsmall = 1";
    let controlled = "[rounding]\nmethod = \"controlled\"\nbase = 5\nsums = false";
    // (text replaced, replacement, whether sets are read, a sentence of the policy)
    let cases = [
        ("jitter  = 0", "jitter  = 0", false, "Counts are not rounded."),
        (
            "jitter  = 0",
            "jitter  = 3",
            true,
            "Where no person decides, this minimum and those below are up to 3 people higher, once and for all for each set of people.",
        ),
        (
            "[perturbation]\nmethod = \"none\"",
            cell_key,
            true,
            "Counts are changed by up to 2 (variance 1.08), never to 1, those of rows by as many times their mean per person: always the same for the same people. Zero stays zero, and parts do not add up to totals.",
        ),
        (
            "[rounding]\nmethod = \"none\"",
            controlled,
            false,
            "Counts are rounded to multiples of 5 next to them, all of a column together, so that what they add up to by the first key, by the others and as a whole is right to within 5.",
        ),
    ];
    for (from, to, drawn, sentence) in cases {
        assert!(off.contains(from), "{from}");
        let policy = Policy::parse(&id("ndb"), &off.replacen(from, to, 1)).unwrap();
        assert_eq!(policy.rules().draws(), drawn, "{to}");
        assert_eq!(policy.rules().unit_sets().is_some(), drawn, "{to}");
        assert!(policy.rules().sketch().is_none(), "{to}");
        let words = policy.in_plain_words();
        assert!(words.iter().any(|known| known == sentence), "{words:#?}");
    }
    // Where a ledger is kept its sketches serve both.
    let kept = Policy::parse(&id("ndb"), &NDB.replacen("jitter  = 0", "jitter = 3", 1)).unwrap();
    assert_eq!(kept.rules().unit_sets(), kept.rules().sketch());
}

#[test]
fn values_are_counted_only_where_the_policy_judges_by_them() {
    let keep = NDB.replacen("keep      = true", "keep = false", 1);
    assert_eq!(ndb().rules().values_told_apart(), None);
    let on = keep.replacen("majority     = \"show\"", "majority = \"suppress\"", 1);
    let on = on.replacen("jitter  = 0", "jitter = 3", 1);
    let policy = Policy::parse(&id("ndb"), &on).unwrap();
    // As many as the strictest class of a tag and the jitter can ask for.
    assert_eq!(policy.rules().values_told_apart(), Some(23));
    let sentence = "A sum or average is suppressed when more than half of those behind it have the same value and only 1 to 9 people another, or nobody.";
    assert!(policy.in_plain_words().iter().any(|known| known == sentence));
    let huge = on.replacen("{ minimum = 20, values", "{ minimum = 2000, values", 1);
    let problem = Policy::parse(&id("ndb"), &huge).unwrap_err();
    assert_eq!(number(&problem), 5);
    assert!(problem.what.contains("`magnitudes.majority`"), "{problem}");
}
