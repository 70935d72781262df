//! The option tables beside the lists of what BIRD's manuals have: each option is done, or refused by name.
//!
//! `reference/keywords-1.6.8.txt` uses each once, `reference/keywords-2.txt` those
//! of 2.0.12, 2.19.2 and 3.3.2. An option that rbird does not know would be a
//! syntax error, which is what this test does not take.

use rbird_conf::files::Memory;
use rbird_conf::{Dialect, LoadOptions, load};

/// The sentence for an option that is refused by name.
const REFUSED: &str = "is not supported by this release of rbird";

/// All that is said of a configuration, the first lines only.
fn said(text: &str) -> Vec<String> {
    said_in(Dialect::V1, text)
}

fn said_in(dialect: Dialect, text: &str) -> Vec<String> {
    let options = LoadOptions { dialect: Some(dialect), ..LoadOptions::default() };
    match load("c", &Memory::new().with("c", text), &options) {
        Ok(_) => Vec::new(),
        Err(refused) => refused.report(false).into_iter().filter(|line| line.starts_with("c:")).collect(),
    }
}

fn config(place: &str, line: &str) -> String {
    let rest = match place {
        "global" => return format!("{line}\nprotocol device {{}}"),
        // What a protocol of the kind needs beside the option.
        "bgp" => "local as 1; neighbor 192.0.2.2 as 2;",
        "pipe" => "peer table t0;",
        "mrt" => "table t0; filename \"f\"; period 1;",
        _ => "",
    };
    format!("table t0;\nprotocol {place} {{ {rest} {line} }}")
}

#[test]
fn every_option_of_the_manual_is_done_or_refused_by_name() {
    let list = include_str!("reference/keywords-1.6.8.txt");
    let uses: Vec<_> = list.lines().filter(|l| !l.starts_with('#')).map(|l| l.split_once('\t').unwrap()).collect();
    let mut refused = Vec::new();
    let mut wrong = String::new();
    for (place, line) in &uses {
        // Options that contradict what stands beside them are known all the same.
        for message in said(&config(place, line)) {
            if message.contains(REFUSED) {
                refused.push(format!("{place} {line}"));
            } else if message.contains("syntax error") || message.contains("expected") {
                wrong.push_str(&format!("{place}: {line}: {message}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "unknown to rbird:\n{wrong}");
    assert!(uses.len() > 130, "{}", uses.len());
    refused.sort();
    refused.dedup();
    let expected = ["bgp bfd graceful;", "bgp bfd on;"];
    let unexpected: Vec<_> = refused.iter().filter(|r| !expected.contains(&r.as_str()) && !r.contains("bfd")).collect();
    assert!(unexpected.is_empty(), "refused, which is news: {unexpected:?}");
}

/// What `thread group workers` of protocols and tables names.
const GROUP: &str = "thread group workers { threads 2; }";

/// What a statement of dialect 2 stands in.
fn config_of_2(place: &str, line: &str) -> String {
    let tables = "router id 192.0.2.1; ipv4 table t0; roa4 table r0;";
    let policy = "import all; export all;";
    let body = match place {
        "global" => return format!("{line}\nprotocol device {{}}"),
        "table" => return format!("{GROUP} ipv4 table t1 {{ {line} }}\nprotocol device {{}}"),
        "channel" => {
            format!("protocol bgp {{ local as 1; neighbor 192.0.2.2 as 2; ipv4 {{ {policy} {line} }}; }}")
        }
        // What a protocol of the kind needs beside the option; an option that says the same again is known all the same.
        "bgp" => format!("{GROUP} protocol bgp {{ local as 1; neighbor 192.0.2.2 as 2; ipv4 {{ {policy} }}; {line} }}"),
        "pipe" => format!("protocol pipe {{ table master4; peer table t0; {line} }}"),
        "mrt" => format!("protocol mrt {{ table t0; filename \"f\"; period 1; {line} }}"),
        "rpki" => format!("protocol rpki {{ roa4 {{ table r0; }}; remote 192.0.2.2; {line} }}"),
        "bmp" => format!("protocol bmp {{ station address ip 192.0.2.2 port 1790; {line} }}"),
        "aggregator" => format!("protocol aggregator {{ table master4; peer table t0; {line} }}"),
        "device" | "bfd" => format!("{GROUP} protocol {place} {{ {line} }}"),
        _ => format!("protocol {place} {{ ipv4; {line} }}"),
    };
    format!("{tables}\n{body}")
}

#[test]
fn every_option_of_the_manuals_of_2_and_3_is_done_or_refused_by_name() {
    let list = include_str!("reference/keywords-2.txt");
    let (mut seen, mut wrong) = (0, String::new());
    for line in list.lines().filter(|l| !l.starts_with('#')) {
        let [_release, place, statement] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        seen += 1;
        let is_unknown = |m: &String| !m.contains(REFUSED) && (m.contains("syntax error") || m.contains("expected"));
        let unknown: Vec<_> =
            said_in(Dialect::V2, &config_of_2(place, statement)).into_iter().filter(is_unknown).collect();
        if !unknown.is_empty() {
            wrong.push_str(&format!("{place}: {statement}: {}\n", unknown.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "unknown to rbird:\n{wrong}");
    assert!(seen > 200, "{seen}");
}

#[test]
fn a_word_that_no_release_has_is_a_syntax_error() {
    for place in ["global", "bgp", "static", "kernel", "device", "direct", "pipe", "mrt"] {
        assert!(said(&config(place, "frobnicate on;")).iter().any(|m| m.contains("syntax error")), "{place}");
    }
}

#[test]
fn every_protocol_of_the_manual_is_there_or_refused_in_a_sentence() {
    for kind in ["babel", "bfd", "bgp", "device", "direct", "kernel", "mrt", "ospf", "pipe", "radv", "rip", "static"] {
        let said = said(&format!("protocol {kind} {{ }}"));
        assert!(!said.iter().any(|m| m.contains("syntax error")), "{kind}: {said:?}");
    }
}
