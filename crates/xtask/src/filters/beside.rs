//! BIRD and rbird side by side, with one configuration, asked the same.
//!
//! Both run in one network namespace with one link. Nothing is installed in a
//! kernel and no peer is spoken to, so the only difference between them is the
//! program. Programs under test stand in a file that both include; a new batch
//! is a `configure`.

use super::base::{SESSIONS, Stage, base};
use super::chance::Chance;
use super::feed::Feed;
use super::generate::{Program, ROUTE_MARK};
use super::{Dialect, Scene};
use crate::bench::table::Family;
use crate::build;
use crate::netns::{Netns, ip};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How long a daemon may take to answer: machines are busy, and after that it works for ever.
const ANSWER: Duration = Duration::from_secs(20);
/// How long it may take to read a configuration.
const READ: Duration = Duration::from_secs(120);
/// How long a daemon may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ports on which the daemons hear BGP: they share their addresses.
const BIRD_PORT: u16 = 1179;
const RBIRD_PORT: u16 = 1180;

/// Said of a program that a daemon died of.
pub const DIED: &str = "the daemon died";

/// What a daemon made of one program: the answers, and what it printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Why the configuration with it was refused, or that the daemon died of it.
    pub refused: Option<String>,
    /// The routes that the filter accepts, with what it made of them.
    pub routes: String,
    /// What `eval` said.
    pub value: String,
    /// What it printed.
    pub printed: Vec<String>,
}

/// Both daemons.
pub struct Beside {
    netns: Netns,
    dir: PathBuf,
    pub bird: Daemon,
    pub rbird: Daemon,
    dialect: Dialect,
    _feeds: Vec<Feed>,
}

impl Beside {
    /// Starts both on routes made by chance; without a BIRD the packaged one.
    pub fn start(bird: Option<&Path>, rbird: &Path, chance: &mut Chance, scene: Scene) -> Result<Self> {
        let (packaged, arguments): (fn() -> Result<PathBuf>, &[&str]) = match scene {
            Scene { dialect: Dialect::Later, .. } => (|| bail!("--bird: which one?"), &[]),
            Scene { dialect: Dialect::Two, .. } => (|| Ok(build::bird2()?.join("bird")), &[]),
            Scene { family: Family::Ipv4, .. } => (|| Ok("bird".into()), &[]),
            Scene { family: Family::Ipv6, .. } => (|| Ok("bird6".into()), &["--family", "6"]),
        };
        let bird = bird.map_or_else(packaged, |path| Ok(path.into()))?;
        let stages = Stage::of(scene);
        let letter = match scene {
            Scene { dialect: Dialect::Two | Dialect::Later, .. } => "t",
            Scene { family: Family::Ipv4, .. } => "",
            Scene { family: Family::Ipv6, .. } => "s",
        };
        let prefix = format!("rbf{letter}{}-", std::process::id());
        let netns = Netns::new(&prefix);
        let dir = std::env::temp_dir().join(format!("{prefix}dir"));
        std::fs::create_dir_all(&dir)?;
        let made = link(&netns, &stages).and_then(|()| {
            let base = base(chance, scene, &stages);
            let feed = |stage: &&Stage| {
                let ours = (stage.family, stage.ours);
                Feed::start(&netns, scene.dialect, ours, &[BIRD_PORT, RBIRD_PORT], chance)
            };
            let feeds = stages.iter().map(feed).collect::<Result<Vec<_>>>()?;
            let bird = Daemon::start(&netns, &bird, &[], &dir.join("bird"), &base, BIRD_PORT)?;
            let rbird = Daemon::start(&netns, rbird, arguments, &dir.join("rbird"), &base, RBIRD_PORT)?;
            Ok((bird, rbird, feeds))
        });
        match made {
            Ok((mut bird, mut rbird, feeds)) => {
                bird.sessions = SESSIONS * stages.len();
                rbird.sessions = bird.sessions;
                let mut beside = Self { netns, dir, bird, rbird, dialect: scene.dialect, _feeds: feeds };
                beside.wait_routes()?;
                Ok(beside)
            }
            Err(error) => {
                netns.remove();
                Err(error)
            }
        }
    }

    /// Until both have all routes of the base configuration, and nothing comes any more.
    fn wait_routes(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let mut last = String::new();
        loop {
            let mut up = true;
            for daemon in [&mut self.bird, &mut self.rbird] {
                up &= daemon.established()? == daemon.sessions;
            }
            let both = [&mut self.bird, &mut self.rbird].map(|d| d.ask("show route all").map(|r| sorted(&r)));
            let [bird, rbird] = both;
            let (bird, rbird) = (bird?, rbird?);
            if up && bird == rbird && bird == last {
                for daemon in [&mut self.bird, &mut self.rbird] {
                    daemon.routes = daemon.ask("show route")?.lines().count();
                }
                return Ok(());
            }
            if Instant::now() > end {
                let [bird, rbird] = [(&bird, &rbird), (&rbird, &bird)].map(|(a, b)| without(a, b));
                bail!("the routes of the base configuration differ, up: {up}:\n--- bird:\n{bird}--- rbird:\n{rbird}");
            }
            last = bird;
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// What both make of some programs: of each, BIRD's answer and rbird's.
    pub fn run(&mut self, programs: &[Program]) -> Result<Vec<[Answer; 2]>> {
        let bird = self.bird.run(programs)?;
        let rbird = self.rbird.run(programs)?;
        let answers = bird.into_iter().zip(rbird).map(|(a, b)| [a, b]);
        Ok(match self.dialect {
            Dialect::Later => answers.map(|both| both.map(unnumbered)).collect(),
            _ => answers.collect(),
        })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.netns.remove();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// An answer without the numbers of enumerations, which each release has anew.
fn unnumbered(answer: Answer) -> Answer {
    let plain = |text: String| -> String {
        let mut parts = text.split("(enum ");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + "(enum " + part.get(2..).unwrap_or_default())
    };
    let Answer { refused, routes, value, printed } = answer;
    Answer { refused, routes: plain(routes), value: plain(value), printed: printed.into_iter().map(plain).collect() }
}

/// The daemons' namespace, the neighbour's, and the link between them.
fn link(netns: &Netns, stages: &[&Stage]) -> Result<()> {
    let (a, b) = (netns.name("a"), netns.name("b"));
    for name in [&a, &b] {
        ip(&["netns", "add", name]).context("this needs root")?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
    }
    ip(&["link", "add", "d0", "netns", &a, "type", "veth", "peer", "name", "d1", "netns", &b])?;
    ip(&["-n", &a, "link", "set", "d0", "up"])?;
    ip(&["-n", &b, "link", "set", "d1", "up"])?;
    for [ours, external, internal] in stages.iter().map(|stage| stage.addresses) {
        for (name, iface, address) in [(&a, "d0", ours), (&b, "d1", external), (&b, "d1", internal)] {
            let mut words = vec!["-n", name, "addr", "add", address, "dev", iface];
            words.extend(address.contains(':').then_some("nodad"));
            ip(&words)?;
        }
    }
    settled(&a)
}

/// Waits until the link has its link-local address: BIRD takes its neighbours for lost when that comes later.
fn settled(node: &str) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let said = ip(&["-n", node, "-6", "addr", "show", "dev", "d0", "scope", "link"])?;
        if said.contains("fe80") && !said.contains("tentative") {
            return Ok(());
        }
        ensure!(Instant::now() < end, "no link-local address on d0: {said}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One daemon and the line to it.
pub struct Daemon {
    dir: PathBuf,
    netns: Netns,
    program: PathBuf,
    arguments: &'static [&'static str],
    child: Child,
    control: BufReader<UnixStream>,
    /// How many octets of its log have been read.
    log: BufReader<std::fs::File>,
    /// The number of the last mark in the log.
    marks: u32,
    /// Lines of `show route` when all routes are there.
    routes: usize,
    /// The sessions of the base configuration.
    sessions: usize,
}

impl Daemon {
    fn start(
        netns: &Netns,
        program: &Path,
        arguments: &'static [&'static str],
        dir: &Path,
        base: &str,
        port: u16,
    ) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let log = dir.join("log");
        let text = base.replace("LOG", &log.display().to_string()).replace("PORT", &port.to_string());
        std::fs::write(dir.join("bird.conf"), text)?;
        std::fs::write(dir.join("programs.conf"), "")?;
        std::fs::write(&log, "")?;
        let (child, control) = spawn(netns, program, arguments, dir)?;
        let log = BufReader::new(std::fs::File::open(log)?);
        Ok(Self {
            dir: dir.into(),
            netns: netns.clone(),
            program: program.into(),
            arguments,
            child,
            control,
            log,
            marks: 0,
            routes: 0,
            sessions: 0,
        })
    }

    fn run(&mut self, programs: &[Program]) -> Result<Vec<Answer>> {
        let mut answers = vec![Answer::default(); programs.len()];
        self.configure(programs, &mut answers)?;
        for (i, program) in programs.iter().enumerate() {
            if answers[i].refused.is_some() {
                continue;
            }
            match self.try_one(program, &i.to_string()) {
                Ok(answer) => answers[i] = answer,
                // It has ended, or works for ever.
                Err(_) => {
                    answers[i].refused = Some(DIED.into());
                    self.restart()?;
                    self.configure(programs, &mut answers)?;
                }
            }
        }
        Ok(answers)
    }

    /// Starts it anew, without programs.
    fn restart(&mut self) -> Result<()> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        std::fs::write(self.dir.join("programs.conf"), "")?;
        (self.child, self.control) = spawn(&self.netns, &self.program, self.arguments, &self.dir)?;
        Ok(())
    }

    /// Until the sessions and the routes of the base configuration are there again.
    ///
    /// BIRD finds some filters changed that are not, and begins their sessions anew.
    fn wait_ready(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.established()? < self.sessions || self.ask("show route")?.lines().count() < self.routes {
            ensure!(Instant::now() < end, "{}: its routes do not come back", self.dir.display());
            std::thread::sleep(Duration::from_millis(50));
        }
        self.printed().map(drop)
    }

    /// How many sessions are established.
    fn established(&mut self) -> Result<usize> {
        Ok(self.ask("show protocols")?.matches("Established").count())
    }

    fn try_one(&mut self, program: &Program, mark: &str) -> Result<Answer> {
        // BIRD reads into 1,024 octets, which it empties now and then, and closes when they are full.
        self.control = connect(&self.dir)?;
        let routes = sorted(&self.ask(&format!("show route all filter p{mark}"))?);
        let mut printed = by_route(self.printed()?);
        let mut value = self.ask(&format!("eval {}", program.eval(mark)))?;
        // A line that is no expression: in which words is not asked.
        if value.starts_with("9001") {
            value.truncate(4);
        }
        printed.extend(self.printed()?);
        Ok(Answer { refused: None, routes, value, printed })
    }

    /// Loads all programs but those that are refused.
    fn configure(&mut self, programs: &[Program], answers: &mut [Answer]) -> Result<()> {
        let mut is_fresh = false;
        loop {
            let (mut text, mut lines) = (String::new(), BTreeMap::new());
            let mut line = 1;
            for (i, program) in programs.iter().enumerate().filter(|(i, _)| answers[*i].refused.is_none()) {
                let part = program.text(&i.to_string());
                lines.insert(line, i);
                line += part.matches('\n').count();
                text += &part;
            }
            std::fs::write(self.dir.join("programs.conf"), text)?;
            self.control.get_ref().set_read_timeout(Some(READ))?;
            let said = self.ask("configure")?;
            self.control.get_ref().set_read_timeout(Some(ANSWER))?;
            if !said.contains("\n8002") {
                return self.wait_ready();
            }
            // BIRD 2.19 counts on where errors have ended a configuration, and refuses every one in the end.
            if said.contains("Too many nested method calls") && !std::mem::replace(&mut is_fresh, true) {
                self.restart()?;
                continue;
            }
            is_fresh = false;
            let place = said.split("programs.conf:").nth(1).or_else(|| said.split("programs.conf, line ").nth(1));
            let at: usize = place
                .and_then(|p| p.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
                .with_context(|| format!("configure: {said}"))?;
            let (_, guilty) = lines.range(..=at).next_back().with_context(|| format!("configure: {said}"))?;
            answers[*guilty].refused = Some(said.lines().find(|l| l.starts_with("8002")).unwrap_or_default().into());
        }
    }

    /// One command and the whole reply to it.
    pub fn ask(&mut self, command: &str) -> Result<String> {
        let stream = self.control.get_mut();
        stream.write_all(format!("{command}\n").as_bytes())?;
        reply(&mut self.control).with_context(|| format!("{}: {command}", self.dir.display()))
    }

    /// What was printed since it was last asked.
    fn printed(&mut self) -> Result<Vec<String>> {
        self.marks += 1;
        self.ask(&format!("eval mark({})", self.marks))?;
        let (end, mut lines) = (Instant::now() + PATIENCE, Vec::new());
        let mark = format!("#{}", self.marks);
        let mut line = Vec::new();
        loop {
            if self.log.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
                let text = String::from_utf8_lossy(&line);
                let said = text.trim_end_matches('\n').split_once("<INFO> ").map_or("", |(_, said)| said);
                // What `printn` printed last stands in front of the mark.
                if let Some(before) = said.strip_suffix(&mark) {
                    lines.extend((!before.is_empty()).then(|| before.to_owned()));
                    return Ok(lines);
                }
                if !said.starts_with("Reconfigur") && said != "Started" {
                    lines.push(said.to_owned());
                }
                line.clear();
            } else if Instant::now() > end {
                bail!("no mark {mark} in the log; last: {lines:?}");
            } else {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Starts a daemon in its folder and waits for its greeting.
fn spawn(netns: &Netns, program: &Path, arguments: &[&str], dir: &Path) -> Result<(Child, BufReader<UnixStream>)> {
    let at = |name: &str| dir.join(name).display().to_string();
    let _ = std::fs::remove_file(dir.join("ctl"));
    let mut command = netns.command("a", &program.display().to_string());
    command.args(["-f", "-c", &at("bird.conf"), "-s", &at("ctl"), "-P", &at("pid")]);
    command.args(arguments);
    let mut child = command.stdin(Stdio::null()).stderr(std::fs::File::create(dir.join("stderr"))?).spawn()?;
    let end = Instant::now() + PATIENCE;
    let control = loop {
        match connect(dir) {
            Ok(control) => break control,
            Err(_) if Instant::now() < end && child.try_wait()?.is_none() => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => bail!("{}: {error}: {}", program.display(), std::fs::read_to_string(dir.join("stderr"))?),
        }
    };
    Ok((child, control))
}

/// A new line to a daemon, with the greeting read.
fn connect(dir: &Path) -> Result<BufReader<UnixStream>> {
    let stream = UnixStream::connect(dir.join("ctl"))?;
    stream.set_read_timeout(Some(ANSWER))?;
    let mut control = BufReader::new(stream);
    reply(&mut control)?;
    Ok(control)
}

/// A whole reply: up to the line whose code has a blank behind it.
fn reply(control: &mut BufReader<UnixStream>) -> Result<String> {
    let mut all = Vec::new();
    loop {
        let start = all.len();
        if control.read_until(b'\n', &mut all)? == 0 {
            bail!("closed");
        }
        if let [a, b, c, d, b' ', ..] = all[start..]
            && [a, b, c, d].iter().all(u8::is_ascii_digit)
        {
            return Ok(String::from_utf8_lossy(&all).into_owned());
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The networks of a list of routes that stand otherwise in another, or not at all.
fn without(list: &str, other: &str) -> String {
    let nets = |list: &str| -> Vec<String> {
        let mut nets: Vec<String> = Vec::new();
        for line in list.lines() {
            match nets.last_mut() {
                Some(net) if line.starts_with([' ', '\t']) => *net += &format!("{line}\n"),
                _ => nets.push(format!("{line}\n")),
            }
        }
        nets
    };
    let theirs = nets(other);
    nets(list).into_iter().filter(|net| !theirs.contains(net)).collect()
}

/// What was printed for each route, in an order of routes that does not depend on the table's.
fn by_route(lines: Vec<String>) -> Vec<String> {
    let mut routes: Vec<String> = Vec::new();
    for line in lines {
        match routes.last_mut() {
            Some(route) if !line.contains(ROUTE_MARK) => *route += &format!("\n{line}"),
            _ => routes.push(line),
        }
    }
    routes.sort();
    routes
}

/// A list of routes with the nets in order (BIRD has them in that of its hash table) and without times.
fn sorted(reply: &str) -> String {
    let mut nets: Vec<String> = Vec::new();
    let of_2 = reply.contains("Table ");
    for line in reply.lines().filter(|l| !l.starts_with("0000")) {
        // Continued lines have one blank where others have a code.
        let coded = line.starts_with(|c: char| c.is_ascii_digit());
        let text = line.get(if coded { 5 } else { 1 }..).unwrap_or_default();
        // Which table follows is no part of the net in front; and BIRD 2 still has what a filter that is only tried took away.
        if text.is_empty() || text.starts_with("Table ") || text.ends_with(": undefined") {
            continue;
        }
        let is_route = text.contains(" [") && !text.starts_with('\t');
        let is_net = is_route && !text.starts_with(' ');
        let text = match (text.find('['), is_route) {
            (Some(at), true) => {
                let mut words: Vec<&str> = text[at..].split(' ').collect();
                words.remove(1);
                // BIRD loses the mark of the best when a filter sets `gw`.
                words.retain(|w| *w != "*");
                if of_2 && (text[..at].contains(" AS") || text[..at].trim().parse::<u32>().is_ok()) {
                    // What is not of the ROA itself is shown otherwise (docs/differences.md), and so is how far next hops are.
                    words.clear();
                }
                let weigh = |w: &mut &str| *w = w.split(['/', ')']).next().unwrap_or_default();
                words.iter_mut().filter(|w| of_2 && w.starts_with('(')).for_each(weigh);
                // No sender is one to BIRD 2, when a filter has set it.
                format!("{}{}", &text[..at], words.join(" ").replace(" from 0.0.0.0]", ""))
            }
            _ => text.into(),
        };
        match nets.last_mut() {
            Some(net) if !is_net => *net += &format!("{text}\n"),
            _ => nets.push(format!("{text}\n")),
        }
    }
    nets.sort();
    nets.concat()
}
