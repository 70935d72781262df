//! Running the policy of a channel, and saying what its filter says.

use filter::{Env, Policy, RouteView, Scratch, Verdict};
use route::{AttrSet, Ifaces};

/// Runs policies; keeps what the interpreter reuses.
#[derive(Default)]
pub struct Runner {
    scratch: Scratch,
}

impl Runner {
    /// What a policy says of a route, and the changed attributes, when the filter changed any.
    ///
    /// What the filter prints, and its run-time errors, go to the log.
    pub fn judge(&mut self, policy: &Policy, view: RouteView<'_>, ifaces: &Ifaces) -> (Verdict, Option<AttrSet>) {
        let filter = match policy {
            Policy::Accept => return (Verdict::Accept, None),
            Policy::Reject => return (Verdict::Reject, None),
            Policy::Filter(filter) => filter,
        };
        let outcome = filter.run(&mut self.scratch, view, Env { ifaces });
        for line in &outcome.printed {
            tracing::info!("{line}");
        }
        if let Some(error) = &outcome.error {
            tracing::error!("{error}");
        }
        (outcome.verdict, outcome.attrs)
    }
}
