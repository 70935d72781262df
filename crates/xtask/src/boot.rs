//! `cargo xtask boot`: rbird under systemd, in a Debian 12 of its own.
//!
//! debootstrap makes the tree once (kept in `target/boot`), systemd-nspawn boots
//! a copy of it without a network to the outside, and what an operator counts on
//! is tried: readiness, reload, a crash, a hang, an orderly stop, no root; first
//! under rbird's own unit, then under the one of Debian's package of BIRD, with
//! BIRD's names as links. The first thing that is not so ends the run, with the
//! journal.

use crate::build::{self, Programs, top};
use crate::netns::success;
use crate::suite::apt_install;
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What the machine's daemon is told; `persist`, so that a stop is seen to leave routes too.
const CONF: &str = "log syslog all;
router id 10.0.0.1;
protocol device { }
protocol direct { interface \"v0\"; }
protocol kernel { persist; export all; }
protocol static { route 10.7.0.0/16 via 192.168.77.2; }
protocol bgp away { local 192.168.77.1 as 65001; neighbor 192.168.77.2 as 65002; import all; export all; }
";

/// Programs of the host that this needs, and their packages.
const NEEDED: &[(&str, &str)] =
    &[("debootstrap", "debootstrap"), ("systemd-nspawn", "systemd-container"), ("nsenter", "util-linux")];

/// Runs the whole story.
pub fn run() -> Result<()> {
    ensure!(nix::unistd::geteuid().is_root(), "booting a machine needs root");
    apt_install(NEEDED)?;
    let programs = build::programs()?;
    let place = top().join("target/boot");
    let tree = tree(&place)?;
    let machine = Machine::boot(&tree, &place, &programs)?;
    let told = own_unit(&machine).and_then(|()| debians_unit(&machine));
    if told.is_err() {
        eprintln!("{}", machine.sh("journalctl --no-pager -b -u rbird -u bird | tail -60").unwrap_or_default());
    }
    drop(machine);
    told
}

/// Debian 12 with systemd and `ip`, and the package of BIRD beside it, not yet installed.
fn tree(place: &Path) -> Result<PathBuf> {
    let tree = place.join("debian12");
    if tree.exists() {
        return Ok(tree);
    }
    println!("making a Debian 12 in {}", tree.display());
    let unfinished = place.join("debian12.unfinished");
    let _ = std::fs::remove_dir_all(&unfinished);
    std::fs::create_dir_all(&unfinished)?;
    let make = Command::new("debootstrap")
        .args(["--variant=minbase", "--include=systemd-sysv,iproute2", "bookworm"])
        .arg(&unfinished)
        .stdout(Stdio::null())
        .status()
        .context("debootstrap")?;
    ensure!(make.success(), "debootstrap: {make}; its log is debootstrap/debootstrap.log in {}", unfinished.display());
    let bird = "apt-get -q install -y --no-install-recommends --download-only bird && rm -f /etc/machine-id && : > /etc/machine-id";
    success(Command::new("chroot").arg(&unfinished).args(["sh", "-c", bird])).context("the package of BIRD")?;
    std::fs::rename(&unfinished, &tree)?;
    Ok(tree)
}

/// rbird installed as the README says, under its own unit.
fn own_unit(m: &Machine) -> Result<()> {
    println!("\nrbird.service");
    m.tell("a configuration that is wrong does not start, and the journal says where it is wrong", |m| {
        m.write("/etc/bird/bird.conf", &format!("{CONF}protocl x {{ }}\n"))?;
        m.refused("systemctl start rbird")?;
        let said = m.sh("journalctl --no-pager -u rbird")?;
        ensure!(said.contains("/etc/bird/bird.conf:8:1 syntax error"), "{said}");
        m.write("/etc/bird/bird.conf", CONF)?;
        m.sh("systemctl reset-failed rbird").map(drop)
    })?;
    m.tell("when it is ready it answers, and the status says what it does", |m| {
        m.sh("systemctl start rbird && rbirdc show status")?;
        m.shows("systemctl show -P StatusText rbird", "routing")?;
        m.until("ip route show proto bird", |routes| routes.contains("10.7.0.0/16"))
    })?;
    m.tell("no thread is root or can do more than the four things", |m| no_root(m, "rbird"))?;
    m.tell("a reload takes on what changed", |m| {
        let before = m.sh("systemctl show -P MainPID rbird")?;
        m.write("/etc/bird/bird.conf", &CONF.replace("{ route", "{ route 10.8.0.0/16 via 192.168.77.2; route"))?;
        m.sh("systemctl reload rbird")?;
        m.until("ip route show proto bird", |routes| routes.contains("10.8.0.0/16"))?;
        m.shows("systemctl show -P MainPID rbird", before.trim())
    })?;
    m.tell("a reload of a wrong configuration fails, and all goes on as before", |m| {
        m.sh("echo 'protocl x' >> /etc/bird/bird.conf")?;
        m.refused("systemctl reload rbird")?;
        m.shows("systemctl is-active rbird", "active")?;
        m.sh("sed -i /protocl/d /etc/bird/bird.conf && ip route show proto bird | grep -q 10.8.0.0/16").map(drop)
    })?;
    m.tell("after kill -9 it is back, and the kernel's routes were never away", |m| {
        m.undisturbed(|m| signal_and_see_it_back(m, "rbird", "KILL", Duration::from_secs(20)))
    })?;
    m.tell("the watchdog ends one that hangs, and the next adopts the routes", |m| {
        m.undisturbed(|m| signal_and_see_it_back(m, "rbird", "STOP", Duration::from_secs(90)))?;
        let said = m.sh("journalctl --no-pager -u rbird")?;
        ensure!(said.contains("Watchdog timeout"), "{said}");
        Ok(())
    })?;
    m.tell("a stop is clean; with persist the routes stay", |m| {
        clean_stop(m, "rbird")?;
        m.sh("ip route show proto bird | grep -q 10.7.0.0/16").map(drop)
    })?;
    m.tell("without persist the routes go with the daemon", |m| {
        m.write("/etc/bird/bird.conf", &CONF.replace("persist; ", ""))?;
        m.sh("systemctl start rbird")?;
        m.until("ip route show proto bird", |routes| {
            routes.contains("10.7.0.0/16") && !routes.contains("10.8.0.0/16")
        })?;
        clean_stop(m, "rbird")?;
        m.shows("ip route show proto bird", "")
    })
}

/// Debian's package of BIRD, its unit untouched, its programs in rbird's hands; then our copy of that unit.
fn debians_unit(m: &Machine) -> Result<()> {
    println!("\nDebian's bird.service");
    m.sh(
        "dpkg --force-unsafe-io --force-confold -i /var/cache/apt/archives/*.deb && systemctl disable --now bird bird6",
    )?;
    m.sh("for p in bird bird6 birdc birdc6; do \
            dpkg-divert --quiet --rename --divert /usr/sbin/$p.distrib /usr/sbin/$p; done; \
          ln -s rbird /usr/sbin/bird; ln -s rbirdc /usr/sbin/birdc")?;
    m.write("/etc/bird/bird.conf", CONF)?;
    under_birds_name(m)?;
    println!("\nrbird-as-bird.service");
    m.put(&top().join("config/systemd/rbird-as-bird.service"), "etc/systemd/system/bird.service")?;
    m.sh("systemctl daemon-reload")?;
    under_birds_name(m)
}

fn under_birds_name(m: &Machine) -> Result<()> {
    m.tell("it starts, installs its routes and answers birdc", |m| {
        m.sh("systemctl start bird")?;
        m.until("birdc show protocols", |said| said.contains("static1") && said.contains("up"))?;
        m.until("ip route show proto bird", |routes| routes.contains("10.7.0.0/16"))
    })?;
    m.tell("it has given up root", |m| no_root(m, "bird"))?;
    m.tell("a reload reconfigures", |m| {
        m.write("/etc/bird/bird.conf", &CONF.replace("{ route", "{ route 10.9.0.0/16 via 192.168.77.2; route"))?;
        m.sh("systemctl reload bird")?;
        m.until("ip route show proto bird", |routes| routes.contains("10.9.0.0/16"))
    })?;
    m.tell("after SIGABRT it is back, and the kernel's routes were never away", |m| {
        m.undisturbed(|m| signal_and_see_it_back(m, "bird", "ABRT", Duration::from_secs(20)))
    })?;
    m.tell("a stop is clean", |m| clean_stop(m, "bird"))?;
    m.write("/etc/bird/bird.conf", CONF)
}

/// Every thread: user bird, the four capabilities and no way to more.
fn no_root(m: &Machine, unit: &str) -> Result<()> {
    let uid = m.sh("id -u bird")?;
    let threads = m.sh(&format!("cat /proc/$(systemctl show -P MainPID {unit})/task/*/status"))?;
    let fields = |key: &str| -> Vec<String> {
        let of = |line: &str| line.strip_prefix(key)?.strip_prefix(':').map(|v| v.trim().to_owned());
        threads.lines().filter_map(of).collect()
    };
    const FOUR: &str = "0000000000003c00";
    let (users, held) = (fields("Uid"), [fields("CapPrm"), fields("CapEff")]);
    ensure!(!users.is_empty() && users.iter().all(|u| u.split('\t').all(|u| u == uid.trim())), "{users:?}");
    ensure!(held.iter().flatten().all(|h| h == FOUR), "{held:?}");
    Ok(())
}

/// Sends a signal to the daemon and waits until systemd has started another one, and that one answers.
fn signal_and_see_it_back(m: &Machine, unit: &str, signal: &str, most: Duration) -> Result<()> {
    let before = m.sh(&format!("systemctl show -P MainPID {unit}"))?;
    m.sh(&format!("kill -{signal} {before}"))?;
    m.until_within(most, &format!("systemctl show -P MainPID {unit} && rbirdc show status"), |said| {
        let (pid, status) = said.split_once('\n').unwrap_or_default();
        !["0", before.trim()].contains(&pid) && status.contains("Daemon is up and running")
    })
}

fn clean_stop(m: &Machine, unit: &str) -> Result<()> {
    m.sh(&format!("systemctl stop {unit}"))?;
    m.shows(&format!("systemctl show -P Result -P ExecMainStatus {unit} | sort"), "0\nsuccess")?;
    m.shows("ls -A /run/bird 2>/dev/null || true", "")
}

/// The commands of README.md's section on installing.
fn readme_install() -> Result<String> {
    let readme = std::fs::read_to_string(top().join("README.md"))?;
    let (_, section) = readme.split_once("\n## Install it\n").context("README.md has no section `Install it`")?;
    let (_, block) = section.split_once("```sh\n").context("it has no commands")?;
    let (block, _) = block.split_once("```").context("its commands do not end")?;
    ensure!(block.contains("systemctl"), "its commands start nothing:\n{block}");
    Ok(block.to_owned())
}

/// A booted Debian, ended and removed when it is dropped.
struct Machine {
    root: PathBuf,
    log: PathBuf,
    process: Child,
    /// Its process 1, as the host sees it.
    first: String,
}

impl Machine {
    fn boot(tree: &Path, place: &Path, programs: &Programs) -> Result<Self> {
        let root = place.join("root");
        let _ = std::fs::remove_dir_all(&root);
        success(Command::new("cp").args(["-a", "--reflink=auto"]).arg(tree).arg(&root))?;
        let log = place.join("console.log");
        let console = File::create(&log)?;
        let process = Command::new("systemd-nspawn")
            .args(["--quiet", "--private-network", "--register=no", "--keep-unit", "--boot", "--directory"])
            .arg(&root)
            .stdin(Stdio::null())
            .stdout(console.try_clone()?)
            .stderr(console)
            .spawn()
            .context("systemd-nspawn")?;
        let mut machine = Self { root, log, process, first: String::new() };
        machine.first = machine.wait_for_first()?;
        machine.until_within(Duration::from_secs(90), "systemctl is-system-running || true", |said| {
            said.trim() == "running"
        })?;
        machine.install(programs)?;
        Ok(machine)
    }

    /// Line by line as README.md says, but that the programs come from outside; and a link to a neighbour that is not there.
    fn install(&self, programs: &Programs) -> Result<()> {
        self.put(&programs.daemon, "rbird/target/release/rbird")?;
        self.put(&programs.client, "rbird/target/release/rbirdc")?;
        success(Command::new("cp").arg("-a").arg(top().join("config")).arg(self.root.join("rbird")))?;
        for line in readme_install()?.lines().filter(|l| !l.starts_with("cargo ")) {
            self.sh(&format!("cd /rbird && {line}"))?;
        }
        self.shows("systemctl is-active rbird", "active")?;
        self.sh("systemctl disable --now rbird && rm -r /rbird")?;
        self.sh("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && \
                 ip addr add 192.168.77.1/24 dev v0")?;
        Ok(())
    }

    /// systemd-nspawn's child is the machine's process 1.
    fn wait_for_first(&mut self) -> Result<String> {
        let until = Instant::now() + Duration::from_secs(30);
        let children = format!("/proc/{0}/task/{0}/children", self.process.id());
        while Instant::now() < until {
            for child in std::fs::read_to_string(&children).unwrap_or_default().split_whitespace() {
                if std::fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|name| name.trim() == "systemd") {
                    return Ok(child.to_owned());
                }
            }
            if self.process.try_wait()?.is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the machine does not boot: {}", std::fs::read_to_string(&self.log).unwrap_or_default())
    }

    /// Copies a file of the host into the machine, with its mode.
    fn put(&self, from: &Path, to: &str) -> Result<()> {
        let to = self.root.join(to);
        std::fs::create_dir_all(to.parent().context("a folder")?)?;
        std::fs::copy(from, &to).with_context(|| format!("{} to {}", from.display(), to.display())).map(drop)
    }

    /// Writes a file of the daemon.
    fn write(&self, path: &str, text: &str) -> Result<()> {
        std::fs::write(self.root.join(path.trim_start_matches('/')), text)?;
        self.sh(&format!("chown bird:bird {path} && chmod 640 {path}")).map(drop)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.first, "-m", "-u", "-i", "-n", "-p", "sh", "-c", line]);
        command
    }

    /// Runs a line in the machine and expects it to succeed.
    fn sh(&self, line: &str) -> Result<String> {
        success(&mut self.command(line)).with_context(|| line.to_owned())
    }

    fn refused(&self, line: &str) -> Result<()> {
        ensure!(self.sh(line).is_err(), "{line}: this must fail, and did not");
        Ok(())
    }

    fn shows(&self, line: &str, expected: &str) -> Result<()> {
        let said = self.sh(line)?;
        ensure!(said.trim() == expected, "{line}\nexpected: {expected}\nshown: {said}");
        Ok(())
    }

    fn until(&self, line: &str, met: impl Fn(&str) -> bool) -> Result<()> {
        self.until_within(Duration::from_secs(15), line, met)
    }

    fn until_within(&self, most: Duration, line: &str, met: impl Fn(&str) -> bool) -> Result<()> {
        let until = Instant::now() + most;
        loop {
            let said = self.sh(line).unwrap_or_else(|error| format!("{error:#}"));
            if met(&said) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "{line}\nafter {most:?}: {said}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Nothing that happens meanwhile takes a route out of the kernel, not even for a moment.
    fn undisturbed(&self, story: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        let mut monitor = self.command("exec ip monitor route > /run/monitor");
        let mut monitor = monitor.stdin(Stdio::null()).spawn()?;
        let told = self.until("ls /run/monitor", |said| said.contains("monitor")).and_then(|()| story(self));
        // Written and seen in order: once this one shows, all before it has been seen.
        let end = self
            .sh("ip route add 10.99.0.0/16 dev v0 && ip route del 10.99.0.0/16 dev v0")
            .and_then(|_| self.until("cat /run/monitor", |said| said.contains("Deleted 10.99.0.0/16")));
        let _ = monitor.kill();
        let _ = monitor.wait();
        told.and(end)?;
        let seen = self.sh("cat /run/monitor; rm /run/monitor")?;
        ensure!(!seen.lines().any(|l| l.starts_with("Deleted") && l.contains("proto bird")), "{seen}");
        self.sh("ip route show proto bird | grep -q 10.7.0.0/16").map(drop)
    }

    fn tell(&self, sentence: &str, story: impl FnOnce(&Self) -> Result<()>) -> Result<()> {
        story(self).with_context(|| format!("not so: {sentence}"))?;
        println!("  {sentence}");
        Ok(())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if !self.first.is_empty() {
            let _ = self.sh("systemctl --force --force poweroff");
        }
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
