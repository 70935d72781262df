//! `protocol kernel`: the face that the supervisor uses; engineer G fills it.

use super::Start;
use conf::config::ProtocolConf;
use std::sync::Arc;

/// A running `kernel` protocol. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct KernelHandle {}

impl KernelHandle {
    /// Makes it; it is down until [`begin`](Self::begin). Must be called inside the runtime.
    pub fn spawn(start: Start) -> Self {
        let _ = start;
        Self {}
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {}

    /// Goes down and takes its routes back (kernel: unless `persist`). The future ends when that is done.
    pub async fn stop(&self) {}

    /// Takes over new options; routes that stay the same are not touched.
    pub async fn reconfigure(&self, conf: Arc<ProtocolConf>) {
        let _ = conf;
    }
}

impl KernelHandle {
    /// Export counters, and how many routes are exported now.
    pub fn stats(&self) -> (rib::stats::ExportStats, u32) {
        Default::default()
    }

    /// Whether the kernel refused the best route of this prefix (` !`).
    pub fn is_refused(&self, net: &route::Prefix) -> bool {
        let _ = net;
        false
    }

    /// `show route export|noexport|preexport kernel1`: for each path of each net what the export makes of it; `None`: no candidate.
    pub fn judge(&self, nets: &[rib::query::NetView]) -> Vec<Vec<Option<control::view::Exported>>> {
        let _ = nets;
        Vec::new()
    }

    /// `reload`: scans at once and judges all routes anew.
    pub fn reload(&self) {}
}
