//! What the control socket asks of the daemon: one variant a question, with typed arguments and a place for the answer.
//!
//! A request is made from a line that parsed, whose names were looked up in the
//! running configuration, and which the client is allowed to give. Answers are
//! values (see [`crate::view`]), never text: text is the layout's affair.
//!
//! The answering side takes requests from one bounded queue and may answer them
//! in any order and at any time; a client waits for its own answer only. When
//! the client is gone the answer's channel is closed, and long work should stop.
//! A request that is dropped without an answer ends the client's connection.
//!
//! What is not here is answered by this room alone, from the running
//! configuration: `show symbols`, `eval`, `echo`, `restrict`, and refusals.

use crate::view::{
    ActionRow, BfdSessionView, ConfigureReport, InterfaceView, MemoryView, ProtocolView, RouteItem, StaticRow,
    StatusView, ThreadView,
};
use conf::config::{Carries, DebugMask, MrtMask};
use filter::prefix_set::PrefixSet;
use route::{Customer, Family, Prefix, ProtocolId, Roa, RoaTables};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Where one answer goes.
pub type Answer<T> = oneshot::Sender<T>;

/// A question or an order.
#[derive(Debug)]
pub enum Request {
    /// `show status`.
    Status(Answer<StatusView>),
    /// `show memory`.
    Memory(Answer<MemoryView>),
    /// `show interfaces`, `show interfaces summary`: all links, in the order of their numbers.
    Interfaces(Answer<Vec<InterfaceView>>),
    /// `show protocols`: those chosen, in the order of the configuration. Empty when none is chosen.
    Protocols {
        /// Which.
        choice: Choice,
        /// `all`: fill [`ProtocolView::detail`].
        detail: bool,
        /// The answer.
        answer: Answer<Vec<ProtocolView>>,
    },
    /// `show route`: everything that the query *could* show, in pages.
    ///
    /// The channel is short; waiting for its room is how the client's socket sets
    /// the pace. Dropping it ends the list. Which paths are shown and counted is
    /// decided here by [`crate::routes`]: the answering side only finds nets.
    Routes {
        /// What to look for.
        query: Arc<RouteQuery>,
        /// Pages of at most some hundred nets, nets ordered by prefix.
        pages: mpsc::Sender<RouteItem>,
    },
    /// `show static`: the routes of one static protocol, in the order of the file.
    Static {
        /// Its name; known to exist, to be of this kind and to be running when it was asked.
        protocol: Arc<str>,
        /// The answer.
        answer: Answer<Vec<StaticRow>>,
    },
    /// `show bfd sessions`: those of one BFD protocol; `None` when it is down.
    BfdSessions {
        /// Its name; known to exist and to be of this kind.
        protocol: Arc<str>,
        /// The answer.
        answer: Answer<Option<Vec<BfdSessionView>>>,
    },
    /// `enable`, `disable`, `restart`, `reload`: one row for each protocol chosen. Empty when none is chosen.
    Act {
        /// What to do.
        action: Action,
        /// To which.
        choice: Choice,
        /// For the peer (RFC 9003) and for `show protocols all`.
        message: Option<Arc<str>>,
        /// Of a `reload`: the routes of these prefixes alone (2).
        partial: Option<Arc<PrefixSet>>,
        /// The answer.
        answer: Answer<Vec<ActionRow>>,
    },
    /// `configure`, `configure soft`, `configure check`.
    Configure {
        /// The file; `None`: the one of the last configuration.
        file: Option<Arc<str>>,
        /// How.
        how: Configure,
        /// The answer.
        answer: Answer<ConfigureReport>,
    },
    /// `configure undo`: the previous configuration again.
    Undo(Answer<ConfigureReport>),
    /// `configure confirm`: the undo timer stops.
    Confirm(Answer<ConfigureReport>),
    /// `configure status`: what is under way.
    ConfigureStatus(Answer<ConfigureStatus>),
    /// `debug`: how many protocols are chosen.
    Debug {
        /// Which.
        choice: Choice,
        /// This channel alone, of the one that is chosen, by the word behind the dot (2).
        channel: Option<&'static str>,
        /// The new mask.
        mask: DebugMask,
        /// The answer.
        answer: Answer<usize>,
    },
    /// `mrtdump`: how many protocols are chosen.
    MrtDump {
        /// Which.
        choice: Choice,
        /// The new mask.
        mask: MrtMask,
        /// The answer.
        answer: Answer<usize>,
    },
    /// `mrt dump`: what went wrong, one text each, in BIRD's words.
    ///
    /// The answer comes when all is written. Dropping it ends the dump.
    DumpTables {
        /// What to write, and where to.
        order: TableDump,
        /// The answer.
        answer: Answer<Vec<String>>,
    },
    /// The ROA tables as they are now.
    Roas(Answer<Arc<RoaTables>>),
    /// What a pipe lets out of a table of authorisations; `None`: it is down, or does not read that one.
    Passage {
        /// The pipe.
        pipe: Arc<str>,
        /// The table.
        table: Arc<str>,
        /// The answer.
        answer: Answer<Option<Passage>>,
    },
    /// `add roa`, `delete roa`, `flush roa`.
    EditRoa {
        /// The table.
        table: Arc<str>,
        /// What to do.
        edit: RoaEdit,
        /// The answer.
        answer: Answer<()>,
    },
    /// `dump`: to the debug output.
    Dump(Dump, Answer<()>),
    /// What the daemon alone knows of it, a line each.
    DumpLines(Dump, Answer<Vec<String>>),
    /// `show threads`: all threads of the process, in the order in which they began.
    Threads(Answer<Vec<ThreadView>>),
    /// `down`, `graceful restart`: an orderly stop. Answered at once; the connection ends with the daemon.
    Down {
        /// How.
        farewell: Farewell,
        /// The answer.
        answer: Answer<()>,
    },
}

/// How a pipe judges what it takes out of a table of authorisations.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The pipe: what it has brought does not go back.
    pub by: ProtocolId,
    /// What it lets through.
    pub policy: filter::Policy,
}

/// Which tables a dump writes, which routes of them, and into which files.
#[derive(Clone, Debug)]
pub struct TableDump {
    /// Which tables.
    pub tables: DumpedTables,
    /// The name of the file: `%N` is that of the table, the rest is strftime's.
    pub filename: Arc<str>,
    /// Which routes, and how.
    pub filter: filter::Policy,
}

/// The tables of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpedTables {
    /// One, by name; it exists.
    Named(Arc<str>),
    /// Those whose names match a shell pattern; there may be none.
    Matching(Arc<str>),
}

/// What a command does to a ROA table. Records of the configuration are out of its reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoaEdit {
    /// `add roa`.
    Add(Roa),
    /// `delete roa`.
    Delete(Roa),
    /// `flush roa`.
    Flush,
}

/// Which protocols a command means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `all`, or nothing in `show protocols`.
    All,
    /// A name.
    Named(Arc<str>),
    /// A shell pattern in quotes: `*` any text, `?` any character.
    Matching(Arc<str>),
}

impl Choice {
    /// Whether a protocol of this name is meant.
    pub fn takes(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(n) => **n == *name,
            Self::Matching(pattern) => matches(pattern, name),
        }
    }
}

/// Whether a text matches a shell pattern of `*` and `?`, in time linear in their product.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&x) if x == b'?' || x == c => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == b'*')
}

/// What `enable` and its kin do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `enable`.
    Enable,
    /// `disable`.
    Disable,
    /// `restart`.
    Restart,
    /// `reload in`, `reload out`, `reload` for both.
    Reload(Direction),
}

/// Which routes are reloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Imported and exported ones.
    Both,
    /// Imported ones.
    In,
    /// Exported ones.
    Out,
}

/// The forms of `configure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configure {
    /// Only read it.
    Check,
    /// Take it on.
    Load {
        /// `soft`: changes of filters wait for a `reload`.
        soft: bool,
        /// `timeout`: undo after so many seconds unless confirmed. BIRD's default is 300; 0 is none.
        undo_s: Option<u32>,
    },
}

/// How the daemon ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Farewell {
    /// `down`: sessions say good-bye, and the kernel's routes go unless they shall persist.
    #[default]
    Down,
    /// `graceful restart`: neighbours that may keep our routes are not told, and the kernel keeps its own.
    GracefulRestart,
}

/// What `dump` writes to the debug output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the word after `dump`")]
pub enum Dump {
    Resources,
    Sockets,
    Events,
    Interfaces,
    Neighbors,
    Attributes,
    Routes,
    Protocols,
    AoKeys,
    AttributeStats,
    Tables,
    Filters,
}

/// A `show route`, parsed and with its names looked up.
#[derive(Clone, Debug)]
pub struct RouteQuery {
    /// Which nets.
    pub nets: Nets,
    /// In which tables, in this order. One in 1.6.
    pub tables: Vec<Arc<str>>,
    /// Tables were asked for by name, so each has its head, be it empty (2).
    pub heads_empty: bool,
    /// `export`, `preexport`, `noexport`, `export table`: judged for this protocol.
    pub export: Option<ExportQuery>,
    /// `import table`: what this channel has received, in place of its table (2).
    pub received: Option<ReceivedQuery>,
    /// `protocol`: given by this one.
    pub protocol: Option<Arc<str>>,
    /// `filter`, `where`; [`filter::Policy::Accept`] when neither is given.
    pub filter: filter::Policy,
    /// `primary`: at most the first path of each net.
    pub primary: bool,
    /// `filtered`: kept filtered paths instead of valid ones.
    pub filtered: bool,
    /// `all`: with attributes.
    pub detail: bool,
    /// List, sum, or both.
    pub output: RouteOutput,
    /// What a filter or merging changes keeps the mark of the best (2).
    pub keeps_mark: bool,
}

/// Which nets a `show route` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nets {
    /// The whole table.
    All,
    /// This prefix exactly.
    Exact(Prefix),
    /// `for ADDRESS`: the longest prefix that holds it.
    ForAddress(IpAddr),
    /// `for PREFIX`: the longest prefix that covers it.
    ForPrefix(Prefix),
    /// `in PREFIX`: all that it covers (2).
    In(Prefix),
    /// This authorisation exactly (2).
    Roa(Roa),
    /// The providers of this AS (2).
    Aspa(Customer),
}

impl Nets {
    /// The family of the net that is asked for.
    pub fn family(self) -> Option<Family> {
        match self {
            Self::All | Self::Aspa(_) => None,
            Self::Exact(net) | Self::ForPrefix(net) | Self::In(net) => Some(net.family()),
            Self::ForAddress(addr) => Some(Family::of(addr)),
            Self::Roa(roa) => Some(roa.prefix.family()),
        }
    }

    /// What the tables hold that may have the net that is asked for; `None`: any does.
    pub const fn carries(self) -> Option<Carries> {
        match self {
            Self::All => None,
            Self::Roa(_) => Some(Carries::Origins),
            Self::Aspa(_) => Some(Carries::Providers),
            _ => Some(Carries::Routes),
        }
    }

    /// The authorisation that is asked for.
    pub const fn roa(self) -> Option<Roa> {
        match self {
            Self::Roa(roa) => Some(roa),
            _ => None,
        }
    }

    /// The AS whose providers are asked for.
    pub const fn customer(self) -> Option<Customer> {
        match self {
            Self::Aspa(customer) => Some(customer),
            _ => None,
        }
    }

    /// Whether one net is asked for, which is there or is missing.
    pub const fn is_one(self) -> bool {
        !matches!(self, Self::All | Self::In(_))
    }
}

/// What a `show route` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteOutput {
    /// The routes.
    List,
    /// `stats`: the routes, then how many.
    Stats,
    /// `count`: how many.
    Count,
}

/// For whom routes are judged, and which of the judged are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportQuery {
    /// Which.
    pub mode: ExportMode,
    /// The protocol.
    pub protocol: Arc<str>,
    /// Neither tables nor a channel were named: those of its channels that are up (2).
    pub wherever: bool,
}

/// The stages of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportMode {
    /// `preexport`: not vetoed, before the filter.
    Before,
    /// `export`: accepted by the filter.
    Accepted,
    /// `noexport`: rejected by the filter.
    Rejected,
    /// `export table`: told, as the filter left it (2).
    Told,
    /// `exported`: told, as the table has it (2).
    Exported,
}

/// A channel whose received routes are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedQuery {
    /// The protocol.
    pub protocol: Arc<str>,
    /// The family of the channel.
    pub family: Family,
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_matches_whole_names() {
        for (pattern, text, want) in [
            ("kube*", "kubeadm1", true),
            ("kube*", "xkubeadm1", false),
            ("*1", "device1", true),
            ("*1", "device12", false),
            ("*a*b*", "xaxxbx", true),
            ("?", "", false),
            ("k?be", "kube", true),
            ("", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} on {text}");
        }
    }
}

/// What `configure status` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigureStatus {
    /// What is under way.
    pub change: Change,
    /// In how many milliseconds the configuration is undone unless it is confirmed.
    pub undo_ms: Option<u64>,
}

/// A change of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// None.
    Done,
    /// Protocols are stopping for it.
    UnderWay,
    /// And another one waits.
    Queued,
    /// The daemon is going down.
    Shutdown,
}
