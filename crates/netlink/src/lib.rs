//! Routes, links and addresses of the kernel, by rtnetlink.
//!
//! - [`Monitor`]: a task that publishes links and addresses as one snapshot,
//!   [`route::Ifaces`], whenever the kernel says that something changed.
//! - [`Reconciler`]: what we want in a kernel table against what is there, as a
//!   plain value: it hears wishes, a dump and results, and says which requests
//!   are left. It knows no socket and no clock.
//! - [`RouteSocket`]: carries requests out in batches and dumps a table.
//! - [`RouteNotices`]: what other programs do to the kernel's routes.
//!
//! ```text
//!  wanted routes ─► Reconciler ─► requests ─► RouteSocket ─► kernel
//!                       ▲  ▲ ▲──── results ───────┘            │
//!                       │  └─────── dump, at each scan ────────┤
//!                       └────────── RouteNotices ◄─────────────┘
//!  Ifaces ◄──────────────── Monitor ◄── links, addresses ◄─────┘
//! ```
//!
//! The octets of the kernel are read by a careful reader of our own (`message`),
//! because an attribute that a newer kernel has added must never make a link or
//! route invisible. This room knows kernel tables, not ours: no filter, no
//! journal, no protocol.

mod entries;
pub mod kernel_route;
pub mod learned;
pub mod links;
pub mod message;
pub mod monitor;
pub mod notices;
pub mod palette;
mod readiness;
pub mod reconcile;
pub mod route_message;
pub mod socket;

pub use entries::Spot;
pub use kernel_route::{KernelRoute, Metrics, SeenRoute};
pub use learned::Learned;
pub use links::{IfaceRules, LinkTable};
pub use monitor::Monitor;
pub use notices::{Notice, RouteNotices};
pub use palette::{Palette, RouteId};
pub use reconcile::{Reconciler, Request, Verb};
pub use socket::{BatchResult, RouteSocket};

/// An error number of the kernel, with the words that BIRD prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub i32);

impl std::fmt::Display for Errno {
    /// The words of `strerror`: `File exists`, `Invalid argument`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = std::io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or_default())
    }
}
