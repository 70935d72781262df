//! Text in, model out: what options become, what they are when they are not given, and the names.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use rbird_conf::config::*;
use rbird_conf::files::{Files, Memory};
use rbird_conf::{LoadOptions, load};
use route::Family;
use std::path::Path;
use std::time::Duration;

fn config(text: &str) -> Config {
    match load("c", &Memory::new().with("c", text), &LoadOptions::default()) {
        Ok(loaded) => loaded.config,
        Err(refused) => panic!("{}", refused.report(false).join("\n")),
    }
}

/// A session with the options given.
fn bgp(options: &str) -> (ProtocolConf, BgpConf) {
    let text = format!("table ts sorted; protocol bgp p {{ local as 1; neighbor 10.0.0.2 as 2; {options} }}");
    protocol(&text)
}

/// What the first channel of a session has of its own.
fn of_channel(conf: &ProtocolConf) -> &BgpChannel {
    conf.channels[0].bgp.as_deref().unwrap()
}

fn protocol(text: &str) -> (ProtocolConf, BgpConf) {
    let conf = config(text).protocols.pop().unwrap();
    match conf.kind.clone() {
        ProtocolKind::Bgp(own) => (conf, *own),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_without_options_is_as_in_1_6_8() {
    let (conf, own) = bgp("");
    let channel = &conf.channels[0];
    assert_eq!((&*conf.name, conf.disabled, conf.channels.len()), ("p", false, 1));
    assert_eq!((&*channel.table, channel.family, channel.preference), ("master", Family::Ipv4, 100));
    assert_eq!((channel.import.name(), channel.export.name()), ("ACCEPT", "REJECT"));
    assert_eq!(own.local_as, 1);
    assert_eq!((own.peer_addr.to_string().as_str(), own.peer_as, own.peer_port), ("10.0.0.2", 2, 179));
    assert_eq!((own.multihop, of_channel(&conf).gateway), (None, GatewayMode::Direct));
    assert_eq!((own.times.hold_s, own.times.startup_hold_s, own.times.keepalive_s), (240, 240, None));
    assert_eq!((own.times.connect_retry_s, own.times.connect_delay_s), (120, 5));
    assert_eq!((own.times.error_wait_s, own.times.error_forget_s), ((60, 300), 300));
    assert_eq!((own.offer.graceful_restart, own.offer.graceful_restart_time_s), (RestartMode::Aware, 120));
    assert_eq!((own.offer.long_lived, own.long_lived_stale_time_s), (RestartMode::Aware, 3600));
    let rules = own.decision;
    assert_eq!((rules.default_local_pref, rules.default_med), (100, 0));
    let offer = own.offer;
    assert!(offer.capabilities && offer.route_refresh && offer.as4 && offer.advertise_ipv4);
    assert!(own.rules.interpret_communities);
    assert!(rules.path_metric && rules.igp_metric && !rules.med_metric);
    assert!(!rules.prefer_older && !rules.deterministic_med);
    assert!(own.rules.rewrite_before_filter && !own.rules.med_to_external && !own.match_local_addr);
}

#[test]
fn an_internal_session_is_multihop_unless_direct() {
    let internal =
        |option: &str| protocol(&format!("protocol bgp p {{ local as 1; neighbor 10.0.0.2 as 1; {option} }}"));
    let gateway = |option: &str| of_channel(&internal(option).0).gateway;
    assert_eq!((internal("").1.multihop, gateway("")), (Some(64), GatewayMode::Recursive));
    assert_eq!((internal("direct;").1.multihop, gateway("direct;")), (None, GatewayMode::Direct));
    assert_eq!(internal("multihop 2;").1.multihop, Some(2));
    assert_eq!(bgp("multihop;").1.multihop, Some(64));
    assert_eq!(of_channel(&bgp("gateway recursive;").0).gateway, GatewayMode::Recursive);
}

#[test]
fn each_form_of_a_session_s_options() {
    assert_eq!(of_channel(&bgp("next hop self;").0).next_hop_self, RoutesOf::All);
    let (both, _) = bgp("next hop self; next hop keep;");
    assert_eq!((of_channel(&both).next_hop_self, of_channel(&both).next_hop_keep), (RoutesOf::Nobody, RoutesOf::All));
    assert_eq!(bgp("error wait time 10, 100;").1.times.error_wait_s, (10, 100));
    assert_eq!(bgp("graceful restart; graceful restart time 60;").1.offer.graceful_restart, RestartMode::On);
    assert_eq!(bgp("graceful restart off;").1.offer.graceful_restart, RestartMode::Off);
    assert_eq!(bgp("long lived graceful restart on;").1.offer.long_lived, RestartMode::On);
    let paths = |option| (of_channel(&bgp(option).0).add_paths_rx, of_channel(&bgp(option).0).add_paths_tx);
    assert_eq!(
        (paths("add paths;"), paths("add paths rx;"), paths("add paths tx;")),
        ((true, true), (true, false), (false, true))
    );
    assert_eq!(
        (bgp("allow local as;").1.rules.allow_local_as, bgp("allow local as 2;").1.rules.allow_local_as),
        (u32::MAX, 2)
    );
    assert_eq!(bgp("disable after cease { prefix limit hit, administrative shutdown };").1.disable_after_cease, 0b110);
    assert_eq!(bgp("disable after cease;").1.disable_after_cease, !(1 << 7));
    assert_eq!(of_channel(&bgp("rs client;").0).missing_lladdr, MissingLladdr::Ignore);
    assert_eq!(bgp("source address 10.0.0.1; passive; ttl security; password \"x\";").1.password.as_deref(), Some("x"));
    assert_eq!(bgp("interface \"eth0\";").1.iface.as_deref(), Some("eth0"));
    assert!(of_channel(&bgp("table ts; secondary;").0).secondary);
    let (_, own) = protocol("protocol bgp p { local 10.0.0.1 as 7; neighbor 10.0.0.2 % 'eth-0' port 1790 as 8; }");
    assert_eq!((own.local_as, own.peer_port, own.peer_as, own.iface.as_deref()), (7, 1790, 8, Some("eth-0")));
}

#[test]
fn values_that_no_message_carries_are_cut_with_a_warning() {
    let text = "protocol bgp p { local as 1; neighbor 10.0.0.2 as 2; hold time 65536; graceful restart time 5000; }";
    let loaded = load("c", &Memory::new().with("c", text), &LoadOptions::default()).unwrap();
    assert_eq!(
        loaded.warning_lines(),
        [
            "hold time is at most 65535; 65536 is taken as 65535, at c:1:64",
            "graceful restart time is at most 4095; 5000 is taken as 4095, at c:1:93"
        ]
    );
}

#[test]
fn limits_and_policies_stand_in_the_channel() {
    let (conf, _) = bgp(
        "import limit 10; receive limit 20 action block; export limit 30 action warn; import keep filtered; export all; preference 7;",
    );
    let channel = &conf.channels[0];
    let limit = |l: Option<Limit>| l.map(|l| (l.routes_max, l.action));
    assert_eq!(limit(channel.import_limit), Some((10, LimitAction::Disable)));
    assert_eq!(limit(channel.receive_limit), Some((20, LimitAction::Block)));
    assert_eq!(limit(channel.export_limit), Some((30, LimitAction::Warn)));
    assert_eq!((channel.keep_filtered, channel.preference, channel.export.name()), (true, 7, "ACCEPT"));
    let old = bgp("route limit 5;").0.channels[0].import_limit;
    assert_eq!(limit(old), Some((5, LimitAction::Restart)), "as BIRD shows it");
    assert_eq!(bgp("import limit 5; import limit off;").0.channels[0].import_limit, None);
}

#[test]
fn a_template_gives_what_it_was_given_and_the_last_word_counts() {
    let text = "template bgp t1 { local as 65001; hold time 60; import none; }\n\
        template bgp t2 from t1 { hold time 30; }\n\
        protocol bgp from t2 { neighbor 10.0.0.2 as 65002; }\n\
        protocol bgp from t2 { neighbor 10.0.0.3 as 65001; direct; }";
    let config = config(text);
    let names: Vec<_> = config.protocols.iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["bgp1", "bgp2"]);
    let ProtocolKind::Bgp(own) = &config.protocols[0].kind else { panic!() };
    assert_eq!((own.local_as, own.times.hold_s, config.protocols[0].channels[0].import.name()), (65001, 30, "REJECT"));
}

#[test]
fn automatic_names_pass_over_names_that_are_taken() {
    let config = config("table direct1; protocol device {} protocol direct {} protocol kernel {} protocol static {}");
    let names: Vec<_> = config.protocols.iter().map(|p| &*p.name).collect();
    assert_eq!(names, ["device1", "direct2", "kernel1", "static1"]);
    let preferences: Vec<_> = config.protocols.iter().flat_map(|p| &p.channels).map(|c| c.preference).collect();
    assert_eq!(preferences, [240, 10, 200]);
    assert!(config.protocols[0].channels.is_empty(), "device is attached to no table");
}

#[test]
fn the_statements_of_the_daemon() {
    let config = config(
        "router id from -\"eth*\", \"lo\" 10.0.0.0/8; log syslog name \"b\" { info, bug }; log stderr all; log \"x.log\" all;\n\
         listen bgp address 127.0.0.1 port 1179; debug protocols { states, packets }; debug commands 2;\n\
         timeformat base \"%F\"; timeformat route \"%T\" 60 \"%F\"; timeformat protocol iso long; timeformat log old short;\n\
         graceful restart wait 30; table t sorted; define rid = 10.9.9.9; router id rid; protocol device { scan time 2 * 3; }"
            .replace("2 * 3", "(2 * 3)")
            .as_str(),
    );
    assert_eq!(config.router_id, Some("10.9.9.9".parse().unwrap()));
    assert!(IfacePattern::chosen(&config.router_id_from, "lo", "10.1.1.1".parse().ok()));
    assert!(!IfacePattern::chosen(&config.router_id_from, "eth0", "10.1.1.1".parse().ok()));
    assert!(config.logs[0].classes.has(LogClass::Bug) && !config.logs[0].classes.has(LogClass::Error));
    assert_eq!(config.logs[0].to, LogDestination::Syslog(Some("b".into())));
    assert_eq!(config.logs[2], LogTarget { to: LogDestination::File("x.log".into(), None), classes: LogClasses::ALL });
    assert_eq!((config.listen.address, config.listen.port), ("127.0.0.1".parse().ok(), Some(1179)));
    assert_eq!((config.debug_protocols, config.debug_commands), (DebugMask(33), 2));
    assert_eq!(config.time.base, TimeFormat::plain("%F"));
    assert_eq!(config.time.route, TimeFormat { format: "%T".into(), limit_s: 60, older: Some("%F".into()) });
    assert_eq!((&config.time.protocol, &config.time.log), (&TimeFormat::plain("%F %T"), &TimeFormat::old_short()));
    assert_eq!(config.graceful_restart_wait, Duration::from_secs(30));
    assert!(config.tables.iter().any(|t| &*t.name == "t" && t.sorted));
    let device = &config.protocols[0];
    assert_eq!(device.debug, DebugMask(33), "debug protocols is for those that follow");
    let ProtocolKind::Device(own) = &device.kind else { panic!() };
    assert_eq!(own.scan_time, Duration::from_secs(6));
}

#[test]
fn a_watchdog_counts_whole_seconds_and_0_is_none() {
    let timeout = |text: &str| {
        config(&format!("watchdog timeout {text}; protocol device {{ }}")).latency.timeout.map(|t| t.as_secs())
    };
    for (text, seconds) in [("0 s", None), ("0 us", None), ("1 us", Some(1)), ("1 s", Some(1)), ("1001 ms", Some(2))] {
        assert_eq!(timeout(text), seconds, "{text}");
    }
}

#[test]
fn static_routes_of_every_kind() {
    let config = config(
        "define gate = 10.1.1.2; protocol static { route 10.1.0.0/16 via gate; route 10.2.0.0:255.255.0.0 via \"d0\";\n\
         route 10.3.0.0/16 drop; route 10.4.0.0/16 reject; route 10.5.0.0/16 prohibit; route 10.6.0.0/16 recursive gate;\n\
         route 10.7.0.0/16 multipath via 10.1.1.2 weight 3 via 10.1.1.3%d1; route 0.0.0.0/0 via gate { preference = 5; }; }",
    );
    let ProtocolKind::Static(own) = &config.protocols[0].kind else { panic!() };
    let hop = |gateway: &str, iface: Option<&str>, weight| StaticHop {
        gateway: Some(gateway.parse().unwrap()),
        iface: iface.map(Into::into),
        weight,
        onlink: false,
        bfd: false,
    };
    let to: Vec<_> = own.routes.iter().map(|r| r.to.clone()).collect();
    assert_eq!(
        to,
        [
            StaticDest::Via(vec![hop("10.1.1.2", None, 1)]),
            StaticDest::Device("d0".into()),
            StaticDest::Blackhole,
            StaticDest::Unreachable,
            StaticDest::Prohibit,
            StaticDest::Recursive("10.1.1.2".parse().unwrap()),
            StaticDest::Via(vec![hop("10.1.1.2", None, 3), hop("10.1.1.3", Some("d1"), 1)]),
            StaticDest::Via(vec![hop("10.1.1.2", None, 1)]),
        ]
    );
    assert!(own.routes[7].body.is_some() && own.routes[0].body.is_none());
}

#[test]
fn the_kernel_and_the_links() {
    let config = config(
        "protocol kernel { learn; persist; scan time 20; graceful restart; device routes; kernel table 10; metric 42; merge paths on limit 8; }\n\
         protocol direct { interface -\"lo\", \"d*\"; interface 10.0.0.0/8; check link; }\n\
         protocol device { primary \"d0\" 10.1.1.1; primary 10.0.0.0/8; }",
    );
    let ProtocolKind::Kernel(kernel) = &config.protocols[0].kind else { panic!() };
    let wanted = KernelConf {
        table: 10,
        metric: Some(42),
        learn: Learn::Alien,
        persist: true,
        scan_time: Duration::from_secs(20),
        device_routes: true,
        graceful_restart: true,
        merge_paths: Some(8),
        ..KernelConf::of(Dialect::V1)
    };
    assert_eq!(*kernel, wanted);
    let ProtocolKind::Direct(direct) = &config.protocols[1].kind else { panic!() };
    assert_eq!((direct.interfaces.len(), direct.check_link), (3, true));
    let ProtocolKind::Device(device) = &config.protocols[2].kind else { panic!() };
    assert_eq!(device.primary.len(), 2);
}

/// The reference's files and those of iproute2.
struct Reference;

impl Files for Reference {
    fn read(&self, path: &str, _: usize) -> Result<Vec<u8>, String> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        let path = match path.strip_prefix("/etc/iproute2/") {
            Some(name) => dir.join("iproute2").join(name),
            None => dir.join("good").join(path),
        };
        std::fs::read(path).map_err(|_| "No such file or directory".to_owned())
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, String> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/good").join(dir);
        let entries = std::fs::read_dir(dir).map_err(|_| "No such file or directory".to_owned())?;
        Ok(entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect())
    }

    fn appendable(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn the_names_of_every_reference_configuration_are_bird_s() {
    let results = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/symbols.txt")).unwrap();
    let mut seen = 0;
    for line in results.lines() {
        let (name, bird) = line.split_once('\t').unwrap();
        let Ok(loaded) = load(&format!("{name}.conf"), &Reference, &LoadOptions::default()) else { continue };
        let rows = loaded
            .config
            .symbols
            .rows
            .iter()
            .filter(|row| !["ipp_", "ipr_", "ips_", "ipt_"].iter().any(|prefix| row.name.starts_with(prefix)));
        let mut ours: Vec<_> = rows.map(|row| format!("{}={}", row.name, row.kind)).collect();
        ours.sort();
        assert_eq!(ours.join("|"), bird, "{name}");
        seen += 1;
    }
    assert!(seen > 50, "only {seen}");
}

#[test]
fn the_numbers_of_iproute2_have_names() {
    let config = load("minimal.conf", &Reference, &LoadOptions::default()).unwrap().config;
    let names: Vec<_> = config.symbols.rows.iter().map(|r| &*r.name).filter(|n| n.starts_with("ip")).collect();
    let bird = "ipp_babel ipp_bgp ipp_bird ipp_boot ipp_dhcp ipp_dnrouted ipp_eigrp ipp_gated ipp_isis ipp_keepalived ipp_kernel ipp_mrt \
        ipp_ntk ipp_openr ipp_ospf ipp_ra ipp_redirect ipp_rip ipp_static ipp_unspec ipp_xorp ipp_zebra ipr_cosmos ips_global ips_host \
        ips_link ips_nowhere ips_site ipt_default ipt_local ipt_main ipt_unspec";
    assert_eq!(names, bird.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn a_roa_table_has_its_records_and_a_name_of_its_own() {
    let conf = config(
        "roa table r1 { roa 10.0.0.0/8 max 24 as 100; roa 11.0.0.0/8 max 8 as 5; } roa table r2; protocol device {}",
    );
    let [r1, r2] = conf.roa_tables.as_slice() else { panic!("{:?}", conf.roa_tables) };
    let written: Vec<String> = r1.roas.iter().map(ToString::to_string).collect();
    assert_eq!(written, ["10.0.0.0/8 max 24 as 100", "11.0.0.0/8 max 8 as 5"]);
    assert_eq!((&*r1.name, &*r2.name, r2.roas.len()), ("r1", "r2", 0));
    let kind = |name: &str| conf.symbols.rows.iter().find(|row| &*row.name == name).map(|row| row.kind);
    assert_eq!(kind("r2"), Some("ROA table"));
}

fn config_of_2(text: &str) -> Config {
    let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
    match load("c", &Memory::new().with("c", text), &options) {
        Ok(loaded) => loaded.config,
        Err(refused) => panic!("{}", refused.report(false).join("\n")),
    }
}

/// As 2.19.2, which warns; 2.0.12 keeps the words.
#[test]
fn arguments_may_be_called_low_and_state_in_dialect_2() {
    let config = config_of_2("function f(int low; int state) { return low < state; } protocol device { }");
    assert!(config.symbols.rows.iter().any(|row| &*row.name == "f"));
    let said = refused_of_2("function f(int in) { return in; } protocol device { }");
    assert!(said.contains("syntax error"), "{said}");
}

#[test]
fn nobody_is_warned_of_what_waits_to_be_sent_unless_that_is_asked_for() {
    let warning = |own: &str| {
        let config = config_of_2(&format!("protocol bgp {{ local as 1; neighbor 10.0.0.2 as 1; {own} ipv4; }}"));
        let ProtocolKind::Bgp(bgp) = &config.protocols[0].kind else { panic!() };
        bgp.tx_size_warning
    };
    assert_eq!((warning(""), warning("tx size warning (100 * 1000);")), (0, 100_000));
}

fn refused_of_2(text: &str) -> String {
    let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
    load("c", &Memory::new().with("c", text), &options).unwrap_err().line()
}

#[test]
fn a_confederation_is_a_number_and_its_members_need_no_policy() {
    let session = |own: &str, channel: &str| {
        format!("protocol bgp {{ local as 64901; neighbor 10.0.0.2 as 64902; {own} ipv4 {{ {channel} }}; }}")
    };
    let config = config_of_2(&session("confederation 65000; confederation member;", ""));
    let ProtocolKind::Bgp(own) = &config.protocols[0].kind else { panic!() };
    assert_eq!((own.confederation, own.is_internal(), own.is_interior()), (65000, false, true));
    assert!(own.rules.allow_as_sets && !own.rules.enforce_first_as, "as 2.0.12");
    let config = config_of_2(&session("allow as sets off; enforce first as;", "import all; export none;"));
    let ProtocolKind::Bgp(own) = &config.protocols[0].kind else { panic!() };
    assert!(!own.rules.allow_as_sets && own.rules.enforce_first_as);
    let said = refused_of_2(&session("confederation member;", ""));
    assert!(said.contains("Confederation ID must be set for member sessions"), "{said}");
    let said = refused_of_2(&session("confederation 65000;", ""));
    assert!(said.contains("EBGP requires explicit import policy"), "{said}");
    let said = refused_of_2("protocol bgp { local as 1; neighbor 10.0.0.2 as 1; enforce first as; ipv4; }");
    assert!(said.contains("Enforce first AS check is requires EBGP sessions"), "{said}");
}

#[test]
fn the_accumulated_metric_goes_within_an_as_or_confederation_unless_a_channel_says_otherwise() {
    let aigp = |own: &str, asn: u32, channel: &str| {
        let peer = format!("local as 1; neighbor 10.0.0.2 as {asn}; {own}");
        let config = config_of_2(&format!("protocol bgp {{ {peer} ipv4 {{ import all; export all; {channel} }}; }}"));
        config.protocols[0].channels[0].bgp.as_ref().unwrap().aigp
    };
    assert_eq!((aigp("", 1, ""), aigp("", 2, "")), (Aigp::On, Aigp::Off));
    assert_eq!(aigp("confederation 9; confederation member;", 2, ""), Aigp::On);
    assert_eq!((aigp("", 2, "aigp;"), aigp("", 2, "aigp originate;")), (Aigp::On, Aigp::Originate));
    assert_eq!(aigp("", 1, "aigp off;"), Aigp::Off);
    let old = config("protocol bgp { local as 1; neighbor 10.0.0.2 as 1; }");
    assert_eq!(old.protocols[0].channels[0].bgp.as_ref().unwrap().aigp, Aigp::Unknown);
}

#[test]
fn what_the_releases_do_differently_is_a_field_that_the_dialect_fills() {
    let old = config("protocol kernel { } protocol bgp { local as 1; neighbor 10.0.0.2 as 2; }");
    let new = config_of_2(
        "protocol kernel { ipv4; } protocol bgp { local as 1; neighbor 10.0.0.2 as 2; ipv4 { import all; export all; }; }",
    );
    let kernel = |c: &Config| match &c.protocols[0].kind {
        ProtocolKind::Kernel(k) => (k.metric, k.device_routes),
        other => panic!("{other:?}"),
    };
    let session = |c: &Config| match &c.protocols[1].kind {
        ProtocolKind::Bgp(b) => {
            (b.rules.rewrite_before_filter, b.match_local_addr, b.rules.med_to_external, b.check_link)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((kernel(&old), kernel(&new)), ((None, false), (Some(32), true)));
    assert_eq!((session(&old), session(&new)), ((true, false, false, false), (false, true, false, true)));
    assert_eq!((old.one_family, old.links_need_address), (true, true));
    assert_eq!((new.one_family, new.links_need_address), (false, false));
    assert_eq!((&*old.time.route.format, &*new.time.route.format), ("%T", "%T.%3f"));
}

#[test]
fn a_session_of_2_carries_both_families_each_with_its_table_and_options() {
    let text = "ipv6 table t6;\ntemplate bgp t { local as 1; ipv4 { import all; add paths on; }; }\n\
        protocol bgp p from t { neighbor 10.0.0.2 as 2; ipv4 { export none; next hop self; };\n\
        ipv6 { table t6; import none; export all; preference 7; import limit 5 action block; }; }";
    let config = config_of_2(text);
    let [four, six] = &config.protocols[0].channels[..] else { panic!("{:?}", config.protocols) };
    assert_eq!((&*four.table, four.import.name(), four.export.name()), ("master4", "ACCEPT", "REJECT"));
    assert_eq!((&*six.table, six.import.name(), six.export.name()), ("t6", "REJECT", "ACCEPT"));
    let own = |c: &ChannelConf| c.bgp.clone().unwrap();
    assert_eq!((own(four).next_hop_self, own(six).next_hop_self), (RoutesOf::All, RoutesOf::Nobody));
    assert_eq!((own(four).add_paths_tx, own(six).add_paths_tx), (true, false));
    assert_eq!((six.preference, six.import_limit.unwrap().routes_max), (7, 5));
    assert_eq!(&*config.default_table_of(Family::Ipv6), "master6");
}

#[test]
fn what_a_channel_of_2_says_of_restarts_and_of_what_it_needs() {
    let channel = |session: &str, options: &str| {
        let text = format!(
            "protocol bgp p {{ local as 1; neighbor 10.0.0.2 as 2; {session} ipv4 {{ import all; export all; {options} }}; }}"
        );
        of_channel(&config_of_2(&text).protocols.remove(0)).clone()
    };
    let able = |session, options| channel(session, options).graceful_restart;
    assert_eq!((able("", ""), able("graceful restart;", "")), (false, true));
    assert_eq!((able("", "graceful restart;"), able("graceful restart;", "graceful restart off;")), (true, false));
    let long = channel("long lived graceful restart; long lived stale time 70;", "min long lived stale time 9;");
    assert!(long.long_lived);
    let times = (long.long_lived_stale_time_s, long.long_lived_stale_least_s, long.long_lived_stale_most_s);
    assert_eq!(times, (70, 9, u32::MAX));
    let own = channel("", "long lived stale time 80; max long lived stale time 100; cost 5;");
    assert_eq!((own.long_lived_stale_time_s, own.long_lived_stale_most_s, own.cost), (80, 100, 5));
    let asks = channel("", "mandatory; require extended next hop; require add paths; extended next hop;");
    let all = (asks.mandatory, asks.require_extended_next_hop, asks.require_add_paths, asks.extended_next_hop);
    assert_eq!(all, (true, true, true, true));
}

#[test]
fn what_a_channel_of_2_says_of_next_hops() {
    let channel = |session: &str, options: &str| {
        let text = format!(
            "protocol bgp p {{ local as 1; neighbor 10.0.0.2 {session}; ipv4 {{ import all; export all; {options} }}; }}"
        );
        of_channel(&config_of_2(&text).protocols.remove(0)).clone()
    };
    let whose = |options| (channel("as 2", options).next_hop_self, channel("as 2", options).next_hop_keep);
    assert_eq!(whose("next hop self ebgp; next hop keep ibgp;"), (RoutesOf::External, RoutesOf::Internal));
    assert_eq!(whose("next hop self; next hop self off; next hop keep on;"), (RoutesOf::Nobody, RoutesOf::All));
    let kept = |session| channel(session, "").next_hop_keep;
    assert_eq!((kept("as 2; rs client"), kept("as 1; rr client")), (RoutesOf::All, RoutesOf::Internal));
    assert_eq!(channel("as 2; rs client", "next hop keep off;").next_hop_keep, RoutesOf::Nobody);
    assert_eq!(channel("as 2", "next hop address 10.0.0.9;").next_hop_address, Some("10.0.0.9".parse().unwrap()));
    let preferred = |session, options| channel(session, options).next_hop_prefer;
    assert_eq!((preferred("as 2", ""), preferred("as 1", "")), (NextHopPrefer::Global, NextHopPrefer::Local));
    assert_eq!(preferred("as 1", "next hop prefer global;"), NextHopPrefer::Global);
    assert_eq!(channel("as 2", "link local next hop format double;").link_local_format, LinkLocalFormat::Double);
}

#[test]
fn to_and_from_another_as_nothing_goes_by_default() {
    let session = |asn: u32, options: &str| {
        format!("protocol bgp p {{ local as 1; neighbor 10.0.0.2 as {asn}; ipv4 {{ {options} }}; }}")
    };
    assert_eq!(refused_of_2(&session(2, "export all;")), "c:1:76 EBGP requires explicit import policy");
    assert_eq!(refused_of_2(&session(2, "import all;")), "c:1:76 EBGP requires explicit export policy");
    let internal = config_of_2(&session(1, ""));
    let channel = &internal.protocols[0].channels[0];
    assert_eq!((channel.import.name(), channel.export.name()), ("ACCEPT", "REJECT"));
}

#[test]
fn what_a_channel_can_not_be_is_refused_in_a_sentence() {
    for (text, expected) in [
        ("protocol static { ipv4; ipv6; }", "c:1:25 Different channel type"),
        ("protocol kernel { }", "c:1:19 Channel not specified"),
        ("ipv6 table t; protocol direct { ipv4 { table t; }; }", "c:1:40 Incompatible table type"),
        ("protocol bgp { flow4 { import all; }; }", "c:1:16 `flow4` is not supported by this release of rbird"),
        ("protocol static { ipv4; route ::/0 blackhole; }", "c:1:31 Route ::/0 incompatible with channel type"),
        ("vpn4 table t;", "c:1:1 `vpn4` is not supported by this release of rbird"),
        ("protocol bgp { import all; }", "c:1:16 syntax error, unexpected IMPORT"),
        ("table t;", "c:1:1 syntax error, unexpected TABLE"),
    ] {
        assert_eq!(refused_of_2(text), expected, "{text}");
    }
}

#[test]
fn what_an_import_filter_sets_of_the_kernels_own_stays_only_with_the_kernels_routes() {
    use filter::Policy;
    use route::attrs::LocalAttr;
    let protocols = config(
        "table t; protocol static { import filter { krt_metric = 1; accept; }; }\n\
         protocol kernel { import filter { krt_metric = 1; accept; }; export filter { krt_metric = 1; accept; }; }\n\
         protocol pipe { peer table t; import filter { krt_metric = 1; accept; }; }",
    )
    .protocols;
    let transient = |policy: &Policy| match policy {
        Policy::Filter(filter) => filter.transient,
        other => panic!("{other:?}"),
    };
    let import = |n: usize| transient(&protocols[n].channels[0].import);
    assert_eq!(import(0), [LocalAttr::KrtSource, LocalAttr::KrtMetric]);
    assert_eq!(import(1), [LocalAttr::KrtSource]);
    assert!(transient(&protocols[1].channels[0].export).is_empty());
    assert!(import(2).is_empty());
}

/// The number and kind of an attribute that the operator declared.
fn own_attribute(config: &Config, name: &str) -> (u16, filter::names::AttrKind) {
    match config.symbols.meanings.get(name).map(|s| &s.kind) {
        Some(filter::SymbolKind::Attribute(route @ filter::names::Attr::Local(_, kind))) => {
            (route.number().unwrap(), *kind)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_attribute_of_the_operators_own_keeps_its_number_over_a_reload() {
    use filter::names::AttrKind::{Clist, Int, Ip};
    let use_them =
        "filter f { weight1 = 5; tags = add(-empty-, (1,2)); if defined(weight1) then accept; } protocol device {}";
    let old = config_of_2(&format!("attribute int weight1; attribute clist tags; {use_them}"));
    assert_eq!((own_attribute(&old, "weight1"), own_attribute(&old, "tags")), ((0, Int), (1, Clist)));
    let row = old.symbols.rows.iter().find(|row| &*row.name == "tags").unwrap();
    assert_eq!(row.kind, "custom attribute");
    let options =
        LoadOptions { dialect: Some(Dialect::V2), before: Some(old.symbols.clone()), ..LoadOptions::default() };
    let text = "attribute clist tags; attribute ip far; attribute ip weight1; protocol device {}";
    let new = load("c", &Memory::new().with("c", text), &options).unwrap().config;
    // What it was of another type is another attribute.
    assert_eq!(
        (own_attribute(&new, "tags"), own_attribute(&new, "far"), own_attribute(&new, "weight1")),
        ((1, Clist), (2, Ip), (3, Ip))
    );
}

#[test]
fn an_attribute_that_bird_2_refuses_is_refused_in_its_words() {
    for (text, wrong) in [
        ("attribute int set x; filter f { x = [1]; accept; }", "Setting an attribute of type set is not allowed"),
        ("attribute int x; attribute ip x;", "already defined"),
        ("attribute ip preference;", "Attribute preference is an int, not an address."),
        ("attribute x;", "syntax error, unexpected CF_SYM_UNDEFINED"),
        ("attribute int x; filter f { x = 1.2.3.4; accept; }", "must be of type int, got type ip"),
    ] {
        let said = refused_of_2(&format!("{text} protocol device {{}}"));
        assert!(said.contains(wrong), "{text}: {said}");
    }
}

#[test]
fn the_log_of_2_goes_to_files_of_a_size_and_to_other_machines() {
    let config = config_of_2(
        "log \"l\" 16384 \"l.old\" all; log udp 10.0.0.1 { error }; log udp \"logs.example\" port 1514 all;\n\
         log stderr { info }; log \"m\" { bug }; log fixed \"c\" (10 * 1000) all; protocol device {}",
    );
    let to: Vec<_> = config.logs.iter().map(|target| target.to.clone()).collect();
    let full = Rotation { limit: 16384, backup: "l.old".into() };
    let wanted = [
        LogDestination::File("l".into(), Some(full)),
        LogDestination::Udp(UdpHost::Address("10.0.0.1".parse().unwrap()), 514),
        LogDestination::Udp(UdpHost::Name("logs.example".into()), 1514),
        LogDestination::Stderr,
        LogDestination::File("m".into(), None),
        LogDestination::Circle("c".into(), 10_000),
    ];
    assert_eq!(to, wanted);
    for (text, wrong) in [
        ("log \"l\" 16383 \"b\" all;", "Log file size limit too low, must be at least 16384."),
        ("log udp 10.0.0.1 port 65536 all;", "Value 65536 out of range (0-65535)"),
        ("log fixed \"l\" all;", "syntax error"),
        ("log fixed \"l\" 0 all;", "Unable to open log file 'l': a size of 0"),
    ] {
        let said = refused_of_2(&format!("{text} protocol device {{}}"));
        assert!(said.contains(wrong), "{text}: {said}");
    }
}

#[test]
fn control_sockets_and_threads_of_2_are_taken() {
    let text = "threads 4; cli \"/run/a.ctl\" { restrict; }; cli \"b.ctl\"; debug tables off;\n\
        ipv4 table t { sorted; debug off; }; protocol device {}";
    let config = config_of_2(text);
    let cli = |path: &str, restrict| CliConf { path: path.into(), restrict };
    assert_eq!(config.clis, [cli("/run/a.ctl", true), cli("b.ctl", false)]);
    assert_eq!(config.threads, Some(4));
    for (text, wrong) in [
        ("threads 0;", "Number of threads must be at least one."),
        ("cli \"a\"; cli \"a\" { restrict; };", "Control socket a already defined"),
        ("cli \"a\" { readonly; };", "syntax error"),
    ] {
        let said = refused_of_2(&format!("{text} protocol device {{}}"));
        assert!(said.contains(wrong), "{text}: {said}");
    }
}

#[test]
fn a_monitoring_station_has_a_place_and_is_told_what_is_asked_for() {
    let config = config_of_2(
        "protocol bmp m { station address ip 10.0.0.1 port 1790; local address 10.0.0.2; system name \"r\"; \
         system description \"d\"; monitoring rib in pre_policy; monitoring rib in post_policy no; tx buffer limit 5; \
         monitoring rib out post_policy; statistics interval 30; }\n\
         protocol bmp { station address port 1 ip 2001:db8::1; }",
    );
    let own = |at: usize| match &config.protocols[at].kind {
        ProtocolKind::Bmp(own) => own.clone(),
        other => panic!("{other:?}"),
    };
    let given = BmpConf {
        station_addr: Some("10.0.0.1".parse().unwrap()),
        station_port: 1790,
        local_addr: Some("10.0.0.2".parse().unwrap()),
        system_name: "r".into(),
        system_description: "d".into(),
        pre_policy: true,
        post_policy: false,
        out_pre_policy: false,
        out_post_policy: true,
        statistics_s: 30,
        buffer_megabytes: 5,
    };
    assert_eq!(own(0), given);
    let place = (Some("2001:db8::1".parse().unwrap()), 1);
    assert_eq!(own(1), BmpConf { station_addr: place.0, station_port: place.1, ..BmpConf::default() });
    assert_eq!(&*config.protocols[1].name, "bmp1");
    assert!(config.protocols.iter().all(|p| p.channels.is_empty()));
    for (options, wrong) in [
        ("", "Station IP address not specified"),
        ("station address ip 10.0.0.1;", "Station port number not specified"),
        ("station address ip 0.0.0.0 port 1;", "Invalid BMP monitoring station IP address"),
        ("station address ip 10.0.0.1 port 65536;", "Invalid BMP monitoring station port number"),
        ("system name \"\";", "String is empty"),
        ("tx buffer limit 0;", "BMP TX buffer limit must be at least 1 megabyte"),
    ] {
        let said = refused_of_2(&format!("protocol bmp {{ {options} }}"));
        assert!(said.contains(wrong), "{options}: {said}");
    }
}

#[test]
fn a_range_of_neighbours_has_a_name_for_its_sessions_and_needs_no_as() {
    let text = "protocol bgp p { local as 1; neighbor range 10.0.0.0/8 external; dynamic name \"x\"; \
        dynamic name digits 3; ipv4 { import none; export none; }; }
        protocol bgp q { local as 1; neighbor range 2001:db8::/32 internal; ipv6; }";
    let config = config(text);
    let of = |n: usize| match &config.protocols[n].kind {
        ProtocolKind::Bgp(bgp) => (bgp.range.unwrap().to_string(), &*bgp.dynamic_name, bgp.dynamic_digits, bgp.peer_as),
        other => panic!("{other:?}"),
    };
    assert_eq!(of(0), ("10.0.0.0/8".to_owned(), "x", 3, 0));
    assert_eq!(of(1), ("2001:db8::/32".to_owned(), "dynbgp", 0, 1));
}

#[test]
fn a_roa_channel_has_limits_and_keeps_what_is_rejected() {
    let with = |option: &str| format!("roa4 table r; protocol static st {{ roa4 {{ table r; {option} }}; }}");
    let config = config_of_2(&with("receive limit 7; import limit 5 action block; export limit off; import all;"));
    let channel = &config.protocols[0].roa_channels[0];
    let limits = [channel.receive_limit, channel.import_limit, channel.export_limit].map(|l| l.map(|l| l.routes_max));
    assert_eq!(limits, [Some(7), Some(5), None]);
    assert!(
        !channel.keep_filtered
            && config_of_2(&with("import keep filtered;")).protocols[0].roa_channels[0].keep_filtered
    );
}

#[test]
fn a_pipe_joins_two_tables_of_authorisations_of_one_sort() {
    use filter::Policy;
    let tables = "roa4 table r; roa4 table r2; roa6 table six; aspa table who; aspa table who2; ipv4 table t;";
    let with = |options: &str| format!("{tables} protocol pipe p {{ {options} }}");
    let config = config_of_2(&with("table r; peer table r2; import none; import limit 5 action block;"));
    let pipe = &config.protocols[0];
    assert!(pipe.channels.is_empty());
    let [channel] = pipe.roa_channels.as_slice() else { panic!("{:?}", pipe.roa_channels) };
    assert_eq!((channel.carries, &*channel.table), (Carries::Origins, "r"));
    assert_eq!(channel.import_limit.map(|l| l.routes_max), Some(5));
    assert!(matches!((&channel.import, &channel.export), (Policy::Reject, Policy::Accept)), "all goes out by default");
    for options in ["table r; peer table six;", "table r; peer table t;", "table t; peer table r;"] {
        let said = refused_of_2(&with(options));
        assert!(said.contains("Primary table and peer table must have the same type"), "{options}: {said}");
    }
    let config = config_of_2(&with("table who; peer table who2;"));
    assert_eq!(config.protocols[0].roa_channels[0].carries, Carries::Providers);
}
