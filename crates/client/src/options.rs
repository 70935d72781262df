//! The command line, and what the program's name says.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Everything that the command line decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the daemon listens.
    pub socket: PathBuf,
    /// `-v`: codes are shown.
    pub verbose: bool,
    /// `-r`: only commands that change nothing.
    pub restricted: bool,
    /// `-l`: no line editing.
    pub light: bool,
    /// Whether the exit status says that the daemon refused.
    pub tells_refusals: bool,
    /// The command; empty: read commands from the terminal.
    pub command: String,
}

/// Where Debian's packages put the socket.
const FOLDER: &str = "/run/bird";

impl Options {
    /// Reads the arguments, the program's name first. The error is what to print.
    pub fn read(args: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut args = args.peekable();
        let program = args.next().unwrap_or_default();
        let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut options = Self::named(&name);
        let usage = || format!("Usage: {name} [-s <control-socket>] [-v] [-r] [-l] [<command> ...]");
        while let Some(arg) = args.next_if(|a| a.to_string_lossy().starts_with('-')) {
            let text = arg.to_string_lossy();
            let mut letters = text.chars().skip(1).peekable();
            if text == "--" {
                break;
            }
            if letters.peek().is_none() {
                return Err(usage());
            }
            while let Some(letter) = letters.next() {
                match letter {
                    'v' => options.verbose = true,
                    'r' => options.restricted = true,
                    'l' => options.light = true,
                    's' => {
                        let rest: String = letters.by_ref().collect();
                        let path = if rest.is_empty() { args.next() } else { Some(rest.into()) };
                        options.socket = path.ok_or_else(usage)?.into();
                    }
                    _ => return Err(usage()),
                }
            }
        }
        let words: Vec<_> = args.map(|a| a.to_string_lossy().into_owned()).collect();
        options.command = words.join(" ");
        Ok(options)
    }

    /// The defaults of a name.
    fn named(name: &str) -> Self {
        let six = name.ends_with('6');
        let stem = name.trim_end_matches('6');
        Self {
            socket: Path::new(FOLDER).join(if six { "bird6.ctl" } else { "bird.ctl" }),
            verbose: false,
            restricted: false,
            light: stem.ends_with("cl"),
            tells_refusals: !stem.starts_with("birdc"),
            command: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_name_chooses_socket_and_manners() {
        for (name, socket, light, tells) in [
            ("rbirdc", "/run/bird/bird.ctl", false, true),
            ("/usr/sbin/birdc", "/run/bird/bird.ctl", false, false),
            ("birdcl", "/run/bird/bird.ctl", true, false),
            ("birdc6", "/run/bird/bird6.ctl", false, false),
            ("birdcl6", "/run/bird/bird6.ctl", true, false),
            ("rbirdc6", "/run/bird/bird6.ctl", false, true),
        ] {
            let options = read(name).unwrap();
            assert_eq!(options.socket, Path::new(socket), "{name}");
            assert_eq!((options.light, options.tells_refusals), (light, tells), "{name}");
        }
    }

    #[test]
    fn options_end_at_the_first_word_of_the_command() {
        let options = read("rbirdc -vr -s /tmp/x show route -v").unwrap();
        assert!(options.verbose && options.restricted && !options.light);
        assert_eq!(options.socket, Path::new("/tmp/x"));
        assert_eq!(options.command, "show route -v");
        assert_eq!(read("rbirdc -s/tmp/y").unwrap().socket, Path::new("/tmp/y"));
    }

    #[test]
    fn what_is_not_known_is_answered_with_the_usage() {
        for wrong in ["birdc -x", "birdc --help", "birdc -s", "birdc -"] {
            assert!(read(wrong).unwrap_err().starts_with("Usage: birdc "), "{wrong}");
        }
    }
}
