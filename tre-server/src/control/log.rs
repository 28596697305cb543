//! Calls about the audit log: it is handed out as it lies on the disk, in pieces, while others append to it. That it was, is an
//! entry of it.

use std::pin::Pin;
use std::sync::Arc;

use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tre_core::audit::Event;
use tre_core::codes::Problem;
use tre_home::audit::{AuditError, Entries, LogFile, LogFiles};
use tre_proto::v1;

use crate::authz::Action;
use crate::core::{Core, On};
use crate::fault::{Fault, status};
use crate::identity::Caller;

/// Pieces of an answer, as they come.
pub(super) type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A message of entries is sent when it has this many bytes; an entry has at most 65,535.
const FULL: usize = 256 << 10;
/// Pieces that wait for a slow reader.
const WAITING: usize = 4;

pub(super) async fn export(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ExportLogRequest,
) -> Result<Pieces<v1::LogEntries>, Fault> {
    let first = message.first;
    handed_out(core, caller, Action::ExportLog, first).await?;
    let directory = core.home.layout().audit();
    Ok(pieces(move || Ok(Messages(Entries::new(&directory, first)))))
}

pub(super) async fn copy(
    core: &Arc<Core>,
    caller: &Caller,
    _: v1::CopyLogRequest,
) -> Result<Pieces<v1::LogFile>, Fault> {
    handed_out(core, caller, Action::CopyLog, 0).await?;
    let directory = core.home.layout().audit();
    let file = |file: LogFile| v1::LogFile {
        path: file.path,
        content: file.content,
    };
    Ok(pieces(move || {
        LogFiles::of(&directory).map(|files| files.map(move |found| found.map(file)))
    }))
}

/// Asks whether the caller may have the log, and logs that they get it.
async fn handed_out(core: &Core, caller: &Caller, action: Action, first: u64) -> Result<(), Problem> {
    let _allowed = core.authorize(caller, action, On::Home).await?;
    core.audit(core.actor(caller, None), Event::LogExported { first })
        .await
}

/// Entries, several to a message.
struct Messages(Entries);

impl Iterator for Messages {
    type Item = Result<v1::LogEntries, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while bytes < FULL {
            match self.0.next() {
                Some(Ok(entry)) => {
                    bytes += entry.len();
                    entries.push(entry);
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        (!entries.is_empty()).then_some(Ok(v1::LogEntries { entries }))
    }
}

/// Reads on a thread that may block, as fast as the caller takes it, and no further once the caller is gone.
fn pieces<T, I>(begin: impl FnOnce() -> Result<I, AuditError> + Send + 'static) -> Pieces<T>
where
    T: Send + 'static,
    I: Iterator<Item = Result<T, AuditError>>,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let send =
            |piece: Result<T, AuditError>| sender.blocking_send(piece.map_err(|error| status(error.into())));
        let sent = match begin() {
            Ok(mut pieces) => pieces.try_for_each(send),
            Err(error) => send(Err(error)),
        };
        if sent.is_err() {
            tracing::debug!("whoever asked for the log went away");
        }
    });
    Box::pin(ReceiverStream::new(receiver))
}
