//! What running a filter on a route costs.
//!
//! `cargo bench -p rbird-filter`. A set of 10,000 prefixes, as IXP route servers
//! have one a member, should cost a few comparisons more than a set of ten.

#![expect(clippy::expect_used, reason = "a bench may fail")]

use divan::{Bencher, black_box};
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, lex};
use rbird_filter::{Env, FileId, Filter, RouteView, Scratch, Symbols, language};
use route::attrs::{AttrSetBuilder, Local};
use route::{AttrSet, Dest, Ifaces, Prefix, ProtocolId, RoaTables, Source, SourceId, SourceKind};
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

fn main() {
    divan::main();
}

fn read(text: &str) -> Arc<Filter> {
    let files = [SourceFile { path: "bench".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), text.as_bytes());
    let mut cursor = Cursor::new(&files, &tokens, None);
    language::filter(&mut cursor, &Symbols::new(None)).expect("a filter")
}

/// `members` networks of 24 bits spread over the address space.
fn networks(members: u32) -> impl Iterator<Item = Prefix> {
    let network = |i: u32| Prefix::new(Ipv4Addr::from_bits(i.wrapping_mul(0x9e37_79b9)).into(), 24);
    (1..=members).filter_map(network)
}

fn prefix_set(members: u32) -> String {
    let mut set = "{ if net ~ [ 10.0.0.0/8+".to_owned();
    for network in networks(members) {
        let _ = write!(set, ", {network}{{24,28}}");
    }
    set + " ] then accept; reject; }"
}

fn attrs() -> AttrSet {
    let mut builder = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Blackhole));
    builder.set(1, &[0]);
    builder.set(2, &[2, 3, 0, 0, 0xfd, 0xe8, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd, 0xea]);
    builder.set(8, &[0, 1, 0, 2, 0, 3, 0, 4]);
    builder.build()
}

fn source() -> Source {
    Source {
        id: SourceId(1),
        protocol: ProtocolId(1),
        protocol_name: "p1".into(),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: None,
    }
}

/// Runs a filter on 1,000 routes, half of them in the networks.
fn run(bencher: Bencher<'_, '_>, filter: &Filter) {
    let (attrs, source, ifaces) = (attrs(), source(), Ifaces::default());
    let mut scratch = Scratch::new();
    let asked: Vec<Prefix> = networks(500)
        .chain((0..500).filter_map(|i| Prefix::new(Ipv4Addr::from_bits(i << 13 | 0x0b00_0000).into(), 24)))
        .collect();
    bencher.counter(asked.len()).bench_local(|| {
        for net in &asked {
            let route = RouteView { net: *net, attrs: &attrs, source: &source, resolved: None, igp_metric: None };
            black_box(filter.run(&mut scratch, route, Env { ifaces: &ifaces, roas: RoaTables::NONE }));
        }
    });
}

#[divan::bench(args = [10, 1_000, 10_000])]
fn prefix_set_of(bencher: Bencher<'_, '_>, members: u32) {
    run(bencher, &read(&prefix_set(members)));
}

#[divan::bench]
fn path_and_communities(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        &read(
            "{ if bgp_path.len > 64 then reject; if bgp_path ~ [= * 65002 65003 =] then reject; \
             if (65535, 666) ~ bgp_community then reject; if bgp_path.first != 65000 then reject; accept; }",
        ),
    );
}

#[divan::bench]
fn changes_of_attributes(bencher: Bencher<'_, '_>) {
    run(bencher, &read("{ bgp_community.add((1,5)); bgp_local_pref = 200; preference = 120; accept; }"));
}

/// Reading a filter with a large set, as `configure` does.
#[divan::bench]
fn reading_a_prefix_set_of_10_000(bencher: Bencher<'_, '_>) {
    let text = prefix_set(10_000);
    bencher.bench(|| read(black_box(&text)));
}
