//! The socket file: there while a server serves, gone when it stops.

use std::fs::{self, Permissions};
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream;
use tokio::net::UnixListener;
use tonic::transport::Server;
use tre_core::codes::{HOME_IO, Problem};
use tre_home::files::{FileError, PRIVATE_FILE};
use tre_home::layout::Layout;

use super::calls;
use crate::core::Core;

/// A socket that listens. Its file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    file: SocketFile,
}

#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, "the control socket could not be removed");
        }
    }
}

impl Socket {
    /// Listens in the home. Whoever calls holds the home's lock, so a socket that is there was left by a server that was
    /// killed. Needs the async runtime.
    ///
    /// # Errors
    /// When the operating system refuses; a path of more than about 100 bytes cannot name a socket.
    pub(crate) fn bind(layout: &Layout) -> Result<Socket, Problem> {
        let path = layout.control_socket();
        remove_stale(&path)?;
        let listener = UnixListener::bind(&path).map_err(FileError::on("listen on", &path))?;
        let file = SocketFile(path.clone());
        // Its directory is the owner's alone, so nobody came in before.
        fs::set_permissions(&path, Permissions::from_mode(PRIVATE_FILE))
            .map_err(FileError::on("set the mode of", &path))?;
        Ok(Socket { listener, file })
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    /// When the transport fails.
    pub(crate) async fn serve(self, core: Arc<Core>, stop: impl Future<Output = ()>) -> Result<(), Problem> {
        let Socket { listener, file } = self;
        let incoming = stream::unfold(listener, async |listener| {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        let serving = Server::builder()
            .add_service(calls::service(core))
            .serve_with_incoming_shutdown(incoming, stop);
        let served = serving.await;
        drop(file);
        served.map_err(|error| Problem::of(&HOME_IO, format!("the control socket failed: {error}")))
    }
}

fn remove_stale(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(FileError::on("remove", path)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_replaces_a_stale_one_and_goes_with_the_server() {
        let home = tempfile::tempdir().unwrap();
        let layout = Layout::new(home.path());
        fs::create_dir(layout.run()).unwrap();
        fs::write(layout.control_socket(), "left behind").unwrap();
        let socket = Socket::bind(&layout).unwrap();
        let mode = fs::metadata(layout.control_socket())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(socket);
        assert!(!layout.control_socket().exists());
    }
}
