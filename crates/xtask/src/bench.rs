//! `cargo xtask bench`: rbird measured against the daemons of the field, on this machine, in this run.
//!
//! Each round starts every daemon once, in turn, so that what else the machine
//! does falls on all of them alike; what is told in the end are medians, and
//! ratios to the others. A daemon lives in a network namespace, our load in
//! another, joined by a veth pair. Nothing is tuned.
//!
//! - `scenario`: the table of what is measured; `plays`: what happens; `conf`,
//!   `foreign`: the daemons' configurations; `budget`: what must be reached.
//! - `subject`: the daemons, and the bounds beside them (`relay`, `kernel`).
//! - `stage`, `ears`, `witness`, `speaker`, `table`, `control`, `process`: the
//!   load, the check of every prefix, and the meters.
//! - `results`, `report`, `chart`: medians and verdicts as Markdown, JSON and SVG.

mod budget;
mod chart;
mod conf;
mod control;
mod ears;
mod foreign;
mod generated;
mod kernel;
mod plays;
mod process;
pub mod relay;
mod report;
mod results;
mod scenario;
pub mod speaker;
mod stage;
mod subject;
pub mod table;
mod witness;

use crate::netns::{Netns, ip};
use crate::reenter;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use results::{LeftOut, Measured, Results};
use scenario::{Bound, Part, SCENARIOS, Scale, Scenario};
use speaker::{daemon_address, peer_address};
use stage::{Figures, Setting, Stage};
use std::fs::File;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use subject::Subject;

const PREFIX: &str = "rbb";
/// How long a daemon may take to read its configuration.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// One that makes no control socket is watched as long, for it may end at once.
const UNSEEN_START: Duration = Duration::from_millis(300);

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What is measured: names of `--list`, or `all`.
    #[arg(default_value = "full-table")]
    pub scenarios: Vec<String>,
    /// Name all scenarios and end.
    #[arg(long)]
    pub list: bool,
    /// Measure against these: Debian's packages. bird2 is BIRD 2.0.12, bird BIRD 1.6.8; a bound is measured by itself.
    #[arg(long, value_delimiter = ',', default_value = "bird2,bird")]
    pub against: Vec<Subject>,
    /// Measure rbird and nobody else, no bound either.
    #[arg(long)]
    pub alone: bool,
    /// How often each daemon is measured.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// A small scale: to see that the scenarios work, not how fast.
    #[arg(long)]
    pub small: bool,
    /// Routes in the table, instead of the scenario's.
    #[arg(long)]
    pub routes: Option<usize>,
    /// Peers that announce, instead of the scenario's.
    #[arg(long)]
    pub peers: Option<usize>,
    /// Seconds of the phases that have a length, instead of the scenario's.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Seconds after which a phase has failed, beyond its own length.
    #[arg(long, default_value_t = 180)]
    pub limit: u64,
    /// Measure this rbird instead of building one.
    #[arg(long)]
    pub rbird: Option<PathBuf>,
    /// Write all figures to this file.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Take scenarios that are not measured now from this file of an earlier run's figures.
    #[arg(long)]
    pub with: Option<PathBuf>,
    /// Write a chart for each scenario into this folder.
    #[arg(long)]
    pub svg: Option<PathBuf>,
    /// Write the tables to this file; if it has lines `<!-- bench -->` and `<!-- /bench -->`, between them.
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// End with an error when rbird fails in a scenario.
    #[arg(long)]
    pub strict: bool,
}

/// Runs all rounds and prints the figures.
pub fn run(options: &Options) -> Result<()> {
    if options.list {
        SCENARIOS.iter().for_each(|s| println!("{:<22} {}", s.name, s.about));
        return Ok(());
    }
    let chosen = chosen(&options.scenarios)?;
    reenter::as_root()?;
    let mut results = Results { machine: machine(), date: today(), ..Results::default() };
    let turns = turns(&chosen, options, &mut results.left_out);
    installed(&turns, options)?;
    if let Some(path) = &options.with {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let earlier = serde_json::from_str(&text).with_context(|| format!("{}: no figures", path.display()))?;
        results.take_over(earlier, &chosen.iter().map(|s| s.name).collect::<Vec<_>>());
    }
    for (n, (scenario, subjects)) in turns.iter().enumerate() {
        for round in 1..=options.rounds {
            for subject in subjects {
                let title = subject.title();
                let what = format!("[{}/{}] {}, round {round}", n + 1, turns.len(), scenario.name);
                if results.has_failed(scenario.name, title) && *subject != Subject::Rbird {
                    eprintln!("{what}: {title} is not tried again");
                    continue;
                }
                eprintln!("{what} of {}: {title}", options.rounds);
                let measured = measure(scenario, *subject, round, options)?;
                results.measured.push(Measured { date: results.date.clone(), ..measured });
            }
        }
        // What is there survives an interruption of a long run.
        results.judge();
        write(&results, options)?;
    }
    println!("{}", report::markdown(&results, None));
    let failed: Vec<&Measured> =
        results.measured.iter().filter(|m| m.failed.is_some() && m.subject == Subject::Rbird.title()).collect();
    if let (true, Some(first)) = (options.strict, failed.first()) {
        bail!("{}: {}", first.scenario, first.failed.as_deref().unwrap_or_default());
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>> {
    if names.iter().any(|n| n == "all") {
        return Ok(SCENARIOS.iter().collect());
    }
    let find = |n: &String| scenario::find(n).with_context(|| format!("no scenario {n}; --list names them"));
    names.iter().map(find).collect()
}

/// Who is measured in each scenario, in turn: ours, its bound, the others. Who cannot be is named.
fn turns(
    chosen: &[&'static Scenario],
    options: &Options,
    left_out: &mut Vec<LeftOut>,
) -> Vec<(&'static Scenario, Vec<Subject>)> {
    let mut turn = |scenario: &'static Scenario| {
        let bound = match scenario.bound {
            _ if options.alone => None,
            Bound::Relay => Some(Subject::Relay),
            Bound::Loop => Some(Subject::Loop),
            Bound::None => None,
        };
        let others =
            options.against.iter().copied().filter(|s| !options.alone && *s != Subject::Rbird && Some(*s) != bound);
        let takes_part = |subject: &Subject| {
            let Some(why) = subject.cannot(scenario) else { return true };
            eprintln!("{} is left out of {}: {why}", subject.title(), scenario.name);
            let (scenario, subject) = (scenario.name.into(), subject.title().into());
            left_out.push(LeftOut { scenario, subject, why: why.into() });
            false
        };
        let subjects = [Subject::Rbird].into_iter().chain(bound).chain(others).filter(takes_part).collect();
        (scenario, subjects)
    };
    chosen.iter().map(|s| turn(s)).collect()
}

/// Every program that will be measured is there: what is missing is said before hours are spent on the others.
fn installed(turns: &[(&'static Scenario, Vec<Subject>)], options: &Options) -> Result<()> {
    let mut known = Vec::new();
    for (scenario, subjects) in turns {
        for subject in subjects {
            let which = (*subject, scenario.family);
            let is_given = *subject == Subject::Rbird && options.rbird.is_some();
            if !is_given && !known.contains(&which) {
                subject.program(scenario.family)?;
                known.push(which);
            }
        }
    }
    Ok(())
}

fn write(results: &Results, options: &Options) -> Result<()> {
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(results)?).with_context(|| path.display().to_string())?;
    }
    if let Some(dir) = &options.svg {
        chart::write(results, dir)?;
    }
    if let Some(path) = &options.markdown {
        let folder = path.parent().unwrap_or(Path::new(""));
        let charts = options.svg.as_deref().map(|dir| dir.strip_prefix(folder).unwrap_or(dir).display().to_string());
        let text = report::markdown(results, charts.as_deref());
        let whole = std::fs::read_to_string(path).ok().and_then(|old| between(&old, &text)).unwrap_or(text);
        std::fs::write(path, whole).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// A page with its part between the marks replaced; `None` when it has no marks.
fn between(page: &str, text: &str) -> Option<String> {
    const MARKS: [&str; 2] = ["<!-- bench -->", "<!-- /bench -->"];
    let (head, rest) = page.split_once(MARKS[0])?;
    let (_, tail) = rest.split_once(MARKS[1])?;
    Some(format!("{head}{}\n\n{text}\n{}{tail}", MARKS[0], MARKS[1]))
}

/// One daemon, once. That it fails is a figure as well; that we cannot measure is an error.
fn measure(scenario: &Scenario, subject: Subject, round: usize, options: &Options) -> Result<Measured> {
    let full = if options.small { scenario.small } else { scenario.full };
    let scale = Scale {
        routes: if full.routes == 0 { 0 } else { options.routes.unwrap_or(full.routes) },
        peers: options.peers.filter(|_| full.peers > 1).unwrap_or(full.peers),
        seconds: options.seconds.unwrap_or(full.seconds),
    };
    ensure!(scale.routes <= table::ROUTES_MAX, "at most {} routes", table::ROUTES_MAX);
    let program = match (&options.rbird, subject) {
        (Some(path), Subject::Rbird) => path.clone(),
        _ => subject.program(scenario.family)?,
    };
    let mut measured = Measured {
        scenario: scenario.name.into(),
        subject: subject.title().into(),
        date: String::new(),
        round,
        routes: scale.routes,
        peers: scale.peers,
        load_average: load_average(),
        failed: None,
        phases: Vec::new(),
    };
    for part in scenario.parts {
        let setting = scenario.setting(part, scale, subject, Duration::from_secs(options.limit));
        let bench = Bench::new(&setting)?;
        let (phases, end) = bench.measure(subject, &program, part, setting)?;
        measured.phases.extend(phases);
        if let Err(error) = end {
            eprintln!("  failed: {error:#}");
            measured.failed = Some(format!("{error:#}"));
            break;
        }
    }
    Ok(measured)
}

/// The two namespaces of one measurement; they are removed with it.
struct Bench {
    netns: Netns,
    dir: PathBuf,
}

impl Bench {
    fn new(setting: &Setting) -> Result<Self> {
        // Several may live at a time in one process: tests.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let netns = Netns::new(&format!("{PREFIX}{}-{number}-", std::process::id()));
        let dir = std::env::temp_dir().join(netns.name("dir"));
        std::fs::create_dir_all(&dir)?;
        let bench = Self { netns, dir };
        bench.build(setting)?;
        Ok(bench)
    }

    /// One link; the daemon at one end of it, the addresses of all peers at the other.
    fn build(&self, setting: &Setting) -> Result<()> {
        let (here, far) = (self.netns.name("daemon"), self.netns.name("load"));
        for (node, ns) in [("daemon", &here), ("load", &far)] {
            ip(&["netns", "add", ns])?;
            ip(&["-n", ns, "link", "set", "lo", "up"])?;
            // Addresses are usable at once.
            self.netns.exec(node, "for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done")?;
        }
        let link = kernel::LINK;
        ip(&["link", "add", link, "netns", &here, "type", "veth", "peer", "name", link, "netns", &far])?;
        let length = |address: IpAddr| if address.is_ipv4() { 16 } else { 64 };
        let put = |ns: &str, addresses: &mut dyn Iterator<Item = IpAddr>| -> Result<()> {
            let file = self.dir.join("addresses");
            let mut batch = File::create(&file)?;
            for address in addresses {
                let nodad = if address.is_ipv6() { "nodad" } else { "" };
                writeln!(batch, "address add {address}/{} dev {link} {nodad}", length(address))?;
            }
            writeln!(batch, "link set {link} up")?;
            ip(&["-n", ns, "-batch", &file.display().to_string()]).map(|_| ())
        };
        let family = setting.family;
        put(&here, &mut [daemon_address(family)].into_iter())?;
        put(&far, &mut (0..setting.sessions()).chain([witness::PEER]).map(|p| peer_address(family, p)))
    }

    /// What was measured, and why it ended early if it did.
    fn measure(
        &self,
        subject: Subject,
        program: &Path,
        part: &Part,
        mut setting: Setting,
    ) -> Result<(Vec<Figures>, Result<()>)> {
        if subject == Subject::Loop {
            let table = setting.table();
            let figures = self.inside("daemon", || kernel::bare_loop(&table))?;
            return Ok((figures, Ok(())));
        }
        setting.control = self.dir.join("control");
        let log = self.dir.join("log");
        let mut command = subject.command(&self.netns, program, &self.dir, part, &setting)?;
        let said = File::create(&log)?;
        let mut daemon = Running(command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn()?);
        setting.pid = daemon.0.id();
        if let Err(error) = wait_for_start(&mut daemon, subject, &setting.control) {
            return Ok((Vec::new(), Err(error.context(head(&log)))));
        }
        let (figures, end) = self.inside("load", || {
            let mut stage = match Stage::new(setting) {
                Ok(stage) => stage,
                Err(error) => return Ok((Vec::new(), Err(error))),
            };
            let end = (part.play)(&mut stage);
            Ok((stage.figures, end))
        })?;
        if end.is_err() {
            eprintln!("  its last words: {}", tail(&log));
        }
        Ok((figures, end))
    }

    /// Does something on a thread that lives in one of the namespaces, as do the threads that it starts.
    fn inside<T: Send>(&self, node: &str, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let path = Path::new("/run/netns").join(self.netns.name(node));
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let ns = File::open(&path).with_context(|| path.display().to_string())?;
                nix::sched::setns(ns, nix::sched::CloneFlags::CLONE_NEWNET)?;
                act()
            });
            thread.join().map_err(|_| anyhow::anyhow!("the load failed"))?
        })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.netns.remove();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Waits until a daemon has read its configuration.
fn wait_for_start(daemon: &mut Running, subject: Subject, control: &Path) -> Result<()> {
    let begin = Instant::now();
    let started = || if subject.is_controlled() { control.exists() } else { begin.elapsed() > UNSEEN_START };
    while !started() {
        if let Some(status) = daemon.0.try_wait()? {
            bail!("it does not start: {status}");
        }
        ensure!(begin.elapsed() < START_PATIENCE, "it does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The first words of a log: why a configuration is refused.
fn head(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
}

/// The last words of a log.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(3)..].join(" | ")
}

/// A daemon; it ends with its measurement. `ip netns exec` becomes the daemon, so the process is its.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn machine() -> String {
    let first = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let model = first("/proc/cpuinfo");
    let model = model.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']).to_owned();
    format!("{} x {model}, Linux {}", process::processors(), first("/proc/sys/kernel/osrelease"))
}

fn today() -> String {
    let said = std::process::Command::new("date").arg("+%Y-%m-%d %H:%M").output();
    said.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = "a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n";
        assert_eq!(between(page, "new").unwrap(), "a\n<!-- bench -->\n\nnew\n<!-- /bench -->\nb\n");
        assert!(between("no marks", "new").is_none());
    }
}
