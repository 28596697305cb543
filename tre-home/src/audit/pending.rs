//! The pending file: entries that are durable but not yet in bundles and tiles.
//!
//! It is a sequence of frames, each written at once and synced before anyone hears that their entry is logged. A frame
//! carries the signed checkpoint of the log as it is with the frame's entries, so that these cannot be altered
//! afterwards either. Layout, numbers big-endian:
//!
//! `TREP` · u32 length of the body · u64 index of the first entry · first 16 bytes of the SHA-256 of these ·
//! body: u32 count, entries as in a bundle (u16 length, bytes), the checkpoint · SHA-256 of all before

use super::tiles::{push_entry, split_entries};
use crate::vault::sha256;

const MAGIC: &[u8; 4] = b"TREP";
const HEAD: usize = 4 + 4 + 8;
const HEAD_SUM: usize = 16;
const SUM: usize = 32;

/// Entries with the checkpoint after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) first: u64,
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) checkpoint: Vec<u8>,
}

impl Frame {
    /// Index after the last entry.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The frame's bytes; none where they would be more than 4 GiB.
    pub(super) fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut body = u32::try_from(self.entries.len()).ok()?.to_be_bytes().to_vec();
        for entry in &self.entries {
            push_entry(&mut body, entry)?;
        }
        body.extend(&self.checkpoint);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::try_from(body.len()).ok()?.to_be_bytes());
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(sha256(&bytes).split_at(HEAD_SUM).0);
        bytes.append(&mut body);
        bytes.extend(sha256(&bytes));
        Some(bytes)
    }
}

/// What the pending file holds.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) frames: Vec<Frame>,
    /// Length of the whole frames.
    pub(super) whole: u64,
    /// Whether a frame that was being written when the process ended follows. Nobody heard of its entries.
    pub(super) torn: bool,
}

/// Reads frames. A frame that is all there and does not check was not torn by a crash but altered: the error is the
/// index of its first entry, as far as that is known.
pub(super) fn scan(bytes: &[u8]) -> Result<Scan, Option<u64>> {
    let mut frames = Vec::new();
    let mut rest = bytes;
    loop {
        let known = frames.last().map(Frame::end);
        match next(rest) {
            Next::Frame(frame, after) => {
                frames.push(frame);
                rest = after;
            }
            Next::End | Next::Torn => {
                let torn = !rest.is_empty();
                return Ok(Scan {
                    frames,
                    whole: (bytes.len() - rest.len()) as u64,
                    torn,
                });
            }
            Next::Altered => return Err(known),
        }
    }
}

enum Next<'b> {
    Frame(Frame, &'b [u8]),
    End,
    Torn,
    Altered,
}

fn next(bytes: &[u8]) -> Next<'_> {
    if bytes.is_empty() {
        return Next::End;
    }
    let Some((head, rest)) = bytes.split_at_checked(HEAD + HEAD_SUM) else {
        return Next::Torn;
    };
    let Some((length, first)) = head_fields(head) else {
        return Next::Altered;
    };
    let Some((body, rest)) = rest.split_at_checked(length) else {
        return Next::Torn;
    };
    let Some((sum, after)) = rest.split_at_checked(SUM) else {
        return Next::Torn;
    };
    let (whole, _) = bytes.split_at(HEAD + HEAD_SUM + length);
    if sum != sha256(whole) {
        return Next::Altered;
    }
    match body_fields(body) {
        Some((entries, checkpoint)) => Next::Frame(
            Frame {
                first,
                entries,
                checkpoint,
            },
            after,
        ),
        None => Next::Altered,
    }
}

fn head_fields(head: &[u8]) -> Option<(usize, u64)> {
    let (fields, sum) = head.split_at_checked(HEAD)?;
    if sum != sha256(fields).split_at(HEAD_SUM).0 {
        return None;
    }
    let (length, first) = fields.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some((length, u64::from_be_bytes(first.try_into().ok()?)))
}

fn body_fields(body: &[u8]) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let (count, rest) = body.split_first_chunk::<4>()?;
    let (entries, checkpoint) = split_entries(rest, u64::from(u32::from_be_bytes(*count)))?;
    Some((
        entries.into_iter().map(<[u8]>::to_vec).collect(),
        checkpoint.to_vec(),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "tests fail by panicking"
    )]
    use super::*;

    fn frames() -> (Vec<Frame>, Vec<u8>) {
        let frame = |first, texts: &[&str]| Frame {
            first,
            entries: texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
            checkpoint: b"signed".to_vec(),
        };
        let frames = vec![frame(7, &["a", "", "ccc"]), frame(10, &["d"])];
        let bytes = frames
            .iter()
            .flat_map(|frame| frame.to_bytes().unwrap())
            .collect();
        (frames, bytes)
    }

    #[test]
    fn frames_read_back_and_a_torn_tail_is_told_from_an_alteration() {
        let (frames, bytes) = frames();
        let found = scan(&bytes).unwrap();
        assert_eq!(
            (found.frames, found.whole, found.torn),
            (frames.clone(), bytes.len() as u64, false)
        );
        let first = frames[0].to_bytes().unwrap().len();
        for cut in 0..bytes.len() {
            let found = scan(&bytes[..cut]).unwrap();
            let whole = if cut < first { 0 } else { first };
            assert_eq!(
                (found.whole, found.torn),
                (whole as u64, cut != whole),
                "cut at {cut}"
            );
        }
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 4;
            assert!(scan(&altered).is_err(), "byte {position}");
        }
    }
}
