//! `protocol aggregator`: what is read of it, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use rbird_conf::config::{Config, ProtocolKind};
use rbird_conf::files::Memory;
use rbird_conf::{LoadOptions, load};

const TABLES: &str = "router id 10.0.0.1; ipv4 table made; ipv6 table six; attribute int mine;\n";

fn read(text: &str) -> Result<Config, String> {
    let text = format!("{TABLES}{text}");
    match load("t.conf", &Memory::new().with("t.conf", text.as_bytes()), &LoadOptions::default()) {
        Ok(loaded) => Ok(loaded.config),
        Err(refused) => Err(refused.report(false).join("\n")),
    }
}

/// An aggregator of which one piece is another.
fn of(table: &str, keys: &str, merge: &str) -> String {
    format!("protocol aggregator a {{ {table} {keys} {merge} }}")
}

const FROM: &str = "table master4; peer table made;";
const KEYS: &str = "aggregate on net, mine, bgp_path, (bgp_path.len);";
const MERGE: &str = "merge by { for route r in routes do { if defined(r.bgp_med) then bgp_med = r.bgp_med; print r, routes; } accept; };";

#[test]
fn it_reads_one_table_and_fills_another() {
    let text = of(FROM, KEYS, &format!("export where source = RTS_BGP; import none; {MERGE}"));
    let config = read(&text).unwrap();
    let conf = &config.protocols[0];
    let channels: Vec<_> =
        conf.channels.iter().map(|c| (&*c.table, c.import.name(), c.export.name(), c.preference)).collect();
    assert_eq!(channels, [("master4", "REJECT", "(unnamed)", 1), ("made", "REJECT", "REJECT", 1)]);
    let ProtocolKind::Aggregator(own) = &conf.kind else { panic!("{:?}", conf.kind) };
    assert_eq!(own.keys.len(), 4);
    assert!(own.keys[0].attr.is_some() && own.keys[3].attr.is_none());
}

#[test]
fn both_tables_may_be_of_ipv6() {
    let config = read(&of("table master6; peer table six;", "aggregate on net;", MERGE)).unwrap();
    assert!(config.protocols[0].channels.iter().all(|c| c.family == route::Family::Ipv6));
}

#[test]
fn what_it_needs_and_what_it_can_not_take_is_said() {
    for (text, wrong) in [
        (of("peer table made;", KEYS, MERGE), "Source table not specified"),
        (of("table master4;", KEYS, MERGE), "Destination table not specified"),
        (of("table master4; peer table six;", KEYS, MERGE), "Both tables must be of the same type"),
        (of(FROM, "", MERGE), "Aggregate on clause not specified"),
        (of(FROM, KEYS, ""), "Merge by clause not specified"),
        (of(FROM, "aggregate on bgp_path;", MERGE), "'NET' must be present"),
        (of(FROM, "aggregate on net; aggregate on net;", MERGE), "Only one aggregate on clause allowed"),
        (of(FROM, "aggregate on net, proto;", MERGE), "no such attribute from others"),
        (of(FROM, "aggregate on net, made;", MERGE), "Can't aggregate on symbol type"),
        (
            of(FROM, KEYS, "merge by { for int r in routes do accept; };"),
            "Loop variable 'r' in FOR must be of type route",
        ),
        (
            of(FROM, KEYS, "merge by { bgp_med = bgp_path.bgp_med; accept; };"),
            "must be of type route, got type bgppath",
        ),
        ("filter f { print routes; accept; } protocol device {}".to_owned(), "syntax error"),
        ("filter f { route r; accept; } protocol device {}".to_owned(), "syntax error"),
    ] {
        let said = read(&text).map(|_| "read".to_owned()).unwrap_or_else(|said| said);
        assert!(said.contains(wrong), "{text}:\n{said}");
    }
}
