//! Lines of a reply: codes, continuations, ends.
//!
//! A line is `CODE-text` when more follow and `CODE text` when it is the last. A
//! line with the code of the line before it is one blank and the text. Readers
//! in the wild depend on three things, so they hold here by construction: no
//! line but a coded one begins in column 0, the last line is one piece with its
//! code, and no line contains a line end.

use std::fmt::{self, Write};

/// A reply under construction, in octets ready for the socket.
#[derive(Debug, Default)]
pub struct Frame {
    octets: String,
    last: Option<u16>,
    done: bool,
}

impl Frame {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { octets: String::new(), last: None, done: false }
    }

    /// A line that others follow.
    pub fn line(&mut self, code: u16, text: impl fmt::Display) {
        // Writing to a string can not fail.
        let _ = if self.last == Some(code) { write!(self.octets, " ") } else { write!(self.octets, "{code:04}-") };
        self.last = Some(code);
        self.put(text);
    }

    /// The last line.
    pub fn end(&mut self, code: u16, text: impl fmt::Display) {
        let _ = write!(self.octets, "{code:04} ");
        self.put(text);
        self.last = None;
        self.done = true;
    }

    /// The last line of a reply that has said everything.
    pub fn ok(&mut self) {
        self.end(crate::code::OK, "");
    }

    /// Whether the last line was written.
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// How many octets wait to be taken.
    pub const fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether none wait.
    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// What is written so far: whole lines. The frame goes on behind them.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.octets)
    }

    fn put(&mut self, text: impl fmt::Display) {
        let _ = write!(OneLine(&mut self.octets), "{text}");
        self.octets.push('\n');
    }
}

/// Turns control characters other than tabs into blanks, so that text of a peer or of the operator stays one line.
struct OneLine<'a>(&'a mut String);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.contains(|c: char| c.is_control() && c != '\t') {
            self.0.extend(text.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }));
        } else {
            self.0.push_str(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_the_code_of_the_line_before_begins_with_a_blank() {
        let mut f = Frame::new();
        f.line(2002, "head");
        f.line(1002, "a");
        f.line(1002, "b");
        f.line(1006, "c");
        f.line(1002, "d");
        f.ok();
        assert_eq!(f.take(), "2002-head\n1002-a\n b\n1006-c\n1002-d\n0000 \n");
    }

    #[test]
    fn the_last_line_has_its_code_even_when_it_is_that_of_the_line_before() {
        let mut f = Frame::new();
        f.line(1010, "a");
        f.end(1010, "b");
        assert_eq!(f.take(), "1010-a\n1010 b\n");
    }

    #[test]
    fn text_from_outside_can_not_forge_a_line() {
        let mut f = Frame::new();
        f.end(13, "x\n0000 y\r\u{7f}\tz");
        assert_eq!(f.take(), "0013 x 0000 y  \tz\n");
    }
}
