//! The fuzz targets, each for a while: part of `cargo xtask test`.
//!
//! `fuzz/` is a workspace of its own, because everything in it is built with
//! coverage counters. Its targets are the files in `src/bin`; as many run side
//! by side as there are processors. What a run finds in octets worth keeping
//! goes to `fuzz/corpus`, which git does not see.

use crate::build::{cargo, top};
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// All targets, built.
pub struct Targets {
    folder: PathBuf,
    names: Vec<String>,
}

impl Targets {
    pub fn build() -> Result<Self> {
        let folder = top().join("fuzz");
        let built = cargo(&["build", "--release", "--bins"]).current_dir(&folder).status().context("cargo")?;
        ensure!(built.success(), "the fuzz targets do not build");
        let names = targets(&folder)?;
        Ok(Self { folder, names })
    }

    /// Runs each for this long.
    pub fn run(&self, each: Duration) -> Result<()> {
        let side_by_side = std::thread::available_parallelism().map_or(1, usize::from);
        for some in self.names.chunks(side_by_side) {
            let running = some.iter().map(|t| Target::start(&self.folder, t, each)).collect::<Result<Vec<_>>>()?;
            // All are waited for before any verdict, so that none runs on behind us.
            let ends: Vec<_> = running.into_iter().map(Target::end).collect();
            ends.into_iter().collect::<Result<()>>()?;
        }
        Ok(())
    }
}

/// The names of the files in `src/bin`, in order.
fn targets(fuzz: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(fuzz.join("src/bin"))?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "there is no fuzz target");
    Ok(names)
}

/// A target that runs.
struct Target {
    name: String,
    log: PathBuf,
    process: Child,
}

impl Target {
    fn start(fuzz: &Path, name: &str, each: Duration) -> Result<Self> {
        let corpus = fuzz.join("corpus").join(name);
        std::fs::create_dir_all(&corpus)?;
        let log = fuzz.join("corpus").join(format!("{name}.log"));
        let out = File::create(&log)?;
        let process = cargo(&["run", "--release", "--quiet", "--bin", name, "--"])
            .arg(format!("-max_total_time={}", each.as_secs()))
            .args(["-timeout=5", "-rss_limit_mb=512"])
            .arg(corpus)
            .arg(fuzz.join("seeds").join(name))
            .current_dir(fuzz)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .context("cargo")?;
        Ok(Self { name: name.into(), log, process })
    }

    /// Waits for it. A failure is told with the last lines it wrote: what did not hold, and the file with the octets.
    fn end(mut self) -> Result<()> {
        let status = self.process.wait()?;
        let said = String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        if !status.success() {
            let last = lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n");
            bail!("fuzz target {}: {status}\n{last}", self.name);
        }
        println!("{}: {}", self.name, lines.last().unwrap_or(&""));
        Ok(())
    }
}
