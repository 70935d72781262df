//! What filters print, answer and fail with, one by one as in BIRD 1.6.8.
//!
//! `reference/filters-1.6.8.txt` was recorded by running each filter as the
//! import filter of a static route `10.2.0.0/16 via 10.1.1.2` in the real daemon:
//! the text, then what it logged (`INFO`, `ERR`) and whether the route was
//! accepted, or the error (`!`) with which the configuration was refused.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use rbird_filter::language::{define_filter, define_function, filter};
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, lex};
use rbird_filter::{Diagnostic, Env, FileId, Filter, Outcome, RouteView, Scratch, SymbolKind, Symbols, Verdict};
use route::attrs::Local;
use route::iface::{IfaceFlags, Scope};
use route::{
    AttrSet, Dest, Family, Hop, IfIndex, Iface, IfaceAddr, Ifaces, ProtocolId, RoaTables, Source, SourceId, SourceKind,
};
use std::sync::Arc;

/// Where rbird differs on purpose: the beginning of the filter, and why. `docs/differences.md` lists them.
const DIFFERS: &[(&str, &str)] = &[
    ("filter f { print \"a\"; printn \"b\"", "`print;` without a text prints an empty line, not the line before again"),
    ("filter f { bgp_path.empty; print defined(bgp_path), bgp_path; unset", UNSET),
    ("filter f { bgp_community.add((1,2)); unset(bgp_community)", UNSET),
    ("filter f { print krt_lock_mtu, defined", UNSET),
    ("filter f { igp_metric = 5; print igp_metric; unset", UNSET),
    ("filter f { bgp_med = 5; unset(bgp_med)", UNSET),
    ("filter f { bgp_origin", ORIGIN),
    ("filter f { scope = SCOPE_UNDEFINED", "a scope that is none is the universe"),
    ("filter f { case net {", LABELS),
    ("filter f { case \"x\" {", LABELS),
    ("filter f { print [(rt,1.2.3.4,*)]", "a key may be an address with a wildcard, too"),
    ("filter f { print [(rt,70000,*), (rt,1.2.3.4,*)", "a key may be an address with a wildcard, too"),
    ("filter f { print \"abc\" ~ \"a**c\"", "two stars match what one does"),
];

const UNSET: &str = "what `unset` took away is gone at once, also in an import filter";
const ORIGIN: &str = "`bgp_origin` has three values";
const LABELS: &str = "a value never matches a label of another type";

fn world() -> Ifaces {
    let addr = IfaceAddr {
        addr: "10.1.1.1".parse().unwrap(),
        prefix: "10.1.1.0/24".parse().unwrap(),
        broadcast: None,
        peer: None,
        scope: Scope::Site,
        secondary: false,
    };
    Ifaces::new(vec![Iface {
        index: IfIndex(3),
        name: "d0".into(),
        flags: IfaceFlags { admin_up: true, link_up: true, ..IfaceFlags::default() },
        mtu: 1500,
        master: IfIndex(0),
        addrs: vec![addr],
    }])
}

/// Functions, then `filter f`.
fn read(text: &str) -> Result<Arc<Filter>, Vec<Diagnostic>> {
    let files = [SourceFile { path: "bird.conf".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), &files[0].text);
    let mut symbols = Symbols::new(Some(Family::Ipv4));
    let mut cursor = Cursor::new(&files, &tokens, Some(Family::Ipv4));
    while !cursor.at_end() {
        if cursor.eat_word("function") {
            define_function(&mut cursor, &mut symbols)?;
        } else if cursor.eat_word("filter") {
            define_filter(&mut cursor, &mut symbols)?;
        } else {
            return Err(vec![cursor.unexpected()]);
        }
    }
    match symbols.get("f").map(|s| &s.kind) {
        Some(SymbolKind::Filter(filter)) => Ok(filter.clone()),
        other => panic!("{other:?}"),
    }
}

fn static_route() -> (AttrSet, Source) {
    let via = Dest::Via(Hop::via("10.1.1.2".parse().unwrap(), IfIndex(0)));
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "s1".into(), SourceKind::Static);
    (AttrSet::local_only(Local::new(SourceKind::Static, 200, via)), source)
}

fn run(filter: &Filter) -> Outcome {
    let (attrs, source) = static_route();
    let net = "10.2.0.0/16".parse().unwrap();
    let route = RouteView { roa: None, net, attrs: &attrs, source: &source, resolved: None, igp_metric: None };
    filter.run(&mut Scratch::new(), route, Env { ifaces: &world(), roas: RoaTables::NONE })
}

/// What a filter did, as recorded.
fn record(text: &str) -> String {
    let outcome = match read(&format!("\n{text}\n")) {
        Ok(filter) => run(&filter),
        Err(wrong) => return format!("\t! {}\n", wrong.first().unwrap().message),
    };
    let mut lines: Vec<String> = outcome.printed.iter().map(|l| format!("\tINFO {l}\n")).collect();
    lines.extend(outcome.error.map(|e| format!("\tERR {e}\n")));
    lines.push(match outcome.verdict {
        Verdict::Accept => "\t= accepted\n".into(),
        Verdict::Reject => "\t= rejected\n".into(),
    });
    lines.concat()
}

#[test]
fn every_filter_does_what_it_did_in_bird() {
    let recorded = include_str!("reference/filters-1.6.8.txt");
    let mut wrong = Vec::new();
    let mut differ = DIFFERS.to_vec();
    let mut rest = recorded.lines().peekable();
    let mut count = 0;
    while let Some(text) = rest.next() {
        let mut theirs = String::new();
        while let Some(line) = rest.next_if(|l| l.starts_with('\t')) {
            theirs.extend([line, "\n"]);
        }
        count += 1;
        let ours = record(text);
        if ours == theirs {
            continue;
        }
        match DIFFERS.iter().find(|(begin, _)| text.starts_with(begin)) {
            Some(known) => differ.retain(|d| d != known),
            None => wrong.push(format!("{text}\nbird:\n{theirs}rbird:\n{ours}")),
        }
    }
    assert_eq!(count, 237);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(differ.is_empty(), "these do not differ any more: {differ:#?}");
}

#[test]
fn a_filter_that_changes_nothing_makes_no_new_set() {
    let outcome = run(&read("filter f { if net ~ [10.0.0.0/8+] && bgp_path.len > 5 then reject; accept; }").unwrap());
    assert!(outcome.attrs.is_none());
}

#[test]
fn what_a_filter_set_before_it_rejected_is_kept() {
    let outcome = run(&read("filter f { bgp_community.add((1,2)); preference = 7; reject; }").unwrap());
    assert_eq!(outcome.verdict, Verdict::Reject);
    let attrs = outcome.attrs.unwrap();
    assert_eq!(attrs.get(route::attr::code::COMMUNITY), Some([0, 1, 0, 2].as_slice()));
    assert_eq!(attrs.local().preference, 7);
}

#[test]
fn a_gateway_that_a_filter_sets_replaces_whatever_was_asked_for() {
    let outcome = run(&read("filter f { gw = 10.1.1.9; accept; }").unwrap());
    let hop = Hop::via("10.1.1.9".parse().unwrap(), IfIndex(3));
    assert_eq!(outcome.attrs.unwrap().local().dest, Dest::Via(hop));
}

#[test]
fn inputs_name_what_a_filter_reads_through_functions_too() {
    let inputs =
        read("function g() { return gw; } filter f { if g() = 10.0.0.1 then accept; reject; }").unwrap().inputs;
    assert!(inputs.resolved && !inputs.net && !inputs.source && !inputs.effects);
    let inputs = read("filter f { if net.len > 24 && proto = \"p\" then print \"x\"; accept; }").unwrap().inputs;
    assert!(inputs.net && inputs.source && inputs.effects && !inputs.resolved);
    let inputs = read("filter f { if bgp_path ~ [1] then bgp_med = 5; accept; }").unwrap().inputs;
    assert_eq!(inputs, rbird_filter::Inputs::default());
}

#[test]
fn all_errors_of_a_filter_are_said_at_once_with_their_places() {
    let text =
        "filter f int a; {\n a = b;\n bgp_foo = 1;\n if a = then accept; else reject;\n net = 10.0.0.0/8;\n accept\n}";
    let wrong = read(text).unwrap_err();
    let found: Vec<_> =
        wrong.iter().map(|d| (d.message.as_str(), &text[d.span.start as usize..d.span.end as usize])).collect();
    assert_eq!(
        found,
        [("syntax error", "then"), ("This static attribute is read-only.", "net"), ("syntax error", "}"),]
    );
    let wrong = read("filter f int a; { a = b; c = 1; g(1); accept; }").unwrap_err();
    let found: Vec<_> = wrong.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        found,
        [
            "b: variable expected.",
            "You may set only variables.",
            "You can't call something which is not a function. Really.",
        ]
    );
}

#[test]
fn two_filters_of_one_text_are_the_same_program_and_others_are_not() {
    let a = read("filter f { if net ~ [10.0.0.0/8+] then accept; reject; }").unwrap();
    let b = read("filter f { if net ~ [10.0.0.0/8+] then accept; reject; }").unwrap();
    let c = read("filter f { if net ~ [10.0.0.0/8-] then accept; reject; }").unwrap();
    assert!(a.is_same_program(&b) && !a.is_same_program(&c));
}

#[test]
fn functions_that_double_the_work_of_others_end_by_the_budget() {
    let mut text = "function f0() { return 1; }\n".to_owned();
    for i in 1..64 {
        text += &format!("function f{i}() {{ return f{}() + f{}(); }}\n", i - 1, i - 1);
    }
    let outcome = run(&read(&(text + "filter f { print f63(); accept; }")).unwrap());
    assert_eq!(outcome.verdict, Verdict::Reject);
    assert!(outcome.error.unwrap().ends_with("Filter takes too long"));
}

#[test]
fn functions_that_make_a_path_ever_longer_end() {
    let mut text = "function f0(bgppath p) { return prepend(p, 1); }\n".to_owned();
    for i in 1..40 {
        text += &format!("function f{i}(bgppath p) {{ return f{}(f{}(p)); }}\n", i - 1, i - 1);
    }
    let outcome = run(&read(&(text.clone() + "filter f { print f39(+empty+); accept; }")).unwrap());
    assert!(outcome.error.is_some());
    let text = text.replace("prepend(p, 1)", "p").replace("return p;", "print \"some text\"; return p;");
    let outcome = run(&read(&(text + "filter f { print f39(+empty+); accept; }")).unwrap());
    assert!(outcome.printed.iter().map(String::len).sum::<usize>() <= 1 << 20);
    assert!(outcome.error.unwrap().ends_with("Filter prints too much"));
}

#[test]
fn functions_that_nest_deep_inside_call_chains_end_before_the_stack_does() {
    let mut text = "function f0() { return 1; }\n".to_owned();
    for i in 1..127 {
        let (open, close) = ("(1 + ".repeat(60), ")".repeat(60));
        text += &format!("function f{i}() {{ return {open} f{}() {close}; }}\n", i - 1);
    }
    let outcome = run(&read(&(text + "filter f { print f126(); accept; }")).unwrap());
    assert!(outcome.error.unwrap().ends_with("Filter nests too deep"));
}

#[test]
fn a_chain_of_functions_too_long_for_the_stack_is_refused() {
    let mut text = "function f0() { return 1; }\n".to_owned();
    for i in 1..5000 {
        text += &format!("function f{i}() {{ return f{}(); }}\n", i - 1);
    }
    let wrong = read(&(text + "filter f { print f4999(); accept; }")).unwrap_err();
    assert_eq!(wrong[0].message, "Functions call each other too deep");
}

#[test]
fn a_named_filter_is_found_and_a_misspelt_one_is_guessed() {
    let text = "filter import_all { accept; } imprt_all";
    let files = [SourceFile { path: "bird.conf".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), &files[0].text);
    let mut symbols = Symbols::new(None);
    let mut cursor = Cursor::new(&files, &tokens, None);
    cursor.bump();
    define_filter(&mut cursor, &mut symbols).unwrap();
    let wrong = filter(&mut cursor, &symbols).unwrap_err();
    assert_eq!(wrong[0].message, "No such filter.");
    assert_eq!(wrong[0].help.as_deref(), Some("there is a filter `import_all`"));
}

#[test]
fn a_transient_attribute_is_read_in_the_filter_and_gone_behind_it() {
    use route::attrs::{LocalAttr, LocalValue};
    let text = "filter f { krt_metric = 55; krt_mtu = 1300; if krt_metric = 55 then accept; reject; }";
    let filter = read(text).unwrap().with_transient(&[LocalAttr::KrtMetric]);
    let outcome = run(&filter);
    assert_eq!(outcome.verdict, Verdict::Accept);
    let attrs = outcome.attrs.unwrap();
    assert_eq!(attrs.local().extra(LocalAttr::KrtMetric), None);
    assert_eq!(attrs.local().extra(LocalAttr::KrtMtu), Some(&LocalValue::Int(1300)));
    assert!(!filter.is_same_program(&read(text).unwrap()));
}
