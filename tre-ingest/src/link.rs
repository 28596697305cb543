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

const RECENT: usize = 1 << 13;

/// Links the units of one table.
pub(crate) struct UnitLinker {
    canon: Canon,
    key: LinkageKey,
    canonical: String,
    number: String,
    /// Direct-mapped by hash: identifier as written, its link.
    recent: Vec<(Vec<u8>, Link)>,
}

impl UnitLinker {
    pub(crate) fn new(canon: Canon, key: LinkageKey) -> Self {
        let recent = std::iter::repeat_with(|| (Vec::new(), Link::default()))
            .take(RECENT)
            .collect();
        UnitLinker {
            canon,
            key,
            canonical: String::new(),
            number: String::new(),
            recent,
        }
    }

    /// The linkage key of a cell.
    pub(crate) fn link(&mut self, cell: Cell<'_>) -> Result<Link, Reason> {
        let bytes = identifier(cell, &mut self.number).map_err(|missing| match missing {
            NoIdentifier::Null => Reason::NoUnit,
            NoIdentifier::Type => Reason::BadUnit,
        })?;
        let slot = hash_bytes(bytes) as usize % RECENT;
        match self.recent.get(slot) {
            // No identifier is empty, so a slot that was never used matches none.
            Some((known, link)) if known == bytes && !bytes.is_empty() => return Ok(*link),
            Some(_) | None => {}
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::BadUnit)?;
        self.canonical.clear();
        canonicalise(self.canon, text, &mut self.canonical)?;
        let link = self.key.link(self.canonical.as_bytes());
        if let Some((known, remembered)) = self.recent.get_mut(slot) {
            known.clear();
            known.extend_from_slice(bytes);
            *remembered = link;
        }
        Ok(link)
    }
}

/// Links the entities of one kind, in all tables.
pub(crate) struct EntityLinker {
    key: LinkageKey,
    canonical: String,
    number: String,
    known: HashMap<Box<[u8]>, Link>,
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
        }
    }

    /// The linkage key of a cell; `None` where there is no entity.
    pub(crate) fn link(&mut self, cell: Cell<'_>) -> Result<Option<Link>, NoEntity> {
        let bytes = match identifier(cell, &mut self.number) {
            Ok(bytes) => bytes,
            Err(NoIdentifier::Null) => return Ok(None),
            Err(NoIdentifier::Type) => return Err(NoEntity::Rejected(Reason::BadEntity)),
        };
        if let Some(link) = self.known.get(bytes) {
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
