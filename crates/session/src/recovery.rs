//! Our own graceful restart (RFC 4724 4.1): who is still awaited, and until when.
//!
//! After a start with `-R` every peer that can restart gracefully holds a
//! [`Hold`] until its neighbour has told everything (End-of-RIB) or turned out
//! not to be able to. Nothing is told to such peers, and nothing is removed
//! from the kernel, before the last hold is dropped or the wait is over.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    over: bool,
    awaited: u32,
}

/// The restart of this daemon, shared by all who wait for its end. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recovery {
    progress: Arc<watch::Sender<Progress>>,
}

/// One protocol's part in the restart; dropping it says that the protocol has recovered.
#[derive(Debug)]
pub struct Hold {
    progress: Arc<watch::Sender<Progress>>,
}

impl Recovery {
    /// No restart is going on.
    pub fn none() -> Self {
        Self { progress: Arc::new(watch::Sender::new(Progress { over: true, awaited: 0 })) }
    }

    /// A restart begins; it is over when nobody is awaited, at the latest after `wait`.
    ///
    /// The holds must be taken before [`begin`](Self::begin) is awaited on.
    pub fn restarting() -> Self {
        Self { progress: Arc::new(watch::Sender::new(Progress::default())) }
    }

    /// Watches over the restart: ends it when the last hold is gone, or after `wait`. Logs its begin and end.
    pub async fn begin(self, wait: Duration) {
        if self.is_over() {
            return;
        }
        tracing::info!("Graceful restart started");
        let mut seen = self.progress.subscribe();
        let nobody = seen.wait_for(|p| p.awaited == 0);
        if tokio::time::timeout(wait, nobody).await.is_err() {
            tracing::info!("Graceful restart timeout");
        }
        tracing::info!("Graceful restart done");
        self.progress.send_modify(|p| p.over = true);
    }

    /// Takes part in the restart. `None` when it is over.
    pub fn hold(&self) -> Option<Hold> {
        let mut held = false;
        self.progress.send_if_modified(|p| {
            held = !p.over;
            p.awaited += u32::from(held);
            held
        });
        held.then(|| Hold { progress: Arc::clone(&self.progress) })
    }

    /// Whether there is nothing to wait for any more.
    pub fn is_over(&self) -> bool {
        self.progress.borrow().over
    }

    /// How many protocols are awaited.
    pub fn awaited(&self) -> u32 {
        self.progress.borrow().awaited
    }

    /// Ends when the restart is over.
    pub async fn over(&self) {
        let mut seen = self.progress.subscribe();
        let _ = seen.wait_for(|p| p.over).await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.progress.send_modify(|p| p.awaited = p.awaited.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_restart_is_over_when_nobody_is_awaited() {
        let recovery = Recovery::restarting();
        let (one, two) = (recovery.hold(), recovery.hold());
        let work = tokio::spawn(recovery.clone().begin(Duration::from_secs(3600)));
        drop(one);
        tokio::task::yield_now().await;
        assert_eq!((recovery.is_over(), recovery.awaited()), (false, 1));
        drop(two);
        recovery.over().await;
        work.await.unwrap();
        assert!(recovery.hold().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_is_over_after_the_wait_whoever_is_missing() {
        let recovery = Recovery::restarting();
        let missing = recovery.hold();
        let began = tokio::time::Instant::now();
        recovery.clone().begin(Duration::from_secs(240)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(240));
        assert!(recovery.is_over());
        drop(missing);
    }

    #[test]
    fn without_a_restart_nobody_waits() {
        assert!(Recovery::none().is_over());
        assert!(Recovery::none().hold().is_none());
    }
}
