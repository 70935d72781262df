//! What a protocol has seen of links and addresses, and the lines about what is new (`debug { interfaces }`).
//!
//! The addresses of a link that is down are not there, as with BIRD: they go
//! before it and come behind it. Another preferred address is one line; BIRD 1.6
//! lets the link go down and up for it, which here nothing does.

use super::device::primary;
use super::diary::Diary;
use route::options::Voice;
use route::{Family, Iface, IfaceAddr, Ifaces};
use std::net::IpAddr;
use std::sync::Arc;

/// What was there when its protocol last looked.
pub struct Sight {
    seen: Arc<Ifaces>,
    hears: Hears,
}

/// Of what a protocol hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Of its neighbours alone, as the static protocol of BIRD 2.
    Neighbors,
    /// Of links.
    Links,
    /// Of links and addresses.
    Addresses,
}

impl Sight {
    /// Nothing was seen yet.
    pub fn new(hears: Hears) -> Self {
        Self { seen: Arc::default(), hears }
    }

    /// The first look of a protocol that goes up: links that are down are said to be there.
    pub fn open(&mut self, now: &Arc<Ifaces>, diary: &Diary) {
        self.seen = Arc::default();
        self.look_with(now, diary, true);
    }

    /// Looks at what changed.
    pub fn look(&mut self, now: &Arc<Ifaces>, diary: &Diary) {
        self.look_with(now, diary, false);
    }

    fn look_with(&mut self, now: &Arc<Ifaces>, diary: &Diary, opens: bool) {
        let before = std::mem::replace(&mut self.seen, Arc::clone(now));
        if self.hears == Hears::Neighbors || !diary.watches_links() {
            return;
        }
        // A link that has another name now is another one.
        let same = |a: &&Iface, b: &Iface| a.index == b.index && a.name == b.name;
        for gone in before.iter().filter(|was| !now.get(was.index).is_some_and(|is| same(&is, was))) {
            self.tell(Some(gone), None, opens, diary);
        }
        for is in now.iter() {
            let was = before.get(is.index).filter(|was| same(was, is));
            self.tell(was, Some(is), opens, diary);
        }
    }

    /// The lines about one link.
    fn tell(&self, was: Option<&Iface>, is: Option<&Iface>, opens: bool, diary: &Diary) {
        let Some(name) = is.or(was).map(|link| &link.name) else { return };
        let (before, now, voice) = (addresses(was), addresses(is), diary.voice());
        let lines = |of: &[Told<'_>], but: &[Told<'_>], word: &str| {
            for told in of.iter().filter(|told| self.hears == Hears::Addresses && !but.contains(told)) {
                let tells = told.primary && voice == Voice::Protocol;
                let kind = if tells { "primary address" } else { "address" };
                diary.hears(format_args!("{kind} {} on interface {name} {word}", told.addr.prefix));
            }
        };
        lines(&before, &now, "removed");
        if let Some(word) = word(was, is, opens, voice) {
            diary.hears(format_args!("interface {name} {word}"));
        }
        lines(&now, &before, "added");
    }
}

/// What became of a link; `None`: nothing to speak of.
fn word(was: Option<&Iface>, is: Option<&Iface>, opens: bool, voice: Voice) -> Option<&'static str> {
    let up = |link: Option<&Iface>| link.is_some_and(Iface::is_up);
    match (up(was), up(is)) {
        (false, true) => return Some("goes up"),
        (true, false) => return Some("goes down"),
        _ => {}
    }
    let is = is?;
    let Some(was) = was else { return opens.then_some("created") };
    match () {
        () if was.mtu != is.mtu => Some("changes MTU"),
        () if was.flags.link_up != is.flags.link_up => Some("changes link"),
        () if preferred(was, voice) != preferred(is, voice) => Some("changes preferred address"),
        () => None,
    }
}

/// The addresses that stand for a link: one, or in BIRD 2 one of each family and a link-local one.
fn preferred(link: &Iface, voice: Voice) -> Vec<IpAddr> {
    let mut all = addresses(Some(link));
    let first = all.iter().position(|a| matches!(a.addr.addr, IpAddr::V6(v6) if v6.is_unicast_link_local()));
    if let Some(link_local) = first.and_then(|at| all.get_mut(at)).filter(|_| voice == Voice::Channels) {
        link_local.primary = true;
    }
    let most = if voice == Voice::Channels { usize::MAX } else { 1 };
    all.iter().filter(|a| a.primary).take(most).map(|a| a.addr.addr).collect()
}

/// An address, as a protocol is told of it.
#[derive(PartialEq, Eq)]
struct Told<'a> {
    addr: &'a IfaceAddr,
    primary: bool,
}

/// The addresses that a link has while it is up.
fn addresses(link: Option<&Iface>) -> Vec<Told<'_>> {
    let Some(link) = link.filter(|link| link.is_up()) else { return Vec::new() };
    let preferred = Family::ALL.map(|family| primary(None, link, family));
    link.addrs.iter().map(|addr| Told { addr, primary: preferred.contains(&Some(addr)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::lab;
    use super::*;

    /// The words about each link, and its addresses as they are told.
    fn words(before: &Ifaces, now: &Ifaces, opens: bool) -> Vec<String> {
        words_of(Voice::Protocol, before, now, opens)
    }

    fn words_of(voice: Voice, before: &Ifaces, now: &Ifaces, opens: bool) -> Vec<String> {
        let word = |link: &Iface| word(before.get(link.index), Some(link), opens, voice);
        now.iter().filter_map(|link| Some(format!("{} {}", link.name, word(link)?))).collect()
    }

    fn changed(links: &Ifaces, change: impl Fn(&mut Iface)) -> Ifaces {
        let mut all: Vec<_> = links.iter().cloned().collect();
        all.iter_mut().filter(|l| &*l.name == "d1").for_each(change);
        Ifaces::new(all)
    }

    /// Seen with 1.6.8; the last one with 2.0.12.
    #[test]
    fn links_come_and_go_in_the_words_of_bird() {
        let links = lab::links(&[("lo", &["127.0.0.1/8"]), ("d1", &["10.1.2.1/24", "10.1.3.1/24"])]);
        let down = changed(&links, |d1| d1.flags.admin_up = false);
        let nothing = Ifaces::default();
        assert_eq!(words(&nothing, &down, true), ["lo goes up", "d1 created"]);
        assert_eq!(words(&nothing, &down, false), ["lo goes up"]);
        assert_eq!(words(&down, &links, false), ["d1 goes up"]);
        assert_eq!(words(&links, &down, false), ["d1 goes down"]);
        assert_eq!(words(&links, &changed(&links, |d1| d1.flags.link_up = false), false), ["d1 changes link"]);
        assert_eq!(words(&links, &changed(&links, |d1| d1.mtu = 1400), false), ["d1 changes MTU"]);
        let other = changed(&links, |d1| d1.addrs.retain(|a| a.addr.to_string() != "10.1.2.1"));
        assert_eq!(words(&links, &other, false), ["d1 changes preferred address"]);
        assert_eq!(words(&links, &links, false), [""; 0]);
    }

    #[test]
    fn in_dialect_2_a_link_local_address_stands_for_a_link_too() {
        let links = lab::links(&[("d1", &["10.1.2.1/24"])]);
        let with = lab::links(&[("d1", &["10.1.2.1/24", "fe80::1/64"])]);
        assert_eq!(words(&links, &with, false), [""; 0]);
        assert_eq!(words_of(Voice::Channels, &links, &with, false), ["d1 changes preferred address"]);
    }

    #[test]
    fn a_link_that_is_down_has_no_addresses_and_the_lowest_is_the_primary_one() {
        let links = lab::links(&[("d1", &["10.1.3.1/24", "10.1.2.1/24"])]);
        let told = |links: &Ifaces| -> Vec<_> {
            addresses(links.by_name("d1")).iter().map(|a| (a.addr.prefix.to_string(), a.primary)).collect()
        };
        assert_eq!(told(&links), [("10.1.3.0/24".to_owned(), false), ("10.1.2.0/24".to_owned(), true)]);
        assert_eq!(told(&changed(&links, |d1| d1.flags.admin_up = false)), []);
    }
}
