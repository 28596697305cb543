//! From identifiers in cells to linkage keys: canonical form, then the vault's keyed hash.
//!
//! The same identifier comes many times, so results are remembered: of units the recent ones, of entities all (there are
//! few, and their set is needed for numbering).

use std::collections::HashMap;
use std::fmt::Write as _;

use tre_core::spec::Canon;
use tre_home::vault::{Link, LinkageKey};

use crate::canon::canonicalise;
use crate::reason::Reason;
use crate::source::Cell;
use crate::values::hash_bytes;

/// Entities of one kind; more are no entities.
pub(crate) const MAX_ENTITIES: usize = 1 << 22;

/// Links the units of one table.
pub(crate) struct UnitLinker {
    canon: Canon,
    key: LinkageKey,
    canonical: String,
    number: String,
    recent: Recent,
}

impl UnitLinker {
    pub(crate) fn new(canon: Canon, key: LinkageKey) -> Self {
        UnitLinker {
            canon,
            key,
            canonical: String::new(),
            number: String::new(),
            recent: Recent::new(),
        }
    }

    /// The linkage key of a cell.
    pub(crate) fn link(&mut self, cell: Cell<'_>) -> Result<Link, Reason> {
        let bytes = identifier(cell, &mut self.number).map_err(|missing| match missing {
            NoIdentifier::Null => Reason::NoUnit,
            NoIdentifier::Type => Reason::BadUnit,
        })?;
        let slot = Recent::slot(bytes);
        if let Some(link) = self.recent.get(slot, bytes) {
            return Ok(link);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::BadUnit)?;
        self.canonical.clear();
        canonicalise(self.canon, text, &mut self.canonical)?;
        let link = self.key.link(self.canonical.as_bytes());
        self.recent.put(slot, bytes, link);
        Ok(link)
    }
}

/// Links the entities of one kind, in all tables.
pub(crate) struct EntityLinker {
    key: LinkageKey,
    canonical: String,
    number: String,
    known: HashMap<Box<[u8]>, Link>,
    recent: Recent,
}

/// Why an entity has no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEntity {
    /// The row cannot be used.
    Rejected(Reason),
    /// There are more than [`MAX_ENTITIES`].
    TooMany,
}

impl EntityLinker {
    pub(crate) fn new(key: LinkageKey) -> Self {
        EntityLinker {
            key,
            canonical: String::new(),
            number: String::new(),
            known: HashMap::new(),
            recent: Recent::new(),
        }
    }

    /// The linkage key of a cell; `None` where there is no entity.
    pub(crate) fn link(&mut self, cell: Cell<'_>) -> Result<Option<Link>, NoEntity> {
        let bytes = match identifier(cell, &mut self.number) {
            Ok(bytes) => bytes,
            Err(NoIdentifier::Null) => return Ok(None),
            Err(NoIdentifier::Type) => return Err(NoEntity::Rejected(Reason::BadEntity)),
        };
        let slot = Recent::slot(bytes);
        if let Some(link) = self.recent.get(slot, bytes) {
            return Ok(Some(link));
        }
        if let Some(link) = self.known.get(bytes) {
            self.recent.put(slot, bytes, *link);
            return Ok(Some(*link));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| NoEntity::Rejected(Reason::BadEntity))?;
        self.canonical.clear();
        if canonicalise(Canon::Text, text, &mut self.canonical).is_err() {
            return Ok(None);
        }
        if self.known.len() >= MAX_ENTITIES {
            return Err(NoEntity::TooMany);
        }
        let link = self.key.link(self.canonical.as_bytes());
        self.known.insert(bytes.into(), link);
        Ok(Some(link))
    }

    /// All linkage keys so far, ascending, each once.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links: Vec<Link> = self.known.values().copied().collect();
        links.sort_unstable();
        links.dedup();
        links
    }
}

/// Links of identifiers that were seen lately, by hash; an entry fills a cache line.
struct Recent(Vec<Entry>);

#[derive(Clone)]
struct Entry {
    length: u8,
    identifier: [u8; Recent::LONGEST],
    link: Link,
}

impl Recent {
    const SLOTS: usize = 1 << 14;
    /// Longer identifiers are not remembered.
    const LONGEST: usize = 47;

    fn new() -> Self {
        let empty = Entry {
            length: 0,
            identifier: [0; Recent::LONGEST],
            link: Link::default(),
        };
        Recent(vec![empty; Recent::SLOTS])
    }

    fn slot(identifier: &[u8]) -> usize {
        hash_bytes(identifier) as usize % Recent::SLOTS
    }

    fn get(&self, slot: usize, identifier: &[u8]) -> Option<Link> {
        let entry = self.0.get(slot)?;
        // No identifier that has a link is empty, so an entry that was never used matches none.
        let known = entry.identifier.get(..usize::from(entry.length))?;
        (known == identifier && !identifier.is_empty()).then_some(entry.link)
    }

    fn put(&mut self, slot: usize, identifier: &[u8], link: Link) {
        let Some(entry) = self.0.get_mut(slot) else { return };
        if let (Some(to), Ok(length)) = (
            entry.identifier.get_mut(..identifier.len()),
            u8::try_from(identifier.len()),
        ) {
            to.copy_from_slice(identifier);
            (entry.length, entry.link) = (length, link);
        }
    }
}

enum NoIdentifier {
    Null,
    Type,
}

/// The bytes of an identifier. Whole numbers of Parquet files are read as their decimal digits.
fn identifier<'a>(cell: Cell<'a>, number: &'a mut String) -> Result<&'a [u8], NoIdentifier> {
    number.clear();
    // Writing to a String cannot fail.
    let written = match cell {
        Cell::Null => return Err(NoIdentifier::Null),
        Cell::Text(bytes) => return Ok(bytes),
        Cell::Int(n) => write!(number, "{n}"),
        Cell::Decimal(n, 0) => write!(number, "{n}"),
        // Integers with gaps become floats in some tools; 2^53 is where that loses digits.
        Cell::Float(x) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => write!(number, "{x:.0}"),
        Cell::Float(_) | Cell::Decimal(..) | Cell::Bool(_) | Cell::Date(_) | Cell::Timestamp(_) => {
            return Err(NoIdentifier::Type);
        }
    };
    written
        .map(|()| number.as_bytes())
        .map_err(|_| NoIdentifier::Type)
}
