//! Unit sets of small worlds by brute force.

use std::sync::Arc;

use arrow_array::ArrayRef;
use tre_core::evidence::{CellLayout, sketch};
use tre_core::sketch::{Shares, SketchShape, Sketcher, UnitSet};

use super::people::{counts, people};
use super::world::{Keys, Row};

/// The columns of a unit set.
const PARTS: [&str; 4] = ["hash", "lanes", "sketch", "shares"];

/// Makes the vectors of these worlds' people.
pub(crate) fn sketcher(shape: SketchShape) -> Sketcher {
    Sketcher::new(&[9; 32], shape)
}

/// The words of a set of people, the XOR of their vectors, and after them those of what each of them gives.
fn words(rows: &[&Row], argument: Option<usize>, layout: &CellLayout) -> Vec<u64> {
    let sketcher = sketcher(layout.sketch.unwrap());
    let (mut set, mut shares) = (UnitSet::empty(sketcher.shape()), Shares::default());
    for unit in people(rows.iter().copied(), argument) {
        set.add(&sketcher.vector(unit));
        let own = rows
            .iter()
            .filter(|row| row.unit == unit && counts(row, argument));
        let net = own
            .clone()
            .map(|row| argument.and_then(|argument| row.arguments[argument]).unwrap_or(0));
        shares.add(&sketcher.share(unit, own.clone().count() as u64, net.sum()));
    }
    [set.words(), shares.words().as_slice()].concat()
}

/// A column of unit sets by its name; `None` for a name of other evidence.
pub(crate) fn column(name: &str, layout: &CellLayout, groups: &[(Keys, Vec<&Row>)]) -> Option<ArrayRef> {
    let (of, part) = name.rsplit_once('_')?;
    let part = PARTS.iter().position(|known| *known == part)?;
    let argument = of.strip_prefix('a').map(|number| number.parse().unwrap());
    let sets: Vec<Vec<u64>> = groups
        .iter()
        .map(|(_, rows)| words(rows, argument, layout))
        .collect();
    let parts = sketch::columns(layout.sketch.unwrap(), sets.iter().map(Vec::as_slice)).unwrap();
    Some(Arc::clone(&parts[part]))
}
