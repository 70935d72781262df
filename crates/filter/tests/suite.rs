//! BIRD's own tests of the filter language: `filter/test.conf` of a release of 2.x.
//!
//! They are not ours to keep here. With the sources of BIRD at hand
//! (`https://gitlab.nic.cz/labs/bird`, tags v2.19.2 and v3.3.2):
//!
//! ```text
//! RBIRD_FILTER_SUITE=BIRD/filter cargo test -p rbird-filter --test suite -- --ignored
//! ```
//!
//! What BIRD's test program adds to the language is put into words that we have:
//! `bt_assert(E);` becomes `{ if !(E) then print "line N"; }`, and a function passes
//! that prints nothing. Enumerations are printed with the numbers of 2.x. Definitions that need a family or protocol which rbird does
//! not carry must be refused, each in a sentence that says so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use rbird_filter::language::{define_attribute, define_constant, define_filter, define_function};
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, Op, Tok, lex};
use rbird_filter::{Diagnostic, Dialect, Env, Expression, FileId, SymbolKind, Symbols};
use route::aspa::providers_value;
use route::attrs::{Local, LocalAttr};
use route::{AspaTable, AttrSet, Customer, Dest, Ifaces, Moment, ProtocolId, Roa, RoaChange, RoaEntry, RoaOrigin};
use route::{RoaTable, RoaTables, Source, SourceId, SourceKind};
use std::path::Path;
use std::sync::Arc;

/// Definitions that rbird refuses, with what stands in the refusal.
const REFUSED: &[(&str, &str)] = &[
    ("t_rd", "`rd` is not supported"),
    ("t_rd_set", "`rd` is not supported"),
    ("t_net_vpn", "is not supported"),
    ("t_flowspec", "`flow4` is not supported"),
    ("t_net_flowspec", "`flow4` is not supported"),
    ("t_net_sadr", "is not supported"),
    ("t_net_eth", "`eth` is not supported"),
    ("t_net_evpn", "`evpn` is not supported"),
    ("t_net_nbr", "`neighbor` is not supported"),
    ("__test1", "ospf_tag is not supported"),
    ("__test2", "ospf_tag is not supported"),
    ("vpn_filter", "`rd` is not supported"),
    ("testf", "rip_metric is not supported"),
];

/// Puts a program of BIRD's test language into ours, without its comments; lines keep their numbers.
fn translated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut line = 1;
    // Where asserts began whose closing parenthesis is still to come: their depth and line.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut depth = 0;
    while let Some(c) = rest.chars().next() {
        let piece = if rest.starts_with('#') {
            rest.split('\n').next().unwrap()
        } else if rest.starts_with("/*") {
            &rest[..rest.find("*/").map_or(rest.len(), |at| at + 2)]
        } else if let Some(inner) = rest.strip_prefix('"') {
            &rest[..inner.find('"').unwrap() + 2]
        } else if rest.starts_with("bt_assert(") {
            "bt_assert("
        } else {
            &rest[..c.len_utf8()]
        };
        rest = &rest[piece.len()..];
        line += piece.matches('\n').count();
        match piece {
            "bt_assert(" => {
                depth += 1;
                open.push((depth, line));
                out += "{ if !(";
            }
            "(" => {
                depth += 1;
                out += piece;
            }
            ")" => {
                out += piece;
                if let Some((_, begun)) = open.pop_if(|(at, _)| *at == depth) {
                    out += &format!(" then print \"line {begun}\"; }}");
                    rest = rest.trim_start().strip_prefix(';').expect("a statement ends");
                }
                depth -= 1;
            }
            _ if piece.starts_with('#') || piece.starts_with("/*") => {
                out.extend(piece.chars().filter(|c| *c == '\n'));
            }
            _ => out += piece,
        }
    }
    out
}

/// What a release tests.
struct Suite {
    files: Vec<SourceFile>,
    symbols: Symbols,
    /// Definitions that were refused.
    refused: Vec<(String, Diagnostic)>,
    /// Functions that must pass.
    functions: Vec<String>,
    /// Pairs of functions that must be the same program, or not.
    pairs: Vec<(String, String, bool)>,
}

impl Suite {
    fn read(text: &str) -> Self {
        let files = vec![SourceFile { path: "test.conf".into(), text: text.as_bytes().into() }];
        let mut suite = Self {
            files: files.clone(),
            symbols: Symbols::new(None),
            refused: Vec::new(),
            functions: Vec::new(),
            pairs: Vec::new(),
        };
        let tokens = lex(FileId(0), text.as_bytes());
        let mut cursor = Cursor::new(&files, &tokens, None).speaking(Dialect::V2);
        while !cursor.at_end() {
            suite.statement(&mut cursor);
        }
        suite
    }

    fn statement(&mut self, cursor: &mut Cursor<'_>) {
        let word = cursor.word().unwrap_or_default();
        let start = cursor.mark();
        cursor.bump();
        let name = cursor.word().unwrap_or_default().to_owned();
        let defined = match word {
            "define" => define_constant(cursor, &mut self.symbols),
            "function" => define_function(cursor, &mut self.symbols),
            "filter" => define_filter(cursor, &mut self.symbols),
            "attribute" => define_attribute(cursor, &mut self.symbols, None),
            "roa4" | "roa6" => {
                cursor.bump();
                let (name, span) = cursor.name().unwrap();
                self.symbols.define(name, span, SymbolKind::RoaTable("ROA table")).unwrap();
                cursor.skip_statement();
                Ok(())
            }
            "aspa" => {
                cursor.bump();
                let (name, span) = cursor.name().unwrap();
                self.symbols.define(name, span, SymbolKind::AspaTable("ASPA table")).unwrap();
                cursor.skip_statement();
                Ok(())
            }
            "bt_test_suite" => {
                cursor.bump();
                self.functions.push(cursor.name().unwrap().0.to_owned());
                cursor.skip_statement();
                Ok(())
            }
            "bt_test_same" => {
                cursor.bump();
                let a = cursor.name().unwrap().0.to_owned();
                cursor.bump();
                let b = cursor.name().unwrap().0.to_owned();
                cursor.bump();
                self.pairs.push((a, b, cursor.peek() == Tok::Num(1)));
                cursor.skip_statement();
                Ok(())
            }
            _ => {
                cursor.skip_statement();
                Ok(())
            }
        };
        if let Err(wrong) = defined {
            self.refused.push((name, wrong.first().unwrap().clone()));
            cursor.rewind(start);
            pass_definition(cursor);
        }
    }

    /// What a function has to say against itself.
    fn fails(&self, function: &str, roas: &RoaTables) -> Vec<String> {
        let mut files = self.files.clone();
        let text = format!("{function}()");
        files.push(SourceFile { path: "call".into(), text: text.as_bytes().into() });
        let tokens = lex(FileId(1), text.as_bytes());
        let mut cursor = Cursor::new(&files, &tokens, None).speaking(Dialect::V2);
        let call = Expression::read(&mut cursor, &self.symbols).unwrap();
        let done = call.run(Env { ifaces: &Ifaces::default(), roas });
        done.printed.into_iter().chain(done.value.err()).collect()
    }
}

/// Passes what begins here up to behind the brace that closes it.
fn pass_definition(cursor: &mut Cursor<'_>) {
    let mut depth = 0;
    while !cursor.at_end() {
        match cursor.bump().tok {
            Tok::Op(Op::BraceOpen) => depth += 1,
            Tok::Op(Op::BraceClose) if depth == 1 => return,
            Tok::Op(Op::BraceClose) => depth -= 1,
            _ => {}
        }
    }
}

/// The tables that the file's static protocols fill.
fn roas(text: &str) -> RoaTables {
    let entry = |line: &str| {
        let words: Vec<&str> = line.trim().trim_end_matches(';').split_whitespace().collect();
        let ["route", prefix, "max", max_len, "as", asn] = words[..] else { return None };
        let roa = Roa { prefix: prefix.parse().ok()?, max_len: max_len.parse().ok()?, asn: asn.parse().ok()? };
        Some(RoaEntry { roa, origin: RoaOrigin::Static })
    };
    let names = ["r4", "r6", "r61"];
    let table = |name: &str| {
        let channel = format!("{{ table {name};");
        let block = text.split(&channel).nth(1).unwrap_or_default();
        let routes = block.lines().skip(1).take_while(|line| line.trim() != "}");
        Arc::new(RoaTable::new(routes.filter_map(entry).collect()))
    };
    let origins = RoaTables::new(names.map(|name| (name.into(), table(name))).into());
    origins.and_aspas(["at", "at_official"].map(|name| (name.into(), Arc::new(aspas(text, name)))).into())
}

/// The ASPA table that one of them fills.
fn aspas(text: &str, name: &str) -> AspaTable {
    let channel = format!("aspa {{ table {name}; }};");
    let block = text.split(&channel).nth(1).unwrap_or_default().split('}').next().unwrap_or_default();
    let numbers = |words: &str| -> Vec<u32> { words.split(", ").filter_map(|n| n.trim().parse().ok()).collect() };
    let come = block.lines().filter_map(|line| {
        let (customer, rest) = line.trim().strip_prefix("route aspa ")?.trim_end_matches(';').split_once(' ')?;
        let providers = rest.strip_prefix("providers ").map_or(vec![0], numbers);
        let mut local = Local::new(SourceKind::Static, 200, Dest::Unreachable);
        local.set_extra(LocalAttr::AspaProviders, Some(providers_value(&providers)));
        Some((Customer(customer.parse().ok()?), AttrSet::local_only(local)))
    });
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "s".into(), SourceKind::Static);
    let change = RoaChange {
        by: source.protocol,
        source: Arc::new(source),
        whole: true,
        gone: Vec::new(),
        come: come.collect(),
        kept: Vec::new(),
    };
    AspaTable::default().after(change, Moment(0)).0
}

#[test]
#[ignore = "needs RBIRD_FILTER_SUITE, the folder `filter` of BIRD's sources"]
fn birds_own_tests_of_filters_pass() {
    let folder = std::env::var("RBIRD_FILTER_SUITE").expect("RBIRD_FILTER_SUITE names a folder");
    let read = |name: &str| std::fs::read_to_string(Path::new(&folder).join(name)).expect(name);
    let mut text = read("test.conf").replace("include \"test.conf.inc\";", &read("test.conf.inc"));
    if text.contains("(enum 3b)") {
        text = text.replace("(enum 31)", "(enum 30)").replace("(enum 3b)", "(enum 36)");
    }
    let suite = Suite::read(&translated(&text));
    let mut wrong = Vec::new();
    for (name, diagnostic) in &suite.refused {
        match REFUSED.iter().find(|(refused, _)| refused == name) {
            Some((_, why)) if diagnostic.message.contains(why) => {}
            _ => {
                let at = diagnostic.span.start as usize;
                let line = suite.files[0].text[..at].iter().filter(|o| **o == b'\n').count() + 1;
                wrong.push(format!("{name} is refused: line {line}: {}", diagnostic.message));
            }
        }
    }
    let roas = roas(&text);
    let is_refused = |name: &str| suite.refused.iter().any(|(refused, _)| refused == name);
    let asked: Vec<&String> = suite.functions.iter().filter(|name| !is_refused(name)).collect();
    for name in &asked {
        wrong.extend(suite.fails(name, &roas).into_iter().map(|what| format!("{name}: {what}")));
    }
    let function = |name: &str| match suite.symbols.get(name).map(|s| &s.kind) {
        Some(SymbolKind::Function(function)) => function.clone(),
        other => panic!("{name}: {other:?}"),
    };
    for (a, b, same) in &suite.pairs {
        if (function(a).steps == function(b).steps) != *same {
            wrong.push(format!("{a} and {b}"));
        }
    }
    assert!(asked.len() >= 20, "only {} functions", asked.len());
    assert!(wrong.is_empty(), "of {} functions:\n{}", asked.len(), wrong.join("\n"));
}
