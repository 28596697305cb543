//! Dimensions: how many keys one aggregation is grouped by.
//!
//! *Definition.* A question with more keys than the policy allows is referred or withheld, before any data are read.
//!
//! *Why.* Each key divides the cells further and adds margins with which a table can be compared; a table of many
//! dimensions is a list of people with a count beside each.
//!
//! *Sources.* NDB, ready-made tables: three axes at most. τ-ARGUS and SACRO's guide ask output checkers to look at the
//! dimension of tables first.
//!
//! *Parameters.* `size.max_keys`, `size.above`.

use tre_core::policy::SizeRule;

/// Whether that many keys are too many.
pub(crate) fn exceeds(keys: usize, rule: &SizeRule) -> bool {
    u32::try_from(keys).map_or(true, |keys| keys > rule.max_keys.get())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use tre_core::policy::Above;

    #[test]
    fn cases() {
        // (case, keys, most, too many)
        let cases = [
            ("no keys", 0, 0, false),
            ("one where none is allowed", 1, 0, true),
            ("as many as allowed", 3, 3, false),
            ("one more", 4, 3, true),
            ("more than can be counted", usize::MAX, 100, true),
        ];
        for (case, keys, most, expected) in cases {
            let rule = SizeRule {
                max_keys: i64::from(most).try_into().unwrap(),
                max_rows: 1.try_into().unwrap(),
                above: Above::Refer,
            };
            assert_eq!(exceeds(keys, &rule), expected, "{case}");
        }
    }
}
