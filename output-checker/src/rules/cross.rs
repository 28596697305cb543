//! Crosses: columns that may not meet in one question.
//!
//! *Definition.* A question has the tags of its keys, of the columns that its keys are computed from, and of the columns by
//! which it selects people. Where it has all tags of a forbidden cross it is referred or withheld, before any data are
//! read.
//!
//! *Why also selections.* One table per insurer, each selected with WHERE, is the forbidden table cut into strips.
//!
//! *Sources.* NDB: municipality by type of insurer is not allowed without the insurer's consent.
//!
//! *Parameters.* `crosses.forbidden`: `tags`, `then`.

use std::collections::BTreeSet;

use tre_core::policy::Cross;

use crate::lineage::Lineage;

/// All tags that a question has.
pub(crate) fn tags(lineage: &Lineage) -> BTreeSet<&str> {
    let of_keys = lineage
        .keys
        .iter()
        .flat_map(|key| key.tag.iter().chain(&key.computed_from));
    of_keys.chain(&lineage.selected_by).map(String::as_str).collect()
}

/// Whether all tags of a cross meet.
pub(crate) fn meets(tags: &BTreeSet<&str>, cross: &Cross) -> bool {
    cross.tags.iter().all(|tag| tags.contains(tag.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tre_core::policy::Above;

    #[test]
    fn cases() {
        let cross = Cross {
            tags: vec!["municipality".to_owned(), "insurer".to_owned()],
            then: Above::Refer,
        };
        let cases: [(&[&str], bool); 5] = [
            (&[], false),
            (&["municipality"], false),
            (&["insurer", "sex"], false),
            (&["insurer", "municipality"], true),
            (&["age", "insurer", "municipality", "sex"], true),
        ];
        for (tags, expected) in cases {
            assert_eq!(
                meets(&tags.iter().copied().collect(), &cross),
                expected,
                "{tags:?}"
            );
        }
    }
}
