//! An answer that is coming: what a server says between its Cache Response and its End of Data.
//!
//! It is put out whole or not at all. A server may say one thing twice, and take
//! back what it has just announced: of each the last word counts.

use crate::pdu::Fault;
use crate::session::Act;
use route::{Customer, Roa};
use std::collections::BTreeMap;

/// Authorisations that one answer of a server may have, providers counted one by one; there are half a million in the world.
pub const ROAS_MAX: usize = 4_000_000;

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// Each with whether it comes, in the order in which they were said.
    roas: Vec<(Roa, bool)>,
    /// Who has providers: these, or nobody says so any more.
    aspas: BTreeMap<Customer, Option<Vec<u32>>>,
    /// How many numbers that are.
    numbers: usize,
}

impl Answer {
    /// Whether nothing was said yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.roas.is_empty() && self.aspas.is_empty()
    }

    /// An authorisation of an origin comes or goes.
    pub(crate) fn put_roa(&mut self, roa: Roa, announced: bool) -> Result<(), Fault> {
        self.makes_room(1)?;
        self.roas.push((roa, announced));
        Ok(())
    }

    /// The providers of a customer come, or go.
    pub(crate) fn put_aspa(&mut self, customer: Customer, providers: Option<Vec<u32>>) -> Result<(), Fault> {
        self.makes_room(1 + providers.as_ref().map_or(0, Vec::len))?;
        self.aspas.insert(customer, providers);
        Ok(())
    }

    /// An answer that grows without end is a fault.
    fn makes_room(&mut self, numbers: usize) -> Result<(), Fault> {
        self.numbers += numbers;
        match self.numbers > ROAS_MAX {
            true => Err(Fault { code: 1, text: format!("More than {ROAS_MAX} authorisations") }),
            false => Ok(()),
        }
    }

    /// It is complete. `whole`: what it does not announce is gone.
    pub(crate) fn complete(self, whole: bool) -> Act {
        let mut said = self.roas;
        // The last word on each comes first, and stays.
        said.sort_by_key(|(roa, _)| *roa);
        said.reverse();
        said.dedup_by_key(|(roa, _)| *roa);
        let (come, gone): (Vec<_>, Vec<_>) = said.into_iter().rev().partition(|(_, announced)| *announced);
        let roas = |all: Vec<(Roa, bool)>| all.into_iter().map(|(roa, _)| roa).collect();
        Act::Apply { whole, gone: roas(gone), come: roas(come), aspas: self.aspas.into_iter().collect() }
    }
}
