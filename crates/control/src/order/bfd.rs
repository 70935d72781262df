//! What `show bfd sessions` is asked: in 2.0.12 a protocol alone, since 2.19 also which of its sessions.

use crate::view::BfdSessionView;
use conf::Dialect;
use conf::command::{Net, Reader};
use filter::Diagnostic;
use filter::syntax::Parsed;
use route::{Family, Prefix};
use std::sync::Arc;

/// Which sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BfdQuery {
    /// Of this protocol.
    pub protocol: Option<Arc<str>>,
    /// With neighbours in this net.
    pub within: Option<Prefix>,
    /// On this link.
    pub iface: Option<Arc<str>>,
    /// With neighbours of this family.
    pub family: Option<Family>,
    /// `Some(true)`: over one hop; `Some(false)`: over several.
    pub direct: Option<bool>,
    /// `all`: with all that there is to say.
    pub detail: bool,
}

impl BfdQuery {
    /// Arguments in any order; of each kind the last counts.
    pub(super) fn read(reader: &mut Reader<'_>, dialect: Dialect) -> Parsed<Self> {
        let mut query = Self::default();
        if dialect == Dialect::V1 {
            query.protocol = super::optional_protocol(reader, &[])?;
            return Ok(query);
        }
        while !reader.at().at_end() {
            query.one(reader)?;
        }
        Ok(query)
    }

    fn one(&mut self, reader: &mut Reader<'_>) -> Parsed<()> {
        let span = reader.at().span();
        let family = Family::ALL.into_iter().find(|family| reader.at().is_word(family.word()));
        if reader.at().eat_word("address") {
            self.within = Some(match reader.net()? {
                Net::Prefix(prefix) => prefix,
                Net::Address(addr) => Prefix::host(addr),
            });
        } else if reader.at().eat_word("interface") || reader.at().eat_word("dev") {
            self.iface = Some(reader.text()?);
        } else if reader.at().eat_word("all") {
            self.detail = true;
        } else if let Some(family) = family {
            reader.at().bump();
            if self.family.replace(family).is_some_and(|other| other != family) {
                return Err(Diagnostic::error(span, "Options 'ipv4' and 'ipv6' are mutually exclusive"));
            }
        } else if reader.at().is_word("direct") || reader.at().is_word("multihop") {
            let direct = reader.at().is_word("direct");
            reader.at().bump();
            if self.direct.replace(direct).is_some_and(|other| other != direct) {
                return Err(Diagnostic::error(span, "Options 'direct' and 'multihop' are mutually exclusive"));
            }
        } else if reader.at().is_name() {
            self.protocol = super::optional_protocol(reader, &[])?;
        } else {
            return Err(reader.at().unexpected());
        }
        Ok(())
    }

    /// Whether a session is meant.
    pub fn takes(&self, session: &BfdSessionView) -> bool {
        self.within.is_none_or(|net| net.contains(session.remote))
            && self.iface.as_ref().is_none_or(|name| session.iface.as_ref() == Some(name))
            && self.family.is_none_or(|family| Family::of(session.remote) == family)
            && self.direct.is_none_or(|direct| session.iface.is_some() == direct)
    }
}
