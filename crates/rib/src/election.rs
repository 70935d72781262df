//! The order of the paths of a prefix: BIRD's list, in a small vector.
//!
//! The order is part of the semantics: it is printed, it decides re-election,
//! and `secondary` reads it. In a plain table only the first place has a meaning
//! of its own. A newcomer that beats the best goes to the front; one that does
//! not stands directly behind the best, and a replaced path leaves its place
//! (BIRD 1.6), or one takes the place of the path that it replaces and else
//! stands last (BIRD 2); when the best is lost or replaced by something worse,
//! all are compared once, front to back, and the winner is taken out and put in
//! front. In a `sorted` table a newcomer stands before the first that it beats.
//!
//! Paths that the import filter rejected and that are kept stand in the same
//! list. Everything beats them, another one of their kind included.
//!
//! `deterministic med` works in two levels: of each neighbour AS only the best
//! is not *suppressed*, and suppressed paths lose against others. Which of them
//! is best in its group is found anew for the groups that a change concerns.

use crate::decision::{Candidate, Reason, compare, neighbor_as};
use crate::path::Path;
use crate::query::Order;
use std::cmp::Ordering;

/// What the order asks of the table: what stands behind the numbers in a path.
pub(crate) trait Candidates {
    /// The path as the decision sees it.
    fn candidate(&self, path: &Path) -> Candidate<'_>;

    /// Whether a path that comes beats one that stands.
    fn beats(&self, new: &Path, old: &Path) -> bool {
        self.judge(new, old).0 == Ordering::Less
    }

    /// The order of two paths, filtered ones included, and the step that decided.
    fn judge(&self, new: &Path, old: &Path) -> (Ordering, Reason) {
        if old.is_filtered() {
            (Ordering::Less, Reason::Filtered)
        } else if new.is_filtered() {
            (Ordering::Greater, Reason::Filtered)
        } else {
            compare(&self.candidate(new), &self.candidate(old))
        }
    }
}

/// Takes the path at `old` out and puts `new` in; either may be missing.
pub(crate) fn replace(
    paths: &mut Vec<Path>,
    old: Option<usize>,
    new: Option<Path>,
    order: Order,
    with: &impl Candidates,
) {
    if paths.len() == usize::from(old.is_some()) {
        // Nothing else stands: nothing to compare. Nearly all prefixes of a feed come this way.
        paths.clear();
        paths.extend(new);
        return;
    }
    match order {
        Order::Sorted => insert_sorted(paths, old, new, with),
        Order::Newest => insert_linked(paths, old, new, [0, 1], with),
        Order::Arrival => {
            let place = old.unwrap_or(paths.len());
            insert_linked(paths, old, new, [place; 2], with);
        }
    }
}

fn insert_sorted(paths: &mut Vec<Path>, old: Option<usize>, new: Option<Path>, with: &impl Candidates) {
    if let Some(old) = old {
        paths.remove(old);
    }
    let Some(new) = new else { return };
    // The place of the old path is where the search begins, unless the new one beats its predecessor.
    let from = match old {
        Some(at) if at > 0 && !with.beats(&new, &paths[at - 1]) => at,
        _ => 0,
    };
    let at = paths[from..].iter().position(|p| with.beats(&new, p)).map_or(paths.len(), |n| from + n);
    paths.insert(at, new);
}

/// `places`: where a newcomer that does not beat the best stands, where all are compared anew and where not.
fn insert_linked(
    paths: &mut Vec<Path>,
    old: Option<usize>,
    new: Option<Path>,
    places: [usize; 2],
    with: &impl Candidates,
) {
    let old_best = paths.first().copied();
    let removed = old.map(|at| paths.remove(at));
    let mut new = new;
    let must_elect = regroup(paths, removed.as_ref(), new.as_mut(), old_best.as_ref(), with);
    let beats_best = |new: &Path| old_best.as_ref().is_none_or(|best| with.beats(new, best));
    match new {
        Some(new) if !must_elect && beats_best(&new) => paths.insert(0, new),
        _ if must_elect || old == Some(0) => {
            let at = places[0].min(paths.len());
            paths.splice(at..at, new);
            elect(paths, with);
        }
        Some(new) => paths.insert(places[1].min(paths.len()), new),
        None => {}
    }
}

/// Compares all once, front to back, and puts the winner in front.
pub(crate) fn elect(paths: &mut [Path], with: &impl Candidates) {
    let mut best = 0;
    for at in 1..paths.len() {
        if with.beats(&paths[at], &paths[best]) {
            best = at;
        }
    }
    if let Some(front) = paths.get_mut(..=best) {
        front.rotate_right(1);
    }
}

/// Compares all anew, groups first, after what stands behind the paths changed.
pub(crate) fn reelect(paths: &mut [Path], with: &impl Candidates) {
    for at in 0..paths.len() {
        // Each group once: at its first path.
        if let Some(of) = group(&paths[at], with)
            && !paths[..at].iter().any(|p| group(p, with) == Some(of))
        {
            regroup_one(paths, None, of, with);
        }
    }
    elect(paths, with);
}

/// Paths of one neighbour AS and one preference.
type Group = (u32, u32);

/// The group of a valid path, `None` when its session does not ask for `deterministic med`.
fn group(path: &Path, with: &impl Candidates) -> Option<Group> {
    if path.is_filtered() {
        return None;
    }
    let c = with.candidate(path);
    let bgp = c.source.bgp.as_ref().filter(|bgp| bgp.decision.deterministic_med)?;
    Some((c.facts.preference, neighbor_as(c.facts, bgp)))
}

/// Finds the best of the groups that a change concerns. `true`: all paths must be compared anew.
///
/// `paths` is without the old and the new path. `old_best` stood in front before the change.
fn regroup(
    paths: &mut [Path],
    old: Option<&Path>,
    new: Option<&mut Path>,
    old_best: Option<&Path>,
    with: &impl Candidates,
) -> bool {
    let old_group = old.and_then(|p| group(p, with));
    let new_group = new.as_deref().and_then(|p| group(p, with));
    let mut must_elect = false;
    if let (Some(old), Some(lost)) = (old, old_group)
        && new_group != Some(lost)
    {
        let best = regroup_one(paths, None, lost, with);
        must_elect |= best && !old.is_suppressed();
    }
    if let (Some(new), Some(joined)) = (new, new_group) {
        regroup_one(paths, Some(new), joined, with);
        let was_best_of_group = old_group == Some(joined) && old.is_some_and(|p| !p.is_suppressed());
        // The newcomer is the best of its group: it may beat the best unjustly if that is of the group, too.
        let beats_own_kind = !new.is_suppressed() && old_best.and_then(|p| group(p, with)) == Some(joined);
        must_elect |= beats_own_kind || (new.is_suppressed() && was_best_of_group);
    }
    must_elect
}

/// Suppresses all of a group but the best. `true`: the group is not empty.
fn regroup_one(paths: &mut [Path], new: Option<&mut Path>, of: Group, with: &impl Candidates) -> bool {
    let mut best: Option<Path> = new.as_deref().copied().map(unsuppressed);
    let mut at_best = None;
    for (at, path) in paths.iter_mut().enumerate() {
        if group(path, with) != Some(of) {
            continue;
        }
        path.suppress(true);
        let plain = unsuppressed(*path);
        if best.is_none_or(|b| with.beats(&plain, &b)) {
            best = Some(plain);
            at_best = Some(at);
        }
    }
    if let Some(new) = new {
        new.suppress(at_best.is_some());
    }
    if let Some(at) = at_best {
        paths[at].suppress(false);
    }
    best.is_some()
}

const fn unsuppressed(mut path: Path) -> Path {
    path.suppress(false);
    path
}
