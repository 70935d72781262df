//! Running without root: the same command again, inside a user, mount and network namespace of its own.
//!
//! There it is root over networks of its own making and nothing else. `/run`
//! becomes a private tmpfs, because `ip netns` keeps its names there. Where the
//! system does not let users make namespaces, the error says what to do.

use anyhow::{Context, Result, bail};
use std::process::Command;

const INSIDE: &str = "RBIRD_LAB_REENTERED";

/// Returns at once for root. Otherwise runs this very command inside new namespaces and ends the process with its status.
pub fn as_root() -> Result<()> {
    if nix::unistd::geteuid().is_root() {
        if std::env::var_os(INSIDE).is_some() {
            private_run()?;
        }
        return Ok(());
    }
    let myself = std::env::current_exe().context("where is this program?")?;
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--net"])
        .arg(myself)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .status();
    match status {
        Ok(status) if status.code() != Some(1) || user_namespaces() => std::process::exit(status.code().unwrap_or(1)),
        _ => bail!(
            "the lab needs network namespaces, and this system does not let an ordinary user make them.\n\
             Run it as root (sudo -E cargo xtask lab), or allow user namespaces:\n  \
             sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000\n  \
             (Ubuntu 24.04: also kernel.apparmor_restrict_unprivileged_userns=0)"
        ),
    }
}

/// Whether an ordinary user may make a user namespace here.
fn user_namespaces() -> bool {
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--net", "true"])
        .status()
        .is_ok_and(|s| s.success())
}

fn private_run() -> Result<()> {
    use nix::mount::{MsFlags, mount};
    let none: Option<&str> = None;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none).context("a private /run")?;
    std::fs::create_dir_all("/run/netns")?;
    Ok(())
}
