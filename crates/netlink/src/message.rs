//! The octets of netlink: messages, attributes, and a writer for requests.
//!
//! Reading never fails and never looks outside what it was given: a length that
//! does not fit ends the walk. Numbers are in the order of the machine, as
//! netlink has them. Nothing here knows what a route or link is.

use libc::{NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR};

/// The header of a message in octets: length, type, flags, sequence number, port.
pub const HEADER: usize = 16;

const fn align(len: usize) -> usize {
    (len + 3) & !3
}

/// Four octets as the kernel's number; `None` when there are fewer.
pub fn number(octets: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(*octets.first_chunk::<4>()?))
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// RTM_* or NLMSG_*.
    pub kind: u16,
    /// NLM_F_*.
    pub flags: u16,
    /// The number of the request that it answers; 0 in notifications.
    pub sequence: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The end of a dump.
    pub const fn is_done(&self) -> bool {
        self.kind as i32 == NLMSG_DONE
    }

    /// The table changed while it was dumped: routes may be missing.
    pub const fn is_interrupted(&self) -> bool {
        self.flags as i32 & NLM_F_DUMP_INTR != 0
    }

    /// The result of a request: 0 for an acknowledgement, else an error number; `None` when it is no result.
    pub fn result(&self) -> Option<i32> {
        if i32::from(self.kind) != NLMSG_ERROR && !self.is_done() {
            return None;
        }
        let code = number(self.body).map_or(0, |n| n as i32);
        Some(code.checked_neg().unwrap_or(i32::MAX))
    }
}

/// The messages of a datagram.
pub fn messages(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let (head, _) = rest.split_first_chunk::<HEADER>()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *head;
        let len = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let message = rest.get(..len)?;
        let body = message.get(HEADER..)?;
        rest = rest.get(align(len)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            body,
        })
    })
}

/// The attributes in some octets: type without its flag bits, and value.
pub fn attributes(octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let (&[l0, l1, k0, k1], _) = rest.split_first_chunk::<4>()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = rest.get(4..len)?;
        rest = rest.get(align(len)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]) & 0x3fff, value))
    })
}

/// Writes messages one behind the other into one buffer.
#[derive(Debug, Default)]
pub struct Writer {
    octets: Vec<u8>,
    message: usize,
}

/// An attribute that has been begun and waits for its length.
#[derive(Debug)]
#[must_use = "an attribute that is not ended has no length"]
pub struct Open(usize);

impl Writer {
    /// What has been written.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Starts anew and keeps the buffer.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.message = 0;
    }

    /// Begins a message with the fixed part of its body.
    pub fn begin(&mut self, kind: u16, flags: u16, sequence: u32, fixed: &[u8]) {
        self.message = self.octets.len();
        self.octets.extend_from_slice(&[0; 4]);
        self.octets.extend_from_slice(&kind.to_ne_bytes());
        self.octets.extend_from_slice(&flags.to_ne_bytes());
        self.octets.extend_from_slice(&sequence.to_ne_bytes());
        self.octets.extend_from_slice(&[0; 4]);
        self.put(fixed);
    }

    /// Ends the message.
    pub fn end(&mut self) {
        let len = (self.octets.len() - self.message) as u32;
        if let Some(place) = self.octets.get_mut(self.message..self.message + 4) {
            place.copy_from_slice(&len.to_ne_bytes());
        }
    }

    /// Adds flags to the message that was ended last.
    pub fn add_flags(&mut self, flags: u16) {
        if let Some(place) = self.octets.get_mut(self.message + 6..self.message + 8)
            && let Ok(old) = <[u8; 2]>::try_from(&*place)
        {
            place.copy_from_slice(&(u16::from_ne_bytes(old) | flags).to_ne_bytes());
        }
    }

    /// Octets as they are, filled up to four.
    pub fn put(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
        self.octets.resize(align(self.octets.len()), 0);
    }

    /// A whole attribute.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) {
        let open = self.open(kind);
        self.put(value);
        let unaligned = 4 + value.len();
        self.set_len(open.0, unaligned);
    }

    /// An attribute that is a number.
    pub fn number(&mut self, kind: u16, value: u32) {
        self.attribute(kind, &value.to_ne_bytes());
    }

    /// Begins an attribute that holds others.
    pub fn open(&mut self, kind: u16) -> Open {
        let at = self.octets.len();
        self.octets.extend_from_slice(&[0; 2]);
        self.octets.extend_from_slice(&kind.to_ne_bytes());
        Open(at)
    }

    /// Begins a record whose length stands in its first two octets (`struct rtnexthop`).
    pub fn record(&mut self, rest_of_head: &[u8]) -> Open {
        let at = self.octets.len();
        self.octets.extend_from_slice(&[0; 2]);
        self.octets.extend_from_slice(rest_of_head);
        Open(at)
    }

    /// Ends an attribute or record.
    pub fn close(&mut self, open: Open) {
        let len = self.octets.len() - open.0;
        self.set_len(open.0, len);
    }

    fn set_len(&mut self, at: usize, len: usize) {
        if let Some(place) = self.octets.get_mut(at..at + 2) {
            place.copy_from_slice(&(len as u16).to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_writer_writes_the_reader_reads() {
        let mut w = Writer::default();
        w.begin(24, 5, 7, &[1, 2, 3, 4]);
        w.attribute(1, &[9, 9, 9]);
        let open = w.open(2);
        w.number(3, 77);
        w.close(open);
        w.end();
        w.begin(25, 1, 8, &[]);
        w.end();
        w.add_flags(4);
        let all: Vec<_> = messages(w.octets()).collect();
        assert_eq!(all.iter().map(|m| (m.kind, m.flags, m.sequence)).collect::<Vec<_>>(), [(24, 5, 7), (25, 5, 8)]);
        let attrs: Vec<_> = attributes(&all[0].body[4..]).collect();
        assert_eq!(attrs[0], (1, &[9u8, 9, 9][..]));
        assert_eq!(attributes(attrs[1].1).next().unwrap().0, 3);
    }

    #[test]
    fn lengths_that_do_not_fit_end_the_walk() {
        assert_eq!(attributes(&[3, 0, 1, 0, 1, 2, 3, 4]).count(), 0);
        assert_eq!(attributes(&[200, 0, 1, 0, 1, 2, 3, 4]).count(), 0);
        assert_eq!(messages(&[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).count(), 0);
        for len in 0..40 {
            let octets: Vec<u8> = (0..len).collect();
            let _ = messages(&octets).count();
        }
    }
}
