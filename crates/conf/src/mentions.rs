//! The words of a text that BIRD 2 lists as undefined symbols.
//!
//! BIRD 2 makes a symbol of every word that it reads, be it one of its language,
//! and `show symbols` has those too that nobody defined. What stands in filters
//! and functions is not among them: it ends with its block.

use filter::syntax::{Cursor, Op, Tok, Token};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The words outside of blocks of code. Linear in the length of the text.
pub(crate) fn of(tokens: &[Token], cursor: &Cursor<'_>) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    let mut walk = Walk::default();
    for token in tokens {
        let word = if token.tok == Tok::Word { cursor.name_at(*token) } else { "" };
        let is_outside = !walk.is_in_code();
        walk.pass(token.tok, word);
        if is_outside && !word.is_empty() && !found.contains(word) {
            found.insert(Arc::from(word));
        }
    }
    found
}

/// Where in a text a walk is.
#[derive(Default)]
struct Walk {
    /// Open braces.
    depth: u32,
    /// Code begins with the next brace, or has begun.
    code: Code,
    /// The next token begins a statement.
    begins: bool,
}

/// What is known of a block of code.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// None is near.
    #[default]
    None,
    /// The name of a function or filter comes next.
    Named,
    /// Behind that name: arguments, variables, up to the brace.
    Head,
    /// The next brace, if one comes before the statement ends, opens it.
    Near,
    /// Inside one that ends when so many braces are open.
    Inside(u32),
}

impl Walk {
    const fn is_in_code(&self) -> bool {
        matches!(self.code, Code::Head | Code::Inside(_))
    }

    fn pass(&mut self, tok: Tok, word: &str) {
        let begins = std::mem::take(&mut self.begins) || self.depth == 0;
        match tok {
            Tok::Op(Op::BraceOpen) => {
                if matches!(self.code, Code::Head | Code::Near) {
                    self.code = Code::Inside(self.depth);
                }
                self.depth += 1;
                self.begins = true;
            }
            Tok::Op(Op::BraceClose) => {
                self.depth = self.depth.saturating_sub(1);
                if self.code == Code::Inside(self.depth) {
                    self.code = Code::None;
                }
                self.begins = true;
            }
            Tok::Op(Op::Semicolon) => {
                if self.code == Code::Near {
                    self.code = Code::None;
                }
                self.begins = true;
            }
            Tok::Word => match (self.code, word) {
                // A filter may have variables in front of its brace, as a function.
                (Code::None, "function" | "filter") if begins && self.depth == 0 => self.code = Code::Named,
                (Code::Named, _) => self.code = Code::Head,
                (Code::None, "filter") => self.code = Code::Near,
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn words(text: &str) -> String {
        let source = Source::text("c", text.as_bytes());
        let cursor = Cursor::new(&source.files, &source.tokens, None);
        of(&source.tokens, &cursor).iter().map(|w| &**w).collect::<Vec<_>>().join(" ")
    }

    /// As in reference/config/2.0.12/good: filters-and-functions, static-options, bgp-filters.
    #[test]
    fn what_stands_in_code_is_not_mentioned() {
        assert_eq!(words("protocol static { ipv4; }"), "ipv4 protocol static");
        assert_eq!(words("function f(int a) int b; { b = a; return b; } define x = f(1);"), "define f function x");
        assert_eq!(
            words("filter g int a; { if net.len > 8 then { reject; } accept; } debug protocols all;"),
            "all debug filter g protocols"
        );
        assert_eq!(
            words("protocol static { route 10.0.0.0/8 blackhole { bgp_med = 5; }; check link; }"),
            "bgp_med blackhole check link protocol route static"
        );
        assert_eq!(
            words("protocol bgp { ipv4 { import filter { accept; }; export filter g; }; local as 1; }"),
            "as bgp export filter g import ipv4 local protocol"
        );
    }
}
