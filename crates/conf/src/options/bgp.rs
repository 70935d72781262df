//! `protocol bgp`: a session with a neighbour.
//!
//! Who it is, and how it is reached, stands in `neighbor`; what a channel may say in `channel`; the keys of TCP-AO in `keys`.

mod channel;
mod keys;
mod neighbor;

pub(crate) use channel::CHANNEL;
pub(crate) use neighbor::MULTIHOP_DEFAULT;

use super::bfd;
use crate::config::{Authentication, BfdMode, BgpConf, Dialect, Limit, LimitAction, RestartMode, pattern_words};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed};
use neighbor::{
    direct, dynamic_name, interface, interface_range, local, local_of_2, multihop, neighbor, neighbor_range,
    same_neighbor, show_neighbor, with_as,
};

use route::Role;

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
        "[address[%link]] [port number] [as number] [internal|external] [onlink]",
        neighbor,
        show_neighbor,
        same_neighbor,
    )
    .only(V2),
    own(
        &["neighbor", "range"],
        "prefix [port number] [as number] [internal|external] [onlink]",
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
    own(
        &["interface", "range"],
        "[-]\"pattern\", ...",
        interface_range,
        |c| c.iface_range.as_deref().map(pattern_words).unwrap_or_default(),
        |a, b| a.iface_range == b.iface_range,
    )
    .only(V2),
    Row::<BgpConf>::new(&["onlink"], Switch(field!(onlink)), Restart).only(V2),
    own(&["direct"], "", direct, |c| on_off(c.multihop.is_none()), |a, b| a.multihop == b.multihop),
    own(
        &["multihop"],
        "[number]",
        multihop,
        |c| c.multihop.map_or_else(|| "off".to_owned(), |n| n.to_string()),
        |a, b| a.multihop == b.multihop,
    ),
    Row::<BgpConf>::new(&["check", "link"], Switch(field!(check_link)), Restart).means_in_2(Effect::None),
    Row::new(&["passive"], Switch(field!(passive)), Restart),
    own(
        &["authentication"],
        "none|md5|ao",
        |p, c| p.one_of(AUTHENTICATIONS).map(|asked| c.authentication = Some(asked)),
        |c| word_of(AUTHENTICATIONS, c.authentication.unwrap_or(Authentication::None)),
        |a, b| a.authentication == b.authentication,
    )
    .only(V2),
    // A session takes over other keys; it begins anew where it cannot.
    Row::<BgpConf>::new(
        &["keys"],
        Slot::Own(Own {
            grammar: "{ key { [send|recv] id number; secret \"text\"; ... }; ... }",
            parse: keys::keys,
            show: keys::shown,
            same: |a, b| a.ao_keys == b.ao_keys,
        }),
        Effect::None,
    )
    .only(V2),
    Row::new(&["password"], Secret(field!(password)), Restart),
    Row::new(&["setkey"], Switch(field!(setkey)), Restart),
    Row::new(&["ttl", "security"], Switch(field!(ttl_security)), Restart),
    Row::<BgpConf>::new(&["hold", "time"], Short(field!(times.hold_s), u16::MAX), Restart).only(V1),
    own(
        &["hold", "time"],
        "seconds",
        |p, c| bounded(p, HOLD_TIME).map(|s| c.times.hold_s = s),
        |c| c.times.hold_s.to_string(),
        |a, b| a.times.hold_s == b.times.hold_s,
    )
    .only(V2),
    Row::new(&["startup", "hold", "time"], Time(field!(times.startup_hold_s)), Restart),
    own(
        &["keepalive", "time"],
        "seconds",
        keepalive,
        |c| c.times.keepalive_s.map_or_else(|| "a third of the hold time".to_owned(), |n| n.to_string()),
        |a, b| a.times.keepalive_s == b.times.keepalive_s,
    )
    .only(V1),
    own(
        &["keepalive", "time"],
        "seconds",
        |p, c| bounded(p, KEEPALIVE_TIME).map(|s| c.times.keepalive_s = Some(s.into())),
        |c| c.times.keepalive_s.map_or_else(|| "a third of the hold time".to_owned(), |n| n.to_string()),
        |a, b| a.times.keepalive_s == b.times.keepalive_s,
    )
    .only(V2),
    Row::new(&["connect", "retry", "time"], Time(field!(times.connect_retry_s)), Restart),
    Row::new(&["connect", "delay", "time"], Time(field!(times.connect_delay_s)), Restart),
    Row::<BgpConf>::new(&["start", "delay", "time"], Time(field!(times.connect_delay_s)), Restart)
        .deprecated("Start delay time option is deprecated, use connect delay time"),
    own(
        &["error", "wait", "time"],
        "number, number",
        error_wait,
        |c| format!("{}, {}", c.times.error_wait_s.0, c.times.error_wait_s.1),
        |a, b| a.times.error_wait_s == b.times.error_wait_s,
    ),
    Row::new(&["error", "forget", "time"], Time(field!(times.error_forget_s)), Restart),
    Row::new(&["disable", "after", "error"], Switch(field!(disable_after_error)), Restart),
    own(&["disable", "after", "cease"], "[switch]|{ kind of cease, ... }", after_cease, show_after_cease, |a, b| {
        a.disable_after_cease == b.disable_after_cease
    }),
    Row::new(&["path", "metric"], Switch(field!(decision.path_metric)), Restart),
    Row::new(&["med", "metric"], Switch(field!(decision.med_metric)), Restart),
    Row::new(&["igp", "metric"], Switch(field!(decision.igp_metric)), Restart),
    Row::new(&["prefer", "older"], Switch(field!(decision.prefer_older)), Restart),
    Row::new(&["deterministic", "med"], Switch(field!(decision.deterministic_med)), Restart),
    Row::new(&["default", "bgp_med"], Number(field!(decision.default_med)), Restart),
    Row::new(&["default", "bgp_local_pref"], Number(field!(decision.default_local_pref)), Restart),
    Row::<BgpConf>::new(&["rr", "client"], Mark(field!(rr_client)), Restart).only(V1),
    of_2(&["rr", "client"], Switch(field!(rr_client))),
    own(
        &["rr", "cluster", "id"],
        "router id",
        cluster_id,
        |c| c.rr_cluster_id.map(|id| std::net::Ipv4Addr::from_bits(id).to_string()).unwrap_or_default(),
        |a, b| a.rr_cluster_id == b.rr_cluster_id,
    ),
    Row::<BgpConf>::new(&["rs", "client"], Mark(field!(rs_client)), Restart).only(V1),
    of_2(&["rs", "client"], Switch(field!(rs_client))),
    own(
        &["allow", "local", "as"],
        "[number]",
        allow_local_as,
        |c| c.rules.allow_local_as.to_string(),
        |a, b| a.rules.allow_local_as == b.rules.allow_local_as,
    ),
    Row::new(&["allow", "bgp_local_pref"], Switch(field!(rules.allow_local_pref)), Restart),
    Row::<BgpConf>::new(&["allow", "bgp_med"], Switch(field!(rules.med_to_external)), Restart).only(V2),
    Row::new(&["interpret", "communities"], Switch(field!(rules.interpret_communities)), Restart),
    Row::new(&["capabilities"], Switch(field!(offer.capabilities)), Restart),
    Row::<BgpConf>::new(&["advertise", "ipv4"], Switch(field!(offer.advertise_ipv4)), Restart).only(V1),
    Row::new(&["enable", "route", "refresh"], Switch(field!(offer.route_refresh)), Restart),
    Row::new(&["enable", "as4"], Switch(field!(offer.as4)), Restart),
    Row::new(&["enable", "extended", "messages"], Switch(field!(offer.extended_messages)), Restart),
    own(
        &["graceful", "restart"],
        "[switch]|aware",
        |p, c| restart_mode(p).map(|m| c.offer.graceful_restart = m),
        |c| word_of(RESTART_MODES, c.offer.graceful_restart),
        |a, b| a.offer.graceful_restart == b.offer.graceful_restart,
    ),
    Row::<BgpConf>::new(
        &["graceful", "restart", "time"],
        Short(field!(offer.graceful_restart_time_s), RESTART_TIME_MAX_S),
        Restart,
    )
    .only(V1),
    own(
        &["graceful", "restart", "time"],
        "seconds",
        |p, c| {
            let read = up_to(p, RESTART_TIME_MAX_S.into(), "Graceful restart time must be less than 4096")?;
            c.offer.graceful_restart_time_s = u16::try_from(read).unwrap_or(RESTART_TIME_MAX_S);
            Ok(())
        },
        |c| c.offer.graceful_restart_time_s.to_string(),
        |a, b| a.offer.graceful_restart_time_s == b.offer.graceful_restart_time_s,
    )
    .only(V2),
    own(
        &["long", "lived", "graceful", "restart"],
        "[switch]|aware",
        |p, c| restart_mode(p).map(|m| c.offer.long_lived = m),
        |c| word_of(RESTART_MODES, c.offer.long_lived),
        |a, b| a.offer.long_lived == b.offer.long_lived,
    ),
    Row::<BgpConf>::new(&["long", "lived", "stale", "time"], Time(field!(long_lived_stale_time_s)), Restart).only(V1),
    of_2(
        &["long", "lived", "stale", "time"],
        Limited(field!(long_lived_stale_time_s), STALE_TIME_MAX_S, "Long-lived stale time must be less than 2^24"),
    ),
    Row::<BgpConf>::new(&["strict", "bind"], Switch(field!(strict_bind)), Restart).only(V2),
    Row::<BgpConf>::new(&["free", "bind"], Switch(field!(free_bind)), Restart).only(V2),
    Row::<BgpConf>::new(&["confederation"], Number(field!(confederation)), Restart).only(V2),
    Row::<BgpConf>::new(&["confederation", "member"], Switch(field!(confederation_member)), Restart).only(V2),
    Row::<BgpConf>::new(&["enforce", "first", "as"], Switch(field!(rules.enforce_first_as)), Restart).only(V2),
    Row::<BgpConf>::new(&["allow", "as", "sets"], Switch(field!(rules.allow_as_sets)), Restart).only(V2),
    of_2(&["advertise", "hostname"], Switch(field!(advertise_hostname))),
    of_2(&["require", "hostname"], Switch(field!(terms.hostname))).means(Effect::None),
    own(
        &["local", "role"],
        "peer|provider|customer|rs_server|rs_client",
        |p, c| p.one_of(ROLES).map(|role| c.terms.role = Some(role)),
        |c| c.terms.role.map(|role| role.word().to_owned()).unwrap_or_default(),
        |a, b| a.terms.role == b.terms.role,
    )
    .only(V2),
    of_2(&["require", "roles"], Switch(field!(terms.role_needed))),
    of_2(&["require", "route", "refresh"], Switch(field!(terms.route_refresh))).means(Effect::None),
    of_2(&["enable", "enhanced", "route", "refresh"], Switch(field!(offer.enhanced_refresh))),
    of_2(&["require", "enhanced", "route", "refresh"], Switch(field!(terms.enhanced_refresh))).means(Effect::None),
    of_2(&["require", "graceful", "restart"], Switch(field!(terms.graceful_restart))).means(Effect::None),
    of_2(&["require", "long", "lived", "graceful", "restart"], Switch(field!(terms.long_lived))).means(Effect::None),
    of_2(&["require", "as4"], Switch(field!(terms.as4))).means(Effect::None),
    of_2(&["require", "extended", "messages"], Switch(field!(terms.extended_messages))).means(Effect::None),
    of_2(&["min", "hold", "time"], Time(field!(terms.least_hold_s))),
    of_2(&["min", "keepalive", "time"], Time(field!(terms.least_keepalive_s))),
    own(
        &["send", "hold", "time"],
        "seconds",
        |p, c| p.number().map(|s| c.terms.send_hold_s = Some(s)),
        |c| c.terms.send_hold_s.map_or_else(|| "twice the hold time".to_owned(), |s| s.to_string()),
        |a, b| a.terms.send_hold_s == b.terms.send_hold_s,
    )
    .only(V2),
    of_2(
        &["min", "graceful", "restart", "time"],
        Limited(field!(terms.restart_least_s), 4095, "Min graceful restart time must be less than 4096"),
    ),
    most(
        &["max", "graceful", "restart", "time"],
        |p, c| up_to(p, 4095, "Max graceful restart time must be less than 4096").map(|s| c.terms.restart_most_s = s),
        |c| shown_unless(u32::MAX, c.terms.restart_most_s),
        |a, b| a.terms.restart_most_s == b.terms.restart_most_s,
    ),
    of_2(
        &["min", "long", "lived", "stale", "time"],
        Limited(field!(terms.stale_least_s), STALE_TIME_MAX_S, STALE_LEAST),
    ),
    most(
        &["max", "long", "lived", "stale", "time"],
        |p, c| up_to(p, STALE_TIME_MAX_S, STALE_MOST).map(|s| c.terms.stale_most_s = s),
        |c| shown_unless(u32::MAX, c.terms.stale_most_s),
        |a, b| a.terms.stale_most_s == b.terms.stale_most_s,
    ),
    of_2(&["tx", "size", "warning"], Number(field!(tx_size_warning))),
    Row::<BgpConf>::new(&["disable", "rx"], Slot::OnlyOff("it is for tests of BIRD itself"), Restart).only(V2),
    Row::<BgpConf>::new(
        &["bfd"],
        Slot::Own(Own {
            grammar: "[switch]|graceful",
            parse: bfd::of_session,
            show: |c| word_of(BFD_MODES, c.bfd),
            same: |a, b| a.bfd == b.bfd,
        }),
        Effect::None,
    )
    .only(V1),
    Row::<BgpConf>::new(
        &["bfd"],
        Slot::Own(Own {
            grammar: "[switch]|graceful|{ options; graceful; }",
            parse: bfd::of_session,
            show: |c| format!("{} {}", word_of(BFD_MODES, c.bfd), bfd::shown_of_session(c)).trim_end().to_owned(),
            same: |a, b| (a.bfd, &a.bfd_options) == (b.bfd, &b.bfd_options),
        }),
        Effect::None,
    )
    .only(V2),
];

const V1: Dialect = Dialect::V1;
const V2: Dialect = Dialect::V2;

/// `route limit N`: an old spelling of `import limit N` that stands among the protocol's own options.
pub(crate) const ROUTE_LIMIT: &[&str] = &["route", "limit"];

/// What BIRD says of it.
pub(crate) const ROUTE_LIMIT_WARNING: &str = "Route limit option is deprecated, use import limit";

/// The limit that `route limit N` means: BIRD restarts the session then.
pub(crate) fn route_limit(parser: &mut Parser<'_>) -> Parsed<Option<Limit>> {
    Ok(Some(Limit { routes_max: parser.number()?, action: LimitAction::Restart }))
}

const fn own(
    words: &'static [&'static str],
    grammar: &'static str,
    parse: fn(&mut Parser<'_>, &mut BgpConf) -> Parsed<()>,
    show: fn(&BgpConf) -> String,
    same: fn(&BgpConf, &BgpConf) -> bool,
) -> Row<BgpConf> {
    Row::new(words, Slot::Own(Own { grammar, parse, show, same }), Restart)
}

/// A plain option that dialect 2 alone has.
const fn of_2(words: &'static [&'static str], slot: Slot<BgpConf>) -> Row<BgpConf> {
    Row::new(words, slot, Restart).only(V2)
}

/// The most of something that the neighbour announces; of dialect 2 alone.
const fn most(
    words: &'static [&'static str],
    parse: fn(&mut Parser<'_>, &mut BgpConf) -> Parsed<()>,
    show: fn(&BgpConf) -> String,
    same: fn(&BgpConf, &BgpConf) -> bool,
) -> Row<BgpConf> {
    own(words, "seconds", parse, show, same).only(V2)
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn word_of<V: Copy + PartialEq>(words: &[(&str, V)], value: V) -> String {
    words.iter().find(|(_, v)| *v == value).map(|(word, _)| *word).unwrap_or_default().to_owned()
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

static ROLES: &[(&str, Role)] = &[
    ("peer", Role::Peer),
    ("provider", Role::Provider),
    ("customer", Role::Customer),
    ("rs_server", Role::RsServer),
    ("rs_client", Role::RsClient),
];

/// The field of the capability has 12 bits (RFC 4724 3).
const RESTART_TIME_MAX_S: u16 = (1 << 12) - 1;

/// The field of the capability has 24 bits (RFC 9494 3).
const STALE_TIME_MAX_S: u32 = (1 << 24) - 1;
const STALE_LEAST: &str = "Min long-lived stale time must be less than 2^24";
const STALE_MOST: &str = "Max long-lived stale time must be less than 2^24";

/// A number up to a limit, or what BIRD says of a greater one.
fn up_to(parser: &mut Parser<'_>, limit: u32, message: &'static str) -> Parsed<u32> {
    let start = parser.at.span();
    let value = parser.number()?;
    if value > limit { Err(parser.refusal(start, message, format!("at most {limit}"))) } else { Ok(value) }
}

/// A number, and nothing where it stands for none.
fn shown_unless(none: u32, value: u32) -> String {
    if value == none { String::new() } else { value.to_string() }
}

fn keepalive(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    // 0 is the default, as in BIRD.
    conf.times.keepalive_s = Some(parser.number()?).filter(|&s| s != 0);
    Ok(())
}

fn error_wait(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let least = parser.number()?;
    if !parser.at.is(Op::Comma) {
        return Err(parser.at.wanted("`,` and the longest wait, as in `error wait time 60, 300`"));
    }
    parser.at.bump();
    conf.times.error_wait_s = (least, parser.number()?);
    Ok(())
}

static AUTHENTICATIONS: &[(&str, Authentication)] =
    &[("none", Authentication::None), ("md5", Authentication::Md5), ("ao", Authentication::Ao)];

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
        ALL_CEASES
    } else {
        0
    };
    Ok(())
}

/// What a switch turns on: all but that of two connections one goes.
const ALL_CEASES: u32 = !(1 << 7);

fn show_after_cease(conf: &BgpConf) -> String {
    match conf.disable_after_cease {
        0 => "off".to_owned(),
        ALL_CEASES => "on".to_owned(),
        mask => {
            let words: Vec<_> = CEASES.iter().filter(|(_, bit)| mask & bit != 0).map(|(word, _)| *word).collect();
            format!("{{ {} }}", words.join(", "))
        }
    }
}

fn cluster_id(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.rr_cluster_id = Some(parser.router_id()?.to_bits()).filter(|&id| id != 0);
    Ok(())
}

fn allow_local_as(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.rules.allow_local_as = if parser.at.is(Op::Semicolon) { u32::MAX } else { parser.number()? };
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
