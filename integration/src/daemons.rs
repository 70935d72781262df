//! The daemons of the field, each described once: how it is configured, started and asked.
//!
//! All speak as AS 65002 from machine `b`; rbird is AS 65001 on `a`. Each
//! announces [`ROUTES`] routes of its own and takes everything it is told.

use crate::{Pair, wait_until};
use anyhow::{Context, Result, ensure};
use rbird_xtask::build::which;
use std::time::Duration;

/// Routes announced in each direction.
pub const ROUTES: usize = 1000;

/// How long a session or a table may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

/// Who opens the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opener {
    Rbird,
    Peer,
}

/// A daemon that rbird must get on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    Bird1,
    Bird2,
    Frr,
    Gobgp,
    Openbgpd,
}

impl Family {
    /// The n-th route that rbird (`0`) or the peer (`1`) announces.
    pub fn net(self, side: usize, n: usize) -> String {
        match self {
            Self::V4 => format!("{}.{}.{}.0/24", 20 + side, n / 256, n % 256),
            Self::V6 => format!("2001:db8:{:x}::/48", side * 0x4000 + n + 1),
        }
    }

    fn addr(self, machine: u8) -> String {
        match self {
            Self::V4 => format!("10.9.0.{machine}"),
            Self::V6 => format!("fd09::{machine}"),
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// rbird on machine `a`.
pub struct Rbird {
    family: Family,
}

impl Rbird {
    /// Starts it with [`ROUTES`] static routes that carry a MED, communities and a large community, and waits
    /// until it listens.
    pub fn start(pair: &mut Pair, family: Family, opener: Opener) -> Result<Self> {
        let passive = if opener == Opener::Peer { "passive;" } else { "" };
        let routes = lines(ROUTES, |n| format!("  route {} blackhole;\n", family.net(0, n)));
        let conf = format!(
            "router id 10.9.0.1;\nprotocol device {{}}\nprotocol static {{\n{routes}}}\n\
             filter tell {{ if source = RTS_BGP then reject; bgp_med = 77; bgp_community.add((65001,42)); \
             bgp_large_community.add((65001,1,2)); accept; }}\n\
             protocol bgp far {{ local {} as 65001; neighbor {} as 65002; {passive} connect delay time 1; connect retry time 2; \
             import all; export filter tell; }}\n",
            family.addr(1),
            family.addr(2),
        );
        let conf = pair.write("rbird.conf", &conf)?;
        let programs = rbird_xtask::build::top().join("target/release");
        let line = format!(
            "{} -d -c {} -s {} --family {}",
            programs.join("rbird").display(),
            conf.display(),
            pair.dir().join("rbird.ctl").display(),
            family.number()
        );
        pair.spawn("a", "rbird", &line)?;
        wait_until("rbird listening", PATIENCE, || {
            Ok((pair.exec("a", "ss -Htln 'sport = :179'").is_ok_and(|s| !s.is_empty()), pair.logs()))
        })?;
        Ok(Self { family })
    }

    /// Asks rbird.
    pub fn ask(&self, pair: &Pair, words: &str) -> Result<String> {
        let client = rbird_xtask::build::top().join("target/release/rbirdc");
        pair.exec("a", &format!("{} -s {} '{words}'", client.display(), pair.dir().join("rbird.ctl").display()))
    }

    /// How many routes of the peer are in the table.
    pub fn learned(&self, pair: &Pair) -> Result<usize> {
        let text = self.ask(pair, "show route protocol far count")?;
        let line = text.lines().last().context("no answer")?;
        Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
    }

    /// Waits for a number of routes of the peer.
    pub fn wait_learned(&self, pair: &Pair, count: usize) -> Result<()> {
        wait_until(&format!("{count} routes at rbird"), PATIENCE, || {
            let learned = self.learned(pair)?;
            Ok((learned == count, format!("{learned} routes\n{}\n{}", self.ask(pair, "show protocols")?, pair.logs())))
        })
    }

    /// Ends rbird in order.
    pub fn stop(&self, pair: &Pair) -> Result<()> {
        self.ask(pair, "down").map(|_| ())
    }

    /// The attributes of the peer's routes as rbird shows them.
    pub fn show(&self, pair: &Pair, n: usize) -> Result<String> {
        self.ask(pair, &format!("show route {} all", self.family.net(1, n)))
    }
}

impl Daemon {
    /// Starts it on machine `b`; its own routes are announced as soon as a session is up.
    pub fn start(self, pair: &mut Pair, family: Family, opener: Opener) -> Result<()> {
        let passive = opener == Opener::Rbird;
        match self {
            Self::Bird1 => bird1(pair, family, passive),
            Self::Bird2 => bird2(pair, family, passive),
            Self::Frr => frr(pair, family, passive),
            Self::Gobgp => gobgp(pair, family, passive),
            Self::Openbgpd => openbgpd(pair, family, passive),
        }
    }

    /// What the daemon holds of rbird's routes: all attributes of the first, and how many there are.
    pub fn holds(self, pair: &Pair, family: Family) -> Result<(usize, String)> {
        let first = family.net(0, 0);
        let mine = if family == Family::V4 { "20." } else { "2001:db8:" };
        let (list, detail) = match self {
            Self::Bird1 => {
                let client = if family == Family::V6 { "birdc6" } else { "birdc" };
                let ask =
                    |w: &str| pair.exec("b", &format!("{client} -s {} '{w}'", pair.dir().join("bird.ctl").display()));
                (ask("show route protocol far")?, ask(&format!("show route {first} all"))?)
            }
            Self::Bird2 => {
                let client = bird2_programs()?.join("birdc");
                // Its client ends with 1 when the daemon says no: an unknown prefix is an answer here.
                let ask = |w: &str| {
                    pair.exec(
                        "b",
                        &format!("{} -s {} '{w}' || true", client.display(), pair.dir().join("bird.ctl").display()),
                    )
                };
                (ask("show route protocol far")?, ask(&format!("show route {first} all"))?)
            }
            Self::Frr => {
                let ask = |w: &str| pair.exec("b", &format!("vtysh --vty_socket {} -c '{w}'", pair.dir().display()));
                let w = family.word();
                (
                    ask(&format!("show bgp {w} unicast neighbors {} routes", family.addr(1)))?,
                    ask(&format!("show bgp {w} unicast {first}"))?,
                )
            }
            Self::Gobgp => {
                let w = family.word();
                // Likewise for a neighbour that is gone.
                let ask = |t: &str| pair.exec("b", &format!("gobgp -p 50099 {t} || true"));
                (
                    ask(&format!("neighbor {} adj-in -a {w}", family.addr(1)))?,
                    ask(&format!("global rib {first} -a {w}"))?,
                )
            }
            Self::Openbgpd => {
                let ask = |w: &str| {
                    pair.exec("b", &format!("bgpctl -s {} show rib {w}", pair.dir().join("bgpd.sock").display()))
                };
                (ask("neighbor rbird in")?, ask(&format!("detail {first}"))?)
            }
        };
        let count =
            list.lines().filter(|l| l.split_whitespace().any(|w| w.starts_with(mine) && w.contains('/'))).count();
        Ok((count, detail))
    }

    /// Waits until the daemon holds a number of rbird's routes, and gives the attributes of the first.
    pub fn wait_holds(self, pair: &Pair, family: Family, count: usize) -> Result<String> {
        let mut detail = String::new();
        wait_until(&format!("{count} routes at {self:?}"), PATIENCE, || {
            let (held, text) = self.holds(pair, family)?;
            detail = text;
            Ok((held == count, format!("{held} routes\n{}", pair.logs())))
        })?;
        Ok(detail)
    }
}

fn bird1(pair: &mut Pair, family: Family, passive: bool) -> Result<()> {
    let passive = if passive { "passive;" } else { "" };
    let routes = lines(ROUTES, |n| format!("  route {} blackhole;\n", family.net(1, n)));
    let conf = format!(
        "router id 10.9.0.2;\nprotocol device {{}}\nprotocol static {{\n{routes}}}\n\
         filter tell {{ if source = RTS_BGP then reject; bgp_med = 88; bgp_community.add((65002,43)); accept; }}\n\
         protocol bgp far {{ local {} as 65002; neighbor {} as 65001; {passive} connect delay time 1; connect retry time 2; \
         import all; export filter tell; }}\n",
        family.addr(2),
        family.addr(1),
    );
    let conf = pair.write("bird.conf", &conf)?;
    let program = if family == Family::V6 { "bird6" } else { "bird" };
    pair.spawn(
        "b",
        "bird",
        &format!("{program} -d -c {} -s {}", conf.display(), pair.dir().join("bird.ctl").display()),
    )?;
    Ok(())
}

/// BIRD 2's programs, unpacked once.
pub fn bird2_programs() -> Result<std::path::PathBuf> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = TURN.lock();
    rbird_xtask::build::bird2()
}

fn bird2(pair: &mut Pair, family: Family, passive: bool) -> Result<()> {
    let program = bird2_programs()?.join("bird");
    let passive = if passive { "passive;" } else { "" };
    let w = family.word();
    let routes = lines(ROUTES, |n| format!("  route {} blackhole;\n", family.net(1, n)));
    let conf = format!(
        "router id 10.9.0.2;\nprotocol device {{}}\nprotocol static {{ {w};\n{routes}}}\n\
         filter tell {{ if source = RTS_BGP then reject; bgp_med = 88; bgp_community.add((65002,43)); accept; }}\n\
         protocol bgp far {{ local {} as 65002; neighbor {} as 65001; {passive} connect delay time 1; connect retry time 2; \
         {w} {{ import all; export filter tell; }}; }}\n",
        family.addr(2),
        family.addr(1),
    );
    let conf = pair.write("bird.conf", &conf)?;
    pair.spawn(
        "b",
        "bird",
        &format!("{} -d -c {} -s {}", program.display(), conf.display(), pair.dir().join("bird.ctl").display()),
    )?;
    Ok(())
}

fn frr(pair: &mut Pair, family: Family, passive: bool) -> Result<()> {
    let bgpd = "/usr/lib/frr/bgpd";
    ensure!(which("vtysh").is_some(), "frr is not installed");
    let dir = pair.dir().display().to_string();
    let w = family.word();
    let passive = if passive { format!(" neighbor {} passive\n", family.addr(1)) } else { String::new() };
    let networks = lines(ROUTES, |n| format!("  network {} route-map own\n", family.net(1, n)));
    let conf = format!(
        "router bgp 65002\n bgp router-id 10.9.0.2\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n no bgp network import-check\n \
         neighbor {a} remote-as 65001\n neighbor {a} timers connect 2\n{passive} address-family {w} unicast\n  neighbor {a} activate\n{networks} \
         exit-address-family\n!\nroute-map own permit 10\n set metric 88\n set community 65002:43\n!\n",
        a = family.addr(1),
    );
    let conf = pair.write("bgpd.conf", &conf)?;
    pair.write("zebra.conf", "")?;
    pair.exec("b", &format!("chown -R frr:frr {dir} && chmod 755 {dir}"))?;
    let zebra = format!(
        "/usr/lib/frr/zebra -f {dir}/zebra.conf -z {dir}/zserv.api -i {dir}/zebra.pid --vty_socket {dir} -A 127.0.0.1"
    );
    pair.spawn("b", "zebra", &zebra)?;
    wait_until("zebra listening", PATIENCE, || Ok((pair.dir().join("zserv.api").exists(), pair.logs())))?;
    let line =
        format!("{bgpd} -f {} -z {dir}/zserv.api -i {dir}/bgpd.pid --vty_socket {dir} -A 127.0.0.1", conf.display());
    pair.spawn("b", "bgpd", &line)?;
    Ok(())
}

fn gobgp(pair: &mut Pair, family: Family, passive: bool) -> Result<()> {
    let conf = format!(
        "[global.config]\n  as = 65002\n  router-id = \"10.9.0.2\"\n  local-address-list = [\"{}\"]\n[[neighbors]]\n  [neighbors.config]\n    \
         neighbor-address = \"{}\"\n    peer-as = 65001\n  [neighbors.transport.config]\n    passive-mode = {passive}\n  \
         [neighbors.timers.config]\n    connect-retry = 5\n  \
         [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"{}-unicast\"\n",
        family.addr(2),
        family.addr(1),
        family.word(),
    );
    let conf = pair.write("gobgpd.toml", &conf)?;
    pair.spawn("b", "gobgpd", &format!("gobgpd -f {} --api-hosts 127.0.0.1:50099", conf.display()))?;
    wait_until("gobgpd answering", PATIENCE, || Ok((pair.exec("b", "gobgp -p 50099 global").is_ok(), pair.logs())))?;
    let script =
        lines(ROUTES, |n| format!("{} -a {} origin igp med 88 community 65002:43\n", family.net(1, n), family.word()));
    let list = pair.write("routes.txt", &script)?;
    pair.exec("b", &format!("xargs -P 4 -L 1 gobgp -p 50099 global rib add < {}", list.display())).map(|_| ())
}

fn openbgpd(pair: &mut Pair, family: Family, passive: bool) -> Result<()> {
    // The package leaves it to its unit to make the directory that the daemon locks itself into.
    pair.exec(
        "b",
        "d=$(getent passwd _openbgpd | cut -d: -f6); mkdir -p \"$d\" && chown root \"$d\" && chmod 755 \"$d\"",
    )?;
    let passive = if passive { "passive" } else { "" };
    let networks = lines(ROUTES, |n| format!("network {} set {{ metric 88 community 65002:43 }}\n", family.net(1, n)));
    let (on, off) = if family == Family::V4 { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
    let conf = format!(
        "AS 65002\nrouter-id 10.9.0.2\nlisten on {}\nfib-update no\nsocket \"{}\"\n{networks}neighbor {} {{\n descr \"rbird\"\n remote-as 65001\n {passive}\n \
         announce {on} unicast\n announce {off} none\n}}\nallow from any\nallow to any\n",
        family.addr(2),
        pair.dir().join("bgpd.sock").display(),
        family.addr(1),
    );
    let conf = pair.write("bgpd.conf", &conf)?;
    std::fs::set_permissions(&conf, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    pair.spawn("b", "openbgpd", &format!("bgpd -d -f {}", conf.display()))?;
    Ok(())
}
