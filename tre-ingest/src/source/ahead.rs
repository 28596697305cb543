//! Decompression in a thread of its own, a few blocks ahead of whoever reads.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, sync_channel};

const BLOCK: usize = 256 << 10;
const BLOCKS: usize = 4;

/// A reader whose bytes come from another thread. The thread ends with the stream, or soon after this is dropped.
pub(super) struct ReadAhead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    at: usize,
    ended: bool,
}

impl ReadAhead {
    pub(super) fn new(mut inner: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, blocks) = sync_channel(BLOCKS);
        let read = move || {
            loop {
                let mut block = Vec::with_capacity(BLOCK);
                let read = inner.by_ref().take(BLOCK as u64).read_to_end(&mut block);
                // An empty block tells the end. What was read before an error is still good.
                let ended = block.is_empty();
                let gone = (read.is_ok() || !ended) && sender.send(Ok(block)).is_err();
                match read {
                    Ok(_) if ended || gone => return,
                    Ok(_) => {}
                    Err(error) => return drop(sender.send(Err(error))),
                }
            }
        };
        std::thread::Builder::new()
            .name("tre unpack".to_owned())
            .spawn(read)?;
        Ok(ReadAhead {
            blocks,
            block: Vec::new(),
            at: 0,
            ended: false,
        })
    }
}

impl Read for ReadAhead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() && !self.ended {
            let early = |_| io::Error::other("the unpacking thread ended early");
            (self.block, self.at) = (self.blocks.recv().map_err(early)??, 0);
            self.ended = self.block.is_empty();
        }
        let rest = self.block.get(self.at..).unwrap_or_default();
        let given = rest.len().min(out.len());
        out.split_at_mut(given).0.copy_from_slice(rest.split_at(given).0);
        self.at += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn gives_every_byte_and_then_the_error() {
        let bytes: Vec<u8> = (0..BLOCK * 3 + 17).map(|n| (n % 251) as u8).collect();
        let mut read = Vec::new();
        ReadAhead::new(io::Cursor::new(bytes.clone()))
            .unwrap()
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, bytes);

        struct Breaks(usize);
        impl Read for Breaks {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let given = self.0.min(out.len());
                self.0 -= given;
                if given == 0 {
                    Err(io::Error::other("cable"))
                } else {
                    Ok(given)
                }
            }
        }
        let mut read = Vec::new();
        let error = ReadAhead::new(Breaks(BLOCK + 5))
            .unwrap()
            .read_to_end(&mut read)
            .unwrap_err();
        assert_eq!((read.len(), error.to_string().as_str()), (BLOCK + 5, "cable"));
        assert!(
            ReadAhead::new(Breaks(BLOCK))
                .unwrap()
                .read_to_end(&mut read)
                .is_err()
        );
        assert!(ReadAhead::new(Breaks(0)).unwrap().read(&mut [0]).is_err());
    }
}
