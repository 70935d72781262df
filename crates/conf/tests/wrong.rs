//! Wrong files and what an operator reads about them, carets and all.
//!
//! `tests/wrong` has the files, and beside each `NAME.conf` what is said of it in
//! `NAME.txt`; `tests/wrong/reference` has what is said of the files that BIRD
//! 1.6.8 was shown, and its folder `v2` of those of 2.0.12, under BIRD's own line,
//! so that both positions stand side by side. `RBIRD_BLESS=1` writes them anew; read the difference before you keep it.

#![expect(clippy::unwrap_used, reason = "a test may stop")]

use rbird_conf::files::Memory;
use rbird_conf::{Dialect, LoadOptions, load};
use std::path::{Path, PathBuf};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// All that is said of a text.
fn said(name: &str, text: &[u8], dialect: Option<Dialect>) -> Option<String> {
    match load(name, &Memory::new().with(name, text), &LoadOptions { dialect, ..LoadOptions::default() }) {
        Ok(_) => None,
        Err(refused) => Some(refused.report(false).join("\n") + "\n"),
    }
}

/// Compares with the file, or writes it.
fn check(golden: &Path, said: &str, wrong: &mut Vec<String>) {
    if std::env::var_os("RBIRD_BLESS").is_some() {
        std::fs::write(golden, said).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    if expected != said {
        wrong.push(format!("{}\n--- expected\n{expected}--- said\n{said}", golden.display()));
    }
}

/// Line and column of `FILE:LINE:COLUMN`.
fn position(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.split(' ').next()?.rsplitn(3, ':');
    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((line, column))
}

#[test]
fn wrong_files_are_told_with_place_line_caret_and_what_would_be_right() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for entry in std::fs::read_dir(tests().join("wrong")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "conf") {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        let said = said(name, &std::fs::read(&path).unwrap(), None).unwrap_or_else(|| panic!("{name} is taken"));
        check(&path.with_extension("txt"), &said, &mut wrong);
        seen += 1;
    }
    assert!(seen >= 30, "only {seen} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn of_each_file_that_bird_refused_more_is_said_and_at_least_as_near() {
    refused_files("reference", Dialect::V1);
}

#[test]
fn of_each_file_that_bird_2_refused_more_is_said_and_at_least_as_near() {
    refused_files("reference/v2", Dialect::V2);
}

fn refused_files(folder: &str, dialect: Dialect) {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    let folder_of = |name: &str| tests().join(folder).join(name);
    let results = std::fs::read_to_string(folder_of("bad.txt")).unwrap();
    for result in results.lines() {
        let [name, "1", bird] = result.splitn(3, '\t').collect::<Vec<_>>()[..] else { continue };
        let bird = bird.trim_start_matches("bird: ");
        let file = format!("{name}.conf");
        // Files that lie elsewhere are the affair of tests/reference.rs.
        let Some((line, _)) = position(bird) else { continue };
        let text = std::fs::read(folder_of("bad").join(&file)).unwrap();
        let Some(ours) = said(&file, &text, Some(dialect)) else { continue };
        let (our_line, _) = position(&ours).unwrap();
        assert_eq!(our_line, line, "{name}: BIRD: {bird}\nrbird: {ours}");
        assert!(ours.lines().count() > 1 || ours.len() > bird.len() + 1, "{name}: {ours}");
        check(
            &tests().join("wrong").join(folder).join(format!("{name}.txt")),
            &format!("BIRD: {bird}\n{ours}"),
            &mut wrong,
        );
        seen += 1;
    }
    assert!(seen >= 60, "only {seen} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
