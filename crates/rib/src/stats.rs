//! Counters, as BIRD counts them and prints them in `show protocols all`.

/// `Route change stats`, import side, of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportStats {
    /// Announcements that came.
    pub updates_received: u64,
    /// Of these: not valid (bogus prefix, blocked by a limit).
    pub updates_rejected: u64,
    /// Of these: rejected by the import filter.
    pub updates_filtered: u64,
    /// Of these: nothing new.
    pub updates_ignored: u64,
    /// Of these: taken into the table.
    pub updates_accepted: u64,
    /// Withdrawals that came.
    pub withdraws_received: u64,
    /// Of these: not valid.
    pub withdraws_rejected: u64,
    /// Of these: of nothing.
    pub withdraws_ignored: u64,
    /// Of these: carried out.
    pub withdraws_accepted: u64,
}

/// `Route change stats`, export side, of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportStats {
    /// Announcements offered.
    pub updates_received: u64,
    /// Of these: vetoed by the protocol (its own route, well-known community).
    pub updates_rejected: u64,
    /// Of these: rejected by the export filter.
    pub updates_filtered: u64,
    /// Of these: told.
    pub updates_accepted: u64,
    /// Withdrawals offered.
    pub withdraws_received: u64,
    /// Of these: told.
    pub withdraws_accepted: u64,
}

/// The `Routes:` line of one channel, exact at every moment of rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    /// Accepted routes that stand.
    pub imported: u32,
    /// Rejected routes that are kept.
    pub filtered: u32,
    /// Routes told.
    pub exported: u32,
    /// Accepted routes that are best.
    pub preferred: u32,
}
