//! The option tables beside the list of what BIRD 1.6.8's manual has: each option is done, or refused by name.
//!
//! `reference/keywords-1.6.8.txt` uses each once. An option that rbird does not
//! know would be a syntax error, which is what this test does not take.

use rbird_conf::files::Memory;
use rbird_conf::{LoadOptions, load};

/// The sentence for an option that is refused by name.
const REFUSED: &str = "is not supported by this release of rbird";

/// All that is said of a configuration, the first lines only.
fn said(text: &str) -> Vec<String> {
    match load("c", &Memory::new().with("c", text), &LoadOptions::default()) {
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
    let expected = ["bgp bfd graceful;", "bgp bfd on;", "static vrf \"x\";"];
    let unexpected: Vec<_> = refused.iter().filter(|r| !expected.contains(&r.as_str()) && !r.contains("bfd")).collect();
    assert!(unexpected.is_empty(), "refused, which is news: {unexpected:?}");
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
