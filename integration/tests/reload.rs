//! A reload of a large configuration, seen by 500 neighbours: nobody is lost, and who is not concerned hears nothing.
//!
//! The neighbours sit on loopback addresses and hold for three seconds. Half of
//! them are judged by a set of 100,000 prefixes. What the reload cost is printed.

use anyhow::{Context, Result, bail, ensure};
use rbird_integration::wait_until;
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PEERS: usize = 500;
const MEMBERS: u32 = 100_000;
const PORT: u16 = 11_795;
const HOLD: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

const OPEN: u8 = 1;
const NOTIFICATION: u8 = 3;
const KEEPALIVE: u8 = 4;
const ROUTE_REFRESH: u8 = 5;

#[test]
fn a_reload_with_a_large_set_keeps_every_session_and_leaves_alone_what_is_untouched() {
    if let Err(error) = story() {
        panic!("{error:#}");
    }
}

fn story() -> Result<()> {
    let daemon = Daemon::start(&configuration(0, ""))?;
    let mut peers = (0..PEERS).map(Peer::establish).collect::<Result<Vec<_>>>()?;
    let before = daemon.resident_kib()?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let orders = scope.spawn(|| {
            let result = reloads(&daemon);
            done.store(true, Ordering::Release);
            result
        });
        let alive = live(&mut peers, &done);
        orders.join().map_err(|_| anyhow::anyhow!("the orders panicked"))??;
        alive
    })?;
    let after = daemon.resident_kib()?;
    println!("resident: {before} KiB before, {after} KiB after three changed configurations");
    for (n, peer) in peers.iter().enumerate() {
        let expected = usize::from(n < PEERS / 2) * 2;
        ensure!(
            peer.refreshes == expected,
            "peer {n} was asked {} times for its routes, not {expected}",
            peer.refreshes
        );
        ensure!(peer.longest < HOLD, "peer {n} heard nothing for {:?}", peer.longest);
    }
    let longest = peers.iter().map(|p| p.longest).max().unwrap_or_default();
    println!("longest silence: {longest:?}");
    Ok(())
}

/// The configurations, one after the other; each changes one member of the set and nothing else.
fn reloads(daemon: &Daemon) -> Result<()> {
    let sessions = || Ok((daemon.established()?.len() == PEERS, format!("{} sessions", daemon.established()?.len())));
    wait_until("every session up", PATIENCE, sessions)?;
    let since = daemon.established()?;

    daemon.write(&configuration(1, ""))?;
    let plan = daemon.ask("configure check")?;
    ensure!(plan.ends_with("Configuration OK\n"), "{plan}");
    ensure!(plan.matches("imported routes judged again").count() == PEERS / 2, "{plan}");
    let begin = Instant::now();
    let said = daemon.ask("configure")?;
    println!("configure: {:?}", begin.elapsed());
    ensure!(said.ends_with("Reconfigured\n"), "{said}");

    // What is wrong changes nothing.
    daemon.write(&configuration(2, "protocol bgp extra { local as 1 }\n"))?;
    let said = daemon.ask("configure")?;
    ensure!(said.contains("rbird.conf:") && said.contains("expected `;`"), "{said}");
    ensure!(daemon.log()?.contains("<ERR>"), "{}", daemon.log()?);

    // Three signals at once, and the same once more when it is done: one reload, and one that finds nothing to do.
    let reloads = || Ok::<_, anyhow::Error>(daemon.log()?.matches("Reconfigured").count());
    let seen = reloads()?;
    daemon.write(&configuration(2, ""))?;
    for _ in 0..3 {
        daemon.hang_up()?;
    }
    wait_until("reloaded", PATIENCE, || Ok((reloads()? == seen + 1, daemon.log()?)))?;
    daemon.hang_up()?;
    wait_until("reloaded again", PATIENCE, || Ok((reloads()? == seen + 2, daemon.log()?)))?;

    let now = daemon.established()?;
    ensure!(now == since, "sessions are not the same:\n{since:?}\n{now:?}");
    Ok(())
}

/// Keeps all sessions up until the story is told; an error when one is lost.
fn live(peers: &mut [Peer], done: &AtomicBool) -> Result<()> {
    let mut told = Instant::now();
    while !done.load(Ordering::Acquire) {
        let due = told.elapsed() >= Duration::from_millis(900);
        if due {
            told = Instant::now();
        }
        for (n, peer) in peers.iter_mut().enumerate() {
            peer.hear().with_context(|| format!("peer {n}"))?;
            if due {
                peer.stream.write_all(&message(KEEPALIVE, &[]))?;
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The `version`th configuration: another last member of the set.
fn configuration(version: u32, extra: &str) -> String {
    let mut text = format!(
        "router id 10.0.0.1;\nlisten bgp address 127.0.0.1 port {PORT};\nlog \"rbird.log\" all;\nprotocol device {{}}\ndefine big = [\n"
    );
    for n in 0..MEMBERS {
        let _ = writeln!(text, "{}/24,", Ipv4Addr::from_bits(0x1400_0000 + (n << 8)));
    }
    let _ = write!(text, "99.0.{version}.0/24 ];\nfilter judged {{ if net ~ big then accept; reject; }}\n");
    for n in 0..PEERS {
        let import = if n < PEERS / 2 { "filter judged" } else { "all" };
        let _ = writeln!(
            text,
            "protocol bgp p{n} {{ local 127.0.0.1 as 65000; neighbor {} as 65001; multihop; passive; hold time 3; import {import}; }}",
            address(n)
        );
    }
    text + extra
}

fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, (n / 250) as u8, (n % 250 + 1) as u8)
}

/// rbird with a directory of its own.
struct Daemon {
    dir: PathBuf,
    child: Child,
}

impl Daemon {
    fn start(configuration: &str) -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("rbird-reload-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        std::fs::write(dir.join("rbird.conf"), configuration)?;
        let child = Command::new(program("rbird"))
            .args(["-f", "-c", "rbird.conf", "-s", "rbird.ctl"])
            .current_dir(&dir)
            .stderr(Stdio::inherit())
            .spawn()
            .context("rbird")?;
        let daemon = Self { dir, child };
        wait_until("rbird answering", PATIENCE, || Ok((daemon.ask("show status").is_ok(), String::new())))?;
        Ok(daemon)
    }

    fn write(&self, configuration: &str) -> Result<()> {
        let new = self.dir.join("rbird.conf.new");
        std::fs::write(&new, configuration)?;
        std::fs::rename(new, self.dir.join("rbird.conf")).map_err(Into::into)
    }

    fn ask(&self, words: &str) -> Result<String> {
        let said = Command::new(program("rbirdc"))
            .arg("-s")
            .arg(self.dir.join("rbird.ctl"))
            .args(words.split(' '))
            .output()?;
        let text = String::from_utf8(said.stdout)?;
        ensure!(text.contains("ready."), "no answer to {words}");
        Ok(text)
    }

    /// Each session that is up, with its time.
    fn established(&self) -> Result<Vec<String>> {
        let list = self.ask("show protocols")?;
        let up = list.lines().filter(|l| l.contains("Established"));
        Ok(up.map(|l| l.split_whitespace().take(5).collect::<Vec<_>>().join(" ")).collect())
    }

    fn hang_up(&self) -> Result<()> {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into()?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).map_err(Into::into)
    }

    fn log(&self) -> Result<String> {
        std::fs::read_to_string(self.dir.join("rbird.log")).map_err(Into::into)
    }

    fn resident_kib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status"))?;
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).context("no VmRSS")?;
        line.split_whitespace().nth(1).context("no number")?.parse().map_err(Into::into)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The release build, or what `cargo build` made.
fn program(name: &str) -> PathBuf {
    let target = rbird_xtask::build::top().join("target");
    let release = target.join("release").join(name);
    if release.exists() { release } else { target.join("debug").join(name) }
}

/// A neighbour.
struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
    heard: Instant,
    longest: Duration,
    refreshes: usize,
}

impl Peer {
    fn establish(n: usize) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddrV4::new(address(n), 0).into())?;
        socket.connect(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT).into())?;
        let mut stream = TcpStream::from(socket);
        let mut open = vec![4];
        open.extend_from_slice(&65001u16.to_be_bytes());
        open.extend_from_slice(&(HOLD.as_secs() as u16).to_be_bytes());
        open.extend_from_slice(&address(n).octets());
        // IPv4 unicast, route refresh.
        open.extend_from_slice(&[10, 2, 8, 1, 4, 0, 1, 0, 1, 2, 0]);
        stream.write_all(&message(OPEN, &open))?;
        stream.write_all(&message(KEEPALIVE, &[]))?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, read: Vec::new(), heard: Instant::now(), longest: Duration::ZERO, refreshes: 0 })
    }

    /// Takes what has come.
    fn hear(&mut self) -> Result<()> {
        let mut room = [0; 4096];
        loop {
            match self.stream.read(&mut room) {
                Ok(0) => bail!("rbird has closed the session"),
                Ok(octets) => self.read.extend_from_slice(room.get(..octets).unwrap_or_default()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e.into()),
            }
        }
        while let Some(head) = self.read.first_chunk::<19>() {
            let octets = usize::from(u16::from_be_bytes([head[16], head[17]]));
            let kind = head[18];
            if self.read.len() < octets {
                break;
            }
            let whole: Vec<u8> = self.read.drain(..octets).collect();
            match kind {
                NOTIFICATION => bail!("NOTIFICATION {:?}", whole.get(19..)),
                ROUTE_REFRESH => self.refreshes += 1,
                _ => {}
            }
            self.longest = self.longest.max(self.heard.elapsed());
            self.heard = Instant::now();
        }
        Ok(())
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![0xff; 16];
    out.extend_from_slice(&((19 + body.len()) as u16).to_be_bytes());
    out.push(kind);
    out.extend_from_slice(body);
    out
}
