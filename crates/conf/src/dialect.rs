//! Which language a text speaks: found in its tokens, before anything is parsed.
//!
//! Tables, defaults and names depend on the dialect from the first statement
//! on, so it can not be found while parsing. This walk knows of grammar only
//! where statements begin: at the top, behind a `;` or a closed block; and in a
//! protocol, at its own level of braces. What it takes for a sign is what only
//! one of the languages has. All else (an error, a filter) it passes over.

use crate::config::Dialect;
use crate::protocol::CHANNELS_OF_2;
use crate::source::Source;
use filter::syntax::{Op, Tok, Token};
use filter::{Diagnostic, Span};

/// A construct of one dialect: where it was met first, and what it is.
pub(crate) type Sign = (Span, &'static str);

/// Where each dialect was met first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signs {
    /// Of 1.6.
    pub(crate) v1: Option<Sign>,
    /// Of 2.
    pub(crate) v2: Option<Sign>,
}

impl Signs {
    /// The dialect of a text: that of the one sign there is, 1.6 where there is none; an error where both are.
    pub(crate) fn dialect(self) -> Result<Dialect, Box<Diagnostic>> {
        match (self.v1, self.v2) {
            (_, None) => Ok(Dialect::V1),
            (None, Some(_)) => Ok(Dialect::V2),
            (Some((at1, what1)), Some((at2, what2))) => {
                let mut wrong = Diagnostic::error(at2, "Options of BIRD 1.6 and of BIRD 2 are mixed");
                wrong.label = Some(format!("this is of BIRD 2: {what2}"));
                let wrong = wrong.note(at1, format!("this is of BIRD 1.6: {what1}"));
                Err(Box::new(wrong.help("`--dialect 1.6` or `--dialect 2` says which is meant")))
            }
        }
    }
}

/// Statements that begin with these words are of one dialect alone.
static STATEMENTS: &[(&[&str], Dialect, &str)] = &[
    (&["table"], Dialect::V1, "a table without a family"),
    (&["roa", "table"], Dialect::V1, "a ROA table without a family"),
    (&["listen", "bgp"], Dialect::V1, "one place to listen for all sessions"),
    (&["hostname"], Dialect::V2, "the name of the router"),
    (&["attribute"], Dialect::V2, "an attribute of the operator's own"),
    (&["threads"], Dialect::V2, "a number of threads"),
    (&["thread", "group"], Dialect::V2, "a group of threads"),
    (&["cli"], Dialect::V2, "a further control socket"),
    (&["log", "udp"], Dialect::V2, "log lines by UDP"),
    (&["debug", "channels"], Dialect::V2, "`debug` of channels"),
    (&["debug", "tables"], Dialect::V2, "`debug` of tables"),
];

const IN_PROTOCOL: &str = "an option of a table's routes that stands in the protocol";

/// Options that stand in a protocol's own braces in one dialect alone; no kind: in any but pipes, which are alike in both.
static OPTIONS: &[(Option<&str>, &[&str], Dialect, &str)] = &[
    (None, &["import"], Dialect::V1, IN_PROTOCOL),
    (None, &["export"], Dialect::V1, IN_PROTOCOL),
    (None, &["table"], Dialect::V1, IN_PROTOCOL),
    (None, &["preference"], Dialect::V1, IN_PROTOCOL),
    (None, &["receive", "limit"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["route", "limit"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["next", "hop"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["missing", "lladdr"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["gateway"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["igp", "table"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["add", "paths"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["secondary"], Dialect::V1, IN_PROTOCOL),
    (Some("bgp"), &["advertise", "ipv4"], Dialect::V1, "`advertise ipv4`"),
    (Some("bgp"), &["free", "bind"], Dialect::V2, "`free bind`"),
    (Some("bgp"), &["dynamic", "name"], Dialect::V2, "dynamic sessions"),
    (Some("bgp"), &["neighbor", "range"], Dialect::V2, "dynamic sessions"),
    (Some("bgp"), &["local", "role"], Dialect::V2, "`local role`"),
    (Some("bmp"), &["station", "address"], Dialect::V2, "a monitoring station"),
    (Some("kernel"), &["device", "routes"], Dialect::V1, "`device routes`"),
    (Some("device"), &["primary"], Dialect::V1, "`primary`"),
    (Some("device"), &["interface"], Dialect::V2, "`interface` of protocol device"),
    (Some("pipe"), &["mode"], Dialect::V1, "`mode` of a pipe"),
];

/// Kinds of protocol in which `table` and the like stand in the protocol's own braces in both dialects.
static ALIKE: &[&str] = &["pipe", "mrt", "bmp"];

/// The kinds whose options are looked at.
static KINDS: &[&str] = &["direct", "kernel", "static", "bgp", "device", "pipe", "mrt", "bmp"];

/// Looks through a text.
pub(crate) fn look(source: &Source) -> Signs {
    let mut walk = Walk { source, signs: Signs::default(), at: 0 };
    walk.all();
    walk.signs
}

struct Walk<'a> {
    source: &'a Source,
    signs: Signs,
    at: usize,
}

impl<'a> Walk<'a> {
    fn token(&self, ahead: usize) -> Option<&'a Token> {
        self.source.tokens.get(self.at + ahead)
    }

    fn is_op(&self, ahead: usize, op: Op) -> bool {
        self.token(ahead).is_some_and(|t| t.tok == Tok::Op(op))
    }

    /// The word that stands so many tokens ahead; empty when none does.
    fn word(&self, ahead: usize) -> &'a str {
        let Some(token) = self.token(ahead).filter(|t| t.tok == Tok::Word) else { return "" };
        let text = self.source.files.get(token.span.file.0 as usize).map(|f| &*f.text);
        let octets = text.and_then(|t| t.get(token.span.start as usize..token.span.end as usize));
        octets.and_then(|o| std::str::from_utf8(o).ok()).unwrap_or_default()
    }

    fn begins_with(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(n, word)| self.word(n) == *word)
    }

    fn met(&mut self, dialect: Dialect, what: &'static str) {
        let Some(span) = self.token(0).map(|t| t.span) else { return };
        let sign = match dialect {
            Dialect::V1 => &mut self.signs.v1,
            Dialect::V2 => &mut self.signs.v2,
        };
        sign.get_or_insert((span, what));
    }

    fn all(&mut self) {
        while self.token(0).is_some_and(|t| t.tok != Tok::End) {
            let first = self.word(0);
            match first {
                "protocol" | "template" => {
                    let kind = self.word(1);
                    self.find_brace();
                    self.block(kind);
                    continue;
                }
                "filter" | "function" => {
                    self.find_brace();
                    self.skip_braces();
                    continue;
                }
                "timeformat" => self.timeformat(),
                _ if CHANNELS_OF_2.contains(&first) && (self.word(1) == "table" || self.word(2) == "table") => {
                    self.met(Dialect::V2, "a table of one family");
                }
                _ => {
                    let known = STATEMENTS.iter().find(|(words, ..)| self.begins_with(words));
                    if let Some((_, dialect, what)) = known {
                        self.met(*dialect, what);
                    }
                }
            }
            self.skip_statement();
            if self.is_op(0, Op::BraceClose) {
                self.at += 1;
            }
        }
    }

    /// `timeformat route iso long ms`, `timeformat route old short`.
    fn timeformat(&mut self) {
        if self.word(2) == "old" {
            self.met(Dialect::V1, "a format of time of BIRD 1.6");
        } else if ["ms", "us"].contains(&self.word(4)) {
            self.met(Dialect::V2, "a format of time with fractions of seconds");
        }
    }

    /// To the `{` of a protocol or filter, or to where there can be none any more.
    fn find_brace(&mut self) {
        while let Some(token) = self.token(0)
            && !matches!(token.tok, Tok::End | Tok::Op(Op::BraceOpen))
        {
            let ends = token.tok == Tok::Op(Op::Semicolon);
            self.at += 1;
            // The variables of a function stand in front of its block, each with a `;` behind.
            if ends && ["protocol", "template", "filter", "function", "define"].contains(&self.word(0)) {
                return;
            }
        }
    }

    /// A block with all that is in it, when one begins here.
    fn skip_braces(&mut self) {
        if !self.is_op(0, Op::BraceOpen) {
            return;
        }
        let mut depth = 0_u32;
        while let Some(token) = self.token(0) {
            match token.tok {
                Tok::Op(Op::BraceOpen) => depth += 1,
                Tok::Op(Op::BraceClose) => depth -= 1,
                Tok::End => return,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Behind the `;` of a statement, or to the `}` of the block that it stands in.
    fn skip_statement(&mut self) {
        while let Some(token) = self.token(0) {
            match token.tok {
                Tok::End | Tok::Op(Op::BraceClose) => return,
                Tok::Op(Op::BraceOpen) => self.skip_braces(),
                Tok::Op(Op::Semicolon) => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }

    /// The options of a protocol.
    fn block(&mut self, kind: &str) {
        if !self.is_op(0, Op::BraceOpen) {
            return;
        }
        self.at += 1;
        while self.token(0).is_some_and(|t| t.tok != Tok::End) {
            if self.is_op(0, Op::BraceClose) {
                self.at += 1;
                return;
            }
            self.option(kind);
            self.skip_statement();
        }
    }

    fn option(&mut self, kind: &str) {
        let opens = |n| self.is_op(n, Op::BraceOpen) || self.is_op(n, Op::Semicolon);
        if CHANNELS_OF_2.contains(&self.word(0)) && (opens(1) || (!self.word(1).is_empty() && opens(2))) {
            return self.met(Dialect::V2, "a channel");
        }
        let fits = |(of, words, ..): &&(Option<&str>, &[&str], Dialect, &str)| {
            let here = match of {
                None => KINDS.contains(&kind) && !ALIKE.contains(&kind),
                Some(of) => *of == kind,
            };
            here && self.begins_with(words)
        };
        if let Some((_, _, dialect, what)) = OPTIONS.iter().find(fits) {
            self.met(*dialect, what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> Result<Dialect, String> {
        look(&Source::text("c", text.as_bytes())).dialect().map_err(|wrong| wrong.message)
    }

    #[test]
    fn the_first_construct_that_one_language_alone_has_says_which_it_is() {
        for text in [
            "protocol device {}",
            "protocol kernel { import all; }",
            "table t; protocol device {}",
            "filter f { if net.len > 8 then reject; accept; } protocol bgp { export filter { accept; }; }",
            "protocol bgp { local as 1; next hop self; }",
            "timeformat base old long; protocol device {}",
        ] {
            assert_eq!(dialect(text), Ok(Dialect::V1), "{text}");
        }
        for text in [
            "ipv4 table t; protocol device {}",
            "ipv6 sadr table t;",
            "protocol static { ipv4; }",
            "template bgp t { ipv6 { import all; }; }",
            "protocol device { interface \"e*\" { preferred 10.0.0.1; }; }",
            "function f(int a) int b; { b = a; return b; } protocol direct { ipv4; }",
            "define s = [ 10.0.0.0/8{8,9} ]; protocol pipe { table a; peer table b; import all; } protocol direct { ipv4; }",
            "timeformat route iso long ms; protocol device {}",
        ] {
            assert_eq!(dialect(text), Ok(Dialect::V2), "{text}");
        }
    }

    #[test]
    fn a_mixture_is_an_error_that_names_both_places() {
        let source = Source::text("c", b"protocol kernel { import all; }\nprotocol static { ipv4; }\n");
        let wrong = look(&source).dialect().unwrap_err();
        assert_eq!(wrong.message, "Options of BIRD 1.6 and of BIRD 2 are mixed");
        assert_eq!((wrong.span.start, wrong.notes.first().unwrap().0.start), (50, 18));
    }
}
