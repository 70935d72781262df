//! Values written out.

use super::words::{NUMBERS, OCTETS, QUADS, SHORT, TEXTS, constants, enumerations};
use super::{Maker, Node, Sort, Type};

impl Maker<'_> {
    pub(super) fn any_type(&mut self) -> Type {
        if self.chance.percent(8) {
            return Type::Enum(self.chance_of(&enumerations(self.dialect)).0);
        }
        self.declared_type().1
    }

    pub(super) fn literal(&mut self, kind: Type) -> Node {
        let sort = Sort::Expr(kind);
        let text: String = match kind {
            Type::Bool => self.chance.pick(&["true", "false"]).into(),
            Type::Int => self.chance.pick(NUMBERS).into(),
            Type::Pair => format!("({},{})", self.chance.pick(SHORT), self.chance.pick(SHORT)),
            Type::Quad => self.chance.pick(QUADS).into(),
            Type::Ip => self.chance.pick(self.places.addresses).into(),
            Type::Prefix => self.chance.pick(self.places.prefixes).into(),
            Type::Ec => format!("(rt,{},{})", self.chance.pick(NUMBERS), self.chance.pick(SHORT)),
            Type::Lc => {
                format!("({},{},{})", self.chance.pick(NUMBERS), self.chance.pick(SHORT), self.chance.pick(NUMBERS))
            }
            Type::Text => format!("\"{}\"", self.chance.pick(TEXTS)),
            Type::Bytes => self.chance.pick(OCTETS).into(),
            Type::Mask => return self.mask(),
            Type::Path => "+empty+".into(),
            Type::Clist => "-empty-".into(),
            Type::Eclist => "--empty--".into(),
            Type::Lclist => "---empty---".into(),
            Type::Enum(prefix) => self.chance.pick(constants(prefix, self.dialect)).into(),
            _ => return self.set(kind),
        };
        Node::leaf(sort, text)
    }
}
