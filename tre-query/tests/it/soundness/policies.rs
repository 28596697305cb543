//! The shipped rule packs with minima that worlds of twelve people reach.

use tre_core::policy::{Policy, Rounding, Showing};

/// Name, text and the minima of people in it.
const PACKS: [(&str, &str, &str); 2] = [
    (
        "ndb",
        include_str!("../../../../policies/sdc/ndb.toml"),
        "minimum = 10",
    ),
    (
        "opensafely",
        include_str!("../../../../policies/sdc/opensafely.toml"),
        "minimum = 8",
    ),
];

/// Ways to shrink a pack; a world is judged by one of them.
pub(super) const POLICIES: usize = 4;

/// The text of a policy and its name.
#[derive(Debug, Clone)]
pub(super) struct Pack {
    id: &'static str,
    text: String,
}

impl Pack {
    /// The pack of a world. All minima are 3 people.
    pub(super) fn of(world: u64) -> Pack {
        let which = world % POLICIES as u64;
        let (id, text, minimum) = PACKS[usize::from(which == 1)];
        let mut text = changed(text, minimum, "minimum = 3", 3);
        text = match which {
            1 => changed(&text, "= 5\n", "= 2\n", 1),
            2 => changed(&text, "zero    = \"show\"", "zero = \"suppress\"", 1),
            3 => changed(&text, "complete_up_to = 100_000", "complete_up_to = 3", 1),
            _ => text,
        };
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

/// A text with every occurrence replaced; there must be so many.
pub(super) fn changed(text: &str, from: &str, to: &str, times: usize) -> String {
    assert_eq!(text.matches(from).count(), times, "`{from}` in\n{text}");
    text.replace(from, to)
}

/// What the policy promises, as this test reads it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Promise {
    /// Fewest people behind a value.
    pub(super) people: usize,
    /// Fewest people behind an undeclared label.
    pub(super) labels: usize,
    /// Fewest people by whom two values of a row differ.
    pub(super) complement: usize,
    /// Largest product of domains that is completed.
    pub(super) completed: usize,
    /// Whether a value of nobody is shown.
    pub(super) zeros: bool,
    /// Most digits of a sum.
    pub(super) digits: usize,
    /// Whether values are rounded to a base afterwards.
    pub(super) rounds: bool,
}

impl Promise {
    /// Reads it off a policy.
    pub(super) fn of(policy: &Policy) -> Promise {
        let rules = policy.rules();
        Promise {
            people: rules.units.minimum.get() as usize,
            labels: rules.labels.minimum.get() as usize,
            complement: rules.complement.minimum.get() as usize,
            completed: rules.domains.complete_up_to.get() as usize,
            zeros: rules.units.zero == Showing::Show,
            digits: rules.magnitudes.significant_digits.get() as usize,
            rounds: !matches!(rules.rounding, Rounding::None {}),
        }
    }
}
