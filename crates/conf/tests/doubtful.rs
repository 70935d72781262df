//! Files that BIRD takes and that surely mean something else, and what an operator reads about them.
//!
//! `tests/doubtful` has the files, and beside each `NAME.conf` what `rbird lint`
//! says of it in `NAME.txt`: a `*` in front of what a start says, too.
//! `RBIRD_BLESS=1` writes them anew; read the difference before you keep it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use rbird_conf::files::Memory;
use rbird_conf::{LoadOptions, lint, load};
use std::path::Path;

/// All that is said of a file that is taken.
fn said(name: &str, text: &[u8]) -> String {
    let loaded = match load(name, &Memory::new().with(name, text), &LoadOptions::default()) {
        Ok(loaded) => loaded,
        Err(refused) => panic!("{name} is refused: {}", refused.report(false).join("\n")),
    };
    let (config, files) = (&loaded.config, &loaded.config.files);
    let at_start = lint::surely_wrong(config);
    let all = lint::all(config);
    let mark = |warning| if at_start.contains(warning) { "* " } else { "  " };
    let lines = lint::lines(&all, files, false);
    all.iter().zip(lines).map(|(warning, text)| format!("{}{text}\n", mark(warning))).collect()
}

#[test]
fn what_is_surely_not_meant_is_told_with_place_line_and_caret() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doubtful");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "conf") {
            continue;
        }
        let said = said(path.file_name().unwrap().to_str().unwrap(), &std::fs::read(&path).unwrap());
        let golden = path.with_extension("txt");
        if std::env::var_os("RBIRD_BLESS").is_some() {
            std::fs::write(&golden, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if expected != said || said.is_empty() {
            wrong.push(format!("{}\n--- expected\n{expected}--- said\n{said}", golden.display()));
        }
        seen += 1;
    }
    assert!(seen >= 7, "only {seen} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
