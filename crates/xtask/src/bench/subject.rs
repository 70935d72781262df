//! The daemons that are measured: where they are and how they are configured.

use crate::build;
use anyhow::{Context, Result};
use clap::ValueEnum;
use std::path::PathBuf;

/// A daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// Ours.
    Rbird,
    /// BIRD 1.6.
    Bird,
    /// BIRD 2.
    Bird2,
}

impl Subject {
    /// What it is called in the figures.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rbird => "rbird",
            Self::Bird => "BIRD 1.6",
            Self::Bird2 => "BIRD 2",
        }
    }

    /// The program; built, found or fetched.
    pub fn program(self) -> Result<PathBuf> {
        match self {
            Self::Rbird => Ok(build::programs()?.daemon),
            Self::Bird => build::which("bird").context("BIRD 1.6 is not installed: apt-get install bird"),
            Self::Bird2 => Ok(build::bird2()?.join("bird")),
        }
    }

    /// Two neighbours, everything in, everything out.
    pub fn configuration(self) -> String {
        let channel = if self == Self::Bird2 { "ipv4 { import all; export all; };" } else { "import all; export all;" };
        let neighbour = |n: u8| {
            format!(
                "protocol bgp n{n} {{ local 10.99.{n}.1 as 65000; neighbor 10.99.{n}.2 as 6500{n}; passive; {channel} }}\n"
            )
        };
        format!("log stderr all;\nrouter id 10.99.1.1;\nprotocol device {{ }}\n{}{}", neighbour(1), neighbour(2))
    }
}
