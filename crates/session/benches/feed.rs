//! What a route costs on its way in: octets, intake, table, journal; without sockets and threads.
//!
//! `cargo bench -p rbird-session --bench feed [ROUTES] [ipv6]` plays a feed three times (load, every path changes,
//! the peer is lost) and prints the processor time of each step. For instructions:
//!
//! ```sh
//! cargo bench -p rbird-session --bench feed --no-run
//! valgrind --tool=callgrind --toggle-collect='*feed::step*' target/release/deps/feed-* 200000
//! ```
//!
//! The steps are functions of their own that are never inlined, so a gate can read them by name:
//! `step_octets` (frame, decode, intake), `step_import` (table), `step_seal`, `step_release`, `step_sweep`.

#![expect(clippy::unwrap_used, reason = "a measurement may")]

use rbird_session::peer::{PeerChannel, PeerSpec};
use rbird_session::played::Played;
use rib::batch::{Act, ChangeBatch, ChannelSpec, Deed, Generation, ImportBatch};
use rib::query::{Order, TableSpec};
use rib::table::Table;
use route::attr::code;
use route::iface::{IfaceFlags, Scope};
use route::{
    BgpSource, ChannelId, Family, IfIndex, Iface, IfaceAddr, Ifaces, Moment, Prefix, ProtocolId, Source, SourceId,
    SourceKind, Speaker, TableId,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use wire::frame::MESSAGE_OCTETS_MAX;
use wire::{EncodeContext, Encoder, Nlri, PerFamily};

const OWN: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 1);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 1, 1, 2);
/// What one read of a socket brings at most.
const READ_OCTETS: usize = 256 << 10;
/// As the thread of a table takes rows in.
const PIECE_ROWS: usize = 512;
const WORK_ROWS: usize = 4096;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let routes = args.iter().find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let family = if args.iter().any(|a| a == "ipv6") { Family::Ipv6 } else { Family::Ipv4 };
    let feeds = [reads(family, routes, 0), reads(family, routes, 1)];
    let mut bench = Bench::new(family);
    let before = resident_kib();
    for (name, feed) in ["load", "all change"].into_iter().zip(&feeds) {
        let mut took = Took::default();
        for octets in feed {
            bench.read(octets, &mut took);
        }
        took.print(name, routes);
    }
    let totals = bench.table.totals();
    let mib = resident_kib().saturating_sub(before) >> 10;
    println!(
        "{} routes, {} sets: {} MiB counted, {mib} resident",
        totals.routes,
        totals.attr_sets,
        totals.octets >> 20
    );
    let mut took = Took::default();
    bench.lose(&mut took);
    took.print("peer lost", routes);
    assert_eq!(bench.table.totals().routes, 0);
}

/// Nanoseconds of processor time.
#[derive(Default)]
struct Took {
    octets: u64,
    import: u64,
    seal: u64,
    release: u64,
    sweep: u64,
}

impl Took {
    fn print(&self, phase: &str, routes: u32) {
        let per = |ns: u64| ns / u64::from(routes);
        let all = self.octets + self.import + self.seal + self.release + self.sweep;
        let [octets, import, seal, release, sweep, all] =
            [self.octets, self.import, self.seal, self.release, self.sweep, all].map(per);
        println!(
            "{phase}: {all} ns a route: octets {octets}, import {import}, seal {seal}, release {release}, sweep {sweep}"
        );
    }
}

struct Bench {
    session: Played,
    table: Table,
    seq: u64,
}

impl Bench {
    fn new(family: Family) -> Self {
        let origin = Arc::new(source());
        let mut table =
            Table::new(TableSpec { id: TableId(1), name: "master".into(), family, order: Order::default() });
        let channel =
            ChannelSpec { family, late_filter: None, keep_filtered: false, receive_limit: None, import_limit: None };
        act(&mut table, Deed::Up(Box::new(channel)));
        act(&mut table, Deed::Source(Arc::clone(&origin)));
        Self { session: Played::new(spec(family), origin, links()), table, seq: 0 }
    }

    fn read(&mut self, octets: &[u8], took: &mut Took) {
        let mut batches = Vec::new();
        timed(&mut took.octets, || step_octets(&mut self.session, octets, &mut batches));
        for batch in batches {
            timed(&mut took.import, || step_import(&mut self.table, batch));
            self.tell(took);
        }
    }

    fn lose(&mut self, took: &mut Took) {
        act(&mut self.table, Deed::Down);
        let mut more = true;
        while more {
            timed(&mut took.sweep, || more = step_sweep(&mut self.table));
            self.tell(took);
        }
    }

    fn tell(&mut self, took: &mut Took) {
        let mut sealed = None;
        timed(&mut took.seal, || sealed = step_seal(&mut self.table));
        self.seq = sealed.as_ref().map_or(self.seq, |batch| batch.seq);
        timed(&mut took.release, || step_release(&mut self.table, self.seq, sealed.take()));
    }
}

#[inline(never)]
fn step_octets(session: &mut Played, octets: &[u8], batches: &mut Vec<ImportBatch>) {
    session.read(octets, batches);
}

#[inline(never)]
fn step_import(table: &mut Table, batch: ImportBatch) {
    let act = Act { channel: ChannelId(1), generation: Generation(1), deed: Deed::Import(batch) };
    let mut events = Vec::new();
    table.begin(act, Moment(1), &mut events);
    while table.go_on(PIECE_ROWS, Moment(1), &mut events) {}
    table.work(Moment(1), WORK_ROWS);
}

#[inline(never)]
fn step_seal(table: &mut Table) -> Option<Arc<ChangeBatch>> {
    table.seal()
}

#[inline(never)]
fn step_release(table: &mut Table, seq: u64, batch: Option<Arc<ChangeBatch>>) {
    drop(batch);
    table.release(seq);
}

#[inline(never)]
fn step_sweep(table: &mut Table) -> bool {
    table.work(Moment(1), WORK_ROWS)
}

fn timed(sum: &mut u64, step: impl FnOnce()) {
    let before = cpu_ns();
    step();
    *sum += cpu_ns() - before;
}

fn act(table: &mut Table, deed: Deed) {
    let act = Act { channel: ChannelId(1), generation: Generation(1), deed };
    table.apply(act, Moment(1), &mut Vec::new());
}

/// The feed in pieces of whole messages. `turn` chooses another path for every set.
fn reads(family: Family, routes: u32, turn: u32) -> Vec<Vec<u8>> {
    let context = EncodeContext { as4: true, add_path_tx: PerFamily::default(), octets_max: MESSAGE_OCTETS_MAX };
    let mut encoder = Encoder::new(context);
    let mut all = vec![Vec::new()];
    let mut next = 0;
    for number in 0.. {
        // 5.5 prefixes to a set on average, from 1 to 10.
        let end = (next + 1 + number * 7 % 10).min(routes);
        let nets = (next..end).map(|n| Nlri { net: net(family, n), path_id: 0 });
        encoder.set_attributes(family, &attributes(family, number, turn)).unwrap();
        let mut message = Vec::new();
        encoder.announce(nets, &mut message);
        if all.last().is_some_and(|read| read.len() + message.len() > READ_OCTETS) {
            all.push(Vec::new());
        }
        all.last_mut().unwrap().extend(message);
        next = end;
        if next == routes {
            return all;
        }
    }
    all
}

/// Prefixes in an order that is not that of their addresses, as in a real feed of many sets.
fn net(family: Family, n: u32) -> Prefix {
    let mixed = n.wrapping_mul(0x9e37_79b1);
    match family {
        // An odd factor permutes the numbers below 2^24; the first octet stays out of what is bogus.
        Family::Ipv4 => {
            let place = n.wrapping_mul(0x37_79b1) % (96 << 16);
            let octets = (place + (16 << 16)) << 8;
            Prefix::new(IpAddr::from(octets.to_be_bytes()), 24).unwrap()
        }
        Family::Ipv6 => {
            let addr = 0x2000 << 112 | u128::from(mixed) << 80;
            Prefix::new(Ipv6Addr::from(addr).into(), 48).unwrap()
        }
    }
}

fn attributes(family: Family, number: u32, turn: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut put = |flags: u8, code: u8, value: &[u8]| {
        octets.extend_from_slice(&[flags, code, 0, value.len() as u8]);
        octets.extend_from_slice(value);
    };
    let mut path = vec![2, 5];
    for asn in [65002, 3356 + turn, 1299, 1000 + number % 50_000, 200_000 + number] {
        path.extend_from_slice(&asn.to_be_bytes());
    }
    put(0x40, code::ORIGIN, &[0]);
    put(0x40, code::AS_PATH, &path);
    match family {
        Family::Ipv4 => put(0x40, code::NEXT_HOP, &PEER.octets()),
        Family::Ipv6 => put(0x40, code::NEXT_HOP, &Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).octets()),
    }
    if number % 5 < 3 {
        put(0xc0, code::COMMUNITY, &(number % 5000).to_be_bytes().repeat(3));
    }
    octets
}

fn source() -> Source {
    Source {
        id: SourceId(1),
        protocol: ProtocolId(1),
        protocol_name: "p1".into(),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: Some(BgpSource::between(
            Speaker { addr: OWN.into(), asn: 65001, id: 2 },
            Speaker { addr: PEER.into(), asn: 65002, id: 1 },
        )),
    }
}

fn links() -> Arc<Ifaces> {
    let addr = |addr: &str, prefix: &str| IfaceAddr {
        addr: addr.parse().unwrap(),
        prefix: prefix.parse().unwrap(),
        broadcast: None,
        peer: None,
        scope: Scope::Site,
        secondary: false,
    };
    let d0 = Iface {
        index: IfIndex(2),
        name: "d0".into(),
        flags: IfaceFlags { admin_up: true, link_up: true, ..IfaceFlags::default() },
        mtu: 1500,
        master: IfIndex(0),
        addrs: vec![addr("10.1.1.1", "10.1.1.0/24"), addr("2001:db8::1", "2001:db8::/64")],
    };
    Arc::new(Ifaces::new(vec![d0]))
}

fn spec(family: Family) -> PeerSpec {
    PeerSpec {
        cluster_id: 7,
        channels: vec![PeerChannel {
            igp_tables: wire::PerFamily { ipv4: TableId(2), ipv6: TableId(2) },
            ..PeerChannel::new(family, ChannelId(1), TableId(1))
        }],
        ..PeerSpec::new("p1".into(), ProtocolId(1), (65001, 0x0a01_0101), (PEER.into(), 65002))
    }
}

/// What the process holds in memory.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}

/// The processor time of this thread, which other processes do not lengthen as they do a clock's.
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}
