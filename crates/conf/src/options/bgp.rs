//! `protocol bgp`: a session with a neighbour.

use crate::config::rib_words::LimitAction;
use crate::config::{
    BfdMode, BgpChannel, BgpConf, Dialect, GatewayMode, LimitConf, LinkLocalFormat, MissingLladdr, NextHopPrefer,
    PeerKind, RestartMode, RoutesOf,
};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::Span;
use filter::syntax::{Op, Parsed, Tok};
use route::Family;
use std::net::IpAddr;

use Effect::Restart;
use Slot::{Limited, Mark, Number, Secret, Short, Switch, Time};

/// Its own options.
pub(crate) static OPTIONS: &[Row<BgpConf>] = &[
    own(
        &["local"],
        "[address] as number",
        local,
        |c| with_as(c.local_addr, c.local_as),
        |a, b| a.local_as == b.local_as && a.local_addr == b.local_addr,
    )
    .only(V1),
    own(
        &["local"],
        "[address] [port number] [as number]",
        local_of_2,
        |c| {
            let port = c.local_port.map_or_else(String::new, |port| format!(" port {port}"));
            format!("{}{port}", with_as(c.local_addr, c.local_as)).trim_start().to_owned()
        },
        |a, b| (a.local_as, a.local_addr, a.local_port) == (b.local_as, b.local_addr, b.local_port),
    )
    .only(V2),
    own(&["neighbor"], "[address[%link]] [port number] [as number]", neighbor, show_neighbor, same_neighbor).only(V1),
    own(
        &["neighbor"],
        "[address[%link]] [port number] [as number] [internal|external]",
        neighbor,
        show_neighbor,
        same_neighbor,
    )
    .only(V2),
    own(
        &["neighbor", "range"],
        "prefix [port number] [as number] [internal|external]",
        neighbor_range,
        |c| c.range.map(|range| range.to_string()).unwrap_or_default(),
        |a, b| a.range == b.range,
    )
    .only(V2),
    own(
        &["dynamic", "name"],
        "\"text\"",
        dynamic_name,
        |c| format!("\"{}\"", c.dynamic_name),
        |a, b| a.dynamic_name == b.dynamic_name,
    )
    .only(V2),
    Row::<BgpConf>::new(
        &["dynamic", "name", "digits"],
        Slot::Limited(field!(dynamic_digits), 10, "Dynamic name digits must be at most 10"),
        Restart,
    )
    .only(V2),
    Row::new(&["source", "address"], Slot::Address(field!(local_addr)), Restart),
    own(
        &["interface"],
        "\"link\"",
        interface,
        |c| c.iface.as_deref().unwrap_or_default().to_owned(),
        |a, b| a.iface == b.iface,
    ),
    own(&["direct"], "", direct, |c| on_off(c.multihop.is_none()), |a, b| a.multihop == b.multihop),
    own(
        &["multihop"],
        "[number]",
        multihop,
        |c| c.multihop.map_or_else(|| "off".to_owned(), |n| n.to_string()),
        |a, b| a.multihop == b.multihop,
    ),
    Row::new(&["check", "link"], Switch(field!(check_link)), Restart),
    Row::new(&["passive"], Switch(field!(passive)), Restart),
    Row::new(&["password"], Secret(field!(password)), Restart),
    Row::new(&["setkey"], Switch(field!(setkey)), Restart),
    Row::new(&["ttl", "security"], Switch(field!(ttl_security)), Restart),
    Row::<BgpConf>::new(&["hold", "time"], Short(field!(hold_time_s), u16::MAX), Restart).only(V1),
    own(
        &["hold", "time"],
        "seconds",
        |p, c| bounded(p, HOLD_TIME).map(|s| c.hold_time_s = s),
        |c| c.hold_time_s.to_string(),
        |a, b| a.hold_time_s == b.hold_time_s,
    )
    .only(V2),
    Row::new(&["startup", "hold", "time"], Time(field!(startup_hold_time_s)), Restart),
    own(
        &["keepalive", "time"],
        "seconds",
        keepalive,
        |c| c.keepalive_time_s.map_or_else(|| "a third of the hold time".to_owned(), |n| n.to_string()),
        |a, b| a.keepalive_time_s == b.keepalive_time_s,
    )
    .only(V1),
    own(
        &["keepalive", "time"],
        "seconds",
        |p, c| bounded(p, KEEPALIVE_TIME).map(|s| c.keepalive_time_s = Some(s.into())),
        |c| c.keepalive_time_s.map_or_else(|| "a third of the hold time".to_owned(), |n| n.to_string()),
        |a, b| a.keepalive_time_s == b.keepalive_time_s,
    )
    .only(V2),
    Row::new(&["connect", "retry", "time"], Time(field!(connect_retry_time_s)), Restart),
    Row::new(&["connect", "delay", "time"], Time(field!(connect_delay_time_s)), Restart),
    Row::<BgpConf>::new(&["start", "delay", "time"], Time(field!(connect_delay_time_s)), Restart)
        .deprecated("Start delay time option is deprecated, use connect delay time")
        .only(V1),
    own(
        &["error", "wait", "time"],
        "number, number",
        error_wait,
        |c| format!("{}, {}", c.error_wait_time_s.0, c.error_wait_time_s.1),
        |a, b| a.error_wait_time_s == b.error_wait_time_s,
    ),
    Row::new(&["error", "forget", "time"], Time(field!(error_forget_time_s)), Restart),
    Row::new(&["disable", "after", "error"], Switch(field!(disable_after_error)), Restart),
    own(&["disable", "after", "cease"], "[switch]|{ kind of cease, ... }", after_cease, show_after_cease, |a, b| {
        a.disable_after_cease == b.disable_after_cease
    }),
    Row::new(&["path", "metric"], Switch(field!(path_metric)), Restart),
    Row::new(&["med", "metric"], Switch(field!(med_metric)), Restart),
    Row::new(&["igp", "metric"], Switch(field!(igp_metric)), Restart),
    Row::new(&["prefer", "older"], Switch(field!(prefer_older)), Restart),
    Row::new(&["deterministic", "med"], Switch(field!(deterministic_med)), Restart),
    Row::new(&["default", "bgp_med"], Number(field!(default_med)), Restart),
    Row::new(&["default", "bgp_local_pref"], Number(field!(default_local_pref)), Restart),
    Row::new(&["rr", "client"], Mark(field!(rr_client)), Restart),
    own(
        &["rr", "cluster", "id"],
        "router id",
        cluster_id,
        |c| c.rr_cluster_id.map(|id| std::net::Ipv4Addr::from_bits(id).to_string()).unwrap_or_default(),
        |a, b| a.rr_cluster_id == b.rr_cluster_id,
    ),
    Row::new(&["rs", "client"], Mark(field!(rs_client)), Restart),
    own(
        &["allow", "local", "as"],
        "[number]",
        allow_local_as,
        |c| c.allow_local_as.to_string(),
        |a, b| a.allow_local_as == b.allow_local_as,
    ),
    Row::new(&["allow", "bgp_local_pref"], Switch(field!(allow_local_pref)), Restart),
    Row::<BgpConf>::new(&["allow", "bgp_med"], Switch(field!(med_to_external)), Restart).only(V2),
    Row::new(&["interpret", "communities"], Switch(field!(interpret_communities)), Restart),
    Row::new(&["capabilities"], Switch(field!(capabilities)), Restart),
    Row::<BgpConf>::new(&["advertise", "ipv4"], Switch(field!(advertise_ipv4)), Restart).only(V1),
    Row::new(&["enable", "route", "refresh"], Switch(field!(route_refresh)), Restart),
    Row::new(&["enable", "as4"], Switch(field!(as4)), Restart),
    Row::new(&["enable", "extended", "messages"], Switch(field!(extended_messages)), Restart),
    own(
        &["graceful", "restart"],
        "[switch]|aware",
        |p, c| restart_mode(p).map(|m| c.graceful_restart = m),
        |c| word_of(RESTART_MODES, c.graceful_restart),
        |a, b| a.graceful_restart == b.graceful_restart,
    ),
    Row::new(&["graceful", "restart", "time"], Short(field!(graceful_restart_time_s), 0x0fff), Restart),
    own(
        &["long", "lived", "graceful", "restart"],
        "[switch]|aware",
        |p, c| restart_mode(p).map(|m| c.long_lived = m),
        |c| word_of(RESTART_MODES, c.long_lived),
        |a, b| a.long_lived == b.long_lived,
    ),
    Row::new(&["long", "lived", "stale", "time"], Time(field!(long_lived_stale_time_s)), Restart),
    Row::<BgpConf>::new(&["strict", "bind"], Switch(field!(strict_bind)), Restart).only(V2),
    Row::<BgpConf>::new(&["free", "bind"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["onlink"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["advertise", "hostname"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["enforce", "first", "as"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["confederation", "member"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::refused(&["confederation"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["interface", "range"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["authentication"], "not yet in rbird: `password` alone means MD5").only(V2),
    Row::<BgpConf>::refused(&["keys"], "not yet in rbird: TCP-AO").only(V2),
    Row::<BgpConf>::refused(&["local", "role"], NOT_YET).only(V2),
    Row::<BgpConf>::new(&["require", "roles"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "route", "refresh"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "enhanced", "route", "refresh"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "graceful", "restart"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "long", "lived", "graceful", "restart"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "as4"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "extended", "messages"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::new(&["require", "hostname"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    Row::<BgpConf>::refused(&["enable", "enhanced", "route", "refresh"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["allow", "as", "sets"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["min", "hold", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["min", "keepalive", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["send", "hold", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["min", "graceful", "restart", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["max", "graceful", "restart", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["min", "long", "lived", "stale", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["max", "long", "lived", "stale", "time"], NOT_YET).only(V2),
    Row::<BgpConf>::refused(&["tx", "size", "warning"], NOT_YET).only(V2),
    Row::<BgpConf>::new(&["disable", "rx"], Slot::OnlyOff("it is for tests of BIRD itself"), Restart).only(V2),
    Row::new(
        &["bfd"],
        Slot::Own(Own {
            grammar: "[switch]|graceful",
            parse: bfd,
            show: |c| word_of(BFD_MODES, c.bfd),
            same: |a, b| a.bfd == b.bfd,
        }),
        Effect::None,
    ),
];

/// Options of a channel of a session: 1.6 has them in the protocol.
pub(crate) static CHANNEL: &[Row<BgpChannel>] = &[
    of_channel(&["next", "hop"], "self|keep", next_hop, show_next_hop, |a, b| {
        (a.next_hop_self, a.next_hop_keep) == (b.next_hop_self, b.next_hop_keep)
    })
    .only(V1),
    of_channel(
        &["next", "hop", "self"],
        "[switch]|ibgp|ebgp",
        |p, c| routes_of(p).map(|whose| c.next_hop_self = whose),
        |c| word_of(ROUTES_OF, c.next_hop_self),
        |a, b| a.next_hop_self == b.next_hop_self,
    )
    .only(V2),
    of_channel(
        &["next", "hop", "keep"],
        "[switch]|ibgp|ebgp",
        |p, c| routes_of(p).map(|whose| c.next_hop_keep = whose),
        |c| word_of(ROUTES_OF, c.next_hop_keep),
        |a, b| a.next_hop_keep == b.next_hop_keep,
    )
    .only(V2),
    Row::<BgpChannel>::new(&["next", "hop", "address"], Slot::Address(field!(next_hop_address)), Restart).only(V2),
    of_channel(
        &["next", "hop", "prefer"],
        "global|local",
        |p, c| p.one_of(PREFERENCES).map(|one| c.next_hop_prefer = one),
        |c| word_of(PREFERENCES, c.next_hop_prefer),
        |a, b| a.next_hop_prefer == b.next_hop_prefer,
    )
    .only(V2),
    of_channel(
        &["link", "local", "next", "hop", "format"],
        "native|single|double",
        |p, c| p.one_of(FORMATS).map(|format| c.link_local_format = format),
        |c| word_of(FORMATS, c.link_local_format),
        |a, b| a.link_local_format == b.link_local_format,
    )
    .only(V2),
    of_channel(
        &["missing", "lladdr"],
        "self|drop|ignore",
        |p, c| p.one_of(MISSING_LLADDR).map(|m| c.missing_lladdr = m),
        |c| word_of(MISSING_LLADDR, c.missing_lladdr),
        |a, b| a.missing_lladdr == b.missing_lladdr,
    )
    .only(V1),
    // As BIRD 2 does: it says so, and does nothing.
    of_channel(
        &["missing", "lladdr"],
        "self|drop|ignore",
        |p, _| p.one_of(MISSING_LLADDR).map(|_| ()),
        |_| String::new(),
        |_, _| true,
    )
    .only(V2)
    .deprecated("Missing lladdr option is deprecated and ignored, remove it"),
    of_channel(
        &["gateway"],
        "direct|recursive",
        gateway,
        |c| word_of(GATEWAYS, c.gateway),
        |a, b| a.gateway == b.gateway,
    ),
    of_channel(&["igp", "table"], "table", igp_table, show_igp_tables, |a, b| {
        (&a.igp_table4, &a.igp_table6) == (&b.igp_table4, &b.igp_table6)
    }),
    Row::new(&["secondary"], Switch(field!(secondary)), Restart),
    of_channel(&["add", "paths"], "[switch]|rx|tx", add_paths, show_add_paths, |a, b| {
        (a.add_paths_rx, a.add_paths_tx) == (b.add_paths_rx, b.add_paths_tx)
    }),
    Row::<BgpChannel>::new(&["mandatory"], Switch(field!(mandatory)), Restart).only(V2),
    Row::<BgpChannel>::new(&["extended", "next", "hop"], Switch(field!(extended_next_hop)), Restart).only(V2),
    Row::<BgpChannel>::new(&["require", "extended", "next", "hop"], Switch(field!(require_extended_next_hop)), Restart)
        .only(V2),
    Row::<BgpChannel>::new(&["require", "add", "paths"], Switch(field!(require_add_paths)), Restart).only(V2),
    Row::<BgpChannel>::new(&["import", "table"], Switch(field!(import_table)), Restart).only(V2),
    Row::<BgpChannel>::new(&["export", "table"], Switch(field!(export_table)), Restart).only(V2),
    Row::<BgpChannel>::new(&["aigp"], Slot::OnlyOff(NOT_YET), Restart).only(V2),
    of_channel(&["cost"], "number", cost, |c| shown_unless(0, c.cost), |a, b| a.cost == b.cost).only(V2),
    Row::<BgpChannel>::new(&["graceful", "restart"], Switch(field!(graceful_restart)), Restart).only(V2),
    Row::<BgpChannel>::new(&["long", "lived", "graceful", "restart"], Switch(field!(long_lived)), Restart).only(V2),
    Row::<BgpChannel>::new(
        &["long", "lived", "stale", "time"],
        Limited(field!(long_lived_stale_time_s), STALE_TIME_MAX_S, "Long-lived stale time must be less than 2^24"),
        Restart,
    )
    .only(V2),
    Row::<BgpChannel>::new(
        &["min", "long", "lived", "stale", "time"],
        Limited(field!(long_lived_stale_least_s), STALE_TIME_MAX_S, "Min long-lived stale time must be less than 2^24"),
        Restart,
    )
    .only(V2),
    of_channel(
        &["max", "long", "lived", "stale", "time"],
        "number",
        stale_time_most,
        |c| shown_unless(u32::MAX, c.long_lived_stale_most_s),
        |a, b| a.long_lived_stale_most_s == b.long_lived_stale_most_s,
    )
    .only(V2),
    Row::<BgpChannel>::refused(&["validate"], "rbird has no flowspec").only(V2),
    Row::<BgpChannel>::refused(&["base", "table"], "rbird has no flowspec").only(V2),
];

/// The field of the capability has 24 bits (RFC 9494 3).
const STALE_TIME_MAX_S: u32 = (1 << 24) - 1;

const NOT_YET: &str = "not yet in rbird";

const V1: Dialect = Dialect::V1;
const V2: Dialect = Dialect::V2;

/// `route limit N`: an old spelling of `import limit N` that stands among the protocol's own options.
pub(crate) const ROUTE_LIMIT: &[&str] = &["route", "limit"];

/// What BIRD says of it.
pub(crate) const ROUTE_LIMIT_WARNING: &str = "Route limit option is deprecated, use import limit";

/// The limit that `route limit N` means: BIRD restarts the session then.
pub(crate) fn route_limit(parser: &mut Parser<'_>) -> Parsed<Option<LimitConf>> {
    Ok(Some(LimitConf { routes_max: parser.number()?, action: LimitAction::Restart }))
}

/// The hops of `multihop` without a number, and of internal sessions that are not `direct`.
pub(crate) const MULTIHOP_DEFAULT: u8 = 64;

const fn own(
    words: &'static [&'static str],
    grammar: &'static str,
    parse: fn(&mut Parser<'_>, &mut BgpConf) -> Parsed<()>,
    show: fn(&BgpConf) -> String,
    same: fn(&BgpConf, &BgpConf) -> bool,
) -> Row<BgpConf> {
    Row::new(words, Slot::Own(Own { grammar, parse, show, same }), Restart)
}

const fn of_channel(
    words: &'static [&'static str],
    grammar: &'static str,
    parse: fn(&mut Parser<'_>, &mut BgpChannel) -> Parsed<()>,
    show: fn(&BgpChannel) -> String,
    same: fn(&BgpChannel, &BgpChannel) -> bool,
) -> Row<BgpChannel> {
    Row::new(words, Slot::Own(Own { grammar, parse, show, same }), Restart)
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn word_of<V: Copy + PartialEq>(words: &[(&str, V)], value: V) -> String {
    words.iter().find(|(_, v)| *v == value).map(|(word, _)| *word).unwrap_or_default().to_owned()
}

fn with_as(addr: Option<IpAddr>, asn: u32) -> String {
    match (addr, asn) {
        (None, 0) => String::new(),
        (None, asn) => format!("as {asn}"),
        (Some(addr), asn) => format!("{addr} as {asn}"),
    }
}

/// `local [ADDRESS] as N`
fn local(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if !parser.at.is_word("as") {
        conf.local_addr = Some(parser.address()?);
    }
    parser.at.expect_word("as")?;
    conf.local_as = parser.number()?;
    Ok(())
}

/// `local [ADDRESS] [port N] [as N]`, each as often as one likes.
fn local_of_2(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if !parser.at.is_word("as") && !parser.at.is_word("port") {
        conf.local_addr = Some(parser.address()?);
    }
    if parser.at.eat_word("port") {
        conf.local_port = Some(port(parser)?);
    }
    if parser.at.eat_word("as") {
        conf.local_as = parser.number()?;
    }
    Ok(())
}

fn port(parser: &mut Parser<'_>) -> Parsed<u16> {
    let start = parser.at.span();
    match u16::try_from(parser.number()?) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(parser.refusal(start, "Invalid port number", "ports are 1 to 65535")),
    }
}

/// A number of seconds in a range, or what BIRD says of another.
struct Bounds {
    least: u16,
    zero: bool,
    message: &'static str,
}

const HOLD_TIME: Bounds = Bounds { least: 3, zero: true, message: "Hold time must be in range 3-65535 or zero" };
const KEEPALIVE_TIME: Bounds = Bounds { least: 1, zero: false, message: "Keepalive time must be in range 1-65535" };

fn bounded(parser: &mut Parser<'_>, bounds: Bounds) -> Parsed<u16> {
    let start = parser.at.span();
    let asked = parser.number()?;
    match u16::try_from(asked) {
        Ok(0) if bounds.zero => Ok(0),
        Ok(seconds) if seconds >= bounds.least => Ok(seconds),
        _ => Err(parser.refusal(start, bounds.message, format!("{asked} is not"))),
    }
}

/// What may stand behind `neighbor ADDRESS`, or alone.
const NEIGHBOR_WORDS: &[&str] = &["as", "port", "internal", "external"];

/// `neighbor [ADDRESS[%LINK]] [port N] [as N] [internal|external]`
fn neighbor(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let start = parser.at.span();
    let is_bare = NEIGHBOR_WORDS.iter().any(|word| parser.at.is_word(word)) || parser.at.is(Op::Semicolon);
    if !is_bare {
        let addr = parser.address()?;
        only_neighbor(parser, conf, start)?;
        conf.peer_addr = addr;
        if let Some(iface) = parser.scope()? {
            conf.iface = Some(iface);
        }
    }
    neighbor_words(parser, conf)
}

/// `neighbor range PREFIX [port N] [as N] [internal|external]`
fn neighbor_range(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let start = parser.at.span();
    let range = parser.prefix()?;
    only_neighbor(parser, conf, start)?;
    conf.range = Some(range);
    neighbor_words(parser, conf)
}

/// There is none yet.
fn only_neighbor(parser: &Parser<'_>, conf: &BgpConf, start: Span) -> Parsed<()> {
    let addr = Some(conf.peer_addr).filter(|addr| !addr.is_unspecified());
    let before = addr.map(|addr| addr.to_string()).or_else(|| conf.range.map(|range| range.to_string()));
    let Some(before) = before else { return Ok(()) };
    Err(parser.refusal(
        start,
        "Only one neighbor per BGP instance is allowed",
        format!("the neighbor is {before} already"),
    ))
}

fn neighbor_words(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    loop {
        if parser.at.eat_word("port") {
            conf.peer_port = port(parser)?;
        } else if parser.at.eat_word("as") {
            conf.peer_as = parser.number()?;
        } else if parser.dialect() == V2 && parser.at.eat_word("internal") {
            conf.peer_kind = Some(PeerKind::Internal);
        } else if parser.dialect() == V2 && parser.at.eat_word("external") {
            conf.peer_kind = Some(PeerKind::External);
        } else {
            return Ok(());
        }
    }
}

/// What a name may have at most, with the digits behind it.
const DYNAMIC_NAME_OCTETS_MAX: usize = 64 - 16;

fn dynamic_name(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let start = parser.at.span();
    let name = parser.text()?;
    if name.contains('%') {
        return Err(parser.refusal(start, "Forbidden character '%' in dynamic name", "a name without it"));
    }
    if name.len() > DYNAMIC_NAME_OCTETS_MAX {
        let most = format!("at most {DYNAMIC_NAME_OCTETS_MAX} characters");
        return Err(parser.refusal(start, "Dynamic name too long", most));
    }
    conf.dynamic_name = name;
    Ok(())
}

fn show_neighbor(conf: &BgpConf) -> String {
    if conf.peer_addr.is_unspecified() {
        return String::new();
    }
    let port = if conf.peer_port == 179 { String::new() } else { format!(" port {}", conf.peer_port) };
    match conf.peer_as {
        0 => format!("{}{port} external", conf.peer_addr),
        asn => format!("{}{port} as {asn}", conf.peer_addr),
    }
}

fn same_neighbor(a: &BgpConf, b: &BgpConf) -> bool {
    (a.peer_addr, a.peer_port, a.peer_as, a.peer_kind) == (b.peer_addr, b.peer_port, b.peer_as, b.peer_kind)
}

fn interface(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if parser.at.peek() != Tok::Text {
        return Err(parser.at.wanted("the name of a link in quotes"));
    }
    conf.iface = Some(parser.text()?);
    Ok(())
}

fn direct(_: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.multihop = None;
    Ok(())
}

fn multihop(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if parser.at.is(Op::Semicolon) {
        conf.multihop = Some(MULTIHOP_DEFAULT);
        return Ok(());
    }
    let start = parser.at.span();
    let hops = parser.number()?;
    conf.multihop = match u8::try_from(hops) {
        Ok(hops) if hops > 0 => Some(hops),
        _ => return Err(parser.refusal(start, "Multihop must be in range 1-255", format!("{hops} is not"))),
    };
    Ok(())
}

fn keepalive(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    // 0 is the default, as in BIRD.
    conf.keepalive_time_s = Some(parser.number()?).filter(|&s| s != 0);
    Ok(())
}

fn error_wait(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let least = parser.number()?;
    if !parser.at.is(Op::Comma) {
        return Err(parser.at.wanted("`,` and the longest wait, as in `error wait time 60, 300`"));
    }
    parser.at.bump();
    conf.error_wait_time_s = (least, parser.number()?);
    Ok(())
}

/// The kinds of Cease (RFC 4486) in BIRD's words, with their bits in `disable_after_cease`.
static CEASES: &[(&str, u32)] = &[
    ("cease", 1),
    ("prefix limit hit", 1 << 1),
    ("administrative shutdown", 1 << 2),
    ("peer deconfigured", 1 << 3),
    ("administrative reset", 1 << 4),
    ("connection rejected", 1 << 5),
    ("configuration change", 1 << 6),
    ("connection collision", 1 << 7),
    ("out of resources", 1 << 8),
];

fn after_cease(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.disable_after_cease = if parser.at.is(Op::BraceOpen) {
        parser.braced_list(CEASES)?.into_iter().fold(0, |mask, bit| mask | bit)
    } else if parser.switch()? {
        u32::MAX
    } else {
        0
    };
    Ok(())
}

fn show_after_cease(conf: &BgpConf) -> String {
    match conf.disable_after_cease {
        0 => "off".to_owned(),
        u32::MAX => "on".to_owned(),
        mask => {
            let words: Vec<_> = CEASES.iter().filter(|(_, bit)| mask & bit != 0).map(|(word, _)| *word).collect();
            format!("{{ {} }}", words.join(", "))
        }
    }
}

/// `next hop self|keep` of 1.6: one or the other.
fn next_hop(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    (conf.next_hop_self, conf.next_hop_keep) = parser.one_of(NEXT_HOPS)?;
    Ok(())
}

static NEXT_HOPS: &[(&str, (RoutesOf, RoutesOf))] =
    &[("self", (RoutesOf::All, RoutesOf::Nobody)), ("keep", (RoutesOf::Nobody, RoutesOf::All))];

fn show_next_hop(conf: &BgpChannel) -> String {
    word_of(NEXT_HOPS, (conf.next_hop_self, conf.next_hop_keep))
}

static ROUTES_OF: &[(&str, RoutesOf)] =
    &[("off", RoutesOf::Nobody), ("on", RoutesOf::All), ("ibgp", RoutesOf::Internal), ("ebgp", RoutesOf::External)];

/// `[switch]|ibgp|ebgp`.
fn routes_of(parser: &mut Parser<'_>) -> Parsed<RoutesOf> {
    if parser.at.eat_word("ibgp") {
        return Ok(RoutesOf::Internal);
    }
    if parser.at.eat_word("ebgp") {
        return Ok(RoutesOf::External);
    }
    Ok(if parser.switch()? { RoutesOf::All } else { RoutesOf::Nobody })
}

static PREFERENCES: &[(&str, NextHopPrefer)] = &[("global", NextHopPrefer::Global), ("local", NextHopPrefer::Local)];

static FORMATS: &[(&str, LinkLocalFormat)] =
    &[("native", LinkLocalFormat::Native), ("single", LinkLocalFormat::Single), ("double", LinkLocalFormat::Double)];

/// `igp table NAME`; one of each family may be named.
fn igp_table(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    let name = parser.table()?;
    match parser.config.tables.iter().find(|t| t.name == name).map(|t| t.family) {
        Some(Family::Ipv6) => conf.igp_table6 = Some(name),
        _ => conf.igp_table4 = Some(name),
    }
    Ok(())
}

fn show_igp_tables(conf: &BgpChannel) -> String {
    let names: Vec<_> = [&conf.igp_table4, &conf.igp_table6].into_iter().flatten().map(|name| &**name).collect();
    names.join(", ")
}

/// A number, and nothing where it stands for none.
fn shown_unless(none: u32, value: u32) -> String {
    if value == none { String::new() } else { value.to_string() }
}

fn cost(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    let start = parser.at.span();
    conf.cost = parser.number()?;
    if conf.cost == 0 {
        return Err(parser.refusal(start, "Cost must be positive", "leave it out for none"));
    }
    Ok(())
}

fn stale_time_most(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    let start = parser.at.span();
    conf.long_lived_stale_most_s = parser.number()?;
    if conf.long_lived_stale_most_s > STALE_TIME_MAX_S {
        let message = "Max long-lived stale time must be less than 2^24";
        return Err(parser.refusal(start, message, format!("at most {STALE_TIME_MAX_S}")));
    }
    Ok(())
}

static MISSING_LLADDR: &[(&str, MissingLladdr)] =
    &[("self", MissingLladdr::SelfAddr), ("drop", MissingLladdr::Drop), ("ignore", MissingLladdr::Ignore)];

static GATEWAYS: &[(&str, GatewayMode)] = &[("direct", GatewayMode::Direct), ("recursive", GatewayMode::Recursive)];

fn gateway(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    conf.gateway = parser.one_of(GATEWAYS)?;
    Ok(())
}

fn cluster_id(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.rr_cluster_id = Some(parser.router_id()?.to_bits()).filter(|&id| id != 0);
    Ok(())
}

fn add_paths(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    (conf.add_paths_rx, conf.add_paths_tx) = if parser.at.eat_word("rx") {
        (true, false)
    } else if parser.at.eat_word("tx") {
        (false, true)
    } else {
        let both = parser.switch()?;
        (both, both)
    };
    Ok(())
}

fn show_add_paths(conf: &BgpChannel) -> String {
    match (conf.add_paths_rx, conf.add_paths_tx) {
        (true, true) => "on",
        (true, false) => "rx",
        (false, true) => "tx",
        (false, false) => "off",
    }
    .to_owned()
}

fn allow_local_as(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.allow_local_as = if parser.at.is(Op::Semicolon) { u32::MAX } else { parser.number()? };
    Ok(())
}

static RESTART_MODES: &[(&str, RestartMode)] =
    &[("off", RestartMode::Off), ("aware", RestartMode::Aware), ("on", RestartMode::On)];

fn restart_mode(parser: &mut Parser<'_>) -> Parsed<RestartMode> {
    if parser.at.eat_word("aware") {
        return Ok(RestartMode::Aware);
    }
    Ok(if parser.switch()? { RestartMode::On } else { RestartMode::Off })
}

static BFD_MODES: &[(&str, BfdMode)] = &[("off", BfdMode::Off), ("on", BfdMode::On), ("graceful", BfdMode::Graceful)];

fn bfd(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.bfd = if parser.at.eat_word("graceful") {
        BfdMode::Graceful
    } else if parser.switch()? {
        BfdMode::On
    } else {
        BfdMode::Off
    };
    Ok(())
}
