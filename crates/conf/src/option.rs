//! What an option is: words, a typed place, and what a change of it means.
//!
//! Every option of every protocol is one [`Row`] of a table. Parsing, defaults,
//! templates, the comparison of two configurations, the compatibility table and
//! "did you mean" all read the row; nothing else knows the option. The default
//! is whatever the place holds before anything is parsed.

use crate::config::Dialect;
use crate::parser::Parser;
use filter::syntax::Parsed;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// What a changed option asks of a running protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The new value is taken over; routes and session stay.
    None,
    /// Routes are judged again, in these directions.
    Refilter(Ways),
    /// The protocol stops and starts again.
    Restart,
}

impl Effect {
    /// What comes in is judged again.
    pub(crate) const IMPORT: Self = Self::Refilter(Ways { import: true, export: false });
    /// What goes out is.
    pub(crate) const EXPORT: Self = Self::Refilter(Ways { import: false, export: true });
    /// Both.
    pub(crate) const BOTH: Self = Self::Refilter(Ways { import: true, export: true });
}

/// Directions of routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ways {
    /// From the protocol to the table.
    pub import: bool,
    /// From the table to the protocol.
    pub export: bool,
}

impl Ways {
    /// The directions of either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { import: self.import || other.import, export: self.export || other.export }
    }
}

/// A place in a configuration struct.
pub struct Field<T, F> {
    /// Reads it.
    pub get: fn(&T) -> &F,
    /// Writes it.
    pub place: fn(&mut T) -> &mut F,
}

/// The place of a field: `field!(passive)`.
macro_rules! field {
    ($($name:tt)+) => { $crate::option::Field { get: |c| &c.$($name)+, place: |c| &mut c.$($name)+ } };
}
pub(crate) use field;

/// The value that follows the words of an option, and where it goes.
pub(crate) enum Slot<T> {
    /// Nothing, a number, or `on`, `yes`, `off`, `no`.
    Switch(Field<T, bool>),
    /// Nothing: the words alone mean yes.
    Mark(Field<T, bool>),
    /// What a switch turns on is not done; to turn it off is no error, for it is off.
    OnlyOff(&'static str),
    /// A number.
    Number(Field<T, u32>),
    /// Seconds as a number.
    Time(Field<T, u32>),
    /// A number up to a limit beyond which BIRD says the given words.
    Limited(Field<T, u32>, u32, &'static str),
    /// A number of seconds or the like, of which the protocol can carry only so much: more is the most, with a warning.
    Short(Field<T, u16>, u16),
    /// Seconds.
    Seconds(Field<T, Duration>),
    /// A string.
    Text(Field<T, Option<Arc<str>>>),
    /// A string that is never shown.
    Secret(Field<T, Option<Arc<str>>>),
    /// An address of the configuration's family.
    Address(Field<T, Option<IpAddr>>),
    /// A router identifier.
    RouterId(Field<T, Option<Ipv4Addr>>),
    /// The name of a table.
    Table(Field<T, Arc<str>>),
    /// The name of a table that need not be given.
    OtherTable(Field<T, Option<Arc<str>>>),
    /// A grammar of its own.
    Own(Own<T>),
    /// Not done by this release: an error that says why.
    Refused(&'static str),
}

/// An option with a grammar of its own.
pub(crate) struct Own<T> {
    /// The grammar behind the words, for people.
    pub(crate) grammar: &'static str,
    /// Reads it, from behind the words to before the `;`.
    pub(crate) parse: fn(&mut Parser<'_>, &mut T) -> Parsed<()>,
    /// Its value, as it would be written.
    pub(crate) show: fn(&T) -> String,
    /// Whether two values mean the same.
    pub(crate) same: fn(&T, &T) -> bool,
}

/// An option.
pub(crate) struct Row<T: 'static> {
    /// Its words.
    pub(crate) words: &'static [&'static str],
    /// Its value.
    pub(crate) slot: Slot<T>,
    /// What a change of it means; [`Row::effect_in`] says it of a dialect.
    pub(crate) effect: Effect,
    /// What it means in dialect 2, when that is something else.
    pub(crate) effect_in_2: Option<Effect>,
    /// The option it is an old spelling of: BIRD's warning says so.
    pub(crate) deprecated: Option<&'static str>,
    /// The dialect that has it; `None`: both.
    pub(crate) dialect: Option<Dialect>,
    /// Between which values a change means less than `effect`, and what.
    pub(crate) lighter: Option<Lighter<T>>,
}

/// Changes that mean less than others of the same option.
pub(crate) struct Lighter<T> {
    /// Whether this is one.
    between: fn(&T, &T) -> bool,
    /// What it means.
    effect: Effect,
}

impl<T> Row<T> {
    /// An option.
    pub(crate) const fn new(words: &'static [&'static str], slot: Slot<T>, effect: Effect) -> Self {
        Self { words, slot, effect, effect_in_2: None, deprecated: None, dialect: None, lighter: None }
    }

    /// An old spelling; `warning` is what BIRD says of it.
    pub(crate) const fn deprecated(mut self, warning: &'static str) -> Self {
        self.deprecated = Some(warning);
        self
    }

    /// A change of it means something else than of its neighbours in the table.
    pub(crate) const fn means(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// And in dialect 2 something else than in 1.6.
    pub(crate) const fn means_in_2(mut self, effect: Effect) -> Self {
        self.effect_in_2 = Some(effect);
        self
    }

    /// What a change of it means in a dialect.
    pub(crate) fn effect_in(&self, dialect: Dialect) -> Effect {
        self.effect_in_2.filter(|_| dialect == Dialect::V2).unwrap_or(self.effect)
    }

    /// An option of one dialect.
    pub(crate) const fn only(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Between such values a change means this alone.
    pub(crate) const fn lighter(mut self, between: fn(&T, &T) -> bool, effect: Effect) -> Self {
        self.lighter = Some(Lighter { between, effect });
        self
    }

    /// What it means that one value becomes the other.
    pub(crate) fn effect(&self, old: &T, new: &T, dialect: Dialect) -> Effect {
        let lighter = self.lighter.as_ref().filter(|l| (l.between)(old, new));
        lighter.map_or_else(|| self.effect_in(dialect), |l| l.effect)
    }

    /// Whether a dialect has it.
    pub(crate) fn is_in(&self, dialect: Dialect) -> bool {
        self.dialect.is_none_or(|only| only == dialect)
    }

    /// An option that is not done.
    pub(crate) const fn refused(words: &'static [&'static str], why: &'static str) -> Self {
        Self::new(words, Slot::Refused(why), Effect::None)
    }

    /// Reads the value behind the words into its place.
    pub(crate) fn parse(&self, parser: &mut Parser<'_>, into: &mut T) -> Parsed<()> {
        let start = parser.at.span();
        match &self.slot {
            Slot::Switch(f) => *(f.place)(into) = parser.switch()?,
            Slot::Mark(f) => *(f.place)(into) = true,
            Slot::OnlyOff(why) => {
                let words = parser.at.last_span();
                if parser.switch()? {
                    return Err(parser.not_done(words, &self.words.join(" "), why));
                }
            }
            Slot::Number(f) | Slot::Time(f) => *(f.place)(into) = parser.number()?,
            Slot::Limited(f, max, message) => {
                let value = parser.number()?;
                if value > *max {
                    return Err(parser.refusal(start, *message, format!("at most {max}")));
                }
                *(f.place)(into) = value;
            }
            Slot::Short(f, max) => {
                let value = parser.number()?;
                *(f.place)(into) = u16::try_from(value).unwrap_or(u16::MAX).min(*max);
                if value > u32::from(*max) {
                    let name = self.words.join(" ");
                    let message = format!("{name} is at most {max}; {value} is taken as {max}");
                    parser.warn_of(start, message, format!("at most {max}"));
                }
            }
            Slot::Seconds(f) => *(f.place)(into) = Duration::from_secs(parser.number()?.into()),
            Slot::Text(f) | Slot::Secret(f) => *(f.place)(into) = Some(parser.text()?),
            Slot::Address(f) => *(f.place)(into) = Some(parser.address()?),
            Slot::RouterId(f) => *(f.place)(into) = Some(parser.router_id()?),
            Slot::Table(f) => *(f.place)(into) = parser.table()?,
            Slot::OtherTable(f) => *(f.place)(into) = Some(parser.table()?),
            Slot::Own(own) => (own.parse)(parser, into)?,
            Slot::Refused(why) => {
                let words = parser.at.last_span();
                return Err(parser.not_done(words, &self.words.join(" "), why));
            }
        }
        Ok(())
    }

    /// The value as an operator would write it; empty when there is none.
    pub(crate) fn show(&self, of: &T) -> String {
        let opt = |value: Option<String>| value.unwrap_or_default();
        match &self.slot {
            Slot::Switch(f) | Slot::Mark(f) => if *(f.get)(of) { "on" } else { "off" }.to_owned(),
            Slot::Number(f) | Slot::Time(f) | Slot::Limited(f, ..) => (f.get)(of).to_string(),
            Slot::Short(f, _) => (f.get)(of).to_string(),
            Slot::Seconds(f) => (f.get)(of).as_secs().to_string(),
            Slot::Text(f) => opt((f.get)(of).as_ref().map(|t| format!("\"{t}\""))),
            Slot::Secret(f) => opt((f.get)(of).as_ref().map(|_| "(secret)".to_owned())),
            Slot::Address(f) => opt((f.get)(of).map(|a| a.to_string())),
            Slot::RouterId(f) => opt((f.get)(of).map(|a| a.to_string())),
            Slot::Table(f) => (f.get)(of).to_string(),
            Slot::OtherTable(f) => opt((f.get)(of).as_ref().map(ToString::to_string)),
            Slot::Own(own) => (own.show)(of),
            Slot::OnlyOff(_) => "off".to_owned(),
            Slot::Refused(_) => String::new(),
        }
    }

    /// Whether the option has the same value in both.
    pub(crate) fn same(&self, a: &T, b: &T) -> bool {
        match &self.slot {
            Slot::Switch(f) | Slot::Mark(f) => (f.get)(a) == (f.get)(b),
            Slot::Number(f) | Slot::Time(f) | Slot::Limited(f, ..) => (f.get)(a) == (f.get)(b),
            Slot::Short(f, _) => (f.get)(a) == (f.get)(b),
            Slot::Seconds(f) => (f.get)(a) == (f.get)(b),
            Slot::Text(f) | Slot::Secret(f) | Slot::OtherTable(f) => (f.get)(a) == (f.get)(b),
            Slot::Address(f) => (f.get)(a) == (f.get)(b),
            Slot::RouterId(f) => (f.get)(a) == (f.get)(b),
            Slot::Table(f) => (f.get)(a) == (f.get)(b),
            Slot::Own(own) => (own.same)(a, b),
            Slot::OnlyOff(_) | Slot::Refused(_) => true,
        }
    }

    /// The grammar of the value, for people; empty when there is none.
    pub(crate) fn grammar(&self) -> &'static str {
        match &self.slot {
            Slot::Switch(_) | Slot::OnlyOff(_) => "[switch]",
            Slot::Mark(_) | Slot::Refused(_) => "",
            Slot::Number(_) | Slot::Limited(..) => "number",
            Slot::Short(..) | Slot::Seconds(_) | Slot::Time(_) => "seconds",
            Slot::Text(_) | Slot::Secret(_) => "\"text\"",
            Slot::Address(_) => "address",
            Slot::RouterId(_) => "router id",
            Slot::Table(_) | Slot::OtherTable(_) => "table",
            Slot::Own(own) => own.grammar,
        }
    }
}

/// The row of a dialect whose words begin the given ones, the longest such.
pub(crate) fn find<'r, T>(rows: &'r [Row<T>], words: &[&str], dialect: Dialect) -> Option<&'r Row<T>> {
    let fitting = rows.iter().filter(|row| row.is_in(dialect) && words.starts_with(row.words));
    fitting.max_by_key(|row| row.words.len())
}

/// How many of the given words begin some row of a dialect.
pub(crate) fn words_known<T>(rows: &[Row<T>], words: &[&str], dialect: Dialect) -> usize {
    words_known_of(rows.iter().filter(|row| row.is_in(dialect)).map(|row| row.words), words)
}

/// How many of the given words begin some phrase.
pub(crate) fn words_known_of<'p>(phrases: impl Iterator<Item = &'p [&'p str]>, words: &[&str]) -> usize {
    let common = |phrase: &[&str]| phrase.iter().zip(words).take_while(|(a, b)| a == b).count();
    phrases.map(common).max().unwrap_or(0)
}
