//! The ledger in service: one at a time, in memory as it is in the store.
//!
//! Whoever compares an answer holds the ledger until the answer is durable in it, so that of two answers at once one is
//! compared with the other. It is read when it is first needed. After any failure it is forgotten and read again: what
//! is in memory is never more or less than what is stored. A ledger that cannot be read lets nothing out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use output_checker::ledger::Ledger;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tre_core::codes::{self, Problem};
use tre_core::ids::PopulationName;
use tre_core::ledger::Answer;
use tre_core::sketch::{SketchShape, Sketcher};
use tre_home::store::StoreError;

use crate::core::Core;

/// The ledger; `None` inside until it is read.
#[derive(Debug, Default, Clone)]
pub(crate) struct Book(Arc<Mutex<Option<Ledger>>>);

/// The right to compare and to append.
#[derive(Debug)]
pub(crate) struct Entered {
    ledger: OwnedMutexGuard<Option<Ledger>>,
}

impl Book {
    /// Waits until nobody else compares, and reads the ledger if it was not read.
    ///
    /// # Errors
    /// `TRE-SDC-043` when it cannot be read.
    pub(crate) async fn enter(&self, core: &Core) -> Result<Entered, Problem> {
        let mut ledger = Arc::clone(&self.0).lock_owned().await;
        if ledger.is_none() {
            let mut read = Ledger::default();
            let stored = core.store.ledger();
            let answers = stored.read(core.home.vault(), |answer| read.add(&answer));
            answers.await.map_err(unavailable)?;
            *ledger = Some(read);
        }
        Ok(Entered { ledger })
    }
}

impl Entered {
    /// What has left.
    pub(crate) fn ledger(&self) -> Result<&Ledger, Problem> {
        self.ledger
            .as_ref()
            .ok_or_else(|| Problem::of(&codes::SDC_LEDGER, "the ledger was given up after a failure"))
    }

    /// Appends an answer; it is durable when the call returns.
    ///
    /// # Errors
    /// `TRE-SDC-043` when it is not: nothing may leave then.
    pub(crate) async fn append(&mut self, core: &Core, answer: &Answer) -> Result<(), Problem> {
        let seq = self.ledger()?.answers() + 1;
        let appended = core.store.ledger().append(core.home.vault(), seq, answer).await;
        match (appended, self.ledger.as_mut()) {
            (Ok(()), Some(ledger)) => {
                ledger.add(answer);
                Ok(())
            }
            (Ok(()), None) => Err(Problem::of(&codes::SDC_LEDGER, codes::SDC_LEDGER.title)),
            (Err(error), _) => {
                // It may be durable or not: only reading it again tells.
                *self.ledger = None;
                Err(unavailable(error))
            }
        }
    }
}

/// What the operator reads, and in constant words what everybody else hears.
pub(crate) fn unavailable(error: StoreError) -> Problem {
    tracing::error!(%error, "the ledger cannot be used");
    Problem::of(&codes::SDC_LEDGER, codes::SDC_LEDGER.title)
}

/// Sketchers of populations, all of one shape.
pub(crate) fn sketchers<'p>(
    core: &Core,
    populations: impl Iterator<Item = &'p PopulationName>,
    shape: SketchShape,
) -> BTreeMap<PopulationName, Sketcher> {
    let populations: BTreeSet<&PopulationName> = populations.collect();
    let sketcher = |population: &PopulationName| {
        let key = core.home.vault().sketch_key(population);
        (population.clone(), Sketcher::new(key.bytes(), shape))
    };
    populations.into_iter().map(sketcher).collect()
}
