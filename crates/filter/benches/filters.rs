//! What running a filter on a route costs.
//!
//! `cargo bench -p rbird-filter`. A set of 10,000 prefixes, as IXP route servers
//! have one a member, should cost a few comparisons more than a set of ten.

#![expect(clippy::expect_used, reason = "a bench may fail")]

use divan::{Bencher, black_box};
use rbird_filter::prefix_set::PrefixSet;
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, lex};
use rbird_filter::{Env, FileId, Filter, Memory, RouteView, Scratch, Symbols, language};
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
    Source::of_protocol(SourceId(1), ProtocolId(1), "p1".into(), SourceKind::Bgp)
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
            let route =
                RouteView { roa: None, net: *net, attrs: &attrs, source: &source, resolved: None, igp_metric: None };
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

/// Attribute sets of the filter scenario, and how many prefixes come with each: 5.5 in the mean.
const SETS: u32 = 2_000;

/// The filter of the benchmark's filter scenario: `cargo xtask bench filter`.
fn checked() -> Arc<Filter> {
    let members = |from: u32| {
        let prefixes = (from..from + 10_000).filter_map(spread).map(|p| format!("{p}{{24,32}}"));
        prefixes.collect::<Vec<_>>().join(", ")
    };
    // A few of the routes are denied; every tenth is a customer's.
    read(&format!(
        "{{ if net ~ [ {} ] then reject; if bgp_path.len > 64 then reject; \
         if bgp_path ~ [ 0, 23456, 64496..64511, 65535..131071, 4200000000..4294967295 ] then reject; \
         if net ~ [ {} ] then preference = 120; bgp_community.add((65000, 1)); accept; }}",
        members(10_900),
        members(990_000),
    ))
}

/// Network number `n` of a table that looks random.
fn spread(n: u32) -> Option<Prefix> {
    let bits = n.wrapping_mul(0x9e37_79b9) & 0xffff_ff00;
    Prefix::new(Ipv4Addr::from_bits(bits).into(), 24)
}

/// The attribute sets of the scenario: paths of five, 60 % with communities, all different.
fn sets() -> Vec<AttrSet> {
    let set = |n: u32| {
        let mut builder = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Blackhole));
        builder.set(1, &[0]);
        let path = [65_000, 3_356, 174 + n, 6_939, 13_335 + n];
        let octets: Vec<u8> = [2, 5].into_iter().chain(path.into_iter().flat_map(u32::to_be_bytes)).collect();
        builder.set(2, &octets);
        builder.set(3, &[10, 0, 0, 1]);
        builder.set_u32(5, 100);
        if n % 5 < 3 {
            builder.set(8, &[0x0d, 0x1c, 0, 2, 0x0d, 0x1c, 0, 22, 0x1b, 0x1b, 0, 100]);
        }
        builder.build()
    };
    (0..SETS).map(set).collect()
}

/// The routes of the scenario: prefixes with the number of their set.
fn routes() -> Vec<(Prefix, usize)> {
    let of_set = |n: u32| (0..5 + n % 2).filter_map(move |i| Some((spread(n * 6 + i)?, n as usize)));
    (0..SETS).flat_map(of_set).collect()
}

/// The filter scenario, the filter run for each route.
#[divan::bench]
fn scenario_each_route(bencher: Bencher<'_, '_>) {
    let (filter, sets, routes, source, ifaces) = (checked(), sets(), routes(), source(), Ifaces::default());
    let mut scratch = Scratch::new();
    bencher.counter(routes.len()).bench_local(|| {
        for (net, set) in &routes {
            let route = RouteView {
                roa: None,
                net: *net,
                attrs: &sets[*set],
                source: &source,
                resolved: None,
                igp_metric: None,
            };
            black_box(filter.run(&mut scratch, route, Env { ifaces: &ifaces, roas: RoaTables::NONE }));
        }
    });
}

/// The filter scenario by memory, as an import does it: what one set came to is forgotten before it comes again.
#[divan::bench]
fn scenario_by_memory(bencher: Bencher<'_, '_>) {
    let (filter, sets, routes, source, ifaces) = (checked(), sets(), routes(), source(), Ifaces::default());
    let (mut scratch, env) = (Scratch::new(), Env { ifaces: &ifaces, roas: RoaTables::NONE });
    bencher.counter(routes.len()).bench_local(|| {
        let (mut last, mut memory) = (usize::MAX, Memory::default());
        for (net, set) in &routes {
            if std::mem::replace(&mut last, *set) != *set {
                memory = Memory::default();
            }
            let route = RouteView {
                roa: None,
                net: *net,
                attrs: &sets[*set],
                source: &source,
                resolved: None,
                igp_metric: None,
            };
            if black_box(memory.find(&mut scratch, route, env)).is_none() {
                let outcome = filter.run_noting(&mut scratch, route, env);
                let _ = memory.keep(&mut scratch, (outcome.verdict, outcome.attrs));
            }
        }
    });
}

/// Lookups in a prefix set of 10,000, half of them of members.
#[divan::bench]
fn prefix_set_lookup(bencher: Bencher<'_, '_>) {
    let mut set = PrefixSet::new();
    (0..10_000).filter_map(spread).for_each(|p| set.add(p, 24, 32));
    set.finish();
    let asked: Vec<Prefix> = (5_000..15_000).filter_map(spread).collect();
    bencher.counter(asked.len()).bench(|| asked.iter().filter(|p| set.contains(black_box(p))).count());
}

/// A path of five against a set of ranges, and communities against a set of pairs, for each of the scenario's sets.
#[divan::bench(args = ["bgp_path ~ [ 0, 23456, 64496..64511, 65535..131071, 4200000000..4294967295 ]",
    "bgp_community ~ [ (65535, 666), (65000, 100..200), (0, 1..64), (3356, 9999) ]", "bgp_path.len > 64"])]
fn attributes(bencher: Bencher<'_, '_>, condition: &str) {
    let (filter, sets, source, ifaces) =
        (read(&format!("{{ if {condition} then reject; accept; }}")), sets(), source(), Ifaces::default());
    let mut scratch = Scratch::new();
    let Some(net) = spread(1) else { return };
    bencher.counter(sets.len()).bench_local(|| {
        for attrs in &sets {
            let route = RouteView { roa: None, net, attrs, source: &source, resolved: None, igp_metric: None };
            black_box(filter.run(&mut scratch, route, Env { ifaces: &ifaces, roas: RoaTables::NONE }));
        }
    });
}

/// Reading a filter with a large set, as `configure` does.
#[divan::bench]
fn reading_a_prefix_set_of_10_000(bencher: Bencher<'_, '_>) {
    let text = prefix_set(10_000);
    bencher.bench(|| read(black_box(&text)));
}
