//! A command line, split as a shell does it: simple commands, each a list of words without quotes.
//!
//! It is as much of a shell's grammar as it takes to find which programs a line calls: quotes,
//! escapes, comments, the separators of commands, and substitutions, whose commands are commands of
//! their own. Nothing is expanded.

use std::iter::Peekable;
use std::str::Chars;

/// The words of each simple command of a line, in order.
pub(super) fn commands(line: &str) -> Vec<Vec<String>> {
    let mut splitter = Splitter { characters: line.chars().peekable(), ..Splitter::default() };
    splitter.run();
    splitter.end_command();
    splitter.commands
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    None,
    Double,
}

struct Splitter<'a> {
    characters: Peekable<Chars<'a>>,
    commands: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
    quote: Quote,
    /// What goes on behind each parenthesis that is open.
    open: Vec<Quote>,
}

impl Default for Splitter<'_> {
    fn default() -> Self {
        Splitter {
            characters: "".chars().peekable(),
            commands: Vec::new(),
            words: Vec::new(),
            word: None,
            quote: Quote::None,
            open: Vec::new(),
        }
    }
}

impl Splitter<'_> {
    fn run(&mut self) {
        while let Some(character) = self.characters.next() {
            match self.quote {
                Quote::None => self.plain(character),
                Quote::Double => self.double(character),
            }
        }
    }

    fn plain(&mut self, character: char) {
        match character {
            '\'' => self.single(false),
            '"' => {
                self.word.get_or_insert_default();
                self.quote = Quote::Double;
            }
            '\\' => self.escape(),
            '$' => match self.characters.peek() {
                Some('\'') => {
                    self.characters.next();
                    self.single(true);
                }
                Some('(') => {}
                _ => self.push('$'),
            },
            '#' if self.word.is_none() => {
                while self.characters.next_if(|next| *next != '\n').is_some() {}
            }
            '(' => {
                self.end_command();
                self.open.push(Quote::None);
            }
            ')' => {
                self.end_command();
                self.quote = self.open.pop().unwrap_or_default();
            }
            ';' | '|' | '&' | '`' | '\n' => self.end_command(),
            '<' | '>' => self.end_word(),
            space if space.is_whitespace() => self.end_word(),
            other => self.push(other),
        }
    }

    fn double(&mut self, character: char) {
        match character {
            '"' => self.quote = Quote::None,
            '\\' => match self.characters.next_if(|next| matches!(next, '"' | '\\' | '$' | '`')) {
                Some(escaped) => self.push(escaped),
                None => self.push('\\'),
            },
            '$' if self.characters.next_if_eq(&'(').is_some() => {
                self.end_command();
                self.open.push(Quote::Double);
                self.quote = Quote::None;
            }
            other => self.push(other),
        }
    }

    /// What stands in single quotes; with escapes behind a `$`.
    fn single(&mut self, escapes: bool) {
        self.word.get_or_insert_default();
        while let Some(character) = self.characters.next() {
            match character {
                '\'' => return,
                '\\' if escapes => {
                    let escaped = self.characters.next();
                    escaped.into_iter().for_each(|escaped| self.push(escaped));
                }
                other => self.push(other),
            }
        }
    }

    /// A line that goes on behind a backslash is one line.
    fn escape(&mut self) {
        match self.characters.next() {
            Some('\n') | None => {}
            Some(escaped) => self.push(escaped),
        }
    }

    fn push(&mut self, character: char) {
        self.word.get_or_insert_default().push(character);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            self.commands.push(std::mem::take(&mut self.words));
        }
    }
}

/// Whether the quotes of a text are closed, told line by line.
#[derive(Default)]
pub(super) struct Quotes {
    within: Option<char>,
}

impl Quotes {
    /// Takes one more line; says whether the text goes on in the next.
    pub(super) fn go_on_after(&mut self, line: &str) -> bool {
        let mut escaped = false;
        for character in line.chars() {
            match (self.within, character) {
                _ if escaped => escaped = false,
                (Some('\''), '\'') | (Some('"'), '"') => self.within = None,
                (Some('\''), _) => {}
                (_, '\\') => escaped = true,
                (None, '\'' | '"') => self.within = Some(character),
                _ => {}
            }
        }
        escaped || self.within.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        commands(line).iter().map(|words| words.join("|")).collect()
    }

    #[test]
    fn words_lose_their_quotes_and_commands_their_separators() {
        assert_eq!(
            split(r#"docker run -e "A B"='c d' web sh -c 'a; b'"#),
            ["docker|run|-e|A B=c d|web|sh|-c|a; b"]
        );
        assert_eq!(split("a && b || c; d | e & f\ng"), ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(split(r"echo \'x\ y 'it'\''s'"), ["echo|'x y|it's"]);
        assert_eq!(split("docker \\\n ps # all\nls"), ["docker|ps", "ls"]);
        assert_eq!(split(r"printf $'a\'b'"), ["printf|a'b"]);
        assert_eq!(split("echo '' \"\""), ["echo||"]);
        assert_eq!(split("  \n ; "), [""; 0]);
    }

    #[test]
    fn a_substitution_is_a_command_of_its_own() {
        assert_eq!(split("docker rm $(docker ps -aq) -f"), ["docker|rm", "docker|ps|-aq", "-f"]);
        assert_eq!(
            split(r#"echo "is $(docker ps "-a") up" ok"#),
            ["echo|is ", "docker|ps|-a", " up|ok"]
        );
        assert_eq!(split("x=`docker ps`; (cd /; ls)"), ["x=", "docker|ps", "cd|/", "ls"]);
        assert_eq!(split("docker save web > web.tar"), ["docker|save|web|web.tar"]);
    }

    #[test]
    fn what_is_never_closed_ends_with_the_line() {
        for line in ["'docker ps", "\"docker ps", "$(docker ps", "docker ps \\", "))docker ps"] {
            let found = split(line).join(" ").replace('|', " ");
            assert_eq!(found, "docker ps", "{line}");
        }
    }

    #[test]
    fn a_text_goes_on_while_a_quote_is_open() {
        let mut quotes = Quotes::default();
        assert!(quotes.go_on_after("docker run web sh -c 'echo \"x\\"));
        assert!(quotes.go_on_after("still"));
        assert!(!quotes.go_on_after("end'"));
        assert!(quotes.go_on_after("docker \\"));
        assert!(!quotes.go_on_after(r"echo \' \\"));
    }
}
