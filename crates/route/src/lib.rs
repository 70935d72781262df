//! The words of routing: what every other room says to the others.
//!
//! Prefixes, AS paths, communities, attribute sets, next hops, interfaces,
//! sources, and time. Values only: no socket, clock, task, thread or log. What
//! stands here is what has the same meaning in a table, in a filter, on the
//! control socket and in the kernel; octets of messages are `wire`'s, text of
//! configurations is `conf`'s.

pub mod aigp;
pub mod aspa;
pub mod aspath;
pub mod attr;
pub mod attrs;
pub mod community;
pub mod hop;
pub mod iface;
pub mod net;
pub mod options;
pub mod roa;
pub mod role;
pub mod source;
pub mod tcp_ao;
pub mod time;
pub mod vrf;

pub use aspa::{AspaState, AspaTable, Customer};
pub use aspath::AsPath;
pub use attrs::{AttrSet, AttrSetBuilder};
pub use hop::{Carried, Dest, Hop, Resolved};
pub use iface::{IfIndex, Iface, IfaceAddr, Ifaces, Within};
pub use net::{Family, Prefix, Written};
pub use roa::{Kept, Roa, RoaChange, RoaChanged, RoaEntry, RoaLot, RoaOrigin, RoaState, RoaStep, RoaTable, RoaTables};
pub use role::Role;
pub use source::{BgpSource, ChannelId, ProtocolId, Source, SourceId, SourceKind, Speaker, TableId};
pub use time::Moment;
pub use vrf::Vrf;
