//! Which room may know which: ARCHITECTURE.md's table against the `Cargo.toml`s.

#![cfg(test)]

use crate::build::top;
use std::collections::{BTreeMap, BTreeSet};

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Rows of the first table in ARCHITECTURE.md: crate, what it knows, what it is.
fn drawn() -> Arrows {
    let text = std::fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix('|')?.split_once('|'))
        .filter(|(name, _)| !name.contains("---") && name.trim() != "crate")
        .map(|(name, rest)| {
            let knows = rest.split('|').next().unwrap_or_default();
            let knows = knows.split(',').map(str::trim).filter(|k| !k.is_empty()).map(String::from).collect();
            (name.trim().to_owned(), knows)
        })
        .collect()
}

/// What each crate depends on among ours; what only its tests need does not count.
fn built() -> Arrows {
    let mut arrows = Arrows::new();
    for entry in std::fs::read_dir(top().join("crates")).unwrap() {
        let dir = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(dir.join("Cargo.toml")) else { continue };
        let manifest: toml::Table = text.parse().unwrap();
        let ours = |name: &&String| top().join("crates").join(name).exists();
        let depends = manifest.get("dependencies").and_then(|d| d.as_table()).cloned().unwrap_or_default();
        let knows = depends.keys().filter(ours).cloned().collect();
        arrows.insert(dir.file_name().unwrap().to_string_lossy().into_owned(), knows);
    }
    arrows
}

#[test]
fn the_arrows_between_the_rooms_are_those_of_the_drawing() {
    assert_eq!(drawn(), built());
}

#[test]
fn the_pure_rooms_have_no_runtime_socket_or_log() {
    const PURE: [&str; 6] = ["route", "wire", "fsm", "filter", "rib", "conf"];
    const ABSENT: [&str; 5] = ["tokio", "tracing", "socket2", "libc", "nix"];
    for room in PURE {
        let text = std::fs::read_to_string(top().join("crates").join(room).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let depends = manifest["dependencies"].as_table().unwrap();
        for absent in ABSENT {
            assert!(!depends.contains_key(absent), "{room} must not know {absent}");
        }
    }
}
