//! Protocols that follow links and addresses: direct, static and BFD.
//!
//! Their state stands behind a lock that is held for a moment by whoever begins,
//! stops or reconfigures them, and by a task that wakes when links or addresses
//! change. So what `begin` has to tell is on its way to the table before it
//! returns, and the kernel protocol, begun after it, finds it there. A protocol with
//! a VRF is shown the links in it.

use super::Start;
use conf::config::ProtocolConf;
use route::{Ifaces, Vrf, vrf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// The state of such a protocol.
pub trait Follower: Send + 'static {
    /// Comes up and tells its routes.
    fn begin(&mut self, ifaces: &Arc<Ifaces>);
    /// Goes down with its routes.
    fn end(&mut self);
    /// Takes over new options. While down: for the next time.
    fn reconfigure(&mut self, conf: Arc<ProtocolConf>, ifaces: &Arc<Ifaces>);
    /// Links or addresses changed; means nothing while down.
    fn look(&mut self, ifaces: &Arc<Ifaces>);
}

/// A shared [`Follower`], cheap to clone.
pub struct Following<F> {
    state: Arc<Mutex<F>>,
    ifaces: watch::Receiver<Arc<Ifaces>>,
    /// Another one is another protocol: a reload makes it anew.
    vrf: Option<Vrf>,
}

impl<F> Clone for Following<F> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), ifaces: self.ifaces.clone(), vrf: self.vrf.clone() }
    }
}

impl<F: Follower> Following<F> {
    /// Starts the task that wakes it. The task ends when all handles are gone.
    pub fn spawn(state: F, start: &Start) -> Self {
        Self::spawn_woken(state, start, Arc::default())
    }

    /// Likewise; it looks at links and addresses also when it is woken.
    pub fn spawn_woken(state: F, start: &Start, wake: Arc<Notify>) -> Self {
        let state = Arc::new(Mutex::new(state));
        let ifaces = start.world.deps.ifaces.clone();
        let this = Self { state, ifaces, vrf: start.conf.vrf.clone() };
        let (weak, mut changes, of) = (Arc::downgrade(&this.state), this.ifaces.clone(), this.vrf.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() {
                        return;
                    },
                    () = wake.notified() => {}
                }
                let Some(state) = weak.upgrade() else { return };
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                // Under the lock, so that nobody who began it later is told older news.
                let now = vrf::seen(of.as_ref(), &changes.borrow_and_update());
                state.look(&now);
            }
        });
        this
    }

    /// The state, for a moment.
    pub fn lock(&self) -> MutexGuard<'_, F> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Links and addresses now, as it is shown them.
    pub fn ifaces(&self) -> Arc<Ifaces> {
        vrf::seen(self.vrf.as_ref(), &self.ifaces.borrow())
    }

    /// See [`Follower::begin`].
    pub fn begin(&self) {
        let mut state = self.lock();
        state.begin(&self.ifaces());
    }

    /// See [`Follower::reconfigure`].
    pub fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        let mut state = self.lock();
        state.reconfigure(conf, &self.ifaces());
    }
}
