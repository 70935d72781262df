//! The RPKI to router protocol (RFC 6810, RFC 8210, draft-ietf-sidrops-8210bis): what a router says to a cache server.
//!
//! No socket, clock or log: octets and moments go into a [`Session`], what is to
//! be done comes out of it as [`Act`]s. Nothing that a cache server sends counts
//! before its End of Data, so nobody sees half of a change. Why messages are read
//! here and not by a library is said in `docs/adr`.

mod answer;
mod options;
mod pdu;
mod session;

pub use answer::ROAS_MAX;
pub use options::{Interval, Options, check_interval};
pub use pdu::{Fault, OCTETS_MAX, Pdu, Times, decode, frame};
pub use session::{Act, Session, State, Topic};
