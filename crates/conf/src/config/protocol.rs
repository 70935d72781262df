//! A protocol instance: what all kinds have in common.

use super::{
    AggregatorConf, BfdConf, BgpConf, BmpConf, ChannelConf, DebugMask, DeviceConf, DirectConf, KernelConf, MrtConf,
    MrtMask, PipeConf, RpkiConf, StaticConf,
};
use filter::Span;
use route::Vrf;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// A protocol instance: what all have in common, and its own.
#[derive(Clone, Debug)]
pub struct ProtocolConf {
    /// Its name, given or automatic.
    pub name: Arc<str>,
    /// Where it is declared.
    pub span: Span,
    /// `disabled`.
    pub disabled: bool,
    /// `description`.
    pub description: Option<Arc<str>>,
    /// `router id`.
    pub router_id: Option<Ipv4Addr>,
    /// `restart time` (2): a limit that restarts it earlier than this after the last time disables it.
    pub restart_time: Option<Duration>,
    /// `vrf`; `None`: it has to do with all links.
    pub vrf: Option<Vrf>,
    /// `hostname`; `None`: that of all (2).
    pub hostname: Option<Arc<str>>,
    /// `debug`.
    pub debug: DebugMask,
    /// `mrtdump`.
    pub mrtdump: MrtMask,
    /// Its attachments to tables: none for device, one in 1.6, several in 2.
    pub channels: Vec<ChannelConf>,
    /// Its attachments to ROA and ASPA tables (2).
    pub roa_channels: Vec<ChannelConf>,
    /// What a protocol without a table says of one all the same: BIRD 1.6 shows it (device).
    pub idle_channel: Option<Box<ChannelConf>>,
    /// Its own options.
    pub kind: ProtocolKind,
}

impl ProtocolConf {
    /// A protocol without a name and without options.
    pub(crate) fn new(kind: ProtocolKind, debug: DebugMask, mrtdump: MrtMask) -> Self {
        Self {
            name: "".into(),
            span: Span::default(),
            disabled: false,
            description: None,
            router_id: None,
            restart_time: None,
            vrf: None,
            hostname: None,
            debug,
            mrtdump,
            channels: Vec::new(),
            roa_channels: Vec::new(),
            idle_channel: None,
            kind,
        }
    }
}

/// What each kind of protocol has of its own.
#[derive(Clone, Debug)]
pub enum ProtocolKind {
    /// `protocol device`.
    Device(DeviceConf),
    /// `protocol direct`.
    Direct(DirectConf),
    /// `protocol kernel`.
    Kernel(KernelConf),
    /// `protocol static`.
    Static(StaticConf),
    /// `protocol bgp`.
    Bgp(Box<BgpConf>),
    /// `protocol pipe`.
    Pipe(PipeConf),
    /// `protocol bfd`.
    Bfd(BfdConf),
    /// `protocol mrt`.
    Mrt(MrtConf),
    /// `protocol rpki`.
    Rpki(RpkiConf),
    /// `protocol bmp`.
    Bmp(BmpConf),
    /// `protocol aggregator`.
    Aggregator(AggregatorConf),
}

impl ProtocolConf {
    /// `restart time`, milliseconds; 0: none.
    pub fn restart_least_ms(&self) -> u64 {
        self.restart_time.map_or(0, |least| u64::try_from(least.as_millis()).unwrap_or(u64::MAX))
    }

    /// The tables that it has to do with beside those of its channels: `peer table`, `igp table`.
    pub fn other_tables(&self) -> impl Iterator<Item = &Arc<str>> {
        let own = match &self.kind {
            ProtocolKind::Pipe(pipe) => pipe.peer_table.as_ref(),
            ProtocolKind::Static(fixed) => fixed.igp_table4.as_ref(),
            _ => None,
        };
        let second = match &self.kind {
            ProtocolKind::Static(fixed) => fixed.igp_table6.as_ref(),
            _ => None,
        };
        let of_channels = self.channels.iter().filter_map(|c| c.bgp.as_ref());
        own.into_iter()
            .chain(second)
            .chain(of_channels.flat_map(|bgp| [bgp.igp_table4.as_ref(), bgp.igp_table6.as_ref()]).flatten())
    }
}
