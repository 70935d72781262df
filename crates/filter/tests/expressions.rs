//! What `eval` answers, line by line as BIRD 1.6.8 and 2.0.12 answered.
//!
//! `reference/eval-*.tsv` hold expression, reply code, reply text and log
//! line, recorded by asking the real daemons with `reference/base-*.conf`. The
//! code is 0023 for a value, 8008 for a run-time error, 9001 for a wrong
//! expression.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use rbird_filter::language::{define_constant, define_function, name_known};
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, Tok, lex};
use rbird_filter::{Dialect, Env, Expression, FileId, SymbolKind, Symbols};
use route::{Family, Ifaces, Roa, RoaEntry, RoaOrigin, RoaTable, RoaTables};
use std::sync::Arc;

fn file(text: &str) -> SourceFile {
    SourceFile { path: "base-1.6.conf".into(), text: text.as_bytes().into() }
}

/// The constants and functions of a recorded daemon's configuration.
fn base(text: &str, family: Option<Family>, dialect: Dialect) -> (SourceFile, Symbols) {
    let file = file(text);
    let mut symbols = Symbols::new(family);
    let tokens = lex(FileId(0), &file.text);
    let files = [file.clone()];
    let mut cursor = Cursor::new(&files, &tokens, family).speaking(dialect);
    while !cursor.at_end() {
        if cursor.eat_word("define") {
            define_constant(&mut cursor, &mut symbols).unwrap();
        } else if cursor.eat_word("function") {
            define_function(&mut cursor, &mut symbols).unwrap();
        } else if cursor.eat_word("roa") || cursor.eat_word("roa4") {
            cursor.expect_word("table").unwrap();
            let (name, span) = cursor.name().unwrap();
            symbols.define(name, span, SymbolKind::RoaTable("ROA table")).unwrap();
            cursor.skip_statement();
        } else {
            cursor.skip_statement();
        }
    }
    (file, symbols)
}

/// The ROA table of the recorded daemon.
fn roas() -> RoaTables {
    let roa = Roa { prefix: "10.1.0.0/16".parse().unwrap(), max_len: 24, asn: 100 };
    let table = RoaTable::new(vec![RoaEntry { roa, origin: RoaOrigin::Static }]);
    RoaTables::new(vec![("roat".into(), Arc::new(table))])
}

/// Code, text and log as the daemon would give them.
fn eval(files: &[SourceFile], symbols: &Symbols, dialect: Dialect, text: &str) -> (u16, String, String) {
    let family = symbols.family();
    let mut files = files.to_vec();
    files.push(file(text));
    let tokens = lex(FileId(files.len() as u32 - 1), text.as_bytes());
    let mut cursor = Cursor::new(&files, &tokens, family).speaking(dialect);
    let read = Expression::read(&mut cursor, symbols).and_then(|expression| match cursor.peek() {
        Tok::End => Ok(expression),
        _ => Err(vec![cursor.unexpected()]),
    });
    let read = read.map_err(|mut wrong| {
        wrong.iter_mut().for_each(|w| name_known(&cursor, symbols, w));
        wrong
    });
    match read {
        Err(wrong) => (9001, wrong.first().unwrap().message.clone(), String::new()),
        Ok(expression) => {
            let done = expression.run(Env { ifaces: &Ifaces::default(), roas: &roas() });
            let mut log: Vec<_> = done.printed.iter().map(|line| format!("<INFO> {line}")).collect();
            match done.value {
                Ok(value) => (23, value.to_string(), log.join(" | ")),
                Err(words) => {
                    log.push(format!("<ERR> {words}"));
                    (8008, "runtime error".into(), log.join(" | "))
                }
            }
        }
    }
}

/// Expressions that do not give what is recorded, among how many.
fn differing(
    recorded: &str,
    files: &[SourceFile],
    symbols: &Symbols,
    dialect: Dialect,
    except: &[&str],
) -> (usize, String) {
    let (mut asked, mut wrong) = (0, Vec::new());
    for line in recorded.lines().filter(|l| !l.starts_with("# ---")) {
        // The text of an expression or reply may hold a TAB itself: code and log have fixed shapes.
        let Some((text, code, reply, log)) = split(line) else { panic!("unreadable line {line:?}") };
        asked += 1;
        let ours = eval(files, symbols, dialect, text);
        let same = ours == (code, reply.to_owned(), log.to_owned());
        if same == except.contains(&text) {
            wrong.push(format!("{text}\n  bird  {code} {reply} {log}\n  rbird {} {} {}\n", ours.0, ours.1, ours.2));
        }
    }
    (asked, wrong.concat())
}

#[test]
fn every_expression_gives_what_bird_gave() {
    let (base, symbols) = base(include_str!("reference/base-1.6.conf"), Some(Family::Ipv4), Dialect::V1);
    let recorded = include_str!("reference/eval-1.6.8.tsv");
    let (asked, wrong) = differing(recorded, &[base], &symbols, Dialect::V1, &[]);
    assert_eq!(asked, 440);
    assert!(wrong.is_empty(), "these differ:\n{wrong}");
}

/// What 2.0.12 refuses and later releases of 2.x take.
const LATER_RELEASES: &[&str] = &[
    "path3.empty",
    "path3.prepend(40)",
    // The list of an MPLS stack is one of numbers.
    "add(-empty-, 1)",
];

#[test]
fn every_expression_gives_what_bird_2_gave() {
    let (base, symbols) = base(include_str!("reference/base-2.0.conf"), None, Dialect::V2);
    let recorded = include_str!("reference/eval-2.0.12.tsv");
    let (asked, wrong) = differing(recorded, &[base], &symbols, Dialect::V2, LATER_RELEASES);
    assert_eq!(asked, 455);
    assert!(wrong.is_empty(), "these differ:\n{wrong}");
}

/// Where an IPv6 router of ours differs on purpose.
const IPV6_DIFFERS: &[&str] = &[
    // An IPv4 prefix is an error of the configuration, not a quad divided by a number.
    "10.0.0.0/8",
    // Seven groups make no address.
    "1:2:3:4:5:6:7",
];

#[test]
fn every_expression_of_ipv6_gives_what_bird6_gave() {
    let recorded = include_str!("reference/eval-ipv6-1.6.8.tsv");
    let (asked, wrong) = differing(recorded, &[], &Symbols::new(Some(Family::Ipv6)), Dialect::V1, IPV6_DIFFERS);
    assert_eq!(asked, 50);
    assert!(wrong.is_empty(), "these differ:\n{wrong}");
}

/// Recorded from BIRD 1.6.8 with `eval`.
#[test]
fn a_call_in_the_arguments_of_another_call_overwrites_those_that_the_other_has() {
    let functions = "function h(int a; int b) { a = a + 10; return a*100+b; }\n\
         function k(int a) { return h(a, 3); }\n\
         function w() int v; { v = 5; return v; }\n\
         function z(int a; int b; int c) { b = 77; if a = 9 then { a = 50; } return a + b + c; }\n\
         function again() int n; { n = 5; if defined(again()) then return 1; return again(); }\n";
    let files = [file(functions)];
    let mut symbols = Symbols::new(Some(Family::Ipv4));
    let tokens = lex(FileId(0), functions.as_bytes());
    let mut cursor = Cursor::new(&files, &tokens, Some(Family::Ipv4));
    while cursor.eat_word("function") {
        define_function(&mut cursor, &mut symbols).unwrap();
    }
    for (text, value) in [
        ("h(1, h(2, 3))", "3403"),
        ("h(h(1,2), 3)", "111203"),
        ("h(1, k(2))", "3403"),
        ("h(4, h(5, h(6, 7)))", "7807"),
        ("z(1, z(9, 2, 3), 4)", "131"),
        ("z(1,2,z(9,3,4))", "258"),
        ("z(z(9,1,1),z(9,2,2),z(3,3,3))", "163"),
        ("h(1, w() + h(2,3))", "3408"),
        ("again()", "(void)"),
    ] {
        assert_eq!(eval(&files, &symbols, Dialect::V1, text), (23, value.into(), String::new()), "{text}");
    }
}

fn split(line: &str) -> Option<(&str, u16, &str, &str)> {
    let (at, code) =
        ["0023", "8008", "9001"].iter().filter_map(|code| Some((line.find(&format!("\t{code}\t"))?, code))).min()?;
    let (reply, log) = line[at + 6..].rsplit_once('\t')?;
    Some((&line[..at], code.parse().ok()?, reply, log))
}
