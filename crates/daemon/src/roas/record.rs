//! What an authorisation is known by in its table: an origin, or the AS whose providers it names.

use conf::config::Carries;
use filter::{Authorised, RouteView};
use route::{
    AspaTable, AttrSet, Customer, Family, Kept, Moment, Prefix, Roa, RoaChange, RoaChanged, RoaLot, RoaStep, RoaTable,
    RoaTables, Source, SourceId,
};
use std::sync::Arc;

/// See the head of the file.
pub trait Record: Copy + Ord + 'static {
    /// The channels to such tables.
    const CARRIES: Carries;

    /// A table of them.
    type Table;

    /// Where a change is felt.
    type Place;

    /// Its net, as filters see it, with the prefix if there is one.
    fn net(&self) -> (Prefix, Authorised<'_>);

    /// Whether there can be such a net; others are bogus.
    fn is_net(&self) -> bool {
        true
    }

    /// The table of this name, if it is one of these.
    fn table<'t>(tables: &'t RoaTables, name: &str) -> Option<&'t Arc<Self::Table>>;

    /// The tables with another one of this name.
    fn with(tables: &RoaTables, name: &str, table: Self::Table) -> RoaTables;

    /// A table after a change.
    fn after(table: &Self::Table, change: RoaChange<Self>, now: Moment) -> (Self::Table, RoaChanged<Self::Place>);

    /// All that protocols have given.
    fn given(table: &Self::Table) -> impl Iterator<Item = (Self, &RoaLot)>;

    /// What filters have rejected, and is kept.
    fn kept(table: &Self::Table) -> &Kept<Self>;

    /// What protocols give with this one, the most preferred first.
    fn lots(self, table: &Self::Table) -> Vec<&RoaLot>;

    /// What is otherwise than `before` where a change was felt.
    fn steps<'t>(after: &'t Self::Table, before: &'t Self::Table, touched: &[Self::Place]) -> Vec<RoaStep<'t, Self>>;

    /// Where routes may be judged otherwise.
    fn touched(places: Vec<Self::Place>) -> Touched;

    /// It as a route that a filter is given.
    fn view<'a>(&'a self, attrs: &'a AttrSet, source: &'a Source) -> RouteView<'a> {
        let (net, roa) = self.net();
        RouteView { roa: Some(roa), net, attrs, source, resolved: None, igp_metric: None }
    }

    /// All that a source has given of a table, what was rejected among it.
    fn of_source(table: &Self::Table, source: SourceId) -> Vec<Self> {
        let given = Self::given(table).filter(|(_, lot)| lot.source.id == source).map(|(record, _)| record);
        given.chain(Self::kept(table).of_source(source)).collect()
    }
}

/// Where routes may be judged otherwise than before.
pub enum Touched {
    /// Inside these prefixes.
    Prefixes(Vec<Prefix>),
    /// Everywhere: providers are others.
    Providers,
}

impl Record for Roa {
    const CARRIES: Carries = Carries::Origins;
    type Table = RoaTable;
    type Place = Prefix;

    fn net(&self) -> (Prefix, Authorised<'_>) {
        (self.prefix, Authorised::Origin(self))
    }

    fn table<'t>(tables: &'t RoaTables, name: &str) -> Option<&'t Arc<RoaTable>> {
        tables.get(name)
    }

    fn with(tables: &RoaTables, name: &str, table: RoaTable) -> RoaTables {
        tables.with(name, table)
    }

    fn after(table: &RoaTable, change: RoaChange, now: Moment) -> (RoaTable, RoaChanged) {
        table.after(change, now)
    }

    fn given(table: &RoaTable) -> impl Iterator<Item = (Self, &RoaLot)> {
        table.given()
    }

    fn kept(table: &RoaTable) -> &Kept<Self> {
        table.kept()
    }

    fn lots(self, table: &RoaTable) -> Vec<&RoaLot> {
        table.lots_of(self)
    }

    fn steps<'t>(after: &'t RoaTable, before: &'t RoaTable, touched: &[Prefix]) -> Vec<RoaStep<'t>> {
        after.steps_since(before, touched)
    }

    fn touched(places: Vec<Prefix>) -> Touched {
        Touched::Prefixes(places)
    }
}

impl Record for Customer {
    const CARRIES: Carries = Carries::Providers;
    type Table = AspaTable;
    type Place = Self;

    fn net(&self) -> (Prefix, Authorised<'_>) {
        (Prefix::default(Family::Ipv4), Authorised::Customer(*self))
    }

    /// AS 0 is nobody's (RFC 7607), so nobody is its provider.
    fn is_net(&self) -> bool {
        self.0 != 0
    }

    fn table<'t>(tables: &'t RoaTables, name: &str) -> Option<&'t Arc<AspaTable>> {
        tables.aspas(name)
    }

    fn with(tables: &RoaTables, name: &str, table: AspaTable) -> RoaTables {
        tables.with_aspas(name, table)
    }

    fn after(table: &AspaTable, change: RoaChange<Self>, now: Moment) -> (AspaTable, RoaChanged<Self>) {
        table.after(change, now)
    }

    fn given(table: &AspaTable) -> impl Iterator<Item = (Self, &RoaLot)> {
        table.given()
    }

    fn kept(table: &AspaTable) -> &Kept<Self> {
        table.kept()
    }

    fn lots(self, table: &AspaTable) -> Vec<&RoaLot> {
        table.of(self).iter().map(|entry| &entry.by).collect()
    }

    fn steps<'t>(after: &'t AspaTable, before: &'t AspaTable, touched: &[Self]) -> Vec<RoaStep<'t, Self>> {
        after.steps_since(before, touched)
    }

    fn touched(_: Vec<Self>) -> Touched {
        Touched::Providers
    }
}
