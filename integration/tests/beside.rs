//! What rbird does beside BIRD 1.6.8 in the same place.

use rbird_integration::beside::{Bird, Story, told};

#[test]
fn protocols_are_listed_as_a_reload_has_made_them() {
    told(&Story {
        bird: Bird::One,
        before: &[],
        far: "",
        own: "router id 10.9.0.1;
            protocol device { } protocol static s1 { } protocol static s2 { disabled; } protocol static s3 { }
            protocol static s4 { } protocol static s5 { disabled; }",
        new: "router id 10.9.0.1; table t2;
            protocol static n1 { } protocol static s5 { } protocol device { } protocol static s3 { table t2; }
            protocol static s4 { } protocol static n2 { } protocol static s2 { disabled; } protocol static s1 { }",
        scenes: &[
            ("", "own", "show protocols"),
            ("configure new", "own", "show protocols"),
            ("restart s4", "own", "show protocols"),
        ],
    });
}

#[test]
fn what_a_neighbour_behind_a_pipe_knows_with_secondary_and_kept_routes() {
    told(&Story {
        bird: Bird::One,
        before: &[],
        far: "router id 10.9.0.2; protocol device { }
            protocol static { route 44.0.0.0/8 blackhole; route 45.0.0.0/8 blackhole; route 46.0.0.0/8 blackhole; }
            protocol bgp near { local as 65002; neighbor 10.9.0.1 as 65001; import all;
                export where source = RTS_STATIC; connect delay time 1; }",
        own: "router id 10.9.0.1; table up sorted; table inner;
            filter odd { bgp_community.add((65001, 1)); if net = 45.0.0.0/8 then reject; accept; }
            protocol device { }
            protocol static st1 { preference 300; table inner; route 20.0.0.0/8 blackhole; route 21.0.0.0/8 blackhole; }
            protocol static st2 { preference 200; table inner; route 20.0.0.0/8 unreachable; }
            protocol static st3 { preference 100; table up; route 20.0.0.0/8 prohibit; route 21.0.0.0/8 prohibit; }
            protocol pipe p1 { table up; peer table inner; import all; export where source = RTS_BGP; }
            protocol pipe p2 { table master; peer table inner; import where source = RTS_BGP; export none; }
            protocol bgp near { table up; secondary; local as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
                import keep filtered; import filter odd;
                export filter { if proto = \"st1\" then reject; bgp_community.add((65001, preference)); accept; }; }",
        new: "router id 10.9.0.1; table up sorted; table inner;
            filter odd { bgp_community.add((65001, 2)); if net = 46.0.0.0/8 then reject; accept; }
            protocol device { }
            protocol static st1 { preference 300; table inner; route 20.0.0.0/8 blackhole; route 21.0.0.0/8 blackhole; }
            protocol static st2 { preference 200; table inner; route 20.0.0.0/8 unreachable; }
            protocol static st3 { preference 100; table up; route 20.0.0.0/8 prohibit; route 21.0.0.0/8 prohibit; }
            protocol pipe p1 { table up; peer table inner; import all; export where source = RTS_BGP; }
            protocol pipe p2 { table master; peer table inner; import where source = RTS_BGP; export none; }
            protocol bgp near { table up; secondary; local as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
                import keep filtered; import filter odd;
                export filter { if proto = \"st1\" then reject; bgp_community.add((65001, preference)); accept; }; }",
        scenes: &[
            ("", "far", "show route all protocol near"),
            ("", "own", "show route filtered table up"),
            ("", "own", "show route table inner"),
            ("", "own", "show route table master"),
            ("disable st2", "far", "show route all protocol near"),
            ("enable st2", "far", "show route all protocol near"),
            ("disable st3", "far", "show route all protocol near"),
            ("disable p1", "own", "show route table inner"),
            ("enable p1", "far", "show route all protocol near"),
            ("enable st3", "far", "show route all protocol near"),
            ("configure new", "own", "show route filtered table up"),
            ("", "own", "show route table inner"),
            ("", "own", "show route all table master"),
            ("", "far", "show route all protocol near"),
        ],
    });
}

#[test]
fn equal_static_routes_are_merged_by_kernel_protocols_with_their_weights() {
    let own = |kernel: &str| {
        format!(
            "router id 10.9.0.1; protocol device {{ }}
            protocol static m1 {{ route 20.0.0.0/24 via 10.9.0.21; route 20.0.1.0/24 via 10.9.0.21;
                route 20.0.2.0/24 multipath via 10.9.0.21 weight 3 via 10.9.0.22; route 20.0.3.0/24 blackhole;
                route 20.0.4.0/24 multipath via 10.9.0.21 via 10.9.0.21; route 20.0.5.0/24 multipath via 10.77.0.1 via 10.77.0.2; }}
            protocol static m2 {{ route 20.0.0.0/24 via 10.9.0.22 {{ preference = 150; }}; route 20.0.1.0/24 via 10.9.0.22;
                route 20.0.2.0/24 multipath via 10.9.0.21 weight 5 via 10.9.0.23 weight 2; route 20.0.3.0/24 via 10.9.0.22; }}
            protocol static m3 {{ route 20.0.0.0/24 via 10.9.0.23; route 20.0.1.0/24 via 10.9.0.23; }}
            protocol kernel {{ export all; {kernel} }}"
        )
    };
    told(&Story {
        bird: Bird::One,
        before: &[],
        far: "",
        own: &own("merge paths;"),
        new: &own("merge paths limit 2;"),
        scenes: &[
            ("", "own", "show route export kernel1"),
            ("", "own", "show route protocol m1"),
            ("", "own", "show static m1"),
            ("configure new", "own", "show route export kernel1"),
            ("disable m3", "own", "show route export kernel1"),
        ],
    });
}

#[test]
fn what_a_route_server_of_1_6_gives_itself_and_whom_it_asks_for_routes() {
    told(&Story {
        bird: Bird::One,
        before: &[],
        far: "router id 10.9.0.2; protocol device { }
            protocol static { route 44.0.0.0/8 blackhole; }
            protocol bgp near { local as 65002; neighbor 10.9.0.1 as 65001; import all;
                export where source = RTS_STATIC; connect delay time 1; }",
        own: "router id 10.9.0.1; protocol device { }
            protocol static { route 20.0.0.0/8 blackhole; }
            protocol bgp near { local as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
                rs client; enable route refresh off; import all; export all; }",
        new: "router id 10.9.0.1; protocol device { }
            protocol static { route 20.0.0.0/8 blackhole; }
            protocol bgp near { local as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
                disable after cease; import all; export all; }",
        scenes: &[
            ("", "far", "show route all protocol near"),
            ("reload in near", "own", "show route all protocol near"),
            ("configure new", "far", "show route all protocol near"),
        ],
    });
}

#[test]
fn a_new_import_filter_holds_for_a_neighbour_that_cannot_be_asked_again() {
    let own = |filter: &str| {
        format!(
            "router id 10.9.0.1; protocol device {{ }}
            protocol bgp near {{ local as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
                import {filter}; export none; }}"
        )
    };
    told(&Story {
        bird: Bird::One,
        before: &[],
        far: "router id 10.9.0.2; protocol device { }
            protocol static { route 44.0.0.0/8 blackhole; route 45.0.0.0/8 blackhole; }
            protocol bgp near { local as 65002; neighbor 10.9.0.1 as 65001; enable route refresh off;
                import all; export all; connect delay time 1; }",
        own: &own("where net = 44.0.0.0/8"),
        new: &own("where net = 45.0.0.0/8"),
        scenes: &[("", "own", "show route"), ("configure new", "own", "show route")],
    });
}
