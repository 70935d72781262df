//! The control sockets of the configuration (`cli`), beside the one of the command line.
//!
//! Each is opened when a configuration brings it and closed when one is without
//! it; who talks to us already goes on. One that cannot be opened is said in the
//! log and costs nothing else, as in BIRD.

use conf::config::{CliConf, Config};
use control::socket::{Bound, SocketFile};
use control::{Control, Echo};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// The open ones. Dropping closes all and removes their files.
pub struct Doors {
    open: BTreeMap<CliConf, (AbortHandle, SocketFile)>,
    main: PathBuf,
    control: Control,
    face: Handle,
}

impl Doors {
    /// None yet. `face` is where clients are answered.
    pub fn new(main: &Bound, control: Control, face: Handle) -> Self {
        Self { open: BTreeMap::new(), main: main.path().to_owned(), control, face }
    }

    /// Keeps them as the running configuration says, for ever.
    pub async fn follow(mut self, mut running: watch::Receiver<Arc<Config>>, echo: Echo) {
        loop {
            let config = Arc::clone(&running.borrow_and_update());
            self.set(&config.clis, &echo);
            if running.changed().await.is_err() {
                // The supervisor is gone; let it decide when all is over.
                return std::future::pending().await;
            }
        }
    }

    fn set(&mut self, wanted: &[CliConf], echo: &Echo) {
        let leaving: Vec<CliConf> = self.open.keys().filter(|cli| !wanted.contains(cli)).cloned().collect();
        for (accepting, file) in leaving.iter().filter_map(|cli| self.open.remove(cli)) {
            close(&accepting, file);
        }
        for cli in wanted {
            if !self.open.contains_key(cli)
                && let Some(opened) = self.bind(cli, echo)
            {
                self.open.insert(cli.clone(), opened);
            }
        }
    }

    fn bind(&self, cli: &CliConf, echo: &Echo) -> Option<(AbortHandle, SocketFile)> {
        let path = Path::new(&*cli.path);
        if path == self.main {
            if cli.restrict {
                tracing::error!("Control socket {} is the one of the command line, which is not restricted", cli.path);
            }
            return None;
        }
        match control::socket::bind(path, None, None) {
            Ok(bound) => {
                let file = bound.file();
                let _there = self.face.enter();
                let accepting = control::serve_also(bound, self.control.clone(), echo.clone(), cli.restrict);
                Some((accepting, file))
            }
            Err(error) => {
                tracing::error!("Control socket {}: {error}", cli.path);
                None
            }
        }
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        for (accepting, file) in std::mem::take(&mut self.open).into_values() {
            close(&accepting, file);
        }
    }
}

fn close(accepting: &AbortHandle, file: SocketFile) {
    accepting.abort();
    file.remove();
}
