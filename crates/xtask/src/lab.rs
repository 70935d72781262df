//! `cargo xtask lab`: the scenario, laid out, started, shown, and cleaned up.
//!
//! The story is one function, `Lab::show`; everything it prints comes from the
//! machines themselves. Waiting is for conditions, with a deadline, never for a
//! length of time.

use crate::build::{self, Programs};
use crate::netns::{Netns, ip, success};
use crate::reenter;
use crate::topology::{Node, Role, Topology};
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Who runs on the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NodeDaemon {
    /// Real BIRD 1.6.
    Bird,
    /// rbird.
    Rbird,
}

#[derive(Args, Clone, Debug)]
pub struct Options {
    /// The daemon of the two nodes; without it: real BIRD when it is on this machine, else rbird.
    #[arg(long)]
    pub nodes: Option<NodeDaemon>,
    /// Carry pod traffic in VXLAN (UDP 4789) between the nodes, and show the packets seen on router1.
    #[arg(long)]
    pub vxlan: bool,
    /// Leave the lab up and say how to enter each machine.
    #[arg(long)]
    pub keep: bool,
    /// Only remove what an earlier run has left.
    #[arg(long)]
    pub clean: bool,
    /// Lay nothing out: show and check the lab that `containerlab deploy` has made of the same file.
    #[arg(long, conflicts_with_all = ["nodes", "keep", "clean"])]
    pub deployed: bool,
}

const PREFIX: &str = "rbird-";
const POD_SERVER: &str = "10.245.0.65";
const POD_CLIENT: &str = "10.245.0.193";

/// Runs the whole story.
pub fn run(options: &Options) -> Result<()> {
    reenter::as_root()?;
    if build::which("ip").is_none() {
        bail!("the lab needs `ip` (package iproute2): apt-get install iproute2");
    }
    let topology = Topology::read(&build::top().join("integration/lab/lab.clab.yml"))?;
    if options.deployed {
        return Lab::deployed(topology).show_deployed(options.vxlan);
    }
    let netns = Netns::new(PREFIX);
    netns.remove();
    if options.clean {
        return Ok(());
    }
    let programs = build::programs()?;
    let mut lab = Lab::new(netns, topology, &programs, options)?;
    let shown = lab.start().and_then(|()| lab.show(options.vxlan));
    if shown.is_err() {
        lab.print_logs();
    }
    if options.keep && shown.is_ok() {
        lab.say_how_to_enter();
    } else {
        lab.remove();
    }
    shown
}

/// A daemon and its client, as they are called.
#[derive(Clone, Debug)]
struct Daemon {
    program: PathBuf,
    client: PathBuf,
}

/// Who has made the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    /// We: the machines are network namespaces, with the files of this machine.
    Namespaces,
    /// containerlab: a machine has files of its own, and its network namespace has the container's name.
    Containers,
}

/// A lab that is being built, shown, and removed.
pub struct Lab {
    runner: Runner,
    netns: Netns,
    topology: Topology,
    router: Daemon,
    node: Daemon,
    dir: PathBuf,
    children: Vec<Child>,
}

impl Lab {
    fn new(netns: Netns, topology: Topology, programs: &Programs, options: &Options) -> Result<Self> {
        let router = Daemon { program: programs.daemon.clone(), client: programs.client.clone() };
        let bird = build::which("bird").zip(build::which("birdc"));
        let node = match (options.nodes, bird) {
            (Some(NodeDaemon::Rbird), _) | (None, None) => router.clone(),
            (_, Some((program, client))) => Daemon { program, client },
            (Some(NodeDaemon::Bird), None) => bail!("there is no bird on this machine: apt-get install bird"),
        };
        println!("routers run {}, nodes run {}", router.program.display(), node.program.display());
        let dir = std::env::temp_dir().join(format!("rbird-lab-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir)?;
        Ok(Self { runner: Runner::Namespaces, netns, topology, router, node, dir, children: Vec::new() })
    }

    /// The lab as containerlab has made it.
    fn deployed(topology: Topology) -> Self {
        let router = Daemon { program: "rbird".into(), client: "rbirdc".into() };
        let node = Daemon { program: "bird".into(), client: "birdc".into() };
        let (netns, dir) = (Netns::new(""), PathBuf::new());
        Self { runner: Runner::Containers, netns, topology, router, node, dir, children: Vec::new() }
    }

    /// Shows it, and leaves the containers as they are.
    fn show_deployed(&mut self, vxlan: bool) -> Result<()> {
        let shown = self.show(vxlan);
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        shown
    }

    /// Lays out the network and starts the daemons.
    fn start(&mut self) -> Result<()> {
        println!("laying out {} machines and {} links", self.topology.nodes.len(), self.topology.links.len());
        self.netns.build(&self.topology)?;
        for node in self.topology.nodes.clone() {
            if let Some(conf) = &node.conf {
                self.start_daemon(&node, conf)?;
            }
        }
        Ok(())
    }

    fn daemon(&self, node: &Node) -> &Daemon {
        if node.role == Role::Router { &self.router } else { &self.node }
    }

    fn path(&self, node: &str, what: &str) -> PathBuf {
        self.dir.join(format!("{node}.{what}"))
    }

    fn start_daemon(&mut self, node: &Node, conf: &Path) -> Result<()> {
        let log = std::fs::File::create(self.path(&node.name, "log"))?;
        let program = self.daemon(node).program.clone();
        let child = self
            .netns
            .command(&node.name, &program.to_string_lossy())
            .args(["-d", "-c"])
            .arg(conf)
            .arg("-s")
            .arg(self.path(&node.name, "ctl"))
            .arg("-P")
            .arg(self.path(&node.name, "pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        self.children.push(child);
        Ok(())
    }

    fn routers(&self) -> Vec<Node> {
        self.topology.nodes.iter().filter(|n| n.role == Role::Router).cloned().collect()
    }

    fn client(&self, node: &Node, words: &str) -> Result<String> {
        let client = self.daemon(node).client.to_string_lossy().into_owned();
        let mut command = match self.runner {
            Runner::Namespaces => {
                let mut command = self.netns.command(&node.name, &client);
                command.arg("-s").arg(self.path(&node.name, "ctl"));
                command
            }
            Runner::Containers => {
                let mut command = Command::new("docker");
                command.args(["exec", &node.name, &client]);
                command
            }
        };
        success(command.args(words.split(' ')))
    }

    /// Waits until every session of every router is up, showing which are.
    fn wait_for_sessions(&self) -> Result<()> {
        let began = Instant::now();
        let mut last = String::new();
        loop {
            let mut sessions = Vec::new();
            for router in self.routers() {
                let table = self.client(&router, "show protocols").unwrap_or_default();
                for line in table.lines().filter(|l| l.split_whitespace().nth(1) == Some("BGP")) {
                    let name = line.split_whitespace().next().unwrap_or_default();
                    let up = line.contains("Established");
                    sessions.push((format!("{}/{name}", router.name), up));
                }
            }
            let up = sessions.iter().filter(|(_, up)| *up).count();
            let line = sessions
                .iter()
                .map(|(n, up)| format!("{n} {}", if *up { "up" } else { "..." }))
                .collect::<Vec<_>>()
                .join("  ");
            if line != last {
                println!("{:5.1} s  {line}", began.elapsed().as_secs_f32());
                last = line;
            }
            if up == 4 && self.both_blocks_known() {
                return Ok(());
            }
            ensure!(began.elapsed() < Duration::from_secs(90), "after 90 s {up} of 4 sessions are up");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether each router has both nodes' blocks in its kernel.
    fn both_blocks_known(&self) -> bool {
        self.routers().iter().all(|r| {
            let table = self.netns.exec(&r.name, "ip route show proto bird").unwrap_or_default();
            table.contains("10.245.0.64/26") && table.contains("10.245.0.192/26")
        })
    }

    fn show(&mut self, vxlan: bool) -> Result<()> {
        self.wait_for_sessions()?;
        for router in self.routers() {
            for words in ["show protocols", "show route"] {
                println!("\n{}# rbirdc {words}", router.name);
                print!("{}", self.client(&router, words)?);
            }
            println!("\n{}# ip route | grep bird", router.name);
            print!("{}", self.netns.exec(&router.name, "ip route | grep bird")?);
        }
        if vxlan {
            self.make_tunnel()?;
        }
        let watcher = if vxlan { Some(self.inside("router1", &["watch", "ens37", "4", "20"])?) } else { None };
        self.fetch_page()?;
        self.trace()?;
        if let Some(watcher) = watcher {
            self.show_packets(watcher)?;
        }
        println!("\nthe pods reach each other{}", if vxlan { ", inside VXLAN" } else { "" });
        Ok(())
    }

    /// A page from the pod behind kubeadm1, fetched by the pod behind kubeadm2; addresses must stay what they are.
    fn fetch_page(&mut self) -> Result<()> {
        let server = self.inside("pod-nginx", &["serve", &format!("{POD_SERVER}:80")])?;
        self.children.push(server.child);
        println!("\npod-alpine# GET http://{POD_SERVER}/");
        let page = self.inside_to_end("pod-alpine", &["fetch", &format!("{POD_SERVER}:80")])?;
        print!("{page}");
        let expected = format!("hello from {POD_SERVER}, you are {POD_CLIENT}\nasked by {POD_CLIENT}\n");
        ensure!(page == expected, "the addresses changed on the way; expected:\n{expected}");
        println!("source {POD_CLIENT} and destination {POD_SERVER} unchanged");
        Ok(())
    }

    fn trace(&self) -> Result<()> {
        println!("\npod-alpine# traceroute {POD_SERVER}");
        print!("{}", self.inside_to_end("pod-alpine", &["trace", POD_SERVER])?);
        Ok(())
    }

    /// VNI 4096 on UDP 4789 between the nodes, as Calico lays it.
    fn make_tunnel(&self) -> Result<()> {
        const ENDS: [[&str; 4]; 2] = [
            ["192.168.16.101", "10.245.0.71", "66:00:00:00:00:01", "10.245.0.64/26"],
            ["192.168.17.101", "10.245.0.194", "66:00:00:00:00:02", "10.245.0.192/26"],
        ];
        for (i, node) in ["kubeadm1", "kubeadm2"].into_iter().enumerate() {
            let ([own, own_ip, own_mac, _], [peer, peer_ip, peer_mac, block]) =
                if i == 0 { (ENDS[0], ENDS[1]) } else { (ENDS[1], ENDS[0]) };
            let script = format!(
                "set -e; d=vxlan.calico; ip link add $d address {own_mac} type vxlan id 4096 dstport 4789 local {own} nolearning; \
                 ip addr add {own_ip}/32 dev $d; ip link set $d mtu 1450 up; \
                 ip neigh replace {peer_ip} lladdr {peer_mac} dev $d nud permanent; \
                 bridge fdb replace {peer_mac} dev $d dst {peer}; ip route replace {block} via {peer_ip} dev $d onlink"
            );
            self.netns.exec(node, &script)?;
        }
        println!("\nVXLAN: vni 4096, UDP 4789, 192.168.16.101 <-> 192.168.17.101");
        Ok(())
    }

    fn show_packets(&mut self, mut watcher: Inside) -> Result<()> {
        println!("\nrouter1# VXLAN packets on ens37");
        let mut seen = 0;
        for line in watcher.lines.by_ref() {
            println!("{}", line?);
            seen += 1;
        }
        watcher.child.wait()?;
        ensure!(seen > 0, "no VXLAN packet was seen on router1");
        Ok(())
    }

    /// Starts one of our own programs in a machine and waits for its first line.
    fn inside(&self, node: &str, words: &[&str]) -> Result<Inside> {
        let mut child = self.inside_command(node, words)?.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let out = child.stdout.take().context("a pipe")?;
        let mut lines = BufReader::new(out).lines();
        lines.next().with_context(|| format!("{words:?} in {node} ended at once"))??;
        Ok(Inside { child, lines })
    }

    fn inside_to_end(&self, node: &str, words: &[&str]) -> Result<String> {
        success(&mut self.inside_command(node, words)?).with_context(|| format!("{words:?} in {node}"))
    }

    fn inside_command(&self, node: &str, words: &[&str]) -> Result<Command> {
        let myself = std::env::current_exe()?;
        let mut command = self.netns.command(node, &myself.to_string_lossy());
        command.arg("inside").args(words);
        Ok(command)
    }

    fn say_how_to_enter(&self) {
        println!("\nThe lab stays up. To enter a machine:");
        for node in &self.topology.nodes {
            println!("  ip netns exec {} bash", self.netns.name(&node.name));
        }
        println!("To ask a router:");
        for router in self.routers() {
            println!(
                "  {} -s {} show protocols",
                self.router.client.display(),
                self.path(&router.name, "ctl").display()
            );
        }
        println!("To remove it:\n  cargo xtask lab --clean");
    }

    fn print_logs(&self) {
        for node in self.topology.nodes.iter().filter(|n| n.conf.is_some()) {
            let log = std::fs::read_to_string(self.path(&node.name, "log")).unwrap_or_default();
            eprintln!("--- log of {}\n{log}", node.name);
        }
        let _ = std::io::stderr().flush();
    }

    /// Ends the daemons in order, then removes the namespaces.
    fn remove(&mut self) {
        for node in &self.topology.nodes {
            let pid = std::fs::read_to_string(self.path(&node.name, "pid")).unwrap_or_default();
            if let Ok(pid) = pid.trim().parse() {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
            }
        }
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until && self.topology.nodes.iter().any(|n| self.path(&n.name, "ctl").exists()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        self.netns.remove();
        for child in &mut self.children {
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
        debug_assert!(ip(&["netns", "list"]).is_ok());
    }
}

/// One of our own programs, running in a machine.
struct Inside {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}
