//! The options of a channel of a session.

use super::{STALE_LEAST, STALE_MOST, STALE_TIME_MAX_S, V1, V2, shown_unless, up_to, word_of};
use crate::config::{Aigp, BgpChannel, GatewayMode, LinkLocalFormat, MissingLladdr, NextHopPrefer, RoutesOf};
use crate::option::{Effect, Effect::Restart, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::Parsed;
use route::Family;

use Slot::{Limited, Switch};

/// An option whose value is a word: its field, how it is read if not as one of the words, and the words.
macro_rules! word {
    (@ $words:expr, $grammar:literal, $field:ident, $table:ident, $parse:expr) => {
        of_channel(&$words, $grammar, $parse, |c| word_of($table, c.$field), |a, b| a.$field == b.$field)
    };
    ($words:expr, $grammar:literal, $field:ident, $table:ident) => {
        word!(@ $words, $grammar, $field, $table, |p, c| p.one_of($table).map(|value| c.$field = value))
    };
    ($words:expr, $grammar:literal, $field:ident, $read:ident, $table:ident) => {
        word!(@ $words, $grammar, $field, $table, |p, c| $read(p).map(|value| c.$field = value))
    };
}

/// Options of a channel of a session: 1.6 has them in the protocol.
pub(crate) static CHANNEL: &[Row<BgpChannel>] = &[
    of_channel(&["next", "hop"], "self|keep", next_hop, show_next_hop, |a, b| {
        (a.next_hop_self, a.next_hop_keep) == (b.next_hop_self, b.next_hop_keep)
    })
    .only(V1),
    word!(["next", "hop", "self"], "[switch]|ibgp|ebgp", next_hop_self, routes_of, ROUTES_OF)
        .only(V2)
        .means(Effect::EXPORT),
    word!(["next", "hop", "keep"], "[switch]|ibgp|ebgp", next_hop_keep, routes_of, ROUTES_OF)
        .only(V2)
        .means(Effect::EXPORT),
    Row::<BgpChannel>::new(&["next", "hop", "address"], Slot::Address(field!(next_hop_address)), Restart).only(V2),
    word!(["next", "hop", "prefer"], "global|local", next_hop_prefer, PREFERENCES).only(V2).means(Effect::IMPORT),
    word!(["link", "local", "next", "hop", "format"], "native|single|double", link_local_format, FORMATS)
        .only(V2)
        .means(Effect::EXPORT),
    word!(["missing", "lladdr"], "self|drop|ignore", missing_lladdr, MISSING_LLADDR).only(V1),
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
    word!(["gateway"], "direct|recursive", gateway, GATEWAYS),
    of_channel(&["igp", "table"], "table", igp_table, show_igp_tables, |a, b| {
        (&a.igp_table4, &a.igp_table6) == (&b.igp_table4, &b.igp_table6)
    }),
    Row::new(&["secondary"], Switch(field!(secondary)), Restart),
    of_channel(&["add", "paths"], "[switch]|rx|tx", add_paths, show_add_paths, |a, b| {
        (a.add_paths_rx, a.add_paths_tx) == (b.add_paths_rx, b.add_paths_tx)
    }),
    Row::<BgpChannel>::new(&["mandatory"], Switch(field!(mandatory)), Effect::None).only(V2),
    Row::<BgpChannel>::new(&["extended", "next", "hop"], Switch(field!(extended_next_hop)), Restart).only(V2),
    Row::<BgpChannel>::new(
        &["require", "extended", "next", "hop"],
        Switch(field!(require_extended_next_hop)),
        Effect::None,
    )
    .only(V2),
    Row::<BgpChannel>::new(&["require", "add", "paths"], Switch(field!(require_add_paths)), Effect::None).only(V2),
    Row::<BgpChannel>::new(&["import", "table"], Switch(field!(import_table)), Restart).only(V2),
    Row::<BgpChannel>::new(&["export", "table"], Switch(field!(export_table)), Restart).only(V2),
    // How long those wait who read the export table: here nobody does but the control socket, which never waits.
    of_channel(
        &["export", "settle", "time"],
        "number s|ms|us number s|ms|us",
        |p, _| p.pace("export settle time"),
        |_| String::new(),
        |_, _| true,
    )
    .only(V2),
    word!(["aigp"], "[switch]|originate", aigp, read_aigp, AIGP).only(V2).means(Effect::BOTH),
    of_channel(&["cost"], "number", cost, |c| shown_unless(0, c.cost), |a, b| a.cost == b.cost)
        .only(V2)
        .means(Effect::IMPORT),
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
        Limited(field!(long_lived_stale_least_s), STALE_TIME_MAX_S, STALE_LEAST),
        Restart,
    )
    .only(V2),
    of_channel(
        &["max", "long", "lived", "stale", "time"],
        "number",
        |p, c| up_to(p, STALE_TIME_MAX_S, STALE_MOST).map(|s| c.long_lived_stale_most_s = s),
        |c| shown_unless(u32::MAX, c.long_lived_stale_most_s),
        |a, b| a.long_lived_stale_most_s == b.long_lived_stale_most_s,
    )
    .only(V2),
    Row::<BgpChannel>::refused(&["validate"], "rbird has no flowspec").only(V2),
    Row::<BgpChannel>::refused(&["base", "table"], "rbird has no flowspec").only(V2),
];

const fn of_channel(
    words: &'static [&'static str],
    grammar: &'static str,
    parse: fn(&mut Parser<'_>, &mut BgpChannel) -> Parsed<()>,
    show: fn(&BgpChannel) -> String,
    same: fn(&BgpChannel, &BgpChannel) -> bool,
) -> Row<BgpChannel> {
    Row::new(words, Slot::Own(Own { grammar, parse, show, same }), Restart)
}

static AIGP: &[(&str, Aigp)] = &[("off", Aigp::Off), ("on", Aigp::On), ("originate", Aigp::Originate)];

/// `[switch]|originate`.
fn read_aigp(parser: &mut Parser<'_>) -> Parsed<Aigp> {
    if parser.at.eat_word("originate") {
        return Ok(Aigp::Originate);
    }
    Ok(if parser.switch()? { Aigp::On } else { Aigp::Off })
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

fn cost(parser: &mut Parser<'_>, conf: &mut BgpChannel) -> Parsed<()> {
    let start = parser.at.span();
    conf.cost = parser.number()?;
    if conf.cost == 0 {
        return Err(parser.refusal(start, "Cost must be positive", "leave it out for none"));
    }
    Ok(())
}

static MISSING_LLADDR: &[(&str, MissingLladdr)] =
    &[("self", MissingLladdr::SelfAddr), ("drop", MissingLladdr::Drop), ("ignore", MissingLladdr::Ignore)];

static GATEWAYS: &[(&str, GatewayMode)] = &[("direct", GatewayMode::Direct), ("recursive", GatewayMode::Recursive)];

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
