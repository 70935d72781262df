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
    nodes: BTreeMap<String, RawNode>,
    links: Vec<RawLink>,
}

#[derive(Deserialize)]
struct RawNode {
    #[serde(default)]
    labels: BTreeMap<String, String>,
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
        let nodes = file.topology.nodes.into_iter().map(|(name, raw)| node(name, raw, here)).collect::<Result<_>>()?;
        let links = file.topology.links.iter().map(link).collect::<Result<_>>()?;
        Ok(Self { nodes, links })
    }
}

fn node(name: String, raw: RawNode, here: &Path) -> Result<Node> {
    let role = match raw.labels.get("rbird.role").map(String::as_str) {
        Some("router") => Role::Router,
        Some("node") => Role::Node,
        Some("pod") => Role::Pod,
        Some("outside") => Role::Outside,
        other => bail!("node {name}: label rbird.role is {other:?}; it must be router, node, pod or outside"),
    };
    let conf = raw.labels.get("rbird.conf").map(|c| here.join(c));
    Ok(Node { name, role, conf, exec: raw.exec })
}

fn link(raw: &RawLink) -> Result<(End, End)> {
    let [a, b] = &raw.endpoints;
    let end = |text: &String| {
        let (node, iface) = text.split_once(':').with_context(|| format!("endpoint {text:?} is not NODE:INTERFACE"))?;
        Ok::<_, anyhow::Error>(End { node: node.into(), iface: iface.into() })
    };
    Ok((end(a)?, end(b)?))
}
