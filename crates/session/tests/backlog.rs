//! What waits: questions before a busy table, and what a table keeps for a reader that is slow.
//!
//! The bounds are counted in rows, octets and batches that are alive, not in time or resident memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod world;

use rbird_session::link::{Follower, Portion, Progress, ReaderId, TableMsg};
use rib::batch::{Act, ChangeBatch, Deed, Generation, ImportBatch, ImportRow, NetId, Reading, What};
use route::attrs::{AttrSetBuilder, Local};
use route::hop::Dest;
use route::net::Prefix4;
use route::{ChannelId, Prefix, SourceId, SourceKind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};
use world::{PATIENCE, TABLE, World};

/// More than any reader is given that uses nothing: the bound of `tables` and a batch above it, with room to spare.
const OCTETS_MAX: usize = 6 << 20;
/// Sets in a batch: as few prefixes to a set as in the table of the Internet.
const SETS: u32 = 1500;
const ROWS: u32 = 8000;

fn net(n: u32) -> Prefix {
    Prefix::V4(Prefix4::new(0x0a00_0000 + (n << 8), 24).unwrap())
}

/// Acts of the channel that [`World::announce`] brings up.
impl World {
    fn change(&self, first: u32, life: u32) {
        let set = |n| {
            let mut set = AttrSetBuilder::new(Local::new(SourceKind::Static, 200, Dest::Blackhole));
            set.set_u32(route::attr::code::MED, life * SETS + n);
            set.build()
        };
        let row = |n| ImportRow { net: net(first + n), source: SourceId(1), what: What::Announce(n % SETS) };
        self.bring(ImportBatch { palette: (0..SETS).map(set).collect(), rows: (0..ROWS).map(row).collect() });
    }

    fn take_back(&self, first: u32) {
        let row = |n| ImportRow { net: net(first + n), source: SourceId(1), what: What::Withdraw };
        self.bring(ImportBatch { palette: Vec::new(), rows: (0..ROWS).map(row).collect() });
    }

    fn bring(&self, batch: ImportBatch) {
        let act = Act { channel: ChannelId(1), generation: Generation(1), deed: Deed::Import(batch) };
        self.deps.tables.send(TABLE, TableMsg::Act(act, None));
    }

    async fn received(&self) -> u64 {
        self.deps.tables.query(TABLE, |t| t.import_stats(ChannelId(1)).updates_received).await.unwrap()
    }

    /// Waits until the table has taken in all that it was given. What it has to tell of that is told soon after.
    async fn takes_in(&self, announced: u64) {
        self.until("all is taken in", async || self.received().await == announced).await;
    }

    async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let waiting = async {
            while !is_so().await {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{what}");
    }
}

/// A follower that keeps what it is given until it is told to use it.
struct Reader {
    id: ReaderId,
    given: Arc<Mutex<Vec<Arc<ChangeBatch>>>>,
    seen: Mutex<Vec<Weak<ChangeBatch>>>,
    progress: Mutex<Progress>,
}

impl Reader {
    fn new(world: &World) -> Self {
        let given: Arc<Mutex<Vec<_>>> = Arc::default();
        let (id, to) = (ReaderId::next(), given.clone());
        let deliver = Box::new(move |portion| {
            let batch = match portion {
                Portion::Changes { batch, .. } => batch,
                Portion::Rest => return,
                _ => panic!("nothing else was asked for"),
            };
            to.lock().unwrap().push(batch);
        });
        let follower = Follower { reader: id, reading: Reading::Best, freed: u64::MAX, deliver };
        world.deps.tables.send(TABLE, TableMsg::Follow(follower));
        Self { id, given, seen: Mutex::default(), progress: Mutex::default() }
    }

    /// Octets of rows and of paths, which is less than what counts.
    fn octets(&self) -> usize {
        let given = self.given.lock().unwrap();
        given.iter().map(|b| size_of_val(&*b.rows) + size_of_val(&*b.paths)).sum()
    }

    /// Uses all that it has; `holds`: but keeps the numbers of what is gone. Calls `row` for each prefix.
    fn read(&self, world: &World, holds: bool, mut row: impl FnMut(NetId, bool)) {
        let mut progress = self.progress.lock().unwrap();
        for batch in self.given.lock().unwrap().drain(..) {
            batch.rows.iter().for_each(|r| row(r.id, !r.paths.is_empty()));
            progress.used = batch.seq;
            progress.taken += 1;
            self.seen.lock().unwrap().push(Arc::downgrade(&batch));
        }
        if !holds {
            progress.freed = progress.used;
        }
        world.deps.tables.send(TABLE, TableMsg::Progress(self.id, *progress));
    }

    fn batches_alive(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|b| b.strong_count() > 0).count()
    }
}

#[tokio::test]
async fn a_question_overtakes_the_batches_before_a_table_and_follows_them_when_they_are_few() {
    let world = World::new();
    world.announce([192, 0], 100);
    let networks = || world.deps.tables.query(TABLE, |t| t.totals().networks);
    assert_eq!(networks().await, Some(100), "a table at rest has done what was sent before");
    let all = u64::from(ROWS) * 40;
    (0..40).for_each(|n| world.change(n * ROWS, 0));
    let so_far = u64::from(networks().await.unwrap());
    assert!(so_far < all / 2, "{so_far} of {all} before the question was answered");
    // Acts of one channel keep their order.
    (0..40).for_each(|n| world.take_back(n * ROWS));
    world.change(0, 1);
    world.takes_in(100 + all + u64::from(ROWS)).await;
    assert_eq!(networks().await, Some(100 + ROWS));
}

#[tokio::test]
async fn a_reader_that_uses_nothing_is_given_a_bounded_number_of_octets_and_then_what_is_current_once() {
    let world = World::new();
    let reader = Reader::new(&world);
    world.announce([192, 0], 0);
    let changes = 10;
    for life in 0..changes {
        (0..5).for_each(|n| world.change(n * ROWS, life));
        world.takes_in(u64::from(life + 1) * 5 * u64::from(ROWS)).await;
        assert!(reader.octets() <= OCTETS_MAX, "{} octets", reader.octets());
    }
    // What it has is old news; then each prefix comes once.
    reader.read(&world, false, |_, _| ());
    let mut told: HashMap<NetId, u32> = HashMap::new();
    let told = Mutex::new(&mut told);
    world
        .until("all prefixes come again", async || {
            assert!(reader.octets() <= OCTETS_MAX);
            reader.read(&world, false, |id, _| *told.lock().unwrap().entry(id).or_default() += 1);
            world.received().await;
            told.lock().unwrap().len() == 5 * ROWS as usize
        })
        .await;
    reader.read(&world, false, |id, _| *told.lock().unwrap().entry(id).or_default() += 1);
    assert!(told.lock().unwrap().values().all(|times| *times == 1));
}

#[tokio::test]
async fn while_a_reader_holds_numbers_of_what_is_gone_no_batch_is_kept_and_no_number_waits_twice() {
    let world = World::new();
    let reader = Reader::new(&world);
    world.announce([192, 0], 0);
    let lives = 30;
    for life in 0..lives {
        world.change(0, life);
        world.take_back(0);
        world.takes_in(u64::from(life + 1) * u64::from(ROWS)).await;
        reader.read(&world, true, |_, _| ());
    }
    world
        .until("no batch is kept", async || {
            reader.read(&world, true, |_, _| ());
            world.received().await;
            reader.batches_alive() == 0
        })
        .await;
    let waiting = || world.deps.tables.query(TABLE, |t| t.waiting_numbers());
    let bound = 2 * ROWS as usize + 16_384;
    let numbers = waiting().await.unwrap();
    assert!((ROWS as usize..=bound).contains(&numbers), "{numbers} words about {ROWS} numbers");
    world
        .until("the numbers are given back", async || {
            reader.read(&world, false, |_, _| ());
            waiting().await == Some(0)
        })
        .await;
}
