//! What later releases of 2.x and 3.x read beside 2.0.12: policies for a part of a table, path attributes by their code,
//! attributes of any single value, operators on bits.

#![allow(clippy::unwrap_used, reason = "tests")]

use rbird_filter::language::{define_attribute, define_bgp_attribute, define_filter, policy_within};
use rbird_filter::span::SourceFile;
use rbird_filter::syntax::{Cursor, lex};
use rbird_filter::{
    Authorised, Dialect, Env, FileId, Filter, Outcome, Policy, RouteView, Scratch, SymbolKind, Symbols, Verdict,
};
use route::attrs::{AttrSetBuilder, Local};
use route::{AttrSet, Dest, Ifaces, ProtocolId, RoaTables, Source, SourceId, SourceKind};
use std::sync::Arc;

/// Reads a text of dialect 2.
fn reading<T>(text: &str, read: impl FnOnce(&mut Cursor<'_>, &mut Symbols) -> T) -> T {
    let files = [SourceFile { path: "bird.conf".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), &files[0].text);
    read(&mut Cursor::new(&files, &tokens, None).speaking(Dialect::V2), &mut Symbols::new(None))
}

fn of_kind(kind: SourceKind) -> AttrSet {
    AttrSet::local_only(Local::new(kind, 100, Dest::Unreachable))
}

fn run(filter: &Filter, net: &str, attrs: &AttrSet) -> Outcome {
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "p".into(), attrs.local().kind);
    let net = net.parse().unwrap();
    let route = RouteView { roa: None, net, attrs, source: &source, resolved: None, igp_metric: None };
    let ifaces = Ifaces::new(Vec::new());
    filter.run(&mut Scratch::new(), route, Env { ifaces: &ifaces, roas: RoaTables::NONE })
}

#[test]
fn a_policy_for_a_network_is_asked_of_what_lies_in_it() {
    let within = |net: &str, text: &str| {
        reading(text, |cursor, symbols| policy_within(cursor, symbols, net.parse().unwrap())).unwrap()
    };
    let verdict = |policy: &Policy, net: &str| match policy {
        Policy::Filter(filter) => run(filter, net, &of_kind(SourceKind::Static)).verdict,
        other => panic!("{other:?}"),
    };
    let all = within("10.0.0.0/8", "all;");
    for (net, said) in [
        ("10.0.0.0/8", Verdict::Accept),
        ("10.2.0.0/16", Verdict::Accept),
        ("10.0.0.1/32", Verdict::Accept),
        ("10.0.0.0/7", Verdict::Reject),
        ("11.0.0.0/8", Verdict::Reject),
        ("0.0.0.0/0", Verdict::Reject),
    ] {
        assert_eq!(verdict(&all, net), said, "{net}");
    }
    assert_eq!(all.name(), "ACCEPT");
    let long = within("2001:db8::/32", "where net.len > 40;");
    assert_eq!(verdict(&long, "2001:db8:1::/48"), Verdict::Accept);
    assert_eq!(verdict(&long, "2001:db8::/32"), Verdict::Reject);
    assert_eq!(verdict(&long, "2001:db9:1::/48"), Verdict::Reject);
    let Policy::Filter(long) = long else { panic!() };
    assert!(long.inputs.net, "a result holds for its prefix only");
    assert!(matches!(within("10.0.0.0/8", "none;"), Policy::Reject));
    assert!(all.is_same(&within("10.0.0.0/8", "all;")) && !all.is_same(&within("10.0.0.0/9", "all;")));
}

/// `attribute` declarations, then `filter f`.
fn filter_with(text: &str) -> Result<Arc<Filter>, String> {
    reading(text, |cursor, symbols| {
        let first = |wrong: Vec<rbird_filter::Diagnostic>| wrong[0].message.clone();
        while cursor.eat_word("attribute") {
            match cursor.eat_word("bgp") {
                true => define_bgp_attribute(cursor, symbols),
                false => define_attribute(cursor, symbols, None),
            }
            .map_err(first)?;
        }
        cursor.expect_word("filter").unwrap();
        define_filter(cursor, symbols).map_err(first)?;
        match symbols.get("f").map(|s| &s.kind) {
            Some(SymbolKind::Filter(filter)) => Ok(Arc::clone(filter)),
            other => panic!("{other:?}"),
        }
    })
}

#[test]
fn an_attribute_that_nobody_knows_is_read_set_and_taken_away_as_octets() {
    const OPTIONAL_TRANSITIVE: u8 = 0xc0;
    let read =
        filter_with("attribute bgp 200 bytestring x; filter f { if x = hex:01:02 then accept; reject; }").unwrap();
    let mut with = AttrSetBuilder::new(of_kind(SourceKind::Bgp).local().clone());
    with.set_with_flags(OPTIONAL_TRANSITIVE, 200, &[1, 2]);
    let with = with.build();
    assert_eq!(run(&read, "10.0.0.0/8", &with).verdict, Verdict::Accept);
    assert_eq!(run(&read, "10.0.0.0/8", &of_kind(SourceKind::Bgp)).verdict, Verdict::Reject);

    let set = filter_with("attribute bgp 200 bytestring x; filter f { x = hex:09; accept; }").unwrap();
    let own = run(&set, "10.0.0.0/8", &of_kind(SourceKind::Static)).attrs.unwrap();
    assert_eq!(own.octets(), [OPTIONAL_TRANSITIVE, 200, 0, 1, 9]);

    let unset =
        filter_with("attribute bgp 200 bytestring x; filter f { unset(x); if defined(x) then reject; accept; }");
    let gone = run(&unset.unwrap(), "10.0.0.0/8", &with);
    assert_eq!((gone.verdict, gone.attrs.unwrap().octets()), (Verdict::Accept, [].as_slice()));
}

#[test]
fn a_known_attribute_has_its_type_and_one_of_messages_no_name() {
    let known = filter_with("attribute bgp 4 int colour; filter f { colour = 5; accept; }").unwrap();
    let told = run(&known, "10.0.0.0/8", &of_kind(SourceKind::Static)).attrs.unwrap();
    assert_eq!(told.get(4), Some([0, 0, 0, 5].as_slice()));
    for (declared, wrong) in [
        ("4 bytestring x", "Attribute 4 is an int, not a bytestring."),
        ("200 int x", "Attribute 200 is"),
        ("0 bytestring x", "Invalid attribute number. (Given 0, must be 1-255.)"),
        ("256 bytestring x", "Invalid attribute number. (Given 256, must be 1-255.)"),
        ("14 bytestring x", "Attribute 14 stands in messages only"),
    ] {
        let said = filter_with(&format!("attribute bgp {declared}; filter f {{ accept; }}")).unwrap_err();
        assert!(said.starts_with(wrong), "{declared}: {said}");
    }
}

/// What the commands print for a route of a static protocol, its next hop 7 away; `attributes` are declared in front.
fn printed(attributes: &str, commands: &str) -> Vec<String> {
    let filter = filter_with(&format!("{attributes} filter f {{ {commands} accept; }}")).unwrap();
    let attrs = of_kind(SourceKind::Static);
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "p".into(), SourceKind::Static);
    let net = "10.0.0.0/8".parse().unwrap();
    let route = RouteView { roa: None, net, attrs: &attrs, source: &source, resolved: None, igp_metric: Some(7) };
    let ifaces = Ifaces::new(Vec::new());
    let outcome = filter.run(&mut Scratch::new(), route, Env { ifaces: &ifaces, roas: RoaTables::NONE });
    assert_eq!((outcome.verdict, outcome.error), (Verdict::Accept, None));
    outcome.printed
}

#[test]
fn an_attribute_of_the_operator_holds_any_single_value() {
    for (kind, value, shown) in [
        ("bool", "true", "TRUE"),
        ("pair", "(1,2)", "(1,2)"),
        ("prefix", "10.1.0.0/16", "10.1.0.0/16"),
        ("prefix", "2001:db8::/32", "2001:db8::/32"),
        ("ec", "(rt,1,2)", "(rt, 1, 2)"),
        ("lc", "(1,2,3)", "(1, 2, 3)"),
        ("enum rts", "RTS_BGP", "(enum 30)11"),
        ("string", "\"a\"", "a"),
        ("bytestring", "hex:0102", "01:02"),
    ] {
        let commands = format!(
            "print defined(x); x = {value}; print x, x = {value}; {kind} y = x; unset(x); print defined(x), y;"
        );
        let said = printed(&format!("attribute {kind} x;"), &commands);
        assert_eq!(said, ["FALSE".to_owned(), format!("{shown}TRUE"), format!("FALSE{shown}")], "{kind}");
    }
    for kind in ["int set", "prefix set", "bgpmask"] {
        assert_eq!(printed(&format!("attribute {kind} x;"), "print defined(x);"), ["FALSE"]);
        let said = filter_with(&format!("attribute {kind} x; filter f {{ {kind} y; x = y; accept; }}")).unwrap_err();
        assert!(said.starts_with("Setting an attribute of type ") && said.ends_with(" is not allowed"), "{said}");
    }
}

#[test]
fn an_attribute_that_is_known_without_may_be_declared_with_its_type() {
    assert_eq!(printed("attribute int bgp_med; attribute int preference;", "bgp_med = 5; print bgp_med;"), ["5"]);
    let said = filter_with("attribute ip bgp_med; filter f { accept; }").unwrap_err();
    assert_eq!(said, "Attribute bgp_med is an int, not an address.");
}

#[test]
fn bits_bind_weaker_than_sums_and_stronger_than_comparisons() {
    assert_eq!(printed("", "print 6 & 3, \" \", 4 | 1 + 2, \" \", 8 | 4 & 12, \" \", 5 | 2 = 7;"), ["2 7 12 TRUE"]);
    let said = filter_with("filter f { if 1 & true then accept; }").unwrap_err();
    assert_eq!(said, "Argument 2 of BITAND must be of type int, got type bool");
}

#[test]
fn path_masks_ask_attributes_and_the_distance_of_the_next_hop_is_read() {
    let mask = "bgp_path.prepend(100); print bgp_path ~ [= preference * =], bgp_path ~ [= local_metric * =];";
    assert_eq!(printed("", mask), ["TRUEFALSE"]);
    assert_eq!(printed("", "print local_metric; int local_metric = 3; print local_metric;"), ["7", "3"]);
    assert_eq!(printed("attribute int local_metric;", "local_metric = 4; print local_metric;"), ["4"]);
}

#[test]
fn a_preference_that_is_taken_away_is_none() {
    let filter = filter_with("filter f { unset(preference); unset(from); accept ,\"x\"; }").unwrap();
    let outcome = run(&filter, "10.0.0.0/8", &of_kind(SourceKind::Static));
    assert_eq!(outcome.attrs.unwrap().local().preference, 0);
    assert_eq!(outcome.printed, ["x"]);
    assert!(filter_with("filter f { unset(source); accept; }").is_err());
}

#[test]
fn of_attributes_that_no_route_has_is_said_why() {
    for (name, why) in [("mpls_label", "MPLS"), ("nexthop", "`gw`")] {
        for use_of in [format!("print {name};"), format!("{name} = 5;")] {
            let said = reading(&format!("f {{ {use_of} accept; }}"), define_filter);
            let said = said.expect_err(&use_of);
            let label = said[0].label.clone().unwrap_or_default();
            assert!(label.contains(why), "{use_of} {label}");
        }
    }
    assert_eq!(printed("attribute int nexthop;", "nexthop = 5; print nexthop;"), ["5"]);
}

#[test]
fn an_as_of_an_aspa_table_lies_in_no_set_of_prefixes() {
    let filter = filter_with("filter f { print net.ip, net ~ [::/0+], net !~ [0.0.0.0/0+]; accept; }").unwrap();
    let attrs = of_kind(SourceKind::Static);
    let source = Source::of_protocol(SourceId(1), ProtocolId(1), "p".into(), SourceKind::Static);
    let roa = Some(Authorised::Customer(route::Customer(1)));
    for net in ["::/0", "0.0.0.0/0"] {
        let net = net.parse().unwrap();
        let route = RouteView { roa, net, attrs: &attrs, source: &source, resolved: None, igp_metric: None };
        let ifaces = Ifaces::new(Vec::new());
        let outcome = filter.run(&mut Scratch::new(), route, Env { ifaces: &ifaces, roas: RoaTables::NONE });
        assert_eq!(outcome.printed, ["::FALSETRUE"]);
    }
}
