//! `protocol rpki`: which cache server, how to reach it, how long its data count.

use crate::config::{CacheAddr, Interval, RpkiConf};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Op, Parsed, Tok};
use std::ops::RangeInclusive;

/// Its own options.
pub(crate) static OPTIONS: &[Row<RpkiConf>] = &[
    Row::new(
        &["remote"],
        Slot::Own(Own {
            grammar: "address|\"host\" [port number]",
            parse: remote,
            show: |conf| conf.remote.as_ref().map(ToString::to_string).unwrap_or_default(),
            same: |a, b| a.remote == b.remote,
        }),
        Effect::Restart,
    ),
    Row::new(
        &["port"],
        Slot::Own(Own {
            grammar: "number",
            parse: port,
            show: |conf| conf.port.to_string(),
            same: |a, b| a.port == b.port,
        }),
        Effect::Restart,
    ),
    Row::new(&["local", "address"], Slot::Address(field!(local_addr)), Effect::Restart),
    interval(
        &["refresh"],
        |p, c| timed(p, "refresh", 1..=86_400).map(|read| c.refresh = read),
        |c| shown(c.refresh),
        |a, b| a.refresh == b.refresh,
    ),
    interval(
        &["retry"],
        |p, c| timed(p, "retry", 1..=7200).map(|read| c.retry = read),
        |c| shown(c.retry),
        |a, b| a.retry == b.retry,
    ),
    interval(
        &["expire"],
        |p, c| timed(p, "expire", 600..=172_800).map(|read| c.expire = read),
        |c| shown(c.expire),
        |a, b| a.expire == b.expire,
    ),
    Row::new(
        &["transport"],
        Slot::Own(Own {
            grammar: "tcp [{ authentication none|md5; password \"text\"; }]",
            parse: transport,
            show: |conf| match &conf.transport {
                Some(Some(_)) => "tcp { authentication md5; password (secret); }".to_owned(),
                _ => "tcp".to_owned(),
            },
            same: |a, b| a.transport.iter().flatten().eq(b.transport.iter().flatten()),
        }),
        Effect::Restart,
    ),
    Row::new(&["ignore", "max", "length"], Slot::Switch(field!(ignore_max_length)), Effect::Restart),
    version(
        &["min", "version"],
        |p, c| version_of(p, "min").map(|read| c.min_version = read),
        |c| c.min_version.to_string(),
        |a, b| a.min_version == b.min_version,
    ),
    version(
        &["max", "version"],
        |p, c| version_of(p, "max").map(|read| c.max_version = read),
        |c| c.max_version.to_string(),
        |a, b| a.max_version == b.max_version,
    ),
];

type Parse = fn(&mut Parser<'_>, &mut RpkiConf) -> Parsed<()>;
type Same = fn(&RpkiConf, &RpkiConf) -> bool;

const fn interval(
    words: &'static [&'static str],
    parse: Parse,
    show: fn(&RpkiConf) -> String,
    same: Same,
) -> Row<RpkiConf> {
    Row::new(words, Slot::Own(Own { grammar: "[keep] seconds", parse, show, same }), Effect::None)
}

const fn version(
    words: &'static [&'static str],
    parse: Parse,
    show: fn(&RpkiConf) -> String,
    same: Same,
) -> Row<RpkiConf> {
    Row::new(words, Slot::Own(Own { grammar: "0|1|2", parse, show, same }), Effect::Restart)
}

fn shown(interval: Interval) -> String {
    format!("{}{}", if interval.keep { "keep " } else { "" }, interval.seconds)
}

/// `10.0.0.1 port 8282`, `"rpki.example.net"`.
fn remote(parser: &mut Parser<'_>, conf: &mut RpkiConf) -> Parsed<()> {
    let start = parser.at.span();
    let found = match parser.at.peek() {
        Tok::Text => CacheAddr::Name(parser.text()?),
        _ => CacheAddr::Addr(parser.address()?),
    };
    if conf.remote.is_some() {
        let label = "another protocol rpki may ask it and fill the same table";
        return Err(parser.refusal(start, "Only one cache server per protocol allowed", label));
    }
    conf.remote = Some(found);
    if parser.at.eat_word("port") { port(parser, conf) } else { Ok(()) }
}

fn port(parser: &mut Parser<'_>, conf: &mut RpkiConf) -> Parsed<()> {
    let start = parser.at.span();
    let number = parser.number()?;
    let Ok(port) = u16::try_from(number) else {
        let message = format!("Value {number} out of range (0-65535)");
        return Err(parser.refusal(start, message, "no port has this number"));
    };
    conf.port = if port == 0 { RpkiConf::PORT } else { port };
    Ok(())
}

/// `keep 90`.
fn timed(parser: &mut Parser<'_>, name: &str, range: RangeInclusive<u32>) -> Parsed<Interval> {
    let keep = parser.at.eat_word("keep");
    let start = parser.at.span();
    let seconds = parser.number()?;
    let unit = |n: u32| if n == 1 { "second" } else { "seconds" };
    let (least, most) = (*range.start(), *range.end());
    if seconds < least {
        let message = format!("Minimum allowed {name} interval is {least} {}", unit(least));
        return Err(parser.refusal(start, message, format!("{least} to {most}")));
    }
    if seconds > most {
        let message = format!("Maximum allowed {name} interval is {most} {}", unit(most));
        return Err(parser.refusal(start, message, format!("{least} to {most}")));
    }
    Ok(Interval { seconds, keep })
}

fn version_of(parser: &mut Parser<'_>, which: &str) -> Parsed<u8> {
    let start = parser.at.span();
    let number = parser.number()?;
    let most = RpkiConf::VERSION_MAX;
    match u8::try_from(number) {
        Ok(version) if version <= most => Ok(version),
        _ => {
            let message = format!("RPKI version {number} unsupported, {which} version must be in range 0-{most}");
            Err(parser.refusal(start, message, "no such version is known"))
        }
    }
}

fn transport(parser: &mut Parser<'_>, conf: &mut RpkiConf) -> Parsed<()> {
    let start = parser.at.span();
    if conf.transport.is_some() {
        let message = "At the most one transport per protocol allowed";
        return Err(parser.refusal(start, message, "one more than that"));
    }
    if parser.at.eat_word("ssh") {
        return Err(parser.not_done(start, "transport ssh", "rbird has no SSH: `transport tcp`, over a tunnel"));
    }
    parser.at.expect_word("tcp")?;
    let (mut md5, mut password) = (false, None);
    if parser.at.eat(Op::BraceOpen) {
        while !parser.at.eat(Op::BraceClose) {
            if parser.at.eat_word("authentication") {
                md5 = parser.one_of(AUTHENTICATIONS)?;
            } else if parser.at.eat_word("password") {
                password = Some(parser.text()?);
            } else {
                return Err(parser.at.wanted("`authentication` or `password`"));
            }
            parser.at.expect(Op::Semicolon)?;
        }
    }
    if md5 != password.is_some() {
        let message = "Authentication and password options should be used together";
        return Err(parser.refusal(start, message, "`tcp { authentication md5; password \"...\"; }`"));
    }
    conf.transport = Some(password);
    Ok(())
}

static AUTHENTICATIONS: &[(&str, bool)] = &[("none", false), ("md5", true)];
