//! No text whatever stops the parser, and what it says stays small.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use proptest::prelude::*;
use rbird_conf::command::Line;
use rbird_conf::files::Memory;
use rbird_conf::{LoadOptions, load};
use route::Family;

/// Pieces that bird.conf is made of, for texts that get deep into the grammar.
const PIECES: &[&str] = &[
    "protocol ",
    "template ",
    "bgp ",
    "static ",
    "kernel ",
    "device ",
    "direct ",
    "p",
    "q",
    " from ",
    "{",
    "}",
    ";",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "~",
    "%",
    "-",
    "/",
    ":",
    "\n",
    " ",
    "\"eth*\"",
    "\"",
    "'a'",
    "10.0.0.1",
    "10.0.0.0/8",
    "::1",
    "1",
    "4294967295",
    "99999999999",
    "local as ",
    "neighbor ",
    "import ",
    "export ",
    "filter ",
    "where ",
    "all ",
    "none ",
    "function ",
    "define ",
    "if ",
    "then ",
    "else ",
    "accept ",
    "reject ",
    "net ",
    "bgp_path ",
    "route ",
    "via ",
    "table ",
    "limit ",
    "action ",
    "debug ",
    "include ",
    "router id ",
    "timeformat ",
    "log ",
    "listen bgp ",
    "interface ",
    "scan time ",
    "primary ",
    "multipath ",
    "weight ",
    "ipv4 ",
    "error wait time ",
    "add paths ",
    "case ",
    "#",
    "/*",
    "*/",
    "\u{e4}",
    "\\",
    "hold time ",
    "eval ",
    "sorted ",
    "\r",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat())
}

fn reads(text: &[u8]) {
    let files = Memory::new().with("c", text).with("other", "table t; include \"c\";");
    for family in [Family::Ipv4, Family::Ipv6] {
        let options = LoadOptions { family, dialect: None, before: None };
        match load("c", &files, &options) {
            Ok(loaded) => assert!(!loaded.config.protocols.is_empty()),
            Err(refused) => {
                assert!(!refused.diagnostics.is_empty());
                let report = refused.report(false).join("\n");
                assert!(report.len() <= 100_000 + 200 * text.len(), "{} octets", report.len());
            }
        }
    }
    let config = load("d", &Memory::new().with("d", "protocol device {}"), &LoadOptions::default()).unwrap().config;
    let line = Line::new(text);
    let _ = line.reader(&config).net();
    let _ = line.reader(&config).policy();
    let _ = line.reader(&config).protocols();
    let _ = line.reader(&config).expression();
    let _ = line.reader(&config).debug_mask();
}

proptest! {
    #[test]
    fn any_octets_are_survived(text in prop::collection::vec(any::<u8>(), 0..300)) {
        reads(&text);
    }

    #[test]
    fn any_row_of_pieces_is_survived(text in pieces()) {
        reads(text.as_bytes());
    }

    #[test]
    fn any_beginning_of_a_configuration_is_survived(cut in 0usize..2000) {
        let text = include_bytes!("reference/article/kubeadm1.conf");
        reads(&text[..cut.min(text.len())]);
    }
}

#[test]
fn deep_nesting_and_long_lists_are_survived() {
    reads("{".repeat(100_000).as_bytes());
    reads("(".repeat(100_000).as_bytes());
    reads(format!("eval {}", "(".repeat(100_000)).as_bytes());
    reads(format!("filter f {}", "{".repeat(100_000)).as_bytes());
    reads(format!("protocol device {{ {} }}", "x y;".repeat(10_000)).as_bytes());
    reads(format!("debug protocols {{ states{} }};", ", states".repeat(100_000)).as_bytes());
    reads(format!("define a = [ 1{} ];", ", 1".repeat(100_000)).as_bytes());
}
