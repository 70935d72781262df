//! `protocol bfd`: whether neighbours live.

use super::common::thread_group;
use crate::config::{
    BfdAccept, BfdAuth, BfdConf, BfdInterfaces, BfdMode, BfdNeighbor, BfdOptions, BfdPassword, BfdSaid, BgpConf,
    CivilTime, Dialect, pattern_words,
};
use crate::option::{Effect, Own, Row, Slot, field, find, words_known};
use crate::parser::Parser;
use filter::suggest;
use filter::syntax::{Op, Parsed};
use filter::{Diagnostic, Level};
use std::sync::Arc;

/// Its own options.
pub(crate) static OPTIONS: &[Row<BfdConf>] = &[
    Row::<BfdConf>::new(
        &["accept"],
        Slot::Own(Own {
            grammar: "[ipv4|ipv6] [direct|multihop]",
            parse: accept,
            show: |c| accepted(c.accept),
            same: |a, b| a.accept == b.accept,
        }),
        Effect::Restart,
    )
    .only(Dialect::V2),
    thread_group(&["express", "thread", "group"]),
    Row::<BfdConf>::new(&["strict", "bind"], Slot::Switch(field!(strict_bind)), Effect::Restart).only(Dialect::V2),
    Row::<BfdConf>::new(&["zero", "udp6", "checksum", "rx"], Slot::Switch(field!(zero_udp6)), Effect::Restart)
        .only(Dialect::V2),
    own(
        &["interface"],
        "[-]\"pattern\", ... [{ options }]",
        interface,
        |c| {
            let words = |block: &BfdInterfaces| format!("{} {}", pattern_words(&block.patterns), shown(&block.options));
            c.interfaces.iter().map(words).collect::<Vec<_>>().join("; ")
        },
        |a, b| a.interfaces == b.interfaces,
    ),
    own(
        &["multihop"],
        "[{ options }]",
        |p, c| block(p).map(|options| c.multihop = options),
        |c| shown(&c.multihop),
        |a, b| a.multihop == b.multihop,
    ),
    own(
        &["neighbor"],
        "address [dev \"link\"] [local address] [multihop [switch]]",
        neighbor,
        |c| c.neighbors.iter().map(|n| n.addr.to_string()).collect::<Vec<_>>().join(", "),
        |a, b| a.neighbors == b.neighbors,
    ),
];

/// An interval with its words.
macro_rules! interval {
    ($name:ident, $($word:literal),+) => {
        own(
            &[$($word),+],
            TIME,
            |p, c| time(p).map(|us| c.$name = Some(us)),
            |c| c.$name.map(in_us).unwrap_or_default(),
            |a, b| a.$name == b.$name,
        )
    };
}

/// The options in the braces of `interface` and `multihop`, and of `bfd` of a BGP session.
pub(crate) static SESSION: &[Row<BfdSaid>] = &[
    own(
        &["interval"],
        TIME,
        |p, c| {
            let us = Some(time(p)?);
            (c.min_rx_us, c.min_tx_us) = (us, us);
            Ok(())
        },
        // It is short for the next two, which tell.
        |_| String::new(),
        |_, _| true,
    ),
    interval!(min_rx_us, "min", "rx", "interval"),
    interval!(min_tx_us, "min", "tx", "interval"),
    interval!(idle_tx_us, "idle", "tx", "interval"),
    own(
        &["multiplier"],
        "number",
        multiplier,
        |c| c.multiplier.map(|n| n.to_string()).unwrap_or_default(),
        |a, b| a.multiplier == b.multiplier,
    ),
    own(
        &["passive"],
        "[switch]",
        |p, c| p.switch().map(|passive| c.passive = Some(passive)),
        |c| c.passive.map(|passive| if passive { "on" } else { "off" }.to_owned()).unwrap_or_default(),
        |a, b| a.passive == b.passive,
    ),
    own(
        &["authentication"],
        "none|simple|[meticulous] keyed md5|sha1",
        |p, c| p.one_of(METHODS).map(|method| c.auth = Some(method)),
        |c| METHODS.iter().find(|(_, m)| Some(*m) == c.auth).map_or("", |(words, _)| words).to_owned(),
        |a, b| a.auth == b.auth,
    ),
    own(
        &["password"],
        "\"text\"|octets [{ id number; [generate|accept] from|to \"time\"; ... }]",
        |p, c| password(p, &mut c.passwords),
        |c| if c.passwords.is_empty() { String::new() } else { "(secret)".to_owned() },
        |a, b| a.passwords == b.passwords,
    ),
    own::<BfdSaid>(
        &["key"],
        "\"text\" [{ ... }]",
        |p, c| password(p, &mut c.passwords),
        |_| String::new(),
        // It is another word for `password`, which tells.
        |_, _| true,
    )
    .only(Dialect::V2),
    own(
        &["passwords"],
        "{ password ...; ... }",
        passwords,
        |_| String::new(),
        // What they mean is told by `password`.
        |_, _| true,
    ),
];

const TIME: &str = "number s|ms|us";

static METHODS: &[(&str, BfdAuth)] = &[
    ("none", BfdAuth::None),
    ("simple", BfdAuth::Simple),
    ("keyed md5", BfdAuth::KeyedMd5),
    ("meticulous keyed md5", BfdAuth::MeticulousMd5),
    ("keyed sha1", BfdAuth::KeyedSha1),
    ("meticulous keyed sha1", BfdAuth::MeticulousSha1),
];

const fn own<T>(
    words: &'static [&'static str],
    grammar: &'static str,
    parse: fn(&mut Parser<'_>, &mut T) -> Parsed<()>,
    show: fn(&T) -> String,
    same: fn(&T, &T) -> bool,
) -> Row<T> {
    Row::new(words, Slot::Own(Own { grammar, parse, show, same }), Effect::None)
}

/// What differs from the defaults, as it would be written.
fn shown(options: &BfdOptions) -> String {
    differing(&options.into(), &(&BfdOptions::default()).into())
}

fn differing(said: &BfdSaid, from: &BfdSaid) -> String {
    let differing = SESSION.iter().filter(|row| !row.same(said, from));
    let words: Vec<_> = differing.map(|row| format!("{} {}; ", row.words.join(" "), row.show(said))).collect();
    format!("{{ {}}}", words.concat())
}

fn in_us(us: u32) -> String {
    if us.is_multiple_of(1000) { format!("{} ms", us / 1000) } else { format!("{us} us") }
}

/// `accept ipv4 direct`: each word leaves out the others of its kind.
fn accept(parser: &mut Parser<'_>, conf: &mut BfdConf) -> Parsed<()> {
    conf.accept = BfdAccept::default();
    while !parser.at.is(Op::Semicolon) {
        let accept = &mut conf.accept;
        let left_out = match parser.one_of(ACCEPTED)? {
            Accepted::Ipv4 => &mut accept.ipv6,
            Accepted::Ipv6 => &mut accept.ipv4,
            Accepted::Direct => &mut accept.multihop,
            Accepted::Multihop => &mut accept.direct,
        };
        *left_out = false;
    }
    Ok(())
}

/// A word of `accept`.
#[derive(Clone, Copy)]
enum Accepted {
    Ipv4,
    Ipv6,
    Direct,
    Multihop,
}

static ACCEPTED: &[(&str, Accepted)] = &[
    ("ipv4", Accepted::Ipv4),
    ("ipv6", Accepted::Ipv6),
    ("direct", Accepted::Direct),
    ("multihop", Accepted::Multihop),
];

/// As it would be written.
fn accepted(accept: BfdAccept) -> String {
    let BfdAccept { ipv4, ipv6, direct, multihop } = accept;
    let words = [
        ("ipv4", ipv4 && !ipv6),
        ("ipv6", ipv6 && !ipv4),
        ("direct", direct && !multihop),
        ("multihop", multihop && !direct),
    ];
    words.iter().filter(|(_, told)| *told).map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
}

/// `interface "eth*" { ... }`
fn interface(parser: &mut Parser<'_>, conf: &mut BfdConf) -> Parsed<()> {
    let start = parser.at.span();
    let patterns = parser.iface_patterns()?;
    if patterns.iter().any(|p| p.prefix.is_some()) {
        let message = "Interface name/mask expected, not IP prefix";
        return Err(parser.refusal(start, message, "BFD looks at the names of links only"));
    }
    let options = block(parser)?;
    conf.interfaces.push(BfdInterfaces { patterns, options });
    Ok(())
}

/// `{ OPTIONS }`, or nothing.
fn block(parser: &mut Parser<'_>) -> Parsed<BfdOptions> {
    let mut said = BfdSaid::default();
    if parser.at.is(Op::BraceOpen) {
        let close = parser.braced(|parser| one(parser, &mut said))?;
        together(parser, &said, close)?;
    }
    Ok(said.over(BfdOptions::default()))
}

/// One option of a session.
fn one(parser: &mut Parser<'_>, said: &mut BfdSaid) -> Parsed<()> {
    let words = parser.words_ahead();
    match find(SESSION, &words, parser.dialect()) {
        Some(row) => {
            parser.skip(row.words.len());
            row.parse(parser, said)
        }
        None => Err(unknown(parser, &words)),
    }
}

/// A method without a password, or the other way round, is a mistake: of which BIRD 2 only warns.
fn together(parser: &mut Parser<'_>, said: &BfdSaid, close: filter::Span) -> Parsed<()> {
    if said.auth.is_none_or(|auth| auth == BfdAuth::None) == said.passwords.is_empty() {
        return Ok(());
    }
    let mut wrong = Diagnostic::error(close, "Authentication and password options should be used together");
    wrong = wrong.help(match said.passwords.is_empty() {
        true => "add `password \"text\";`",
        false => "add `authentication meticulous keyed sha1;`, or another method",
    });
    if parser.dialect() == Dialect::V1 {
        return Err(wrong);
    }
    wrong.level = Level::Warning;
    parser.warnings.push(wrong);
    Ok(())
}

/// `bfd [switch]`, `bfd graceful`, and in dialect 2 `bfd { OPTIONS }` of a BGP session. Options that were said before,
/// in a template, stay until `bfd off`.
pub(crate) fn of_session(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    if parser.dialect() == Dialect::V2 && parser.at.is(Op::BraceOpen) {
        return braces_of_session(parser, conf);
    }
    if parser.at.eat_word("graceful") {
        conf.bfd = BfdMode::Graceful;
    } else if !parser.switch()? {
        (conf.bfd, conf.bfd_options) = (BfdMode::Off, None);
    } else if conf.bfd == BfdMode::Off {
        conf.bfd = BfdMode::On;
    }
    Ok(())
}

fn braces_of_session(parser: &mut Parser<'_>, conf: &mut BgpConf) -> Parsed<()> {
    let mut said = conf.bfd_options.as_deref().cloned().unwrap_or_default();
    // Passwords of these braces come instead of those before.
    let before = std::mem::take(&mut said.passwords);
    let mut mode = if conf.bfd == BfdMode::Off { BfdMode::On } else { conf.bfd };
    let close = parser.braced(|parser| {
        if parser.at.eat_word("graceful") {
            mode = BfdMode::Graceful;
            return Ok(());
        }
        one(parser, &mut said)
    })?;
    if said.passwords.is_empty() {
        said.passwords = before;
    }
    together(parser, &said, close)?;
    (conf.bfd, conf.bfd_options) = (mode, Some(Arc::new(said)));
    Ok(())
}

/// The options of a session, as they would be written; empty when there are none.
pub(crate) fn shown_of_session(conf: &BgpConf) -> String {
    conf.bfd_options.as_deref().map(|said| differing(said, &BfdSaid::default())).unwrap_or_default()
}

fn unknown(parser: &mut Parser<'_>, words: &[&str]) -> Diagnostic {
    let typed = parser.typed();
    parser.skip(words_known(SESSION, words, parser.dialect()));
    let wrong = parser.at.unexpected();
    let all: Vec<String> = SESSION.iter().map(|row| row.words.join(" ")).collect();
    match typed.iter().rev().find_map(|typed| suggest::nearest(typed, all.iter().map(String::as_str))) {
        Some(near) => wrong.help(format!("did you mean `{near}`?")),
        None => wrong,
    }
}

/// `100 ms`, in microseconds.
fn time(parser: &mut Parser<'_>) -> Parsed<u32> {
    static UNITS: &[(&str, u32)] = &[("s", 1_000_000), ("ms", 1000), ("us", 1)];
    let start = parser.at.span();
    let number = parser.number()?;
    let us = u64::from(number) * u64::from(parser.one_of(UNITS)?);
    let taken = u32::try_from(us).unwrap_or(u32::MAX).max(BfdOptions::INTERVAL_LEAST_US);
    if u64::from(taken) != us {
        parser.warn(
            start,
            format!("intervals are 1 ms to {} s; this one is taken as {}", u32::MAX / 1_000_000, in_us(taken)),
        );
    }
    Ok(taken)
}

fn multiplier(parser: &mut Parser<'_>, said: &mut BfdSaid) -> Parsed<()> {
    let start = parser.at.span();
    let number = parser.number()?;
    let taken = u8::try_from(number).unwrap_or(u8::MAX).max(1);
    if u32::from(taken) != number {
        parser.warn(start, format!("multiplier is 1 to 255; {number} is taken as {taken}"));
    }
    said.multiplier = Some(taken);
    Ok(())
}

/// `passwords { password "a"; password "b" { id 5; }; }`
fn passwords(parser: &mut Parser<'_>, said: &mut BfdSaid) -> Parsed<()> {
    parser
        .braced(|parser| {
            if parser.dialect() == Dialect::V1 || !parser.at.eat_word("key") {
                parser.at.expect_word("password")?;
            }
            password(parser, &mut said.passwords)
        })
        .map(|_| ())
}

/// `password "a" { id 5; generate from "2026-01-01"; }`, behind its first word.
fn password(parser: &mut Parser<'_>, list: &mut Vec<BfdPassword>) -> Parsed<()> {
    let secret: Arc<[u8]> = match parser.dialect() {
        Dialect::V1 => parser.text()?.as_bytes().into(),
        Dialect::V2 => parser.secret()?,
    };
    let id = u8::try_from(list.len() + 1).unwrap_or(u8::MAX);
    let mut password = BfdPassword { id, secret, generate: (None, None), accept: (None, None) };
    if parser.at.is(Op::BraceOpen) {
        parser.braced(|parser| detail(parser, &mut password))?;
    }
    list.push(password);
    Ok(())
}

/// What may be said of a password.
#[derive(Clone, Copy)]
enum Detail {
    Id,
    Algorithm,
    GenerateFrom,
    GenerateTo,
    AcceptFrom,
    AcceptTo,
    From,
    To,
}

static DETAILS: &[(&str, Detail)] = &[
    ("id", Detail::Id),
    ("algorithm", Detail::Algorithm),
    ("generate from", Detail::GenerateFrom),
    ("generate to", Detail::GenerateTo),
    ("accept from", Detail::AcceptFrom),
    ("accept to", Detail::AcceptTo),
    ("from", Detail::From),
    ("to", Detail::To),
];

fn detail(parser: &mut Parser<'_>, password: &mut BfdPassword) -> Parsed<()> {
    let start = parser.at.span();
    let detail = parser.one_of(DETAILS)?;
    let time = match detail {
        Detail::Id => return id(parser, password),
        Detail::Algorithm => {
            let message = "Password algorithm option not available in BFD protocol";
            return Err(parser.refusal(start, message, "the method stands behind `authentication`"));
        }
        _ => Some(civil_time(parser)?),
    };
    let (generate, accept) = (&mut password.generate, &mut password.accept);
    match detail {
        Detail::GenerateFrom => generate.0 = time,
        Detail::GenerateTo => generate.1 = time,
        Detail::AcceptFrom => accept.0 = time,
        Detail::AcceptTo => accept.1 = time,
        Detail::From => (generate.0, accept.0) = (time, time),
        _ => (generate.1, accept.1) = (time, time),
    }
    Ok(())
}

fn id(parser: &mut Parser<'_>, password: &mut BfdPassword) -> Parsed<()> {
    let start = parser.at.span();
    let number = parser.number()?;
    let fits = u8::try_from(number);
    password.id = match (parser.dialect(), fits) {
        (Dialect::V1, Ok(0)) => {
            return Err(parser.refusal(start, "Password ID has to be greated than zero.", "1 to 255"));
        }
        (_, Ok(id)) => id,
        (Dialect::V1, Err(_)) => {
            parser.warn(start, format!("the id of a password is 1 to 255; {number} is taken as 255"));
            u8::MAX
        }
        (Dialect::V2, Err(_)) => {
            return Err(parser.refusal(start, "Password ID must be in range 0-255", format!("{number} is not")));
        }
    };
    Ok(())
}

/// `"2026-12-31"`, `"31-12-2026 23:59:59"`.
fn civil_time(parser: &mut Parser<'_>) -> Parsed<CivilTime> {
    let start = parser.at.span();
    let text = parser.text()?;
    read_time(&text).ok_or_else(|| {
        let form = "as in \"2026-12-31\" or \"31-12-2026 23:59:59\"";
        parser.refusal(start, "Invalid date and time", form)
    })
}

fn read_time(text: &str) -> Option<CivilTime> {
    let (date, clock) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let [a, b, c] = parts(date, '-')?;
    let (year, day) = if a > 31 { (a, c) } else { (c, a) };
    let [hour, minute, second] = parts(clock, ':')?;
    let time = CivilTime {
        year: i16::try_from(year).ok().filter(|year| (1970..10_000).contains(year))?,
        month: u8::try_from(b).ok().filter(|month| (1..=12).contains(month))?,
        day: u8::try_from(day).ok()?,
        hour: u8::try_from(hour).ok().filter(|hour| *hour < 24)?,
        minute: u8::try_from(minute).ok().filter(|minute| *minute < 60)?,
        second: u8::try_from(second).ok().filter(|second| *second <= 60)?,
    };
    (1..=days(time.year, time.month)).contains(&time.day).then_some(time)
}

/// The days of a month.
const fn days(year: i16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

fn parts(text: &str, separator: char) -> Option<[u16; 3]> {
    let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
    let parts: Option<Vec<u16>> = text.split(separator).map(number).collect();
    parts?.try_into().ok()
}

/// `neighbor 10.0.0.1 dev "eth0" local 10.0.0.2 multihop on`
fn neighbor(parser: &mut Parser<'_>, conf: &mut BfdConf) -> Parsed<()> {
    let start = parser.at.span();
    let addr = parser.address()?;
    let iface = if parser.at.eat_word("dev") { Some(parser.text()?) } else { parser.scope()? };
    let local = if parser.at.eat_word("local") { Some(parser.address()?) } else { None };
    let multihop = parser.at.eat_word("multihop") && parser.switch()?;
    if multihop && iface.is_some() {
        let message = "Neighbor cannot set both interface and multihop";
        return Err(parser.refusal(start, message, "several hops away is on no link"));
    }
    if multihop && local.is_none() {
        let message = "Multihop neighbor requires specified local address";
        return Err(parser.refusal(start, message, "add `local ADDRESS` before `multihop`"));
    }
    conf.neighbors.push(BfdNeighbor { addr, iface, local, multihop });
    Ok(())
}
