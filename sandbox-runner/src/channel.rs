//! Frames of bytes, and file descriptors, between the server and one worker.
//!
//! A frame is a length (u32, big-endian) and that many bytes, over a stream socket of this machine. Descriptors ride
//! on the bytes of the length: up to [`FDS_PER_MESSAGE`] per system message, so up to [`FDS_PER_FRAME`] per frame.
//! A side receives them only in a call that asks for them, so a worker cannot fill the server's descriptor table.
//!
//! Calls block. The halves of [`Channel::split`] may be used from two threads at once.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::sys;

/// The most bytes of a frame's content unless [`Channel::set_limit`] says otherwise.
pub const DEFAULT_LIMIT: usize = 64 << 20;
/// Descriptors that travel in one system message.
pub const FDS_PER_MESSAGE: usize = 250;
/// Descriptors that one frame can carry: one message for each byte of its length.
pub const FDS_PER_FRAME: usize = LENGTH_BYTES * FDS_PER_MESSAGE;

const LENGTH_BYTES: usize = size_of::<u32>();
/// A frame's content is read in steps of this size, so a length that is only claimed costs no memory.
const STEP: usize = 256 << 10;

/// Why a frame could not be sent or received.
///
/// After `Truncated`, `Oversize` on receipt, `FdsRefused`, `Io`, or a `TimedOut` in the middle of a frame the place in
/// the stream is lost, and every later call on that half says `Broken`.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other side has closed between two frames, or is gone.
    #[error("the other side of the channel has closed")]
    Closed,
    /// The other side closed in the middle of a frame.
    #[error("the other side of the channel closed after {got} of {expected} bytes of a frame")]
    Truncated {
        /// Bytes that the frame should have had.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// The frame's content is longer than this side allows.
    #[error("a frame of {length} bytes exceeds the channel's limit of {limit} bytes")]
    Oversize {
        /// Bytes of the frame.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// More descriptors than one frame can carry; send several frames.
    #[error("a frame carries at most {FDS_PER_FRAME} file descriptors, not {0}; send several frames")]
    TooManyFds(usize),
    /// Descriptors came that were not asked for, or more than were, or more than this process may open.
    #[error("file descriptors came that this side did not ask for or cannot take (at most {allowed})")]
    FdsRefused {
        /// How many the call would have taken.
        allowed: usize,
    },
    /// The deadline passed.
    #[error("the other side of the channel did not answer in time")]
    TimedOut,
    /// An earlier error lost the place in the stream.
    #[error("the channel is unusable after an earlier error")]
    Broken,
    /// Any other failure of the socket.
    #[error("the channel failed")]
    Io(#[source] io::Error),
}

/// What one frame brought.
#[derive(Debug)]
pub struct Frame {
    /// The content.
    pub bytes: Vec<u8>,
    /// The descriptors, close-on-exec, in the order sent.
    pub fds: Vec<OwnedFd>,
}

/// Both halves of one end.
#[derive(Debug)]
pub struct Channel {
    sender: Sender,
    receiver: Receiver,
}

/// The half that sends.
#[derive(Debug)]
pub struct Sender {
    socket: Arc<UnixStream>,
    limit: usize,
    broken: bool,
}

/// The half that receives.
#[derive(Debug)]
pub struct Receiver {
    socket: Arc<UnixStream>,
    limit: usize,
    broken: bool,
    deadline: Option<Instant>,
    socket_timeout: Option<Duration>,
}

impl Channel {
    /// A channel over a connected stream socket.
    pub fn new(socket: UnixStream) -> Self {
        let socket = Arc::new(socket);
        Self {
            sender: Sender {
                socket: Arc::clone(&socket),
                limit: DEFAULT_LIMIT,
                broken: false,
            },
            receiver: Receiver {
                socket,
                limit: DEFAULT_LIMIT,
                broken: false,
                deadline: None,
                socket_timeout: None,
            },
        }
    }

    /// Two connected channels.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = UnixStream::pair()?;
        Ok((Self::new(one), Self::new(other)))
    }

    /// Sets the most bytes of content that this end sends and accepts; at most `u32::MAX`.
    pub fn set_limit(&mut self, bytes: usize) {
        self.sender.limit = bytes;
        self.receiver.limit = bytes;
    }

    /// See [`Sender::send`].
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.sender.send(bytes)
    }

    /// See [`Sender::send_with_fds`].
    pub fn send_with_fds(&mut self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), ChannelError> {
        self.sender.send_with_fds(bytes, fds)
    }

    /// See [`Receiver::receive`].
    pub fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        self.receiver.receive()
    }

    /// See [`Receiver::receive_with_fds`].
    pub fn receive_with_fds(&mut self, most: usize) -> Result<Frame, ChannelError> {
        self.receiver.receive_with_fds(most)
    }

    /// See [`Receiver::set_deadline`].
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.receiver.set_deadline(deadline);
    }

    /// The halves, for two threads. The other side sees `Closed` when both are dropped, or after [`Sender::close`].
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.sender.socket.as_fd()
    }
}

impl Sender {
    /// Sends one frame. `Oversize` sends nothing and leaves the channel usable.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.send_with_fds(bytes, &[])
    }

    /// Sends one frame with descriptors; the receiver gets duplicates. `Oversize` and `TooManyFds` send nothing.
    pub fn send_with_fds(&mut self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), ChannelError> {
        if self.broken {
            return Err(ChannelError::Broken);
        }
        let oversize = ChannelError::Oversize {
            length: bytes.len(),
            limit: self.limit,
        };
        let Ok(length) = u32::try_from(bytes.len()) else {
            return Err(oversize);
        };
        if bytes.len() > self.limit {
            return Err(oversize);
        }
        if fds.len() > FDS_PER_FRAME {
            return Err(ChannelError::TooManyFds(fds.len()));
        }
        let result = self.write_frame(length.to_be_bytes(), bytes, fds);
        self.broken = result.is_err();
        result
    }

    /// Closes both directions of this end at once, whoever still holds the other half.
    pub fn close(&self) {
        // Fails only on a socket that is closed already, which is what was asked for.
        let _already_closed = self.socket.shutdown(Shutdown::Both);
    }

    fn write_frame(
        &self,
        length: [u8; LENGTH_BYTES],
        bytes: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ChannelError> {
        let numbers: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
        let mut unsent = length.as_slice();
        for (numbers, byte) in numbers.chunks(FDS_PER_MESSAGE).zip(length.chunks(1)) {
            self.write(&[IoSlice::new(byte)], &[ControlMessage::ScmRights(numbers)])?;
            unsent = unsent.get(1..).unwrap_or_default();
        }
        let mut slices = [IoSlice::new(unsent), IoSlice::new(bytes)];
        let mut rest = slices.as_mut_slice();
        // Also drops slices that are empty from the start.
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let written = self.write(rest, &[])?;
            IoSlice::advance_slices(&mut rest, written);
        }
        Ok(())
    }

    fn write(&self, slices: &[IoSlice<'_>], control: &[ControlMessage<'_>]) -> Result<usize, ChannelError> {
        loop {
            // MSG_NOSIGNAL: a worker that died must be an error here, not a SIGPIPE in the server.
            match sendmsg::<()>(
                self.socket.as_raw_fd(),
                slices,
                control,
                MsgFlags::MSG_NOSIGNAL,
                None,
            ) {
                Ok(written) => return Ok(written),
                Err(error) => match io::Error::from(error) {
                    error if error.kind() == io::ErrorKind::Interrupted => {}
                    error => return Err(classify(error)),
                },
            }
        }
    }
}

impl Receiver {
    /// The next frame's content. Descriptors that come with it are discarded and are an error.
    pub fn receive(&mut self) -> Result<Vec<u8>, ChannelError> {
        self.receive_with_fds(0).map(|frame| frame.bytes)
    }

    /// The next frame, with at most `most` descriptors.
    pub fn receive_with_fds(&mut self, most: usize) -> Result<Frame, ChannelError> {
        if self.broken {
            return Err(ChannelError::Broken);
        }
        let mut begun = false;
        let result = self.read_frame(most, &mut begun);
        self.broken = match &result {
            Ok(_) | Err(ChannelError::Closed) => false,
            Err(ChannelError::TimedOut) => begun,
            Err(
                ChannelError::Truncated { .. }
                | ChannelError::Oversize { .. }
                | ChannelError::TooManyFds(_)
                | ChannelError::FdsRefused { .. }
                | ChannelError::Broken
                | ChannelError::Io(_),
            ) => true,
        };
        result
    }

    /// From `deadline` on, receiving fails with `TimedOut`; `None`: waits for ever.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    fn read_frame(&mut self, most: usize, begun: &mut bool) -> Result<Frame, ChannelError> {
        let mut fds = Vec::new();
        let mut length = [0; LENGTH_BYTES];
        let mut have = 0;
        while let Some(space) = length.get_mut(have..).filter(|space| !space.is_empty()) {
            let received = self.read(space, most > 0)?;
            fds.extend(received.fds);
            if received.fds_lost || fds.len() > most {
                return Err(ChannelError::FdsRefused { allowed: most });
            }
            match (received.bytes, have) {
                (0, 0) => return Err(ChannelError::Closed),
                (0, got) => {
                    return Err(ChannelError::Truncated {
                        expected: LENGTH_BYTES,
                        got,
                    });
                }
                (bytes, _) => have += bytes,
            }
            *begun = true;
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(ChannelError::Oversize {
                length,
                limit: self.limit,
            });
        }
        let bytes = self.read_content(length)?;
        Ok(Frame { bytes, fds })
    }

    fn read_content(&mut self, length: usize) -> Result<Vec<u8>, ChannelError> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let have = bytes.len();
            bytes.resize(length.min(have.saturating_add(STEP)), 0);
            let received = self.read(bytes.get_mut(have..).unwrap_or_default(), false)?;
            if received.fds_lost {
                return Err(ChannelError::FdsRefused { allowed: 0 });
            }
            if received.bytes == 0 {
                return Err(ChannelError::Truncated {
                    expected: length,
                    got: have,
                });
            }
            bytes.truncate(have.saturating_add(received.bytes));
        }
        Ok(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], want_fds: bool) -> Result<sys::Received, ChannelError> {
        loop {
            self.arm_timeout()?;
            match sys::receive(&self.socket, buffer, want_fds) {
                Ok(received) => return Ok(received),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(classify(error)),
            }
        }
    }

    /// The socket's own timeout counts from each call, so it is set to what is left before each.
    fn arm_timeout(&mut self) -> Result<(), ChannelError> {
        let left = match self.deadline {
            None => None,
            Some(deadline) => match deadline.saturating_duration_since(Instant::now()) {
                Duration::ZERO => return Err(ChannelError::TimedOut),
                left => Some(left),
            },
        };
        if left != self.socket_timeout {
            self.socket.set_read_timeout(left).map_err(ChannelError::Io)?;
            self.socket_timeout = left;
        }
        Ok(())
    }
}

/// A reset is how a socket of this machine says that the peer died with something unread.
fn classify(error: io::Error) -> ChannelError {
    if matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    ) {
        ChannelError::Closed
    } else if error.kind() == io::ErrorKind::WouldBlock {
        ChannelError::TimedOut
    } else {
        ChannelError::Io(error)
    }
}
