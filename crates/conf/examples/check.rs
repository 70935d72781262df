//! Checks a configuration as `rbird -p` does, without the daemon: `cargo run -p rbird-conf --example check -- FILE`.

use rbird_conf::{Files, LoadOptions};
use std::io::Read;

struct Disk;

impl Files for Disk {
    fn read(&self, path: &str, octets_max: usize) -> Result<Vec<u8>, String> {
        let file = std::fs::File::open(path).map_err(words)?;
        let mut text = Vec::new();
        file.take(octets_max as u64 + 1).read_to_end(&mut text).map_err(words)?;
        if text.len() > octets_max { Err("File too large".to_owned()) } else { Ok(text) }
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, String> {
        let dir = if dir.is_empty() { "." } else { dir };
        let entries = std::fs::read_dir(dir).map_err(words)?;
        Ok(entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect())
    }

    fn appendable(&self, path: &str) -> Result<(), String> {
        std::fs::OpenOptions::new().append(true).create(true).open(path).map(drop).map_err(words)
    }
}

/// The words of the system, without its number.
fn words(error: std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn main() -> std::process::ExitCode {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/etc/bird/bird.conf".to_owned());
    let six = std::env::args().nth(2).is_some_and(|a| a == "6");
    let family = if six { route::Family::Ipv6 } else { route::Family::Ipv4 };
    match rbird_conf::load(&path, &Disk, &LoadOptions { family, dialect: None, before: None }) {
        Ok(loaded) => {
            for line in loaded.warning_lines() {
                eprintln!("bird: {line}");
            }
            std::process::ExitCode::SUCCESS
        }
        Err(refused) => {
            for error in refused.report(false) {
                eprintln!("bird: {error}");
            }
            std::process::ExitCode::FAILURE
        }
    }
}
