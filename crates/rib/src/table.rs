//! A routing table. (Skeleton: the public face is settled, the inside follows.)

/// A routing table: one owner, `&mut self`.
#[derive(Debug, Default)]
pub struct Table {}
