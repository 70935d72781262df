//! `protocol pipe`: routes of one table in another.

use std::sync::Arc;

/// `protocol pipe`. `import` and `export` are seen from the table of its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeConf {
    /// `peer table`; in a finished configuration always there, and another one than the channel's.
    pub peer_table: Option<Arc<str>>,
    /// `mode`.
    pub mode: PipeMode,
    /// `max generation`: how many pipes a route may have passed, this one counted (2).
    pub pipes_max: u8,
}

impl Default for PipeConf {
    fn default() -> Self {
        Self { peer_table: None, mode: PipeMode::default(), pipes_max: 16 }
    }
}

/// `mode` of a pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PipeMode {
    /// The best route of each prefix, as the pipe's own.
    Opaque,
    /// Every route, under the protocol that gave it.
    #[default]
    Transparent,
}
