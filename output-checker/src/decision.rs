//! What becomes of an output.

use serde::Serialize;

use tre_core::codes::Problem;

/// What the checker decides about a whole output. From best to worst; the worse one prevails.
#[must_use = "an output that is not released must not leave"]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "lowercase")]
pub enum Decision {
    /// The treated cells may leave through an exit of the policy.
    Release,
    /// A person decides.
    Refer {
        /// Why, at least one.
        reasons: Vec<Problem>,
    },
    /// Nothing leaves.
    Withhold {
        /// Why, at least one.
        reasons: Vec<Problem>,
    },
}

impl Decision {
    /// The decision about an output of two parts: the worse of the two, with all reasons that are as bad.
    pub fn and(self, other: Decision) -> Decision {
        match (self, other) {
            (Decision::Withhold { mut reasons }, Decision::Withhold { reasons: more }) => {
                reasons.extend(more);
                Decision::Withhold { reasons }
            }
            (withhold @ Decision::Withhold { .. }, _) | (_, withhold @ Decision::Withhold { .. }) => withhold,
            (Decision::Refer { mut reasons }, Decision::Refer { reasons: more }) => {
                reasons.extend(more);
                Decision::Refer { reasons }
            }
            (refer @ Decision::Refer { .. }, _) | (_, refer @ Decision::Refer { .. }) => refer,
            (Decision::Release, Decision::Release) => Decision::Release,
        }
    }

    /// Why it is not a release; empty if it is one.
    pub fn reasons(&self) -> &[Problem] {
        match self {
            Decision::Release => &[],
            Decision::Refer { reasons } | Decision::Withhold { reasons } => reasons,
        }
    }

    /// The word for it: `release`, `refer` or `withhold`.
    pub fn word(&self) -> &'static str {
        match self {
            Decision::Release => "release",
            Decision::Refer { .. } => "refer",
            Decision::Withhold { .. } => "withhold",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tre_core::codes;

    #[test]
    fn a_second_part_never_makes_a_decision_better() {
        let reason = |what: &str| vec![Problem::of(&codes::SDC_TOO_MANY_ROWS, what)];
        let all = [
            Decision::Release,
            Decision::Refer { reasons: reason("a") },
            Decision::Withhold { reasons: reason("b") },
        ];
        let rank = |decision: &Decision| all.iter().position(|other| other.word() == decision.word());
        for one in &all {
            for other in &all {
                let both = one.clone().and(other.clone());
                assert_eq!(rank(&both), rank(one).max(rank(other)));
                assert_eq!(both.reasons().is_empty(), both == Decision::Release);
            }
        }
        let twice = all[2].clone().and(all[2].clone());
        assert_eq!(twice.reasons().len(), 2);
    }
}
