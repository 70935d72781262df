//! Running the policy of a channel, and saying what its filter says.

use filter::run::Written;
use filter::{Env, Policy, RouteView, Scratch, Verdict};
use route::{AttrSet, Ifaces, RoaTables};
use std::sync::Arc;
use tokio::sync::watch;

/// Runs policies; keeps what the interpreter reuses.
pub struct Runner {
    scratch: Scratch,
    roas: watch::Receiver<Arc<RoaTables>>,
    /// By the filter that judged last.
    written: Written,
}

impl Runner {
    /// A runner that looks into these ROA tables.
    pub fn new(roas: watch::Receiver<Arc<RoaTables>>) -> Self {
        Self { scratch: Scratch::new(), roas, written: Written::NOTHING }
    }

    /// What a policy says of a route, and the changed attributes, when the filter changed any.
    ///
    /// What the filter prints, and its run-time errors, go to the log.
    pub fn judge(&mut self, policy: &Policy, view: RouteView<'_>, ifaces: &Ifaces) -> (Verdict, Option<AttrSet>) {
        let asks = matches!(policy, Policy::Filter(filter) if filter.inputs.authorities());
        let roas = if asks { Arc::clone(&self.roas.borrow()) } else { Arc::default() };
        let (verdict, changed, written) = run(&mut self.scratch, policy, view, Env { ifaces, roas: &roas });
        self.written = written;
        (verdict, changed)
    }

    /// What the filter has set that judged last.
    pub const fn written(&self) -> Written {
        self.written
    }
}

/// The same where somebody else has what the interpreter reuses, and the tables.
pub fn judged(scratch: &mut Scratch, policy: &Policy, view: RouteView<'_>, env: Env<'_>) -> (Verdict, Option<AttrSet>) {
    let (verdict, changed, _) = run(scratch, policy, view, env);
    (verdict, changed)
}

fn run(
    scratch: &mut Scratch,
    policy: &Policy,
    view: RouteView<'_>,
    env: Env<'_>,
) -> (Verdict, Option<AttrSet>, Written) {
    let filter = match policy {
        Policy::Accept => return (Verdict::Accept, None, Written::NOTHING),
        Policy::Reject => return (Verdict::Reject, None, Written::NOTHING),
        Policy::Filter(filter) => filter,
    };
    let outcome = filter.run(scratch, view, env);
    for line in &outcome.printed {
        tracing::info!("{line}");
    }
    if let Some(error) = &outcome.error {
        tracing::error!("{error}");
    }
    (outcome.verdict, outcome.attrs, outcome.written)
}
