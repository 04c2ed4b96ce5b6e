//! Words of a command line, as a shell separates them.

/// The words; where the quotes do not match, what white space separates.
#[must_use]
pub fn words(line: &str) -> Vec<String> {
    shlex::split(line).unwrap_or_else(|| line.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn quotes_hold_words_together_and_broken_quotes_do_not_lose_any() {
        assert_eq!(words("a 'b c' \"d \\\" e\" f\\ g"), ["a", "b c", "d \" e", "f g"]);
        assert_eq!(words("a 'b c"), ["a", "'b", "c"]);
        assert_eq!(words("  "), [""; 0]);
    }
}
