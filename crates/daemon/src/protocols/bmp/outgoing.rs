//! What neighbours are told, for a station (RFC 8671).
//!
//! For each channel of a session the station is a member of an export group beside
//! the neighbour: by the neighbour's own key for what it is told, and by one without
//! a filter for what it would be told then. So it is fed what stands, then
//! End-of-RIB, then changes, in the very messages, and when it is slow it misses
//! nothing but what was over before it could read it. Nothing of this costs anything
//! while no station wants it.

use super::queue::{Feeder, Item};
use bmp::{Peer, View};
use conf::config::BmpConf;
use filter::Policy;
use rib::batch::Limit;
use rib::export::{GroupKey, MemberId, MemberSpec};
use route::{ChannelId, ProtocolId};
use session::export::Exports;
use session::monitor::MonitoredOut;
use session::outbox::Outbox;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many octets wait for a station, of what one neighbour is told in a family, before its group holds back.
const OCTETS_MAX: usize = 1 << 20;
/// So many are taken at once.
const TAKE_OCTETS: usize = 64 * 1024;

/// Routes of a channel, with or without its export filter.
pub(super) type Stream = (ChannelId, View);

/// See the head of this file. Lives as long as a connection.
pub(super) struct Outgoing {
    exports: Exports,
    views: Vec<View>,
    streams: BTreeMap<Stream, Out>,
}

/// A place in an export group.
struct Out {
    protocol: ProtocolId,
    member: MemberId,
    limit: Option<Limit>,
    outbox: Arc<Outbox>,
}

impl Outgoing {
    pub(super) fn new(exports: Exports, conf: &BmpConf) -> Self {
        let wanted = [(conf.out_pre_policy, View::OutPrePolicy), (conf.out_post_policy, View::OutPostPolicy)];
        let views = wanted.into_iter().filter_map(|(wants, view)| wants.then_some(view)).collect();
        Self { exports, views, streams: BTreeMap::new() }
    }

    /// A neighbour is told routes in this way from now on.
    pub(super) fn follow(&mut self, told: &MonitoredOut, feeder: &Feeder) {
        for view in &self.views {
            let stream = (told.spec.channel, *view);
            let (key, spec) = seen(*view, told);
            let limit = spec.export_limit;
            match self.streams.get_mut(&stream) {
                Some(out) => {
                    if std::mem::replace(&mut out.limit, limit) != limit {
                        self.exports.set_limit(out.member, limit);
                    }
                    self.exports.rekey(out.member, key);
                }
                None => {
                    let feeder = feeder.clone();
                    let outbox = Outbox::with_bell(OCTETS_MAX, Box::new(move || feeder.put(Item::Out(stream))));
                    let member = self.exports.mirror(told.table, key, spec, Arc::clone(&outbox));
                    self.streams.insert(stream, Out { protocol: told.spec.protocol, member, limit, outbox });
                }
            }
        }
    }

    /// Puts what waits into messages, but not more than others can wait for.
    pub(super) fn put(&self, stream: Stream, peer: impl Fn(ProtocolId) -> Option<Peer>, at_us: u64, out: &mut Vec<u8>) {
        let Some(waits) = self.streams.get(&stream) else { return };
        let mut pieces = Vec::new();
        let more = waits.outbox.take(TAKE_OCTETS, &mut pieces);
        if let Some(peer) = peer(waits.protocol) {
            pieces.iter().for_each(|piece| bmp::put_updates(out, &peer, stream.1, at_us, piece));
        }
        if more {
            waits.outbox.ring();
        }
    }

    /// A session is over.
    pub(super) fn forget(&mut self, protocol: ProtocolId) {
        let (gone, rest) = std::mem::take(&mut self.streams).into_iter().partition(|(_, out)| out.protocol == protocol);
        self.streams = rest;
        self.leave(gone);
    }

    fn leave(&self, streams: BTreeMap<Stream, Out>) {
        for out in streams.into_values() {
            self.exports.leave(out.member);
            out.outbox.close();
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let all = std::mem::take(&mut self.streams);
        self.leave(all);
    }
}

/// By what the station is told, and what is its own in that.
fn seen(view: View, told: &MonitoredOut) -> (Arc<GroupKey>, MemberSpec) {
    let spec = told.spec.clone();
    match view {
        View::OutPrePolicy => {
            let key = GroupKey { policy: Policy::Accept, ..GroupKey::clone(&told.key) };
            (Arc::new(key), MemberSpec { export_limit: None, ..spec })
        }
        _ => (Arc::clone(&told.key), spec),
    }
}
