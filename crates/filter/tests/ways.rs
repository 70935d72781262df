//! Where a filter of dialect 2 sends packets: `gw`, `ifname`, `onlink`, `weight`, one after the other. Tried with 2.0.12.

#![allow(clippy::unwrap_used, reason = "tests")]

use rbird_filter::language::define_filter;
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, lex};
use rbird_filter::{Dialect, Env, FileId, RouteView, Scratch, Symbols};
use route::attrs::{Local, LocalAttr, LocalValue};
use route::iface::{IfaceFlags, Scope};
use route::{
    AttrSet, Dest, Hop, IfIndex, Iface, IfaceAddr, Ifaces, ProtocolId, RoaTables, Source, SourceId, SourceKind,
};

/// Two links, the first with 10.1.1.0/24.
fn ifaces() -> Ifaces {
    let link = |index, name: &str, addrs| Iface {
        index: IfIndex(index),
        name: name.into(),
        flags: IfaceFlags { admin_up: true, link_up: true, ..IfaceFlags::default() },
        mtu: 1500,
        master: IfIndex(0),
        addrs,
    };
    let addr = IfaceAddr {
        addr: "10.1.1.1".parse().unwrap(),
        prefix: "10.1.1.0/24".parse().unwrap(),
        broadcast: None,
        peer: None,
        scope: Scope::Site,
        secondary: false,
    };
    Ifaces::new(vec![link(1, "d0", vec![addr]), link(2, "d1", Vec::new())])
}

/// What a filter makes of a route via 10.1.1.2 on `d0` with weight 7: its attributes, or the run-time error.
fn changed(commands: &str) -> Result<AttrSet, String> {
    let text = format!("f {{ {commands} accept; }}");
    let files = [SourceFile { path: "bird.conf".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), &files[0].text);
    let mut symbols = Symbols::new(None);
    define_filter(&mut Cursor::new(&files, &tokens, None).speaking(Dialect::V2), &mut symbols).unwrap();
    let filter = match &symbols.get("f").unwrap().kind {
        rbird_filter::SymbolKind::Filter(filter) => filter.clone(),
        other => panic!("{}", other.word()),
    };
    let way = Hop { weight: 6, ..Hop::via("10.1.1.2".parse().unwrap(), IfIndex(1)) };
    let attrs = AttrSet::local_only(Local::new(SourceKind::Static, 200, Dest::Via(way)));
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "p".into(), SourceKind::Static);
    let net = "10.0.0.0/8".parse().unwrap();
    let route = RouteView { roa: None, net, attrs: &attrs, source: &source, resolved: None, igp_metric: None };
    let ifaces = ifaces();
    let outcome = filter.run(&mut Scratch::new(), route, Env { ifaces: &ifaces, roas: RoaTables::NONE });
    match outcome.error {
        Some(error) => Err(error.to_string()),
        None => Ok(outcome.attrs.unwrap_or(attrs)),
    }
}

/// Where that route leads.
fn way(commands: &str) -> Result<Hop, String> {
    match changed(commands)?.local().dest {
        Dest::Via(hop) => Ok(hop),
        ref other => Err(format!("{other:?}")),
    }
}

#[test]
fn a_link_takes_the_place_of_a_gateway_and_the_rest_of_the_way_stays() {
    let on = |link| Hop { weight: 6, ..Hop::dev(IfIndex(link)) };
    assert_eq!(way("ifname = \"d1\";"), Ok(on(2)));
    assert_eq!(way("onlink = true; ifname = \"d1\";"), Ok(Hop { onlink: true, ..on(2) }));
    let gateway = Some("192.0.2.1".parse().unwrap());
    let far = way("onlink = true; ifname = \"d1\"; gw = 192.0.2.1;");
    assert_eq!(far, Ok(Hop { onlink: true, gateway, ..on(2) }));
    assert!(way("ifname = \"d1\"; gw = 192.0.2.1;").is_err(), "on no link of ours");
}

#[test]
fn a_link_local_gateway_is_on_the_link_of_the_way() {
    let gateway = Some("fe80::1".parse().unwrap());
    let expected = |link| Ok(Hop { gateway, weight: 6, ..Hop::dev(IfIndex(link)) });
    assert_eq!(way("gw = fe80::1;"), expected(1));
    assert_eq!(way("ifname = \"d1\"; gw = fe80::1;"), expected(2));
}

#[test]
fn the_algorithm_against_congestion_is_a_text() {
    let set = changed("krt_congctl = \"bbr\"; if krt_congctl != \"bbr\" then reject;").unwrap();
    assert_eq!(set.local().extra(LocalAttr::KrtCongctl), Some(&LocalValue::Text("bbr".into())));
    let unset = changed("krt_congctl = \"bbr\"; unset(krt_congctl);").unwrap();
    assert_eq!(unset.local().extra(LocalAttr::KrtCongctl), None);
}
