//! Going to the background, and the pid file.
//!
//! Done before any thread exists: a forked process has only the thread that
//! forked. The configuration has been read and the control socket is bound by
//! then, so a caller that sees us return can speak to the daemon at once.

use nix::unistd::{ForkResult, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Forks; the parent ends with status 0, the child leaves the session and the terminal.
#[expect(unsafe_code, reason = "fork has no safe face")]
pub fn detach() -> Result<(), String> {
    // SAFETY: called from main before any other thread is started, so the child is whole.
    match unsafe { fork() }.map_err(|e| format!("fork: {e}"))? {
        ForkResult::Parent { .. } => std::process::exit(0),
        ForkResult::Child => {}
    }
    setsid().map_err(|e| format!("setsid: {e}"))?;
    let null = File::options().read(true).write(true).open("/dev/null").map_err(|e| format!("/dev/null: {e}"))?;
    dup2_stdin(&null)
        .and_then(|()| dup2_stdout(&null))
        .and_then(|()| dup2_stderr(&null))
        .map_err(|e| format!("dup2: {e}"))
}

/// A pid file that goes when the daemon ends in order.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Opened early, while we may; the number is written by [`PidFile::write`].
    pub fn open(path: &Path) -> Result<File, String> {
        File::create(path).map_err(|e| format!("Cannot create PID file {}: {}", path.display(), reason(&e)))
    }

    /// Writes the number of this process.
    pub fn write(path: &Path, mut file: File) -> Result<Self, String> {
        writeln!(file, "{}", std::process::id())
            .map_err(|e| format!("Cannot write PID file {}: {}", path.display(), reason(&e)))?;
        Ok(Self(path.to_path_buf()))
    }

    /// Removes the file.
    pub fn remove(self) {
        let _ = std::fs::remove_file(self.0);
    }
}

/// The system's words for an error, without Rust's `(os error N)`.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
