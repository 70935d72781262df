//! Reading tokens one after the other, with errors that point at them.
//!
//! Every grammar of the house reads through this cursor, so the words for the
//! same mistake are the same everywhere: BIRD's message (`syntax error`,
//! `Number expected`, ...) for those who compare, and a label that says what was
//! met and what would have been right.

use super::reserved::{may_be_given, may_be_name};
use super::{Op, Tok, Token, Wrong, is_reserved_in};
use crate::dialect::Dialect;
use crate::span::{Diagnostic, SourceFile, Span};
use route::Family;
use std::net::{IpAddr, Ipv4Addr};

/// What came of reading a piece of grammar.
pub type Parsed<T> = Result<T, Diagnostic>;

/// A place in a list of tokens.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    files: &'a [SourceFile],
    tokens: &'a [Token],
    at: usize,
    /// The family of addresses that the language takes; `None`: both.
    family: Option<Family>,
    dialect: Dialect,
    /// A place whose line is known, with it; no place has line 0.
    counted: (Span, u32),
}

/// What BIRD 2 calls a name that stands for nothing.
pub(crate) const UNDEFINED: &str = "CF_SYM_UNDEFINED";

const NO_TOKEN: Token =
    Token { tok: Tok::End, span: Span { file: crate::FileId(0), start: 0, end: 0 }, first_on_line: true };

impl<'a> Cursor<'a> {
    /// At the first of some tokens, whose spans are places in `files`. The list should end with [`Tok::End`].
    pub const fn new(files: &'a [SourceFile], tokens: &'a [Token], family: Option<Family>) -> Self {
        Self { files, tokens, at: 0, family, dialect: Dialect::V1, counted: (NO_TOKEN.span, 0) }
    }

    /// The same, reading another dialect than 1.6.
    #[must_use]
    pub const fn speaking(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Reads another dialect from here on.
    pub const fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    /// The dialect that is read.
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The family of addresses that the language takes; `None`: both.
    pub const fn family(&self) -> Option<Family> {
        self.family
    }

    /// The files that places point into.
    pub const fn files(&self) -> &'a [SourceFile] {
        self.files
    }

    /// The token that comes next, with its place.
    pub fn token(&self) -> Token {
        self.ahead(0)
    }

    /// The token that comes `n` after the next.
    pub fn ahead(&self, n: usize) -> Token {
        let last = self.tokens.last().copied().unwrap_or(NO_TOKEN);
        self.tokens.get(self.at.saturating_add(n)).copied().unwrap_or(last)
    }

    /// The kind of the token that comes next.
    pub fn peek(&self) -> Tok {
        self.token().tok
    }

    /// Where the next token stands.
    pub fn span(&self) -> Span {
        self.token().span
    }

    /// Where the token before stands.
    pub fn last_span(&self) -> Span {
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).unwrap_or(&NO_TOKEN).span
    }

    /// The token before, with the line on which it stands.
    ///
    /// Counts from where it was asked last, so asking all along a file costs one walk.
    pub(crate) fn last_line(&mut self) -> (Span, u32) {
        let place = self.last_span();
        let (mut from, mut line) = self.counted;
        if from.file != place.file || line == 0 {
            (from, line) = (Span { file: place.file, ..Span::default() }, 1);
        }
        self.counted = (place, crate::span::line_from(self.files, from, line, place));
        self.counted
    }

    /// From the beginning of a place to the end of the token before.
    pub fn since(&self, start: Span) -> Span {
        let last = self.last_span();
        if last.file == start.file && last.end >= start.start { Span { end: last.end, ..start } } else { start }
    }

    /// Takes the next token, whatever it is. The end stays where it is.
    pub fn bump(&mut self) -> Token {
        let token = self.token();
        if token.tok != Tok::End {
            self.at += 1;
        }
        token
    }

    /// Whether nothing follows.
    pub fn at_end(&self) -> bool {
        self.peek() == Tok::End
    }

    /// A place to come back to.
    pub const fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a mark.
    pub const fn rewind(&mut self, mark: usize) {
        self.at = mark;
    }

    /// The octets at a place.
    pub fn octets(&self, span: Span) -> &'a [u8] {
        self.files
            .get(span.file.0 as usize)
            .and_then(|f| f.text.get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }

    /// The text of a word without quotes; empty for other tokens.
    pub fn name_at(&self, token: Token) -> &'a str {
        let octets = match (token.tok, self.octets(token.span)) {
            (Tok::Word, quoted @ [b'\'', ..]) => inner(quoted),
            (Tok::Word, bare) => bare,
            _ => &[],
        };
        std::str::from_utf8(octets).unwrap_or_default()
    }

    /// The next token as a word, keyword or name.
    pub fn word(&self) -> Option<&'a str> {
        let token = self.token();
        (token.tok == Tok::Word).then(|| self.name_at(token))
    }

    /// Whether this word comes next.
    pub fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    /// Takes this word, if it comes next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        if is {
            self.bump();
        }
        is
    }

    /// Takes this word, which must come next.
    pub fn expect_word(&mut self, word: &str) -> Parsed<Span> {
        if self.is_word(word) { Ok(self.bump().span) } else { Err(self.wanted(&format!("`{word}`"))) }
    }

    /// Whether this operator comes next.
    pub fn is(&self, op: Op) -> bool {
        self.peek() == Tok::Op(op)
    }

    /// Takes this operator, if it comes next.
    pub fn eat(&mut self, op: Op) -> bool {
        let is = self.is(op);
        if is {
            self.bump();
        }
        is
    }

    /// Takes this operator, which must come next.
    pub fn expect(&mut self, op: Op) -> Parsed<Span> {
        if self.is(op) { Ok(self.bump().span) } else { Err(self.wanted(&format!("`{}`", op.text()))) }
    }

    /// Takes a literal number. (Options take constants and `( expression )` too; see `filter::eval`.)
    pub fn number(&mut self) -> Parsed<u32> {
        match self.peek() {
            Tok::Num(n) => {
                self.bump();
                Ok(n)
            }
            _ => Err(self.wanted("a number")),
        }
    }

    /// Takes a string; its octets without the quotes.
    pub fn string(&mut self) -> Parsed<&'a [u8]> {
        match self.peek() {
            Tok::Text => {
                let span = self.bump().span;
                Ok(inner(self.octets(span)))
            }
            _ => Err(self.error("String expected")),
        }
    }

    /// Takes octets: `hex:01:02`; without the colons when there are none.
    pub fn bytes(&mut self) -> Parsed<Vec<u8>> {
        let text = self.octets(self.span());
        let digits: Vec<u8> =
            text.strip_prefix(b"hex:").unwrap_or(text).iter().copied().filter(|c| *c != b':').collect();
        match (self.peek(), hexadecimal(&digits)) {
            (Tok::Bytes, Some(octets)) => {
                self.bump();
                Ok(octets)
            }
            _ => Err(self.wanted("octets such as `hex:01:02`")),
        }
    }

    /// Takes an address of the language's family.
    pub fn address(&mut self) -> Parsed<IpAddr> {
        let addr = match self.peek() {
            Tok::Ip4(a) => IpAddr::V4(a),
            Tok::Ip6(a) => match a.to_ipv4_mapped() {
                Some(mapped) if self.dialect.rules().unmaps => IpAddr::V4(mapped),
                _ => IpAddr::V6(a),
            },
            _ => return Err(self.error("IP address expected")),
        };
        self.check_family(addr)?;
        self.bump();
        Ok(addr)
    }

    /// Takes four numbers with dots whatever the family: a router identifier, a quad.
    pub fn quad(&mut self) -> Parsed<Ipv4Addr> {
        match self.peek() {
            Tok::Ip4(a) => {
                self.bump();
                Ok(a)
            }
            _ => Err(self.wanted("a router identifier such as `10.0.0.1`")),
        }
    }

    /// Takes a name where nothing else may stand. In dialect 2 words that are reserved elsewhere are names here.
    pub fn name(&mut self) -> Parsed<(&'a str, Span)> {
        let token = self.token();
        let name = self.name_at(token);
        match token.tok {
            Tok::Word if !may_be_given(name, self.family, self.dialect) => {
                let wrong = self.wanted("a name");
                Err(wrong.help(format!("`{name}` is a word of the language and can not be a name")))
            }
            Tok::Word => {
                self.bump();
                Ok((name, token.span))
            }
            _ => Err(self.wanted("a name")),
        }
    }

    /// Whether what comes next can be a name where nothing else may stand.
    pub fn is_any_name(&self) -> bool {
        let token = self.token();
        token.tok == Tok::Word && may_be_given(self.name_at(token), self.family, self.dialect)
    }

    /// Whether a name comes next, that is not reserved: where a word of the language may stand, too.
    pub fn is_name(&self) -> bool {
        let token = self.token();
        token.tok == Tok::Word && self.can_name(self.name_at(token))
    }

    fn can_name(&self, word: &str) -> bool {
        !is_reserved_in(word, self.family, self.dialect) || may_be_name(word, self.dialect)
    }

    /// An error at the next token in words of the caller's, unless the token itself is wrong.
    pub fn error(&self, message: &str) -> Diagnostic {
        let token = self.token();
        match token.tok {
            Tok::Wrong(wrong) => self.no_token(wrong, token.span),
            Tok::Op(Op::Ampersand) if self.dialect == Dialect::V1 => self.no_token(Wrong::Character, token.span),
            _ => Diagnostic::error(token.span, message),
        }
    }

    /// `syntax error` at the next token, with what was met.
    pub fn unexpected(&self) -> Diagnostic {
        let mut wrong = self.error(&self.syntax_error(&[]));
        if wrong.label.is_none() {
            wrong.label = Some(format!("unexpected {}", self.met()));
        }
        wrong
    }

    /// BIRD's words for a token that does not belong here: `syntax error`, in dialect 2 with the token's name and, where
    /// `expected` is not empty, with the names of those that do.
    ///
    /// A word that is none of the language counts as unknown; see [`crate::language::name_known`].
    fn syntax_error(&self, expected: &[&str]) -> String {
        if !self.dialect.rules().names_tokens {
            return "syntax error".into();
        }
        let mut words = format!("syntax error, unexpected {}", self.token_name(self.token()));
        for (i, name) in expected.iter().enumerate() {
            words += if i > 0 { " or " } else { ", expecting " };
            words += name;
        }
        words
    }

    /// The name of a token in the grammar of BIRD 2.
    fn token_name(&self, token: Token) -> String {
        let name = match token.tok {
            Tok::Num(_) => "NUM",
            Tok::Ip4(_) => "IP4",
            Tok::Ip6(_) => "IP6",
            Tok::Text => "TEXT",
            Tok::Bytes => "BYTETEXT",
            Tok::End | Tok::Wrong(_) => "END",
            Tok::Op(op) => match op {
                Op::NotMatch => "NMA",
                Op::NotEqual => "NEQ",
                Op::LessEqual => "LEQ",
                Op::GreaterEqual => "GEQ",
                Op::And => "AND",
                Op::Or => "OR",
                Op::MaskOpen => "PO",
                Op::MaskClose => "PC",
                Op::Range => "DDOT",
                Op::Arrow => "IMP",
                Op::Append => "PP",
                single => return format!("'{}'", single.text()),
            },
            Tok::Word => {
                let word = self.name_at(token);
                if crate::names::constant(word, self.dialect).is_some() {
                    "ENUM"
                } else if is_reserved_in(word, self.family, self.dialect) {
                    return word.to_ascii_uppercase();
                } else {
                    UNDEFINED
                }
            }
        };
        name.into()
    }

    /// `syntax error` at the next token, with what was met and what would be right.
    pub fn wanted(&self, what: &str) -> Diagnostic {
        self.wanted_one_of(what, &[])
    }

    /// The same, where BIRD 2 tells which tokens it expected.
    pub fn wanted_one_of(&self, what: &str, expected: &[&str]) -> Diagnostic {
        let mut wrong = self.error(&self.syntax_error(expected));
        if wrong.label.is_none() {
            wrong.label = Some(format!("expected {what}, found {}", self.met()));
        }
        wrong
    }

    /// Refuses an address that is not of the language's family.
    pub fn check_family(&self, addr: IpAddr) -> Parsed<()> {
        let message = match (self.family, addr) {
            (Some(Family::Ipv4), IpAddr::V6(_)) => "This is an IPv4 router, therefore IPv6 addresses are not supported",
            (Some(Family::Ipv6), IpAddr::V4(_)) => "This is an IPv6 router, therefore IPv4 addresses are not supported",
            _ => return Ok(()),
        };
        Err(Diagnostic::error(self.span(), message))
    }

    /// Passes the rest of a statement: to behind the next `;` or `}` of this depth, to before a `}` that closes it.
    ///
    /// For reading on behind an error. Takes at least one token, unless the end or a closing `}` comes next.
    pub fn skip_statement(&mut self) {
        let mut depth = 0u32;
        loop {
            match self.peek() {
                Tok::End => return,
                Tok::Op(Op::BraceOpen) => depth += 1,
                Tok::Op(Op::BraceClose) if depth == 0 => return,
                Tok::Op(Op::BraceClose) => {
                    depth -= 1;
                    if depth == 0 {
                        self.bump();
                        self.eat(Op::Semicolon);
                        return;
                    }
                }
                Tok::Op(Op::Semicolon) if depth == 0 => {
                    self.bump();
                    return;
                }
                _ => {}
            }
            self.bump();
        }
    }

    /// The next token, named for an error.
    fn met(&self) -> String {
        let token = self.token();
        if token.tok == Tok::End {
            return "the end".into();
        }
        let text = String::from_utf8_lossy(self.octets(token.span));
        match text.chars().count() {
            0..=40 => format!("`{text}`"),
            _ => format!("`{}...`", text.chars().take(40).collect::<String>()),
        }
    }

    fn no_token(&self, wrong: Wrong, span: Span) -> Diagnostic {
        let text = || String::from_utf8_lossy(self.octets(span)).into_owned();
        let (message, label) = match wrong {
            Wrong::Character if self.octets(span) == b"\r" => {
                ("Unknown character".to_owned(), "a carriage return: this file has the line ends of Windows".to_owned())
            }
            Wrong::Character if self.octets(span) == b"\"" && self.dialect == Dialect::V2 => {
                ("Unterminated string".into(), "this string has no closing `\"`".into())
            }
            Wrong::Character => {
                ("Unknown character".into(), format!("no word or sign begins with `{}`", text().escape_debug()))
            }
            Wrong::String => ("Unterminated string".into(), "this string has no closing `\"` on its line".into()),
            Wrong::Comment => ("Unterminated comment".into(), "this comment has no closing `*/`".into()),
            Wrong::SymbolTooLong => {
                ("Symbol too long".into(), format!("names have at most {} characters", super::SYMBOL_LEN_MAX))
            }
            Wrong::NumberRange => ("Number out of range".into(), "numbers go up to 4294967295".into()),
            Wrong::Ip4 => (format!("Invalid IPv4 address {}", text()), "each part goes up to 255".into()),
            Wrong::Ip6 => (format!("Invalid IPv6 address {}", text()), "not an IPv6 address".into()),
        };
        let mut diagnostic = Diagnostic::error(span, message);
        diagnostic.label = Some(label);
        diagnostic
    }
}

/// Two digits an octet.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let digit = |c: u8| char::from(c).to_digit(16);
    pairs.iter().map(|[high, low]| Some((digit(*high)? << 4 | digit(*low)?) as u8)).collect()
}

/// What stands between the quotes.
fn inner(quoted: &[u8]) -> &[u8] {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
}
