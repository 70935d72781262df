//! The dialects of the language, and all in which filters of theirs differ but names and words.
//!
//! One implementation reads both. Where they part ways a field of [`Rules`] says
//! which way; names, types and methods know their dialects in their own tables
//! (`names`), and so do the words that can not be names (`syntax`).

use route::aspath::Brackets;

/// The language of a configuration, and the release whose text the control socket speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// 1.6: options in the protocol, one family.
    #[default]
    V1,
    /// 2.x and 3.x: options in channels, both families.
    V2,
}

/// In what the filters of a dialect differ from those of another.
#[derive(Debug)]
pub struct Rules {
    /// Whose they are.
    pub dialect: Dialect,
    /// Types that are known are checked when the configuration is read, and what is constant is computed then.
    pub typed: bool,
    /// A `syntax error` names the token that was met, as bison does.
    pub names_tokens: bool,
    /// A function without `return` gives the value of its last statement.
    pub last_is_value: bool,
    /// A function may call itself.
    pub recursion: bool,
    /// The arguments of a function are one place for all its calls.
    pub static_arguments: bool,
    /// A list without members is not `defined`, a path that a route is without reads as an empty one, and so does a list
    /// that was declared and not set.
    pub empty_is_undefined: bool,
    /// An IPv4 address is also the quad of its octets, and a number an item of lists of communities.
    pub loose_lists: bool,
    /// In a path that follows a pattern, a set behind an AS may stand for nothing.
    pub loose_sets: bool,
    /// An IPv6 address that stands for one of IPv4 (RFC 4291 2.5.5.2) is that one, and `::` stands for no address.
    pub unmaps: bool,
    /// Path patterns may stand between slashes.
    pub slash_masks: bool,
    /// Declarations, blocks and loops stand among the statements.
    pub blocks: bool,
    /// Of labels of `case` that overlap the one written first counts, and of sets the members are merged.
    pub merges: bool,
    /// `return` of a truth value ends a filter.
    pub filter_returns: bool,
    /// Of several ways out of a route the first one's gateway and link are read; else they read as if there were none.
    pub first_way_counts: bool,
    /// How sets in paths are written.
    pub brackets: Brackets,
    /// What is said where a number was to be computed and the run ended with an error.
    pub no_number: &'static str,
}

static V1: Rules = Rules {
    dialect: Dialect::V1,
    typed: false,
    names_tokens: false,
    last_is_value: true,
    recursion: false,
    static_arguments: true,
    empty_is_undefined: false,
    loose_lists: false,
    loose_sets: true,
    unmaps: false,
    slash_masks: true,
    blocks: false,
    merges: false,
    filter_returns: false,
    first_way_counts: false,
    brackets: Brackets::Wide,
    no_number: "Integer expression expected",
};

static V2: Rules = Rules {
    dialect: Dialect::V2,
    typed: true,
    names_tokens: true,
    last_is_value: false,
    recursion: true,
    static_arguments: false,
    empty_is_undefined: true,
    loose_lists: true,
    loose_sets: false,
    unmaps: true,
    slash_masks: false,
    blocks: true,
    merges: true,
    filter_returns: true,
    first_way_counts: true,
    brackets: Brackets::Tight,
    no_number: "Runtime error while evaluating expression; see log for details",
};

impl Dialect {
    /// In what its filters differ from others.
    pub const fn rules(self) -> &'static Rules {
        match self {
            Self::V1 => &V1,
            Self::V2 => &V2,
        }
    }
}
