//! `cargo xtask count`: instructions a route, held against what they were.
//!
//! Where time means nothing, on a machine that others share, instructions still
//! do. Each driver of the crate `gauge` runs once under callgrind, which counts
//! between the begin and the end of `measured`. `crates/gauge/limits.tsv` holds
//! what each cost when somebody last looked at it, function by function; a driver
//! that now costs a tenth more fails, and the functions that grew are named. Who
//! makes something cheaper, or dearer for a reason, writes the file anew with
//! `--write` and commits it.

use crate::build::{cargo, top};
use crate::suite::apt_install;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a driver may cost more than it did.
const SLACK: f64 = 1.10;
/// Functions that cost less than this of a driver's whole are not kept.
const SHARE: f64 = 0.01;
/// So many functions that grew are named.
const NAMED: usize = 5;
/// Where the counts begin and end.
const MEASURED: &str = "*rbird_gauge::measured*";
/// The same code of the C library is chosen on every processor.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-ERMS,-FSRM";
/// What the table of limits begins with.
const HEAD: &str =
    "# Instructions a route of each driver, then of its functions. Written by `cargo xtask count --write`.\n";

#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Count these drivers only.
    pub drivers: Vec<String>,
    /// Keep what is counted now as what the next runs are held against.
    #[arg(long)]
    pub write: bool,
}

/// What a driver costs: all of it, and its functions, in instructions a route.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cost {
    all: f64,
    functions: BTreeMap<String, f64>,
}

/// A driver as `rbird-gauge --list` names it.
struct Driver {
    name: String,
    routes: f64,
}

/// Counts all drivers; an error when one has become too dear.
pub fn run(options: &Options) -> Result<()> {
    apt_install(&[("valgrind", "valgrind")])?;
    let gauge = build()?;
    let drivers = list(&gauge)?;
    let chosen = |d: &&Driver| options.drivers.is_empty() || options.drivers.contains(&d.name);
    let counted = count_all(&gauge, &drivers.iter().filter(chosen).collect::<Vec<_>>())?;
    ensure!(!counted.is_empty(), "no such driver; `rbird-gauge --list` names them");
    let path = top().join("crates/gauge/limits.tsv");
    let mut kept = read(&std::fs::read_to_string(&path).unwrap_or_default())?;
    let grown = compare(&counted, &kept);
    if options.write {
        kept.extend(counted);
        kept.retain(|name, _| drivers.iter().any(|d| d.name == *name));
        return std::fs::write(&path, written(&kept)).with_context(|| path.display().to_string());
    }
    ensure!(grown.is_empty(), "dearer than a tenth above crates/gauge/limits.tsv: {}", grown.join(", "));
    Ok(())
}

fn build() -> Result<PathBuf> {
    let status = cargo(&["build", "--release", "--package", "rbird-gauge"]).current_dir(top()).status()?;
    ensure!(status.success(), "the gauge does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(top().join(target).join("release/rbird-gauge"))
}

fn list(gauge: &Path) -> Result<Vec<Driver>> {
    let said = Command::new(gauge).arg("--list").output().context("the gauge does not start")?;
    let driver = |line: &str| {
        let mut fields = line.split('\t');
        let name = fields.next().context("no name")?.to_owned();
        Ok(Driver { name, routes: fields.next().context("no routes")?.parse()? })
    };
    String::from_utf8_lossy(&said.stdout).lines().map(driver).collect()
}

/// Counts drivers, as many at a time as there are processors.
fn count_all(gauge: &Path, drivers: &[&Driver]) -> Result<BTreeMap<String, Cost>> {
    let (next, counted) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || -> Result<()> {
        while let Some(driver) = drivers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cost = count(gauge, driver).with_context(|| driver.name.clone())?;
            counted.lock().map_err(|_| anyhow::anyhow!("a count failed"))?.push((driver.name.clone(), cost));
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().try_for_each(|t| t.join().map_err(|_| anyhow::anyhow!("a count failed"))?)
    })?;
    Ok(counted.into_inner().map_err(|_| anyhow::anyhow!("a count failed"))?.into_iter().collect())
}

fn count(gauge: &Path, driver: &Driver) -> Result<Cost> {
    let name = format!("rbird-count-{}-{}", std::process::id(), driver.name.replace(['/', ' '], "-"));
    let out = std::env::temp_dir().join(name);
    let said = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(gauge)
        .arg(&driver.name)
        .env("GLIBC_TUNABLES", TUNABLES)
        .output()
        .context("valgrind")?;
    let text = std::fs::read_to_string(&out).unwrap_or_default();
    let _ = std::fs::remove_file(&out);
    if !said.status.success() {
        bail!("{}: {}", said.status, String::from_utf8_lossy(&said.stderr));
    }
    let functions = functions(&text);
    let all: u64 = functions.values().sum();
    ensure!(all > 0, "nothing was counted: is there no function `{MEASURED}` any more?");
    let functions = functions.into_iter().map(|(name, n)| (name, n as f64 / driver.routes));
    let all = all as f64 / driver.routes;
    Ok(Cost { all, functions: functions.filter(|(_, n)| *n >= all * SHARE).collect() })
}

/// The instructions of each function itself, without those that it calls, from callgrind's output.
fn functions(text: &str) -> HashMap<String, u64> {
    let mut costs = HashMap::new();
    let (mut function, mut is_call) = (String::new(), false);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = bare(name);
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit()) && !std::mem::take(&mut is_call) {
            let cost = line.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok());
            *costs.entry(function.clone()).or_insert(0) += cost.unwrap_or(0);
        }
    }
    costs
}

/// A function's name without the compiler's hash, the mark of recursion, and its file.
fn bare(name: &str) -> String {
    let name = name.split('\'').next().unwrap_or(name);
    match name.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()) => path.to_owned(),
        _ => name.to_owned(),
    }
}

/// Prints how every driver stands, and names those that have become too dear.
fn compare(counted: &BTreeMap<String, Cost>, kept: &BTreeMap<String, Cost>) -> Vec<String> {
    let mut grown = Vec::new();
    println!("{:<24} {:>12} {:>12}", "instructions a route", "now", "kept");
    for (name, now) in counted {
        let Some(before) = kept.get(name) else {
            println!("{name:<24} {:>12.0} {:>12}", now.all, "none");
            grown.push(format!("{name} (not in the file: `cargo xtask count --write`)"));
            continue;
        };
        let change = (now.all.round() / before.all - 1.0) * 100.0;
        println!("{name:<24} {:>12.0} {:>12.0} {change:>+7.1} %", now.all, before.all);
        if now.all > before.all * SLACK {
            grown.push(name.clone());
            for (function, from, to) in growth(now, before) {
                println!("    {from:>6.0} -> {to:>6.0}  {function}");
            }
        }
    }
    grown
}

/// The functions that grew most, with what they cost before and now.
fn growth<'a>(now: &'a Cost, before: &Cost) -> Vec<(&'a str, f64, f64)> {
    let grown = now.functions.iter().map(|(name, to)| {
        let from = before.functions.get(name).copied().unwrap_or(0.0);
        (name.as_str(), from, *to)
    });
    let mut grown: Vec<_> = grown.filter(|(_, from, to)| to > from).collect();
    grown.sort_by(|a, b| (b.2 - b.1).total_cmp(&(a.2 - a.1)));
    grown.truncate(NAMED);
    grown
}

/// The table of limits as text: a row for each driver, behind it one for each of its functions.
fn written(kept: &BTreeMap<String, Cost>) -> String {
    let mut out = HEAD.to_owned();
    for (name, cost) in kept {
        let _ = writeln!(out, "{name}\t{:.0}", cost.all);
        for (function, n) in &cost.functions {
            let _ = writeln!(out, "{name}\t{n:.0}\t{function}");
        }
    }
    out
}

fn read(text: &str) -> Result<BTreeMap<String, Cost>> {
    let mut kept: BTreeMap<String, Cost> = BTreeMap::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, rest) = fields.split_first().context("an empty line")?;
        let cost = kept.entry((*name).to_owned()).or_default();
        match rest {
            [n] => cost.all = n.parse()?,
            [n, function] => {
                cost.functions.insert((*function).to_owned(), n.parse()?);
            }
            _ => bail!("limits.tsv: {line}"),
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "events: Ir\n\nfl=a.rs\nfn=rbird_rib::table::take::h0123456789abcdef\n16 400\n\
        cfn=malloc\ncalls=2 0\n17 90\nfi=b.rs\n20 30\n\nfn=malloc\n1 90\n\ntotals: 520\n";

    fn cost(all: f64, functions: &[(&str, f64)]) -> Cost {
        Cost { all, functions: functions.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect() }
    }

    #[test]
    fn what_a_function_calls_does_not_count_for_it() {
        let costs = functions(OUTPUT);
        assert_eq!((costs["rbird_rib::table::take"], costs["malloc"], costs.len()), (430, 90, 2));
    }

    #[test]
    fn a_driver_that_costs_a_tenth_more_is_named_with_the_functions_that_grew() {
        let before = cost(100.0, &[("find", 60.0), ("sort", 40.0)]);
        let now = cost(115.0, &[("find", 60.0), ("sort", 45.0), ("copy", 10.0)]);
        assert_eq!(growth(&now, &before), [("copy", 0.0, 10.0), ("sort", 40.0, 45.0)]);
        let all = |cost: &Cost| BTreeMap::from([("table/load".to_owned(), cost.clone())]);
        assert_eq!(compare(&all(&now), &all(&before)), ["table/load"]);
        assert!(compare(&all(&cost(109.0, &[])), &all(&before)).is_empty());
        assert_eq!(compare(&all(&now), &BTreeMap::new()).len(), 1);
    }

    #[test]
    fn the_table_of_limits_is_read_as_it_was_written() {
        let kept = BTreeMap::from([("table/load".to_owned(), cost(100.0, &[("<a as b>::find", 60.0)]))]);
        assert_eq!(read(&written(&kept)).unwrap(), kept);
    }
}
