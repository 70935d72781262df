//! A BGP peer that does what a test says: opens a session over TCP, sends anything, remembers what it is told.
//!
//! Plain blocking sockets and no state machine, so it can do what no right peer
//! would. It is for tests that run a whole daemon, rbird or another; whoever tests
//! a session in virtual time asks `fsm` instead. Every wait has an end and says
//! what it waited for.

pub mod peer;
pub mod told;

pub use peer::{Heard, Peer, PeerError};
pub use told::Told;
