//! What a table costs for a full feed: one million IPv4 prefixes, 182,000 attribute sets, one peer.
//!
//! `cargo bench -p rbird-rib`. A row is one route, so the throughput is routes a
//! second. Loading is interning, storing, deciding and sealing a batch after each
//! read of a socket; changing gives every route another set; the withdrawals come
//! as messages. Before the timings it prints the memory of a
//! loaded table and the processor time of one load, which a busy machine does not lengthen.

extern crate rbird_rib as rib;

use divan::Bencher;
use divan::counter::ItemsCount;
use rib::batch::{Act, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, What};
use rib::table::{Order, Table, TableSpec};
use route::attr::code;
use route::attrs::Local;
use route::net::Prefix4;
use route::{
    AttrSet, AttrSetBuilder, BgpSource, ChannelId, Dest, Family, Hop, IfIndex, Moment, Prefix, ProtocolId, Source,
    SourceId, SourceKind, Speaker, TableId,
};
use std::sync::Arc;

const ROUTES: u32 = 1_000_000;
const ROUTES_OF_SET: u32 = 11; // in halves: 5.5 prefixes to a set
const ROWS_OF_BATCH: usize = 8192;

fn main() {
    let mut table = table();
    let before = resident_kib();
    let feeds = [("load", batches(0)), ("change all", batches(1))];
    let [load, change] = feeds.map(|(name, batches)| {
        let start = cpu_ns();
        feed(&mut table, batches);
        (name, (cpu_ns() - start) / u64::from(ROUTES), resident_kib().saturating_sub(before) >> 10)
    });
    let totals = table.totals();
    println!("{} routes, {} sets: {} MiB counted by the table", totals.routes, totals.attr_sets, totals.octets >> 20);
    for (name, ns, mib) in [load, change] {
        println!("{name}: {ns} ns of processor time a route; {mib} MiB resident more than before, feed included");
    }
    drop(table);
    divan::main();
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn load(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(ROUTES))
        .with_inputs(|| (table(), batches(0)))
        .bench_local_refs(|(table, batches)| feed(table, std::mem::take(batches)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn change_all(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(ROUTES))
        .with_inputs(|| {
            let mut table = table();
            feed(&mut table, batches(0));
            (table, batches(1))
        })
        .bench_local_refs(|(table, batches)| feed(table, std::mem::take(batches)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn withdraw_all(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(ROUTES))
        .with_inputs(|| {
            let mut table = table();
            feed(&mut table, batches(0));
            let mut withdrawals = batches(0);
            for batch in &mut withdrawals {
                batch.palette.clear();
                batch.rows.iter_mut().for_each(|row| row.what = What::Withdraw);
            }
            (table, withdrawals)
        })
        .bench_local_refs(|(table, batches)| feed(table, std::mem::take(batches)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn the_peer_is_lost(bencher: Bencher) {
    bencher
        .counter(ItemsCount::new(ROUTES))
        .with_inputs(|| {
            let mut table = table();
            feed(&mut table, batches(0));
            table
        })
        .bench_local_refs(|table| {
            act(table, Deed::Down);
            while table.work(Moment(1), 8192) {
                seal(table);
            }
            seal(table);
        });
}

fn feed(table: &mut Table, batches: Vec<ImportBatch>) {
    for batch in batches {
        act(table, Deed::Import(batch));
        table.work(Moment(1), 1024);
        seal(table);
    }
}

fn seal(table: &mut Table) {
    if let Some(batch) = table.seal() {
        table.release(batch.seq);
        divan::black_box(batch);
    }
}

fn act(table: &mut Table, deed: Deed) {
    let act = Act { channel: ChannelId(1), generation: Generation(1), deed };
    table.apply(act, Moment(1), &mut Vec::new());
}

fn table() -> Table {
    let family = Family::Ipv4;
    let mut table = Table::new(TableSpec { id: TableId(0), name: "master".into(), family, order: Order::default() });
    let spec = ChannelSpec { family, late_filter: None, keep_filtered: false, receive_limit: None, import_limit: None };
    act(&mut table, Deed::Up(Box::new(spec)));
    act(&mut table, Deed::Source(Arc::new(source())));
    table
}

fn source() -> Source {
    let addr = |last| std::net::IpAddr::from([192, 0, 2, last]);
    Source {
        id: SourceId(1),
        protocol: ProtocolId(1),
        protocol_name: "p1".into(),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: Some(BgpSource::between(
            Speaker { addr: addr(2), asn: 65000, id: 2 },
            Speaker { addr: addr(1), asn: 65001, id: 1 },
        )),
    }
}

/// The feed as batches of what one read brings; `turn` chooses another attribute for every set.
fn batches(turn: u32) -> Vec<ImportBatch> {
    let mut all = Vec::new();
    let mut batch = ImportBatch::default();
    let mut last = u32::MAX;
    for n in 0..ROUTES {
        if batch.rows.len() == ROWS_OF_BATCH {
            all.push(std::mem::take(&mut batch));
            last = u32::MAX;
        }
        let number = n * 2 / ROUTES_OF_SET;
        if number != last {
            batch.palette.push(set(number, turn));
            last = number;
        }
        // Prefixes in an order that is not that of their addresses, as in a real feed of many sets.
        let addr = n.wrapping_mul(0x9e37_79b1) << 8;
        let Some(net) = Prefix4::new(addr | n >> 24 << 8, 24) else { continue };
        let what = What::Announce(batch.palette.len() as u32 - 1);
        batch.rows.push(ImportRow { net: Prefix::V4(net), source: SourceId(1), what });
    }
    all.push(batch);
    all
}

fn set(number: u32, turn: u32) -> AttrSet {
    let dest = Dest::Via(Hop::via([192, 0, 2, 1].into(), IfIndex(2)));
    let mut b = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, dest));
    let mut path = vec![2, 4];
    for asn in [65001, 3356 + turn, 1000 + number % 50_000, 200_000 + number] {
        path.extend_from_slice(&asn.to_be_bytes());
    }
    b.set(code::ORIGIN, &[0]);
    b.set(code::AS_PATH, &path);
    b.set(code::NEXT_HOP, &[192, 0, 2, 1]);
    b.set(code::COMMUNITY, &(number % 5000).to_be_bytes().repeat(3));
    b.build()
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
