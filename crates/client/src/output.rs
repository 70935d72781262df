//! Lines of the daemon as people read them.
//!
//! A coded line loses its code and the sign behind it, a continuation its blank;
//! with `-v` they are printed as they came, continuations under the text of the
//! line before. The last line is printed unless it only says that all is well.

use std::io::{ErrorKind, Write};

/// Prints to standard output.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    verbose: bool,
}

/// What a line of the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its code, its text, and whether it is the last of its reply.
    Coded { code: u16, text: &'a str, last: bool },
    /// One more with the code of the line before.
    More(&'a str),
    /// A line of the log.
    Log(&'a str),
    /// Nothing that BIRD says.
    Odd(&'a str),
}

impl<'a> Line<'a> {
    /// Takes a line apart.
    pub fn of(line: &'a str) -> Self {
        if let Some(text) = line.strip_prefix(' ') {
            return Self::More(text);
        }
        if let Some(text) = line.strip_prefix('+') {
            return Self::Log(text);
        }
        let coded = || {
            let (code, rest) = line.split_at_checked(4)?;
            let digits = code.bytes().all(|b| b.is_ascii_digit());
            let code = code.parse().ok().filter(|_| digits)?;
            let last = match rest.chars().next() {
                Some(' ') => true,
                Some('-') => false,
                _ => return None,
            };
            Some(Self::Coded { code, text: rest.get(1..)?, last })
        };
        coded().unwrap_or(Self::Odd(line))
    }
}

impl Output {
    /// With codes or without.
    pub const fn new(verbose: bool) -> Self {
        Self { verbose }
    }

    /// Appends what is printed of a line, its end included.
    pub fn render(self, line: &str, into: &mut String) {
        let (head, text, tail) = match Line::of(line) {
            Line::Coded { code: 0, .. } => return,
            Line::Coded { .. } if self.verbose => ("", line, "\n"),
            Line::More(text) if self.verbose => ("     ", text, "\n"),
            Line::Coded { text, .. } | Line::More(text) => ("", text, "\n"),
            Line::Log(text) => (">>> ", text, "\n"),
            Line::Odd(text) => ("??? <", text, ">\n"),
        };
        [head, text, tail].iter().for_each(|part| into.push_str(part));
    }

    /// Prints text as it is. When nobody reads any more, as behind `head`, the client ends.
    pub fn text(self, text: &str) {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if written.is_err_and(|e| e.kind() == ErrorKind::BrokenPipe) {
            std::process::exit(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_only_when_asked_for() {
        let reply = ["2002-name", "1002-device1  ", " \tdirect1", " ", "+log", "0000 ", "9001 syntax error"];
        let print = |verbose| {
            let mut all = String::new();
            reply.iter().for_each(|l| Output::new(verbose).render(l, &mut all));
            all
        };
        assert_eq!(print(false), "name\ndevice1  \n\tdirect1\n\n>>> log\nsyntax error\n");
        assert_eq!(print(true), "2002-name\n1002-device1  \n     \tdirect1\n     \n>>> log\n9001 syntax error\n");
    }

    #[test]
    fn what_is_no_line_of_bird_is_shown_as_such() {
        for odd in ["", "12", "12345", "ab01-x", "00é0-x", "1000x"] {
            assert_eq!(Line::of(odd), Line::Odd(odd));
        }
    }
}
