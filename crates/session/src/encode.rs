//! An advance as UPDATE messages: encoded once, shared by all who hear it.
//!
//! What nearly all members hear goes into one row of octets, what few hear into
//! another; each knows where its runs lie. A member's share of the first is cut
//! out around the runs that it does not hear, so a member costs as many slices as
//! there are such runs, and one when there are none.

use bytes::Bytes;
use rib::batch::ChangeBatch;
use rib::export::{Advance, GroupKey, Run, Signal, Slot};
use route::Family;
use std::collections::HashMap;
use std::ops::Range;
use wire::refresh::{RouteRefresh, Subtype};
use wire::{EncodeContext, Encoder, Nlri, PerFamily, frame};

/// Encodes for one group. Keeps its memory from advance to advance.
pub(crate) struct Encoding {
    family: Family,
    encoder: Encoder,
}

/// Octets of whole messages, how many those are, and who hears what of them.
#[derive(Default)]
struct Segment {
    octets: Vec<u8>,
    messages: u64,
    /// For each member named: runs that it does not hear (of the common segment), or that it hears (of the other).
    spans: HashMap<Slot, Vec<Span>>,
}

/// A run in a segment.
#[derive(Clone)]
struct Span {
    octets: Range<usize>,
    messages: u64,
}

/// An encoded advance.
pub(crate) struct Encoded {
    common: Bytes,
    common_messages: u64,
    unheard: HashMap<Slot, Vec<Span>>,
    special: Bytes,
    heard: HashMap<Slot, Vec<Span>>,
}

/// What one member is to write: pieces of whole messages, and the number of these.
#[derive(Default)]
pub(crate) struct Share {
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) messages: u64,
}

impl Encoding {
    /// For peers that share this key.
    pub(crate) fn new(key: &GroupKey) -> Self {
        let mut add_path_tx = PerFamily::default();
        *add_path_tx.get_mut(key.family) = key.add_path;
        let octets_max = if key.extended_messages { frame::EXTENDED_OCTETS_MAX } else { frame::MESSAGE_OCTETS_MAX };
        let encoder = Encoder::new(EncodeContext { as4: key.as4, add_path_tx, octets_max });
        Self { family: key.family, encoder }
    }

    /// Encodes all runs of an advance over the batch that it was made from.
    pub(crate) fn encode(&mut self, advance: &Advance, batch: &ChangeBatch) -> Encoded {
        let (mut common, mut special) = (Segment::default(), Segment::default());
        for run in &advance.runs {
            let (named, common_run) = match advance.listeners(run.audience) {
                (all_but, slots) if all_but => (slots, true),
                (_, slots) => (slots, false),
            };
            let segment = if common_run { &mut common } else { &mut special };
            let span = self.put(run, advance, batch, segment);
            for slot in named {
                segment.spans.entry(*slot).or_default().push(span.clone());
            }
        }
        Encoded {
            common: Bytes::from(common.octets),
            common_messages: common.messages,
            unheard: common.spans,
            special: Bytes::from(special.octets),
            heard: special.spans,
        }
    }

    fn put(&mut self, run: &Run, advance: &Advance, batch: &ChangeBatch, segment: &mut Segment) -> Span {
        let start = segment.octets.len();
        let nlris = advance.nets(run, batch).map(|(net, path_id)| Nlri { net, path_id });
        // A route that cannot be sent must not stay at the peer as it was before.
        let sendable = run.attrs.as_ref().and_then(|attrs| {
            let set = self.encoder.set_attributes(self.family, attrs.octets());
            set.inspect_err(|why| tracing::error!("{why}, skipping corresponding routes")).ok()
        });
        let written = match sendable {
            Some(()) => self.encoder.announce(nlris, &mut segment.octets),
            None => self.encoder.withdraw(self.family, nlris, &mut segment.octets),
        };
        let messages = u64::from(written.messages);
        segment.messages += messages;
        Span { octets: start..segment.octets.len(), messages }
    }

    /// A signal as a message.
    pub(crate) fn signal(&self, signal: Signal) -> Share {
        let mut octets = Vec::new();
        let messages = match signal {
            Signal::EndOfRib => {
                Encoder::end_of_rib(self.family, &mut octets);
                1
            }
            Signal::BeginRefresh => {
                RouteRefresh::encode(self.family, Subtype::Begin, &mut octets);
                0
            }
            Signal::EndRefresh => {
                RouteRefresh::encode(self.family, Subtype::End, &mut octets);
                0
            }
        };
        Share { pieces: vec![octets.into()], messages }
    }
}

impl Encoded {
    /// What one member writes of it.
    pub(crate) fn share(&self, slot: Slot) -> Share {
        let mut share = Share { pieces: Vec::new(), messages: self.common_messages };
        let mut at = 0;
        for span in self.unheard.get(&slot).into_iter().flatten() {
            share.put(&self.common, at..span.octets.start);
            share.messages -= span.messages;
            at = span.octets.end;
        }
        share.put(&self.common, at..self.common.len());
        let mut open = 0..0;
        for span in self.heard.get(&slot).into_iter().flatten() {
            share.messages += span.messages;
            if span.octets.start == open.end {
                open.end = span.octets.end;
            } else {
                share.put(&self.special, std::mem::replace(&mut open, span.octets.clone()));
            }
        }
        share.put(&self.special, open);
        share
    }
}

impl Share {
    fn put(&mut self, segment: &Bytes, range: Range<usize>) {
        if !range.is_empty() {
            self.pieces.push(segment.slice(range));
        }
    }
}
