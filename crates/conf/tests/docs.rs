//! Every configuration in the manual is one: the blocks marked `bird` are read, and no other block looks like one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop")]

use rbird_conf::files::Memory;
use rbird_conf::{LoadOptions, lint, load};
use std::path::{Path, PathBuf};

/// README.md and what stands in docs/.
fn pages() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = std::fs::read_dir(top.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|e| e == "md"));
    let mut all: Vec<PathBuf> = std::iter::once(top.join("README.md")).chain(pages).collect();
    all.sort();
    all
}

/// The fenced blocks of a page: the line of the fence, its word, and what is in it.
fn blocks(page: &str) -> Vec<(usize, &str, String)> {
    let mut all: Vec<(usize, &str, String)> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(word) if !inside => {
                all.push((number + 1, word, String::new()));
                inside = true;
            }
            Some(_) => inside = false,
            None if inside => all.last_mut().expect("a block").2.extend([line, "\n"]),
            None => {}
        }
    }
    all
}

#[test]
fn every_configuration_in_the_manual_is_read_and_nothing_in_it_is_doubtful() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        for (line, word, text) in blocks(&page) {
            let name = format!("{}:{line}", path.file_name().unwrap().to_string_lossy());
            if word != "bird" {
                if text.lines().any(|line| line.starts_with("protocol ") && line.contains('{')) {
                    wrong.push(format!("{name}: a configuration is marked `bird`"));
                }
                continue;
            }
            seen += 1;
            match load(&name, &Memory::new().with(&name, text.as_bytes()), &LoadOptions::default()) {
                Ok(loaded) => {
                    wrong.extend(loaded.warning_lines());
                    let warnings = lint::surely_wrong(&loaded.config);
                    wrong.extend(lint::lines(&warnings, &loaded.config.files, false));
                }
                Err(refused) => wrong.extend(refused.report(false)),
            }
        }
    }
    assert!(seen >= 3, "only {seen} configurations");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
