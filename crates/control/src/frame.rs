//! Lines of a reply: codes, continuations, ends.
//!
//! A line is `CODE-text` when more follow and `CODE text` when it is the last. A
//! line with the code of the line before it is one blank and the text. Readers
//! in the wild depend on three things, so they hold here by construction: no
//! line but a coded one begins in column 0, the last line is one piece with its
//! code, and no line contains a line end.

use route::{Prefix, Written};
use std::fmt::{self, Write};
use std::net::IpAddr;

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
        self.head(code);
        self.put(text);
    }

    /// A line that others follow, to be written word by word: for what stands in replies a million times.
    pub fn begin(&mut self, code: u16) -> Line<'_> {
        self.head(code);
        Line { from: self.octets.len(), octets: &mut self.octets }
    }

    fn head(&mut self, code: u16) {
        if self.last == Some(code) {
            self.octets.push(' ');
        } else {
            // Writing to a string can not fail.
            let _ = write!(self.octets, "{code:04}-");
        }
        self.last = Some(code);
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

    /// The same, still here.
    pub fn text(&self) -> &str {
        &self.octets
    }

    /// Forgets what is written so far, and keeps the room.
    pub fn clear(&mut self) {
        self.octets.clear();
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
        // Nearly all text is of these octets, and they are quickly looked at.
        if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
            self.0.push_str(text);
        } else {
            self.0.extend(text.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }));
        }
        Ok(())
    }
}

/// A line that is being written; dropped, it ends. It allocates nothing and uses no formatter where it can.
#[derive(Debug)]
pub struct Line<'a> {
    octets: &'a mut String,
    from: usize,
}

impl Line<'_> {
    /// Words of our own.
    pub fn put(&mut self, text: &'static str) -> &mut Self {
        self.octets.push_str(text);
        self
    }

    /// Words of others.
    pub fn word(&mut self, text: &str) -> &mut Self {
        let _ = OneLine(self.octets).write_str(text);
        self
    }

    /// A number.
    pub fn number(&mut self, number: u32) -> &mut Self {
        let mut digits = [0; 10];
        let mut left = number;
        let mut len = 0;
        for place in digits.iter_mut().rev() {
            *place = b'0' + (left % 10) as u8;
            left /= 10;
            len += 1;
            if left == 0 {
                break;
            }
        }
        let text = digits.get(digits.len() - len..).and_then(|d| std::str::from_utf8(d).ok());
        self.octets.push_str(text.unwrap_or_default());
        self
    }

    /// An address.
    pub fn addr(&mut self, addr: IpAddr) -> &mut Self {
        match addr {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets().map(u32::from);
                self.number(a).put(".").number(b).put(".").number(c).put(".").number(d)
            }
            IpAddr::V6(_) => {
                let _ = write!(self.octets, "{}", Written(addr));
                self
            }
        }
    }

    /// A prefix.
    pub fn net(&mut self, net: Prefix) -> &mut Self {
        self.addr(net.addr()).put("/").number(u32::from(net.len()))
    }

    /// Blanks up to a column, counted from the beginning of the text.
    pub fn fill(&mut self, column: usize) -> &mut Self {
        for _ in self.octets.len() - self.from..column {
            self.octets.push(' ');
        }
        self
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.octets.push('\n');
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
    fn a_line_written_word_by_word_reads_like_a_formatted_one() {
        for (number, addr, len) in
            [(0, "0.0.0.0", 0), (7, "203.0.113.255", 32), (4_294_967_295, "2001:db8::1", 128), (1_000, "::", 0)]
        {
            let addr: IpAddr = addr.parse().unwrap();
            let net = Prefix::new(addr, len).unwrap();
            let mut f = Frame::new();
            f.begin(1007).net(net).fill(18).put(" via ").addr(addr).put(" (").number(number).put(")");
            f.line(1007, format_args!("{:<18} via {addr} ({number})", net.to_string()));
            let text = f.take();
            let (one, other) = text.split_once('\n').unwrap();
            assert_eq!(one.strip_prefix("1007-").unwrap(), other.strip_prefix(' ').unwrap().trim_end());
        }
        let mut f = Frame::new();
        f.begin(1007).word("a\nb\u{85}\t\u{e9}");
        assert_eq!(f.take(), "1007-a b \t\u{e9}\n");
    }

    #[test]
    fn text_from_outside_can_not_forge_a_line() {
        let mut f = Frame::new();
        f.end(13, "x\n0000 y\r\u{7f}\tz");
        assert_eq!(f.take(), "0013 x 0000 y  \tz\n");
    }
}
