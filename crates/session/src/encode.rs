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
use wire::encode::CannotSend;
use wire::refresh::{RouteRefresh, Subtype};
use wire::{EncodeContext, Encoder, Nlri, PerFamily, frame};

/// Encodes for one group. Keeps its memory from advance to advance.
pub(crate) struct Encoding {
    family: Family,
    encoder: Encoder,
    unfinished: Option<Unfinished>,
}

/// Withdrawals that wait for a fuller message: less than fill one.
struct Unfinished {
    /// Who hears them: all but these, or only these.
    all_but: bool,
    named: Vec<Slot>,
    nlris: Vec<Nlri>,
    /// The octets of these.
    octets: usize,
    /// For how many advances the first has waited.
    advances: u8,
}

/// For how many advances a withdrawal waits while the table has more to say.
const ADVANCES_MAX: u8 = 16;

impl Unfinished {
    fn is_for(&self, (all_but, named): (bool, &[Slot])) -> bool {
        self.all_but == all_but && self.named == named
    }
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

    /// Whether what waits must be said before an advance, not with it. With it go withdrawals for the same; and it must
    /// not come behind an announcement, so only withdrawals go on with what few hear.
    pub(crate) fn is_over_with(&self, advance: &Advance) -> bool {
        let Some(waiting) = &self.unfinished else { return false };
        let goes_on = |run: &Run| run.attrs.is_none() && waiting.is_for(advance.listeners(run.audience));
        let announces = || advance.runs.iter().any(|run| run.attrs.is_some());
        !advance.runs.iter().any(goes_on) || !waiting.all_but && announces()
    }

    /// Encodes all runs of an advance over the batch that it was made from. `more` follows at once: withdrawals may wait
    /// for it, less than fill a message. What waits already is either finished before, or
    /// [goes on](Self::is_over_with) here.
    pub(crate) fn encode(&mut self, advance: &Advance, batch: &ChangeBatch, more: bool) -> Encoded {
        let (mut common, mut special) = (Segment::default(), Segment::default());
        let announces = advance.runs.iter().any(|run| run.attrs.is_some());
        for run in &advance.runs {
            let listeners @ (all_but, named) = advance.listeners(run.audience);
            let segment = if all_but { &mut common } else { &mut special };
            let span = if run.attrs.is_none() {
                self.put_withdrawals(listeners, (more, announces), advance.nets(run, batch), segment)
            } else {
                self.put(run, advance, batch, segment)
            };
            segment.note(named, &span);
        }
        Encoded::new(common, special)
    }

    /// What still waits.
    pub(crate) fn finish(&mut self) -> Option<Encoded> {
        let Unfinished { all_but, named, nlris, .. } = self.unfinished.take()?;
        let (mut common, mut special) = (Segment::default(), Segment::default());
        let segment = if all_but { &mut common } else { &mut special };
        let written = self.encoder.withdraw(self.family, nlris, &mut segment.octets);
        let span = segment.span(0, written.messages);
        segment.note(&named, &span);
        Some(Encoded::new(common, special))
    }

    /// Withdrawals, those that waited for them first. A last message that is not full waits itself: until it is full,
    /// or something else is said. What waited already does not wait behind an announcement of its prefix.
    fn put_withdrawals(
        &mut self,
        listeners: (bool, &[Slot]),
        (more, announces): (bool, bool),
        nets: impl Iterator<Item = (Prefix, u32)> + Clone,
        segment: &mut Segment,
    ) -> Span {
        let nets = nets.map(|(net, path_id)| Nlri { net, path_id });
        let (all_but, named) = listeners;
        let keep = |nlris, octets, advances| Unfinished { all_but, named: named.to_vec(), nlris, octets, advances };
        let waiting = self.unfinished.take_if(|waiting| waiting.is_for(listeners));
        let Unfinished { nlris: mut waited, octets: before, advances, .. } =
            waiting.unwrap_or_else(|| keep(Vec::new(), 0, 0));
        let waits = more && self.unfinished.is_none();
        let may_wait_on = waited.is_empty() || !announces && advances < ADVANCES_MAX;
        let octets = before + self.octets_of(nets.clone());
        if waits && may_wait_on && octets <= self.encoder.withdrawal_room(self.family) {
            waited.extend(nets);
            self.unfinished = Some(keep(waited, octets, advances + 1));
            return segment.span(segment.octets.len(), 0);
        }
        let start = segment.octets.len();
        let nlris = waited.iter().copied().chain(nets);
        let mut written = self.encoder.withdraw(self.family, nlris.clone(), &mut segment.octets);
        if waits && written.messages > 1 {
            segment.octets.truncate(written.last_at);
            written.messages -= 1;
            let rest = nlris.skip((written.routes - written.last_routes) as usize);
            let octets = self.octets_of(rest.clone());
            self.unfinished = Some(keep(rest.collect(), octets, 1));
        }
        segment.span(start, written.messages)
    }

    fn octets_of(&self, nlris: impl Iterator<Item = Nlri>) -> usize {
        nlris.map(|nlri| self.encoder.octets_of(self.family, nlri)).sum()
    }

    fn put(&mut self, run: &Run, advance: &Advance, batch: &ChangeBatch, segment: &mut Segment) -> Span {
        let start = segment.octets.len();
        let nlris = advance.nets(run, batch).map(|(net, path_id)| Nlri { net, path_id });
        // A route that cannot be sent must not stay at the peer as it was before.
        let sendable = run.attrs.as_ref().and_then(|attrs| {
            let set = self.encoder.set_attributes(self.family, attrs.octets());
            if let Err(why @ CannotSend::TooLong) = set {
                // Why a route has no next hop was said when it was judged.
                tracing::error!("{why}, skipping corresponding routes");
            }
            set.ok()
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
