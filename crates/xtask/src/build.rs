//! Building the programs, and where they and the tree are.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The top of the source tree.
pub fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The two programs.
#[derive(Clone, Debug)]
pub struct Programs {
    pub daemon: PathBuf,
    pub client: PathBuf,
}

/// The cargo that runs us.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// Builds both programs with optimisation and says where they are.
///
/// There is one such build, whoever asks: the lab, the tests with real peers, the benchmarks.
pub fn programs() -> Result<Programs> {
    Background::start()?.wait()
}

/// That build, beside what else runs. One that is not waited for is ended.
pub struct Background(Child);

impl Background {
    pub fn start() -> Result<Self> {
        cargo(&["build", "--release", "--package", "rbird-daemon", "--package", "rbird-client"])
            .current_dir(top())
            .spawn()
            .map(Self)
            .context("cargo")
    }

    pub fn wait(mut self) -> Result<Programs> {
        if !self.0.wait()?.success() {
            bail!("the programs do not build");
        }
        let top = top();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
        let target = if target.is_absolute() { target } else { top.join(target) };
        Ok(Programs { daemon: target.join("release/rbird"), client: target.join("release/rbirdc") })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It has ended already, or nobody wants it any more.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The folder of BIRD 2's programs. It cannot be installed beside BIRD 1.6: its package is unpacked under `target`, once.
pub fn bird2() -> Result<PathBuf> {
    let dir = top().join("target/bird2");
    if !dir.join("usr/sbin/bird").exists() {
        let script = format!(
            "set -e; mkdir -p {d}; cd {d}; \
             apt-get -q download bird2 || (apt-get -q update && apt-get -q download bird2); dpkg -x bird2_*.deb .",
            d = dir.display()
        );
        crate::netns::success(Command::new("sh").args(["-c", &script])).context("bird2 could not be had")?;
    }
    Ok(dir.join("usr/sbin"))
}

/// A program on the path, or in the places for daemons that an ordinary user's path lacks.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"])
        .map(|d| Path::new(d).join(program))
        .find(|p| p.is_file())
}
