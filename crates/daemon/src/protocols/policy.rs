//! Running the policy of a channel, and saying what its filter prints.

use filter::{Env, Policy, RouteView, Verdict};
use route::{AttrSet, Ifaces};

/// Runs policies; keeps what the interpreter reuses.
#[derive(Default)]
pub struct Runner {}

impl Runner {
    /// What a policy says of a route, and the changed attributes, when the filter changed any.
    pub fn judge(
        &mut self,
        policy: &Policy,
        view: RouteView<'_>,
        ifaces: &Ifaces,
        name: &str,
    ) -> (Verdict, Option<AttrSet>) {
        let _ = (view, Env { ifaces }, name);
        match policy {
            Policy::Accept => (Verdict::Accept, None),
            Policy::Reject => (Verdict::Reject, None),
            Policy::Filter(_) => (Verdict::Reject, None),
        }
    }
}
