//! Completion of declared domains: absence says nothing.
//!
//! *Definition.* Where every key of a table is a bare column whose holder declared its domain, all combinations of
//! declared values stand in the answer, those of nobody as well: count 0, sum NULL, judged by the same rules as a
//! counted group. Without keys the one group of all rows stands there, whatever the limit: it has no label. The product of the domains is public, so whether
//! it is completed never depends on data. When it has more rows than the policy completes, or a key declares no
//! domain, no combination counts as declared and the rule for rare labels decides about every row.
//!
//! *Sources.* Absent combinations as cells of the table: sdcTable and τ-ARGUS work on the full hypercube of the
//! declared hierarchies.
//!
//! *Parameters.* `domains.complete_up_to` in rows.

use tre_core::policy::DomainsRule;

/// The product of the keys' declared domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    sizes: Vec<usize>,
    rows: usize,
}

/// The product that is completed, if any. `sizes`: how many values each key declares; `None` where it declares none.
pub(crate) fn product(sizes: &[Option<usize>], rule: &DomainsRule) -> Option<Product> {
    let sizes = sizes.iter().copied().collect::<Option<Vec<usize>>>()?;
    let rows = sizes
        .iter()
        .try_fold(1_usize, |rows, size| rows.checked_mul(*size))?;
    let limit = usize::try_from(rule.complete_up_to.get()).ok()?;
    (rows <= limit || sizes.is_empty()).then_some(Product { sizes, rows })
}

impl Product {
    /// The position of a combination, given by the ranks of its values; `None` when one of them is not declared.
    pub(crate) fn position(&self, ranks: &[usize]) -> Option<usize> {
        let mut position = 0;
        for (rank, size) in ranks.iter().zip(&self.sizes) {
            if rank >= size {
                return None;
            }
            position = position * size + rank;
        }
        Some(position)
    }

    /// The combination at a position.
    pub(crate) fn combination(&self, position: usize) -> Vec<usize> {
        let mut left = position;
        let mut ranks = Vec::with_capacity(self.sizes.len());
        for size in self.sizes.iter().rev() {
            ranks.push(left % size);
            left /= size;
        }
        ranks.reverse();
        ranks
    }

    /// The positions that are not among `present`, ascending.
    pub(crate) fn missing(&self, present: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut seen = vec![false; self.rows];
        for position in present {
            if let Some(slot) = seen.get_mut(position) {
                *slot = true;
            }
        }
        seen.iter()
            .enumerate()
            .filter(|(_, seen)| !**seen)
            .map(|(position, _)| position)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn cases() {
        let rule = DomainsRule {
            complete_up_to: 12.try_into().unwrap(),
        };
        // (case, declared sizes, rows of the completed table)
        type Case = (&'static str, &'static [Option<usize>], Option<usize>);
        let cases: [Case; 8] = [
            ("no keys: one group", &[], Some(1)),
            ("one declared key", &[Some(5)], Some(5)),
            ("all keys declared", &[Some(2), Some(3)], Some(6)),
            ("just at the limit", &[Some(3), Some(4)], Some(12)),
            ("above the limit", &[Some(13)], None),
            ("one key undeclared", &[Some(2), None], None),
            ("an empty domain", &[Some(2), Some(0)], Some(0)),
            (
                "a product beyond any number",
                &[Some(usize::MAX), Some(usize::MAX)],
                None,
            ),
        ];
        for (case, sizes, expected) in cases {
            assert_eq!(
                product(sizes, &rule).map(|product| product.rows),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn a_limit_of_zero_switches_completion_off_but_for_the_group_of_all_rows() {
        let off = DomainsRule {
            complete_up_to: 0.try_into().unwrap(),
        };
        assert!(product(&[Some(1)], &off).is_none());
        assert!(product(&[], &off).is_some());
    }

    #[test]
    fn positions_and_combinations_are_each_others_inverse() {
        let product = product(
            &[Some(2), Some(3), Some(4)],
            &DomainsRule {
                complete_up_to: 24.try_into().unwrap(),
            },
        );
        let product = product.unwrap();
        for position in 0..24 {
            let ranks = product.combination(position);
            assert_eq!(product.position(&ranks), Some(position));
        }
        assert_eq!(product.combination(23), [1, 2, 3]);
        assert_eq!(product.position(&[1, 3, 0]), None);
        assert_eq!(product.missing([0, 5, 23].into_iter()).len(), 21);
    }
}
