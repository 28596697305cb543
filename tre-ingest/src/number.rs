//! Dense numbers of units and entities, from the registry.

use std::collections::HashMap;

use tre_core::codes::{self, Problem};
use tre_core::ids::{EntityKind, PopulationName};
use tre_home::registry::{Numbered, Records, Registry};
use tre_home::vault::Link;

use crate::read::EntityLinkers;
use crate::sort::Sorted;
use crate::storage;

/// Numbers of the version's units; not in force before [`Units::numbered`] is committed.
pub(crate) struct Units<'h> {
    pub(crate) numbered: Numbered<'h>,
    /// Units of this version.
    pub(crate) count: u64,
    /// Whether numbers ascend with linkage keys, as they do where all units are new together.
    pub(crate) ascending: bool,
}

/// How many different units there are among those that are given sorted.
pub(crate) fn count_units(units: &Sorted) -> Result<u64, Problem> {
    let mut count = 0;
    let mut last: Option<Link> = None;
    let mut rows = units.read().map_err(|error| storage("read a sort run", &error))?;
    while let Some(row) = rows.next().map_err(|error| storage("read a sort run", &error))? {
        let link = row.first_chunk::<16>().copied();
        count += u64::from(link != last);
        last = link;
    }
    Ok(count)
}

/// Numbers units that are given sorted by linkage key, some of them repeated.
pub(crate) fn number_units<'h>(
    registry: &Registry<'h>,
    population: &PopulationName,
    units: &Sorted,
) -> Result<Units<'h>, Problem> {
    let mut assignment = registry.assign(population, None)?;
    let (mut count, mut ascending) = (0, true);
    let mut last: Option<(Link, u32)> = None;
    let mut rows = units.read().map_err(|error| storage("read a sort run", &error))?;
    while let Some(row) = rows.next().map_err(|error| storage("read a sort run", &error))? {
        let Some(link) = row.first_chunk::<16>() else {
            continue;
        };
        if last.is_some_and(|(before, _)| before == *link) {
            continue;
        }
        let number = assignment.number(link)?;
        ascending &= last.is_none_or(|(_, before)| before < number);
        last = Some((*link, number));
        count += 1;
    }
    Ok(Units {
        numbered: assignment.finish()?,
        count,
        ascending,
    })
}

/// Numbers of all entities of one kind.
pub(crate) struct Entities<'h> {
    pub(crate) kind: EntityKind,
    pub(crate) numbered: Numbered<'h>,
    pub(crate) numbers: HashMap<Link, u32>,
}

/// Numbers the entities that were seen.
pub(crate) fn number_entities<'h>(
    registry: &Registry<'h>,
    population: &PopulationName,
    linkers: &EntityLinkers<'_>,
) -> Result<Vec<Entities<'h>>, Problem> {
    let number = |(kind, linker): (&EntityKind, &crate::link::EntityLinker)| {
        let mut assignment = registry.assign(population, Some(kind))?;
        let mut numbers = HashMap::new();
        for link in linker.links() {
            numbers.insert(link, assignment.number(&link)?);
        }
        Ok(Entities {
            kind: kind.clone(),
            numbered: assignment.finish()?,
            numbers,
        })
    };
    linkers.iter().map(number).collect()
}

/// Looks up units that are asked for in the order of linkage keys.
pub(crate) struct Lookup {
    records: Records,
    current: Option<(Link, u32)>,
}

impl Lookup {
    pub(crate) fn new(units: &Units<'_>) -> Result<Self, Problem> {
        let mut lookup = Lookup {
            records: units.numbered.records()?,
            current: None,
        };
        lookup.advance()?;
        Ok(lookup)
    }

    pub(crate) fn number(&mut self, link: &Link) -> Result<u32, Problem> {
        loop {
            match self.current {
                Some((known, number)) if known == *link => return Ok(number),
                Some((known, _)) if known < *link => self.advance()?,
                Some(_) | None => return Err(Problem::of(&codes::ING_INTERNAL, "a unit has no number")),
            }
        }
    }

    fn advance(&mut self) -> Result<(), Problem> {
        self.current = self.records.next().transpose()?;
        Ok(())
    }
}
