//! Dropping privileges: an ordinary user with four capabilities.
//!
//! A BGP speaker must bind port 179, open raw and packet sockets, broadcast, and
//! change routes; it need not be root. Supplementary groups go first, then the
//! group, then the user, the four capabilities being kept across that change and
//! raised again. Must be called before any other thread exists: each thread has
//! its own capabilities.

use caps::{CapSet, Capability, CapsHashSet, securebits};
use nix::unistd::{Gid, Group, Uid, User, setgid, setgroups, setuid};

/// What is kept.
pub const KEPT: [Capability; 4] = [
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_NET_BROADCAST,
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
];

/// A user to become.
pub fn user(name: &str) -> Result<Uid, String> {
    if let Ok(number) = name.parse() {
        return Ok(Uid::from_raw(number));
    }
    let found = User::from_name(name).map_err(|e| format!("Cannot find user '{name}': {e}"))?;
    found.map(|u| u.uid).ok_or_else(|| format!("Cannot find user '{name}'"))
}

/// A group to become.
pub fn group(name: &str) -> Result<Gid, String> {
    if let Ok(number) = name.parse() {
        return Ok(Gid::from_raw(number));
    }
    let found = Group::from_name(name).map_err(|e| format!("Cannot find group '{name}': {e}"))?;
    found.map(|g| g.gid).ok_or_else(|| format!("Cannot find group '{name}'"))
}

/// Becomes the group and user, and gives up every capability but [`KEPT`].
///
/// Without user and group: nothing changes but the capabilities of root beyond those needed to
/// write files, which stay, as with BIRD.
pub fn drop(user: Option<Uid>, group: Option<Gid>) -> Result<(), String> {
    if let Some(gid) = group {
        setgroups(&[]).map_err(|e| format!("setgroups: {e}"))?;
        setgid(gid).map_err(|e| format!("setgid: {e}"))?;
    }
    let Some(uid) = user else { return Ok(()) };
    securebits::set_keepcaps(true).map_err(|e| format!("prctl: {e}"))?;
    if group.is_none() {
        setgroups(&[]).map_err(|e| format!("setgroups: {e}"))?;
    }
    setuid(uid).map_err(|e| format!("setuid: {e}"))?;
    let kept: CapsHashSet = KEPT.into_iter().collect();
    let present = caps::read(None, CapSet::Permitted).map_err(|e| format!("capget: {e}"))?;
    let kept: CapsHashSet = kept.intersection(&present).copied().collect();
    caps::set(None, CapSet::Effective, &kept).map_err(|e| format!("capset: {e}"))?;
    caps::set(None, CapSet::Permitted, &kept).map_err(|e| format!("capset: {e}"))?;
    securebits::set_keepcaps(false).map_err(|e| format!("prctl: {e}"))?;
    Ok(())
}
