//! What a peer has been told: the routes that stand, by family.

use route::{Family, Prefix};
use std::collections::BTreeMap;
use wire::{Decoded, Nlri, Notification, Update, UpdateContext};

/// The routes that stand after all UPDATEs so far, and how they came.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Canonical attribute octets (see `route::attrs`) by prefix and path.
    pub routes: BTreeMap<Nlri, Vec<u8>>,
    /// Families whose End-of-RIB has come.
    pub end_of_rib: Vec<Family>,
    /// Announcements, repeated ones too.
    pub announced: usize,
    /// Withdrawals, vain ones too.
    pub withdrawn: usize,
    /// What RFC 7606 had to treat, as log lines: empty for a daemon that sends no nonsense.
    pub remarks: Vec<String>,
}

impl Told {
    /// Takes in the body of an UPDATE.
    pub fn take_in(&mut self, body: &[u8], context: &UpdateContext) -> Result<(), Notification> {
        let update = Update::split(body, context)?;
        for nlri in update.withdrawn().flat_map(|nlris| nlris.iter()) {
            self.withdrawn += 1;
            self.routes.remove(&nlri);
        }
        let mut decoded = Decoded::new();
        for announced in update.announced() {
            announced.attributes(context, &mut decoded)?;
            self.remarks.extend(decoded.remarks().iter().map(ToString::to_string));
            for nlri in announced.nlris.iter() {
                self.announced += 1;
                if decoded.is_withdrawal() {
                    self.routes.remove(&nlri);
                } else {
                    self.routes.insert(nlri, decoded.octets().to_vec());
                }
            }
        }
        self.end_of_rib.extend(update.end_of_rib());
        Ok(())
    }

    /// The attributes of the only or first path to a prefix.
    pub fn attributes(&self, net: Prefix) -> Option<&[u8]> {
        let from = Nlri { net, path_id: 0 };
        let (found, octets) = self.routes.range(from..).next()?;
        (found.net == net).then_some(octets.as_slice())
    }

    /// The prefixes that stand, in order.
    pub fn nets(&self) -> Vec<String> {
        self.routes.keys().map(|n| n.net.to_string()).collect()
    }
}
