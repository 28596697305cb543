//! The loop of a worker, and the thread that it runs on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use prost::Message;
use sandbox_runner::{Channel, ChannelError, Frame};

use tre_core::codes::{self, Problem};
use tre_proto::worker::{MAX_FRAME, v1 as wire};

/// Stack of the thread that plans and runs: planners recurse over expressions. Only touched pages count.
const STACK_BYTES: usize = 64 << 20;

/// Most files that one message brings: the files of a grant.
const MAX_FILES: usize = 4096;

/// Enters the jail and answers requests until the channel ends.
///
/// `handle` gets each request with the files that came along and returns the response; `failed` makes a response of
/// what went wrong before or inside of it.
pub(crate) fn serve<Request, Response>(
    name: &str,
    mut handle: impl FnMut(Request, Frame) -> Response + Send,
    failed: impl Fn(Problem) -> Response + Send + Sync,
) -> ExitCode
where
    Request: Message + Default,
    Response: Message,
{
    let jailed = match sandbox_runner::enter() {
        Ok(jailed) => jailed,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut channel = jailed.channel;
    channel.set_limit(MAX_FRAME);
    let looped = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK_BYTES);
        let looped = thread.spawn_scoped(scope, || answer_all(&mut channel, &mut handle, &failed));
        looped.map(|thread| thread.join())
    });
    match looped {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        Ok(Ok(Err(error))) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
        Ok(Err(_)) | Err(_) => ExitCode::FAILURE,
    }
}

fn answer_all<Request, Response>(
    channel: &mut Channel,
    handle: &mut impl FnMut(Request, Frame) -> Response,
    failed: &impl Fn(Problem) -> Response,
) -> Result<(), ChannelError>
where
    Request: Message + Default,
    Response: Message,
{
    loop {
        let frame = match channel.receive_with_fds(MAX_FILES) {
            Ok(frame) => frame,
            Err(ChannelError::Closed) => return Ok(()),
            Err(error) => return Err(error),
        };
        let response = match Request::decode(frame.bytes.as_slice()) {
            // A panic in the engine ends the request, not the session.
            Ok(request) => catch_unwind(AssertUnwindSafe(|| handle(request, frame)))
                .unwrap_or_else(|_| failed(internal("a request made the worker panic"))),
            Err(error) => failed(internal(&format!("a request cannot be decoded: {error}"))),
        };
        channel.send(&response.encode_to_vec())?;
    }
}

/// A problem inside.
pub(crate) fn internal(what: &str) -> Problem {
    Problem::of(&codes::RUN_INTERNAL, what)
}

/// A problem as a message.
pub(crate) fn problem(problem: Problem) -> wire::Problem {
    wire::Problem {
        code: problem.code.id.to_owned(),
        what: problem.what,
        hint: problem.hint,
    }
}
