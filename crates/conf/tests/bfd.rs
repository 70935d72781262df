//! `protocol bfd`, and `bfd` elsewhere: each configuration was shown to BIRD 1.6.8 (`bird -p`), which said the same.

#![allow(clippy::unwrap_used, reason = "tests")]

use rbird_conf::config::{BfdAccept, BfdAuth, BfdConf, BfdMode, Config, ProtocolKind, StaticDest};
use rbird_conf::files::Memory;
use rbird_conf::plan::diff;
use rbird_conf::{Dialect, LoadOptions, load};

fn read(text: &str) -> Result<Config, String> {
    let files = Memory::new().with("c", format!("router id 1.1.1.1; {text}"));
    match load("c", &files, &LoadOptions::default()) {
        Ok(loaded) => Ok(loaded.config),
        Err(refused) => Err(refused.report(false).join("\n").lines().next().unwrap_or_default().to_owned()),
    }
}

fn bfd(text: &str) -> BfdConf {
    let config = read(&format!("protocol bfd {{ {text} }}")).unwrap();
    match &config.protocols[0].kind {
        ProtocolKind::Bfd(conf) => conf.clone(),
        _ => panic!("another protocol"),
    }
}

/// What is refused, without the place.
fn refused(text: &str) -> String {
    let first = read(text).map(|_| ()).unwrap_err();
    first.split_once(' ').unwrap().1.to_owned()
}

#[test]
fn intervals_have_units_and_interval_is_both() {
    let conf = bfd(
        "interface \"eth*\" { interval 50 ms; min rx interval 20 ms; idle tx interval (1+1) s; multiplier 3; passive; }; \
         interface -\"lo\", \"*\"; multihop { interval 1500 us; };",
    );
    let eth = conf.of_link("eth0");
    assert_eq!((eth.min_rx_us, eth.min_tx_us, eth.idle_tx_us), (20_000, 50_000, 2_000_000));
    assert_eq!((eth.multiplier, eth.passive), (3, true));
    let default = conf.of_link("dummy0");
    assert_eq!((default.min_rx_us, default.min_tx_us, default.idle_tx_us), (10_000, 100_000, 1_000_000));
    assert_eq!((default.multiplier, default.passive), (5, false));
    assert_eq!((conf.multihop.min_rx_us, conf.multihop.min_tx_us), (1500, 1500));
}

#[test]
fn passwords_have_ids_and_times() {
    let conf = bfd("interface \"*\" { authentication meticulous keyed sha1; password \"a\"; \
         password \"b\" { id 9; generate from \"2020-01-01\"; to \"31-12-2030 23:59:58\"; accept from \"29-02-2024\"; }; \
         passwords { password \"c\"; }; };");
    let options = conf.of_link("x");
    assert_eq!(options.auth, BfdAuth::MeticulousSha1);
    let ids: Vec<_> = options.passwords.iter().map(|p| (p.id, &*p.secret)).collect();
    assert_eq!(ids, [(1, &b"a"[..]), (9, b"b"), (3, b"c")]);
    let b = &options.passwords[1];
    assert_eq!(b.generate.0.map(|t| (t.year, t.month, t.day, t.hour)), Some((2020, 1, 1, 0)));
    assert_eq!(b.accept.0.map(|t| (t.year, t.month, t.day)), Some((2024, 2, 29)));
    assert_eq!(b.accept.1.map(|t| (t.day, t.hour, t.minute, t.second)), Some((31, 23, 59, 58)));
    assert_eq!(b.accept.1, b.generate.1);
}

#[test]
fn neighbors_are_on_a_link_or_several_hops_away() {
    let conf = bfd("neighbor 10.0.0.1; neighbor 10.0.0.2 dev \"eth0\"; neighbor 10.0.0.3%eth1; \
                    neighbor 10.0.0.4 local 10.0.0.9 multihop;");
    let rows: Vec<_> = conf.neighbors.iter().map(|n| (n.iface.as_deref(), n.local.is_some(), n.multihop)).collect();
    assert_eq!(
        rows,
        [(None, false, false), (Some("eth0"), false, false), (Some("eth1"), false, false), (None, true, true)]
    );
}

#[test]
fn what_bird_refuses_is_refused_in_its_words() {
    let interface = |options: &str| refused(&format!("protocol bfd {{ interface \"*\" {{ {options} }}; }}"));
    assert_eq!(interface("interval 50;"), "syntax error");
    assert_eq!(interface("authentication md5; password \"a\";"), "syntax error");
    assert_eq!(interface("intervall 5 s;"), "syntax error");
    let together = "Authentication and password options should be used together";
    assert_eq!(interface("authentication simple;"), together);
    assert_eq!(interface("password \"a\";"), together);
    let password = |detail: &str| interface(&format!("authentication simple; password \"a\" {{ {detail} }};"));
    assert_eq!(password("id 0;"), "Password ID has to be greated than zero.");
    assert_eq!(password("algorithm keyed md5;"), "Password algorithm option not available in BFD protocol");
    for wrong in ["xyz", "2020-01-01 12:30", "2020-02-30", "1-1"] {
        assert_eq!(password(&format!("from \"{wrong}\";")), "Invalid date and time", "{wrong}");
    }
    let neighbor = |text: &str| refused(&format!("protocol bfd {{ neighbor 10.0.0.1 {text}; }}"));
    assert_eq!(neighbor("multihop"), "Multihop neighbor requires specified local address");
    assert_eq!(neighbor("dev \"x\" local 10.0.0.2 multihop"), "Neighbor cannot set both interface and multihop");
    let prefix = refused("protocol bfd { interface \"*\" 10.0.0.0/8 {}; }");
    assert_eq!(prefix, "Interface name/mask expected, not IP prefix");
}

#[test]
fn bgp_has_three_modes_and_needs_its_address_over_several_hops() {
    let mode = |bfd: &str| {
        let text = format!("protocol bgp {{ local as 1; neighbor 10.0.0.1 as 2; {bfd} }}");
        match &read(&text).unwrap().protocols[0].kind {
            ProtocolKind::Bgp(conf) => conf.bfd,
            _ => panic!("another protocol"),
        }
    };
    assert_eq!([mode(""), mode("bfd off;")], [BfdMode::Off; 2]);
    assert_eq!([mode("bfd;"), mode("bfd yes;")], [BfdMode::On; 2]);
    assert_eq!(mode("bfd graceful;"), BfdMode::Graceful);
    let internal = |local: &str| read(&format!("protocol bgp {{ local {local} as 1; neighbor 10.0.0.1 as 1; bfd; }}"));
    assert!(internal("10.0.0.9").is_ok());
    assert!(internal("").unwrap_err().contains("Multihop BGP with BFD requires specified source address"));
}

#[test]
fn gateways_of_a_multipath_have_bfd_and_a_single_one_has_not() {
    let text = "protocol static { route 10.0.0.0/8 multipath via 1.1.1.1 bfd via 1.1.1.2 bfd no weight 5 \
                via 1.1.1.3 weight 2 bfd on via 1.1.1.4; }";
    let config = read(text).unwrap();
    let ProtocolKind::Static(conf) = &config.protocols[0].kind else { panic!("another protocol") };
    let StaticDest::Via(hops) = &conf.routes[0].to else { panic!("another destination") };
    assert_eq!(
        hops.iter().map(|h| (h.bfd, h.weight)).collect::<Vec<_>>(),
        [(true, 1), (false, 5), (true, 2), (false, 1)]
    );
    assert_eq!(refused("protocol static { route 10.0.0.0/8 via 1.1.1.1 bfd; }"), "syntax error");
}

#[test]
fn new_intervals_are_taken_over_by_what_runs() {
    let with = |ms| read(&format!("protocol bfd b {{ interface \"*\" {{ interval {ms} ms; }}; }}")).unwrap();
    let plan = diff(&with(50), &with(60)).to_string();
    assert!(plan.starts_with("protocol b: updated in place (interface: "), "{plan}");
    assert!(diff(&with(50), &with(50)).is_empty());
}

#[test]
fn each_word_of_accept_leaves_out_the_others_of_its_kind() {
    let accept = |text: &str| {
        let files = Memory::new().with("c", format!("router id 1.1.1.1; protocol bfd {{ accept{text}; }}"));
        let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
        match &load("c", &files, &options).unwrap().config.protocols[0].kind {
            ProtocolKind::Bfd(conf) => conf.accept,
            _ => panic!("another protocol"),
        }
    };
    let all = BfdAccept::default();
    assert_eq!(accept(""), all);
    assert_eq!(accept(" ipv4"), BfdAccept { ipv6: false, ..all });
    assert_eq!(accept(" ipv6 multihop"), BfdAccept { ipv4: false, direct: false, ..all });
    let near = BfdAccept { multihop: false, ..all };
    assert!(near.takes([10, 0, 0, 1].into(), true) && !near.takes([10, 0, 0, 1].into(), false));
    assert!(!accept(" ipv4 direct").takes(std::net::Ipv6Addr::LOCALHOST.into(), true));
}
