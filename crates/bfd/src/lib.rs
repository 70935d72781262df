//! Bidirectional Forwarding Detection: RFC 5880, 5881 (one hop) and 5883 (several).
//!
//! Two halves. The *core* ([`packet`], [`auth`], [`session`]) has no clock, no
//! socket and no thread: octets and times go in, octets and deadlines come out.
//! The [`runner`] is one thread with its own timers and its own sockets, which
//! carries the core out. It shares no lock with tables, sessions or the control
//! socket, so that no packet is late because a table is busy; why it is a room
//! of its own says docs/adr/0004-bfd-is-a-room.md.
//!
//! Absent on purpose: the Echo function and Demand mode of our own (RFC 5880 6.4
//! and 6.6), which BIRD has not either. A neighbour in Demand mode is served.

pub mod auth;
pub mod packet;
pub mod runner;
pub mod session;

pub use auth::{Auth, Key, Method, Window};
pub use packet::{Diagnostic, Packet, State};
pub use session::{Micros, Options, Session};
