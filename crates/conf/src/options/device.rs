//! `protocol device`: the scan of links and addresses.

use crate::config::{DeviceConf, IfacePattern};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed, Tok};
use route::Prefix;

/// Its own options.
pub(crate) static OPTIONS: &[Row<DeviceConf>] = &[
    Row::new(&["scan", "time"], Slot::Seconds(field!(scan_time)), Effect::None),
    Row::new(
        &["primary"],
        Slot::Own(Own {
            grammar: "[\"pattern\"] address|prefix",
            parse: primary,
            show: |conf| {
                let word = |(link, net): &(IfacePattern, Prefix)| {
                    format!("{} {net}", crate::config::pattern_words(std::slice::from_ref(link)))
                        .trim_start()
                        .to_owned()
                };
                conf.primary.iter().map(word).collect::<Vec<_>>().join(", ")
            },
            same: |a, b| a.primary == b.primary,
        }),
        Effect::None,
    ),
];

/// `"eth*" 10.0.0.1` or `10.0.0.0/8`: which address of a link stands for it.
fn primary(parser: &mut Parser<'_>, conf: &mut DeviceConf) -> Parsed<()> {
    let name = if parser.at.peek() == Tok::Text { Some(parser.text()?) } else { None };
    let addr = parser.address()?;
    let prefix =
        if parser.at.is(Op::Slash) || parser.at.is(Op::Colon) { parser.prefix_of(addr)? } else { Prefix::host(addr) };
    conf.primary.push((IfacePattern { negative: false, name, prefix: None }, prefix));
    Ok(())
}
