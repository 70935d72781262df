//! Next hops that another table answers (`igp table`).
//!
//! A table that needs an answer from another one asks once for each distinct
//! next hop, and says when it needs it no more. The table that is asked holds
//! the next hop as if a path of its own used it, and answers again whenever the
//! answer changes. The words go by [`HopMail`], which whoever owns the tables
//! carries from one to the other, in order.

use crate::batch::ResolvedHop;
use crate::nexthop::HopId;
use crate::table::Table;
use route::hop::Recursive;
use route::{Dest, Moment, TableId};

/// A letter from one table to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HopMail {
    /// To whom.
    pub to: TableId,
    /// From whom.
    pub from: TableId,
    /// About which next hop.
    pub hop: Recursive,
    /// What.
    pub word: HopWord,
}

/// What one table says to another about a next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HopWord {
    /// Where does it lead? To be answered now and at every change.
    Ask,
    /// No answer is wanted any more.
    Forget,
    /// It leads there.
    Answer(ResolvedHop),
}

impl Table {
    /// What this table has to say to others since the last call.
    pub fn take_mail(&mut self) -> Vec<HopMail> {
        let from = self.spec.id;
        let mut mail: Vec<_> = self
            .core
            .hops
            .take_words()
            .into_iter()
            .map(|(hop, word)| HopMail { to: hop.table, from, hop, word })
            .collect();
        mail.append(&mut self.answers);
        mail
    }

    /// A letter has come.
    pub fn receive(&mut self, mail: HopMail, now: Moment) {
        let dest = Dest::Recursive(mail.hop.clone());
        match mail.word {
            HopWord::Ask => {
                let id = self.core.hops.intern(&dest);
                self.answer_new_hops(now);
                self.askers.entry(id).or_default().push(mail.from);
                self.reply(id, mail.from);
            }
            HopWord::Forget => {
                let Some(id) = self.core.hops.find(&dest) else { return };
                let Some(askers) = self.askers.get_mut(&id) else { return };
                let Some(at) = askers.iter().position(|t| *t == mail.from) else { return };
                askers.swap_remove(at);
                if askers.is_empty() {
                    self.askers.remove(&id);
                }
                self.core.hops.drop(id);
            }
            HopWord::Answer(answer) => {
                self.core.hops.heard(&dest, mail.hop, answer);
                self.answer_new_hops(now);
            }
        }
    }

    /// Tells everybody who asked that an answer has changed.
    pub(crate) fn reply_all(&mut self, id: HopId) {
        for to in self.askers.get(&id).cloned().unwrap_or_default() {
            self.reply(id, to);
        }
    }

    fn reply(&mut self, id: HopId, to: TableId) {
        let Dest::Recursive(hop) = self.core.hops.dest(id).clone() else { return };
        let word = HopWord::Answer(self.core.hops.resolved(id).clone());
        self.answers.push(HopMail { to, from: self.spec.id, hop, word });
    }
}
