//! Which clause of which RFC is obeyed where: the names in `docs/rfc.md` against the code.

#![cfg(test)]

use crate::build::top;
use std::collections::HashSet;
use std::path::Path;

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Takes in the words of all sources in a folder, but for those of comments.
fn learn(folder: &Path, known: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            learn(&path, known);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            known.extend(code.flat_map(words).map(str::to_owned));
        }
    }
}

/// What stands in backticks in the tables and is no file.
fn named(page: &str) -> impl Iterator<Item = &str> {
    let rows = page.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(|name| !name.contains(['/', '.']))
}

#[test]
fn each_function_and_test_that_is_named_for_a_clause_exists() {
    let page = std::fs::read_to_string(top().join("docs/rfc.md")).unwrap();
    let mut known = HashSet::new();
    ["crates", "integration"].iter().for_each(|folder| learn(&top().join(folder), &mut known));
    let is_gone = |name: &&str| words(name).any(|word| !known.contains(word));
    assert_eq!(named(&page).filter(is_gone).collect::<Vec<_>>(), [""; 0]);
}
