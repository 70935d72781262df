//! What a route costs on its way from an import batch to the outboxes, per thread.
//!
//! `cargo bench -p rbird-session --bench export [ROUTES]`. Figures are CPU time of the threads, so what else
//! runs on the machine does little harm.

#![expect(clippy::unwrap_used, reason = "a measurement may")]

use rbird_session::clock::Clock;
use rbird_session::export::Exports;
use rbird_session::link::{EventSink, TableMsg};
use rbird_session::outbox::{OCTETS_MAX, Outbox};
use rbird_session::tables::Tables;
use rib::batch::{Act, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, What};
use rib::export::{GroupKey, MemberId, MemberSpec};
use rib::query::{Order, TableSpec};
use route::attr::code;
use route::attrs::Local;
use route::net::Prefix4;
use route::{
    AttrSet, AttrSetBuilder, BgpSource, ChannelId, Dest, Family, Prefix, ProtocolId, Source, SourceId, SourceKind,
    Speaker, TableId,
};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

const TABLE: TableId = TableId(1);

fn addr(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn source() -> Source {
    Source {
        id: SourceId(1),
        protocol: ProtocolId(1),
        protocol_name: "feed".into(),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: Some(BgpSource {
            cluster_id: 254,
            ..BgpSource::between(
                Speaker { addr: addr(254), asn: 65000, id: 254 },
                Speaker { addr: addr(1), asn: 65001, id: 1 },
            )
        }),
    }
}

fn key() -> GroupKey {
    GroupKey { cluster_id: 254, ..GroupKey::external(Family::Ipv4, 65000, addr(254)) }
}

/// A set with a path of four and a few communities, as tables have them. `version` is in the path, which all
/// neighbours see.
fn attrs(n: u32, version: u32) -> AttrSet {
    let mut local = Local::new(SourceKind::Bgp, 100, Dest::Blackhole);
    local.from = Some(addr(1));
    let mut b = AttrSetBuilder::new(local);
    b.set(code::ORIGIN, &[0]);
    let mut path = vec![2, 4];
    for asn in [65001, 3355 + version, 100_000 + n % 50_000, 200_000 + n] {
        path.extend_from_slice(&u32::to_be_bytes(asn));
    }
    b.set(code::AS_PATH, &path);
    b.set(code::NEXT_HOP, &[192, 0, 2, 1]);
    b.set_u32(code::MED, 7);
    b.set_u32(code::LOCAL_PREF, 100);
    b.set(code::COMMUNITY, &[0x0d, 0x1c, 0, 1, 0x0d, 0x1c, 0, 2, 0x0d, 0x1c, 0, 3]);
    b.build()
}

struct Bench {
    tables: Tables,
    exports: Exports,
    routes: u32,
}

impl Bench {
    fn new(routes: u32) -> Self {
        let events: EventSink = Arc::new(|_, _| ());
        let tables = Tables::start(1, Clock::new(), events.clone());
        let exports = Exports::start(1, tables.clone(), Clock::new(), events);
        tables.add(TableSpec { id: TABLE, name: "master".into(), family: Family::Ipv4, order: Order::default() });
        let bench = Self { tables, exports, routes };
        let spec = ChannelSpec {
            family: Family::Ipv4,
            late_filter: None,
            keep_filtered: false,
            receive_limit: None,
            import_limit: None,
        };
        bench.act(Deed::Up(Box::new(spec)));
        bench.act(Deed::Source(Arc::new(source())));
        bench
    }

    fn act(&self, deed: Deed) {
        self.tables.send(TABLE, TableMsg::Act(Act { channel: ChannelId(1), generation: Generation(1), deed }, None));
    }

    /// All routes in this version, in batches of 8,192 rows, a set for 5 or 6 of them.
    fn announce(&self, version: u32) {
        let mut from = 0;
        while from < self.routes {
            let until = self.routes.min(from + 8192);
            let mut batch = ImportBatch::default();
            for n in from..until {
                let set = u64::from(n) * 2 / 11;
                if n == from || set != u64::from(n - 1) * 2 / 11 {
                    batch.palette.push(attrs(set as u32, version));
                }
                let net = Prefix::V4(Prefix4::new(0x0100_0000 + (n << 8), 24).unwrap());
                let what = What::Announce(batch.palette.len() as u32 - 1);
                batch.rows.push(ImportRow { net, source: SourceId(1), what });
            }
            self.act(Deed::Import(batch));
            from = until;
        }
    }

    fn join(&self, n: u32) -> (MemberId, Arc<Outbox>) {
        let outbox = Outbox::new(OCTETS_MAX);
        let spec = MemberSpec {
            protocol: ProtocolId(n),
            name: format!("p{n}").into(),
            channel: ChannelId(n),
            generation: Generation(1),
            peer_addr: addr(n as u8),
            export_limit: None,
            tracing: rib::trace::Tracing::default(),
        };
        (self.exports.join(TABLE, Arc::new(key()), spec, outbox.clone()), outbox)
    }

    /// Does something, reads all outboxes until each member holds so many routes, has been told `updates` in all and
    /// nothing comes any more, and prints what it took.
    fn measure(
        &self,
        what: &str,
        members: &[(MemberId, Arc<Outbox>)],
        (until, updates): (u32, u64),
        work: impl FnOnce(),
    ) {
        let (start, cpu) = (Instant::now(), [cpu_ms("export0"), cpu_ms("table0")]);
        work();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut octets = 0;
        let mut pieces = Vec::new();
        loop {
            for (_, outbox) in members {
                while outbox.take(1 << 18, &mut pieces) {}
                octets += pieces.drain(..).map(|p| p.len()).sum::<usize>();
            }
            let is_through = |m: &(MemberId, _)| {
                let (stats, told) = runtime.block_on(self.exports.stats(m.0)).unwrap();
                told == until && stats.updates_accepted >= updates
            };
            if members.iter().all(is_through) && members.iter().all(|(_, o)| o.octets() == 0) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let per_route = |ms: u64, name| cpu_ms(name).saturating_sub(ms) * 1_000_000 / u64::from(self.routes);
        println!(
            "{what:<34} {:>6} ms, export {:>5} ns/route, table {:>5} ns/route, {:>9} octets",
            start.elapsed().as_millis(),
            per_route(cpu[0], "export0"),
            per_route(cpu[1], "table0"),
            octets
        );
    }
}

/// CPU time of a thread by name, in steps of the scheduler's nanoseconds, as milliseconds.
fn cpu_ms(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |dir: std::path::PathBuf| {
        let comm = std::fs::read_to_string(dir.join("comm")).ok()?;
        let stat = std::fs::read_to_string(dir.join("schedstat")).ok()?;
        (comm.trim() == name).then(|| stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()))?
    };
    tasks.filter_map(|t| of(t.unwrap().path())).sum::<u64>() / 1_000_000
}

fn run(routes: u32, peers: u32) {
    println!("{routes} routes, {peers} peers in one group");
    let bench = Bench::new(routes);
    let members: Vec<_> = (0..peers).map(|n| bench.join(10 + n)).collect();
    let all = u64::from(routes);
    bench.measure("announced", &members, (routes, all), || bench.announce(1));
    bench.measure("all attributes change", &members, (routes, 2 * all), || bench.announce(2));
    let late = bench.join(9);
    bench.measure("one more joins", std::slice::from_ref(&late), (routes, all), || ());
    bench.exports.leave(late.0);
    bench.measure("all are withdrawn", &members, (0, 2 * all), || bench.act(Deed::Down));
    drop(bench);
    // The threads of the next run have the same names.
    std::thread::sleep(Duration::from_millis(300));
}

fn main() {
    let routes = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    run(routes, 1);
    run(routes, 8);
}
