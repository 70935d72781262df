//! The protocols other than BGP: device, direct, static, kernel, pipes between tables, BFD, dumps of tables, monitoring stations, and aggregators.
//!
//! Each is made with its configuration, its numbers, its [`Diary`] and the
//! [`World`], and gives a handle that is cheap to clone. All handles have the same
//! verbs: `begin` lets it go up, `stop` takes it down and its routes back,
//! `reconfigure` takes over new options.

mod aggregator;
mod authority;
mod bfd;
mod bmp;
mod channel;
mod device;
mod diary;
mod direct;
mod follow;
mod kernel;
#[cfg(test)]
mod lab;
mod mrt;
mod pattern;
mod pipe;
mod policy;
mod roa_pipe;
mod rpki;
mod sight;
mod statics;
#[cfg(test)]
mod stories;

pub use aggregator::AggregatorHandle;
pub use bfd::{BfdHandle, Desk};
pub use bmp::BmpHandle;
pub use channel::resolved;
pub use device::{DeviceHandle, Standing};
pub use diary::Diary;
pub use direct::DirectHandle;
pub use kernel::{KernelHandle, Limited};
pub use mrt::MrtHandle;
pub use pattern::means;
pub use pipe::PipeHandle;
pub use policy::judged;
pub use roa_pipe::RoaPipeHandle;
pub use rpki::RpkiHandle;
pub use statics::StaticHandle;

use crate::translate::ChannelIds;
use crate::world::World;
use conf::config::ProtocolConf;
use route::ProtocolId;
use std::sync::Arc;

/// What every protocol is started with.
#[derive(Clone)]
pub struct Start {
    /// Its number.
    pub id: ProtocolId,
    /// Its configuration; the kind matches.
    pub conf: Arc<ProtocolConf>,
    /// The numbers of its channels, in the order of `conf.channels`.
    pub channels: Vec<ChannelIds>,
    /// Where it says what it does.
    pub diary: Diary,
    /// What all share.
    pub world: World,
}
