//! One answer against everything that has left.

use std::collections::BTreeMap;

use jiff::Timestamp;

use tre_core::algebra::Frontier;
use tre_core::codes::{self, Problem};
use tre_core::evidence::BaseCells;
use tre_core::grant::Grant;
use tre_core::ids::{PopulationName, ProjectId, QueryId, UserName};
use tre_core::ledger::Answer;
use tre_core::permit::ExitName;
use tre_core::policy::{Differing, Policy, RulePack};
use tre_core::sketch::Sketcher;
use tre_core::status::Status;

use super::examine::{MOST_SETS, examine};
use super::known::Ledger;
use super::rule::{New, Step, judge};
use crate::check::Checked;
use crate::decision::Decision;
use crate::lineage::Lineage;
use crate::summary::Summary;

/// One frontier of an answer with what the checker made of it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// What was asked.
    pub frontier: &'a Frontier,
    /// Its lineage; the layout has a sketch.
    pub lineage: &'a Lineage,
    /// What the data worker answered.
    pub cells: &'a BaseCells,
    /// What the checker made of them.
    pub checked: Checked,
}

/// Who asks, what for, when.
#[derive(Debug, Clone)]
pub struct Head {
    /// The query.
    pub query: QueryId,
    /// Whose permit.
    pub project: ProjectId,
    /// Who asks.
    pub user: UserName,
    /// The way out.
    pub exit: ExitName,
    /// When.
    pub at: Timestamp,
}

/// An answer after its comparison.
#[must_use = "the answer has to be in the ledger before it leaves"]
#[derive(Debug)]
pub struct Compared {
    /// Treated cells and decisions, in the order of the frontiers.
    pub checked: Vec<Checked>,
    /// What is to be remembered if it leaves.
    pub answer: Answer,
}

impl Compared {
    /// What is to be remembered if it does not leave: that it was refused, where that depends on data.
    pub fn refusal(&self) -> Option<Answer> {
        self.answer.refused.then(|| Answer {
            parts: Vec::new(),
            ..self.answer.clone()
        })
    }
}

/// Compares the frontiers of one answer with what has left, and with each other, and treats what is too near.
///
/// `sketchers` has one entry per population. Where the user or the project has had too many refusals that depend on
/// data, every decision becomes a referral whatever the cells are.
///
/// # Errors
/// `TRE-SDC-022` when cells and layout contradict each other: nothing may leave then.
pub fn compare(
    ledger: &Ledger,
    sketchers: &BTreeMap<PopulationName, Sketcher>,
    head: Head,
    asked: Vec<Asked<'_>>,
    grant: &Grant,
    policy: &Policy,
) -> Result<Compared, Problem> {
    compare_under(ledger, sketchers, head, asked, grant, policy.rules())
}

/// As [`compare`], under the rules of a policy.
pub(crate) fn compare_under(
    ledger: &Ledger,
    sketchers: &BTreeMap<PopulationName, Sketcher>,
    head: Head,
    asked: Vec<Asked<'_>>,
    grant: &Grant,
    rules: &RulePack,
) -> Result<Compared, Problem> {
    let rule = &rules.ledger;
    let capped = ledger.refused_too_often(&head.user, &head.project, head.at, rule);
    let mut compared = Compared {
        checked: Vec::with_capacity(asked.len()),
        answer: Answer {
            query: head.query,
            project: head.project,
            user: head.user,
            exit: head.exit,
            at: head.at,
            refused: false,
            parts: Vec::with_capacity(asked.len()),
        },
    };
    // Frontiers of one answer are compared with each other as well.
    let mut own = Ledger::default();
    for one in asked {
        let sketcher = sketcher(sketchers, &one.lineage.population)?;
        let examined = examine(&one, [ledger, &own], sketcher, grant, rules)?;
        let mut checked = one.checked;
        if let Some(treated) = examined.treated {
            checked.summary = Summary::of(&treated, one.lineage);
            checked.treated = treated;
        }
        let mut reasons = Vec::new();
        if capped {
            reasons.push(Problem::of(&codes::SDC_REFUSALS, codes::SDC_REFUSALS.title));
        }
        if examined.referred {
            let what = "a value is over nearly the same people as one that has left";
            reasons.push(Problem::of(&codes::SDC_DIFFERING, what));
        }
        if examined.too_many {
            let what = format!("more than {MOST_SETS} values cannot be compared with what has left");
            reasons.push(Problem::of(&codes::SDC_TOO_MANY_ROWS, what));
        }
        if !reasons.is_empty() {
            checked.decision = checked.decision.and(Decision::Refer { reasons });
        }
        compared.answer.refused |= examined.depends_on_data;
        compared.answer.parts.push(examined.part);
        compared.checked.push(checked);
        own.add_parts(compared.answer.parts.last());
    }
    Ok(compared)
}

/// Whether something has left since answer number `seen` that a frozen answer is too near to. Values that were snapped
/// have left before and are not compared again.
///
/// # Errors
/// `TRE-SDC-044` when something has.
pub fn overtaken(
    ledger: &Ledger,
    sketchers: &BTreeMap<PopulationName, Sketcher>,
    frozen: &Answer,
    seen: u64,
) -> Result<(), Problem> {
    for part in &frozen.parts {
        let sketcher = sketcher(sketchers, &part.population)?;
        for (index, set) in part.sets.iter().enumerate() {
            let near = ledger.near(&part.population, set, part.minimum, sketcher);
            for cell in part.cells.iter().filter(|cell| cell.set as usize == index) {
                let leaves = cell.is_shown() && cell.status.status() != Status::Snapped;
                let new = New {
                    cell,
                    question: &part.question,
                    minimum: part.minimum,
                };
                if leaves && judge(new, &near, seen, Differing::Suppress).step != Step::Show {
                    let what = "the frozen values are too near to what has left since";
                    return Err(Problem::of(&codes::SDC_OVERTAKEN, what));
                }
            }
        }
    }
    Ok(())
}

fn sketcher<'a>(
    sketchers: &'a BTreeMap<PopulationName, Sketcher>,
    population: &PopulationName,
) -> Result<&'a Sketcher, Problem> {
    sketchers.get(population).ok_or_else(|| {
        let what = format!("there is no key of population `{population}`");
        Problem::of(&codes::SDC_EVIDENCE, what)
    })
}
