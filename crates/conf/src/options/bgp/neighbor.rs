//! Who the neighbour is and how it is reached.

use super::V2;
use crate::config::{BgpConf, PeerKind};
use crate::parser::Parser;
use filter::Span;
use filter::syntax::{Op, Parsed, Tok};
use std::net::IpAddr;

/// The hops of `multihop` without a number, and of internal sessions that are not `direct`.
pub(crate) const MULTIHOP_DEFAULT: u8 = 64;

pub(super) fn with_as(addr: Option<IpAddr>, asn: u32) -> String {
    match (addr, asn) {
        (None, 0) => String::new(),
        (None, asn) => format!("as {asn}"),
        (Some(addr), asn) => format!("{addr} as {asn}"),
    }
}

/// `local [ADDRESS] as N`
pub(super) fn local(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if !parser.at.is_word("as") {
        conf.local_addr = Some(parser.address()?);
    }
    parser.at.expect_word("as")?;
    conf.local_as = parser.number()?;
    Ok(())
}

/// `local [ADDRESS] [port N] [as N]`, the words in any order and as often as one likes.
pub(super) fn local_of_2(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if !parser.at.is_word("as") && !parser.at.is_word("port") {
        conf.local_addr = Some(parser.address()?);
        if let Some(iface) = parser.scope()? {
            conf.iface = Some(iface);
        }
    }
    loop {
        if parser.at.eat_word("port") {
            conf.local_port = Some(port(parser)?);
        } else if parser.at.eat_word("as") {
            conf.local_as = parser.number()?;
        } else {
            return Ok(());
        }
    }
}

fn port(parser: &mut Parser<'_>) -> Parsed<u16> {
    let start = parser.at.span();
    match u16::try_from(parser.number()?) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(parser.refusal(start, "Invalid port number", "ports are 1 to 65535")),
    }
}

/// What may stand behind `neighbor ADDRESS`, or alone.
const NEIGHBOR_WORDS: &[&str] = &["as", "port", "internal", "external", "onlink"];

/// `neighbor [ADDRESS[%LINK]] [port N] [as N] [internal|external] [onlink]`
pub(super) fn neighbor(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
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

/// `neighbor range PREFIX [port N] [as N] [internal|external] [onlink]`
pub(super) fn neighbor_range(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
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
        } else if parser.dialect() == V2 && parser.at.eat_word("onlink") {
            conf.onlink = true;
        } else {
            return Ok(());
        }
    }
}

/// What a name may have at most, with the digits behind it.
const DYNAMIC_NAME_OCTETS_MAX: usize = 64 - 16;

pub(super) fn dynamic_name(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
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

pub(super) fn show_neighbor(conf: &BgpConf) -> String {
    if conf.peer_addr.is_unspecified() {
        return String::new();
    }
    let port = if conf.peer_port == 179 { String::new() } else { format!(" port {}", conf.peer_port) };
    match conf.peer_as {
        0 => format!("{}{port} external", conf.peer_addr),
        asn => format!("{}{port} as {asn}", conf.peer_addr),
    }
}

pub(super) fn same_neighbor(a: &BgpConf, b: &BgpConf) -> bool {
    (a.peer_addr, a.peer_port, a.peer_as, a.peer_kind) == (b.peer_addr, b.peer_port, b.peer_as, b.peer_kind)
}

pub(super) fn interface(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if parser.at.peek() != Tok::Text {
        return Err(parser.at.wanted("the name of a link in quotes"));
    }
    conf.iface = Some(parser.text()?);
    Ok(())
}

/// Patterns of names alone.
pub(super) fn interface_range(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let start = parser.at.span();
    let patterns = parser.iface_patterns()?;
    if patterns.iter().any(|p| p.prefix.is_some()) {
        return Err(parser.refusal(start, "Interface name or mask expected, not prefix", "names of links in quotes"));
    }
    conf.iface_range = Some(patterns);
    Ok(())
}

pub(super) fn direct(_: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    conf.multihop = None;
    Ok(())
}

pub(super) fn multihop(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
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
