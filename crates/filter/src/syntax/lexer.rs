//! From text to tokens.
//!
//! At each place the longest token wins, as in BIRD: `dead::1` is an address,
//! `dead` a word. Tokens are the same in all dialects: what only 2.x has (octets,
//! `++`) is nothing in 1.6. The text may be anything; every octet belongs to a token, a
//! blank or a comment, and each is looked at a fixed number of times.

use super::{Op, SYMBOL_LEN_MAX, Tok, Token, Wrong};
use crate::span::{FileId, Span};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The tokens of a text, [`Tok::End`] last.
///
/// Files end at 4 GiB; what is longer is cut there.
pub fn lex(file: FileId, text: &[u8]) -> Vec<Token> {
    let text = text.get(..u32::MAX as usize).unwrap_or(text);
    let mut lexer = Lexer { file, text, at: 0, first: true };
    let mut tokens = Vec::with_capacity(text.len() / 5 + 1);
    loop {
        let token = lexer.token();
        tokens.push(token);
        if token.tok == Tok::End {
            return tokens;
        }
    }
}

struct Lexer<'a> {
    file: FileId,
    text: &'a [u8],
    at: usize,
    first: bool,
}

impl Lexer<'_> {
    fn token(&mut self) -> Token {
        let unclosed = self.blanks();
        let start = self.at;
        let first_on_line = std::mem::replace(&mut self.first, false);
        let (tok, len) = match unclosed {
            Some(wrong) => (wrong, self.rest().len()),
            None => longest(self.rest()),
        };
        self.at += len;
        let span = Span { file: self.file, start: start as u32, end: self.at as u32 };
        Token { tok, span, first_on_line }
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes blanks and comments. A comment that does not end is handed back as a token to be.
    fn blanks(&mut self) -> Option<Tok> {
        loop {
            match self.rest() {
                [b' ' | b'\t', ..] => self.at += 1,
                [b'\n', ..] => {
                    self.at += 1;
                    self.first = true;
                }
                [b'#', rest @ ..] => {
                    self.at += 1 + rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len());
                }
                [b'/', b'*', rest @ ..] => {
                    let end = rest.windows(2).position(|w| w == b"*/");
                    let Some(end) = end else {
                        return Some(Tok::Wrong(Wrong::Comment));
                    };
                    self.at += 2 + end + 2;
                    self.first = false;
                }
                _ => return None,
            }
        }
    }
}

/// The longest token at the beginning of a text, with its length.
fn longest(text: &[u8]) -> (Tok, usize) {
    let Some(&first) = text.first() else {
        return (Tok::End, 0);
    };
    let candidates = match first {
        b'0'..=b'9' => [octets(text), ip4(text), ip6(text), hexadecimal(text), decimal(text)],
        b':' => [ip6(text), operator(text), None, None, None],
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => [octets(text), ip6(text), word(text), None, None],
        b'\'' => [quoted(text), None, None, None, None],
        b'"' => [string(text), None, None, None, None],
        _ => [operator(text), None, None, None, None],
    };
    // The first of equally long ones.
    let mut best = (Tok::Wrong(Wrong::Character), 0);
    for (tok, len) in candidates.into_iter().flatten() {
        if len > best.1 {
            best = (tok, len);
        }
    }
    if best.1 == 0 { (best.0, 1) } else { best }
}

fn span_of(text: &[u8], of: impl Fn(&u8) -> bool) -> usize {
    text.iter().position(|c| !of(c)).unwrap_or(text.len())
}

fn is_alnum(c: &u8) -> bool {
    c.is_ascii_alphanumeric() || *c == b'_'
}

fn word(text: &[u8]) -> Option<(Tok, usize)> {
    let len = span_of(text, is_alnum);
    Some((symbol(len), len))
}

/// Fewest octets that need no `hex:` before them; no number and no address has so many digits.
const OCTETS_MIN: usize = 10;

/// `hex:` with octets behind it, or many octets; each of two digits, all with colons between them or none.
///
/// Names may begin with letters that are digits here, so without `hex:` the first is a decimal one.
fn octets(text: &[u8]) -> Option<(Tok, usize)> {
    let (digits, head) = match text.strip_prefix(b"hex:") {
        Some(rest) => (rest, 4),
        None => (text, 0),
    };
    let plain = span_of(digits, u8::is_ascii_hexdigit);
    let with_colons = pairs_with_colons(digits);
    let (len, count) = if with_colons > 2 { (with_colons, (with_colons + 1) / 3) } else { (plain, plain / 2) };
    let behind = digits.get(len);
    let ends = !behind.is_some_and(|c| is_alnum(c) || *c == b':');
    let fits = match (head, count) {
        (0, _) => count >= OCTETS_MIN && text.first().is_some_and(u8::is_ascii_digit) && !text.starts_with(b"0x"),
        (_, 0) => behind.is_none_or(|c| matches!(c, b';' | b',' | b')')),
        _ => true,
    };
    (ends && fits && (with_colons > 2 || plain % 2 == 0)).then_some((Tok::Bytes, head + len))
}

/// The length of octets of two digits with colons between them.
fn pairs_with_colons(text: &[u8]) -> usize {
    let mut len = 0;
    while let Some([a, b, rest @ ..]) = text.get(len..)
        && a.is_ascii_hexdigit()
        && b.is_ascii_hexdigit()
    {
        match rest {
            [b':', c, d, ..] if c.is_ascii_hexdigit() && d.is_ascii_hexdigit() => len += 3,
            _ => return len + 2,
        }
    }
    len
}

fn quoted(text: &[u8]) -> Option<(Tok, usize)> {
    let inner = text.get(1..)?;
    let len = span_of(inner, |c| is_alnum(c) || matches!(c, b'-' | b'.' | b':'));
    (inner.get(len) == Some(&b'\'')).then(|| (symbol(len), len + 2))
}

fn symbol(len: usize) -> Tok {
    if len > SYMBOL_LEN_MAX { Tok::Wrong(Wrong::SymbolTooLong) } else { Tok::Word }
}

fn string(text: &[u8]) -> Option<(Tok, usize)> {
    let inner = text.get(1..)?;
    let len = span_of(inner, |c| !matches!(c, b'"' | b'\n'));
    match inner.get(len)? {
        b'"' => Some((Tok::Text, len + 2)),
        _ => Some((Tok::Wrong(Wrong::String), len + 1)),
    }
}

fn operator(text: &[u8]) -> Option<(Tok, usize)> {
    let first = *text.first()?;
    let (longer, single) = OPERATORS.get(usize::from(first))?;
    if *longer {
        let is_next = |op: &&Op| text.starts_with(op.text().as_bytes()) && op.text().len() > 1;
        if let Some(op) = Op::ALL.iter().find(is_next) {
            return Some((Tok::Op(*op), op.text().len()));
        }
    }
    single.map(|op| (Tok::Op(op), 1))
}

/// For each first character: whether a longer operator begins with it, and the operator that it is alone.
static OPERATORS: [(bool, Option<Op>); 128] = {
    let mut table = [(false, None); 128];
    let mut i = 0;
    while i < Op::ALL.len() {
        let op = Op::ALL[i];
        let text = op.text().as_bytes();
        let entry = &mut table[text[0] as usize];
        if text.len() > 1 {
            entry.0 = true;
        } else {
            entry.1 = Some(op);
        }
        i += 1;
    }
    table
};

fn decimal(text: &[u8]) -> Option<(Tok, usize)> {
    let len = span_of(text, u8::is_ascii_digit);
    Some((number(text.get(..len)?, 10), len))
}

fn hexadecimal(text: &[u8]) -> Option<(Tok, usize)> {
    let digits = text.strip_prefix(b"0x")?;
    let len = span_of(digits, u8::is_ascii_hexdigit);
    (len > 0).then_some(())?;
    Some((number(digits.get(..len)?, 16), len + 2))
}

fn number(digits: &[u8], radix: u32) -> Tok {
    let value = digits.iter().try_fold(0u32, |n, c| n.checked_mul(radix)?.checked_add((*c as char).to_digit(radix)?));
    value.map_or(Tok::Wrong(Wrong::NumberRange), Tok::Num)
}

/// The length of four decimal numbers with dots between them.
fn dotted_quad(text: &[u8]) -> Option<usize> {
    let mut len = 0;
    for i in 0..4 {
        if i > 0 {
            (text.get(len) == Some(&b'.')).then_some(())?;
            len += 1;
        }
        let digits = span_of(text.get(len..)?, u8::is_ascii_digit);
        (digits > 0).then_some(())?;
        len += digits;
    }
    Some(len)
}

fn ip4(text: &[u8]) -> Option<(Tok, usize)> {
    let len = dotted_quad(text)?;
    let addr = quad_value(text.get(..len)?).map(Tok::Ip4);
    Some((addr.unwrap_or(Tok::Wrong(Wrong::Ip4)), len))
}

/// Leading zeros are allowed, and decimal: `010.0.0.1` is 10.0.0.1.
fn quad_value(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    for (octet, digits) in octets.iter_mut().zip(text.split(|c| *c == b'.')) {
        let Tok::Num(n) = number(digits, 10) else {
            return None;
        };
        *octet = u8::try_from(n).ok()?;
    }
    Some(octets.into())
}

/// Hexadecimal groups with `::` among them, or with three colons and more.
fn ip6(text: &[u8]) -> Option<(Tok, usize)> {
    let mut len = 0;
    let mut colons = 0;
    let mut double = false;
    loop {
        let group = span_of(text.get(len..)?, u8::is_ascii_hexdigit);
        if text.get(len + group) != Some(&b':') {
            break;
        }
        double |= colons > 0 && group == 0;
        len += group + 1;
        colons += 1;
    }
    if !(colons >= 3 || colons == 2 && double) {
        return None;
    }
    let tail = text.get(len..)?;
    len += dotted_quad(tail).unwrap_or(0).max(span_of(tail, u8::is_ascii_hexdigit));
    let addr = std::str::from_utf8(text.get(..len)?).ok()?.parse::<Ipv6Addr>();
    Some((addr.map_or(Tok::Wrong(Wrong::Ip6), Tok::Ip6), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Tok> {
        lex(FileId(0), text.as_bytes()).into_iter().map(|t| t.tok).collect()
    }

    #[test]
    fn the_longest_token_wins() {
        assert_eq!(kinds("dead"), [Tok::Word, Tok::End]);
        assert_eq!(kinds("dead::1"), [Tok::Ip6("dead::1".parse().unwrap()), Tok::End]);
        assert_eq!(kinds("1..5"), [Tok::Num(1), Tok::Op(Op::Range), Tok::Num(5), Tok::End]);
        assert_eq!(
            kinds("10.0.0.1..010.0.0.9"),
            [Tok::Ip4(Ipv4Addr::new(10, 0, 0, 1)), Tok::Op(Op::Range), Tok::Ip4(Ipv4Addr::new(10, 0, 0, 9)), Tok::End]
        );
        assert_eq!(kinds("0XFF"), [Tok::Num(0), Tok::Word, Tok::End]);
        assert_eq!(kinds("0x1F"), [Tok::Num(31), Tok::End]);
        assert_eq!(kinds("::ffff:10.0.0.1").len(), 2);
        assert_eq!(
            kinds("hex:; hex:01:02 hex:0102"),
            [Tok::Bytes, Tok::Op(Op::Semicolon), Tok::Bytes, Tok::Bytes, Tok::End]
        );
        assert_eq!(
            kinds("01:12:23:34:45:56:67:78:89:9a:ab 0112233445566778899aabbc"),
            [Tok::Bytes, Tok::Bytes, Tok::End]
        );
        assert_eq!(kinds("hex: accept"), [Tok::Word, Tok::Op(Op::Colon), Tok::Word, Tok::End]);
        assert_eq!(kinds("hex:accept").first(), Some(&Tok::Word));
        assert_eq!(kinds("a:b"), [Tok::Word, Tok::Op(Op::Colon), Tok::Word, Tok::End]);
    }

    #[test]
    fn what_is_no_token_says_why_and_lexing_goes_on() {
        let wrong = |text: &str| match kinds(text).as_slice() {
            [Tok::Wrong(w), rest @ ..] => (*w, rest.len()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wrong("@ 1"), (Wrong::Character, 2));
        assert_eq!(wrong("\r\n"), (Wrong::Character, 1));
        assert_eq!(wrong("'a b'"), (Wrong::Character, 4));
        assert_eq!(wrong("\"abc\n1"), (Wrong::String, 2));
        assert_eq!(wrong("/* abc"), (Wrong::Comment, 1));
        assert_eq!(wrong("4294967296"), (Wrong::NumberRange, 1));
        assert_eq!(wrong("1.2.3.400"), (Wrong::Ip4, 1));
        assert_eq!(wrong("1:2:3:4"), (Wrong::Ip6, 1));
        assert_eq!(wrong(&"a".repeat(65)), (Wrong::SymbolTooLong, 1));
        assert_eq!(kinds(&"a".repeat(64)), [Tok::Word, Tok::End]);
    }

    #[test]
    fn only_blanks_before_it_make_a_token_the_first_of_its_line() {
        let first: Vec<bool> =
            lex(FileId(0), b"a b\n\tc # d\n/* e */ f\n/*\n*/ g").into_iter().map(|t| t.first_on_line).collect();
        assert_eq!(first, [true, false, true, false, false, false]);
    }
}
