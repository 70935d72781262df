//! Lines about single routes go to the log from the thread that has them.
//!
//! Not by way of the protocol's task: its queue would hold them without bound
//! when a million routes are traced. The log has a bounded queue of its own, and
//! says what it could not take.

use rib::trace::Traces;

/// Says all that waits.
pub(crate) fn say(traces: &mut Traces) {
    if traces.is_empty() {
        return;
    }
    let (lines, dropped) = traces.take();
    for line in lines {
        tracing::info!(target: "trace", "{line}");
    }
    if dropped > 0 {
        tracing::info!(target: "trace", "... and {dropped} more");
    }
}
