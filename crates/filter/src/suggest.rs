//! "Did you mean": the nearest of some words.

/// The candidate that a misspelt text is nearest to, when it is near enough to be meant.
///
/// Blanks do not count, so `scantime` finds `scan time`.
pub fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = squeezed(text);
    let allowed = 1 + wanted.len() / 4;
    candidates
        .into_iter()
        .map(|c| (distance(&wanted, &squeezed(c)), c))
        .filter(|(d, _)| *d <= allowed)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// No more characters of a text are compared.
const CHARS_MAX: usize = 64;

fn squeezed(text: &str) -> Vec<char> {
    let chars = text.chars().filter(|c| !c.is_whitespace() && *c != '_' && *c != '-');
    chars.take(CHARS_MAX).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&above, j + 1) + 1).min(at(&row, j) + 1).min(at(&above, j) + usize::from(ca != cb));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["scan time", "next hop", "neighbor", "learn"];
        assert_eq!(nearest("scantime", words), Some("scan time"));
        assert_eq!(nearest("nexthop", words), Some("next hop"));
        assert_eq!(nearest("neigbhor", words), Some("neighbor"));
        assert_eq!(nearest("neighbour", words), Some("neighbor"));
        assert_eq!(nearest("lern", words), Some("learn"));
        assert_eq!(nearest("vrf", words), None);
    }
}
