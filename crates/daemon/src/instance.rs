//! A protocol instance: its configuration, its numbers, and what runs of it.
//!
//! An instance lives as long as its name is configured; what runs of it may be
//! stopped and started anew under the same numbers. The supervisor owns all
//! instances; everybody else sees a [`Seen`], cheap copies of the handles.

use crate::protocols::{
    AggregatorHandle, BfdHandle, BmpHandle, DeviceHandle, Diary, DirectHandle, KernelHandle, MrtHandle, PipeHandle,
    RoaPipeHandle, RpkiHandle, StaticHandle,
};
use crate::translate::ChannelIds;
use conf::config::{DebugMask, MrtMask, ProtocolConf};
use control::view::Kind;
use route::{Moment, ProtocolId};
use session::limiter::Restarts;
use session::peer::{PeerHandle, StopReason};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::task::JoinHandle;

/// What runs of an instance. Each handle is cheap to clone.
#[derive(Clone)]
pub enum Running {
    /// `protocol device`.
    Device(DeviceHandle),
    /// `protocol direct`.
    Direct(DirectHandle),
    /// `protocol kernel`.
    Kernel(KernelHandle),
    /// `protocol static`.
    Static(StaticHandle),
    /// `protocol bgp`.
    Bgp(PeerHandle),
    /// `protocol pipe`.
    Pipe(PipeHandle),
    /// `protocol pipe` between ROA tables.
    RoaPipe(RoaPipeHandle),
    /// `protocol bfd`.
    Bfd(BfdHandle),
    /// `protocol mrt`.
    Mrt(MrtHandle),
    /// `protocol rpki`.
    Rpki(RpkiHandle),
    /// `protocol bmp`.
    Bmp(BmpHandle),
    /// `protocol aggregator`.
    Aggregator(AggregatorHandle),
}

impl Running {
    /// Its kind, with BIRD's word.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Device(_) => Kind::Device,
            Self::Direct(_) => Kind::Direct,
            Self::Kernel(_) => Kind::Kernel,
            Self::Static(_) => Kind::Static,
            Self::Bgp(_) => Kind::Bgp,
            Self::Pipe(_) | Self::RoaPipe(_) => Kind::Pipe,
            Self::Bfd(_) => Kind::Bfd,
            Self::Mrt(_) => Kind::Mrt,
            Self::Rpki(_) => Kind::Rpki,
            Self::Bmp(_) => Kind::Bmp,
            Self::Aggregator(_) => Kind::Aggregator,
        }
    }

    /// Goes up; nothing happens when it is up already.
    pub fn begin(&self) {
        match self {
            Self::Device(p) => p.begin(),
            Self::Direct(p) => p.begin(),
            Self::Kernel(p) => p.begin(),
            Self::Static(p) => p.begin(),
            Self::Bgp(p) => p.start(),
            Self::Pipe(p) => p.begin(),
            Self::RoaPipe(p) => p.begin(),
            Self::Bfd(p) => p.begin(),
            Self::Mrt(p) => p.begin(),
            Self::Rpki(p) => p.begin(),
            Self::Bmp(p) => p.begin(),
            Self::Aggregator(p) => p.begin(),
        }
    }

    /// Which lines are wanted of single routes and of a session; tables are told themselves, the rest follows its
    /// [`Diary`].
    fn debug(&self, mask: DebugMask, conf: &ProtocolConf) {
        match self {
            Self::Kernel(p) => p.debug(mask, conf.channels.first().map(|c| c.debug).unwrap_or_default()),
            Self::Bgp(p) => {
                conf.channels.iter().for_each(|c| p.debug_channel(c.family, c.debug));
                p.debug(mask);
            }
            _ => {}
        }
    }

    /// Which MRT records are wanted of it; only sessions make some.
    pub fn mrtdump(&self, mask: MrtMask) {
        if let Self::Bgp(p) = self {
            p.mrtdump(mask);
        }
    }

    /// Goes down; the reason and the message are for a BGP neighbour. The future ends when that is done.
    pub async fn stop(&self, reason: StopReason, message: Option<Arc<str>>) {
        match self {
            Self::Device(p) => p.stop().await,
            Self::Direct(p) => p.stop().await,
            Self::Kernel(p) if reason == StopReason::GracefulRestart => p.leave().await,
            Self::Kernel(p) => p.stop().await,
            Self::Static(p) => p.stop().await,
            Self::Bgp(p) => p.stop(reason, message).await,
            Self::Pipe(p) => p.stop().await,
            Self::RoaPipe(p) => p.stop().await,
            Self::Bfd(p) => p.stop().await,
            Self::Mrt(p) => p.stop().await,
            Self::Rpki(p) => p.stop().await,
            Self::Bmp(p) => p.stop().await,
            Self::Aggregator(p) => p.stop().await,
        }
    }

    /// Begins to stop; who wants to wait for the end may.
    pub fn stop_soon(&self, reason: StopReason, message: Option<Arc<str>>) -> JoinHandle<()> {
        let this = self.clone();
        at_once(async move { this.stop(reason, message).await })
    }
}

/// Does work in a task, but its first step here: what it says first to a protocol comes before what that is told later.
pub fn at_once(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(()) => tokio::spawn(async {}),
        Poll::Pending => tokio::spawn(work),
    }
}

/// A protocol instance.
#[derive(Clone)]
pub struct Instance {
    /// Its number, for as long as it is configured.
    pub id: ProtocolId,
    /// Its configuration.
    pub conf: Arc<ProtocolConf>,
    /// Its channels, in the order of the configuration; of a pipe, the one into the peer table behind it.
    pub channels: Vec<ChannelIds>,
    /// The operator wants it up.
    pub enabled: bool,
    /// It was made for a configuration that runs once others have stopped, and begins then.
    pub held: bool,
    /// When the operator or the configuration last changed that; the `since` column of protocols without sessions.
    pub since: Moment,
    /// Given with the last `enable`, `disable` or `restart`.
    pub message: Option<Arc<str>>,
    /// Where it says what it does.
    pub diary: Diary,
    /// What runs.
    pub running: Running,
    /// By limits.
    pub restarts: Restarts,
    /// It was made for a neighbour that called, and is not in the configuration.
    pub caller: Option<Caller>,
}

/// Why there is an instance that is not in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The protocol in whose range the neighbour is; its options count.
    pub range_of: Arc<str>,
    /// The neighbour.
    pub remote: IpAddr,
    /// Our address.
    pub local: IpAddr,
    /// The link of a link-local neighbour.
    pub iface: Option<Arc<str>>,
}

impl Instance {
    /// Which lines are wanted from now on.
    pub fn debug(&self, mask: DebugMask) {
        self.diary.set_mask(mask);
        for channel in self.conf.channels.iter().chain(&self.conf.roa_channels) {
            let word = conf::channel_word(channel.family, channel.carries);
            let is_pipe = matches!(self.running, Running::Pipe(_) | Running::RoaPipe(_));
            let names = if is_pipe { &["pri", "sec"][..] } else { &[word] };
            names.iter().for_each(|name| self.diary.set_channel_mask(name, channel.debug));
        }
        self.running.debug(mask, &self.conf);
    }

    /// The name in the configuration: its own, or that of the protocol whose range it belongs to.
    pub fn configured_name(&self) -> &Arc<str> {
        self.caller.as_ref().map_or(&self.conf.name, |caller| &caller.range_of)
    }

    /// Whether it was told to go up.
    pub const fn is_begun(&self) -> bool {
        self.enabled && !self.held
    }
}

/// What answers need to know of an instance: a copy, taken when the question came.
pub type Seen = Instance;
