//! The states of channels, as dialect 2 has them in the log (`debug channels { states }`).
//!
//! BIRD 2 gives each channel a life of its own beside that of the protocol. Nothing
//! here decides anything: what a channel has come to is read off it after each
//! step, and said when it is another state than before.

use super::{DebugMask, Task};
use crate::peer::{PeerChannel, PeerSpec};
use crate::status::ProtoState;
use route::options::Voice;

/// What a channel has come to, in BIRD's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::peer) enum Stage {
    #[default]
    Down,
    /// Routes are retained for a neighbour that restarts.
    Start,
    /// Nothing is told before our own restart is over.
    Up,
    Feeding,
    Ready,
    Flushing,
}

impl Stage {
    const fn word(self) -> &'static str {
        match self {
            Self::Down => "DOWN",
            Self::Start => "START",
            Self::Up => "UP",
            Self::Feeding => "UP/FEEDING",
            Self::Ready => "UP/READY",
            Self::Flushing => "FLUSHING",
        }
    }
}

/// A line about a channel, where channels speak.
pub(in crate::peer) fn trace(spec: &PeerSpec, channel: &PeerChannel, text: &str) {
    if spec.voice == Voice::Channels && channel.debug.has(DebugMask::STATES) {
        tracing::info!(target: "trace", "{}.{}: {text}", spec.name, channel.family.word());
    }
}

impl Task {
    /// Says which channels have come to another state.
    pub(super) fn follow_channels(&mut self) {
        let is_down = self.status.proto == ProtoState::Down;
        for channel in &mut self.channels {
            let stage = channel.stage(is_down);
            if std::mem::replace(&mut channel.said, stage) != stage {
                trace(&self.spec, &channel.spec, &format!("State changed to {}", stage.word()));
            }
        }
    }
}
