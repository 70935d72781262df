//! The commands as a tree of words: what a line abbreviates, what may follow, what `?` says.
//!
//! A word stands for the one command word that it is or that alone begins with
//! it. Words go on being expanded as long as commands have further words; the
//! rest is arguments and is left as typed.

use crate::commands::{COMMANDS, Release, Row, Verb};

/// All commands.
#[derive(Debug)]
pub struct Tree {
    root: Node,
    /// Words that are meant only when no other begins so: `show ro` is `show route`.
    yielding: &'static [&'static str],
}

#[derive(Debug, Default)]
struct Node {
    word: &'static str,
    /// How it is listed among its siblings, when not by its command.
    title: Option<&'static Row>,
    command: Option<&'static Row>,
    children: Vec<Node>,
}

/// What a typed line means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// A command with its words in full.
    Command(String),
    /// No command; the text says why.
    Explained(String),
}

/// What completing a line leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Nothing fits.
    Nothing,
    /// The last word in full, or as far as all fitting words agree.
    Word(&'static str, bool),
    /// Nothing more in common: [`Tree::choices`] has what fits.
    Choices,
}

const UNKNOWN: &str = "No such command. Press `?' for help.\n";

/// The word that completion prefers when several begin alike.
const PREFERRED: &str = "route";

impl Node {
    fn add(&mut self, words: &[&'static str], row: &'static Row) {
        let Some((first, rest)) = words.split_first() else {
            match row.verb {
                Verb::Group => self.title = Some(row),
                _ => self.command = Some(row),
            }
            return;
        };
        let at = match self.children.iter().position(|c| c.word == *first) {
            Some(at) => at,
            None => {
                self.children.push(Node { word: first, ..Self::default() });
                self.children.len() - 1
            }
        };
        if let Some(child) = self.children.get_mut(at) {
            child.add(rest, row);
        }
    }

    fn beginning_with<'t, 's>(&'t self, start: &'s str) -> impl Iterator<Item = &'t Self> + use<'t, 's> {
        self.children.iter().filter(move |c| c.word.starts_with(start))
    }

    /// The child that a word means: itself, or the only one that begins so.
    fn meant_by(&self, word: &str, yielding: &[&str]) -> Result<Option<&Self>, ()> {
        if let Some(exact) = self.children.iter().find(|c| c.word == word) {
            return Ok(Some(exact));
        }
        let fitting: Vec<&Self> = self.beginning_with(word).collect();
        let mut strong = fitting.iter().copied().filter(|c| fitting.len() == 1 || !yielding.contains(&c.word));
        match (strong.next(), strong.next()) {
            (Some(only), None) => Ok(Some(only)),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(()),
        }
    }

    /// One line as this node stands among its siblings; the titles of its children when it has none of its own.
    fn listed(&self, text: &mut String) {
        match self.title.or(self.command) {
            Some(row) => text.push_str(&help(row)),
            None => self.children.iter().filter_map(|c| c.title).for_each(|row| text.push_str(&help(row))),
        }
    }
}

/// One line of help.
fn help(row: &Row) -> String {
    let words = format!("{} {}", row.words, row.args);
    format!("{:<45}  {}\n", words.trim_end(), row.help)
}

impl Tree {
    /// Built from the table: what a release has.
    pub fn new(release: Release) -> Self {
        let mut root = Node::default();
        for row in COMMANDS.iter().filter(|row| row.is_in(release)) {
            let words: Vec<&'static str> = row.words.split(' ').collect();
            root.add(&words, row);
        }
        let yielding: &[&str] = match release {
            Release::One => &["roa"],
            Release::Two => &["roa", "rip"],
        };
        Self { root, yielding }
    }

    /// What a line means.
    pub fn expand(&self, line: &str) -> Expansion {
        let mut node = &self.root;
        let mut found: Option<(&Row, &str)> = None;
        let mut rest = line.trim_start();
        while !rest.is_empty() {
            let (word, tail) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            match node.meant_by(word, self.yielding) {
                Ok(Some(child)) => node = child,
                Ok(None) => break,
                Err(()) => {
                    let mut text = "Ambiguous command, possible expansions are:\n".to_owned();
                    node.beginning_with(word).for_each(|c| c.listed(&mut text));
                    return Expansion::Explained(text);
                }
            }
            if let Some(row) = node.command {
                found = Some((row, tail));
            }
            rest = tail.trim_start();
        }
        match found {
            Some((row, tail)) => Expansion::Command(format!("{}{}", row.words, tail).trim_end().to_owned()),
            None => Expansion::Explained(UNKNOWN.to_owned()),
        }
    }

    /// The help for a line as far as it is typed: what stands there, and what may follow.
    pub fn explain(&self, line: &str) -> String {
        let (node, start) = self.walk(line);
        let mut text = String::new();
        if !start.is_empty() {
            node.beginning_with(start).for_each(|c| c.listed(&mut text));
            if !text.is_empty() {
                return text;
            }
        }
        if let Some(row) = node.command {
            text.push_str(&help(row));
        }
        node.children.iter().for_each(|c| c.listed(&mut text));
        if text.is_empty() { UNKNOWN.to_owned() } else { text }
    }

    /// How the last word of a line goes on. The number is where that word begins, in octets.
    pub fn complete(&self, line: &str) -> (usize, Completion) {
        let (node, start) = self.walk(line);
        let at = line.len() - start.len();
        let fitting: Vec<&Node> = node.beginning_with(start).collect();
        let completion = match fitting.as_slice() {
            [] => Completion::Nothing,
            [only] => Completion::Word(only.word, true),
            _ => match fitting.iter().find(|c| c.word == PREFERRED && !start.is_empty()) {
                Some(preferred) => Completion::Word(preferred.word, true),
                None => {
                    let words: Vec<&'static str> = fitting.iter().map(|c| c.word).collect();
                    let common = common_start(&words);
                    if common.len() > start.len() { Completion::Word(common, false) } else { Completion::Choices }
                }
            },
        };
        (at, completion)
    }

    /// The words that may stand where the last word of a line is being typed.
    pub fn choices(&self, line: &str) -> Vec<String> {
        let (node, start) = self.walk(line);
        node.beginning_with(start).map(|c| c.word.to_owned()).collect()
    }

    /// Follows the finished words of a line; what is left of it is the word being typed.
    fn walk<'l>(&self, line: &'l str) -> (&Node, &'l str) {
        let mut node = &self.root;
        let mut rest = line.trim_start();
        while let Some(end) = rest.find(char::is_whitespace) {
            let (word, tail) = rest.split_at(end);
            match node.meant_by(word, self.yielding) {
                Ok(Some(child)) => node = child,
                // Arguments: nothing of the table goes on from here.
                Ok(None) | Err(()) => break,
            }
            rest = tail.trim_start();
        }
        (node, rest)
    }
}

/// The longest start that words share.
fn common_start(words: &[&'static str]) -> &'static str {
    let Some((first, others)) = words.split_first() else { return "" };
    let shared = |other: &&str| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let len = others.iter().map(shared).min().unwrap_or(first.len());
    first.get(..len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(line: &str) -> Result<String, String> {
        expand_for(Release::One, line)
    }

    fn expand_for(release: Release, line: &str) -> Result<String, String> {
        match Tree::new(release).expand(line) {
            Expansion::Command(line) => Ok(line),
            Expansion::Explained(text) => Err(text),
        }
    }

    /// As in the captures of 2.0.12: `ambiguous-show-r.birdc`, `show-roa.birdc`.
    #[test]
    fn the_greeting_says_whose_commands_there_are() {
        let greeted = |text: &str, line: &str| expand_for(Release::of_greeting(text), line);
        for text in ["BIRD 2.0.12 ready.", "BIRD 3.3.2 ready.", "BIRD 2.19+branch ready."] {
            assert_eq!(greeted(text, "show r").as_deref(), Ok("show route"));
            assert_eq!(greeted(text, "show roa in 10.0.0.0/8"), Err(UNKNOWN.to_owned()));
        }
        for text in ["BIRD 1.6.8 ready.", "BIRD ready.", ""] {
            assert_eq!(greeted(text, "show roa as 5").as_deref(), Ok("show roa as 5"));
        }
    }

    #[test]
    fn words_are_expanded_and_arguments_are_not() {
        for (typed, sent) in [
            ("sh ro al", "show route al"),
            ("show route co", "show route co"),
            ("show roa", "show roa"),
            ("sh prot", "show protocols"),
            ("  show   protocols a  kube", "show protocols all  kube"),
            ("conf", "configure"),
            ("conf so ti 5", "configure soft timeout 5"),
            ("disable x \"sh ro\"", "disable x \"sh ro\""),
            ("eval 1 +  1", "eval 1 +  1"),
            ("qui", "quit"),
            ("show status # comment", "show status # comment"),
            ("help show", "help show"),
        ] {
            assert_eq!(expand(typed), Ok(sent.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_command_is_not_sent() {
        for typed in ["s", "show", "foo", "SHOW STATUS", "show nothing", "show ?", ""] {
            assert_eq!(expand(typed), Err(UNKNOWN.to_owned()), "{typed}");
        }
    }

    /// As in the captures `ambiguous-re.birdc` and `ambiguous-show-r.birdc`.
    #[test]
    fn ambiguous_words_are_answered_with_what_they_may_mean() {
        assert_eq!(
            expand("re").unwrap_err(),
            "Ambiguous command, possible expansions are:\n\
             reload <protocol> | \"<pattern>\" | all          Reload protocol\n\
             restart (<protocol> | \"<pattern>\" | all) [message]  Restart protocol\n\
             restrict                                       Restrict current CLI session to safe commands\n"
        );
        assert_eq!(
            expand("show r").unwrap_err(),
            "Ambiguous command, possible expansions are:\n\
             show rip ...                                   Show information about RIP protocol\n\
             show roa ...                                   Show ROA table\n\
             show route ...                                 Show routing table\n"
        );
    }

    /// As in `90-birdc-interactive.txt`.
    #[test]
    fn help_lists_what_may_follow() {
        let tree = Tree::new(Release::One);
        let top = tree.explain("");
        assert!(top.starts_with("add roa ...      "), "{top}");
        assert!(top.ends_with("show ...                                       Show status information\n"), "{top}");
        assert_eq!(top.lines().count(), 19);
        assert!(tree.explain("mrt ").starts_with("mrt dump [table <name>|\"<pattern>\"]"), "{}", tree.explain("mrt "));
        assert_eq!(tree.explain("show ").lines().count(), 11);
        assert_eq!(
            tree.explain("reload "),
            "reload <protocol> | \"<pattern>\" | all          Reload protocol\n\
             reload in <protocol> | \"<pattern>\" | all       Reload protocol (just imported routes)\n\
             reload out <protocol> | \"<pattern>\" | all      Reload protocol (just exported routes)\n"
        );
        assert_eq!(tree.explain("show st").lines().count(), 2);
        assert_eq!(tree.explain("nonsense "), tree.explain(""));
    }

    #[test]
    fn completion_goes_as_far_as_it_can() {
        let tree = Tree::new(Release::One);
        assert_eq!(tree.complete("sh"), (0, Completion::Word("show", true)));
        assert_eq!(tree.complete("show pro"), (5, Completion::Word("protocols", true)));
        assert_eq!(tree.complete("show r"), (5, Completion::Word("route", true)));
        assert_eq!(tree.complete("sh st"), (3, Completion::Word("stat", false)));
        assert_eq!(tree.complete("show protocols "), (15, Completion::Word("all", true)));
        assert_eq!(tree.complete("x"), (0, Completion::Nothing));
        assert_eq!(tree.complete("configure c"), (10, Completion::Choices));
        assert_eq!(tree.choices("configure c"), ["check", "confirm"]);
    }

    #[test]
    fn the_table_is_in_order_and_says_everything_once() {
        for release in [Release::One, Release::Two] {
            let here = COMMANDS.iter().filter(|row| row.is_in(release));
            let keys: Vec<_> = here.map(|r| (r.words, r.verb != Verb::Group)).collect();
            assert!(keys.is_sorted(), "{keys:?}");
            assert!(keys.windows(2).all(|w| w.first() != w.last()));
        }
    }
}
