//! The connection to the daemon: commands out, replies in.

use crate::output::{Line, Output};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The longest line that is taken from the daemon, in octets.
const LINE_MAX: u64 = 1 << 20;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    lines: BufReader<UnixStream>,
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The code of its last line.
    pub code: u16,
}

impl Reply {
    /// Whether the command was not obeyed.
    pub const fn is_refusal(self) -> bool {
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
        Ok(Self { lines: BufReader::new(stream) })
    }

    /// Sends a command. Line ends in it become blanks: it is one command.
    pub fn send(&mut self, command: &str) -> Result<(), String> {
        let line = command.replace(['\n', '\r'], " ") + "\n";
        self.lines.get_mut().write_all(line.as_bytes()).map_err(|e| format!("Connection to server lost: {e}"))
    }

    /// Prints lines up to the last one of a reply.
    pub fn reply(&mut self, output: &Output) -> Result<Reply, String> {
        loop {
            let line = self.line()?;
            output.line(&line);
            if let Line::Coded { code, last: true, .. } = Line::of(&line) {
                return Ok(Reply { code });
            }
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut octets = Vec::new();
        let mut limited = std::io::Read::take(&mut self.lines, LINE_MAX);
        match limited.read_until(b'\n', &mut octets) {
            Ok(_) if octets.last() == Some(&b'\n') => {
                octets.pop();
                Ok(String::from_utf8_lossy(&octets).into_owned())
            }
            Ok(_) if octets.len() as u64 == LINE_MAX => Err("The server sends endless lines".to_owned()),
            Ok(_) => Err("Connection closed by server".to_owned()),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => Err("Connection closed by server".to_owned()),
            Err(e) => Err(format!("Connection to server lost: {e}")),
        }
    }
}
