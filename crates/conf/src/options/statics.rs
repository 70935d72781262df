//! `protocol static`: routes written in the configuration.

use crate::config::{StaticConf, StaticDest, StaticHop, StaticRoute};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed, Tok};
use std::net::IpAddr;

/// Its own options.
pub(crate) static OPTIONS: &[Row<StaticConf>] = &[
    Row::new(&["check", "link"], Slot::Switch(field!(check_link)), Effect::Restart),
    Row::new(&["igp", "table"], Slot::OtherTable(field!(igp_table)), Effect::Restart),
    Row::new(
        &["route"],
        Slot::Own(Own {
            grammar: "prefix via address[%link] | via \"link\" | multipath via address [weight number] [bfd [switch]] ... | recursive address | blackhole | unreachable | prohibit, then [{ filter commands }]",
            parse: route,
            show: |conf| format!("{} routes", conf.routes.len()),
            same: same_routes,
        }),
        Effect::None,
    ),
];

fn same_routes(a: &StaticConf, b: &StaticConf) -> bool {
    let same = |a: &StaticRoute, b: &StaticRoute| {
        a.net == b.net
            && a.to == b.to
            && match (&a.body, &b.body) {
                (None, None) => true,
                (Some(a), Some(b)) => a.is_same_program(b),
                _ => false,
            }
    };
    a.routes.len() == b.routes.len() && a.routes.iter().zip(&b.routes).all(|(a, b)| same(a, b))
}

/// `route 10.0.0.0/8 via 10.0.0.1 { preference = 5; }`
fn route(parser: &mut Parser<'_>, conf: &mut StaticConf) -> Parsed<()> {
    let start = parser.at.span();
    let net = parser.prefix()?;
    let to = destination(parser)?;
    let span = parser.at.since(start);
    let body = if parser.at.is(Op::BraceOpen) { parser.filter_body()? } else { None };
    conf.routes.push(StaticRoute { net, to, body, span });
    Ok(())
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
    match SPECIAL.iter().find(|(word, _)| parser.at.is_word(word)) {
        Some((_, to)) => {
            parser.at.bump();
            Ok(to.clone())
        }
        None => Err(parser.at.wanted(
            "`via`, `multipath`, `recursive`, `blackhole`, `unreachable` or `prohibit`: where the route leads",
        )),
    }
}

/// `10.0.0.1` or `fe80::1%link`.
fn gateway(parser: &mut Parser<'_>) -> Parsed<StaticHop> {
    let gateway: IpAddr = parser.address()?;
    let iface = parser.scope()?;
    Ok(StaticHop { gateway, iface, weight: 1, onlink: false, bfd: false })
}

/// One gateway of several, with `weight` and `bfd` in any order.
fn weighted(parser: &mut Parser<'_>) -> Parsed<StaticHop> {
    let mut hop = gateway(parser)?;
    loop {
        if parser.at.eat_word("weight") {
            let start = parser.at.span();
            let weight = parser.number()?;
            hop.weight = match u16::try_from(weight) {
                Ok(weight @ 1..=256) => weight,
                _ => return Err(parser.refusal(start, "Weight must be in range 1-256", format!("{weight} is not"))),
            };
        } else if parser.at.eat_word("bfd") {
            let another = ["via", "weight", "bfd"].iter().any(|word| parser.at.is_word(word));
            hop.bfd = another || parser.switch()?;
        } else {
            return Ok(hop);
        }
    }
}
