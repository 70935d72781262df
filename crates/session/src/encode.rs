//! An advance as UPDATE messages: encoded once, shared by all who hear it.
//!
//! What nearly all members hear goes into one row of octets, what few hear into
//! another; each knows where its runs lie. A member's share of the first is cut
//! out around the runs that it does not hear, so a member costs as many slices as
//! there are such runs, and one when there are none.

use bytes::Bytes;
use rib::batch::ChangeBatch;
use rib::export::{Advance, GroupKey, Run, Signal, Slot};
use route::{Family, Prefix};
use std::collections::HashMap;
use std::ops::Range;
use wire::refresh::{RouteRefresh, Subtype};
use wire::{EncodeContext, Encoder, Nlri, PerFamily, frame};

/// Encodes for one group. Keeps its memory from advance to advance.
pub(crate) struct Encoding {
    family: Family,
    encoder: Encoder,
    unfinished: Option<Unfinished>,
}

/// Withdrawals that wait for a fuller message.
struct Unfinished {
    /// Who does not hear them.
    deaf: Vec<Slot>,
    nlris: Vec<Nlri>,
}

/// Octets of whole messages, how many those are, and who hears what of them.
#[derive(Default)]
struct Segment {
    octets: Vec<u8>,
    messages: u64,
    /// For each member named: runs that it does not hear (of the common segment), or that it hears (of the other).
    spans: HashMap<Slot, Vec<Span>>,
}

impl Segment {
    /// The messages from an octet on to the end, so many.
    fn span(&mut self, start: usize, messages: u32) -> Span {
        self.messages += u64::from(messages);
        Span { octets: start..self.octets.len(), messages: u64::from(messages) }
    }

    /// Notes whom the segment names for a run.
    fn note(&mut self, named: &[Slot], span: &Span) {
        for slot in named {
            self.spans.entry(*slot).or_default().push(span.clone());
        }
    }
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
        Self { family: key.family, encoder, unfinished: None }
    }

    /// Encodes all runs of an advance over the batch that it was made from. `more` follows at once: withdrawals
    /// that nearly all hear may wait for it, up to a message of them.
    pub(crate) fn encode(&mut self, advance: &Advance, batch: &ChangeBatch, more: bool) -> Encoded {
        let (mut common, mut special) = (Segment::default(), Segment::default());
        let goes_on = |waiting: &Unfinished| {
            let is_it = |run: &&Run| run.attrs.is_none() && advance.listeners(run.audience) == (true, &*waiting.deaf);
            advance.runs.iter().any(|run| is_it(&run))
        };
        if !self.unfinished.as_ref().is_some_and(goes_on) {
            self.finish_into(&mut common);
        }
        for run in &advance.runs {
            let (all_but, named) = advance.listeners(run.audience);
            let segment = if all_but { &mut common } else { &mut special };
            let span = if all_but && run.attrs.is_none() {
                self.put_withdrawals(named, more, advance.nets(run, batch), segment)
            } else {
                self.put(run, advance, batch, segment)
            };
            segment.note(named, &span);
        }
        Encoded::new(common, special)
    }

    /// What still waits.
    pub(crate) fn finish(&mut self) -> Option<Encoded> {
        self.unfinished.as_ref()?;
        let mut common = Segment::default();
        self.finish_into(&mut common);
        Some(Encoded::new(common, Segment::default()))
    }

    fn finish_into(&mut self, segment: &mut Segment) {
        let Some(Unfinished { deaf, nlris }) = self.unfinished.take() else { return };
        let start = segment.octets.len();
        let written = self.encoder.withdraw(self.family, nlris, &mut segment.octets);
        let span = segment.span(start, written.messages);
        segment.note(&deaf, &span);
    }

    /// Withdrawals for all but a few, those that waited for them first. A last message that is not full waits itself
    /// when there is a full one before it, so nothing waits for longer than one advance.
    fn put_withdrawals(
        &mut self,
        deaf: &[Slot],
        more: bool,
        nets: impl Iterator<Item = (Prefix, u32)> + Clone,
        segment: &mut Segment,
    ) -> Span {
        let waited = self.unfinished.take_if(|waiting| waiting.deaf == deaf).map_or(Vec::new(), |w| w.nlris);
        let nlris = waited.iter().copied().chain(nets.map(|(net, path_id)| Nlri { net, path_id }));
        let start = segment.octets.len();
        let mut written = self.encoder.withdraw(self.family, nlris.clone(), &mut segment.octets);
        if more && self.unfinished.is_none() && written.messages > 1 {
            segment.octets.truncate(written.last_at);
            written.messages -= 1;
            let rest = nlris.skip((written.routes - written.last_routes) as usize).collect();
            self.unfinished = Some(Unfinished { deaf: deaf.to_vec(), nlris: rest });
        }
        segment.span(start, written.messages)
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
        segment.span(start, written.messages)
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
    fn new(common: Segment, special: Segment) -> Self {
        Self {
            common: Bytes::from(common.octets),
            common_messages: common.messages,
            unheard: common.spans,
            special: Bytes::from(special.octets),
            heard: special.spans,
        }
    }

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
