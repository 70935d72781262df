//! The command line, as BIRD has it, and a few words more.
//!
//! The name under which the program was started chooses defaults: `bird6` is
//! the IPv6 daemon of the 1.6 releases. Short options may be joined (`-dl`), an
//! unknown one prints the usage on standard error and ends with status 1.

use conf::config::Dialect;
use lexopt::{Arg, Parser, ValueExt};
use route::Family;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What was said on the command line.
#[derive(Clone, Debug)]
pub struct Args {
    /// `-c`.
    pub config: PathBuf,
    /// `-s`.
    pub socket: Option<PathBuf>,
    /// `-P`.
    pub pid_file: Option<PathBuf>,
    /// `-u`.
    pub user: Option<String>,
    /// `-g`.
    pub group: Option<String>,
    /// `-d`: foreground, log on standard error.
    pub debug: bool,
    /// `-D`: the file for debugging output.
    pub debug_file: Option<PathBuf>,
    /// `-f`: foreground.
    pub foreground: bool,
    /// `-l`: configuration and socket in the working directory.
    pub local: bool,
    /// `-p`: parse and end.
    pub parse_only: bool,
    /// `lint`: tell all warnings and end.
    pub lint: bool,
    /// `-R`: the daemon comes back from a graceful restart.
    pub recovery: bool,
    /// `--family`.
    pub family: Family,
    /// `--dialect`.
    pub dialect: Option<Dialect>,
    /// `--settings`: rbird.toml.
    pub settings: Option<PathBuf>,
    /// The name the program goes by in its messages: `bird` or `bird6`.
    pub name: &'static str,
}

/// What to do instead of running.
pub enum Answer {
    /// Run with these.
    Run(Box<Args>),
    /// Print on standard error and end with this status.
    Say(String, u8),
}

const USAGE: &str = "Usage: PROGRAM [--version] [--help] [-c <config-file>] [OPTIONS]";

const OPTIONS: &str = "
Options:
  -c <config-file>     Use given configuration file instead
                       of CONFIG
  -d                   Enable debug messages and run rbird in foreground
  -D <debug-file>      Log debug messages to given file instead of stderr
  -f                   Run rbird in foreground
  -g <group>           Use given group ID
  -h, --help           Display this information
  -l                   Look for a configuration file and a communication socket
                       in the current working directory
  -p                   Test configuration file and exit without start
  -P <pid-file>        Create a PID file with given filename
  -R                   Apply graceful restart recovery after start
  -s <control-socket>  Use given filename for a control socket
  -u <user>            Drop privileges and use given user ID
  --version            Display version of rbird
  --family <4|6>       Address family of a 1.6 configuration
  --dialect <1.6|2>    Language of the configuration instead of the one found
  --settings <file>    Settings of the daemon (rbird.toml)
  lint                 Tell what is odd in the configuration and exit,
                       with status 1 when there is something";

/// Reads the command line of this process.
pub fn read() -> Answer {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_else(|| OsString::from("rbird"));
    let name = Path::new(&program).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    match parse(&name, words) {
        Ok(answer) => answer,
        Err(error) => Answer::Say(format!("{name}: {}\n{}", complaint(&error), USAGE.replace("PROGRAM", &name)), 1),
    }
}

/// The words of getopt, which is what scripts have seen until now.
fn complaint(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedOption(option) => match option.strip_prefix("--") {
            Some(_) => format!("unrecognized option '{option}'"),
            None => format!("invalid option -- '{}'", option.trim_start_matches('-')),
        },
        lexopt::Error::MissingValue { option: Some(option) } if !option.starts_with("--") => {
            format!("option requires an argument -- '{}'", option.trim_start_matches('-'))
        }
        other => other.to_string(),
    }
}

fn parse(name: &str, words: impl Iterator<Item = OsString>) -> Result<Answer, lexopt::Error> {
    let six = name == "bird6";
    let mut a = Args {
        config: PathBuf::new(),
        socket: None,
        pid_file: None,
        user: None,
        group: None,
        debug: false,
        debug_file: None,
        foreground: false,
        local: false,
        parse_only: false,
        lint: false,
        recovery: false,
        family: if six { Family::Ipv6 } else { Family::Ipv4 },
        dialect: None,
        settings: None,
        name: if six { "bird6" } else { "bird" },
    };
    let mut config = None;
    let words: Vec<OsString> = words.collect();
    let mut parser = Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Arg::Short('c') => config = Some(PathBuf::from(parser.value()?)),
            Arg::Short('d') => a.debug = true,
            Arg::Short('D') => a.debug_file = Some(parser.value()?.into()),
            Arg::Short('f') => a.foreground = true,
            Arg::Short('g') => a.group = Some(parser.value()?.string()?),
            Arg::Short('l') => a.local = true,
            Arg::Short('p') => a.parse_only = true,
            Arg::Short('P') => a.pid_file = Some(parser.value()?.into()),
            Arg::Short('R') => a.recovery = true,
            Arg::Short('s') => a.socket = Some(parser.value()?.into()),
            Arg::Short('u') => a.user = Some(parser.value()?.string()?),
            Arg::Long("family") => a.family = parser.value()?.parse_with(family)?,
            Arg::Long("dialect") => a.dialect = Some(parser.value()?.parse_with(dialect)?),
            Arg::Long("settings") => a.settings = Some(parser.value()?.into()),
            Arg::Long("version") => return Ok(Answer::Say(version(), 0)),
            Arg::Value(word) if word == "lint" && !a.lint => a.lint = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Answer::Say(help(name), 0)),
            other => return Err(other.unexpected()),
        }
    }
    a.config = config.unwrap_or_else(|| default_config(&a));
    if a.local && a.socket.is_none() {
        a.socket = Some(format!("{}.ctl", a.name).into());
    }
    Ok(Answer::Run(Box::new(a)))
}

fn family(text: &str) -> Result<Family, &'static str> {
    match text {
        "4" => Ok(Family::Ipv4),
        "6" => Ok(Family::Ipv6),
        _ => Err("the family is 4 or 6"),
    }
}

fn dialect(text: &str) -> Result<Dialect, &'static str> {
    match text {
        "1.6" | "1" => Ok(Dialect::V1),
        "2" | "3" => Ok(Dialect::V2),
        _ => Err("the dialect is 1.6 or 2"),
    }
}

/// rbird's own version; BIRD's, whose language is spoken, is on the control socket.
pub fn version() -> String {
    format!("rbird version {}", env!("CARGO_PKG_VERSION"))
}

fn help(name: &str) -> String {
    let config = default_places(name).first().copied().unwrap_or_default();
    format!("{}\n{}", USAGE.replace("PROGRAM", name), OPTIONS.replace("CONFIG", config))
}

/// The places where the configuration lies on Debian, in images, and where BIRD's own build puts it; the first that exists.
fn default_places(name: &str) -> &'static [&'static str] {
    if name == "bird6" {
        &["/etc/bird/bird6.conf", "/etc/bird6.conf", "/usr/local/etc/bird6.conf"]
    } else {
        &["/etc/bird/bird.conf", "/etc/bird.conf", "/usr/local/etc/bird.conf"]
    }
}

fn default_config(a: &Args) -> PathBuf {
    if a.local {
        return format!("{}.conf", a.name).into();
    }
    let places = default_places(a.name);
    let found = places.iter().find(|p| Path::new(p).exists()).or(places.first());
    found.map(PathBuf::from).unwrap_or_default()
}

/// The control socket: as said, else by the settings, else by the name of the program.
pub fn socket(a: &Args, from_settings: Option<&Path>) -> PathBuf {
    a.socket
        .clone()
        .or_else(|| from_settings.map(Path::to_path_buf))
        .unwrap_or_else(|| format!("/run/bird/{}.ctl", a.name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(name: &str, line: &str) -> Args {
        match parse(name, line.split_whitespace().map(OsString::from)).unwrap() {
            Answer::Run(a) => *a,
            Answer::Say(text, _) => panic!("{text}"),
        }
    }

    #[test]
    fn the_flags_of_a_debian_unit_and_of_calico_are_understood() {
        let a = args("bird", "-f -u bird -g bird");
        assert!(a.foreground && a.user.as_deref() == Some("bird") && a.group.as_deref() == Some("bird"));
        let a = args("bird6", "-R -s /var/run/calico/bird6.ctl -d -c /etc/calico/confd/config/bird6.cfg");
        assert!(a.recovery && a.debug && a.family == Family::Ipv6);
        assert_eq!(a.config, Path::new("/etc/calico/confd/config/bird6.cfg"));
    }

    #[test]
    fn lint_is_a_word_and_others_are_refused() {
        assert!(args("rbird", "lint -c x.conf").lint && args("rbird", "-c x.conf lint").lint);
        assert!(parse("rbird", [OsString::from("start")].into_iter()).is_err());
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(parse("bird", [OsString::from("-x")].into_iter()).is_err());
    }

    #[test]
    fn with_l_everything_lies_in_the_working_directory() {
        let a = args("bird", "-dl");
        assert_eq!(a.config, Path::new("bird.conf"));
        assert_eq!(a.socket.as_deref(), Some(Path::new("bird.ctl")));
    }
}
