//! No text makes the language panic, hang or exhaust the stack.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use proptest::prelude::*;
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, Tok, lex};
use rbird_filter::{Env, Expression, FileId, RouteView, Scratch, SymbolKind, Symbols, language};
use route::attrs::Local;
use route::{AttrSet, Dest, Family, Ifaces, ProtocolId, RoaTables, Source, SourceId, SourceKind};

/// Reads a text as everything that the language has, and runs whatever comes of it.
fn survive(text: &[u8]) {
    let files = [SourceFile { path: "hostile".into(), text: text.into() }];
    let tokens = lex(FileId(0), text);
    assert_eq!(tokens.last().map(|t| t.tok), Some(Tok::End));
    assert!(tokens.windows(2).all(|w| w[0].span.end <= w[1].span.start));
    for family in [None, Some(Family::Ipv4), Some(Family::Ipv6)] {
        let mut symbols = Symbols::new(family);
        let start = || Cursor::new(&files, &tokens, family);
        let _ = language::policy(&mut start(), &symbols).map(|p| p.name().len());
        let _ = language::number(&mut start(), &symbols);
        let _ = language::address(&mut start(), &symbols);
        if let Ok(expression) = Expression::read(&mut start(), &symbols) {
            let done = expression.run(Env { ifaces: &Ifaces::default(), roas: RoaTables::NONE });
            let _ = done.value.map(|v| v.to_string().len());
        }
        let mut cursor = start();
        while !cursor.at_end() {
            let before = cursor.mark();
            let _ = match cursor.bump().tok {
                Tok::Word if cursor.octets(cursor.last_span()) == b"function" => {
                    language::define_function(&mut cursor, &mut symbols)
                }
                Tok::Word if cursor.octets(cursor.last_span()) == b"define" => {
                    language::define_constant(&mut cursor, &mut symbols)
                }
                _ => language::define_filter(&mut cursor, &mut symbols),
            };
            assert!(cursor.mark() > before, "reading must go on");
        }
        run_all(&symbols);
    }
}

fn run_all(symbols: &Symbols) {
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "p".into(), SourceKind::Bgp);
    let attrs = AttrSet::local_only(Local::new(SourceKind::Bgp, 100, Dest::Blackhole));
    let ifaces = Ifaces::default();
    let mut scratch = Scratch::new();
    for (_, symbol) in symbols.iter() {
        if let SymbolKind::Filter(filter) = &symbol.kind {
            let net = "10.2.0.0/16".parse().unwrap();
            let route = RouteView { roa: None, net, attrs: &attrs, source: &source, resolved: None, igp_metric: None };
            let _ = filter.run(&mut scratch, route, Env { ifaces: &ifaces, roas: RoaTables::NONE });
        }
    }
}

/// Pieces of the language, so that random texts get past the first token.
const PIECES: &[&str] = &[
    "filter",
    "function",
    "define",
    "f",
    "g",
    "x",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "[=",
    "=]",
    ";",
    ",",
    ".",
    "..",
    ":",
    "=",
    "!=",
    "~",
    "!~",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "*",
    "/",
    "?",
    "1",
    "5",
    "65536",
    "4294967295",
    "10.0.0.0/8",
    "10.0.0.1",
    "::1",
    "2001:db8::/32",
    "\"a*\"",
    "true",
    "false",
    "if",
    "then",
    "else",
    "case",
    "accept",
    "reject",
    "return",
    "print",
    "printn",
    "unset",
    "defined",
    "net",
    "bgp_path",
    "bgp_community",
    "bgp_ext_community",
    "bgp_large_community",
    "bgp_med",
    "bgp_origin",
    "bgp_next_hop",
    "preference",
    "gw",
    "dest",
    "ifname",
    "krt_lock_mtu",
    "krt_metric",
    "prepend",
    "add",
    "delete",
    "filter",
    "empty",
    "len",
    "first",
    "mask",
    "rt",
    "ro",
    "generic",
    "unknown",
    "int",
    "pair",
    "prefix",
    "set",
    "clist",
    "RTS_BGP",
    "ORIGIN_IGP",
    "where",
    "all",
    "'a.b'",
];

/// Well-formed expressions.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "0",
        "65536",
        "true",
        "10.0.0.1",
        "10.0.0.0/8",
        "\"a\"",
        "net",
        "gw",
        "proto",
        "bgp_path",
        "bgp_community",
        "bgp_med",
        "bgp_next_hop",
        "bgp_large_community",
        "preference",
        "+empty+",
        "-empty-",
        "---empty---",
        "[1, 3..5]",
        "[(1,*), (*,2)]",
        "[10.0.0.0/8+]",
        "[= 1 * ? =]",
        "(rt, 1, 2)",
        "[(rt, 1, *)]",
        "(1, 2, 3)",
        "RTS_BGP",
        "dest",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 32, 3, |inner| {
        let op = prop::sample::select(vec!["+", "-", "*", "/", "=", "!=", "<", ">=", "~", "!~", "&&", "||"]);
        let method = prop::sample::select(vec![".len", ".ip", ".first", ".last", ".last_nonaggregated", ".mask(8)"]);
        let call = prop::sample::select(vec!["add", "delete", "filter", "prepend"]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), method).prop_map(|(a, m)| format!("({a}){m}")),
            (call, inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("{c}({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}, {b})")),
            inner.clone().prop_map(|a| format!("! {a}")),
            inner.prop_map(|a| format!("defined({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn any_octets_are_survived(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        survive(&text);
    }

    #[test]
    fn any_pieces_of_the_language_are_survived(pieces in proptest::collection::vec(prop::sample::select(PIECES), 0..60)) {
        survive(pieces.join(" ").as_bytes());
    }

    #[test]
    fn statements_with_any_expressions_are_survived(a in expression(), b in expression(), c in expression()) {
        survive(format!(
            "filter f {{ if {a} then bgp_med = {b}; else preference = {c}; bgp_path = {a}; bgp_community.add({b}); \
             gw = {c}; krt_metric = {a}; dest = {b}; print {a}, {b}; case {c} {{ 1: accept; (1,2): reject; }} }}"
        ).as_bytes());
        for statement in [format!("bgp_med = {a};"), format!("bgp_community = {b};"), format!("bgp_path = {c};")] {
            survive(format!("filter f {{ {statement} accept; }}").as_bytes());
        }
    }
}

#[test]
fn deep_nesting_is_refused_before_it_reaches_the_end_of_the_stack() {
    for (open, close) in [("(", ")"), ("[(", ")]"), ("!", ""), ("defined(", ")"), ("{ if true then ", "}")] {
        survive(format!("filter f {{ print {}1{}; }}", open.repeat(100_000), close.repeat(100_000)).as_bytes());
        survive(format!("filter f {{ {}accept;{} }}", open.repeat(100_000), close.repeat(100_000)).as_bytes());
    }
    survive(format!("filter f {{ {} accept; }}", "if true then ".repeat(100_000)).as_bytes());
    survive(format!("filter f {{ print net{}; }}", ".len".repeat(100_000)).as_bytes());
    survive(format!("filter f {{ {} accept; }}", "case 1 { 1: ".repeat(100_000)).as_bytes());
}

#[test]
fn long_rows_are_taken() {
    let sum = "1 + ".repeat(100_000);
    let or = "net = 10.0.0.0/8 || ".repeat(100_000);
    let chain = "if 1 = 2 then reject; else ".repeat(100_000);
    survive(format!("filter f {{ print {sum} 1; if {or} true then accept; {chain} reject; }}").as_bytes());
}
