//! The socket file: claimed at start, given back at stop.
//!
//! A file that nobody answers behind was left by a daemon that died and is
//! replaced; one that somebody answers behind means that another daemon runs.
//! Done before the daemon goes to the background, so the operator sees the
//! refusal, and before privileges are dropped, so the file gets its owner.

use socket2::{Domain, SockAddr, Socket, Type};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// Readable and writable for owner and group: who may connect may command.
const MODE: u32 = 0o660;

/// A listening socket and its file.
#[derive(Debug)]
pub struct Bound {
    listener: UnixListener,
    file: SocketFile,
}

/// The file of a socket, with what makes it ours.
#[derive(Clone, Debug)]
pub struct SocketFile {
    path: PathBuf,
    mark: (u64, u64, i64, i64),
}

/// Device, inode and time of making: inodes alone are given again.
fn mark(found: &fs::Metadata) -> (u64, u64, i64, i64) {
    (found.dev(), found.ino(), found.mtime(), found.mtime_nsec())
}

/// Why there is no socket.
#[derive(Debug)]
pub enum Refused {
    /// Somebody answers there.
    AnotherRuns,
    /// The system says no.
    System(PathBuf, io::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnotherRuns => f.write_str("I found another BIRD running."),
            Self::System(path, error) => {
                write!(f, "Cannot create control socket {}: {}", path.display(), words(error))
            }
        }
    }
}

impl std::error::Error for Refused {}

/// The system's words for an error, without Rust's ` (os error 2)`.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// Makes the socket at a path, owned by a user and group when they are given.
pub fn bind(path: &Path, uid: Option<u32>, gid: Option<u32>) -> Result<Bound, Refused> {
    let system = |error| Refused::System(path.to_owned(), error);
    clear(path)?;
    let listener = UnixListener::bind(path).map_err(system)?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(system)?;
    if uid.is_some() || gid.is_some() {
        chown(path, uid, gid).map_err(system)?;
    }
    let found = fs::symlink_metadata(path).map_err(system)?;
    let file = SocketFile { path: path.to_owned(), mark: mark(&found) };
    listener.set_nonblocking(true).map_err(system)?;
    Ok(Bound { listener, file })
}

/// Makes room: removes a socket that nobody listens behind. Other kinds of file are left alone, and `bind` will say so.
fn clear(path: &Path) -> Result<(), Refused> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Ok(());
    }
    match knock(path) {
        Ok(_) => Err(Refused::AnotherRuns),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|e| Refused::System(path.to_owned(), e))
        }
        // A full backlog: somebody is there, and busy.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(Refused::AnotherRuns),
        Err(error) => Err(Refused::System(path.to_owned(), error)),
    }
}

/// Connects without waiting: a daemon that hangs, its backlog full, must not hold up who asks.
fn knock(path: &Path) -> io::Result<()> {
    let caller = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    caller.connect(&SockAddr::unix(path)?)
}

impl Bound {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The file alone, to be removed at the end.
    pub fn file(&self) -> SocketFile {
        self.file.clone()
    }

    /// Closes the socket and removes its file.
    pub fn remove(self) {
        self.file.remove();
    }

    pub(crate) fn into_listener(self) -> UnixListener {
        self.listener
    }
}

impl SocketFile {
    /// Removes the file unless another daemon has put its own in its place.
    pub fn remove(self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|found| mark(&found) == self.mark);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::error!("Cannot remove control socket {}: {}", self.path.display(), words(&error));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rbird-socket-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn socket(&self) -> PathBuf {
            self.0.join("bird.ctl")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_live_socket_is_refused_and_a_stale_one_replaced() {
        let folder = Folder::new("live");
        let first = bind(&folder.socket(), None, None).unwrap();
        let refused = bind(&folder.socket(), None, None).unwrap_err();
        assert_eq!(refused.to_string(), "I found another BIRD running.");
        drop(first);
        assert!(folder.socket().exists(), "left behind as by a kill");
        bind(&folder.socket(), None, None).unwrap().remove();
        assert!(!folder.socket().exists());
    }

    #[test]
    fn a_daemon_that_hears_nobody_holds_up_nobody() {
        let folder = Folder::new("deaf");
        let address = SockAddr::unix(folder.socket()).unwrap();
        let socket = || Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).unwrap();
        let deaf = socket();
        deaf.bind(&address).unwrap();
        deaf.listen(0).unwrap();
        let waiting = socket();
        waiting.connect(&address).unwrap();
        assert_eq!(socket().connect(&address).unwrap_err().kind(), ErrorKind::WouldBlock, "its backlog is full");
        assert!(matches!(bind(&folder.socket(), None, None), Err(Refused::AnotherRuns)));
    }

    #[test]
    fn the_file_is_for_owner_and_group_only() {
        let folder = Folder::new("mode");
        let bound = bind(&folder.socket(), None, None).unwrap();
        assert_eq!(fs::metadata(bound.path()).unwrap().permissions().mode() & 0o777, 0o660);
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let folder = Folder::new("file");
        fs::write(folder.socket(), "precious").unwrap();
        let refused = bind(&folder.socket(), None, None).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!("Cannot create control socket {}: Address already in use", folder.socket().display())
        );
        assert_eq!(fs::read_to_string(folder.socket()).unwrap(), "precious");
    }

    #[test]
    fn the_file_of_a_successor_is_not_removed() {
        let folder = Folder::new("successor");
        let first = bind(&folder.socket(), None, None).unwrap();
        let file = first.file();
        drop(first);
        // Kept under another name, so that its inode is not given to the second.
        fs::rename(folder.socket(), folder.0.join("first")).unwrap();
        let second = bind(&folder.socket(), None, None).unwrap();
        file.remove();
        assert!(second.path().exists());
    }
}
