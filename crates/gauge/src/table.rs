//! A table: routes come, change, are asked for, go.

use crate::Ready;
use crate::feed::{ROUTES, act, batches, feed, net, table, withdrawals};
use rib::batch::Deed;
use rib::table::Table;
use route::Moment;

/// Feeds a table and tells it that every reader has read.
fn fed(table: &mut Table, peer: u8, batches: Vec<rib::batch::ImportBatch>) {
    if let Some(last) = feed(table, peer, batches).last() {
        table.release(last.seq);
    }
}

/// A table with a feed of the first of its peers.
fn loaded(peers: u8) -> Table {
    let mut table = table(peers);
    fed(&mut table, 1, batches(1, 0));
    table
}

pub fn load() -> Ready {
    let (mut table, batches) = (table(1), batches(1, 0));
    Box::new(move || {
        fed(&mut table, 1, batches);
        Box::new(table)
    })
}

pub fn change() -> Ready {
    let (mut table, batches) = (loaded(1), batches(1, 1));
    Box::new(move || {
        fed(&mut table, 1, batches);
        Box::new(table)
    })
}

pub fn second_feed() -> Ready {
    let (mut table, batches) = (loaded(2), batches(2, 1));
    Box::new(move || {
        fed(&mut table, 2, batches);
        Box::new(table)
    })
}

pub fn withdraw() -> Ready {
    let (mut table, batches) = (loaded(1), withdrawals(1));
    Box::new(move || {
        fed(&mut table, 1, batches);
        Box::new(table)
    })
}

pub fn peer_lost() -> Ready {
    let mut table = loaded(1);
    Box::new(move || {
        act(&mut table, 1, Deed::Down);
        while table.work(Moment(1), 1024) {
            table.seal();
        }
        let last = table.seal();
        Box::new((table, last))
    })
}

pub fn look_up() -> Ready {
    let table = loaded(1);
    Box::new(move || {
        let shown = (0..ROUTES).filter_map(|n| table.show(table.longest_match(&net(n))?)).count();
        assert_eq!(shown, ROUTES as usize, "every route is found");
        Box::new(table)
    })
}
