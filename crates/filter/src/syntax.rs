//! The tokens of bird.conf, for options, filters and commands alike.
//!
//! Text becomes a flat list of [`Token`]s: a kind, a place, and nothing else.
//! Words and strings stay in the source and are read there through the
//! [`Cursor`], so a token is small and copied freely, and octets that are not
//! UTF-8 survive. What is no token at all becomes [`Tok::Wrong`] and lexing goes
//! on; the parser that meets it says BIRD's words for it, so one wrong character
//! does not hide the errors behind it.
//!
//! No word is special here. Which words can not be names is [`is_reserved`]'s
//! list; what a word means is the business of the grammar that meets it.
//! `include` is not obeyed here either: a token knows whether it begins its line
//! ([`Token::first_on_line`]), and `conf` splices in the tokens of the other file.

mod cursor;
mod lexer;
mod reserved;

pub use cursor::{Cursor, Parsed};
pub(crate) use cursor::{UNDEFINED, hexadecimal};
pub use lexer::lex;
pub use reserved::{is_reserved, is_reserved_in};

use crate::span::Span;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most characters that a name may have; more are `Symbol too long`.
pub const SYMBOL_LEN_MAX: usize = 64;

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub tok: Tok,
    /// Where it stands; the text of words and strings is read from there.
    pub span: Span,
    /// Nothing but blanks stands before it on its line.
    pub first_on_line: bool,
}

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tok {
    /// A number, decimal or `0x`.
    Num(u32),
    /// An IPv4 address, or a router identifier or quad.
    Ip4(Ipv4Addr),
    /// An IPv6 address.
    Ip6(Ipv6Addr),
    /// A string in double quotes; its span includes them.
    Text,
    /// Octets in hexadecimal, only in dialect 2: `hex:0102`, or ten of them and more without `hex:`.
    Bytes,
    /// A keyword or a name. Single quotes allow more characters, no more: a keyword in quotes is the keyword.
    Word,
    /// An operator or a bracket.
    Op(Op),
    /// No token.
    Wrong(Wrong),
    /// The end of the text.
    End,
}

/// Why a piece of text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A character that no token begins with.
    Character,
    /// A string that its line ends.
    String,
    /// `/*` without `*/`.
    Comment,
    /// A name above [`SYMBOL_LEN_MAX`].
    SymbolTooLong,
    /// A number above 4294967295.
    NumberRange,
    /// Four numbers with dots, one of them above 255.
    Ip4,
    /// Hexadecimal numbers with colons that make no address.
    Ip6,
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// Operators and brackets.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Op {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl Op {
            /// All of them; of two that begin alike the longer stands first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is written.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

operators! {
    NotMatch "!~",
    NotEqual "!=",
    LessEqual "<=",
    GreaterEqual ">=",
    And "&&",
    Or "||",
    MaskOpen "[=",
    MaskClose "=]",
    Range "..",
    Arrow "->",
    Append "++",
    Plus "+",
    Minus "-",
    Star "*",
    Slash "/",
    Percent "%",
    Less "<",
    Greater ">",
    Equal "=",
    Match "~",
    Not "!",
    Question "?",
    Bar "|",
    Ampersand "&",
    Dot ".",
    Comma ",",
    Colon ":",
    Semicolon ";",
    ParenOpen "(",
    ParenClose ")",
    BracketOpen "[",
    BracketClose "]",
    BraceOpen "{",
    BraceClose "}",
}
