//! What rbird does beside BIRD 2.0.12 in the same place: confederations (RFC 5065) and the accumulated IGP metric (RFC 7311).
//!
//! The neighbour is in two ASes at once, one table and one session for each: what comes by one goes on by the other.

use rbird_integration::beside::{Bird, Story, told};

/// A further network on the link, for the second session.
const ADDRESSES: &[(&str, &str)] = &[("a", "ip addr add 10.9.1.1/24 dev d0"), ("b", "ip addr add 10.9.1.2/24 dev d0")];

#[test]
fn a_confederation_is_many_ases_inside_and_one_outside() {
    let own = |inside: &str| {
        format!(
            "router id 10.9.0.1; protocol device {{ }}
            protocol static own {{ ipv4; route 10.10.0.0/16 blackhole {{ bgp_local_pref = 300; bgp_med = 9; }}; }}
            protocol bgp inside {{ local 10.9.0.1 as 64901; neighbor 10.9.0.2 as 64902; confederation 65000;
                confederation member; {inside} connect delay time 1; error wait time 1, 2;
                ipv4 {{ import all; export all; next hop self; }}; }}
            protocol bgp outside {{ local 10.9.1.1 as 64901; neighbor 10.9.1.2 as 65010; confederation 65000;
                connect delay time 1; error wait time 1, 2; ipv4 {{ import all; export all; }}; }}"
        )
    };
    told(&Story {
        bird: Bird::Two,
        before: ADDRESSES,
        far: "router id 10.9.0.2; ipv4 table inner; ipv4 table outer; protocol device { }
            protocol static { ipv4 { table inner; };
                route 10.20.0.0/16 blackhole { bgp_path.prepend(65020); bgp_local_pref = 250; bgp_med = 7; };
                route 10.21.0.0/16 blackhole { bgp_community.add((65000, 1)); };
                route 10.22.0.0/16 blackhole { bgp_path.prepend(65000); }; }
            protocol static { ipv4 { table outer; };
                route 10.30.0.0/16 blackhole { bgp_med = 8; };
                route 10.31.0.0/16 blackhole { bgp_path.prepend(65000); };
                route 10.32.0.0/16 blackhole { bgp_path.prepend(64901); }; }
            protocol bgp inside { local 10.9.0.2 as 64902; neighbor 10.9.0.1 as 64901; confederation 65000;
                confederation member; connect delay time 1; error wait time 1, 2;
                ipv4 { table inner; import all; export where source = RTS_STATIC; next hop self; }; }
            protocol bgp outside { local 10.9.1.2 as 65010; neighbor 10.9.1.1 as 65000;
                connect delay time 1; error wait time 1, 2;
                ipv4 { table outer; import all; export where source = RTS_STATIC; }; }",
        own: &own(""),
        new: &own("med metric; default bgp_local_pref 150;"),
        scenes: &[
            ("", "own", "show route all"),
            ("", "far", "show route all table inner"),
            ("", "far", "show route all table outer"),
            ("configure new", "far", "show route all table inner"),
        ],
    });
}

#[test]
fn the_accumulated_igp_metric_grows_on_its_way_through_ases_of_one_operator() {
    let own = |aigp: &str| {
        format!(
            "router id 10.9.0.1; protocol device {{ }}
            protocol static own {{ ipv4; route 10.10.0.0/16 via 10.9.0.50 {{ igp_metric = 5; }}; route 10.11.0.0/16 blackhole; }}
            protocol bgp one {{ local 10.9.0.1 as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
                error wait time 1, 2; ipv4 {{ import all; export all; {aigp} cost 12; }}; }}
            protocol bgp two {{ local 10.9.1.1 as 65001; neighbor 10.9.1.2 as 65003; connect delay time 1;
                error wait time 1, 2; ipv4 {{ import all; export all; {aigp} next hop self; }}; }}"
        )
    };
    told(&Story {
        bird: Bird::Two,
        before: ADDRESSES,
        far: "router id 10.9.0.2; ipv4 table inner; ipv4 table outer; protocol device { }
            protocol static { ipv4 { table inner; };
                route 10.20.0.0/16 via 10.9.0.77 { igp_metric = 30; };
                route 10.21.0.0/16 via 10.9.0.77 { igp_metric = 40; };
                route 10.22.0.0/16 blackhole; }
            protocol bgp one { local 10.9.0.2 as 65002; neighbor 10.9.0.1 as 65001; connect delay time 1;
                error wait time 1, 2;
                ipv4 { table inner; import all; export where source = RTS_STATIC; aigp originate; }; }
            protocol bgp two { local 10.9.1.2 as 65003; neighbor 10.9.1.1 as 65001; connect delay time 1;
                error wait time 1, 2; ipv4 { table outer; import all; export none; aigp on; }; }",
        own: &own("aigp originate;"),
        new: &own("aigp on;"),
        scenes: &[
            ("", "own", "show route all"),
            ("", "far", "show route all table outer"),
            ("", "far", "show route all table inner protocol one"),
            ("configure new", "far", "show route all table outer"),
        ],
    });
}
