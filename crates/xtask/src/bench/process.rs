//! A process, and the machine around it, seen through `/proc`.

use anyhow::{Context, Result, ensure};
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// A daemon, by its first process: all processes of its network namespace, however many it has made.
#[derive(Clone, Copy, Debug)]
pub struct Daemon(pub u32);

impl Daemon {
    /// User and system time of all its processes.
    pub fn cpu_seconds(self) -> Result<f64> {
        self.sum(Process::cpu_seconds)
    }

    /// Resident memory now; what processes share counts for each of them.
    pub fn rss_mib(self) -> Result<f64> {
        self.sum(Process::rss_mib)
    }

    /// The most that each process had, added up.
    pub fn peak_mib(self) -> Result<f64> {
        self.sum(Process::peak_mib)
    }

    /// A process may end between being found and being read: only that of the first is an error.
    fn sum(self, figure: fn(Process) -> Result<f64>) -> Result<f64> {
        let others = self.others().context("the daemon is gone")?;
        Ok(figure(Process(self.0))? + others.into_iter().filter_map(|p| figure(p).ok()).sum::<f64>())
    }

    fn others(self) -> std::io::Result<Vec<Process>> {
        let namespace = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net"));
        let ours = namespace(self.0)?;
        let pids = std::fs::read_dir("/proc")?.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
        let is_other = |pid: &u32| *pid != self.0 && namespace(*pid).is_ok_and(|n| n == ours);
        Ok(pids.filter(is_other).map(Process).collect())
    }
}

/// One process.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// User and system time of all its threads, and of its children that have ended.
    pub fn cpu_seconds(self) -> Result<f64> {
        self.seconds(11..15)
    }

    /// Of its children that have ended.
    fn ended_seconds(self) -> Result<f64> {
        self.seconds(13..15)
    }

    /// Times behind its name, added up.
    fn seconds(self, fields: Range<usize>) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).context("the daemon is gone")?;
        // The second field is the name, in brackets, and may hold anything: fields are counted behind it.
        let behind = text.rsplit(')').next().unwrap_or_default();
        let times = behind.split_whitespace().skip(fields.start).take(fields.len());
        let ticks: u64 = times.filter_map(|f| f.parse::<u64>().ok()).sum();
        Ok(ticks as f64 / ticks_a_second()?)
    }

    /// Resident memory now.
    pub fn rss_mib(self) -> Result<f64> {
        self.mib("VmRSS:")
    }

    /// The most that it had.
    pub fn peak_mib(self) -> Result<f64> {
        self.mib("VmHWM:")
    }

    fn mib(self, field: &str) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.0)).context("the daemon is gone")?;
        let line = text.lines().find_map(|l| l.strip_prefix(field)).with_context(|| field.to_owned())?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib / 1024.0)
    }
}

/// The wall time and the processor time of reading a configuration and no more, by the program of a running BIRD or rbird.
pub fn read_alone(pid: u32, configuration: &Path) -> Result<(f64, f64)> {
    // Processor time is told in steps of 10 ms.
    const READS: u32 = 20;
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).context("the daemon is gone")?;
    let ours = Process(std::process::id());
    let (before, start) = (ours.ended_seconds()?, Instant::now());
    for _ in 0..READS {
        let done = Command::new(&program).arg("-p").arg("-c").arg(configuration).output()?;
        ensure!(done.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&done.stderr));
    }
    let reads = f64::from(READS);
    Ok((start.elapsed().as_secs_f64() / reads, (ours.ended_seconds()? - before) / reads))
}

/// What all processors together have idled since the system's start, in seconds.
pub fn idle_seconds() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let ticks = text.lines().next().and_then(|l| l.split_whitespace().nth(4)).context("no idle time")?;
    Ok(ticks.parse::<f64>()? / ticks_a_second()?)
}

/// The processors that we may use.
pub fn processors() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64)
}

fn ticks_a_second() -> Result<f64> {
    Ok(nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.context("no clock ticks")? as f64)
}
