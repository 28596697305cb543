//! The shipped rule packs with minima that worlds of twelve people reach, and with tags that their tables have.

use tre_core::policy::Policy;

/// The tag of `person.sex` in every world.
pub(super) const PLACE: &str = "jis-x-0402";
/// The tag of `visit.kind` in every world.
pub(super) const INSURER: &str = "insurer";

/// A shipped pack, and what else of it is changed.
type Variant = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

macro_rules! pack {
    ($id:literal) => {
        include_str!(concat!("../../../../policies/sdc/", $id, ".toml"))
    };
}

const NO_CLASS: (&str, &str) = ("unanimous = \"refer\"", "unanimous = \"show\"");

/// A world is judged by one of them.
pub(super) const VARIANTS: [Variant; 14] = [
    ("ndb", pack!("ndb"), &[]),
    ("opensafely", pack!("opensafely"), &[NO_CLASS]),
    (
        "ndb",
        pack!("ndb"),
        &[
            ("zero    = \"show\"", "zero = \"suppress\""),
            ("[labels]\nminimum = 3", "[labels]\nminimum = 5"),
        ],
    ),
    (
        "ndb",
        pack!("ndb"),
        &[("complete_up_to = 100_000", "complete_up_to = 3")],
    ),
    ("acro-defaults", pack!("acro-defaults"), &[NO_CLASS]),
    (
        "ons",
        pack!("ons"),
        &[("unanimous = \"refer\"", "unanimous = \"suppress\""), SUPPRESSED],
    ),
    (
        "nhs-england-sde",
        pack!("nhs-england-sde"),
        &[
            ("method = \"nearest\"", "method = \"midpoint\""),
            ("base   = 2", "base = 4"),
        ],
    ),
    (
        "kaigo-db",
        pack!("kaigo-db"),
        &[("values = [\"M\"]", "values = []")],
    ),
    (
        "datashield-defaults",
        pack!("datashield-defaults"),
        &[("degrees_of_freedom = 0", "degrees_of_freedom = 4")],
    ),
    (
        "genomics-england",
        pack!("genomics-england"),
        &[("max_keys = 10", "max_keys = 1")],
    ),
    ("ons", pack!("ons"), &[]),
    (
        "acro-defaults",
        pack!("acro-defaults"),
        &[("p = 10 }", "p = 40 }"), NO_CLASS, SUPPRESSED],
    ),
    (
        "opensafely",
        pack!("opensafely"),
        &[("sums   = true", "sums = false")],
    ),
    (
        "datashield-defaults",
        pack!("datashield-defaults"),
        &[("unanimous = \"show\"", "unanimous = \"suppress\"")],
    ),
];

const SUPPRESSED: (&str, &str) = ("negative = \"refer\"", "negative = \"suppress\"");

/// The text of a policy and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pack {
    id: &'static str,
    text: String,
}

impl Pack {
    /// The pack of a world. All minima are 3 people, 4 in one place; rounding is to multiples of 2 or 4.
    pub(super) fn of(world: u64) -> Pack {
        let (id, shipped, changes) = VARIANTS[(world % VARIANTS.len() as u64) as usize];
        let mut text = small(shipped);
        for (from, to) in changes {
            assert_eq!(text.matches(from).count(), 1, "`{from}` in\n{text}");
            text = text.replace(from, to);
        }
        Pack { id, text }
    }

    /// The pack with another text.
    pub(super) fn changed(&self, change: fn(&str) -> String) -> Pack {
        Pack {
            id: self.id,
            text: change(&self.text),
        }
    }

    /// The policy.
    pub(super) fn policy(&self) -> Policy {
        Policy::parse(&self.id.parse().unwrap(), &self.text).unwrap_or_else(|p| panic!("{p}"))
    }
}

/// A shipped pack line by line with smaller numbers.
fn small(shipped: &str) -> String {
    let line = |line: &str| match line.trim() {
        one if one.starts_with("minimum = ") => "minimum = 3".to_owned(),
        one if one.starts_with("base ") => "base   = 2".to_owned(),
        one if one.starts_with("{ minimum = 20, values = [] }") => {
            "{ minimum = 4, values = [\"F\"] },".to_owned()
        }
        // Of men less than of women, and nothing of whom the list does not have.
        one if one.starts_with("{ minimum = 10, values = [] }") => {
            "{ minimum = 3, values = [\"M\"] },".to_owned()
        }
        _ => line.to_owned(),
    };
    let lines: Vec<String> = shipped.lines().map(line).collect();
    lines.join("\n") + "\n"
}
