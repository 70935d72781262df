//! The mailbox of a thread that owns something: many send, one takes everything at once.
//!
//! Sending never blocks, and wakes the owner only when it sleeps. The mailbox
//! itself has no bound; what bounds each kind of message stands in `link`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Room for the deepest filter that may run, several times over. Only what is touched takes memory.
pub(crate) const STACK_OCTETS: usize = 8 << 20;

/// A queue with one owner.
pub(crate) struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
    wake: Condvar,
    /// Something waits that should not.
    urgent: AtomicBool,
}

/// How an owner waits for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nap {
    /// Not at all: there is other work.
    No,
    /// So long at most: something is to be looked at again of which nobody sends word.
    Short(Duration),
    /// Until there is one.
    Long,
}

struct Inner<T> {
    queue: Vec<T>,
    asleep: bool,
    closed: bool,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let inner = Inner { queue: Vec::new(), asleep: false, closed: false };
        Self { inner: Mutex::new(inner), wake: Condvar::new(), urgent: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in; drops it when the owner is told to end.
    pub(crate) fn push(&self, message: T) {
        let mut inner = self.lock();
        if inner.closed {
            return;
        }
        inner.queue.push(message);
        let asleep = std::mem::take(&mut inner.asleep);
        drop(inner);
        if asleep {
            self.wake.notify_one();
        }
    }

    /// The same for a message for which the owner should look up from its work.
    pub(crate) fn push_urgent(&self, message: T) {
        self.push(message);
        self.urgent.store(true, Ordering::Release);
    }

    /// Whether an urgent message may wait. Costs a load.
    pub(crate) fn is_urgent(&self) -> bool {
        self.urgent.load(Ordering::Acquire)
    }

    /// Tells the owner to end once it has taken what is there.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.asleep = false;
        drop(inner);
        self.wake.notify_one();
    }

    /// Takes all messages, after waiting for one as `nap` says. `false`: the mailbox is closed and empty.
    pub(crate) fn take(&self, nap: Nap, into: &mut Vec<T>) -> bool {
        // Before the messages are taken: one that comes later says so once more.
        self.urgent.store(false, Ordering::Release);
        let mut inner = self.lock();
        while nap != Nap::No && inner.queue.is_empty() && !inner.closed {
            inner.asleep = true;
            let Nap::Short(longest) = nap else {
                inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            inner = self.wake.wait_timeout(inner, longest).unwrap_or_else(PoisonError::into_inner).0;
            break;
        }
        inner.asleep = false;
        into.append(&mut inner.queue);
        !(inner.closed && into.is_empty())
    }
}

/// Runs the loop of an owner on a thread of its own.
///
/// A panic there is a bug of ours, and the thread owns what the daemon lives of:
/// the process ends with a message rather than go on half alive.
pub(crate) fn spawn(name: String, run: impl FnOnce() + Send + 'static) {
    let thread = name.clone();
    let guarded = move || {
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
            tracing::error!(target: "bug", "thread {thread} panicked");
            std::process::abort();
        }
    };
    if let Err(error) = std::thread::Builder::new().name(name.clone()).stack_size(STACK_OCTETS).spawn(guarded) {
        tracing::error!(target: "fatal", "Cannot start thread {name}: {error}");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn messages_come_in_order_and_the_last_ones_before_the_end() {
        let mailbox = Arc::new(Mailbox::new());
        let sender = {
            let mailbox = mailbox.clone();
            std::thread::spawn(move || {
                (0..1000).for_each(|n| mailbox.push(n));
                mailbox.close();
                mailbox.push(-1);
            })
        };
        let mut all = Vec::new();
        let mut some = Vec::new();
        while mailbox.take(Nap::Long, &mut some) {
            all.append(&mut some);
        }
        sender.join().unwrap();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }
}
