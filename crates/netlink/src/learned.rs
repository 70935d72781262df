//! Routes that other programs put into a kernel table (`learn`).
//!
//! All that were seen are kept; of each prefix the one with the lowest metric
//! is told. So when the best goes, the next takes its place at once, from
//! notifications, not at the next scan.

use crate::SeenRoute;
use crate::kernel_route::{PROTO_KERNEL, PROTO_REDIRECT};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use route::Prefix;

/// RTPROT_UNSPEC: of nobody.
const PROTO_UNSPEC: u8 = 0;

#[derive(Debug)]
struct Kept {
    route: SeenRoute,
    seen: bool,
}

/// See the head of the module.
#[derive(Debug)]
pub struct Learned {
    /// Routes that the kernel made itself, too (`learn all`).
    all: bool,
    table: u32,
    nets: HashMap<Prefix, Vec<Kept>, RandomState>,
    changed: HashSet<Prefix, RandomState>,
}

impl Learned {
    /// For one kernel table; `all`: with the routes that the kernel makes for addresses.
    pub fn new(table: u32, all: bool) -> Self {
        Self { all, table, nets: HashMap::default(), changed: HashSet::default() }
    }

    fn concerns(&self, seen: &SeenRoute) -> bool {
        let known = match seen.protocol {
            PROTO_UNSPEC => false,
            PROTO_KERNEL | PROTO_REDIRECT => self.all,
            _ => !seen.is_ours(),
        };
        known && seen.table == self.table && seen.tos == 0
    }

    /// A dump or a notification shows a route.
    pub fn saw(&mut self, seen: &SeenRoute) {
        if !self.concerns(seen) {
            return;
        }
        let kept = self.nets.entry(seen.net).or_default();
        match kept.iter_mut().find(|k| k.route.route.metric == seen.route.metric) {
            Some(same) => {
                same.seen = true;
                if same.route == *seen {
                    return;
                }
                same.route = seen.clone();
            }
            None => {
                kept.push(Kept { route: seen.clone(), seen: true });
                kept.sort_by_key(|k| k.route.route.metric);
            }
        }
        self.changed.insert(seen.net);
    }

    /// A notification says that a route is gone.
    pub fn gone(&mut self, seen: &SeenRoute) {
        let Some(kept) = self.nets.get_mut(&seen.net) else {
            return;
        };
        let before = kept.len();
        kept.retain(|k| k.route.route.metric != seen.route.metric || k.route.protocol != seen.protocol);
        if kept.len() != before {
            self.changed.insert(seen.net);
        }
        if kept.is_empty() {
            self.nets.remove(&seen.net);
        }
    }

    /// A dump begins.
    pub fn scan_begin(&mut self) {
        for kept in self.nets.values_mut().flatten() {
            kept.seen = false;
        }
    }

    /// The dump has ended; what it did not show is gone, when it was whole.
    pub fn scan_end(&mut self, whole: bool) {
        if !whole {
            return;
        }
        let changed = &mut self.changed;
        self.nets.retain(|net, kept| {
            let before = kept.len();
            kept.retain(|k| k.seen);
            if kept.len() != before {
                changed.insert(*net);
            }
            !kept.is_empty()
        });
    }

    /// Hands out what changed since the last call: each prefix with its best route now, `None` when there is none.
    pub fn take(&mut self, mut each: impl FnMut(Prefix, Option<&SeenRoute>)) {
        for net in self.changed.drain() {
            each(net, self.nets.get(&net).and_then(|kept| Some(&kept.first()?.route)));
        }
    }

    /// Has a prefix handed out again by the next [`Self::take`].
    pub fn touch(&mut self, net: Prefix) {
        self.changed.insert(net);
    }

    /// Has every prefix handed out again by the next [`Self::take`].
    pub fn again(&mut self) {
        self.changed.extend(self.nets.keys());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KernelRoute;
    use route::Resolved;

    fn alien(net: &str, metric: u32, protocol: u8) -> SeenRoute {
        let route = KernelRoute { metric, ..KernelRoute::new(Resolved::Blackhole) };
        SeenRoute { net: net.parse().unwrap(), protocol, table: 254, tos: 0, route }
    }

    fn taken(l: &mut Learned) -> Vec<(String, Option<u32>)> {
        let mut all = Vec::new();
        l.take(|net, best| all.push((net.to_string(), best.map(|b| b.route.metric))));
        all.sort();
        all
    }

    #[test]
    fn the_lowest_metric_is_told_and_the_next_takes_its_place() {
        let mut l = Learned::new(254, false);
        l.saw(&alien("40.0.1.0/24", 9, 3));
        l.saw(&alien("40.0.1.0/24", 0, 3));
        assert_eq!(taken(&mut l), [("40.0.1.0/24".to_owned(), Some(0))]);
        l.gone(&alien("40.0.1.0/24", 0, 3));
        assert_eq!(taken(&mut l), [("40.0.1.0/24".to_owned(), Some(9))]);
        l.scan_begin();
        l.scan_end(true);
        assert_eq!(taken(&mut l), [("40.0.1.0/24".to_owned(), None)]);
    }

    #[test]
    fn our_own_routes_those_of_the_kernel_and_those_for_a_tos_are_not_learned() {
        let mut l = Learned::new(254, false);
        l.saw(&alien("40.0.1.0/24", 0, 12));
        l.saw(&alien("40.0.2.0/24", 0, 2));
        l.saw(&SeenRoute { tos: 16, ..alien("40.0.3.0/24", 0, 3) });
        l.saw(&SeenRoute { table: 77, ..alien("40.0.4.0/24", 0, 3) });
        assert_eq!(taken(&mut l), []);
        let mut all = Learned::new(254, true);
        all.saw(&alien("40.0.2.0/24", 0, 2));
        assert_eq!(taken(&mut all), [("40.0.2.0/24".to_owned(), Some(0))]);
    }

    #[test]
    fn a_scan_of_an_unchanged_table_changes_nothing() {
        let mut l = Learned::new(254, false);
        l.saw(&alien("40.0.1.0/24", 9, 3));
        taken(&mut l);
        l.scan_begin();
        l.saw(&alien("40.0.1.0/24", 9, 3));
        l.scan_end(true);
        assert_eq!(taken(&mut l), []);
    }
}
