//! One rbird by itself on the loopback: for what needs neither a neighbour nor the kernel's table.

use anyhow::{Context, Result};
use rbird_xtask::build::top;
use std::path::PathBuf;
use std::process::{Child, Command};

/// It runs until this is dropped, and its files go with it.
pub struct Alone {
    dir: PathBuf,
    child: Child,
}

impl Alone {
    /// Starts it with a configuration; `name` is for its folder.
    pub fn start(name: &str, configuration: &str) -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("rbird-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let conf = dir.join("rbird.conf");
        std::fs::write(&conf, configuration)?;
        let mut command = Command::new(top().join("target/release/rbird"));
        command.arg("-d").arg("-c").arg(&conf).arg("-s").arg(dir.join("rbird.ctl")).arg("-D").arg(dir.join("log"));
        let child = command.spawn();
        Ok(Self { child: child.context("rbird")?, dir })
    }

    /// Changes its file; a `configure` takes it on.
    pub fn write(&self, configuration: &str) -> Result<()> {
        std::fs::write(self.dir.join("rbird.conf"), configuration).map_err(Into::into)
    }

    /// All that it has logged.
    pub fn log(&self) -> Result<String> {
        std::fs::read_to_string(self.dir.join("log")).map_err(Into::into)
    }

    /// What its client prints; nothing before the daemon hears.
    pub fn ask(&self, words: &str) -> Result<String> {
        let mut client = Command::new(top().join("target/release/rbirdc"));
        let answer = client.arg("-s").arg(self.dir.join("rbird.ctl")).arg(words).output().context("rbirdc")?;
        Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
