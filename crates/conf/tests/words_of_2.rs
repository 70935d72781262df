//! Values and forms of words of BIRD 2: each was shown to BIRD 2.19.2 (`bird -p`), which says the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use rbird_conf::config::{BfdAuth, BfdConf, Config, ProtocolKind, StaticDest, StaticHop};
use rbird_conf::files::Memory;
use rbird_conf::{Dialect, LoadOptions, load};

fn loaded(text: &str) -> Result<(Config, Vec<String>), String> {
    let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
    match load("c", &Memory::new().with("c", format!("router id 1.1.1.1; {text}")), &options) {
        Ok(loaded) => {
            let warnings = loaded.warning_lines();
            Ok((loaded.config, warnings))
        }
        Err(refused) => Err(refused.line()),
    }
}

fn read(text: &str) -> Config {
    loaded(text).unwrap().0
}

/// What is said of texts that are refused.
fn refused(cases: &[(&str, &str)]) {
    for (text, wrong) in cases {
        let said = loaded(text).map(drop).unwrap_err();
        assert!(said.contains(wrong), "{text}: {said}");
    }
}

fn bfd(text: &str) -> BfdConf {
    match &read(&format!("protocol bfd {{ {text} }}")).protocols[0].kind {
        ProtocolKind::Bfd(bfd) => bfd.clone(),
        _ => panic!("another protocol"),
    }
}

#[test]
fn a_switch_is_true_or_false_too_and_a_constant_may_say_it() {
    let passive = |value: &str| {
        let session = "local as 1; neighbor 10.0.0.2 as 1; ipv4;";
        let config =
            loaded(&format!("define yea = true; define nay = 0; protocol bgp {{ {session} passive {value}; }}"));
        config.map(|(config, _)| match &config.protocols[0].kind {
            ProtocolKind::Bgp(bgp) => bgp.passive,
            _ => panic!("another protocol"),
        })
    };
    assert_eq!(
        ["true", "false", "yea", "nay", "on", "no", "(1)"].map(|v| passive(v).unwrap()),
        [true, false, true, false, true, false, true]
    );
    assert!(passive("maybe").unwrap_err().contains("Switch value expected"));
}

#[test]
fn to_be_a_client_is_a_switch_so_that_a_template_can_be_taken_back() {
    let text = "template bgp t { local as 1; neighbor 10.0.0.2 as 1; rr client; ipv4; } \
                protocol bgp a from t { } protocol bgp b from t { rr client off; }";
    let clients =
        read(text).protocols.iter().map(|p| matches!(&p.kind, ProtocolKind::Bgp(b) if b.rr_client)).collect::<Vec<_>>();
    assert_eq!(clients, [true, false]);
}

#[test]
fn a_channel_is_opened_once_and_again_in_what_is_made_from_a_template() {
    let text = "template bgp t { local as 1; ipv4 { import none; export none; }; } \
                template bgp u from t { ipv4 { import all; }; } \
                protocol bgp from u { neighbor 10.0.0.2 as 2; ipv4 { export all; }; }";
    let config = read(text);
    let channel = &config.protocols[0].channels[0];
    assert_eq!((channel.import.name(), channel.export.name()), ("ACCEPT", "ACCEPT"));
    let twice = "ipv4 { import none; export none; }; ipv4 { import all; };";
    refused(&[
        (&format!("protocol bgp {{ local as 1; neighbor 10.0.0.2 as 2; {twice} }}"), "Multiple ipv4 channels"),
        (
            &format!(
                "template bgp t {{ local as 1; ipv4; }} protocol bgp from t {{ neighbor 10.0.0.2 as 2; {twice} }}"
            ),
            "Multiple ipv4 channels",
        ),
    ]);
}

#[test]
fn a_table_of_next_hops_counts_where_they_are_looked_up() {
    let session = |own: &str| {
        loaded(&format!(
            "protocol bgp {{ local as 1; neighbor 10.0.0.2 as 2; ipv4 {{ import all; export all; igp table master6; {own} }}; }}"
        ))
    };
    assert!(session("").is_ok(), "a direct session looks nothing up");
    assert!(session("gateway recursive; extended next hop;").is_ok());
    assert!(session("gateway recursive;").unwrap_err().contains("Mismatched IGP table type"));
}

#[test]
fn passwords_of_bfd_may_be_octets_and_their_numbers_begin_with_0() {
    let conf = bfd("interface \"*\" { authentication keyed sha1; password hex:01:ff; password \"a\" { id 0; }; \
                    passwords { password 000102030405060708090a0b0c0d0e0f; }; };");
    let options = conf.of_link("x");
    let secrets: Vec<_> = options.passwords.iter().map(|p| (p.id, p.secret.to_vec())).collect();
    assert_eq!(secrets, [(1, vec![1, 255]), (0, b"a".to_vec()), (3, (0..16).collect())]);
    refused(&[(
        "protocol bfd { interface \"*\" { authentication simple; password \"a\" { id 256; }; }; }",
        "Password ID must be in range 0-255",
    )]);
}

#[test]
fn a_method_without_a_password_is_warned_of_and_stays() {
    let (config, warnings) = loaded("protocol bfd { interface \"*\" { authentication simple; }; }").unwrap();
    assert!(warnings[0].contains("Authentication and password options should be used together"), "{warnings:?}");
    let ProtocolKind::Bfd(conf) = &config.protocols[0].kind else { panic!("another protocol") };
    assert_eq!(conf.of_link("x").auth, BfdAuth::Simple);
}

#[test]
fn a_link_is_one_of_several_ways_of_a_static_route() {
    let text = "protocol static { ipv4; route 10.0.0.0/8 via \"d0\" weight 7; route 11.0.0.0/8 via \"d0\"; \
                route 12.0.0.0/8 via 10.0.0.1 weight 2 via \"d1\" weight 3 via 10.0.0.2 dev \"d2\" onlink; \
                route 13.0.0.0/8 via \"d0\" dev \"d1\"; }";
    let config = read(text);
    let ProtocolKind::Static(fixed) = &config.protocols[0].kind else { panic!("another protocol") };
    let to: Vec<_> = fixed.routes.iter().map(|r| r.to.clone()).collect();
    let link = |name: &str, weight| StaticHop { iface: Some(name.into()), weight, ..StaticHop::default() };
    let via = |gateway: &str| StaticHop { gateway: Some(gateway.parse().unwrap()), ..StaticHop::default() };
    assert_eq!(to[0], StaticDest::Via(vec![link("d0", 7)]));
    assert_eq!(to[1], StaticDest::Device("d0".into()));
    let third = StaticHop { iface: Some("d2".into()), onlink: true, ..via("10.0.0.2") };
    assert_eq!(to[2], StaticDest::Via(vec![StaticHop { weight: 2, ..via("10.0.0.1") }, link("d1", 3), third]));
    assert_eq!(to[3], StaticDest::Device("d1".into()));
    let (_, warnings) = loaded("protocol static { ipv4; route 10.0.0.0/8 via \"d0\" onlink; }").unwrap();
    assert!(warnings[0].contains("onlink does nothing here"), "{warnings:?}");
}

#[test]
fn what_bird_refuses_is_refused_in_its_words() {
    let pipe = "ipv4 table t; protocol pipe { table master4; peer table t;";
    let bgp = "protocol bgp { local as 1; neighbor 10.0.0.2 as 1; ipv4;";
    let cases = [
        (format!("{pipe} import keep filtered; }}"), "Pipe protocol prohibits keeping filtered routes"),
        (format!("{pipe} receive limit 5; }}"), "Pipe protocol does not support receive limits"),
        (format!("{bgp} graceful restart time 4096; }}"), "Graceful restart time must be less than 4096"),
        (format!("{bgp} long lived stale time 16777216; }}"), "Long-lived stale time must be less than 2^24"),
        ("protocol mrt { filename \"f\"; period 5; }".to_owned(), "Table not specified"),
        ("ipv4 table t { gc period 5; } protocol device { }".to_owned(), "syntax error"),
        (
            "thread group a { threads 0; default; }; protocol device { }".to_owned(),
            "Number of threads must be at least one.",
        ),
        ("thread group a; protocol device { }".to_owned(), "No default thread group configured"),
        (
            "thread group a { default; }; thread group b { default; }; protocol device { }".to_owned(),
            "Too many default thread groups, already have a",
        ),
    ];
    let cases: Vec<_> = cases.iter().map(|(text, wrong)| (text.as_str(), *wrong)).collect();
    refused(&cases);
    assert!(loaded(&format!("{pipe} import keep filtered off; receive limit off; }}")).is_ok());
}

#[test]
fn families_that_rbird_has_not_are_refused_in_a_sentence() {
    for (table, why) in [
        ("vpn4", "L3VPN"),
        ("flow6", "flowspec"),
        ("eth", "EVPN"),
        ("evpn", "EVPN"),
        ("neighbor", "EVPN"),
        ("mpls", "MPLS"),
    ] {
        let text = format!("{table} table x; protocol device {{ }}");
        let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
        let wrong =
            load("c", &Memory::new().with("c", &*text), &options).map(drop).unwrap_err().report(false).join("\n");
        assert!(wrong.contains("is not supported by this release of rbird") && wrong.contains(why), "{table}: {wrong}");
    }
}
