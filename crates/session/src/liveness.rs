//! Whether a neighbour lives, as another protocol finds out: BFD.
//!
//! Sessions ask a [`Watcher`] and hear when the neighbour is lost. Who watches,
//! and how, is the daemon's affair; [`Nobody`] watches nobody.

use route::IfIndex;
use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// A neighbour to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Its address.
    pub remote: IpAddr,
    /// Ours.
    pub local: IpAddr,
    /// The link between; `None`: there may be routers between.
    pub link: Option<IfIndex>,
    /// The device of the VRF in which it is watched, of a protocol that keeps to one.
    pub vrf: Option<IfIndex>,
}

/// What the watcher is to know of how a neighbour is to be watched; what that is, is its own affair.
#[derive(Clone)]
pub struct Manner(pub Arc<dyn Any + Send + Sync>);

impl PartialEq for Manner {
    /// The same one, not one like it.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Manner")
    }
}

/// A neighbour being watched; it is so until this is dropped.
pub struct Watch {
    /// How often the neighbour was lost since.
    pub losses: watch::Receiver<u32>,
    /// What ends the watching when it is dropped.
    pub guard: Box<dyn Send + Sync>,
}

/// Who watches neighbours. Asked from any thread; must not wait.
pub trait Watcher: Send + Sync {
    /// Begins to watch, in this manner if one is said.
    fn watch(&self, wanted: Wanted, manner: Option<&Manner>) -> Watch;
}

/// Watches nobody: no neighbour is ever lost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Watcher for Nobody {
    fn watch(&self, _: Wanted, _: Option<&Manner>) -> Watch {
        // The receiver hears that its sender is gone, which is no loss.
        Watch { losses: watch::channel(0).1, guard: Box::new(()) }
    }
}

/// Anybody who watches, shared.
pub type SharedWatcher = Arc<dyn Watcher>;
