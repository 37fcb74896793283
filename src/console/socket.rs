//! The console's Unix socket, `<data dir>/console.sock`, for the command line. Only the
//! daemon's own user and root can open it, so requests need no token, and no other user can
//! pose as the daemon to obtain one.

use std::{
    any::Any,
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::{
        fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::dev::{Extensions, Server};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::listen::until_ending;

/// Between two tries to get the socket, which another daemon of the data directory may have.
const RETRY: Duration = Duration::from_secs(3);

/// Marks a connection that came by the socket, from a process of the daemon's own user or root.
#[derive(Clone, Copy)]
pub(super) struct TrustedPeer;

/// Waits until no other daemon has the socket, then serves until cancelled.
pub(super) async fn serve(
    path: PathBuf,
    ending: CancellationToken,
    server: impl Fn(UnixListener) -> io::Result<Server>,
) {
    let mut said = false;
    while !ending.is_cancelled() {
        match Held::take(&path) {
            Ok(Some((held, listener))) => {
                said = false;
                info!(socket = %path.display(), "the command line is listened to");
                let served = match server(listener) {
                    Ok(server) => until_ending(server, &ending).await,
                    Err(why) => Err(why),
                };
                drop(held);
                if let Err(why) = served {
                    error!(%why, "the socket of the command line ended; it is opened again");
                }
            }
            Ok(None) => debug!(socket = %path.display(), "another daemon of this data directory has the socket"),
            Err(why) if said => debug!(%why, "there is still no socket for the command line"),
            Err(why) => {
                said = true;
                warn!(%why, socket = %path.display(), "cannot open the command line's socket; it uses the console's address instead");
            }
        }
        let _ = ending.run_until_cancelled(tokio::time::sleep(RETRY)).await;
    }
}

/// Holds the lock beside the socket. A socket whose lock is free was left behind.
struct Held {
    path: PathBuf,
    _lock: File,
}

impl Held {
    /// `None` while another daemon holds it.
    fn take(path: &Path) -> io::Result<Option<(Self, UnixListener)>> {
        let mut options = OpenOptions::new();
        let lock = options.write(true).create(true).truncate(false).mode(0o600).open(path.with_extension("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Ok(None),
            Err(fs::TryLockError::Error(why)) => return Err(why),
        }
        remove(path)?;
        // Closed before it has the name by which it is found.
        let draft = path.with_extension("new");
        remove(&draft)?;
        let listener = UnixListener::bind(&draft)?;
        fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
        fs::rename(&draft, path)?;
        listener.set_nonblocking(true)?;
        Ok(Some((Self { path: path.to_owned(), _lock: lock }, listener)))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may be gone with the whole data directory.
        let _ = fs::remove_file(&self.path);
    }
}

/// A socket that was left behind; nothing else is removed.
fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is not a socket already has its name")),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(why) => Err(why),
    }
}

/// The mode of the socket says who may connect; the kernel's word on who did is asked all the same.
pub(super) fn mark_owner(connection: &dyn Any, extensions: &mut Extensions) {
    let Some(socket) = connection.downcast_ref::<actix_web::rt::net::UnixStream>() else { return };
    let own = nix::unistd::geteuid().as_raw();
    if socket.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0) {
        extensions.insert(TrustedPeer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> PathBuf {
        let dir = std::env::temp_dir().join(format!("paird-socket-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn a_socket_left_behind_is_replaced_and_a_held_one_is_not() {
        let dir = scratch();
        let path = dir.join("console.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "as after a kill");
        let (held, _listener) = Held::take(&path).unwrap().expect("nobody holds it");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        assert!(Held::take(&path).unwrap().is_none(), "two daemons have it");
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        drop(held);
        assert!(!path.exists());
        assert!(Held::take(&path).unwrap().is_some());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_file_that_is_not_a_socket_is_never_removed() {
        let dir = scratch();
        let path = dir.join("console.sock");
        fs::write(&path, "somebody's").unwrap();
        assert!(Held::take(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        fs::remove_dir_all(dir).unwrap();
    }
}
