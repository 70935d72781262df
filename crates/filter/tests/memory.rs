//! What is remembered of a filter is what running it would come to.
//!
//! Random filters run on random routes of few attribute sets, once plainly and
//! once by memory. Filters that print, fail or take the prefix into their hands
//! are among them.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use proptest::prelude::*;
use rbird_filter::language::{define_filter, define_function};
use rbird_filter::span::{FileId, SourceFile, Span};
use rbird_filter::syntax::{Cursor, lex};
use rbird_filter::{Env, Filter, Memory, RouteView, Scratch, SymbolKind, Symbols, Verdict};
use route::attrs::{AttrSetBuilder, Local};
use route::{
    AttrSet, Dest, Family, Ifaces, Prefix, ProtocolId, Roa, RoaEntry, RoaOrigin, RoaTable, RoaTables, Source, SourceId,
    SourceKind,
};
use std::net::Ipv4Addr;
use std::sync::Arc;

const FUNCTIONS: &str = "
    function longer(int n) { return net.len > n; }
    function is_in(prefix set lot) { return net ~ lot; }
    function martian() prefix set lot; { lot = [ 10.0.0.0/8+, 12.0.0.0/6{6,9} ]; if net ~ lot then return true; return false; }
    function covers(prefix p) { return p ~ 8.0.0.0/6; }
    function lengthen(int n) { if n > 12 then bgp_path.prepend(n); return n; }
";

fn read(body: &str) -> Arc<Filter> {
    let text =
        format!("{FUNCTIONS} filter f int n; bool b; prefix p; prefix set lot; {{ lot = [ 9.0.0.0/8+ ]; {body} }}");
    let files = [SourceFile { path: "bird.conf".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), &files[0].text);
    let mut symbols = Symbols::new(Some(Family::Ipv4));
    symbols.define("r", Span::default(), SymbolKind::RoaTable("ROA table")).unwrap();
    let mut cursor = Cursor::new(&files, &tokens, Some(Family::Ipv4));
    while !cursor.at_end() {
        if cursor.eat_word("function") {
            define_function(&mut cursor, &mut symbols).unwrap();
        } else {
            assert!(cursor.eat_word("filter"), "{text}");
            define_filter(&mut cursor, &mut symbols).unwrap_or_else(|wrong| panic!("{wrong:?} in {body}"));
        }
    }
    match symbols.get("f").map(|s| &s.kind) {
        Some(SymbolKind::Filter(filter)) => filter.clone(),
        other => panic!("{other:?}"),
    }
}

fn condition() -> impl Strategy<Value = String> {
    let simple = prop_oneof![
        (0u8..32, 0u8..12).prop_map(|(a, n)| format!("net ~ [ {a}.0.0.0/8{{{n},20}}, 16.0.0.0/5+ ]")),
        (0u8..8).prop_map(|a| format!("net !~ [ {}.0.0.0/6+ ]", a * 4)),
        (4u8..16).prop_map(|n| format!("net.len > {n}")),
        (4u8..16).prop_map(|n| format!("net.len = n + {n}")),
        (4u8..16).prop_map(|n| format!("longer({n})")),
        (0u8..4, 70_000u32..70_004).prop_map(|(s, a)| format!("roa_check(r, net, {a}) = {}", STATES[s as usize % 3])),
        (0u8..3).prop_map(|s| format!("roa_check(r) = {}", STATES[s as usize])),
        (1u8..6).prop_map(|n| format!("bgp_path.len > {n}")),
        (1u8..4).prop_map(|n| format!("(65000, {n}) ~ bgp_community")),
        prop_oneof![
            Just("net = 8.0.0.0/8"),
            Just("net.ip ~ 8.0.0.0/6"),
            Just("net.ip = 9.0.0.0"),
            Just("is_in(lot)"),
            Just("net ~ lot"),
            Just("is_in([ 8.0.0.0/5{8,9} ])"),
            Just("martian()"),
            Just("covers(net)"),
            Just("b"),
            Just("net ~ 8.0.0.0/6"),
            Just("defined(bgp_med)"),
            Just("lengthen(net.len) > 13"),
            Just("preference = net.len"),
            Just("net ~ p"),
            Just("net.len ~ [ 8, 11..13 ]"),
            Just("bgp_path ~ [= * 70003 =]"),
            Just("net < 5"),
            Just("net.len.mask(4) = 1"),
            Just("from = net.ip"),
        ]
        .prop_map(str::to_owned),
    ];
    simple.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("! ({a})")),
        ]
    })
}

const STATES: [&str; 3] = ["ROA_UNKNOWN", "ROA_VALID", "ROA_INVALID"];

fn statement() -> impl Strategy<Value = String> {
    let simple = prop_oneof![
        4 => (1u8..4).prop_map(|n| format!("bgp_community.add((65000, {n}));")),
        4 => condition().prop_map(|c| format!("b = {c};")),
        3 => condition().prop_map(|c| format!("if {c} then reject;")),
        3 => condition().prop_map(|c| format!("if {c} then accept;")),
        8 => prop_oneof![
            Just("n = net.len;"), Just("preference = net.len;"), Just("bgp_med = n;"), Just("lot = [ 8.0.0.0/7+ ];"),
            Just("bgp_path.prepend(70003);"), Just("bgp_path.empty;"), Just("unset(bgp_med);"), Just("preference = 120;"),
            Just("bgp_path.prepend(n);"),
        ]
        .prop_map(str::to_owned),
        1 => prop_oneof![Just("print \"seen\";"), Just("print net;"), Just("p = net;"), Just("p = 8.0.0.0/6;"),
            Just("n = \"no number\";"), Just("return 5;")]
        .prop_map(str::to_owned),
    ];
    simple.prop_recursive(3, 16, 3, |inner| {
        let block = proptest::collection::vec(inner, 1..4).prop_map(|s| s.concat());
        prop_oneof![
            (condition(), block.clone()).prop_map(|(c, a)| format!("if {c} then {{ {a} }}")),
            (condition(), block.clone(), block.clone())
                .prop_map(|(c, a, b)| format!("if {c} then {{ {a} }} else {{ {b} }}")),
            (block.clone(), block).prop_map(|(a, b)| format!("case net.len {{ 8: {a} 9..12: {b} else: n = 1; }}")),
        ]
    })
}

fn sets() -> Vec<AttrSet> {
    let set = |asns: &[u32], communities: &[u8]| {
        let mut builder = AttrSetBuilder::new(Local::new(SourceKind::Bgp, 100, Dest::Blackhole));
        let head = [2, asns.len() as u8];
        builder.set(2, &head.into_iter().chain(asns.iter().flat_map(|a| a.to_be_bytes())).collect::<Vec<_>>());
        if !communities.is_empty() {
            builder.set(8, communities);
        }
        builder.build()
    };
    let local = AttrSet::local_only(Local::new(SourceKind::Static, 200, Dest::Unreachable));
    vec![set(&[70_001], &[]), set(&[70_001, 70_002, 70_003], &[0xfd, 0xe8, 0, 1]), set(&[70_000; 5], &[]), local]
}

fn roas() -> RoaTables {
    let entry = |prefix: &str, max_len, asn| {
        let roa = Roa { prefix: prefix.parse().unwrap(), max_len, asn };
        RoaEntry { roa, origin: RoaOrigin::Static }
    };
    let table = RoaTable::new(vec![entry("8.0.0.0/6", 10, 70_001), entry("9.0.0.0/8", 12, 70_003)]);
    RoaTables::new(vec![("r".into(), Arc::new(table))])
}

fn prefix() -> impl Strategy<Value = Prefix> {
    // Few distinct bits, so that sets are hit.
    (0u32..64, 4u8..16).prop_map(|(bits, len)| Prefix::new(Ipv4Addr::from_bits(bits << 23).into(), len).unwrap())
}

fn source() -> Source {
    Source::of_protocol(SourceId(1), ProtocolId(1), "p1".into(), SourceKind::Bgp)
}

/// Runs a filter plainly and by memory on the same routes. Returns how many were answered from memory.
fn compare(filter: &Filter, routes: &[(usize, Prefix)]) -> Result<usize, TestCaseError> {
    let (sets, roas, ifaces, source) = (sets(), roas(), Ifaces::default(), source());
    let env = Env { ifaces: &ifaces, roas: &roas };
    let mut memories: Vec<Memory<(Verdict, Option<AttrSet>)>> = sets.iter().map(|_| Memory::default()).collect();
    let (mut scratch, mut plain) = (Scratch::new(), Scratch::new());
    let mut remembered = 0;
    for (set, net) in routes {
        let (attrs, memory) = (&sets[*set], &mut memories[*set]);
        let route = RouteView { roa: None, net: *net, attrs, source: &source, resolved: None, igp_metric: None };
        let truth = filter.run(&mut plain, route, env);
        if let Some((verdict, attrs)) = memory.find(&mut scratch, route, env) {
            remembered += 1;
            prop_assert_eq!((*verdict, &*attrs), (truth.verdict, &truth.attrs), "{}", net);
            prop_assert!(truth.printed.is_empty() && truth.error.is_none(), "{}: {:?}", net, truth);
            continue;
        }
        let outcome = filter.run_noting(&mut scratch, route, env);
        prop_assert_eq!((outcome.verdict, &outcome.attrs), (truth.verdict, &truth.attrs));
        prop_assert_eq!((&outcome.printed, &outcome.error), (&truth.printed, &truth.error));
        let _ = memory.keep(&mut scratch, (outcome.verdict, outcome.attrs));
    }
    Ok(remembered)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn a_filter_by_memory_comes_to_what_it_comes_to_without(
        statements in proptest::collection::vec(statement(), 1..6),
        routes in proptest::collection::vec((0usize..4, prefix()), 1..60),
    ) {
        let text = statements.concat() + " accept;";
        compare(&read(&text), &routes).map_err(|e| TestCaseError::fail(format!("{e} in {text}")))?;
    }
}

/// Of 240 different prefixes with one attribute set, how many are answered from memory.
fn remembered(body: &str) -> usize {
    let routes: Vec<_> = (0..240u32)
        .map(|n| (1, Prefix::new(Ipv4Addr::from_bits(n % 48 * 0x0080_0000).into(), 8 + (n / 48) as u8).unwrap()))
        .collect();
    compare(&read(body), &routes).unwrap()
}

#[test]
fn questions_about_the_prefix_are_asked_and_the_filter_is_run_once_for_each_answer() {
    assert_eq!(remembered("bgp_community.add((1,2)); accept;"), 239);
    assert_eq!(remembered("if net ~ [ 8.0.0.0/6+ ] then reject; accept;"), 238);
    assert_eq!(remembered("if martian() || is_in(lot) then reject; accept;"), 237);
    assert_eq!(remembered("if source = RTS_BGP && net.len > 9 then preference = 5; accept;"), 238);
    assert_eq!(remembered("case net.len { 8: reject; else: accept; }"), 235);
    assert_eq!(remembered("if roa_check(r) = ROA_INVALID then reject; accept;"), 237);
    assert_eq!(
        remembered("bgp_path.prepend(70001); if roa_check(r, net, bgp_path.first) = ROA_VALID then accept; reject;"),
        237
    );
    assert_eq!(remembered("if net ~ 8.0.0.0/6 then reject; accept;"), 238);
}

#[test]
fn what_prints_fails_or_holds_the_prefix_is_run_each_time() {
    assert_eq!(remembered("print \"here\"; accept;"), 0);
    assert_eq!(remembered("if net < 5 then accept; reject;"), 0);
    assert_eq!(remembered("p = net; accept;"), 0);
    assert_eq!(remembered("if covers(net) then accept; reject;"), 0);
    // Only where it prints.
    assert_eq!(remembered("if net.len > 8 then print \"long\"; accept;"), 47);
}

#[test]
fn a_memory_is_bounded() {
    let body: String = (0..8).map(|n| format!("if net ~ [ {}.0.0.0/8+ ] then bgp_med = {n}; ", 2 * n)).collect();
    let body: String =
        body + &(8..12).map(|n| format!("if net.len = {n} then bgp_local_pref = {n}; ")).collect::<String>();
    let (filter, sets, ifaces, source) = (read(&(body + "accept;")), sets(), Ifaces::default(), source());
    let (mut scratch, mut memory) = (Scratch::new(), Memory::default());
    for n in 0..1_000u32 {
        let net = Prefix::new(Ipv4Addr::from_bits(n << 22).into(), 8 + (n % 5) as u8).unwrap();
        let route = RouteView { roa: None, net, attrs: &sets[0], source: &source, resolved: None, igp_metric: None };
        let env = Env { ifaces: &ifaces, roas: RoaTables::NONE };
        if memory.find(&mut scratch, route, env).is_none() {
            filter.run_noting(&mut scratch, route, env);
            let _ = memory.keep(&mut scratch, ());
        }
    }
    assert_eq!(memory.iter().count(), 16);
    assert!(memory.octets() < 64 << 10, "{}", memory.octets());
}
