//! Questions as they are asked: of a world, under a policy, for an exit.

use output_checker::{Checked, DrawKey, LetOut, check};
use rand_chacha::ChaCha8Rng;
use tre_core::policy::Policy;

use crate::world::{Question, Row};

/// The key of all draws in these tests.
pub(crate) fn draw_key() -> DrawKey {
    DrawKey::new(&[5; 32])
}

impl Question {
    /// Asks it of a world under a policy, where rules let out.
    pub(crate) fn ask(&self, rows: &[Row], policy: &Policy, rng: &mut ChaCha8Rng) -> Checked {
        self.ask_for(rows, policy, LetOut::ByRule, rng)
    }

    /// The same for an exit where rules or people let out.
    pub(crate) fn ask_for(
        &self,
        rows: &[Row],
        policy: &Policy,
        let_out: LetOut,
        rng: &mut ChaCha8Rng,
    ) -> Checked {
        let mut question = self.clone();
        if policy.rules().draws() {
            question.lineage.layout.sketch = policy.rules().unit_sets();
        }
        question.lineage.layout.unlike = policy.rules().values_told_apart();
        let cells = question.base_cells(rows, rng);
        check(&cells, &question.lineage, policy, &draw_key(), let_out)
    }
}
