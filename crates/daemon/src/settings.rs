//! rbird.toml: settings of the daemon for which bird.conf has no words.
//!
//! The file is optional and so is every key; a key that is not known is refused
//! with its place. `config/rbird.toml` documents each.

use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The place that is looked at when the command line names none.
pub const DEFAULT_PATH: &str = "/etc/bird/rbird.toml";

/// All settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What stands after `BIRD ` in the banner and in `show status`; the release of the dialect when absent.
    pub version: Option<String>,
    /// How work is spread over threads.
    pub threads: Threads,
    /// The control socket.
    pub control: Control,
    /// The log.
    pub log: Log,
    /// The watchdog.
    pub watchdog: Watchdog,
}

/// Numbers of threads.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threads {
    /// For sessions and timers; `None`: as many as `threads` in the configuration says, or else [`SESSIONS`].
    sessions: Option<usize>,
    /// For tables.
    pub tables: usize,
    /// For export groups.
    pub exports: usize,
}

impl Default for Threads {
    fn default() -> Self {
        Self { sessions: None, tables: 1, exports: 1 }
    }
}

/// Threads for sessions when nobody says how many.
const SESSIONS: usize = 2;

impl Threads {
    /// How many threads sessions have. `configured`: what the configuration says.
    pub fn sessions(&self, configured: Option<u32>) -> usize {
        self.sessions.or(configured.and_then(|n| usize::try_from(n).ok())).unwrap_or(SESSIONS)
    }
}

/// The control socket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// Its path; the command line (`-s`) goes before.
    pub socket: Option<PathBuf>,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// As BIRD writes them.
    #[default]
    Bird,
    /// One JSON object a line: time, class, message.
    Json,
}

/// The log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The form of lines on standard error and in files.
    pub format: LogFormat,
}

/// The watchdog.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watchdog {
    /// Tell systemd that all threads are alive, as often as the unit's WatchdogSec asks.
    pub systemd: bool,
}

impl Default for Watchdog {
    fn default() -> Self {
        Self { systemd: true }
    }
}

/// Reads the settings. Without a path the default place is tried, and its absence is no error.
pub fn read(path: Option<&Path>) -> Result<Settings, String> {
    let (path, must_exist) = path.map_or((Path::new(DEFAULT_PATH), false), |p| (p, true));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        // An ordinary user who tries a configuration may not look into /etc/bird.
        Err(error) if !must_exist && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            return Ok(Settings::default());
        }
        Err(error) => return Err(format!("Unable to open settings file {}: {error}", path.display())),
    };
    let settings: Settings = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    check(&settings).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(settings)
}

fn check(settings: &Settings) -> Result<(), String> {
    let counts = [
        ("threads.sessions", settings.threads.sessions(None)),
        ("threads.tables", settings.threads.tables),
        ("threads.exports", settings.threads.exports),
    ];
    for (key, count) in counts {
        if !(1..=256).contains(&count) {
            return Err(format!("{key} = {count}: must be 1 to 256"));
        }
    }
    match &settings.version {
        Some(version) if version.is_empty() || version.len() > 64 || version.chars().any(char::is_control) => {
            Err("version: must be 1 to 64 printable characters".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let error = toml::from_str::<Settings>("[threads]\nsesions = 3\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("sesions"), "{error}");
    }

    #[test]
    fn the_documented_file_is_accepted_and_says_the_defaults() {
        let text = include_str!("../../../config/rbird.toml");
        let written: Settings = toml::from_str(text).unwrap();
        check(&written).unwrap();
        // With every commented example switched on it must still be known keys.
        let all: String = text.lines().map(|l| l.strip_prefix("#: ").unwrap_or(l)).collect::<Vec<_>>().join("\n");
        toml::from_str::<Settings>(&all).unwrap();
        assert_eq!((written.threads.tables, written.threads.exports), (1, 1));
        assert_eq!((written.threads.sessions(None), written.threads.sessions(Some(5))), (2, 5));
    }
}
