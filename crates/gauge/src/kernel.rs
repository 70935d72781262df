//! Routes for the kernel: wishes to requests, and their results. The kernel itself has no part in it.

use crate::Ready;
use crate::feed::{ROUTES, addr, net};
use netlink::{KernelRoute, Reconciler, Request};
use route::{Family, Hop, IfIndex, Resolved};

/// Requests taken at once.
const REQUESTS_MAX: usize = 1024;
/// The main table.
const TABLE: u32 = 254;

fn wish(reconciler: &mut Reconciler, route: Option<&KernelRoute>) {
    for n in 0..ROUTES {
        let spot = reconciler.spot(net(n), n);
        reconciler.want_at(spot, route);
    }
}

/// Takes all requests; each is carried out.
fn settle(reconciler: &mut Reconciler) {
    let mut requests: Vec<Request> = Vec::with_capacity(REQUESTS_MAX);
    let mut settled = 0;
    loop {
        requests.clear();
        reconciler.take(REQUESTS_MAX, &mut requests);
        if requests.is_empty() {
            break;
        }
        settled += requests.len();
        for request in &requests {
            reconciler.settle(request, Ok(()));
        }
    }
    assert_eq!(settled, ROUTES as usize, "one request for each route");
}

fn ready() -> (Reconciler, KernelRoute) {
    let mut reconciler = Reconciler::new(Family::Ipv4, TABLE);
    reconciler.scan_begin();
    reconciler.scan_end(true);
    reconciler.told_all();
    (reconciler, KernelRoute::new(Resolved::Unicast(Hop::via(addr(1), IfIndex(2)))))
}

pub fn load() -> Ready {
    let (mut reconciler, route) = ready();
    Box::new(move || {
        wish(&mut reconciler, Some(&route));
        settle(&mut reconciler);
        Box::new(reconciler)
    })
}

pub fn withdraw() -> Ready {
    let (mut reconciler, route) = ready();
    wish(&mut reconciler, Some(&route));
    settle(&mut reconciler);
    Box::new(move || {
        wish(&mut reconciler, None);
        settle(&mut reconciler);
        Box::new(reconciler)
    })
}
