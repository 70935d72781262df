//! The connection to the daemon: commands out, replies in.
//!
//! What has come is printed before more is waited for, and at once: a reply of a
//! million lines is not a million writes, and the first line of a slow one does
//! not wait for the second.

use crate::output::{Line, Output};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// What is read at once, and printed at once, in octets.
const PIECE: usize = 64 * 1024;

/// The longest line that is taken from the daemon, in octets.
const LINE_MAX: u64 = 1 << 20;

/// How long a greeting is waited for that the conversation can do without.
const GREETING_MAX: Duration = Duration::from_secs(2);

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    lines: BufReader<UnixStream>,
}

/// How a reply ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The code of its last line.
    pub code: u16,
    /// The text of its last line.
    pub text: String,
}

impl Reply {
    /// Whether the command was not obeyed.
    pub const fn is_refusal(&self) -> bool {
        self.code >= 8000
    }
}

impl Connection {
    /// Connects.
    pub fn open(path: &Path) -> Result<Self, String> {
        let stream = UnixStream::connect(path).map_err(|error| {
            let words = error.to_string();
            let words = words.split(" (os error").next().unwrap_or_default();
            format!("Unable to connect to server control socket ({}): {words}", path.display())
        })?;
        Ok(Self { lines: BufReader::with_capacity(PIECE, stream) })
    }

    /// What the daemon at this socket greets with now, without printing it. `None`: it does not say so soon.
    pub fn greeting(path: &Path) -> Option<String> {
        let mut connection = Self::open(path).ok()?;
        connection.lines.get_ref().set_read_timeout(Some(GREETING_MAX)).ok()?;
        let mut octets = Vec::new();
        connection.line(&mut octets).ok()?;
        match Line::of(&String::from_utf8_lossy(&octets)) {
            Line::Coded { text, last: true, .. } => Some(text.to_owned()),
            _ => None,
        }
    }

    /// Sends a command. Line ends in it become blanks: it is one command.
    pub fn send(&mut self, command: &str) -> Result<(), String> {
        let line = command.replace(['\n', '\r'], " ") + "\n";
        self.lines.get_mut().write_all(line.as_bytes()).map_err(|e| format!("Connection to server lost: {e}"))
    }

    /// Prints lines up to the last one of a reply.
    pub fn reply(&mut self, output: &Output) -> Result<Reply, String> {
        let mut printed = String::new();
        let ended = self.read_reply(*output, &mut printed);
        output.text(&printed);
        ended
    }

    /// Leaves in `printed` what is still to be printed.
    fn read_reply(&mut self, output: Output, printed: &mut String) -> Result<Reply, String> {
        let mut octets = Vec::new();
        loop {
            if !self.lines.buffer().contains(&b'\n') || printed.len() >= PIECE {
                output.text(printed);
                printed.clear();
            }
            self.line(&mut octets)?;
            let line = String::from_utf8_lossy(&octets);
            output.render(&line, printed);
            if let Line::Coded { code, text, last: true } = Line::of(&line) {
                return Ok(Reply { code, text: text.to_owned() });
            }
        }
    }

    /// The next line, without its end, in place of what `octets` held.
    fn line(&mut self, octets: &mut Vec<u8>) -> Result<(), String> {
        octets.clear();
        let mut limited = std::io::Read::take(&mut self.lines, LINE_MAX);
        match limited.read_until(b'\n', octets) {
            Ok(_) if octets.last() == Some(&b'\n') => {
                octets.pop();
                Ok(())
            }
            Ok(_) if octets.len() as u64 == LINE_MAX => Err("The server sends endless lines".to_owned()),
            Ok(_) => Err("Connection closed by server".to_owned()),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => Err("Connection closed by server".to_owned()),
            Err(e) => Err(format!("Connection to server lost: {e}")),
        }
    }
}
