//! The grammar of LVM2's texts (`lvm.conf(5)`, and the metadata of a volume group): sections in
//! braces, assignments of numbers, strings and flat lists, comments to the end of the line.

use std::borrow::Cow;

/// Sections within sections; the metadata of a volume group has four.
const MAX_DEPTH: usize = 16;
/// Values and sections of one text, so that its tree stays in proportion; a volume group of ten
/// thousand logical volumes has a fifth of it.
const MAX_NODES: usize = 1 << 20;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Number(i64),
    /// A string, or a word that is no whole number.
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
}

/// What stands between two braces, or in the whole text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Section<'a> {
    values: Vec<(&'a str, Value<'a>)>,
    /// The sections in it, by name.
    pub(super) sections: Vec<(&'a str, Section<'a>)>,
}

impl<'a> Section<'a> {
    /// Reads a text, up to its end or its first NUL.
    pub(super) fn parse(text: &'a str) -> Result<Section<'a>, String> {
        let text = text.split('\0').next().unwrap_or_default();
        Parser { text, rest: text, nodes: 0 }.run()
    }

    pub(super) fn section(&self, name: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|(known, _)| *known == name).map(|(_, section)| section)
    }

    /// A number that is not negative.
    pub(super) fn number(&self, name: &str) -> Result<u64, String> {
        match self.value(name) {
            Some(Value::Number(number)) => {
                u64::try_from(*number).map_err(|_| format!("{name} is {number}"))
            }
            _ => Err(format!("there is no number {name}")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        match self.value(name) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(format!("there is no text {name}")),
        }
    }

    /// The values of a list; none where there is no such list.
    pub(super) fn list(&self, name: &str) -> &[Value<'a>] {
        match self.value(name) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }

    fn value(&self, name: &str) -> Option<&Value<'a>> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// The smallest parts of a text.
enum Token<'a> {
    /// One of `{ } [ ] = ,`
    Mark(char),
    Word(&'a str),
    Quoted(Cow<'a, str>),
    End,
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    nodes: usize,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Result<Section<'a>, String> {
        let mut open: Vec<(&'a str, Section<'a>)> = Vec::new();
        let mut section = Section::default();
        loop {
            match (self.token()?, open.pop()) {
                (Token::End, None) => return Ok(section),
                (Token::Mark('}'), Some((name, mut outer))) => {
                    outer.sections.push((name, section));
                    section = outer;
                }
                (Token::Word(name), outer) => {
                    open.extend(outer);
                    match self.token()? {
                        Token::Mark('=') => {
                            let value = self.value()?;
                            section.values.push((name, value));
                        }
                        Token::Mark('{') if open.len() < MAX_DEPTH => {
                            self.count()?;
                            open.push((name, std::mem::take(&mut section)));
                        }
                        Token::Mark('{') => return Err(self.wrong("fewer sections in sections")),
                        _ => return Err(self.wrong("'=' or '{'")),
                    }
                }
                (Token::End, Some(_)) => return Err(self.wrong("'}'")),
                _ => return Err(self.wrong("a name")),
            }
        }
    }

    fn value(&mut self) -> Result<Value<'a>, String> {
        match self.token()? {
            Token::Mark('[') => {}
            token => return self.scalar(token),
        }
        let mut values = Vec::new();
        loop {
            match self.token()? {
                Token::Mark(']') => return Ok(Value::List(values)),
                Token::Mark(',') => {}
                token => values.push(self.scalar(token)?),
            }
        }
    }

    fn scalar(&mut self, token: Token<'a>) -> Result<Value<'a>, String> {
        self.count()?;
        match token {
            Token::Quoted(text) => Ok(Value::Text(text)),
            Token::Word(word) => {
                let number = word.parse().map(Value::Number);
                Ok(number.unwrap_or(Value::Text(Cow::Borrowed(word))))
            }
            _ => Err(self.wrong("a value")),
        }
    }

    fn count(&mut self) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES {
            return Err(format!("values of a text: limit of {MAX_NODES} reached"));
        }
        Ok(())
    }

    fn token(&mut self) -> Result<Token<'a>, String> {
        self.rest = self.rest.trim_start();
        while let Some(comment) = self.rest.strip_prefix('#') {
            self.rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
        }
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        match first {
            '{' | '}' | '[' | ']' | '=' | ',' => {
                self.take(first.len_utf8());
                Ok(Token::Mark(first))
            }
            '"' | '\'' => {
                self.take(first.len_utf8());
                self.quoted(first)
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || "{}[]=,#\"'".contains(c);
                let length = self.rest.find(ends).unwrap_or(self.rest.len());
                Ok(Token::Word(self.take(length)))
            }
        }
    }

    /// A string after its opening quote; a backslash stands before a quote or another backslash.
    fn quoted(&mut self, quote: char) -> Result<Token<'a>, String> {
        let mut escaped = false;
        let end = self.rest.find(|c: char| {
            let ends = c == quote && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let raw = self.take(end.ok_or_else(|| self.wrong("the end of a string"))?);
        self.take(quote.len_utf8());
        if !raw.contains('\\') {
            return Ok(Token::Quoted(Cow::Borrowed(raw)));
        }
        let mut text = String::with_capacity(raw.len());
        let mut characters = raw.chars();
        while let Some(character) = characters.next() {
            let escaped = if character == '\\' { characters.next() } else { None };
            text.push(escaped.unwrap_or(character));
        }
        Ok(Token::Quoted(Cow::Owned(text)))
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn wrong(&self, need: &str) -> String {
        let at = self.text.len().saturating_sub(self.rest.len());
        format!("text of a volume group before byte {at}: need {need}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_values_lists_and_comments_are_read() {
        let text = "# made\nvg { # a\n id=\"a\\\"b\\\\c\"\nn = -5\nf = 1.5 l = [\"x\", 3,]\n\
                    inner { e = [] }\n}\nversion = 1\0 } garbage";
        let root = Section::parse(text).unwrap();
        assert_eq!(root.number("version"), Ok(1));
        let vg = root.section("vg").unwrap();
        assert_eq!(vg.text("id"), Ok("a\"b\\c"));
        assert_eq!(vg.number("n").unwrap_err(), "n is -5");
        assert_eq!(vg.text("f"), Ok("1.5"));
        assert_eq!(vg.list("l"), [Value::Text("x".into()), Value::Number(3)]);
        assert!(vg.section("inner").unwrap().list("e").is_empty());
        assert_eq!(root.section("none"), None);
    }

    #[test]
    fn what_is_not_of_the_grammar_is_an_error_with_its_place() {
        for (text, error) in [
            ("a {", "text of a volume group before byte 3: need '}'"),
            ("}", "text of a volume group before byte 1: need a name"),
            ("a b", "text of a volume group before byte 3: need '=' or '{'"),
            ("a = ]", "text of a volume group before byte 5: need a value"),
            ("a = [ [", "text of a volume group before byte 7: need a value"),
            ("a = \"b", "text of a volume group before byte 5: need the end of a string"),
            (
                &"a{".repeat(17),
                "text of a volume group before byte 34: need fewer sections in sections",
            ),
            (&"a=1 ".repeat(MAX_NODES + 1), "values of a text: limit of 1048576 reached"),
        ] {
            assert_eq!(Section::parse(text).unwrap_err(), error);
        }
    }
}
