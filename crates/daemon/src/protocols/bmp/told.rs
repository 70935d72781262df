//! What a station has been told: which sessions stand, and whose routes a table's are.

use super::outgoing::Outgoing;
use super::queue::{Feeder, Item};
use super::standing::Standing;
use super::statistics::Counted;
use bmp::{Down, Opened, Peer, Routes, View};
use conf::config::BmpConf;
use rib::batch::{ChangeBatch, ChangeRow, NetId, Path};
use rib::export::MemberId;
use route::{ChannelId, Moment, Prefix, ProtocolId, TableId};
use session::clock::Clock;
use session::export::Exports;
use session::link::Delivery;
use session::monitor::{Ended, SessionUp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A table that must be read for the station from now on.
pub(super) type Wanted = TableId;

/// See the head of this file. Lives as long as a connection.
pub(super) struct Told {
    name: Arc<str>,
    post_policy: bool,
    clock: Clock,
    sessions: BTreeMap<ProtocolId, Known>,
    streams: HashMap<ChannelId, Stream>,
    /// The tables that are read, and whether all that stood in them has come.
    tables: BTreeMap<TableId, bool>,
    outgoing: Outgoing,
    /// Where what comes of its own wishes shall go.
    feeder: Feeder,
}

/// A session that stands.
struct Known {
    peer: Peer,
    session: Arc<SessionUp>,
    /// As which members of export groups the neighbour is told routes.
    members: BTreeMap<ChannelId, MemberId>,
}

/// The routes of a session in a table.
struct Stream {
    protocol: ProtocolId,
    table: TableId,
    routes: Routes,
    standing: Standing,
    /// What it is, for lines of the log.
    name: String,
    /// The station knows that all that stood has been told.
    synced: bool,
}

/// What is to be said of an item beside octets.
#[derive(Default)]
pub(super) struct Said {
    pub(super) states: Option<String>,
    pub(super) packets: Vec<String>,
    pub(super) tables: Vec<Wanted>,
}

impl Told {
    pub(super) fn new(name: &Arc<str>, conf: &BmpConf, clock: Clock, exports: Exports, feeder: Feeder) -> Self {
        Self {
            name: Arc::clone(name),
            post_policy: conf.post_policy,
            clock,
            sessions: BTreeMap::new(),
            streams: HashMap::new(),
            tables: BTreeMap::new(),
            outgoing: Outgoing::new(exports, conf),
            feeder,
        }
    }

    /// The sessions that the station knows.
    pub(super) fn sessions(&self) -> Vec<Counted> {
        let counted = |k: &Known| Counted { session: Arc::clone(&k.session), members: k.members.clone() };
        self.sessions.values().map(counted).collect()
    }

    fn peer(&self, protocol: ProtocolId) -> Option<Peer> {
        self.sessions.get(&protocol).map(|known| known.peer)
    }

    /// Turns what happened into messages.
    pub(super) fn put(&mut self, item: &Item, out: &mut Vec<u8>) -> Said {
        match item {
            Item::Up { session, fresh } => self.up(session, *fresh, out),
            Item::Update(session, message) => {
                if let Some(peer) = self.peer(session.protocol) {
                    bmp::put_update(out, &peer, View::InPrePolicy, now_us(), message);
                }
                Said::default()
            }
            Item::Tells(session, told) => {
                if let Some(known) = self.sessions.get_mut(&session.protocol) {
                    known.members.insert(told.spec.channel, told.member);
                    self.outgoing.follow(told, &self.feeder);
                }
                Said::default()
            }
            Item::Out(stream) => {
                self.outgoing.put(*stream, |protocol| self.peer(protocol), now_us(), out);
                Said::default()
            }
            Item::Statistics(session, counters, rows) => {
                if let Some(peer) = self.peer(session.protocol) {
                    bmp::put_statistics(out, &peer, now_us(), *counters, rows);
                }
                Said::default()
            }
            Item::Down(session, ended) => self.down(session, ended, out),
            Item::Table(_, Delivery::Changes(batch)) => {
                self.changes(batch, out);
                Said::default()
            }
            Item::Table(_, Delivery::Feed(batch)) => {
                self.page(batch, out);
                Said::default()
            }
            Item::Table(table, Delivery::FeedDone) => self.fed(*table, out),
        }
    }

    fn up(&mut self, session: &Arc<SessionUp>, fresh: bool, out: &mut Vec<u8>) -> Said {
        let mut said = Said { states: Some(format!("Peer up for {}", session.name)), ..Said::default() };
        let peer = Peer { addr: session.peer_addr, asn: session.peer_as, router_id: session.peer_id, as4: session.as4 };
        let opened = Opened {
            local_addr: session.local_addr,
            local_port: session.local_port,
            remote_port: session.remote_port,
            sent: &session.sent,
            received: &session.received,
        };
        bmp::put_peer_up(out, &peer, &opened);
        let known = Known { peer, session: Arc::clone(session), members: BTreeMap::new() };
        self.sessions.insert(session.protocol, known);
        for channel in session.channels.iter().filter(|_| self.post_policy) {
            let fed = *self.tables.entry(channel.table).or_insert_with(|| {
                said.tables.push(channel.table);
                false
            });
            let mut stream = Stream {
                protocol: session.protocol,
                table: channel.table,
                routes: Routes::new(peer, channel.family, channel.add_path_rx),
                standing: Standing::new(channel.add_path_rx),
                name: format!("{}.{}", session.name, channel.family.word()),
                synced: false,
            };
            // It begins with no routes, and what comes is told as it comes.
            if fresh && fed {
                stream.end_of_rib(&self.name, &mut said, out);
            }
            self.streams.insert(channel.channel, stream);
        }
        said
    }

    fn down(&mut self, session: &Arc<SessionUp>, ended: &Ended, out: &mut Vec<u8>) -> Said {
        let Some(Known { peer, .. }) = self.sessions.remove(&session.protocol) else { return Said::default() };
        let down = match ended {
            Ended::Notified(message) => Down::Notified(message),
            Ended::Silently(event) => Down::Silently(*event),
            Ended::WasNotified(message) => Down::WasNotified(message),
            Ended::Lost => Down::Lost,
        };
        bmp::put_peer_down(out, &peer, down);
        self.streams.retain(|_, stream| stream.protocol != session.protocol);
        self.outgoing.forget(session.protocol);
        Said { states: Some(format!("Peer down for {}", session.name)), ..Said::default() }
    }

    /// All that stood in a table has come.
    fn fed(&mut self, table: TableId, out: &mut Vec<u8>) -> Said {
        let mut said = Said::default();
        self.tables.insert(table, true);
        for stream in self.streams.values_mut().filter(|s| s.table == table && !s.synced) {
            stream.end_of_rib(&self.name, &mut said, out);
        }
        said
    }

    /// What changed.
    fn changes(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) {
        let mut touched = BTreeSet::new();
        for each in &batch.each {
            let path = each.path.and_then(|index| batch.paths.get(index as usize));
            // A path that went from one kind to another is gone for the station.
            self.path(batch, (each.id, each.net), each.source, path, &mut touched, out);
        }
        self.finish(&touched, out);
    }

    /// What stands at some prefixes, also at such as have nothing any more.
    fn page(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) {
        let mut touched = BTreeSet::new();
        for row in &batch.rows {
            for path in batch.paths_of(row) {
                self.path(batch, (row.id, row.net), path.source, Some(path), &mut touched, out);
            }
            self.withdraw_others(batch, row, &mut touched, out);
        }
        self.finish(&touched, out);
    }

    fn path(
        &mut self,
        batch: &ChangeBatch,
        (id, net): (NetId, Prefix),
        source: u32,
        path: Option<&Path>,
        touched: &mut BTreeSet<ChannelId>,
        out: &mut Vec<u8>,
    ) {
        // Routes that came through a pipe, or of other protocols, are of no channel of a session.
        let Some(channel) = batch.channels.get(source as usize) else { return };
        let Some(stream) = self.streams.get_mut(channel) else { return };
        let Some(source) = batch.sources.get(source as usize) else { return };
        let attrs = path.and_then(|path| batch.palette.get(path.attrs as usize));
        let at_us = path.map_or_else(now_us, |path| since_us(self.clock, path.since));
        let outcome = stream.routes.put(net, source.path_id, attrs, at_us, out);
        complain(&self.name, outcome);
        stream.standing.set(id, source.path_id, path.is_some());
        touched.insert(*channel);
    }

    /// Takes back what the station has been told of a prefix beside what stands there.
    fn withdraw_others(
        &mut self,
        batch: &ChangeBatch,
        row: &ChangeRow,
        touched: &mut BTreeSet<ChannelId>,
        out: &mut Vec<u8>,
    ) {
        for (channel, stream) in self.streams.iter_mut().filter(|(_, stream)| stream.table == batch.table) {
            let paths = batch.paths_of(row).iter().map(|path| path.source as usize);
            let own = paths.filter(|source| batch.channels.get(*source) == Some(channel));
            let known: Vec<u32> = own.filter_map(|source| batch.sources.get(source)).map(|s| s.path_id).collect();
            for path_id in stream.standing.others(row.id, &known) {
                complain(&self.name, stream.routes.put(row.net, path_id, None, now_us(), out));
                stream.standing.set(row.id, path_id, false);
                touched.insert(*channel);
            }
        }
    }

    fn finish(&mut self, touched: &BTreeSet<ChannelId>, out: &mut Vec<u8>) {
        for channel in touched {
            if let Some(stream) = self.streams.get_mut(channel) {
                complain(&self.name, stream.routes.finish(now_us(), out));
            }
        }
    }
}

impl Stream {
    fn end_of_rib(&mut self, name: &str, said: &mut Said, out: &mut Vec<u8>) {
        complain(name, self.routes.end_of_rib(now_us(), out));
        said.packets.push(format!("Sending END-OF-RIB for {}", self.name));
        self.synced = true;
    }
}

fn complain(name: &str, outcome: Result<(), Prefix>) {
    if let Err(net) = outcome {
        tracing::warn!("{name}: Cannot encode update for {net}");
    }
}

/// Microseconds since 1970.
fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX))
}

/// When a moment was, in microseconds since 1970.
fn since_us(clock: Clock, moment: Moment) -> u64 {
    now_us().saturating_sub(clock.now().since_ms(moment).saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::super::queue::Gauge;
    use super::*;
    use rib::batch::ResolvedHop;
    use route::attrs::Local;
    use route::{AttrSet, Dest, Family, Resolved, Source, SourceId, SourceKind};
    use session::monitor::MonitoredChannel;
    use session::tables::Tables;

    const TABLE: TableId = TableId(1);
    const CHANNEL: ChannelId = ChannelId(2);

    fn told() -> Told {
        let clock = Clock::new();
        let tables = Tables::start(1, clock, Arc::new(|_, _| ()));
        let exports = Exports::start(1, tables, clock, Arc::new(|_, _| ()));
        let (feeder, _) = Feeder::new(Arc::<Gauge>::default());
        let conf = BmpConf { post_policy: true, ..BmpConf::default() };
        Told::new(&"station".into(), &conf, clock, exports, feeder)
    }

    fn session() -> Arc<SessionUp> {
        let addr = "192.0.2.1".parse().unwrap();
        Arc::new(SessionUp {
            protocol: ProtocolId(3),
            name: "p1".into(),
            peer_addr: addr,
            peer_as: 65002,
            peer_id: 1,
            as4: true,
            local_addr: addr,
            local_port: 179,
            remote_port: 179,
            sent: Vec::new(),
            received: Vec::new(),
            channels: vec![MonitoredChannel {
                family: Family::Ipv4,
                channel: CHANNEL,
                table: TABLE,
                add_path_rx: false,
            }],
        })
    }

    /// What stands at 10.1.N.0/24, by whether it has a path.
    fn page(nets: &[(u8, bool)]) -> Delivery {
        let mut attrs = route::AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Unreachable));
        attrs.set(route::attr::code::ORIGIN, &[0]);
        attrs.set(route::attr::code::AS_PATH, &[]);
        attrs.set(route::attr::code::NEXT_HOP, &[192, 0, 2, 1]);
        let set: AttrSet = attrs.build();
        let path = |i: u32| Path {
            source: 0,
            attrs: 0,
            hop: 0,
            stale: false,
            suppressed: false,
            pipes: 0,
            since: Moment(u64::from(i)),
        };
        let row = |(i, (n, has)): (usize, &(u8, bool))| ChangeRow {
            id: NetId(u32::from(*n)),
            net: format!("10.1.{n}.0/24").parse().unwrap(),
            paths: i as u32..i as u32 + u32::from(*has),
            unmoved: 0,
        };
        Delivery::Feed(Arc::new(ChangeBatch {
            table: TABLE,
            seq: 1,
            palette: vec![set],
            hops: vec![ResolvedHop { to: Resolved::Unreachable, igp_metric: None, recursive: false }],
            sources: vec![Arc::new(Source::of_protocol(SourceId(5), ProtocolId(3), "p1".into(), SourceKind::Bgp))],
            channels: vec![CHANNEL],
            rows: nets.iter().enumerate().map(row).collect(),
            paths: (0..nets.len() as u32).map(path).collect(),
            each: Vec::new(),
        }))
    }

    #[test]
    fn a_station_that_reads_slowly_hears_what_went_meanwhile() {
        let mut told = told();
        let mut out = Vec::new();
        told.put(&Item::Up { session: session(), fresh: false }, &mut out);
        told.put(&Item::Table(TABLE, page(&[(1, true), (2, true)])), &mut out);
        // It fell behind: of what changed since then it is given what stands now.
        let mut catch_up = |nets: &[(u8, bool)]| {
            let mut out = Vec::new();
            told.put(&Item::Table(TABLE, page(nets)), &mut out);
            out
        };
        let withdrawn = [&[0, 4][..], &[24, 10, 1, 1], &[0, 0]].concat();
        let octets = catch_up(&[(1, false), (2, true), (3, false)]);
        assert_eq!(octets.windows(withdrawn.len()).filter(|part| **part == withdrawn).count(), 1);
        assert_eq!(catch_up(&[(1, false), (3, false)]), [], "said once, and nothing of what was never told");
    }
}
