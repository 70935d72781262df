//! rbird beside every other daemon: both families, both sides opening, 1,000 routes
//! each way with their attributes, and all of them withdrawn when rbird stops.

use anyhow::{Context, Result, ensure};
use rbird_integration::Pair;
use rbird_integration::daemons::{Daemon, Family, Opener, ROUTES, Rbird};

fn gets_on(daemon: Daemon, family: Family, opener: Opener) {
    if let Err(error) = story(daemon, family, opener) {
        panic!("{daemon:?} {family:?}, {opener:?} opens: {error:#}");
    }
}

fn story(daemon: Daemon, family: Family, opener: Opener) -> Result<()> {
    let mut pair = Pair::new()?;
    exchange(&mut pair, daemon, family, opener).map_err(|error| error.context(pair.logs()))
}

fn exchange(pair: &mut Pair, daemon: Daemon, family: Family, opener: Opener) -> Result<()> {
    // OpenBGPD tries again only after two minutes, so whoever may be called is there first.
    let rbird = Rbird::start(pair, family, opener)?;
    daemon.start(pair, family, opener)?;
    rbird.wait_learned(pair, ROUTES)?;
    let told = daemon.wait_holds(pair, family, ROUTES)?;
    for (what, forms) in
        [("AS path", ["65001", "65001"]), ("MED", ["77", "77"]), ("community", ["65001:42", "(65001,42)"])]
    {
        ensure!(forms.iter().any(|f| told.contains(f)), "no {what} at {daemon:?}:\n{told}");
    }
    let large = ["65001:1:2", "(65001, 1, 2)"];
    ensure!(large.iter().any(|f| told.contains(f)), "no large community at {daemon:?}:\n{told}");
    let learned = rbird.show(pair, ROUTES - 1)?;
    for expected in ["BGP.as_path: 65002", "BGP.med: 88", "BGP.community: (65002,43)", "BGP.origin: IGP"] {
        ensure!(learned.contains(expected), "{expected} is missing at rbird:\n{learned}");
    }
    rbird.stop(pair).context("down")?;
    daemon.wait_holds(pair, family, 0)?;
    Ok(())
}

macro_rules! interop {
    ($($name:ident: $daemon:ident $family:ident $opener:ident;)*) => {$(
        #[test]
        fn $name() {
            gets_on(Daemon::$daemon, Family::$family, Opener::$opener);
        }
    )*};
}

interop! {
    bird_1_6_opens_to_rbird_over_ipv4: Bird1 V4 Peer;
    rbird_opens_to_bird_1_6_over_ipv4: Bird1 V4 Rbird;
    bird_1_6_opens_to_rbird_over_ipv6: Bird1 V6 Peer;
    rbird_opens_to_bird_1_6_over_ipv6: Bird1 V6 Rbird;
    bird_2_opens_to_rbird_over_ipv4: Bird2 V4 Peer;
    rbird_opens_to_bird_2_over_ipv4: Bird2 V4 Rbird;
    bird_2_opens_to_rbird_over_ipv6: Bird2 V6 Peer;
    rbird_opens_to_bird_2_over_ipv6: Bird2 V6 Rbird;
    frr_opens_to_rbird_over_ipv4: Frr V4 Peer;
    rbird_opens_to_frr_over_ipv4: Frr V4 Rbird;
    frr_opens_to_rbird_over_ipv6: Frr V6 Peer;
    rbird_opens_to_frr_over_ipv6: Frr V6 Rbird;
    gobgp_opens_to_rbird_over_ipv4: Gobgp V4 Peer;
    rbird_opens_to_gobgp_over_ipv4: Gobgp V4 Rbird;
    gobgp_opens_to_rbird_over_ipv6: Gobgp V6 Peer;
    rbird_opens_to_gobgp_over_ipv6: Gobgp V6 Rbird;
    openbgpd_opens_to_rbird_over_ipv4: Openbgpd V4 Peer;
    rbird_opens_to_openbgpd_over_ipv4: Openbgpd V4 Rbird;
    openbgpd_opens_to_rbird_over_ipv6: Openbgpd V6 Peer;
    rbird_opens_to_openbgpd_over_ipv6: Openbgpd V6 Rbird;
}
