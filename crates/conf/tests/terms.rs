//! What a session of dialect 2 asks of its neighbour: read, checked in BIRD's words, and wondered about.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use rbird_conf::config::{BgpConf, ProtocolKind, RestartMode, TermsConf};
use rbird_conf::files::Memory;
use rbird_conf::{Dialect, LoadOptions, load};
use route::Role;

fn text(options: &str) -> String {
    format!("protocol bgp {{ local as 1; neighbor 10.0.0.2 as 2; {options} ipv4 {{ import all; export all; }}; }}")
}

/// A session with these options, and what is said of it.
fn session(options: &str) -> (BgpConf, Vec<String>) {
    match load("c", &Memory::new().with("c", text(options)), &options_of_2()) {
        Ok(loaded) => {
            let said = loaded.warning_lines();
            match &loaded.config.protocols[0].kind {
                ProtocolKind::Bgp(bgp) => (bgp.as_ref().clone(), said),
                other => panic!("{other:?}"),
            }
        }
        Err(refused) => panic!("{options}: {}", refused.report(false).join("\n")),
    }
}

/// BIRD's words for options that cannot be.
fn refusal(options: &str) -> String {
    let refused = load("c", &Memory::new().with("c", text(options)), &options_of_2()).unwrap_err();
    refused.line().split_once(' ').unwrap().1.to_owned()
}

fn options_of_2() -> LoadOptions {
    LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() }
}

#[test]
fn each_option_has_its_place() {
    let (plain, _) = session("");
    assert_eq!(plain.terms, TermsConf::default());
    assert!(plain.offer.enhanced_refresh && plain.strict_families && !plain.retries_bare);
    let (all, said) = session(
        "require route refresh; require enhanced route refresh; require as4; require extended messages on; \
         enable extended messages; require graceful restart; require long lived graceful restart; \
         require hostname; local role rs_client; require roles; \
         min hold time 30; min keepalive time 10; send hold time 600; min graceful restart time 5; \
         max graceful restart time 500; min long lived stale time 50; max long lived stale time 5000;",
    );
    let expected = TermsConf {
        route_refresh: true,
        enhanced_refresh: true,
        as4: true,
        extended_messages: true,
        graceful_restart: true,
        long_lived: true,
        hostname: true,
        role: Some(Role::RsClient),
        role_needed: true,
        least_hold_s: 30,
        least_keepalive_s: 10,
        send_hold_s: Some(600),
        restart_least_s: 5,
        restart_most_s: 500,
        stale_least_s: 50,
        stale_most_s: 5000,
    };
    assert_eq!(all.terms, expected);
    assert_eq!(said, [""; 0]);
    assert!(!session("enable enhanced route refresh off;").0.offer.enhanced_refresh);
}

#[test]
fn times_that_contradict_each_other_are_refused_in_bird_s_words() {
    for (options, expected) in [
        ("keepalive time 241;", "Keepalive time must be at most hold time"),
        ("send hold time 239;", "Send hold time must be zero or at least hold time"),
        ("min hold time 241;", "Min hold time (241) exceeds hold time (240)"),
        ("min keepalive time 81;", "Min keepalive time (81) exceeds keepalive time (80)"),
        ("keepalive time 9; min keepalive time 10;", "Min keepalive time (10) exceeds keepalive time (9)"),
        (
            "min graceful restart time 9; max graceful restart time 8;",
            "Min graceful restart time (9) exceeds max graceful restart time (8)",
        ),
        ("min graceful restart time 4096;", "Min graceful restart time must be less than 4096"),
        ("max graceful restart time 4096;", "Max graceful restart time must be less than 4096"),
        (
            "min long lived stale time 9; max long lived stale time 8;",
            "Min long-lived stale time (9) exceeds max long-lived stale time (8)",
        ),
        ("max long lived stale time 16777216;", "Max long-lived stale time must be less than 2^24"),
        ("require roles;", "Local role must be set if roles are required"),
        (
            "graceful restart off; long lived graceful restart on;",
            "Long-lived graceful restart requires basic graceful restart",
        ),
    ] {
        assert_eq!(refusal(options), expected, "{options}");
    }
    assert_eq!(session("send hold time 0;").0.terms.send_hold_s, Some(0));
}

#[test]
fn each_role_has_its_word_and_none_within_an_as() {
    for (word, role) in [
        ("peer", Role::Peer),
        ("provider", Role::Provider),
        ("customer", Role::Customer),
        ("rs_server", Role::RsServer),
        ("rs_client", Role::RsClient),
    ] {
        assert_eq!(session(&format!("local role {word};")).0.terms.role, Some(role));
    }
    let internal = "protocol bgp { local as 1; neighbor 10.0.0.2 as 1; local role peer; ipv4; }";
    let refused = load("c", &Memory::new().with("c", internal), &options_of_2()).unwrap_err();
    assert!(refused.line().ends_with(" Local role cannot be set on IBGP sessions"), "{}", refused.line());
}

#[test]
fn a_session_that_says_its_name_begins_anew_with_another_one() {
    let restarts = |old: &str, new: &str, of: &str| {
        let config = |head: &str| {
            let text = format!("{head}\nprotocol bgp p {{ local as 1; neighbor 10.0.0.2 as 1; {of} ipv4; }}");
            load("c", &Memory::new().with("c", text), &options_of_2()).unwrap().config
        };
        let plan = rbird_conf::plan::diff(&config(old), &config(new));
        plan.protocols[0].action == rbird_conf::plan::Action::Restart
    };
    let (a, b) = ("hostname \"a\";", "hostname \"b\";");
    assert!(restarts(a, b, "advertise hostname;"));
    assert!(!restarts(a, b, "") && !restarts(a, a, "advertise hostname;"));
    assert!(!restarts(a, b, "advertise hostname; hostname \"own\";"), "it has a name of its own");
}

#[test]
fn what_is_asked_but_not_done_by_ourselves_is_said() {
    for (options, expected) in [
        ("keepalive time 121;", "Keepalive time should be at most 1/2 of hold time"),
        ("require enhanced route refresh; enable route refresh off;", "Enhanced refresh required but disabled"),
        (
            "require enhanced route refresh; enable enhanced route refresh off;",
            "Enhanced refresh required but disabled",
        ),
        ("require as4; enable as4 off;", "AS4 support required but disabled"),
        ("require extended messages;", "Extended messages required but not enabled"),
        ("require graceful restart; graceful restart off;", "Graceful restart required but not enabled"),
        ("ipv6 { import all; export all; require add paths; };", "ADD-PATH required but not enabled"),
        ("ipv6 { import all; export all; require extended next hop; };", "Extended next hop required but not enabled"),
    ] {
        let (_, said) = session(options);
        assert!(said.iter().any(|line| line.contains(expected)), "{options}: {said:?}");
    }
}

#[test]
fn an_address_of_a_link_is_not_several_hops_away() {
    for wrong in [text("multihop;").replace("10.0.0.2", "fe80::2"), text("multihop; source address fe80::1;")] {
        let Err(refused) = load("c", &Memory::new().with("c", &wrong), &options_of_2()) else { panic!("{wrong}") };
        let said = refused.report(false).join("\n");
        assert!(said.contains("Multihop BGP cannot be used with link-local addresses"), "{said}");
    }
}

#[test]
fn without_graceful_restart_there_is_no_long_lived_one() {
    assert_eq!(session("graceful restart off;").0.offer.long_lived, RestartMode::Off);
    assert_eq!(session("graceful restart on;").0.offer.long_lived, RestartMode::Aware);
}

#[test]
fn stale_times_of_the_session_are_the_default_of_its_channels() {
    let text = "protocol bgp { local as 1; neighbor 10.0.0.2 as 1; min long lived stale time 5;\n\
                max long lived stale time 50; ipv4; ipv6 { max long lived stale time 70; }; }";
    let loaded = load("c", &Memory::new().with("c", text), &options_of_2()).unwrap();
    let bounds = |n: usize| {
        let own = loaded.config.protocols[0].channels[n].bgp.as_ref().unwrap();
        (own.long_lived_stale_least_s, own.long_lived_stale_most_s)
    };
    assert_eq!((bounds(0), bounds(1)), ((5, 50), (5, 70)));
}

#[test]
fn a_switch_disables_after_every_cease_but_that_of_a_collision() {
    assert_eq!(session("disable after cease;").0.disable_after_cease, !(1 << 7));
    let (some, _) = session("disable after cease { cease, out of resources, connection collision };");
    assert_eq!(some.disable_after_cease, 1 | 1 << 8 | 1 << 7);
}
