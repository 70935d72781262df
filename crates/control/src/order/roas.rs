//! Which ROAs a command of 1.6 means: `show roa`, and the table of the others.

use super::Refusal;
use crate::code;
use conf::command::Reader;
use conf::config::{Authorises, Config};
use filter::syntax::Tok;
use route::{Prefix, Roa, RoaEntry, RoaTable};
use std::sync::Arc;

/// `[table NAME]`: a ROA table, the first one when it does not say.
pub(super) fn roa_table(reader: &mut Reader<'_>, config: &Config) -> Result<Arc<str>, Refusal> {
    if reader.at().eat_word("table") {
        return Ok(reader.roa_table()?);
    }
    reader.end(&[])?;
    the_roa_table(config)
}

fn the_roa_table(config: &Config) -> Result<Arc<str>, Refusal> {
    let none = || Refusal { code: code::PARSE_ERROR, text: "No ROA table defined".to_owned() };
    config.roa_tables.iter().find(|t| t.of == Authorises::Any).map(|t| t.name.clone()).ok_or_else(none)
}

/// Which records `show roa` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoaQuery {
    /// Of which table.
    pub table: Arc<str>,
    /// For which prefix.
    pub nets: RoaNets,
    /// Of which AS; 0: of any.
    pub asn: u32,
}

/// Which prefixes `show roa` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoaNets {
    /// All.
    All,
    /// This one.
    Exact(Prefix),
    /// This one and what lies inside.
    Inside(Prefix),
    /// This one and what covers it.
    Covering(Prefix),
}

impl RoaQuery {
    /// Arguments in any order; of tables and ASs the last counts.
    pub(super) fn read(reader: &mut Reader<'_>, config: &Config) -> Result<Self, Refusal> {
        // Where there is no table, BIRD looks at no argument.
        let first = the_roa_table(config)?;
        let (mut table, mut nets, mut asn) = (None, RoaNets::All, 0);
        while !reader.at().at_end() {
            if reader.at().eat_word("table") {
                table = Some(reader.roa_table()?);
                continue;
            }
            if reader.at().eat_word("as") {
                asn = reader.at().number()?;
                continue;
            }
            let make = if reader.at().eat_word("in") {
                RoaNets::Inside
            } else if reader.at().eat_word("for") {
                RoaNets::Covering
            } else if reader.at().peek() == Tok::Word && !reader.is_name_ahead() {
                return Err(reader.at().unexpected().into());
            } else {
                RoaNets::Exact
            };
            let net = reader.prefix()?;
            if nets != RoaNets::All {
                return Err(Refusal { code: code::PARSE_ERROR, text: "Only one prefix expected".to_owned() });
            }
            nets = make(net);
        }
        Ok(Self { table: table.unwrap_or(first), nets, asn })
    }

    /// The records, by address, shorter prefixes first; those that cover a prefix longest first.
    pub fn select(&self, table: &RoaTable) -> Vec<Roa> {
        let of_as = |e: RoaEntry| (self.asn == 0 || e.roa.asn == self.asn).then_some(e.roa);
        match self.nets {
            RoaNets::All => table.iter().filter_map(of_as).collect(),
            RoaNets::Exact(net) => {
                table.covering(net).into_iter().filter(|e| e.roa.prefix == net).filter_map(of_as).collect()
            }
            RoaNets::Inside(net) => table.iter().filter(|e| net.covers(&e.roa.prefix)).filter_map(of_as).collect(),
            RoaNets::Covering(net) => table.covering(net).into_iter().filter_map(of_as).collect(),
        }
    }
}
