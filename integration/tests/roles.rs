//! Roles (RFC 9234) beside BIRD 2: a leak is stopped by whoever has a role, what goes down is marked, and roles that
//! do not fit have no session. Names of machines and all other words are as BIRD shows them.

use anyhow::{Result, ensure};
use rbird_integration::daemons::{PATIENCE, bird2_programs};
use rbird_integration::{Pair, programs, wait_until};

/// Each machine has a route of its own, and one that somebody has marked for customers only.
fn conf(machine: u8, role: &str) -> String {
    let far = 3 - machine;
    format!(
        "router id 10.9.0.{machine};\nhostname \"machine{machine}\";\nprotocol device {{ }}\n\
         protocol static own {{ ipv4; route 10.{machine}.0.0/16 blackhole; }}\n\
         protocol static marked {{\n  ipv4 {{ import filter {{ bgp_otc = 65099; accept; }}; }};\n  \
         route 10.1{machine}.0.0/16 blackhole;\n}}\n\
         protocol bgp far {{ local 10.9.0.{machine} as 6500{machine}; neighbor 10.9.0.{far} as 6500{far}; {role}\n  \
         advertise hostname; connect delay time 1; connect retry time 2; ipv4 {{ import all; export all; }};\n}}\n"
    )
}

/// A rbird on machine `a` and a BIRD 2 on machine `b`.
struct Two {
    pair: Pair,
    clients: [String; 2],
}

impl Two {
    fn with_roles(near: &str, far: &str) -> Result<Self> {
        let mut pair = Pair::new()?;
        let dir = pair.dir().display().to_string();
        let (ours, theirs) = (programs(), bird2_programs()?);
        let (near, far) = (pair.write("rbird.conf", &conf(1, near))?, pair.write("bird.conf", &conf(2, far))?);
        pair.spawn("b", "bird", &format!("{} -d -c {} -s {dir}/b", theirs.join("bird").display(), far.display()))?;
        pair.spawn("a", "rbird", &format!("{} -d -c {} -s {dir}/a", ours.join("rbird").display(), near.display()))?;
        let clients = [(ours.join("rbirdc"), "a"), (theirs.join("birdc"), "b")];
        let clients = clients.map(|(client, socket)| format!("{} -s {dir}/{socket}", client.display()));
        Ok(Self { pair, clients })
    }

    /// What both daemons answer.
    fn ask(&self, words: &str) -> Result<[String; 2]> {
        let [near, far] = &self.clients;
        Ok([self.pair.exec("a", &format!("{near} {words}"))?, self.pair.exec("b", &format!("{far} {words}"))?])
    }

    fn until(&self, what: &str, words: &str, holds: impl Fn(&[String; 2]) -> bool) -> Result<[String; 2]> {
        let mut last = Default::default();
        let outcome = wait_until(what, PATIENCE, || {
            last = self.ask(words).unwrap_or_default();
            Ok((holds(&last), last.join("\n")))
        });
        outcome.map_err(|error| error.context(self.pair.logs()))?;
        Ok(last)
    }
}

/// What a daemon has from the other one: prefixes with their marks, as `10.2.0.0/16 65002`.
fn learned(shown: &str) -> Vec<String> {
    let mut routes: Vec<String> = Vec::new();
    for line in shown.lines() {
        if line.starts_with("10.") {
            routes.push(line.split(' ').next().unwrap_or_default().to_owned());
        }
        if let (Some(mark), Some(route)) = (line.trim().strip_prefix("BGP.otc: "), routes.last_mut()) {
            route.push(' ');
            route.push_str(mark);
        }
    }
    routes.sort();
    routes
}

/// Runs two with these roles until each has these routes of the other, and only these.
fn story(near: &str, far: &str, learned_near: &[&str], learned_far: &[&str]) -> Result<Two> {
    let two = Two::with_roles(near, far)?;
    let words = "show route all protocol far";
    two.until("the other's routes", words, |[a, b]| learned(a) == learned_near && learned(b) == learned_far)?;
    Ok(two)
}

fn tell(outcome: Result<()>) {
    if let Err(error) = outcome {
        panic!("{error:#}");
    }
}

#[test]
fn a_customer_is_told_all_with_marks_and_tells_its_provider_what_has_none() {
    tell((|| {
        let (near, far) = (["10.12.0.0/16 65099", "10.2.0.0/16 65002"], ["10.1.0.0/16"]);
        let two = story("local role customer; require roles;", "local role provider;", &near, &far)?;
        let [shown, of_bird] = two.ask("show protocols all far")?;
        let tree = |text: &str| -> Vec<String> {
            let is_told = |l: &&str| l.contains("Hostname:") || l.contains("Role:") || l.ends_with("capabilities");
            text.lines().filter(is_told).map(|l| l.trim().to_owned()).collect()
        };
        let mine = ["Hostname: machine1", "Role: customer"];
        let theirs = ["Hostname: machine2", "Role: provider"];
        let wanted = |first: [&'static str; 2], second: [&'static str; 2]| {
            [&["Local capabilities"], &first[..], &["Neighbor capabilities"], &second[..]].concat()
        };
        ensure!(tree(&shown) == wanted(mine, theirs), "{shown}");
        ensure!(tree(&of_bird) == wanted(theirs, mine), "{of_bird}");
        Ok(())
    })());
}

#[test]
fn a_provider_marks_what_its_customer_is_told() {
    let (near, far) = (["10.2.0.0/16"], ["10.1.0.0/16 65001", "10.11.0.0/16 65099"]);
    tell(story("local role provider;", "local role customer;", &near, &far).map(drop));
}

#[test]
fn peers_tell_each_other_what_nobody_has_marked() {
    let (near, far) = (["10.2.0.0/16 65002"], ["10.1.0.0/16 65001"]);
    tell(story("local role peer;", "local role peer;", &near, &far).map(drop));
}

#[test]
fn a_leak_of_a_neighbour_without_a_role_is_withdrawn_and_said() {
    tell((|| {
        let (near, far) = (["10.2.0.0/16"], ["10.1.0.0/16 65001", "10.11.0.0/16 65099"]);
        let two = story("local role provider;", "", &near, &far)?;
        let said = "far: Route leak detected - OTC attribute from downstream";
        ensure!(two.pair.logs().contains(said), "{}", two.pair.logs());
        // And BIRD takes what we say for a leak where it has the role.
        let (near, far) = (["10.12.0.0/16 65099", "10.2.0.0/16 65002"], ["10.1.0.0/16"]);
        story("", "local role provider;", &near, &far).map(drop)
    })());
}

#[test]
fn roles_that_do_not_fit_have_no_session_on_either_side() {
    tell((|| {
        let two = Two::with_roles("local role peer;", "local role provider;")?;
        let is_refused = |text: &String| text.contains("Role mismatch") && !text.contains("Established");
        two.until("the session refused", "show protocols far", |both| both.iter().any(is_refused))?;
        let two = Two::with_roles("local role peer; require roles;", "")?;
        two.until("the session refused", "show protocols far", |[near, _]| is_refused(near)).map(drop)
    })());
}
