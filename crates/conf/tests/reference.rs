//! Every configuration that was shown to BIRD 1.6.8 and to 2.0.12, with what it said.
//!
//! `tests/reference/{good,bad}.txt`, and the same in `v2`, are the results of
//! `bird -p -c FILE` (exit status and output, tab separated), the folders hold the
//! files. rbird must agree on the exit status, and for a refused file on the file
//! and line.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use rbird_conf::files::Files;
use rbird_conf::{Dialect, LoadOptions, load};
use std::path::{Path, PathBuf};

/// Files with what a later issue brings. These lists can only become shorter.
const LATER: &[&str] = &[];
const LATER_OF_2: &[&str] = &[];

/// Files that BIRD 2 refuses because of its filter language.
const FILTERS_OF_2: &[&str] = &["bgp-import-where-int", "filter-assign-type", "filter-quitbird"];

/// Files that BIRD 2.0.12 refuses and later releases of it take, as rbird does.
const OF_LATER_RELEASES: &[&str] =
    &["bool-true", "kernel-learn-all", "keyword-as-name", "keyword-as-define", "variable-named-like-unit"];

/// A directory as the working directory.
struct In(PathBuf);

impl Files for In {
    fn read(&self, path: &str, octets_max: usize) -> Result<Vec<u8>, String> {
        let text = std::fs::read(self.0.join(path)).map_err(|_| "No such file or directory".to_owned())?;
        if text.len() > octets_max { Err("File too large".to_owned()) } else { Ok(text) }
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(self.0.join(dir)).map_err(|_| "No such file or directory".to_owned())?;
        Ok(entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect())
    }

    fn appendable(&self, path: &str) -> Result<(), String> {
        let dir = self.0.join(path);
        if dir.parent().is_some_and(Path::is_dir) { Ok(()) } else { Err("No such file or directory".to_owned()) }
    }
}

/// What BIRD and rbird said of a file: exit status, places, and the text.
#[derive(Debug, PartialEq)]
struct Said {
    status: u8,
    /// `FILE:LINE` of each line in BIRD's form.
    places: Vec<String>,
}

/// The lines that begin with `bird: FILE:LINE:COLUMN `, as programs find them.
fn places(text: &str) -> Vec<String> {
    let place = |line: &str| {
        let mut parts = line.strip_prefix("bird: ")?.split(' ').next()?.rsplitn(3, ':');
        let (column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
        (column.parse::<u32>().is_ok() && line.parse::<u32>().is_ok()).then(|| format!("{file}:{line}"))
    };
    text.lines().filter_map(place).collect()
}

fn rbird(dir: &Path, file: &str, dialect: Option<Dialect>) -> (Said, String) {
    let disk = In(dir.to_owned());
    match load(file, &disk, &LoadOptions { dialect, ..LoadOptions::default() }) {
        Ok(loaded) => {
            let text = loaded.warning_lines().iter().map(|l| format!("bird: {l}\n")).collect::<String>();
            (Said { status: 0, places: places(&text) }, text)
        }
        Err(refused) => {
            let text = refused.report(false).iter().map(|l| format!("bird: {l}\n")).collect::<String>();
            (Said { status: 1, places: places(&text) }, text)
        }
    }
}

fn compare(kind: &str, dialect: Dialect) {
    let (dir, later) = match dialect {
        Dialect::V1 => ("tests/reference", LATER),
        Dialect::V2 => ("tests/reference/v2", LATER_OF_2),
    };
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let results = std::fs::read_to_string(dir.join(format!("{kind}.txt"))).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in results.lines() {
        let [name, status, text] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let bird = Said { status: status.parse().unwrap(), places: places(text) };
        let (ours, said) = rbird(&dir.join(kind), &format!("{name}.conf"), Some(dialect));
        seen += 1;
        if dialect == Dialect::V2 && FILTERS_OF_2.contains(&name) {
            continue;
        }
        if OF_LATER_RELEASES.contains(&name) && ours.status == 0 {
            continue;
        }
        match (bird == ours, later.contains(&name)) {
            (true, true) if bird.status == 0 => wrong.push(format!("{name} is read now: take it off the list")),
            (false, false) => {
                wrong.push(format!("{name}\n  BIRD says {status} {text}\n  rbird says {} {said}", ours.status))
            }
            _ => {}
        }
    }
    assert!(seen > 80, "only {seen} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn configurations_that_bird_takes_are_taken() {
    compare("good", Dialect::V1);
}

#[test]
fn configurations_that_bird_refuses_are_refused_at_the_same_line() {
    compare("bad", Dialect::V1);
}

#[test]
fn configurations_that_bird_2_takes_are_taken() {
    compare("good", Dialect::V2);
}

#[test]
fn configurations_that_bird_2_refuses_are_refused_at_the_same_line() {
    compare("bad", Dialect::V2);
}

#[test]
fn every_refusal_says_more_than_syntax_error() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/bad");
    for entry in std::fs::read_dir(&dir).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if let Err(refused) = load(&file, &In(dir.clone()), &LoadOptions::default()) {
            for wrong in refused.diagnostics.iter().filter(|d| d.message.starts_with("syntax error")) {
                assert!(wrong.label.is_some() || wrong.help.is_some(), "{file}: {wrong:?}");
            }
        }
    }
}

#[test]
fn the_lab_is_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/article");
    let dir2 = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/v2/article");
    for name in ["router1", "router2", "kubeadm1", "kubeadm2"] {
        for (dialect, dir) in [("1.6", &dir), ("2", &dir2)] {
            let (said, text) = rbird(dir, &format!("{name}.conf"), None);
            assert_eq!((said.status, text.as_str()), (0, ""), "{dialect}");
        }
    }
}

#[test]
fn the_configurations_that_we_give_away_are_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let mut seen = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        if file.ends_with(".conf") {
            let (said, text) = rbird(&dir, &file, None);
            assert_eq!((said.status, text.as_str()), (0, ""), "{file}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn what_calico_renders_is_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/calico");
    let (said, text) = rbird(&dir, "bird.cfg", None);
    assert_eq!(said.status, 0, "{text}");
}
