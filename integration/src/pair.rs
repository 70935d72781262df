//! Two machines and a link between them.

use anyhow::{Context, Result};
use rbird_xtask::netns::{Netns, ip};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// The two machines: rbird lives on `a`, its peer on `b`.
pub struct Pair {
    netns: Netns,
    dir: PathBuf,
    children: Vec<Child>,
}

impl Pair {
    /// Two machines, a veth pair between them: 10.9.0.1 and fd09::1 on `a`, 10.9.0.2 and fd09::2 on `b`.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("rbt{}-{}-", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let netns = Netns::new(&prefix);
        let dir = std::env::temp_dir().join(format!("{prefix}dir"));
        std::fs::create_dir_all(&dir)?;
        let pair = Self { netns, dir, children: Vec::new() };
        let (a, b) = (pair.netns.name("a"), pair.netns.name("b"));
        for ns in [&a, &b] {
            ip(&["netns", "add", ns]).context("these tests need root")?;
            ip(&["-n", ns, "link", "set", "lo", "up"])?;
            // Addresses are usable at once: nobody else is on this link.
            pair.netns.exec(
                if ns == &a { "a" } else { "b" },
                "for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done",
            )?;
        }
        ip(&["link", "add", "d0", "netns", &a, "type", "veth", "peer", "name", "d0", "netns", &b])?;
        for (ns, number) in [(&a, 1), (&b, 2)] {
            ip(&["-n", ns, "link", "set", "d0", "up"])?;
            ip(&["-n", ns, "addr", "add", &format!("10.9.0.{number}/24"), "dev", "d0"])?;
            ip(&["-n", ns, "addr", "add", &format!("fd09::{number}/64"), "dev", "d0", "nodad"])?;
        }
        Ok(pair)
    }

    /// One more link between them, of this name on both sides, down and without addresses.
    pub fn link(&self, name: &str) -> Result<()> {
        let (a, b) = (self.netns.name("a"), self.netns.name("b"));
        ip(&["link", "add", name, "netns", &a, "type", "veth", "peer", "name", name, "netns", &b]).map(drop)
    }

    /// The directory of this pair's files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a file and says where it is.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Runs a command line in a machine to its end and gives what it printed.
    pub fn exec(&self, node: &str, line: &str) -> Result<String> {
        self.netns.exec(node, line)
    }

    /// Starts a command line in a machine; what it says goes to a log named after it.
    pub fn spawn(&mut self, node: &str, name: &str, line: &str) -> Result<u32> {
        let log = std::fs::File::create(self.dir.join(format!("{node}-{name}.log")))?;
        let mut command = self.netns.command(node, "sh");
        command.args(["-c", &format!("exec {line}")]);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let pid = child.id();
        self.children.push(child);
        Ok(pid)
    }

    /// Ends a program at once; it is gone when this returns, its sockets with it.
    pub fn kill(&mut self, pid: u32) -> Result<()> {
        let child = self.children.iter_mut().find(|child| child.id() == pid).context("no program of this pair")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Does something on a thread of a machine, such as opening a socket that is used elsewhere.
    pub fn inside<T: Send>(&self, node: &str, act: impl FnOnce() -> T + Send) -> Result<T> {
        let namespace = std::fs::File::open(format!("/run/netns/{}", self.netns.name(node)))?;
        std::thread::scope(|scope| {
            let enters = move || nix::sched::setns(&namespace, nix::sched::CloneFlags::CLONE_NEWNET).map(|()| act());
            match scope.spawn(enters).join() {
                Ok(acted) => Ok(acted?),
                Err(_) => anyhow::bail!("the thread on machine {node} ended early"),
            }
        })
    }

    /// What all daemons of this pair have said.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return text };
        for path in entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "log")) {
            let said = std::fs::read_to_string(&path).unwrap_or_default();
            text.push_str(&format!("--- {}\n{}\n", path.display(), last_lines(&said, 40)));
        }
        text
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.netns.remove();
        for child in &mut self.children {
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
