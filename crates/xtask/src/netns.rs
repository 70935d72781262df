//! Network namespaces: made, joined by veth pairs, entered, and removed again.
//!
//! Every namespace of a lab carries the lab's prefix, so that what an earlier,
//! killed run has left can be found and removed. Daemons are found by the
//! namespace they live in, never by their name.

use anyhow::{Context, Result, bail};
use std::process::{Command, Output, Stdio};

use crate::topology::Topology;

/// The namespaces of one lab.
#[derive(Clone, Debug)]
pub struct Netns {
    prefix: String,
}

impl Netns {
    /// The namespaces whose names begin with this prefix.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The full name of a node's namespace.
    pub fn name(&self, node: &str) -> String {
        format!("{}{node}", self.prefix)
    }

    /// A command that will run in a node.
    pub fn command(&self, node: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name(node), program]);
        command
    }

    /// Runs a command line of a topology file in a node and expects it to succeed.
    pub fn exec(&self, node: &str, line: &str) -> Result<String> {
        let mut command = self.command(node, "sh");
        command.args(["-c", line]);
        success(&mut command).with_context(|| format!("in {node}: {line}"))
    }

    /// Makes all nodes and links and runs each node's `exec`.
    pub fn build(&self, lab: &Topology) -> Result<()> {
        for node in &lab.nodes {
            ip(&["netns", "add", &self.name(&node.name)])?;
            ip(&["-n", &self.name(&node.name), "link", "set", "lo", "up"])?;
            for (key, value) in &node.sysctls {
                self.exec(&node.name, &format!("echo '{value}' > '/proc/sys/{}'", key.replace('.', "/")))?;
            }
        }
        for (a, b) in &lab.links {
            let (ns_a, ns_b) = (self.name(&a.node), self.name(&b.node));
            ip(&["link", "add", &a.iface, "netns", &ns_a, "type", "veth", "peer", "name", &b.iface, "netns", &ns_b])?;
            ip(&["-n", &ns_a, "link", "set", &a.iface, "up"])?;
            ip(&["-n", &ns_b, "link", "set", &b.iface, "up"])?;
        }
        for node in &lab.nodes {
            for line in &node.exec {
                self.exec(&node.name, line)?;
            }
        }
        Ok(())
    }

    /// Ends every process in the lab's namespaces and removes them. Also what an earlier run has left.
    ///
    /// Without a prefix the namespaces are somebody else's, and stay.
    pub fn remove(&self) {
        if self.prefix.is_empty() {
            return;
        }
        for name in self.existing() {
            for pid in pids(&name) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
            let _ = ip(&["netns", "del", &name]);
        }
    }

    /// The lab's namespaces that exist now.
    pub fn existing(&self) -> Vec<String> {
        let Ok(list) = ip(&["netns", "list"]) else { return Vec::new() };
        list.lines()
            .filter_map(|l| l.split_whitespace().next())
            .filter(|n| n.starts_with(&self.prefix))
            .map(String::from)
            .collect()
    }
}

fn pids(namespace: &str) -> Vec<i32> {
    let list = ip(&["netns", "pids", namespace]).unwrap_or_default();
    list.split_whitespace().filter_map(|p| p.parse().ok()).collect()
}

/// Runs `ip` with arguments and gives what it printed.
pub fn ip(arguments: &[&str]) -> Result<String> {
    success(Command::new("ip").args(arguments)).with_context(|| format!("ip {}", arguments.join(" ")))
}

/// Runs a command to its end; an exit status other than 0 is an error with what it said.
pub fn success(command: &mut Command) -> Result<String> {
    let out: Output = command.stdin(Stdio::null()).output()?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        bail!("{}: {}", out.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}
