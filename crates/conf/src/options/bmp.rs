//! `protocol bmp`: where the station is, and what it is told.

use crate::config::BmpConf;
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::Parsed;
use std::sync::Arc;

/// The longest name or description of a system.
const TEXT_OCTETS_MAX: usize = 255;

/// Its own options.
pub(crate) static OPTIONS: &[Row<BmpConf>] = &[
    Row::new(
        &["station", "address"],
        Slot::Own(Own {
            grammar: "ip address port number",
            parse: station,
            show: |conf| match conf.station_addr {
                Some(addr) => format!("ip {addr} port {}", conf.station_port),
                None => String::new(),
            },
            same: |a, b| (a.station_addr, a.station_port) == (b.station_addr, b.station_port),
        }),
        Effect::Restart,
    ),
    Row::new(&["local", "address"], Slot::Address(field!(local_addr)), Effect::Restart),
    Row::new(
        &["system", "description"],
        Slot::Own(Own {
            grammar: "\"text\"",
            parse: |parser, conf| text(parser).map(|text| conf.system_description = text),
            show: |conf| format!("\"{}\"", conf.system_description),
            same: |a, b| a.system_description == b.system_description,
        }),
        Effect::Restart,
    ),
    Row::new(
        &["system", "name"],
        Slot::Own(Own {
            grammar: "\"text\"",
            parse: |parser, conf| text(parser).map(|text| conf.system_name = text),
            show: |conf| format!("\"{}\"", conf.system_name),
            same: |a, b| a.system_name == b.system_name,
        }),
        Effect::Restart,
    ),
    Row::new(&["monitoring", "rib", "in", "pre_policy"], Slot::Switch(field!(pre_policy)), Effect::Restart),
    Row::new(&["monitoring", "rib", "in", "post_policy"], Slot::Switch(field!(post_policy)), Effect::Restart),
    Row::new(&["monitoring", "rib", "out", "pre_policy"], Slot::Switch(field!(out_pre_policy)), Effect::Restart),
    Row::new(&["monitoring", "rib", "out", "post_policy"], Slot::Switch(field!(out_post_policy)), Effect::Restart),
    Row::new(&["statistics", "interval"], Slot::Time(field!(statistics_s)), Effect::Restart),
    Row::new(
        &["tx", "buffer", "limit"],
        Slot::Own(Own {
            grammar: "megabytes",
            parse: |parser, conf| {
                let start = parser.at.span();
                conf.buffer_megabytes = parser.number()?;
                match conf.buffer_megabytes {
                    0 => Err(parser.refusal(start, "BMP TX buffer limit must be at least 1 megabyte", "0")),
                    _ => Ok(()),
                }
            },
            show: |conf| conf.buffer_megabytes.to_string(),
            same: |a, b| a.buffer_megabytes == b.buffer_megabytes,
        }),
        Effect::None,
    ),
];

/// `ip ADDRESS` and `port NUMBER`, in any order.
fn station(parser: &mut Parser<'_>, conf: &mut BmpConf) -> Parsed<()> {
    loop {
        if parser.at.eat_word("ip") {
            let start = parser.at.span();
            let addr = parser.address()?;
            if addr.is_unspecified() {
                return Err(parser.refusal(start, "Invalid BMP monitoring station IP address", "of no machine"));
            }
            conf.station_addr = Some(addr);
        } else if parser.at.eat_word("port") {
            let start = parser.at.span();
            let port = parser.number()?;
            conf.station_port = match u16::try_from(port) {
                Ok(port @ 1..) => port,
                _ => {
                    let wrong = "Invalid BMP monitoring station port number";
                    return Err(parser.refusal(start, wrong, "1 to 65535"));
                }
            };
        } else {
            return Ok(());
        }
    }
}

fn text(parser: &mut Parser<'_>) -> Parsed<Arc<str>> {
    let start = parser.at.span();
    let text = parser.text()?;
    match text.len() {
        0 => Err(parser.refusal(start, "String is empty", "say what the system is")),
        1..=TEXT_OCTETS_MAX => Ok(text),
        _ => Err(parser.refusal(start, "Invalid string length", format!("at most {TEXT_OCTETS_MAX} octets"))),
    }
}
