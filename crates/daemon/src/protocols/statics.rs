//! `protocol statics`: the face that the supervisor uses; engineer G fills it.

use super::Start;
use conf::config::ProtocolConf;
use std::sync::Arc;

/// A running `statics` protocol. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct StaticHandle {}

impl StaticHandle {
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

impl StaticHandle {
    /// The routes in the order of the file, with those that are dormant.
    pub fn rows(&self) -> Vec<control::view::StaticRow> {
        Vec::new()
    }
}
