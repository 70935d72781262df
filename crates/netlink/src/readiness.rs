//! Waiting for a netlink socket in tokio.

use netlink_sys::Socket;
use std::io;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Makes a socket non-blocking and gives it to the runtime of the calling task.
pub(crate) fn register(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    socket.set_non_blocking(true)?;
    #[expect(unsafe_code, reason = "tokio offers no safe way to wait for a file descriptor")]
    // SAFETY: the socket owns a valid descriptor, is moved into the AsyncFd, and nothing
    // here replaces or closes it before the AsyncFd is dropped.
    let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
    Ok(socket?)
}
