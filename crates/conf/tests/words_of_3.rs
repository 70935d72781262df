//! Configurations of BIRD 3: groups of threads, BFD options of one session, policies for a part of a table.

#![allow(clippy::unwrap_used, reason = "tests")]

use rbird_conf::config::{BfdAuth, BfdMode, BfdOptions, BgpConf, Config, ProtocolKind};
use rbird_conf::files::Memory;
use rbird_conf::plan::diff;
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

fn session(own: &str) -> BgpConf {
    let config = read(&format!("protocol bgp b {{ local as 1; neighbor 10.0.0.2 as 1; direct; {own} ipv4; }}"));
    match &config.protocols[0].kind {
        ProtocolKind::Bgp(bgp) => (**bgp).clone(),
        _ => panic!("another protocol"),
    }
}

#[test]
fn the_threads_of_all_groups_count_together() {
    let text = "thread group worker { threads 3; default on; max latency 600 ms; }; thread group express; \
                ipv4 table t { thread group worker; } protocol device { thread group express; } \
                protocol bfd { express thread group express; }";
    let (config, warnings) = loaded(text).unwrap();
    assert_eq!(config.threads, Some(4));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for (text, wrong) in [
        ("threads 2; thread group a;", "Mixing of `threads NUM` and `thread group` is not allowed."),
        ("thread group a; threads 2;", "Mixing of `threads NUM` and `thread group` is not allowed."),
        ("protocol device { thread group x; }", "Unexpected symbol x as a thread group name"),
        ("ipv4 table t { thread group master4; }", "Unexpected symbol master4 as a thread group name"),
        ("thread group a { threads 2; speed 3; }", "syntax error"),
    ] {
        let said = loaded(text).map(drop).unwrap_err();
        assert!(said.contains(wrong), "{text}: {said}");
    }
}

#[test]
fn a_session_has_bfd_options_of_its_own_over_those_of_its_link() {
    let own = session("bfd { min rx interval 20 ms; multiplier 3; passive; };");
    assert_eq!(own.bfd, BfdMode::On);
    let of_link = BfdOptions { min_tx_us: 300_000, min_rx_us: 300_000, ..BfdOptions::default() };
    let counts = own.bfd_options.unwrap().over(of_link.clone());
    let wanted = BfdOptions { min_rx_us: 20_000, multiplier: 3, passive: true, ..of_link.clone() };
    assert_eq!(counts, wanted);
    let signed = session("bfd { graceful; authentication simple; password \"p\"; };");
    assert_eq!(signed.bfd, BfdMode::Graceful);
    let counts = signed.bfd_options.unwrap().over(of_link);
    assert_eq!((counts.auth, counts.passwords.len(), counts.min_rx_us), (BfdAuth::Simple, 1, 300_000));
    assert!(session("bfd { multiplier 3; }; bfd off;").bfd_options.is_none());
    assert_eq!(session("bfd graceful; bfd { };").bfd, BfdMode::Graceful);
    let options = |ms| {
        format!("protocol bgp b {{ local as 1; neighbor 10.0.0.2 as 1; direct; bfd {{ interval {ms} ms; }}; ipv4; }}")
    };
    let plan = diff(&read(&options(50)), &read(&options(60))).to_string();
    assert!(plan.starts_with("protocol b: updated in place (bfd: "), "{plan}");
}

#[test]
fn a_channel_tells_a_part_of_its_table_and_that_counts_as_a_policy() {
    let external = |export: &str| {
        loaded(&format!("protocol bgp {{ local as 1; neighbor 10.0.0.2 as 2; ipv4 {{ import none; {export} }}; }}"))
    };
    assert!(external("export in 10.0.0.0/8 all;").is_ok());
    let said = external("export in 2001:db8::/32 all;").map(drop).unwrap_err();
    assert!(said.contains("Incompatible export prefilter type"), "{said}");
    let said = external("import in 10.0.0.0/8 all; export none;").map(drop).unwrap_err();
    assert!(said.contains("syntax error"), "{said}");
    let pipe = "ipv6 table t; ipv6 table u; protocol pipe p { table t; peer table u;";
    let config = read(&format!("{pipe} import in 2001:db8::/32 where net.len < 49; max generation 3; }}"));
    match &config.protocols[0].kind {
        ProtocolKind::Pipe(pipe) => assert_eq!(pipe.pipes_max, 3),
        _ => panic!("another protocol"),
    }
    for (text, wrong) in [
        ("max generation 0; }", "Max generation must be in range 1..254, got 0"),
        ("max generation 255; }", "Max generation must be in range 1..254, got 255"),
    ] {
        let said = loaded(&format!("{pipe} {text}")).map(drop).unwrap_err();
        assert!(said.contains(wrong), "{text}: {said}");
    }
}

#[test]
fn a_protocol_may_have_a_bound_on_restarts() {
    let config = read("protocol static { ipv4; restart time 1500 ms; } protocol static { ipv6; }");
    let bounds: Vec<_> = config.protocols.iter().map(|p| p.restart_least_ms()).collect();
    assert_eq!(bounds, [1500, 0]);
}

#[test]
fn words_of_the_language_may_be_names_as_in_later_releases() {
    let text = "define port = 179; define peer = 10.0.0.2; function path(int rx; int tx) { return rx + tx; } \
                filter local { int metric = 5; if path(metric, port) > 7 then accept; reject; } \
                protocol bgp link { local port 1179 as 1; neighbor peer port port as 2; error wait time 1, 2; \
                ipv4 { import filter local; export none; import limit 5 action block; }; } \
                protocol bfd { interface \"*\" { interval 3 s; }; }";
    let config = read(text);
    let ProtocolKind::Bgp(bgp) = &config.protocols[0].kind else { panic!("another protocol") };
    assert_eq!((&*config.protocols[0].name, bgp.peer_addr.to_string().as_str()), ("link", "10.0.0.2"));
    assert_eq!((bgp.peer_port, bgp.local_port, bgp.peer_as), (179, Some(1179), 2));
    assert_eq!(config.protocols[0].channels[0].import.name(), "local");
    for kept in ["if", "accept", "from", "int", "net", "bgp_path", "filter", "then", "rt"] {
        let said = loaded(&format!("define {kept} = 5; protocol device {{ }}")).map(drop).unwrap_err();
        assert!(said.contains("syntax error"), "{kept}: {said}");
    }
}

#[test]
fn nearly_any_word_may_be_given_as_a_name_and_keeps_its_meaning_elsewhere() {
    let text = "define period = 64; define s = 5; define weight2 = 1; define max = 24; define limit = 7; \
                ipv4 table export; template bgp session { hold time period; keepalive time s; }; \
                function count(int provider; string s) -> int { int check = 75 - provider; int all = check; \
                  if net ~ [10.0.0.0/8+] && net.len > max then return all; return check; } \
                filter import { int s = 3; s = s + count(limit, \"x\"); \
                  case s { 1: accept; else: for int path in bgp_path do s = path; } accept; } \
                protocol static action { ipv4 { table export; import filter import; import limit limit action block; }; } \
                protocol bgp graceful from session { local as 1; neighbor 10.0.0.2 as 2; graceful restart on; \
                  ipv4 { table export; import filter import; export none; }; }";
    let config = read(text);
    let names: Vec<&str> = config.protocols.iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["action", "graceful"]);
    let ProtocolKind::Bgp(bgp) = &config.protocols[1].kind else { panic!("another protocol") };
    assert_eq!((bgp.times.hold_s, &*config.protocols[1].channels[0].table), (64, "export"));
    assert_eq!(config.protocols[0].channels[0].import.name(), "import");
}

#[test]
fn links_may_be_left_out_where_an_address_is_preferred() {
    let config = read("protocol device { interface -\"lo\", \"e*\" { preferred 10.0.0.1; preferred 2001:db8::1; }; }");
    let ProtocolKind::Device(device) = &config.protocols[0].kind else { panic!("another protocol") };
    let [(links, addrs)] = device.preferred.as_slice() else { panic!("one list") };
    assert_eq!((links.len(), links[0].negative), (2, true));
    assert_eq!(addrs.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.1", "2001:db8::1"]);
}

#[test]
fn a_prefix_may_be_a_constant_and_a_password_a_key() {
    let config = read(
        "define ours = 10.9.0.0/16; protocol static { ipv4; route ours blackhole; } \
         protocol bfd { interface \"*\" { authentication keyed sha1; passwords { key \"a\"; password \"b\"; }; }; \
         multihop { authentication simple; key \"c\" { id 9; }; }; }",
    );
    let ProtocolKind::Static(fixed) = &config.protocols[0].kind else { panic!("another protocol") };
    assert_eq!(fixed.routes[0].net.to_string(), "10.9.0.0/16");
    let ProtocolKind::Bfd(bfd) = &config.protocols[1].kind else { panic!("another protocol") };
    assert_eq!(bfd.of_link("x").passwords.len(), 2);
    assert_eq!(bfd.multihop.passwords[0].id, 9);
}
