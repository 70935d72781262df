//! Shell patterns: `*`, `?`, `[a-z]`, `[!a]`, `\` in front of a character.
//!
//! One matcher for all that bird.conf and the control socket match by pattern:
//! names of links, names of protocols, paths behind `include`.

use crate::files::Files;

/// No pattern behind `include` may match more files than this.
const MATCHES_MAX: usize = 10_000;

/// Whether a text matches a shell pattern. Time is bounded by the product of the lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when the characters behind the last `*` do not match: that `*`, and one character more for it.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p, t));
            p += 1;
            continue;
        }
        match (element(&pattern, p), text.get(t)) {
            (None, None) => return true,
            (Some((wanted, next)), Some(&c)) if wanted.accepts(c) => {
                p = next;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) if from < text.len() => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
}

/// What one place of a pattern accepts.
enum Element<'a> {
    Any,
    Only(char),
    Set { members: &'a [char], negated: bool },
}

impl Element<'_> {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => *only == c,
            Self::Set { members, negated } => in_set(members, c) != *negated,
        }
    }
}

/// The element at `at` that is no `*`, and where the next begins.
fn element(pattern: &[char], at: usize) -> Option<(Element<'_>, usize)> {
    match *pattern.get(at)? {
        '?' => Some((Element::Any, at + 1)),
        '\\' => match pattern.get(at + 1) {
            Some(&c) => Some((Element::Only(c), at + 2)),
            None => Some((Element::Only('\\'), at + 1)),
        },
        '[' => Some(set(pattern, at).unwrap_or((Element::Only('['), at + 1))),
        c => Some((Element::Only(c), at + 1)),
    }
}

/// `[...]` at `at`; `None` when it is not closed, and means itself.
fn set(pattern: &[char], at: usize) -> Option<(Element<'_>, usize)> {
    let negated = matches!(pattern.get(at + 1), Some('!' | '^'));
    let first = at + 1 + usize::from(negated);
    // A `]` in the first place is a member.
    let len = pattern.get(first + 1..)?.iter().position(|&c| c == ']')? + 1;
    let members = pattern.get(first..first + len)?;
    Some((Element::Set { members, negated }, first + len + 1))
}

fn in_set(members: &[char], c: char) -> bool {
    let mut rest = members;
    loop {
        match rest {
            [from, '-', to, tail @ ..] => {
                if (*from..=*to).contains(&c) {
                    return true;
                }
                rest = tail;
            }
            [one, tail @ ..] => {
                if *one == c {
                    return true;
                }
                rest = tail;
            }
            [] => return false,
        }
    }
}

/// Whether a text means more than itself as a pattern.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The files that a path with patterns in it matches, sorted; hidden ones only where the pattern says a dot.
///
/// A path without patterns is itself, whether it exists or not.
pub(crate) fn expand(pattern: &str, files: &dyn Files) -> Vec<String> {
    if !is_pattern(pattern) {
        return vec![pattern.to_owned()];
    }
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for dir in &found {
            if !is_pattern(part) {
                next.push(join(dir, part));
                continue;
            }
            let names = files.list(dir).unwrap_or_default();
            let fitting = names.iter().filter(|name| part.starts_with('.') || !name.starts_with('.'));
            next.extend(fitting.filter(|name| matches(part, name)).map(|name| join(dir, name)));
        }
        next.truncate(MATCHES_MAX);
        found = next;
    }
    // Parts without patterns behind a pattern were not looked for yet.
    if !pattern.rsplit('/').next().is_some_and(is_pattern) {
        found.retain(|path| files.read(path, crate::files::FILE_OCTETS_MAX).is_ok());
    }
    found.sort();
    found
}

fn join(dir: &str, name: &str) -> String {
    match dir {
        "" => name.to_owned(),
        _ if dir.ends_with('/') => format!("{dir}{name}"),
        _ => format!("{dir}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    #[test]
    fn patterns_match_as_in_a_shell() {
        for (pattern, yes, no) in [
            ("*", "anything", "\u{0}".trim_matches('\u{0}')),
            ("eth*", "eth0", "veth0"),
            ("*eth*0", "veth10", "veth1"),
            ("eth?", "eth1", "eth10"),
            ("e[a-t]h[!5]", "eth1", "eth5"),
            ("[]x]", "]", "y"),
            ("a\\*", "a*", "ab"),
            ("[", "[", "a"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "*" || !matches(pattern, no), "{pattern} {no}");
        }
        assert!(matches("*", ""));
        assert!(!matches("?", ""));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_exponential_time() {
        assert!(!matches(&format!("{}c", "a*".repeat(60)), &"a".repeat(60 * 60)));
    }

    #[test]
    fn a_path_expands_to_the_files_that_are_there_in_order() {
        let files = Memory::new().with("d/b.conf", "").with("d/a.conf", "").with("d/.c.conf", "").with("e/a.conf", "");
        assert_eq!(expand("./d/*.conf", &files), ["./d/a.conf", "./d/b.conf"]);
        assert_eq!(expand("./?/a.conf", &files), ["./d/a.conf", "./e/a.conf"]);
        assert!(expand("./x/*.conf", &files).is_empty());
        assert_eq!(expand("x", &files), ["x"]);
    }
}
