//! What has left, in memory and ready for comparison.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use tre_core::ids::{PopulationName, ProjectId, UserName};
use tre_core::ledger::{Answer, Cell, Part, Question};
use tre_core::policy::LedgerRule;
use tre_core::sketch::{Distance, Sketcher, UnitSet};
use tre_core::status::Rule;

/// How long a refusal counts.
const REFUSALS_COUNT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Lanes of a set, and where it stands.
type Candidate = ([u64; 4], usize);

/// Everything that has left, as far as comparisons need it. It is filled answer by answer, in their order.
#[derive(Debug, Default)]
pub struct Ledger {
    populations: HashMap<PopulationName, Population>,
    refusals: Vec<Refusal>,
    answers: u64,
}

/// The sets of one population, each once, however many cells are over it.
#[derive(Debug, Default)]
struct Population {
    sets: Vec<KnownSet>,
    by_hash: HashMap<(u64, Vec<u64>), usize>,
    by_size: BTreeMap<u64, Vec<Candidate>>,
}

/// A set with the cells over it.
#[derive(Debug)]
struct KnownSet {
    set: UnitSet,
    cells: Vec<KnownCell>,
}

/// The cells over a set that is near to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near<'a> {
    pub(super) distance: Distance,
    pub(super) cells: &'a [KnownCell],
}

/// A cell that has left or was suppressed.
#[derive(Debug)]
pub(super) struct KnownCell {
    /// Number of its answer, from 1.
    pub(super) answer: u64,
    pub(super) question: Arc<Question>,
    pub(super) cell: Cell,
}

/// An answer that the ledger changed or stopped.
#[derive(Debug)]
struct Refusal {
    at: Timestamp,
    user: UserName,
    project: ProjectId,
}

impl Ledger {
    /// Takes the next answer.
    pub fn add(&mut self, answer: &Answer) {
        self.answers += 1;
        if answer.refused {
            self.refusals.push(Refusal {
                at: answer.at,
                user: answer.user.clone(),
                project: answer.project.clone(),
            });
        }
        self.add_parts(&answer.parts);
    }

    /// Takes the cells of the answer that was taken last, or of one that is not complete yet.
    pub(super) fn add_parts<'p>(&mut self, parts: impl IntoIterator<Item = &'p Part>) {
        for part in parts {
            let population = self.populations.entry(part.population.clone()).or_default();
            let places: Vec<usize> = part.sets.iter().map(|set| population.place(set)).collect();
            let question = Arc::new(part.question.clone());
            for cell in &part.cells {
                let place = places.get(cell.set as usize);
                if let Some(known) = place.and_then(|place| population.sets.get_mut(*place)) {
                    known.remember(self.answers.max(1), &question, cell);
                }
            }
        }
    }

    /// How many answers it has taken.
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// Whether the user or the project has had as many refusals that depend on data as the policy allows.
    pub(super) fn refused_too_often(
        &self,
        user: &UserName,
        project: &ProjectId,
        now: Timestamp,
        rule: &LedgerRule,
    ) -> bool {
        let since = now.saturating_sub(REFUSALS_COUNT_FOR).unwrap_or(Timestamp::MIN);
        let recent = self
            .refusals
            .iter()
            .rev()
            .take_while(|refusal| refusal.at > since);
        let (mut of_user, mut of_project) = (0_u64, 0_u64);
        for refusal in recent {
            of_user += u64::from(&refusal.user == user);
            of_project += u64::from(&refusal.project == project);
        }
        of_user >= u64::from(rule.refusals_per_user.get())
            || of_project >= u64::from(rule.refusals_per_project.get())
    }

    /// The sets that differ from one by fewer than `limit` units, or may do so.
    ///
    /// Exact for sets with sketches of at least `limit - 1` sums. The cost is that of a comparison of 40 bytes for every
    /// known set whose size is within `limit - 1`, and of a decoding for the few that it does not tell apart: 1,000 new
    /// sets take 22 ms against 100,000 earlier ones of sizes from 10 to 10^6, and 0.23 s against 100,000 of the same
    /// hundred sizes (`cargo run -p output-checker --example ledger_speed`, on a busy Xeon of 2 GHz).
    pub(super) fn near(
        &self,
        population: &PopulationName,
        set: &UnitSet,
        limit: u32,
        sketcher: &Sketcher,
    ) -> Vec<Near<'_>> {
        let Some(population) = self.populations.get(population) else {
            return Vec::new();
        };
        let reach = u64::from(limit.saturating_sub(1));
        let sizes = set.units().saturating_sub(reach)..=set.units().saturating_add(reach);
        let mut near = Vec::new();
        for (lanes, place) in population.by_size.range(sizes).flat_map(|(_, sets)| sets) {
            if set.lanes_apart(lanes) >= limit {
                continue;
            }
            if let Some(known) = population.sets.get(*place) {
                match sketcher.distance(set, &known.set, limit) {
                    Distance::Far => {}
                    distance @ (Distance::Same | Distance::Near(_) | Distance::Unknown) => {
                        near.push(Near {
                            distance,
                            cells: &known.cells,
                        });
                    }
                }
            }
        }
        near
    }
}

impl Population {
    /// Where a set stands; it is put there if it does not yet.
    fn place(&mut self, set: &UnitSet) -> usize {
        let next = self.sets.len();
        let place = *self
            .by_hash
            .entry((set.units(), set.hash().to_vec()))
            .or_insert(next);
        match self.sets.get_mut(place) {
            // The same people in a longer sketch: it can be compared with more.
            Some(known) if known.set.words().len() < set.words().len() => known.set = set.clone(),
            Some(_) => {}
            None => {
                let mut lanes = [0; 4];
                lanes
                    .iter_mut()
                    .zip(set.lanes())
                    .for_each(|(to, from)| *to = *from);
                self.by_size.entry(set.units()).or_default().push((lanes, place));
                self.sets.push(KnownSet {
                    set: set.clone(),
                    cells: Vec::new(),
                });
            }
        }
        place
    }
}

impl KnownSet {
    /// Remembers a cell, unless it says again what another has said. What the ledger snapped or suppressed says nothing of
    /// these people: what it was too near to is remembered, and is near to whoever asks for them again.
    fn remember(&mut self, answer: u64, question: &Arc<Question>, cell: &Cell) {
        if cell.status.rule() == Rule::Differing {
            return;
        }
        let says_nothing_new = |known: &KnownCell| {
            let Cell {
                group,
                set: _,
                measure,
                shares,
                when,
                row_per_unit,
                status,
                value,
                scale,
            } = &known.cell;
            (group, measure, when) == (&cell.group, &cell.measure, &cell.when)
                && shares == &cell.shares
                && row_per_unit == &cell.row_per_unit
                && (status, value, scale) == (&cell.status, &cell.value, &cell.scale)
                && known.question == *question
        };
        if !self.cells.iter().any(says_nothing_new) {
            self.cells.push(KnownCell {
                answer,
                question: Arc::clone(question),
                cell: cell.clone(),
            });
        }
    }
}
