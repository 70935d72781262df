//! The decision: which of two paths to one prefix is preferred, and by which step.

/// The step of the decision that separates two paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Rejected by the import filter: never a candidate.
    Filtered,
    /// `preference`, higher wins.
    Preference,
    /// Equal preference, different kinds of protocol.
    Protocol,
    /// The next hop cannot be reached.
    Resolvable,
    /// Long-lived stale (RFC 9494 4.3).
    Stale,
    /// LOCAL_PREF, higher wins.
    LocalPref,
    /// AS_PATH, shorter wins (RFC 4271 9.1.2.2 a).
    AsPathLength,
    /// ORIGIN, lower wins (b).
    Origin,
    /// MULTI_EXIT_DISC, lower wins among routes of one neighbour AS (c).
    Med,
    /// External wins over internal (d).
    External,
    /// Distance to the next hop, nearer wins (e).
    IgpMetric,
    /// The one that is best already stays (`prefer older`, RFC 5004).
    Older,
    /// BGP identifier, or ORIGINATOR_ID, lower wins (f; RFC 4456 9).
    RouterId,
    /// CLUSTER_LIST, shorter wins (RFC 4456 9).
    ClusterList,
    /// Address of the peer, lower wins (g).
    PeerAddr,
    /// Nothing separates them: the one that was there first stays.
    Tie,
}
