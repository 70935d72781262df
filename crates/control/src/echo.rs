//! `echo`: log lines for clients that asked for them.
//!
//! The log is written by every thread and must not wait for a client, so each
//! client has a bounded buffer: when it is full, lines are dropped and counted.
//! The lock is shared between the log and the clients by decision: it is held
//! for a push or a take, never while anything waits, and nobody takes it while
//! no client echoes.

use conf::config::{LogClass, LogClasses};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

/// Where the log hands over its lines. Cheap to clone, cheap to call when nobody echoes.
#[derive(Clone, Debug, Default)]
pub struct Echo(Arc<Hub>);

#[derive(Debug, Default)]
struct Hub {
    /// Every class that some client wants: the question asked for each log line.
    wanted: AtomicU16,
    listeners: Mutex<Vec<Weak<Buffer>>>,
}

#[derive(Debug)]
struct Buffer {
    classes: LogClasses,
    octets_max: usize,
    held: Mutex<Held>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Held {
    lines: VecDeque<String>,
    octets: usize,
    lost: u32,
}

/// One client's end: lines wait here until the client takes them. Dropping it ends the echo.
#[derive(Debug)]
pub(crate) struct Listener {
    hub: Echo,
    buffer: Arc<Buffer>,
}

/// A poisoned lock is taken all the same: what it guards is whole after every statement.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Echo {
    /// A line of the log, without time and class in front.
    pub fn line(&self, class: LogClass, text: &str) {
        if !LogClasses(self.0.wanted.load(Ordering::Relaxed)).has(class) {
            return;
        }
        held(&self.0.listeners).retain(|listener| match listener.upgrade() {
            Some(buffer) => {
                buffer.push(class, text);
                true
            }
            None => false,
        });
    }

    /// From now on lines of these classes are kept, up to so many octets.
    pub(crate) fn listen(&self, classes: LogClasses, octets_max: usize) -> Listener {
        let buffer = Arc::new(Buffer { classes, octets_max, held: Mutex::default(), filled: Notify::new() });
        held(&self.0.listeners).push(Arc::downgrade(&buffer));
        self.sum_up();
        Listener { hub: self.clone(), buffer }
    }

    fn sum_up(&self) {
        let listeners = held(&self.0.listeners);
        let all = listeners.iter().filter_map(Weak::upgrade).fold(0, |all, b| all | b.classes.0);
        self.0.wanted.store(all, Ordering::Relaxed);
    }
}

impl Buffer {
    fn push(&self, class: LogClass, text: &str) {
        if !self.classes.has(class) {
            return;
        }
        let mut held = held(&self.held);
        // The octets that the line takes on the socket: `+`, text, end.
        let octets = text.len() + 2;
        if held.octets + octets > self.octets_max {
            held.lost = held.lost.saturating_add(1);
        } else {
            held.octets += octets;
            held.lines.push_back(text.to_owned());
        }
        drop(held);
        self.filled.notify_one();
    }
}

impl Listener {
    /// Waits until [`take`](Self::take) has something.
    pub(crate) async fn filled(&self) {
        self.buffer.filled.notified().await;
    }

    /// What waits, ready for the socket.
    pub(crate) fn take(&self) -> String {
        let mut held = held(&self.buffer.held);
        let mut text = String::new();
        for line in held.lines.drain(..) {
            text.push('+');
            text.extend(line.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }));
            text.push('\n');
        }
        if held.lost > 0 {
            text.push_str(&format!("+<{} messages lost>\n", held.lost));
        }
        held.octets = 0;
        held.lost = 0;
        text
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let gone = Arc::as_ptr(&self.buffer);
        held(&self.hub.0.listeners).retain(|l| !std::ptr::eq(l.as_ptr(), gone));
        self.hub.sum_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_hears_the_classes_it_asked_for() {
        let echo = Echo::default();
        let listener = echo.listen(LogClasses::of(&[LogClass::Info, LogClass::Error]), 4096);
        echo.line(LogClass::Info, "one");
        echo.line(LogClass::Trace, "two");
        echo.line(LogClass::Error, "three\nforged");
        assert_eq!(listener.take(), "+one\n+three forged\n");
        assert_eq!(listener.take(), "");
    }

    #[test]
    fn a_client_that_does_not_read_loses_lines_and_is_told_how_many() {
        let echo = Echo::default();
        let listener = echo.listen(LogClasses::ALL, 10);
        for line in ["12345", "123", "12", "1"] {
            echo.line(LogClass::Info, line);
        }
        assert_eq!(listener.take(), "+12345\n+1\n+<2 messages lost>\n");
    }

    #[test]
    fn nobody_is_asked_when_nobody_listens() {
        let echo = Echo::default();
        let listener = echo.listen(LogClasses::of(&[LogClass::Info]), 4096);
        assert_eq!(echo.0.wanted.load(Ordering::Relaxed), LogClasses::of(&[LogClass::Info]).0);
        drop(listener);
        assert_eq!(echo.0.wanted.load(Ordering::Relaxed), 0);
        assert!(held(&echo.0.listeners).is_empty());
    }
}
