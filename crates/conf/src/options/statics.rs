//! `protocol static`: routes written in the configuration.

use crate::config::{Dialect, StaticAspa, StaticConf, StaticDest, StaticHop, StaticRoa, StaticRoute};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed, Tok};
use filter::{Diagnostic, Filter, Span};
use route::{Customer, Family, Prefix, Roa};
use std::sync::Arc;

/// Its own options.
pub(crate) static OPTIONS: &[Row<StaticConf>] = &[
    // In 2 taken over as it is.
    Row::<StaticConf>::new(&["check", "link"], Slot::Switch(field!(check_link)), Effect::Restart)
        .lighter(|a, _| !a.devices_are_apart, Effect::None),
    Row::new(
        &["igp", "table"],
        Slot::Own(Own {
            grammar: "table",
            parse: igp_table,
            show: |conf| {
                let names: Vec<_> = [&conf.igp_table4, &conf.igp_table6].into_iter().flatten().map(|n| &**n).collect();
                names.join(", ")
            },
            same: |a, b| (&a.igp_table4, &a.igp_table6) == (&b.igp_table4, &b.igp_table6),
        }),
        Effect::Restart,
    ),
    Row::<StaticConf>::new(
        &["route"],
        Slot::Own(Own {
            grammar: "prefix via address[%link] | via \"link\" | multipath via address [weight number] [bfd [switch]] ... | recursive address | blackhole | unreachable | prohibit, then [{ filter commands }]",
            parse: route,
            show: |conf| format!("{} routes", conf.routes.len()),
            same: same_routes,
        }),
        Effect::None,
    )
    .only(Dialect::V1),
    Row::<StaticConf>::new(
        &["route"],
        Slot::Own(Own {
            grammar: "prefix max number as number, or aspa number providers number, ...|transit, or prefix via address[%link]|\"link\" [dev \"link\"] [onlink [switch]] [weight number] [bfd [switch]] ... | recursive address | blackhole | unreachable | prohibit, then [{ filter commands }]",
            parse: route,
            show: |conf| format!("{} routes", conf.routes.len() + conf.roas.len() + conf.aspas.len()),
            same: |a, b| same_routes(a, b) && same_roas(a, b) && same_aspas(a, b),
        }),
        Effect::None,
    )
    .only(Dialect::V2),
];

/// `igp table NAME`; in 2 one of each family may be named.
fn igp_table(parser: &mut Parser<'_>, conf: &mut StaticConf) -> Parsed<()> {
    let name = parser.table()?;
    let family = parser.config.tables.iter().find(|t| t.name == name).map(|t| t.family);
    match family.filter(|_| parser.dialect() == Dialect::V2) {
        Some(Family::Ipv6) => conf.igp_table6 = Some(name),
        _ => conf.igp_table4 = Some(name),
    }
    Ok(())
}

fn same_routes(a: &StaticConf, b: &StaticConf) -> bool {
    let same = |a: &StaticRoute, b: &StaticRoute| {
        a.net == b.net && a.to == b.to && same_body(a.body.as_ref(), b.body.as_ref())
    };
    a.routes.len() == b.routes.len() && a.routes.iter().zip(&b.routes).all(|(a, b)| same(a, b))
}

fn same_roas(a: &StaticConf, b: &StaticConf) -> bool {
    let same = |a: &StaticRoa, b: &StaticRoa| a.roa == b.roa && same_body(a.body.as_ref(), b.body.as_ref());
    a.roas.len() == b.roas.len() && a.roas.iter().zip(&b.roas).all(|(a, b)| same(a, b))
}

fn same_aspas(a: &StaticConf, b: &StaticConf) -> bool {
    let same = |a: &StaticAspa, b: &StaticAspa| {
        a.customer == b.customer && a.providers == b.providers && same_body(a.body.as_ref(), b.body.as_ref())
    };
    a.aspas.len() == b.aspas.len() && a.aspas.iter().zip(&b.aspas).all(|(a, b)| same(a, b))
}

fn same_body(a: Option<&Arc<Filter>>, b: Option<&Arc<Filter>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.is_same_program(b),
        _ => false,
    }
}

/// `route 10.0.0.0/8 via 10.0.0.1 { preference = 5; }`
fn route(parser: &mut Parser<'_>, conf: &mut StaticConf) -> Parsed<()> {
    let start = parser.at.span();
    if parser.dialect() == Dialect::V2 && parser.at.eat_word("aspa") {
        conf.aspas.push(providers(parser, start)?);
        return Ok(());
    }
    let net = parser.prefix()?;
    if parser.dialect() == Dialect::V2 && parser.at.is_word("max") {
        let roa = authorisation(parser, net)?;
        let span = parser.at.since(start);
        let body = if parser.at.is(Op::BraceOpen) { parser.filter_body()? } else { None };
        conf.roas.push(StaticRoa { roa, body, span });
        return Ok(());
    }
    let to = match parser.dialect() {
        Dialect::V1 => destination(parser)?,
        Dialect::V2 => destination_of_2(parser)?,
    };
    let span = parser.at.since(start);
    let body = if parser.at.is(Op::BraceOpen) { parser.filter_body()? } else { None };
    conf.routes.push(StaticRoute { net, to, body, span });
    Ok(())
}

/// What stands behind the prefix of an authorisation.
fn authorisation(parser: &mut Parser<'_>, prefix: Prefix) -> Parsed<Roa> {
    parser.at.expect_word("max")?;
    let start = parser.at.span();
    let max = parser.at.number()?;
    let range = prefix.len()..=prefix.family().bits();
    let max_len = u8::try_from(max).ok().filter(|max| range.contains(max)).ok_or_else(|| {
        let label = format!("for {prefix}: {} to {}", range.start(), range.end());
        parser.refusal(start, format!("Invalid max prefix length {max}"), label)
    })?;
    parser.at.expect_word("as")?;
    Ok(Roa { prefix, max_len, asn: parser.at.number()? })
}

/// What stands behind `aspa`.
fn providers(parser: &mut Parser<'_>, start: Span) -> Parsed<StaticAspa> {
    let customer = Customer(parser.number()?);
    let mut providers = Vec::new();
    if parser.at.eat_word("transit") {
        providers.push(0);
    } else if parser.at.eat_word("providers") {
        providers.push(parser.number()?);
        while parser.at.eat(Op::Comma) {
            providers.push(parser.number()?);
        }
    } else {
        let message = format!("ASPA {customer} configured with no provider list, ignoring the whole rule");
        parser.warn_of(parser.at.since(start), message, "`providers NUMBER, ...` or `transit` says who carries it on");
    }
    let span = parser.at.since(start);
    let body = if parser.at.is(Op::BraceOpen) { parser.filter_body()? } else { None };
    Ok(StaticAspa { customer, providers, body, span })
}

static SPECIAL: &[(&str, StaticDest)] = &[
    ("blackhole", StaticDest::Blackhole),
    ("drop", StaticDest::Blackhole),
    ("unreachable", StaticDest::Unreachable),
    ("reject", StaticDest::Unreachable),
    ("prohibit", StaticDest::Prohibit),
];

fn destination(parser: &mut Parser<'_>) -> Parsed<StaticDest> {
    if parser.at.eat_word("recursive") {
        return Ok(StaticDest::Recursive(parser.address()?));
    }
    if parser.at.eat_word("via") {
        if parser.at.peek() == Tok::Text {
            return Ok(StaticDest::Device(parser.text()?));
        }
        return Ok(StaticDest::Via(vec![gateway(parser)?]));
    }
    if parser.at.eat_word("multipath") {
        let mut hops = Vec::new();
        while hops.is_empty() || parser.at.is_word("via") {
            parser.at.expect_word("via")?;
            hops.push(weighted(parser)?);
        }
        return Ok(StaticDest::Via(hops));
    }
    special(parser).ok_or_else(|| {
        parser
            .at
            .wanted("`via`, `multipath`, `recursive`, `blackhole`, `unreachable` or `prohibit`: where the route leads")
    })
}

fn special(parser: &mut Parser<'_>) -> Option<StaticDest> {
    let (_, to) = SPECIAL.iter().find(|(word, _)| parser.at.is_word(word))?;
    parser.at.bump();
    Some(to.clone())
}

/// Where a route of BIRD 2 leads: gateways stand one behind the other, each with its options.
fn destination_of_2(parser: &mut Parser<'_>) -> Parsed<StaticDest> {
    if parser.at.eat_word("recursive") {
        let to = StaticDest::Recursive(parser.address()?);
        return if parser.at.is_word("mpls") { Err(labels(parser)) } else { Ok(to) };
    }
    let start = parser.at.span();
    if !parser.at.is_word("via") {
        return special(parser).ok_or_else(|| {
            let label = "`via`, `recursive`, `blackhole`, `unreachable` or `prohibit` says where the route leads";
            parser.refusal(start, "Unexpected or missing nexthop/type", label)
        });
    }
    let mut hops = Vec::new();
    while parser.at.eat_word("via") {
        hops.push(hop_of_2(parser)?);
    }
    if parser.at.is_word("mpls") {
        return Err(labels(parser));
    }
    Ok(match hops.as_mut_slice() {
        [StaticHop { gateway: None, iface, weight: 1, onlink: false, bfd: false }] => {
            StaticDest::Device(iface.take().unwrap_or_default())
        }
        _ => StaticDest::Via(hops),
    })
}

fn labels(parser: &Parser<'_>) -> Diagnostic {
    parser.not_done(parser.at.span(), "mpls", "rbird has no MPLS")
}

/// A gateway or a link with its options in any order.
fn hop_of_2(parser: &mut Parser<'_>) -> Parsed<StaticHop> {
    let start = parser.at.span();
    let mut hop = match parser.at.peek() {
        Tok::Text => StaticHop { iface: Some(parser.text()?), ..StaticHop::default() },
        _ => gateway(parser)?,
    };
    loop {
        if parser.at.eat_word("dev") {
            hop.iface = Some(parser.text()?);
        } else if parser.at.eat_word("onlink") {
            hop.onlink = switch_before(parser)?;
        } else if parser.at.eat_word("weight") {
            hop.weight = weight(parser)?;
        } else if parser.at.eat_word("bfd") {
            hop.bfd = switch_before(parser)?;
        } else {
            break;
        }
    }
    for (word, said) in [("bfd", &mut hop.bfd), ("onlink", &mut hop.onlink)] {
        if hop.gateway.is_none() && std::mem::take(said) {
            parser.warn_of(
                start,
                format!("{word} does nothing here"),
                "a link has no neighbour: it would be of a gateway",
            );
        }
    }
    Ok(hop)
}

/// A switch that another word of the route may follow.
fn switch_before(parser: &mut Parser<'_>) -> Parsed<bool> {
    let another = ["via", "dev", "onlink", "weight", "bfd", "mpls"].iter().any(|word| parser.at.is_word(word));
    Ok(another || parser.switch()?)
}

fn weight(parser: &mut Parser<'_>) -> Parsed<u16> {
    let start = parser.at.span();
    let weight = parser.number()?;
    match u16::try_from(weight) {
        Ok(weight @ 1..=256) => Ok(weight),
        _ => Err(parser.refusal(start, "Weight must be in range 1-256", format!("{weight} is not"))),
    }
}

/// `10.0.0.1` or `fe80::1%link`.
fn gateway(parser: &mut Parser<'_>) -> Parsed<StaticHop> {
    let gateway = Some(parser.address()?);
    let iface = parser.scope()?;
    Ok(StaticHop { gateway, iface, ..StaticHop::default() })
}

/// One gateway of several, with `weight` and `bfd` in any order.
fn weighted(parser: &mut Parser<'_>) -> Parsed<StaticHop> {
    let mut hop = gateway(parser)?;
    loop {
        if parser.at.eat_word("weight") {
            hop.weight = weight(parser)?;
        } else if parser.at.eat_word("bfd") {
            let another = ["via", "weight", "bfd"].iter().any(|word| parser.at.is_word(word));
            hop.bfd = another || parser.switch()?;
        } else {
            return Ok(hop);
        }
    }
}
