//! tokio around fsm and wire; the threads that own tables and export groups.
//!
//! - `peer`: one task a peer. Frames, decodes, checks, runs the import filter, and hands batches to the table.
//! - `listen`: the listening sockets; an accepted connection goes to the peer whose address it has.
//! - `dynamic`: neighbours that are known by their range only.
//! - `tables`: a few threads, each owning some tables.
//! - `export`: threads that own export groups, read the journal, and encode into segments that members share.
//!
//! Waiting goes one way: a session waits for the table (a permit per batch in flight), the table waits for nobody.

pub mod clock;
mod conn;
pub mod dynamic;
mod encode;
pub mod export;
mod held;
mod intake;
pub mod limiter;
pub mod link;
pub mod listen;
pub mod liveness;
mod mailbox;
pub mod memory;
pub mod monitor;
pub mod mrt;
pub mod outbox;
pub mod pace;
pub mod peer;
#[doc(hidden)]
pub mod played;
mod received;
pub mod recovery;
pub mod sockopt;
pub mod status;
pub mod tables;
pub mod tcp_ao;
mod trace;
