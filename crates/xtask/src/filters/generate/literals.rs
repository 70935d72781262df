//! Values written out.

use super::words::{DECLARED, ENUMS, NUMBERS, QUADS, SHORT, TEXTS, constants};
use super::{Maker, Node, Sort, Type};

impl Maker<'_> {
    pub(super) fn any_type(&mut self) -> Type {
        if self.chance.percent(8) {
            let (prefix, _) = ENUMS[self.chance.below(ENUMS.len())];
            return Type::Enum(prefix);
        }
        DECLARED[self.chance.below(DECLARED.len())].1
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
            Type::Mask => return self.mask(),
            Type::Path => "+empty+".into(),
            Type::Clist => "-empty-".into(),
            Type::Eclist => "--empty--".into(),
            Type::Lclist => "---empty---".into(),
            Type::Enum(prefix) => self.chance.pick(constants(prefix)).into(),
            _ => return self.set(kind),
        };
        Node::leaf(sort, text)
    }

    pub(super) fn set(&mut self, kind: Type) -> Node {
        let items: Vec<String> = (0..1 + self.chance.below(4)).map(|_| self.member(kind)).collect();
        Node::leaf(Sort::Expr(kind), format!("[{}]", items.join(", ")))
    }

    pub(super) fn member(&mut self, kind: Type) -> String {
        let roll = self.chance.below(10);
        let places = self.places;
        let c = &mut *self.chance;
        match kind {
            Type::IntSet if roll < 5 => c.pick(NUMBERS).into(),
            Type::IntSet => format!("{}..{}", c.pick(NUMBERS), c.pick(NUMBERS)),
            Type::PairSet => match roll {
                0..4 => format!("({},{})", c.pick(SHORT), c.pick(SHORT)),
                4 | 5 => format!("({},*)", c.pick(SHORT)),
                6 => format!("({},{}..{})", c.pick(SHORT), c.below(9), 8 + c.below(70)),
                7 => format!("({}..{},{}..{})", c.below(3), 2 + c.below(9), c.below(5), 4 + c.below(5)),
                8 => {
                    let (a, b) = (c.below(9), c.below(9));
                    format!("({a},{b})..({},{})", a + c.below(90), b + c.below(90))
                }
                _ => "(*,*)".into(),
            },
            Type::QuadSet if roll < 5 => c.pick(QUADS).into(),
            Type::QuadSet => format!("{}..{}", c.pick(QUADS), c.pick(QUADS)),
            Type::IpSet if roll < 5 => c.pick(places.addresses).into(),
            Type::IpSet => format!("{}..{}", c.pick(places.addresses), c.pick(places.addresses)),
            Type::PrefixSet => {
                let base = c.pick(places.prefixes);
                match roll {
                    0..3 => base.into(),
                    3..5 => format!("{base}+"),
                    5 | 6 => format!("{base}-"),
                    _ => {
                        let low = c.below(places.longest + 1);
                        format!("{base}{{{low},{}}}", low + c.below(places.longest + 1 - low))
                    }
                }
            }
            Type::EcSet => {
                let word = c.pick(&["rt", "ro", "generic", "unknown 0x43"]);
                match roll {
                    0..4 => format!("({word},{},{})", c.pick(SHORT), c.pick(SHORT)),
                    4..7 => format!("({word},{},*)", c.pick(SHORT)),
                    _ => format!("({word},{},{}..{})", c.pick(SHORT), c.below(9), 8 + c.below(99)),
                }
            }
            Type::LcSet => match roll {
                0..4 => format!("({},{},{})", c.pick(NUMBERS), c.pick(SHORT), c.pick(NUMBERS)),
                4 => format!("({},*,*)", c.pick(NUMBERS)),
                5 => format!("({},{},*)", c.pick(NUMBERS), c.pick(SHORT)),
                6 => format!("({},{}..{},*)", c.pick(NUMBERS), c.below(9), 8 + c.below(99)),
                7 => "(*,*,*)".into(),
                _ => format!("({},{},{}..{})", c.pick(NUMBERS), c.pick(SHORT), c.below(9), 8 + c.below(99)),
            },
            Type::EnumSet(prefix) => c.pick(constants(prefix)).into(),
            _ => "1".into(),
        }
    }
}
