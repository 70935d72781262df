//! Tables that pipes lead to let others go first, in a clock that stands.

use super::*;
use rib::batch::{ChannelSpec, Generation, ImportBatch, ImportRow, PipeSpec, What};
use route::attrs::{AttrSetBuilder, Local};
use route::hop::{Dest, Hop};
use route::{ChannelId, Family, IfIndex, Prefix, ProtocolId, Source, SourceId, SourceKind};
use std::net::IpAddr;
use std::sync::Mutex;

const HUB: TableId = TableId(1);
const LEFT: TableId = TableId(2);
const RIGHT: TableId = TableId(3);
const FAR: TableId = TableId(4);

fn thread() -> Thread {
    let mut thread = Thread {
        pace: Pace::new("a thread under test"),
        mailbox: Arc::new(Mailbox::new()),
        tables: Vec::new(),
        clock: Clock::since(Instant::now() + Duration::from_secs(3600)),
        events: Arc::new(|_, _| ()),
        others: Arc::default(),
        passing: Passing::default(),
    };
    for (id, name) in [(HUB, "hub"), (LEFT, "left"), (RIGHT, "right"), (FAR, "far")] {
        thread.sort_in(Order::Add(Box::new(TableSpec {
            id,
            name: name.into(),
            family: Family::Ipv4,
            order: rib::query::Order::Newest,
        })));
    }
    // From both sides into the hub, from there to the far table.
    for (number, from, into) in [(10, LEFT, HUB), (11, RIGHT, HUB), (12, HUB, FAR)] {
        thread.pipe(ChannelId(number), from, into);
    }
    [LEFT, RIGHT].into_iter().for_each(|table| thread.give(table, Deed::Up(Box::new(channel()))));
    [(LEFT, 1), (RIGHT, 2)].into_iter().for_each(|(table, n)| thread.give(table, Deed::Source(source(n))));
    thread.run_out();
    thread
}

fn channel() -> ChannelSpec {
    ChannelSpec {
        family: Family::Ipv4,
        late_filter: None,
        keep_filtered: false,
        receive_limit: None,
        import_limit: None,
    }
}

fn source(number: u32) -> Arc<Source> {
    let name = format!("static{number}").into();
    let (id, protocol) = (SourceId(number), ProtocolId(number));
    Arc::new(Source::of_protocol(id, protocol, name, SourceKind::Static))
}

impl Thread {
    fn give(&mut self, table: TableId, deed: Deed) {
        let act = Act { channel: ChannelId(1), generation: Generation(1), deed };
        self.sort_in(Order::To(table, TableMsg::Act(act, None)));
    }

    /// Everything that reaches one table reaches another.
    fn pipe(&mut self, channel_id: ChannelId, from: TableId, into: TableId) {
        let act = move |deed| TableMsg::Act(Act { channel: channel_id, generation: Generation(1), deed }, None);
        let (name, policy) = ("p".into(), filter::Policy::Accept);
        let spec = PipeSpec { name, policy, back: ChannelId(99), opaque: None, pipes_max: 16 };
        self.sort_in(Order::To(into, act(Deed::Up(Box::new(channel())))));
        self.sort_in(Order::To(into, act(Deed::Pipe(Box::new(spec)))));
        let mailbox = Arc::clone(&self.mailbox);
        let deliver = Box::new(move |delivery| {
            let piped = match delivery {
                Delivery::Changes(batch) => Piped::Changes(batch),
                Delivery::Feed(batch) => Piped::Current(batch),
                Delivery::FeedDone => Piped::Fed,
            };
            mailbox.push(Order::To(into, act(Deed::Piped(piped))));
        });
        let subscription = Subscription { reader: ReaderId::next(), reading: Reading::Each, deliver };
        self.sort_in(Order::To(from, TableMsg::Subscribe(subscription)));
    }

    /// A path to one prefix, by way of a static protocol with this preference.
    fn announce(&mut self, table: TableId, number: u32, preference: u32) {
        let hop = Hop::via(IpAddr::from([192, 0, 2, 9]), IfIndex(1));
        let local = Local::new(SourceKind::Static, preference, Dest::Via(hop));
        let net: Prefix = "10.0.0.0/8".parse().unwrap();
        let row = ImportRow { net, source: SourceId(number), what: What::Announce(0) };
        self.give(
            table,
            Deed::Import(ImportBatch { palette: vec![AttrSetBuilder::new(local).build()], rows: vec![row] }),
        );
    }

    /// One turn of the thread.
    fn once(&mut self) -> bool {
        let mut orders = Vec::new();
        self.mailbox.take(Nap::No, &mut orders);
        let came = !orders.is_empty();
        orders.drain(..).for_each(|order| self.sort_in(order));
        came | self.round(true, &mut orders) || self.round(false, &mut orders)
    }

    fn run_out(&mut self) {
        while self.once() {}
    }

    fn at(&self, table: TableId) -> usize {
        self.tables.iter().position(|t| t.table.spec().id == table).unwrap()
    }
}

/// The preferences of the paths that a neighbour of a table is told.
fn listen(thread: &mut Thread, table: TableId) -> Arc<Mutex<Vec<u32>>> {
    let told: Arc<Mutex<Vec<u32>>> = Arc::default();
    let heard = Arc::clone(&told);
    let deliver = Box::new(move |portion| {
        if let Portion::Changes { batch, .. } = portion {
            let mut heard = heard.lock().unwrap();
            heard.extend(batch.palette.iter().map(|attrs| attrs.local().preference));
        }
    });
    let follower = Follower { reader: ReaderId::next(), reading: Reading::Best, freed: 0, deliver };
    thread.sort_in(Order::To(table, TableMsg::Follow(follower)));
    thread.run_out();
    told
}

#[test]
fn a_neighbour_behind_a_pipe_is_not_told_of_a_path_whose_better_is_on_its_way() {
    let mut thread = thread();
    let told = listen(&mut thread, FAR);
    thread.announce(LEFT, 1, 100);
    thread.once();
    // The worse is on its way through the hub; the better comes now.
    thread.announce(RIGHT, 2, 200);
    thread.run_out();
    assert_eq!(*told.lock().unwrap(), [200]);
}

#[test]
fn who_has_waited_long_waits_no_more_until_it_has_caught_up() {
    let mut thread = thread();
    let told = listen(&mut thread, FAR);
    thread.announce(LEFT, 1, 100);
    thread.once();
    let mut orders = Vec::new();
    thread.mailbox.take(Nap::No, &mut orders);
    orders.drain(..).for_each(|order| thread.sort_in(order));
    let hub = thread.at(HUB);
    thread.announce(RIGHT, 2, 200);
    assert!(thread.yields(hub), "a session's path waits");
    thread.clock = Clock::since(Instant::now() - Duration::from_millis(PUT_OFF_MS));
    assert!(!thread.yields(hub));
    thread.turn(hub);
    assert_eq!(thread.tables[hub].put_off, None);
    thread.run_out();
    assert_eq!(told.lock().unwrap().last(), Some(&200));
}
