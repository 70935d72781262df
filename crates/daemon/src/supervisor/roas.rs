//! The ROA tables: records of the configuration and those that commands have added.
//!
//! A change makes new snapshots and hands them to everybody who runs filters:
//! peers and protocols follow the watch, tables and export groups are told. Routes
//! that were judged before stay as they were judged, as with BIRD: `reload` judges
//! them again.

use super::Supervisor;
use conf::config::{Config, RoaTableConf};
use control::request::RoaEdit;
use route::{Roa, RoaEntry, RoaOrigin, RoaTable, RoaTables};
use session::link::TableMsg;
use std::sync::Arc;

impl Supervisor {
    /// The tables of a configuration. Those that were there before keep what commands have added.
    pub(super) fn set_roas(&self, config: &Config) {
        let before = Arc::clone(&self.world.roas.borrow());
        let table = |conf: &RoaTableConf| {
            let fixed = conf.roas.iter().map(|roa| RoaEntry { roa: *roa, origin: RoaOrigin::Static });
            let table = match before.get(&conf.name) {
                Some(old) => old.changed(|entry| entry.origin == RoaOrigin::Dynamic, fixed),
                None => RoaTable::new(fixed.collect()),
            };
            (Arc::clone(&conf.name), Arc::new(table))
        };
        self.publish_roas(RoaTables::new(config.roa_tables.iter().map(table).collect()));
    }

    /// `add roa`, `delete roa`, `flush roa`.
    pub(super) fn edit_roa(&self, name: &str, edit: RoaEdit) {
        let before = Arc::clone(&self.world.roas.borrow());
        let Some(table) = before.get(name) else { return };
        let dynamic = |roa: Roa| RoaEntry { roa, origin: RoaOrigin::Dynamic };
        let table = match edit {
            RoaEdit::Add(roa) => table.changed(|_| true, [dynamic(roa)]),
            RoaEdit::Delete(roa) => table.changed(|entry| *entry != dynamic(roa), []),
            RoaEdit::Flush => table.changed(|entry| entry.origin != RoaOrigin::Dynamic, []),
        };
        self.publish_roas(before.with(name, table));
    }

    fn publish_roas(&self, roas: RoaTables) {
        let roas = Arc::new(roas);
        for table in self.tables.values() {
            self.world.deps.tables.send(*table, TableMsg::Roas(Arc::clone(&roas)));
        }
        self.world.deps.exports.set_roas(&roas);
        self.world.roas.send_replace(roas);
    }
}
