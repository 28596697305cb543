//! Policy files that cannot be used, named by a permit.

use std::fs;

use tre_tests::home::Home;
use tre_tests::scenes::policy_like;

use super::{Case, Input};

pub(super) fn cases(home: &Home) -> Vec<Case> {
    let shipped = fs::read_to_string(home.path().join("policies/sdc/ndb.toml")).expect("a shipped policy");
    let good = policy_like(&shipped, "bad", &[]).expect("a policy");
    let with = |name: &str, from: &str, to: &str| {
        assert!(good.contains(from), "`{from}` is not in the policy");
        Case::new(
            "TRE-PRJ-010",
            format!("policy: {name}"),
            Input::Policy(good.replacen(from, to, 1)),
        )
    };
    vec![
        with("not TOML", "[units]", "[units"),
        with("an unknown key", "[labels]", "[labels]\nfewest = 3"),
        with("a rule left out", "[complement]\nminimum = 10", ""),
        with(
            "a minimum of nobody",
            "[labels]\nminimum = 10",
            "[labels]\nminimum = 0",
        ),
        with("a word that is none", "method = \"none\"", "method = \"maybe\""),
        with("another policy's id", "id    = \"bad\"", "id    = \"ndb\""),
        with(
            "text for a number",
            "significant_digits = 4",
            "significant_digits = \"four\"",
        ),
        with(
            "rounding without a base",
            "method = \"none\"",
            "method = \"nearest\"\nsums = true",
        ),
    ]
}
