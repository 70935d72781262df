//! `protocol device`: the scan of links and addresses.

use crate::config::{DeviceConf, Dialect, IfacePattern};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed, Tok};
use route::Prefix;
use std::net::IpAddr;

/// Its own options.
pub(crate) static OPTIONS: &[Row<DeviceConf>] = &[
    Row::new(&["scan", "time"], Slot::Seconds(field!(scan_time)), Effect::None),
    Row::<DeviceConf>::new(
        &["primary"],
        Slot::Own(Own {
            grammar: "[\"pattern\"] address|prefix",
            parse: primary,
            show: |conf| {
                let word = |(links, net): &(Vec<IfacePattern>, Prefix)| {
                    format!("{} {net}", crate::config::pattern_words(links)).trim_start().to_owned()
                };
                conf.primary.iter().map(word).collect::<Vec<_>>().join(", ")
            },
            same: |a, b| a.primary == b.primary,
        }),
        Effect::None,
    )
    .only(Dialect::V1),
    Row::<DeviceConf>::new(
        &["interface"],
        Slot::Own(Own {
            grammar: "[-]\"pattern\", ... { preferred address; ... }",
            parse: interface,
            show: |conf| {
                let word = |(links, addrs): &(Vec<IfacePattern>, Vec<IpAddr>)| {
                    let addrs: String = addrs.iter().map(|addr| format!("preferred {addr}; ")).collect();
                    format!("{} {{ {addrs}}}", crate::config::pattern_words(links))
                };
                conf.preferred.iter().map(word).collect::<Vec<_>>().join(", ")
            },
            same: |a, b| a.preferred == b.preferred,
        }),
        Effect::None,
    )
    .only(Dialect::V2),
];

/// `"eth*" { preferred 10.0.0.1; }`: which addresses of the links stand for them.
fn interface(parser: &mut Parser<'_>, conf: &mut DeviceConf) -> Parsed<()> {
    let start = parser.at.span();
    let patterns = parser.iface_patterns()?;
    if patterns.iter().any(|p| p.prefix.is_some()) {
        return Err(parser.refusal(
            start,
            "Interface name/mask expected, not IP prefix",
            "links go by their names here",
        ));
    }
    let mut preferred = Vec::new();
    let braces = parser.at.eat(Op::BraceOpen);
    while braces && !parser.at.eat(Op::BraceClose) {
        if parser.at.eat(Op::Semicolon) {
            continue;
        }
        parser.at.expect_word("preferred")?;
        let addr = parser.address()?;
        parser.at.expect(Op::Semicolon)?;
        preferred.push(addr);
    }
    conf.preferred.push((patterns, preferred));
    Ok(())
}

/// `"eth*" 10.0.0.1` or `10.0.0.0/8`: which address of a link stands for it.
fn primary(parser: &mut Parser<'_>, conf: &mut DeviceConf) -> Parsed<()> {
    let name = if parser.at.peek() == Tok::Text { Some(parser.text()?) } else { None };
    let addr = parser.address()?;
    let prefix =
        if parser.at.is(Op::Slash) || parser.at.is(Op::Colon) { parser.prefix_of(addr)? } else { Prefix::host(addr) };
    conf.primary.push((vec![IfacePattern { negative: false, name, prefix: None }], prefix));
    Ok(())
}
