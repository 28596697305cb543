//! The Merkle tree of the log (RFC 6962, section 2.1), of which only the right edge is kept in memory, and the names of
//! its tiles (C2SP tlog-tiles: 256 hashes to a tile).

use tlog_tiles::{EMPTY_HASH, HASH_SIZE, Hash, Tile, node_hash};

/// Entries of a full bundle, hashes of a full tile.
pub(super) const WIDTH: u64 = 256;
const HEIGHT: u8 = 8;

/// A tree that only grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    size: u64,
    /// Per tile level, the hashes of the rightmost tile; fewer than [`WIDTH`].
    edge: Vec<Vec<Hash>>,
}

/// A tile's place: level of tiles (0: hashes of entries) and index in it.
pub(super) type Place = (u8, u64);

impl Tree {
    /// A tree of `size` entries whose partial tiles are read through `tile` (place and width).
    pub(super) fn load<E>(
        size: u64,
        mut tile: impl FnMut(Place, u64) -> Result<Vec<Hash>, E>,
    ) -> Result<Self, E> {
        let mut edge = Vec::new();
        for level in levels(size) {
            let (place, width) = right_edge(size, level);
            edge.push(if width > 0 {
                tile(place, width)?
            } else {
                Vec::new()
            });
        }
        Ok(Tree { size, edge })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of an entry; `full` gets every tile that becomes full.
    pub(super) fn push(&mut self, leaf: Hash, mut full: impl FnMut(Place, &[Hash])) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            if self.edge.len() <= usize::from(level) {
                self.edge.push(Vec::with_capacity(WIDTH as usize));
            }
            let Some(tile) = self.edge.get_mut(usize::from(level)) else {
                return;
            };
            tile.push(hash);
            if tile.len() < WIDTH as usize {
                return;
            }
            let (place, _) = right_edge(self.size - 1, level);
            full(place, tile);
            hash = subtree(tile);
            tile.clear();
        }
    }

    /// The rightmost tiles that are not full, those without a hash left out.
    pub(super) fn partial(&self) -> impl Iterator<Item = (Place, &[Hash])> {
        let tiles = (0_u8..).zip(&self.edge).filter(|(_, tile)| !tile.is_empty());
        tiles.map(|(level, tile)| (right_edge(self.size, level).0, tile.as_slice()))
    }

    /// The hash that stands for all entries.
    pub(super) fn root(&self) -> Hash {
        let mut root = None;
        for tile in &self.edge {
            // A tile of width 0b110 is a full subtree of four and, right of it, one of two.
            let mut rest = tile.as_slice();
            while !rest.is_empty() {
                let width = 1 << rest.len().trailing_zeros();
                let (left, right) = rest.split_at(rest.len() - width);
                let hash = subtree(right);
                root = Some(root.map_or(hash, |root| node_hash(hash, root)));
                rest = left;
            }
        }
        root.unwrap_or(EMPTY_HASH)
    }
}

/// Root of a full subtree; the number of hashes is a power of two.
fn subtree(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => EMPTY_HASH,
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(subtree(left), subtree(right))
        }
    }
}

/// Tile levels of a tree of this size.
pub(super) fn levels(size: u64) -> std::ops::Range<u8> {
    let bits = u8::try_from(u64::BITS - size.leading_zeros()).unwrap_or(64);
    0..bits.div_ceil(HEIGHT)
}

/// Place and width of the rightmost tile of a level; width 0 where all tiles of the level are full.
pub(super) fn right_edge(size: u64, level: u8) -> (Place, u64) {
    let hashes = size >> (u32::from(HEIGHT) * u32::from(level));
    ((level, hashes / WIDTH), hashes % WIDTH)
}

/// Path of a hash tile below the log's directory. The library writes the height into paths, as Go's sumdb does; C2SP
/// leaves it out.
pub(super) fn tile_path(place: Place, width: u64) -> String {
    tile(place, width, false).path().replacen("tile/8/", "tile/", 1)
}

/// Path of a bundle of entries.
pub(super) fn bundle_path(index: u64, width: u64) -> String {
    tile((0, index), width, true)
        .path()
        .replacen("tile/8/data/", "tile/entries/", 1)
}

fn tile((level, index): Place, width: u64, entries: bool) -> Tile {
    let width = u32::try_from(width.clamp(1, WIDTH)).unwrap_or(1);
    Tile::new(HEIGHT, level, index, width, entries)
}

/// What a path below the log's directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Tile(Place, u64),
    Bundle(u64, u64),
}

/// Inverse of [`tile_path`] and [`bundle_path`]. (The library's own panics on a width of 0 and on high levels.)
pub(super) fn parse_path(path: &str) -> Option<Named> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (digits, width) = match rest.split_once(".p/") {
        None => (rest, WIDTH),
        Some((digits, width)) => (
            digits,
            width.parse().ok().filter(|width| (1..WIDTH).contains(width))?,
        ),
    };
    let index = digits.split('/').try_fold(0_u64, |index, part| {
        let part: u64 = part.trim_start_matches('x').parse().ok()?;
        index.checked_mul(1000)?.checked_add(part)
    })?;
    let (named, written) = if kind == "entries" {
        (Named::Bundle(index, width), bundle_path(index, width))
    } else {
        let level = kind
            .parse()
            .ok()
            .filter(|level| *level < u64::BITS as u8 / HEIGHT)?;
        (
            Named::Tile((level, index), width),
            tile_path((level, index), width),
        )
    };
    // There is one way to write each.
    (written == path).then_some(named)
}

/// A tile's content.
pub(super) fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Inverse of [`tile_bytes`].
pub(super) fn tile_hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let chunks = bytes.chunks_exact(HASH_SIZE);
    if !chunks.remainder().is_empty() {
        return None;
    }
    chunks.map(|hash| hash.try_into().ok().map(Hash)).collect()
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;
    use std::collections::BTreeMap;
    use tlog_tiles::{Error, HashReader, record_hash, stored_hashes, tree_hash};

    struct Stored(Vec<Hash>);
    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
            Ok(indexes.iter().map(|&i| self.0[i as usize]).collect())
        }
    }

    #[test]
    fn roots_and_tiles_equal_those_of_the_library() {
        let mut tree = Tree::default();
        let mut stored = Stored(Vec::new());
        let mut tiles = BTreeMap::new();
        assert_eq!(tree.root(), tree_hash(0, &stored).unwrap());
        // 66,000 entries need three levels of tiles.
        for i in 0..66_000_u64 {
            let entry = i.to_le_bytes();
            stored.0.extend(stored_hashes(i, &entry, &stored).unwrap());
            tree.push(record_hash(&entry), |place, tile| {
                tiles.insert(place, tile.to_vec());
            });
            if i < 600 || i % 4096 < 2 || i > 65_990 {
                assert_eq!(tree.root(), tree_hash(i + 1, &stored).unwrap(), "{i}");
            }
        }
        tiles.extend(tree.partial().map(|(place, tile)| (place, tile.to_vec())));
        let expected = Tile::new_tiles(HEIGHT, 0, tree.size());
        assert_eq!(tiles.len(), expected.len());
        for tile in expected {
            let hashes = &tiles[&(tile.level(), tile.level_index())];
            assert_eq!(tile_bytes(hashes), tile.read_data(&stored).unwrap());
            assert_eq!(tile_hashes(&tile_bytes(hashes)).unwrap(), *hashes);
        }
        let edge: BTreeMap<_, _> = tree
            .partial()
            .map(|(place, tile)| (place, tile.to_vec()))
            .collect();
        let loaded = Tree::load(tree.size(), |place, width| {
            let tile = edge[&place].clone();
            assert_eq!(tile.len() as u64, width);
            Ok::<_, ()>(tile)
        });
        assert_eq!(loaded.unwrap().root(), tree.root());
    }

    #[test]
    fn paths_are_those_of_c2sp() {
        for (named, path) in [
            (Named::Tile((0, 0), 256), "tile/0/000"),
            (Named::Tile((1, 0), 3), "tile/1/000.p/3"),
            (Named::Tile((0, 1_234_067), 256), "tile/0/x001/x234/067"),
            (Named::Bundle(0, 256), "tile/entries/000"),
            (Named::Bundle(1000, 7), "tile/entries/x001/000.p/7"),
        ] {
            assert_eq!(parse_path(path), Some(named));
            let written = match named {
                Named::Tile(place, width) => tile_path(place, width),
                Named::Bundle(index, width) => bundle_path(index, width),
            };
            assert_eq!(written, path);
        }
        for bad in [
            "tile/8/0/000",
            "tile/data/000",
            "tile/0/000.p/0",
            "tile/0/0",
            "tile/0/000.p/256",
            "note",
            "tile/",
        ] {
            assert_eq!(parse_path(bad), None, "{bad}");
        }
    }
}
