//! The topology file: containerlab's format, as far as a lab of ours uses it.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a node is in the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs rbird.
    Router,
    /// Runs real BIRD where there is one, else rbird.
    Node,
    /// A pod: no daemon.
    Pod,
    /// The world outside: no daemon.
    Outside,
}

/// A machine of the lab.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: String,
    pub role: Role,
    /// The daemon's configuration.
    pub conf: Option<PathBuf>,
    /// Settings below `/proc/sys`, by their dotted names.
    pub sysctls: BTreeMap<String, String>,
    /// Commands to run in it once its links are there.
    pub exec: Vec<String>,
}

/// One end of a link.
#[derive(Clone, Debug)]
pub struct End {
    pub node: String,
    pub iface: String,
}

/// A whole lab.
#[derive(Clone, Debug)]
pub struct Topology {
    pub nodes: Vec<Node>,
    /// In the order in which they are made, which gives interfaces their numbers.
    pub links: Vec<(End, End)>,
}

#[derive(Deserialize)]
struct File {
    topology: Body,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    defaults: Defaults,
    nodes: BTreeMap<String, RawNode>,
    links: Vec<RawLink>,
}

/// What holds for every node that does not say otherwise.
#[derive(Default, Deserialize)]
struct Defaults {
    #[serde(default)]
    sysctls: Sysctls,
}

type Sysctls = BTreeMap<String, serde_yaml_ng::Value>;

#[derive(Deserialize)]
struct RawNode {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    sysctls: Sysctls,
    #[serde(default)]
    exec: Vec<String>,
}

#[derive(Deserialize)]
struct RawLink {
    endpoints: [String; 2],
}

impl Topology {
    /// Reads a topology file; paths in it are relative to it.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let file: File = serde_yaml_ng::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let here = path.parent().unwrap_or(Path::new("."));
        let Body { defaults, nodes, links } = file.topology;
        let nodes = nodes.into_iter().map(|(name, raw)| node(name, raw, &defaults, here)).collect::<Result<_>>()?;
        let links = links.iter().map(link).collect::<Result<_>>()?;
        Ok(Self { nodes, links })
    }
}

fn node(name: String, raw: RawNode, defaults: &Defaults, here: &Path) -> Result<Node> {
    let role = match raw.labels.get("rbird.role").map(String::as_str) {
        Some("router") => Role::Router,
        Some("node") => Role::Node,
        Some("pod") => Role::Pod,
        Some("outside") => Role::Outside,
        other => bail!("node {name}: label rbird.role is {other:?}; it must be router, node, pod or outside"),
    };
    let conf = raw.labels.get("rbird.conf").map(|c| here.join(c));
    let mut sysctls = BTreeMap::new();
    for (key, value) in defaults.sysctls.iter().chain(&raw.sysctls) {
        sysctls.insert(key.clone(), setting(value).with_context(|| format!("node {name}: sysctl {key}"))?);
    }
    Ok(Node { name, role, conf, sysctls, exec: raw.exec })
}

/// The text of a sysctl: a number or a word.
fn setting(value: &serde_yaml_ng::Value) -> Result<String> {
    let number = value.as_i64().map(|n| n.to_string());
    number.or_else(|| value.as_str().map(String::from)).context("it must be a number or a text")
}

fn link(raw: &RawLink) -> Result<(End, End)> {
    let [a, b] = &raw.endpoints;
    let end = |text: &String| {
        let (node, iface) = text.split_once(':').with_context(|| format!("endpoint {text:?} is not NODE:INTERFACE"))?;
        Ok::<_, anyhow::Error>(End { node: node.into(), iface: iface.into() })
    };
    Ok((end(a)?, end(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab() -> Topology {
        Topology::read(&crate::build::top().join("integration/lab/lab.clab.yml")).unwrap()
    }

    #[test]
    fn the_lab_reads_the_same_for_both_runners() {
        for node in lab().nodes {
            assert_eq!(node.sysctls["net.ipv4.ip_forward"], "1", "{} forwards", node.name);
            for command in &node.exec {
                assert!(!command.contains('$'), "containerlab would replace the variable in {}: {command}", node.name);
            }
        }
    }

    #[test]
    fn every_end_of_a_link_is_a_machine_and_every_configuration_a_file() {
        let lab = lab();
        for end in lab.links.iter().flat_map(|(a, b)| [a, b]) {
            assert!(lab.nodes.iter().any(|n| n.name == end.node), "{}:{}", end.node, end.iface);
        }
        for conf in lab.nodes.iter().filter_map(|n| n.conf.as_ref()) {
            assert!(conf.is_file(), "{}", conf.display());
        }
    }
}
