//! The socket that speaks to birdc.
//!
//! A line comes in, is parsed by the grammar of bird.conf with the names of the
//! running configuration, and becomes a [`request::Request`] to the daemon. What
//! comes back is a value of [`view`], and a layout turns it into the text of the
//! release whose dialect is spoken. Between the two there is no trait to the
//! daemon: an enum and channels.
//!
//! ```text
//!   socket ─▶ line ─▶ command ─▶ Request ─▶ (queue, bounded) ─▶ daemon
//!   socket ◀─ frame ◀─ layout ◀─ view   ◀─ (answer, pages)  ◀─ daemon
//! ```
//!
//! One task a client. A client that does not read stops only its own task: pages
//! are asked for as its socket takes them.

pub mod code;
/// Every command of the control socket, in one table. The client compiles the same file.
pub mod commands;
pub mod echo;
pub mod frame;
pub mod layout;
pub mod order;
pub mod request;
pub mod routes;
pub mod server;
pub mod socket;
pub mod time;
pub mod view;

pub use echo::Echo;
pub use server::{Control, serve, serve_also};
