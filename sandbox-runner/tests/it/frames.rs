//! Frames and descriptors arrive as they were sent, and a hostile peer gets no further than a typed error.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use sandbox_runner::{Channel, ChannelError, DEFAULT_LIMIT, FDS_PER_FRAME, FDS_PER_MESSAGE};

/// A channel, and the bare socket at its other end.
fn half() -> (Channel, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Channel::new(ours), theirs)
}

#[test]
fn frames_arrive_whole_and_in_order() {
    let (mut one, mut other) = Channel::pair().unwrap();
    let frames = [vec![], vec![0], vec![7; 255], vec![8; 70_000], vec![9; 3 << 20]];
    let sent = frames.clone();
    let sending = thread::spawn(move || {
        for frame in &sent {
            one.send(frame).unwrap();
        }
    });
    for frame in &frames {
        assert!(other.receive().unwrap() == *frame);
    }
    sending.join().unwrap();
    assert!(matches!(other.receive(), Err(ChannelError::Closed)));
    assert!(
        matches!(other.receive(), Err(ChannelError::Closed)),
        "closed stays closed"
    );
}

#[test]
fn a_frame_is_its_length_and_its_bytes() {
    let (mut channel, mut socket) = half();
    channel.send(b"abc").unwrap();
    let mut bytes = [0; 7];
    socket.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"\0\0\0\x03abc");
    socket.write_all(b"\0\0\0\x02xy\0\0\0\0").unwrap();
    assert_eq!(channel.receive().unwrap(), b"xy");
    assert_eq!(channel.receive().unwrap(), b"");
}

#[test]
fn bytes_may_arrive_one_by_one() {
    let (mut channel, mut socket) = half();
    let sending = thread::spawn(move || {
        for byte in b"\0\0\0\x04slow" {
            socket.write_all(&[*byte]).unwrap();
        }
    });
    assert_eq!(channel.receive().unwrap(), b"slow");
    sending.join().unwrap();
}

#[test]
fn a_length_over_the_limit_is_refused_before_anything_is_allocated() {
    for length in [u32::MAX, u32::try_from(DEFAULT_LIMIT).unwrap() + 1] {
        let (mut channel, mut socket) = half();
        socket.write_all(&length.to_be_bytes()).unwrap();
        let error = channel.receive().unwrap_err();
        assert!(
            matches!(
                error,
                ChannelError::Oversize {
                    limit: DEFAULT_LIMIT,
                    ..
                }
            ),
            "{error}"
        );
        assert!(matches!(channel.receive(), Err(ChannelError::Broken)));
    }
}

#[test]
fn the_limit_holds_exactly_and_in_both_directions() {
    let (mut one, mut other) = Channel::pair().unwrap();
    one.set_limit(10);
    one.send(&[1; 10]).unwrap();
    assert!(matches!(
        one.send(&[1; 11]),
        Err(ChannelError::Oversize {
            length: 11,
            limit: 10
        })
    ));
    one.send(b"still usable").unwrap_err();
    one.send(b"usable").unwrap();
    assert_eq!(other.receive().unwrap(), [1; 10]);
    assert_eq!(other.receive().unwrap(), b"usable");
    other.send(&[2; 10]).unwrap();
    other.send(&[2; 11]).unwrap();
    assert_eq!(one.receive().unwrap(), [2; 10]);
    assert!(matches!(
        one.receive(),
        Err(ChannelError::Oversize {
            length: 11,
            limit: 10
        })
    ));
}

#[test]
fn a_frame_that_breaks_off_is_told_from_a_close() {
    let cases: [(&[u8], usize, usize); 3] =
        [(b"\0\0", 4, 2), (b"\0\0\0\x05", 5, 0), (b"\0\0\0\x05abc", 5, 3)];
    for (bytes, expected, got) in cases {
        let (mut channel, mut socket) = half();
        socket.write_all(bytes).unwrap();
        drop(socket);
        match channel.receive() {
            Err(ChannelError::Truncated { expected: e, got: g }) => assert_eq!((e, g), (expected, got)),
            other => panic!("{bytes:?}: {other:?}"),
        }
        assert!(matches!(channel.receive(), Err(ChannelError::Broken)));
    }
}

#[test]
fn sending_to_nobody_is_closed_and_no_signal() {
    let (mut channel, socket) = half();
    drop(socket);
    assert!(matches!(channel.send(b"x"), Err(ChannelError::Closed)));
    // A peer that dies with something unread resets the connection.
    let (mut channel, socket) = half();
    channel.send(b"never read").unwrap();
    drop(socket);
    assert!(matches!(channel.receive(), Err(ChannelError::Closed)));
}

#[test]
fn a_deadline_between_frames_leaves_the_channel_usable_and_one_within_does_not() {
    let (mut channel, mut socket) = half();
    channel.set_deadline(Some(Instant::now() + Duration::from_millis(20)));
    assert!(matches!(channel.receive(), Err(ChannelError::TimedOut)));
    channel.set_deadline(None);
    socket.write_all(b"\0\0\0\x01x").unwrap();
    assert_eq!(channel.receive().unwrap(), b"x");
    // However slowly a peer drips, the deadline is one for the whole frame.
    socket.write_all(b"\0\0\0\x09drip").unwrap();
    channel.set_deadline(Some(Instant::now() + Duration::from_millis(20)));
    assert!(matches!(channel.receive(), Err(ChannelError::TimedOut)));
    channel.set_deadline(None);
    assert!(matches!(channel.receive(), Err(ChannelError::Broken)));
}

#[test]
fn halves_work_at_the_same_time() {
    let (one, other) = Channel::pair().unwrap();
    let ((mut sender, mut receiver), (mut echo_sender, mut echo_receiver)) = (one.split(), other.split());
    let echo = thread::spawn(move || {
        while let Ok(bytes) = echo_receiver.receive() {
            echo_sender.send(&bytes).unwrap();
        }
    });
    let reading = thread::spawn(move || (0..50).all(|_| receiver.receive().unwrap().len() == 100_000));
    for _ in 0..50 {
        sender.send(&[5; 100_000]).unwrap();
    }
    assert!(reading.join().unwrap());
    sender.close();
    echo.join().unwrap();
}

#[test]
fn descriptors_arrive_in_order_and_close_on_exec() {
    let (mut one, mut other) = Channel::pair().unwrap();
    let files: Vec<File> = ["/proc/self/comm", "/dev/null", "/dev/zero"]
        .map(|path| File::open(path).unwrap())
        .into();
    let fds: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    one.send_with_fds(b"three", &fds).unwrap();
    one.send(b"none").unwrap();
    let frame = other.receive_with_fds(3).unwrap();
    assert_eq!(
        (frame.bytes.as_slice(), frame.fds.len()),
        (b"three".as_slice(), 3)
    );
    for (sent, received) in files.iter().zip(&frame.fds) {
        let identity = |fd: BorrowedFd<'_>| nix::sys::stat::fstat(fd).map(|s| (s.st_dev, s.st_ino)).unwrap();
        assert_eq!(identity(sent.as_fd()), identity(received.as_fd()));
        assert_eq!(
            fcntl(received, FcntlArg::F_GETFD).unwrap(),
            FdFlag::FD_CLOEXEC.bits()
        );
    }
    let frame = other.receive_with_fds(3).unwrap();
    assert_eq!((frame.bytes.as_slice(), frame.fds.len()), (b"none".as_slice(), 0));
}

#[test]
fn many_descriptors_need_no_care() {
    let null = File::open("/dev/null").unwrap();
    for count in [
        0,
        1,
        FDS_PER_MESSAGE,
        FDS_PER_MESSAGE + 1,
        2 * FDS_PER_MESSAGE + 50,
    ] {
        for bytes in [0, 1, 100] {
            let (mut one, mut other) = Channel::pair().unwrap();
            let fds = vec![null.as_fd(); count];
            one.send_with_fds(&vec![3; bytes], &fds).unwrap();
            one.send(b"next").unwrap();
            // Duplicates of one file only when more could not be open at once.
            let frame = other.receive_with_fds(FDS_PER_FRAME).unwrap();
            assert_eq!((frame.bytes.len(), frame.fds.len()), (bytes, count));
            assert_eq!(other.receive().unwrap(), b"next");
        }
    }
}

#[test]
fn more_descriptors_than_a_frame_can_carry_are_refused_unsent() {
    let (mut one, mut other) = Channel::pair().unwrap();
    let null = File::open("/dev/null").unwrap();
    let fds = vec![null.as_fd(); FDS_PER_FRAME + 1];
    assert!(
        matches!(one.send_with_fds(b"", &fds), Err(ChannelError::TooManyFds(count)) if count == fds.len())
    );
    one.send(b"fine").unwrap();
    assert_eq!(other.receive().unwrap(), b"fine");
}

/// A worker must not be able to fill the server's table of open files.
#[test]
fn descriptors_that_nobody_asked_for_are_refused() {
    let null = File::open("/dev/null").unwrap();
    for (sent, asked) in [(1, 0), (250, 0), (3, 2), (251, 250)] {
        let (mut one, mut other) = Channel::pair().unwrap();
        one.send_with_fds(b"x", &vec![null.as_fd(); sent]).unwrap();
        match other.receive_with_fds(asked) {
            Err(ChannelError::FdsRefused { allowed }) => assert_eq!(allowed, asked),
            outcome => panic!("{sent} for {asked}: {outcome:?}"),
        }
        assert!(matches!(other.receive(), Err(ChannelError::Broken)));
    }
}
