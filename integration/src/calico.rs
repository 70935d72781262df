//! Machines of a Calico cluster and what its confd would write for them.
//!
//! Three nodes in a mesh, `n3` the route reflector of a fourth that peers with
//! nobody else, and two routers above them in another AS, all on one Ethernet. The
//! files have the shape of Calico's, not its text; the BIRD that reads them may be
//! any program that takes its place.

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rbird_xtask::netns::{Netns, ip};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A machine: its name and the last number of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    pub name: &'static str,
    pub number: u8,
}

const fn machine(name: &'static str, number: u8) -> Machine {
    Machine { name, number }
}

pub const NODES: [Machine; 4] = [machine("n1", 1), machine("n2", 2), machine("n3", 3), machine("n4", 4)];
pub const ROUTERS: [Machine; 2] = [machine("t1", 21), machine("t2", 22)];

const NODES_AS: u32 = 64512;
const ROUTERS_AS: u32 = 64513;

/// IPv4 as `bird`, IPv6 as `bird6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// The name of program and files.
    pub const fn bird(self) -> &'static str {
        match self {
            Self::V4 => "bird",
            Self::V6 => "bird6",
        }
    }

    const fn of<'a>(self, v4: &'a str, v6: &'a str) -> &'a str {
        match self {
            Self::V4 => v4,
            Self::V6 => v6,
        }
    }

    pub fn addr(self, of: Machine) -> String {
        format!("{}{}", self.of("172.18.0.", "fd18::"), of.number)
    }

    /// An address of a workload of a node.
    fn workload(self, of: Machine, n: u8) -> String {
        match self {
            Self::V4 => format!("10.244.{}.{n}", of.number),
            Self::V6 => format!("fd44::{}:{n}", of.number),
        }
    }

    fn block(self, of: Machine) -> String {
        format!("{}/{}", self.workload(of, 0), self.of("26", "122"))
    }

    const fn pool(self) -> &'static str {
        self.of("10.244.0.0/16", "fd44::/64")
    }

    const fn services(self) -> &'static str {
        self.of("10.96.0.0/16", "fd96::/112")
    }

    /// What the routers lead to.
    const fn outside(self) -> &'static str {
        self.of("203.0.113.0/24", "2001:db8:113::/48")
    }

    const fn whole(self) -> &'static str {
        self.of("32", "128")
    }
}

/// Who speaks BGP on a machine.
#[derive(Clone, Debug)]
pub enum Speaker {
    /// The system's BIRD 1.6.
    Bird,
    /// rbird under BIRD's names, in this directory.
    Rbird(PathBuf),
}

/// The machines, and the processes in them.
pub struct Cluster {
    netns: Netns,
    dir: PathBuf,
    pub family: Family,
    children: Vec<(&'static str, Child)>,
}

impl Cluster {
    pub fn new(family: Family) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("rbk{}-{}-", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let netns = Netns::new(&prefix);
        let dir = std::env::temp_dir().join(format!("{prefix}dir"));
        let cluster = Self { netns, dir, family, children: Vec::new() };
        cluster.wire()?;
        Ok(cluster)
    }

    fn wire(&self) -> Result<()> {
        let switch = self.netns.name("sw");
        ip(&["netns", "add", &switch]).context("these tests need root")?;
        ip(&["-n", &switch, "link", "add", "br0", "type", "bridge"])?;
        ip(&["-n", &switch, "link", "set", "br0", "up"])?;
        for machine in NODES.into_iter().chain(ROUTERS) {
            std::fs::create_dir_all(self.dir.join(machine.name))?;
            let ns = self.netns.name(machine.name);
            ip(&["netns", "add", &ns])?;
            let quiet =
                "ip link set lo up; for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done";
            self.netns.exec(machine.name, quiet)?;
            ip(&["link", "add", "eth0", "netns", &ns, "type", "veth", "peer", "name", machine.name, "netns", &switch])?;
            ip(&["-n", &switch, "link", "set", machine.name, "master", "br0", "up"])?;
            let length = self.family.of("24", "64");
            let nodad = self.family.of("", "nodad");
            let addr = format!("{}/{length}", self.family.addr(machine));
            self.exec(machine.name, &format!("ip link set eth0 up; ip addr add {addr} dev eth0 {nodad}"))?;
        }
        for node in NODES {
            // Two workloads behind one link of Felix's: one at home, one that is just moving in from another node.
            let (home, moving) = (self.family.workload(node, 2), self.family.workload(node, 9));
            let six = self.family.of("-4", "-6");
            let whole = self.family.whole();
            self.exec(
                node.name,
                &format!(
                    "ip link add cali1 type veth peer name pod1; ip link set cali1 up; ip link set pod1 up; \
                     ip link add tunl0 type veth peer name tunl1; ip link set tunl0 up; ip link set tunl1 up; \
                     ip {six} route add {home}/{whole} dev cali1 proto 80 metric 1024; \
                     ip {six} route add {moving}/{whole} dev cali1 proto 80 metric 512"
                ),
            )?;
        }
        Ok(())
    }

    /// Puts a tunnel from each node to all others in the place of `tunl0`, with the node's own address of the pool.
    pub fn tunnels(&self) -> Result<()> {
        for node in NODES {
            let mut line = format!(
                "ip link del tunl0; ip link add tunl0 type vxlan id 4 dstport 4789 local {}; ip link set tunl0 up; \
                 ip addr add {}/32 dev tunl0",
                self.family.addr(node),
                self.family.workload(node, 1)
            );
            for other in NODES.into_iter().filter(|n| *n != node) {
                let _ = write!(line, "; bridge fdb append 00:00:00:00:00:00 dev tunl0 dst {}", self.family.addr(other));
            }
            self.exec(node.name, &line)?;
        }
        Ok(())
    }

    /// Runs a command line in a machine.
    pub fn exec(&self, machine: &str, line: &str) -> Result<String> {
        self.netns.exec(machine, line)
    }

    /// Where the files of a machine are.
    pub fn dir(&self, of: Machine) -> PathBuf {
        self.dir.join(of.name)
    }

    /// Writes a file of a machine as confd does: beside the old one, then in its place.
    pub fn write(&self, of: Machine, name: &str, text: &str) -> Result<()> {
        let staged = self.dir(of).join(format!(".{name}1234"));
        std::fs::write(&staged, text)?;
        std::fs::rename(&staged, self.dir(of).join(name)).map_err(Into::into)
    }

    /// Writes the files of a machine.
    pub fn configure(&self, of: Machine, tunnels: bool) -> Result<()> {
        let bird = self.family.bird();
        if ROUTERS.contains(&of) {
            return self.write(of, &format!("{bird}.cfg"), &router(self.family, of));
        }
        self.write(of, &format!("{bird}_aggr.cfg"), &aggregation(self.family, of))?;
        self.write(of, &format!("{bird}_ipam.cfg"), &ipam(self.family, tunnels))?;
        self.write(of, &format!("{bird}.cfg"), &node(self.family, of, &peers_of(of)))
    }

    /// Starts the speaker of a machine as Calico's `run` does.
    pub fn start(&mut self, of: Machine, speaker: &Speaker) -> Result<()> {
        let bird = self.family.bird();
        let program = match speaker {
            Speaker::Bird => PathBuf::from(format!("/usr/sbin/{bird}")),
            Speaker::Rbird(programs) => {
                let link = self.dir(of).join(bird);
                if !link.exists() {
                    std::os::unix::fs::symlink(programs.join("rbird"), &link)?;
                }
                link
            }
        };
        let dir = self.dir(of);
        let log = std::fs::File::options().create(true).append(true).open(dir.join("log"))?;
        let line = format!("exec {} -R -s {bird}.ctl -d -c {bird}.cfg", program.display());
        let mut command = self.netns.command(of.name, "sh");
        command.current_dir(&dir).args(["-c", &line]).stdin(Stdio::null());
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        self.children.push((of.name, child));
        Ok(())
    }

    fn child(&self, of: Machine) -> Result<usize> {
        self.children.iter().position(|(name, _)| *name == of.name).context("not running")
    }

    /// Sends a signal to the speaker of a machine.
    pub fn signal(&self, of: Machine, signal: Signal) -> Result<()> {
        let (_, child) = self.children.get(self.child(of)?).context("not running")?;
        kill(Pid::from_raw(child.id().try_into()?), signal).map_err(Into::into)
    }

    /// Ends the speaker of a machine at once.
    pub fn kill(&mut self, of: Machine) -> Result<()> {
        self.signal(of, Signal::SIGKILL)?;
        self.children.remove(self.child(of)?).1.wait()?;
        Ok(())
    }

    /// Starts a command line that prints into a file of a machine.
    pub fn watch(&mut self, of: Machine, line: &str, file: &str) -> Result<()> {
        let out = std::fs::File::create(self.dir(of).join(file))?;
        let mut command = self.netns.command(of.name, "sh");
        command.args(["-c", &format!("exec {line}")]).stdin(Stdio::null());
        let child = command.stdout(out).stderr(Stdio::null()).spawn()?;
        self.children.push(("", child));
        Ok(())
    }

    /// Asks a machine's speaker with BIRD's own client, whoever answers.
    pub fn ask(&self, of: Machine, words: &str) -> Result<String> {
        let bird = self.family.bird();
        let client = self.family.of("birdc", "birdc6");
        self.exec(of.name, &format!("{client} -s {} {words}", self.dir(of).join(format!("{bird}.ctl")).display()))
    }

    /// What a machine's speaker has said.
    pub fn log(&self, of: Machine) -> String {
        std::fs::read_to_string(self.dir(of).join("log")).unwrap_or_default()
    }

    /// The routes of a machine's kernel: one line each, ways in order.
    pub fn kernel(&self, of: Machine) -> Result<Vec<String>> {
        let text = self.exec(of.name, &format!("ip {} route show table main", self.family.of("-4", "-6")))?;
        let mut routes: Vec<String> = Vec::new();
        for line in text.lines() {
            match routes.last_mut() {
                Some(route) if line.starts_with(char::is_whitespace) => {
                    let _ = write!(route, " {}", line.trim());
                }
                _ => routes.push(line.trim().to_owned()),
            }
        }
        routes.retain(|r| !r.contains("proto kernel"));
        routes.sort();
        Ok(routes)
    }

    /// The routes of a machine's table with all their attributes, without times: one line each.
    pub fn table(&self, of: Machine) -> Result<Vec<String>> {
        let text = self.ask(of, "show route all")?;
        let mut routes: Vec<String> = Vec::new();
        let mut net = String::new();
        for line in text.lines().skip(1).filter(|l| !l.is_empty()) {
            if line.starts_with(['\t']) {
                if let Some(route) = routes.last_mut() {
                    let _ = write!(route, " | {}", line.trim());
                }
                continue;
            }
            if !line.starts_with(' ') {
                net = line.split_whitespace().next().unwrap_or_default().to_owned();
            }
            let rest = line.strip_prefix(net.as_str()).unwrap_or(line).trim();
            routes.push(format!("{net} {}", without_time(rest)));
        }
        without_ties(&mut routes);
        routes.sort();
        Ok(routes)
    }

    /// Kernel and table of each machine.
    pub fn picture(&self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for machine in NODES.into_iter().chain(ROUTERS) {
            lines.extend(self.kernel(machine)?.into_iter().map(|l| format!("{} kernel: {l}", machine.name)));
            lines.extend(self.table(machine)?.into_iter().map(|l| format!("{} table: {l}", machine.name)));
        }
        Ok(lines)
    }

    /// Whether every session of every machine is up.
    pub fn all_established(&self) -> Result<(bool, String)> {
        let mut said = String::new();
        for machine in NODES.into_iter().chain(ROUTERS) {
            let list = self.ask(machine, "show protocols")?;
            let idle = list.lines().filter(|l| l.contains(" BGP ") && !l.contains("Established"));
            idle.for_each(|l| said.push_str(&format!("{}: {l}\n", machine.name)));
        }
        Ok((said.is_empty(), said))
    }
}

/// Which of several paths of one neighbour to one net is the best: the older one, when they are alike, and that is a
/// matter of what came first. So none of them keeps its mark.
fn without_ties(routes: &mut [String]) {
    let heads: Vec<Option<String>> = routes.iter().map(|route| path_of(route)).collect();
    for (n, route) in routes.iter_mut().enumerate() {
        let is_alone = heads.iter().enumerate().all(|(other, head)| other == n || *head != heads[n]);
        if heads[n].is_some() && !is_alone {
            *route = route.replacen("] * (", "] (", 1);
        }
    }
}

/// Net and neighbour of a route: all in front of the bracket's end.
fn path_of(route: &str) -> Option<String> {
    route.split_once(']').map(|(head, _)| head.to_owned())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.netns.remove();
        for (_, child) in &mut self.children {
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(Path::new(&self.dir));
    }
}

/// `[proto TIME from A]` without the time.
fn without_time(line: &str) -> String {
    let mut out = String::new();
    let mut in_brackets = None;
    for word in line.split_whitespace() {
        if word.starts_with('[') {
            in_brackets = Some(0);
        }
        let is_time = in_brackets == Some(1);
        in_brackets = in_brackets.map(|n| n + 1);
        if is_time {
            out.push_str(if word.ends_with(']') { " ]" } else { "" });
        } else {
            out.push(' ');
            out.push_str(word);
        }
        if word.ends_with(']') {
            in_brackets = None;
        }
    }
    out
}

/// A session of a node.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    kind: &'static str,
    to: Machine,
    asn: u32,
    more: &'static str,
}

impl Peer {
    /// A router above.
    pub const fn router(to: Machine) -> Self {
        Self { kind: "Global", to, asn: ROUTERS_AS, more: "" }
    }

    /// The name of its protocol.
    pub fn name(&self, family: Family) -> String {
        format!("{}_{}", self.kind, family.addr(self.to).replace(['.', ':'], "_"))
    }
}

/// The sessions of a node: the mesh of the first three, the reflector's client, and the routers above the mesh.
pub fn peers_of(node: Machine) -> Vec<Peer> {
    let [_, _, reflector, client] = NODES;
    let in_mesh = |n: &Machine| n.number < client.number;
    let mut peers = Vec::new();
    if in_mesh(&node) {
        for other in NODES.into_iter().filter(|n| in_mesh(n) && *n != node) {
            let more = if node.number < other.number { "passive on;" } else { "" };
            peers.push(Peer { kind: "Mesh", to: other, asn: NODES_AS, more });
        }
        peers.extend(ROUTERS.map(Peer::router));
    }
    if node == reflector {
        peers.push(Peer { kind: "Node", to: client, asn: NODES_AS, more: "rr client; rr cluster id 244.0.0.1;" });
    }
    if node == client {
        peers.push(Peer { kind: "Node", to: reflector, asn: NODES_AS, more: "passive on;" });
    }
    peers
}

/// `bird.cfg` of a node.
pub fn node(family: Family, node: Machine, peers: &[Peer]) -> String {
    let bird = family.bird();
    let mut text = format!(
        "function apply_communities ()\n{{\n  if ( net ~ {services} ) then {{\n    bgp_community.add((64512, 96));\n    \
         bgp_large_community.add((64512, 96, {number}));\n  }}\n}}\n\
         template kernel kernel_template {{ learn; persist; scan time 2; import all; }}\n\
         template direct direct_template {{ debug {{ states }}; interface -\"cali*\", -\"kube-ipvs*\", \"*\"; }}\n\
         include \"{bird}_aggr.cfg\";\ninclude \"{bird}_ipam.cfg\";\nrouter id 172.18.0.{number};\n\
         protocol kernel from kernel_template {{ export filter calico_kernel_programming; graceful restart; merge paths on; }}\n\
         protocol device {{ debug {{ states }}; scan time 2; }}\nprotocol direct from direct_template {{ }}\n\
         template bgp bgp_template {{ debug {{ states, routes, filters, events }}; description \"Connection to BGP peer\"; local as {NODES_AS}; gateway recursive; add paths on; \
         graceful restart; connect delay time 2; connect retry time 5; error wait time 5,30; }}\n\
         function 'bgp_services-only_exportFilter'() {{ if (net ~ {services}) then {{ accept; }} }}\n",
        services = family.services(),
        number = node.number,
    );
    for peer in peers {
        let internal = peer.asn == NODES_AS;
        let own = if internal { "" } else { "    'bgp_services-only_exportFilter'();\n" };
        let _ = write!(
            text,
            "protocol bgp {name} from bgp_template {{\n  neighbor {to} as {asn};\n  source address {from};\n  ttl security off;\n  multihop;\n  \
             import filter {{\n    if (defined(bgp_local_pref)&&(bgp_local_pref > 2147482623)) then\n      preference = 200;\n    accept;\n  }};\n  \
             export filter {{\n    if (defined(source) && source = RTS_BGP && defined(bgp_local_pref)) then {{\n      \
             krt_metric = 2147483647 - bgp_local_pref;\n    }} else {{\n      if (!defined(krt_metric)) then {{ krt_metric = 1024; }}\n      \
             bgp_local_pref = 2147483647 - krt_metric;\n    }}\n{own}    calico_export_to_bgp_peers({internal});\n    reject;\n  }};\n  {more}\n}}\n",
            name = peer.name(family),
            to = family.addr(peer.to),
            asn = peer.asn,
            from = family.addr(node),
            more = peer.more,
        );
    }
    text
}

fn aggregation(family: Family, node: Machine) -> String {
    let (block, services) = (family.block(node), family.services());
    format!(
        "template static static_template {{\n   route {block} blackhole;\n   route {services} blackhole;\n}}\n\
         protocol static from static_template {{\n}}\nfunction calico_aggr ()\n{{\n      if ( net = {block} ) then {{ accept; }}\n      \
         if ( net ~ {block} && krt_metric < 1024 ) then {{ accept; }}\n      if ( net ~ {block} ) then {{ reject; }}\n}}\n"
    )
}

fn ipam(family: Family, tunnels: bool) -> String {
    let (pool, services) = (family.pool(), family.services());
    let tunnel =
        if tunnels { format!("  if (net ~ {pool}) then {{ krt_tunnel=\"tunl0\"; accept; }}\n") } else { String::new() };
    format!(
        "function reject_local_routes () {{\n  if (defined(ifname)) then {{\n     if (ifname ~ \"bpf*.cali\") then {{\n        reject;\n     }}\n  }}\n}}\n\
         function calico_export_to_bgp_peers(bool internal_peer) {{\n  if (internal_peer) then {{\n    if (defined(ifname)) then {{\n      \
         if ((ifname ~ \"*.cali\") || (ifname ~ \"tunl0\")) then {{\n        reject;\n      }}\n    }}\n  }}\n  reject_local_routes();\n  \
         apply_communities();\n  calico_aggr();\n  if ( net ~ {services} ) then {{ accept; }}\n  if (net ~ {pool}) then {{ accept; }}\n}}\n\
         filter calico_kernel_programming {{\n  if ( net ~ {services} ) then {{ reject; }}\n  \
         if (defined(source) && (source = RTS_BGP) && !defined(krt_metric)) then {{\n      krt_metric = 1024;\n      \
         if (defined(bgp_local_pref)) then {{\n          krt_metric = 2147483647 - bgp_local_pref;\n      }}\n      \
         if (krt_metric < 1024) then {{\n          preference = 200;\n      }}\n  }}\n{tunnel}  accept;\n}}\n"
    )
}

/// The configuration of a router above the nodes.
fn router(family: Family, of: Machine) -> String {
    let mut text = format!(
        "router id 172.18.0.{};\nprotocol device {{ scan time 2; }}\nprotocol direct {{ interface \"eth0\"; }}\n\
         protocol kernel {{ scan time 2; persist; graceful restart; merge paths on; import none; export all; }}\n\
         protocol static {{ route {} blackhole; }}\n\
         template bgp nodes {{ local as {ROUTERS_AS}; multihop; gateway recursive; add paths on; graceful restart; \
         connect delay time 2; connect retry time 5; error wait time 5,30; import all; export where source = RTS_STATIC; }}\n",
        of.number,
        family.outside(),
    );
    for node in NODES.into_iter().filter(|n| peers_of(*n).iter().any(|p| p.to == of)) {
        let (to, from) = (family.addr(node), family.addr(of));
        let _ = writeln!(
            text,
            "protocol bgp {} from nodes {{ neighbor {to} as {NODES_AS}; source address {from}; }}",
            node.name
        );
    }
    text
}
