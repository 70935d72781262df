//! BIRD 1.6 and rbird side by side, with one configuration, asked the same.
//!
//! Both run in one network namespace with one link. Nothing is installed in a
//! kernel and no peer is spoken to, so the only difference between them is the
//! program. Programs under test stand in a file that both include; a new batch
//! is a `configure`.

use super::chance::Chance;
use super::feed::{Feed, OTHER_AS, OUR_AS};
use super::generate::{Program, ROUTE_MARK, import_filter};
use crate::bench::table::Family;
use crate::netns::{Netns, ip};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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

/// The places of a family: addresses, what both daemons are called, the routes that stand in their configuration.
struct Stage {
    bird: &'static str,
    /// What rbird is told beside its files.
    rbird: &'static [&'static str],
    ours: IpAddr,
    /// Our address with its length; then the neighbour's two, external and internal.
    addresses: [&'static str; 3],
    neighbors: [&'static str; 2],
    /// Those of one protocol for one network first, then 1 to 4 once more, from another protocol.
    routes: &'static [&'static str],
    roas: &'static str,
}

static IPV4: Stage = Stage {
    bird: "bird",
    rbird: &[],
    ours: IpAddr::V4(Ipv4Addr::new(10, 1, 1, 1)),
    addresses: ["10.1.1.1/24", "10.1.1.2/24", "10.1.1.4/24"],
    neighbors: ["10.1.1.2", "10.1.1.4"],
    routes: &[
        "0.0.0.0/0 via 10.1.1.2",
        "10.0.0.0/8 via 10.1.1.2",
        "10.1.0.0/16 blackhole",
        "10.1.2.0/24 via 10.1.1.3",
        "10.1.2.3/32 unreachable",
        "10.20.0.0/16 via \"d0\"",
        "10.30.0.0/16 multipath via 10.1.1.2 weight 2 via 10.1.1.3",
        "192.168.0.0/16 prohibit",
        "192.168.4.0/22 recursive 10.1.2.9",
        "192.0.2.0/24 via 10.1.1.77",
        "128.0.0.0/1 via 10.1.1.2",
        "172.16.0.0/12 blackhole",
    ],
    roas: "roa 10.0.0.0/8 max 16 as 65001; roa 10.1.2.0/24 max 24 as 3; roa 192.168.0.0/16 max 24 as 100; \
           roa 0.0.0.0/0 max 32 as 7; roa 10.1.2.0/24 max 32 as 65001;",
};

static IPV6: Stage = Stage {
    bird: "bird6",
    rbird: &["--family", "6"],
    ours: IpAddr::V6(Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1)),
    addresses: ["fd00:1::1/64", "fd00:1::2/64", "fd00:1::4/64"],
    neighbors: ["fd00:1::2", "fd00:1::4"],
    routes: &[
        "::/0 via fd00:1::2",
        "2001:db8::/32 via fd00:1::2",
        "2001:db8:1::/48 blackhole",
        "2001:db8:1:2::/64 via fd00:1::3",
        "2001:db8:1:2:3:4:5:6/128 unreachable",
        "fd20::/32 via \"d0\"",
        "fd30::/32 multipath via fd00:1::2 weight 2 via fd00:1::3",
        "fd40::/16 prohibit",
        "2001:db8:20::/44 recursive 2001:db8:1:2::9",
        "2001:db8:3::/48 via fd00:1::77",
        "2000::/3 via fd00:1::2",
        "fd50::/32 blackhole",
    ],
    roas: "roa 2001:db8::/32 max 48 as 65001; roa 2001:db8:1::/48 max 48 as 3; roa fd00::/8 max 64 as 100; \
           roa ::/0 max 128 as 7; roa 2001:db8:1::/48 max 128 as 65001;",
};

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
    _feed: Feed,
}

impl Beside {
    /// Starts both on routes made by chance.
    pub fn start(rbird: &Path, chance: &mut Chance, family: Family) -> Result<Self> {
        let stage = if family == Family::Ipv4 { &IPV4 } else { &IPV6 };
        let prefix = format!("rbf{}{}-", if family == Family::Ipv4 { "" } else { "s" }, std::process::id());
        let netns = Netns::new(&prefix);
        let dir = std::env::temp_dir().join(format!("{prefix}dir"));
        std::fs::create_dir_all(&dir)?;
        let made = link(&netns, stage).and_then(|()| {
            let base = base(chance, family, stage);
            let feed = Feed::start(&netns, family, stage.ours, &[BIRD_PORT, RBIRD_PORT], chance)?;
            let bird = Daemon::start(&netns, Path::new(stage.bird), &[], &dir.join("bird"), &base, BIRD_PORT)?;
            let rbird = Daemon::start(&netns, rbird, stage.rbird, &dir.join("rbird"), &base, RBIRD_PORT)?;
            Ok((bird, rbird, feed))
        });
        match made {
            Ok((bird, rbird, feed)) => {
                let mut beside = Self { netns, dir, bird, rbird, _feed: feed };
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
                up &= daemon.sessions()? == SESSIONS;
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
        Ok(bird.into_iter().zip(rbird).map(|(a, b)| [a, b]).collect())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.netns.remove();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The daemons' namespace, the neighbour's, and the link between them.
fn link(netns: &Netns, stage: &Stage) -> Result<()> {
    let (a, b) = (netns.name("a"), netns.name("b"));
    for name in [&a, &b] {
        ip(&["netns", "add", name]).context("this needs root")?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
    }
    ip(&["link", "add", "d0", "netns", &a, "type", "veth", "peer", "name", "d1", "netns", &b])?;
    ip(&["-n", &a, "link", "set", "d0", "up"])?;
    ip(&["-n", &b, "link", "set", "d1", "up"])?;
    for (name, iface, address) in
        [(&a, "d0", stage.addresses[0]), (&b, "d1", stage.addresses[1]), (&b, "d1", stage.addresses[2])]
    {
        let mut words = vec!["-n", name, "addr", "add", address, "dev", iface];
        words.extend(address.contains(':').then_some("nodad"));
        ip(&words)?;
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

/// The configuration that both start with: routes whose attributes are set by chance, and two sessions.
fn base(chance: &mut Chance, family: Family, stage: &Stage) -> String {
    let mut text = format!(
        "router id 10.1.1.1;\nlog \"LOG\" {{ info }};\nlisten bgp port PORT;\nprotocol device {{ }}\n\
         roa table roas {{ {} }}\n\
         function mark(int n) {{ print \"#\", n; return n; }}\n",
        stage.roas
    );
    for (i, route) in stage.routes.iter().chain(&stage.routes[1..5]).enumerate() {
        let filter = if i % 4 == 3 { "all".into() } else { import_filter(chance, family) };
        text += &format!("protocol static s{i} {{ preference {}; import {filter}; route {route}; }}\n", 200 + i);
    }
    for (name, neighbor, asn) in [("e1", stage.neighbors[0], OTHER_AS), ("i1", stage.neighbors[1], OUR_AS)] {
        let filter = if chance.percent(50) { "all".into() } else { import_filter(chance, family) };
        text += &format!(
            "protocol bgp {name} {{ local as {OUR_AS}; neighbor {neighbor} as {asn}; passive; import {filter}; }}\n"
        );
    }
    text + "include \"programs.conf\";\n"
}

/// The sessions of the base configuration.
const SESSIONS: usize = 2;

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
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    answers[i].refused = Some(DIED.into());
                    std::fs::write(self.dir.join("programs.conf"), "")?;
                    (self.child, self.control) = spawn(&self.netns, &self.program, self.arguments, &self.dir)?;
                    self.configure(programs, &mut answers)?;
                }
            }
        }
        Ok(answers)
    }

    /// Until the sessions and the routes of the base configuration are there again.
    ///
    /// BIRD finds some filters changed that are not, and begins their sessions anew.
    fn wait_ready(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.sessions()? < SESSIONS || self.ask("show route")?.lines().count() < self.routes {
            ensure!(Instant::now() < end, "{}: its routes do not come back", self.dir.display());
            std::thread::sleep(Duration::from_millis(50));
        }
        self.printed().map(drop)
    }

    /// How many sessions are established.
    fn sessions(&mut self) -> Result<usize> {
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
    for line in reply.lines().filter(|l| !l.starts_with("0000")) {
        // Continued lines have one blank where others have a code.
        let coded = line.starts_with(|c: char| c.is_ascii_digit());
        let text = line.get(if coded { 5 } else { 1 }..).unwrap_or_default();
        let is_route = text.contains(" [") && !text.starts_with('\t');
        let is_net = is_route && !text.starts_with(' ');
        let text = match (text.find('['), is_route) {
            (Some(at), true) => {
                let mut words: Vec<&str> = text[at..].split(' ').collect();
                words.remove(1);
                // BIRD loses the mark of the best when a filter sets `gw`.
                words.retain(|w| *w != "*");
                format!("{}{}", &text[..at], words.join(" "))
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
