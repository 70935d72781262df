//! The Control packet (RFC 5880 4.1): octets to a value and back.
//!
//! What can be judged from the octets alone is judged here (6.8.6, the first
//! discards); what needs a session, in [`crate::session`]. Whoever can send UDP
//! to this machine chooses these octets.

use std::fmt;

/// The version of the protocol.
pub const VERSION: u8 = 1;
/// The part that every packet has.
pub const MANDATORY_OCTETS: usize = 24;
/// The longest packet that we send: with SHA1 authentication.
pub const OCTETS_MAX: usize = 52;

/// bfd.SessionState (RFC 5880 6.8.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Held down by the operator, or not run at all.
    AdminDown,
    /// The neighbour is not heard.
    #[default]
    Down,
    /// It is heard, and does not hear us yet.
    Init,
    /// Both hear each other.
    Up,
}

impl State {
    /// As it stands in the packet: two bits.
    pub const fn code(self) -> u8 {
        match self {
            Self::AdminDown => 0,
            Self::Down => 1,
            Self::Init => 2,
            Self::Up => 3,
        }
    }

    /// Of the two low bits.
    pub const fn from_code(code: u8) -> Self {
        match code & 3 {
            0 => Self::AdminDown,
            1 => Self::Down,
            2 => Self::Init,
            _ => Self::Up,
        }
    }

    /// BIRD's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdminDown => "AdminDown",
            Self::Down => "Down",
            Self::Init => "Init",
            Self::Up => "Up",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Why the sender's session is not up: bfd.LocalDiag (RFC 5880 4.1). Those that we send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Diagnostic {
    /// Nothing is wrong, or the session was never up.
    #[default]
    None,
    /// The detection time is over.
    Expired,
    /// The neighbour says that it is down.
    NeighborDown,
}

impl Diagnostic {
    /// As it stands in the packet: five bits.
    pub const fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Expired => 1,
            Self::NeighborDown => 3,
        }
    }
}

/// The fields of a Control packet that a session reads or writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Diag, five bits.
    pub diagnostic: u8,
    /// Sta.
    pub state: State,
    /// P: an answer is asked for.
    pub poll: bool,
    /// F: this is the answer.
    pub is_final: bool,
    /// D: the sender wants no periodic packets while both are up.
    pub demand: bool,
    /// How many packets may be lost.
    pub detect_mult: u8,
    /// The sender's number of the session.
    pub my_discriminator: u32,
    /// Ours, as far as the sender knows it; 0: not yet.
    pub your_discriminator: u32,
    /// The sender would like to send as often, microseconds.
    pub desired_min_tx_us: u32,
    /// The sender takes packets as often, microseconds; 0: none at all.
    pub required_min_rx_us: u32,
    /// The same for Echo packets, of which we send 0: none.
    pub required_min_echo_rx_us: u32,
}

/// A packet that came, with the octets over which it is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// The fields.
    pub packet: Packet,
    /// As many octets as its Length says.
    pub octets: &'a [u8],
    /// The A bit: an authentication section follows the mandatory part.
    pub authenticated: bool,
}

/// Why a packet is discarded, in BIRD's words, with the number that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `too short`, ...
    pub words: &'static str,
    /// The wrong number.
    pub value: u32,
}

impl Fault {
    /// A fault.
    pub const fn new(words: &'static str, value: u32) -> Self {
        Self { words, value }
    }
}

const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const AUTHENTICATED: u8 = 0x04;
const DEMAND: u8 = 0x02;
const MULTIPOINT: u8 = 0x01;

/// Reads a packet; the first discards of RFC 5880 6.8.6 in its order.
pub fn decode(octets: &[u8]) -> Result<Received<'_>, Fault> {
    let Some((mandatory, _)) = octets.split_first_chunk::<MANDATORY_OCTETS>() else {
        return Err(Fault::new("too short", octets.len() as u32));
    };
    let [vers_diag, flags, detect_mult, length, body @ ..] = *mandatory;
    if vers_diag >> 5 != VERSION {
        return Err(Fault::new("version mismatch", u32::from(vers_diag >> 5)));
    }
    let authenticated = flags & AUTHENTICATED != 0;
    let least = if authenticated { MANDATORY_OCTETS + 2 } else { MANDATORY_OCTETS };
    let Some(whole) = octets.get(..usize::from(length)).filter(|whole| whole.len() >= least) else {
        return Err(Fault::new("packet length mismatch", u32::from(length)));
    };
    if detect_mult == 0 {
        return Err(Fault::new("invalid detect mult", 0));
    }
    if flags & MULTIPOINT != 0 || flags & POLL != 0 && flags & FINAL != 0 {
        return Err(Fault::new("invalid flags", u32::from(flags)));
    }
    let (words, _) = body.as_chunks::<4>();
    let word = |n: usize| words.get(n).map_or(0, |octets| u32::from_be_bytes(*octets));
    let packet = Packet {
        diagnostic: vers_diag & 0x1f,
        state: State::from_code(flags >> 6),
        poll: flags & POLL != 0,
        is_final: flags & FINAL != 0,
        demand: flags & DEMAND != 0,
        detect_mult,
        my_discriminator: word(0),
        your_discriminator: word(1),
        desired_min_tx_us: word(2),
        required_min_rx_us: word(3),
        required_min_echo_rx_us: word(4),
    };
    if packet.my_discriminator == 0 {
        return Err(Fault::new("invalid my discriminator", 0));
    }
    if packet.your_discriminator == 0 && matches!(packet.state, State::Init | State::Up) {
        return Err(Fault::new("invalid init state", u32::from(packet.state.code())));
    }
    Ok(Received { packet, octets: whole, authenticated })
}

impl Packet {
    /// Writes the mandatory part, for a packet with so many octets of authentication behind it.
    pub fn encode(&self, auth_octets: u8, out: &mut Vec<u8>) {
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        let flags = self.state.code() << 6
            | bit(self.poll, POLL)
            | bit(self.is_final, FINAL)
            | bit(auth_octets > 0, AUTHENTICATED)
            | bit(self.demand, DEMAND);
        out.extend([
            VERSION << 5 | self.diagnostic & 0x1f,
            flags,
            self.detect_mult,
            (MANDATORY_OCTETS as u8).saturating_add(auth_octets),
        ]);
        for word in [
            self.my_discriminator,
            self.your_discriminator,
            self.desired_min_tx_us,
            self.required_min_rx_us,
            self.required_min_echo_rx_us,
        ] {
            out.extend(word.to_be_bytes());
        }
    }
}
