//! `log`: where lines go.

use crate::config::{Dialect, LogClass, LogClasses, LogDestination, LogTarget, Rotation, UdpHost};
use crate::parser::Parser;
use filter::Diagnostic;
use filter::Span;
use filter::syntax::{Op, Parsed, Tok};

/// For people.
pub(super) const GRAMMAR_OF_2: &str = "stderr|syslog [name \"text\"]|\"file\" [octets \"backup\"]|fixed \"file\" octets|udp address|\"host\" [port number] all|{ class, ... }";

/// The least size of a file that is rotated, in octets.
const LIMIT_MIN: u32 = 16384;
/// Where syslog daemons listen (RFC 3164 2).
const SYSLOG_PORT: u16 = 514;

pub(super) fn log(parser: &mut Parser<'_>) -> Parsed<()> {
    let is_v2 = parser.dialect() == Dialect::V2;
    let to = if parser.at.eat_word("stderr") {
        LogDestination::Stderr
    } else if parser.at.eat_word("syslog") {
        let name = if parser.at.eat_word("name") { Some(parser.text()?) } else { None };
        LogDestination::Syslog(name)
    } else if is_v2 && parser.at.eat_word("udp") {
        udp(parser)?
    } else if is_v2 && parser.at.eat_word("fixed") {
        circle(parser)?
    } else if parser.at.peek() == Tok::Text {
        let start = parser.at.span();
        let path = parser.text()?;
        let rotation = if is_v2 { rotation(parser)? } else { None };
        appendable(parser, start, &path);
        LogDestination::File(path, rotation)
    } else {
        let files = "`stderr`, `syslog` or the name of a file in quotes";
        let more = "`stderr`, `syslog`, `udp`, `fixed` or the name of a file in quotes";
        return Err(parser.at.wanted(if is_v2 { more } else { files }));
    };
    let classes = if parser.at.eat_word("all") {
        LogClasses::ALL
    } else if parser.at.is(Op::BraceOpen) {
        LogClasses::of(&parser.braced_list(LogClass::WORDS)?)
    } else {
        return Err(parser.at.wanted("`all` or classes in braces"));
    };
    parser.config.logs.push(LogTarget { to, classes });
    Ok(())
}

/// Tells of a file that can not be written.
fn appendable(parser: &mut Parser<'_>, start: Span, path: &str) {
    if let Err(why) = parser.disk.appendable(path) {
        let message = format!("Unable to open log file `{path}': {why}");
        match parser.dialect() {
            Dialect::V1 => parser.fail(Diagnostic::error(start, message)),
            // BIRD 2 starts all the same.
            Dialect::V2 => parser.warn_of(start, message, "no lines go there"),
        }
    }
}

/// `"FILE" OCTETS` behind `fixed`.
fn circle(parser: &mut Parser<'_>) -> Parsed<LogDestination> {
    let start = parser.at.span();
    let path = parser.text()?;
    appendable(parser, start, &path);
    let start = parser.at.span();
    let octets = parser.number()?;
    if octets == 0 {
        return Err(parser.refusal(start, format!("Unable to open log file '{path}': a size of 0"), "octets"));
    }
    Ok(LogDestination::Circle(path, octets))
}

/// `OCTETS "BACKUP"` behind the name of a file, or nothing.
fn rotation(parser: &mut Parser<'_>) -> Parsed<Option<Rotation>> {
    if !matches!(parser.at.peek(), Tok::Num(_) | Tok::Op(Op::ParenOpen)) && !parser.at.is_name() {
        return Ok(None);
    }
    let start = parser.at.span();
    let limit = parser.number()?;
    if limit < LIMIT_MIN {
        let wrong = format!("Log file size limit too low, must be at least {LIMIT_MIN}.");
        return Err(parser.refusal(start, wrong, "octets"));
    }
    if parser.at.peek() != Tok::Text {
        return Err(parser.at.wanted("the name that a full file is given, in quotes"));
    }
    Ok(Some(Rotation { limit, backup: parser.text()? }))
}

/// `ADDRESS|"HOST" [port NUMBER]`
fn udp(parser: &mut Parser<'_>) -> Parsed<LogDestination> {
    let host = match parser.at.peek() {
        Tok::Text => UdpHost::Name(parser.text()?),
        _ => UdpHost::Address(parser.address()?),
    };
    let mut port = SYSLOG_PORT;
    if parser.at.eat_word("port") {
        let start = parser.at.span();
        let number = parser.number()?;
        let wrong = || parser.refusal(start, format!("Value {number} out of range (0-65535)"), "there is no such port");
        port = u16::try_from(number).map_err(|_| wrong())?;
    }
    Ok(LogDestination::Udp(host, port))
}
