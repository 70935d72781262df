//! systemd: readiness, the watchdog, and the word before the end.
//!
//! The watchdog is fed only after every kind of thread has answered: the
//! supervisor, the owners of tables, and the owners of export groups. One that
//! hangs keeps the word back, and systemd starts us anew. Without systemd all of
//! this does nothing.

use control::request::Request;
use rib::export::MemberId;
use sd_notify::NotifyState;
use session::peer::Deps;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The configuration stands and the sockets are open.
pub fn ready() {
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status("routing")]);
}

/// The end has begun.
pub fn stopping() {
    let _ = sd_notify::notify(&[NotifyState::Stopping, NotifyState::Status("shutting down")]);
}

/// Feeds the watchdog for as long as everybody answers. Ends at once where no watchdog is asked for.
pub async fn watchdog(requests: mpsc::Sender<Request>, deps: Deps) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let pause = limit / 3;
    loop {
        if tokio::time::timeout(limit, everybody_answers(&requests, &deps)).await == Ok(true) {
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
        tokio::time::sleep(pause.max(Duration::from_millis(10))).await;
    }
}

async fn everybody_answers(requests: &mpsc::Sender<Request>, deps: &Deps) -> bool {
    // The answer needs the supervisor and the owner of every table.
    let (answer, answered) = oneshot::channel();
    if requests.send(Request::Memory(answer)).await.is_err() || answered.await.is_err() {
        return false;
    }
    // A member that never was: the question goes to the owner of groups all the same.
    let _ = deps.exports.stats(MemberId(u32::MAX)).await;
    true
}
