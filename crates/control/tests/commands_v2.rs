//! The commands of dialect 2: what is taken, and how what is wrong is answered. Each answer is that of BIRD 2.0.12, or of
//! 3.3.2 where 2.0.12 has no such command.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can not go on has failed")]

use conf::Dialect;
use conf::config::{Config, DebugMask};
use conf::files::Memory;
use conf::load::LoadOptions;
use rbird_control::order::{BfdQuery, Order};
use rbird_control::request::{Action, Choice, Direction, Dump, ExportMode, Farewell, RouteQuery};

const CONFIG: &str = r#"
    router id 10.8.0.1;
    define LANS = [ 10.8.0.0/16+ ];
    define HOME = 192.0.2.1;
    define ONE = 5;
    filter f1 { accept; }
    ipv4 table other4;
    roa4 table r4;
    protocol device device1 { }
    protocol kernel k4 { ipv4 { export all; }; }
    protocol static s4 { ipv4; route 10.50.0.0/16 blackhole; }
    protocol static sr4 { roa4 { table r4; }; route 10.60.0.0/16 max 24 as 65002; }
    protocol pipe pp { table master4; peer table other4; }
    protocol bfd bf { }
    protocol mrt m1 { table "other*"; filename "m"; period 300; }
    template bgp tb { local as 65001; }
    protocol bgp p1 from tb { neighbor 10.8.0.2 as 65002;
        ipv4 { import all; export all; import table; export table; }; ipv6 { import all; export none; }; }
    protocol bgp dyn from tb { neighbor range 10.9.0.0/16 external; dynamic name "d"; ipv4 { import all; export all; }; }
"#;

fn config() -> Config {
    let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
    conf::load("c", &Memory::new().with("c", CONFIG), &options).expect("it is right").config
}

fn parse(line: &str) -> Result<Order, String> {
    let parsed = Order::parse(line.as_bytes(), &config());
    parsed.map(|(order, _)| order).map_err(|refusal| format!("{} {}", refusal.code, refusal.text))
}

fn query(line: &str) -> RouteQuery {
    match parse(line) {
        Ok(Order::Routes(query)) => query,
        other => panic!("{line}: {other:?}"),
    }
}

fn refused(cases: &[(&str, &str)]) {
    for (line, reply) in cases {
        assert_eq!(parse(line).expect_err(line), format!("9001 {reply}"), "{line}");
    }
}

#[test]
fn a_channel_is_debugged_by_its_name() {
    for (line, name, word) in [
        ("debug p1.ipv4 all", "p1", "ipv4"),
        ("debug p1.ipv6 { routes, filters }", "p1", "ipv6"),
        ("debug sr4.roa4 off", "sr4", "roa4"),
        ("debug pp.sec off", "pp", "sec"),
        ("debug d7.ipv4 off", "d7", "ipv4"),
    ] {
        let Ok(Order::Debug { choice, channel, .. }) = parse(line) else { panic!("{line}") };
        assert_eq!((choice, channel), (Choice::Named(name.into()), Some(word)), "{line}");
    }
    let Ok(Order::Debug { channel: None, mask, .. }) = parse("debug p1 { routes }") else { panic!() };
    assert_eq!(mask, DebugMask::ROUTES);
    refused(&[
        ("debug p1.roa4 off", "Channel p1.roa4 not found"),
        ("debug p1.ipv4_mc off", "Channel p1.ipv4-mc not found"),
        ("debug p1.pri off", "Channel p1.pri not found"),
        ("debug device1.ipv4 off", "Channel device1.ipv4 not found"),
        ("debug m1.ipv4 off", "Channel m1.ipv4 not found"),
        ("debug p1.nope off", "syntax error, unexpected CF_SYM_UNDEFINED"),
        ("debug p1. off", "syntax error, unexpected OFF"),
        ("debug other4 off", "Protocol name required"),
        ("debug nope.ipv4 off", "syntax error, unexpected CF_SYM_UNDEFINED, expecting CF_SYM_KNOWN or TEXT or ALL"),
    ]);
}

#[test]
fn exports_are_asked_for_by_protocol_or_channel() {
    let asked = query("show route exported p1");
    assert_eq!(asked.export.as_ref().map(|e| (e.mode, e.wherever)), Some((ExportMode::Exported, true)));
    assert_eq!(asked.tables, ["master4".into(), "master6".into()]);
    for (line, tables) in [
        ("show route export p1.ipv6", &["master6"][..]),
        ("show route noexport pp", &["master4", "other4"]),
        ("show route preexport pp.sec", &["other4"]),
        ("show route export p1 10.0.0.0/8", &["master4"]),
        ("show route export d3", &["master4"]),
        ("show route table all export k4", &["master4"]),
        ("show route export s4.ipv4", &["master4"]),
        ("show route export s4 table master4", &["master4"]),
        ("show route protocol p1 in 2001:db8::/32", &["master6"]),
        ("show route import table p1.ipv4", &["master4"]),
    ] {
        assert_eq!(query(line).tables, tables.iter().map(|&t| t.into()).collect::<Vec<_>>(), "{line}");
    }
    refused(&[
        ("show route export p1.roa4", "Channel p1.roa4 not found"),
        ("show route import table p1.vpn4", "Channel p1.vpn4 not found"),
        ("show route import table p1.ipv6", "No import table in channel p1.ipv6"),
        ("show route export table s4.ipv4", "No export table in channel s4.ipv4"),
        ("show route export p1 table other4", "No export channel for table other4"),
        ("show route export s4", "No valid tables"),
        ("show route export device1", "No valid tables"),
        ("show route protocol m1", "No valid tables"),
        ("show route exported p1 filtered", "Incompatible show route options"),
        ("show route exported nope", "syntax error, unexpected CF_SYM_UNDEFINED, expecting CF_SYM_KNOWN"),
        ("show route export tb", "Protocol name required"),
        ("show route exported p1 export p1", "Export specified twice"),
    ]);
}

#[test]
fn a_net_that_a_table_can_not_have_is_refused_where_the_table_was_named() {
    refused(&[
        ("show route table master4 2001:db8::/32", "Incompatible type of prefix/ip for table master4"),
        ("show route for 10.1.1.1 table r4", "Incompatible type of prefix/ip for table r4"),
        ("show route table all aspa 5", "No valid tables"),
        ("show route protocol sr4 10.0.0.0/8", "No valid tables"),
        ("show route for LANS", "IP address or network constant expected"),
        ("show route for ONE", "IP address or network constant expected"),
        ("show route HOME", "Network constant expected"),
        ("show route table p1", "Table name required"),
    ]);
    assert_eq!(query("show route table all 10.0.0.0/8").tables, ["master4".into(), "other4".into()]);
    assert!(!query("show route table all 10.0.0.0/8").heads_empty);
    assert!(query("show route table all in 10.0.0.0/8").heads_empty);
}

#[test]
fn what_protocols_do_not_exist_here_are_asked_is_read_all_the_same() {
    for line in
        ["show babel interfaces \"eth*\"", "show babel entries", "show rip neighbors p1", "show ospf lsadb area 0"]
    {
        assert!(matches!(parse(line), Ok(Order::OfKind { .. })), "{line}");
    }
    refused(&[
        ("show babel", "syntax error, unexpected END"),
        ("show mpls ranges", "No MPLS domain defined"),
        ("show mpls ranges p1", "No MPLS domain defined"),
        ("show bfd", "syntax error, unexpected END, expecting SESSIONS"),
        ("show ospf nope", "syntax error, unexpected CF_SYM_UNDEFINED"),
        ("show static nope", "syntax error, unexpected CF_SYM_UNDEFINED, expecting END or CF_SYM_KNOWN"),
    ]);
}

#[test]
fn a_graceful_restart_is_an_end_of_another_kind() {
    assert!(matches!(parse("graceful restart"), Ok(Order::Down(Farewell::GracefulRestart))));
    assert!(matches!(parse("down"), Ok(Order::Down(Farewell::Down))));
    refused(&[
        ("graceful", "syntax error, unexpected END, expecting RESTART"),
        ("graceful restart x", "syntax error, unexpected CF_SYM_UNDEFINED, expecting END"),
    ]);
}

/// The words of every command that changes something, or writes a file.
#[test]
fn who_may_only_look_is_denied_what_changes_something() {
    for line in [
        "dump routes \"x\"",
        "mrt dump table master4 to \"x\"",
        "graceful restart",
        "down",
        "debug p1.ipv4 all",
        "reload filters in p1",
        "reload bgp p1",
    ] {
        let (_, verb) = Order::parse(line.as_bytes(), &config()).expect(line);
        assert!(!verb.is_safe(), "{line}");
    }
    for line in ["show threads all", "show bfd sessions all", "show route exported p1", "dump routes", "eval 1"] {
        let (_, verb) = Order::parse(line.as_bytes(), &config()).expect(line);
        assert!(verb.is_safe(), "{line}");
    }
}

#[test]
fn sessions_of_bfd_are_asked_for_by_neighbour_link_family_and_distance() {
    let asked = |line: &str| match parse(line) {
        Ok(Order::BfdSessions(query)) => query,
        other => panic!("{line}: {other:?}"),
    };
    assert_eq!(asked("show bfd sessions"), BfdQuery::default());
    let query = asked("show bfd sessions all ipv4 bf dev \"d0\" direct address 10.8.0.0/24");
    assert!(query.detail && query.direct == Some(true) && query.family == Some(route::Family::Ipv4));
    assert_eq!((query.protocol.as_deref(), query.iface.as_deref()), (Some("bf"), Some("d0")));
    assert_eq!(asked("show bfd sessions address HOME").within, Some("192.0.2.1/32".parse().unwrap()));
    assert_eq!(asked("show bfd sessions interface \"d1\" multihop").direct, Some(false));
    refused(&[
        ("show bfd sessions ipv4 ipv6", "Options 'ipv4' and 'ipv6' are mutually exclusive"),
        ("show bfd sessions multihop direct", "Options 'direct' and 'multihop' are mutually exclusive"),
        ("show bfd sessions nope", "syntax error, unexpected CF_SYM_UNDEFINED"),
    ]);
}

#[test]
fn a_reload_of_filters_may_be_of_some_prefixes() {
    for (line, direction) in [
        ("reload filters p1 partial [10.0.0.0/8+]", Direction::Both),
        ("reload filters in p1 partial LANS", Direction::In),
        ("reload filters out all partial [2001:db8::/32{40,48}]", Direction::Out),
    ] {
        let Ok(Order::Act { action, partial: Some(nets), .. }) = parse(line) else { panic!("{line}") };
        assert_eq!(action, Action::Reload(direction), "{line}");
        assert!(!nets.contains(&"192.0.2.0/24".parse().unwrap()), "{line}");
    }
    assert!(matches!(parse("reload filters p1"), Ok(Order::Act { partial: None, .. })));
    refused(&[
        ("reload filters p1 partial ONE", "Partial spec must be prefix set"),
        ("reload filters p1 partial [1, 2]", "Partial spec must be prefix set"),
        ("reload filters p1 partial", "syntax error, unexpected END"),
        ("reload p1 partial LANS", "syntax error, unexpected CF_SYM_UNDEFINED, expecting END"),
    ]);
}

#[test]
fn a_dump_goes_into_a_file_that_is_named() {
    for (line, what) in [
        ("dump ao keys \"x\"", Dump::AoKeys),
        ("dump attribute stats \"x\"", Dump::AttributeStats),
        ("dump filter all \"x\"", Dump::Filters),
        ("dump tables \"x\"", Dump::Tables),
        ("dump routes \"x\"", Dump::Routes),
    ] {
        let Ok(Order::DumpFile { what: found, file }) = parse(line) else { panic!("{line}") };
        assert_eq!((found, &*file), (what, "x"), "{line}");
    }
    assert!(matches!(parse("dump filter all"), Ok(Order::Dump(Dump::Filters))));
    refused(&[("dump filter", "syntax error, unexpected END, expecting ALL")]);
}
