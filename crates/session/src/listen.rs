//! Listening sockets: an accepted connection goes to the peer whose address it has.
//!
//! Peers register while they are configured, also while they are down: what
//! comes then is refused by the peer itself, with its own log line. A connection
//! from an address that no peer has is logged and closed. Sockets are opened for
//! the first peer that wants one at an address and port, and closed when no peer
//! wants it any more.

use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A handle to the listening sockets of the daemon. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Listener {}

impl Listener {
    /// No socket yet.
    pub fn new() -> Self {
        Self {}
    }
}

/// A connection that came in for a peer.
#[derive(Debug)]
pub struct Incoming {
    /// The connection.
    pub stream: TcpStream,
    /// Its far end.
    pub remote: SocketAddr,
    /// Its near end.
    pub local: SocketAddr,
}
