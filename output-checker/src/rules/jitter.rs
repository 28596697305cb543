//! Jitter: where no person decides, the minimum is higher by a number that nobody can know.
//!
//! *Definition.* With `units.jitter` = j, every minimum of people is raised by a number from 0 to j. It is
//! [drawn](crate::draws) for the set of people that is judged: those behind a label, those behind a value, those by whom
//! two values differ. The same people have the same minimum under every question, so that asking in other words gives no
//! second draw.
//!
//! *Why.* A fixed minimum answers a question each time it refuses: who adds people of whom they know to a group until it is
//! shown has counted the others. With jitter the place of the border is uncertain by j people, and no longer the same for
//! two groups. It raises the price of playing with refusals and does not take the game away; the minimum itself is
//! kept by every value, since it is never lowered.
//!
//! *Where not.* At exits where people decide, a refusal is seen by them and not at once by whoever asks.
//!
//! *What is said.* The policy's minimum and `up to j more`, never the number drawn.
//!
//! *Sources.* Diffix draws its threshold for small counts, by a hash of who is behind them (Francis, Probst-Eide, Obrok,
//! Berneanu, Juric and Munz, Diffix-Birch, 2018). Here it is never below the policy's.
//!
//! *Parameters.* `units.jitter` in people.

use tre_core::evidence::BaseCells;
use tre_core::ids::PopulationName;
use tre_core::policy::{MinimumUnits, UnitsRule};

use crate::draws::{DrawKey, Draws, LetOut, Purpose, up_to};

/// By how much the minima of each group are raised.
#[derive(Debug)]
pub(crate) struct Jitter<'a> {
    most: u32,
    /// None where there is no jitter.
    draws: Option<Draws<'a>>,
}

impl<'a> Jitter<'a> {
    /// `None` when the policy asks for jitter and the cells have no sets of people to draw by.
    pub(crate) fn new(
        cells: &'a BaseCells,
        population: &'a PopulationName,
        rule: &UnitsRule,
        key: &'a DrawKey,
        let_out: LetOut,
    ) -> Option<Self> {
        let most = match let_out {
            LetOut::ByRule => rule.jitter.get(),
            LetOut::ByPeople => 0,
        };
        let draws = match most {
            0 => None,
            _ => Some(Draws::new(cells, population, key)?),
        };
        Some(Jitter { most, draws })
    }

    /// The minimum for the people of an argument in a row of the base cells; `None` for the row itself.
    pub(super) fn raised(
        &self,
        minimum: MinimumUnits,
        argument: Option<usize>,
        row: Option<usize>,
    ) -> MinimumUnits {
        self.by(minimum, row, |draws, row| {
            draws.of(Purpose::Jitter, argument, row)
        })
    }

    /// The minimum for the people by whom two arguments differ.
    pub(super) fn raised_for_difference(
        &self,
        minimum: MinimumUnits,
        arguments: [Option<usize>; 2],
        row: Option<usize>,
    ) -> MinimumUnits {
        self.by(minimum, row, |draws, row| {
            draws.of_difference(Purpose::Jitter, arguments, row)
        })
    }

    /// A draw that cannot be made is the highest; of a group of nobody there is none to make.
    fn by(
        &self,
        minimum: MinimumUnits,
        row: Option<usize>,
        draw: impl Fn(&Draws<'a>, usize) -> Option<u64>,
    ) -> MinimumUnits {
        match (&self.draws, row) {
            (Some(draws), Some(row)) => {
                let more = draw(draws, row).map_or(self.most, |draw| up_to(self.most, draw));
                minimum.raised_by(more)
            }
            (None, _) | (_, None) => minimum,
        }
    }
}
