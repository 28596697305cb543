//! Just enough of Rust's lexical structure to tell code from comments and strings.

/// The text with comments, string literals and character literals turned into spaces; lines stay where they are.
pub(super) fn code(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        let end = literal_end(&characters, at);
        if end > at {
            let blanked = characters.get(at..end).unwrap_or_default();
            out.extend(blanked.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(*character);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins here ends; `at` if none begins here.
fn literal_end(text: &[char], at: usize) -> usize {
    let is = |offset: usize, c: char| text.get(at + offset) == Some(&c);
    let before = at.checked_sub(1).and_then(|index| text.get(index));
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    if is(0, '/') && is(1, '/') {
        return find(text, at, |index| text.get(index) == Some(&'\n'));
    }
    if is(0, '/') && is(1, '*') {
        return block_end(text, at + 2);
    }
    if is(0, '"') {
        return string_end(text, at + 1);
    }
    if is(0, '\'') {
        return character_end(text, at);
    }
    if in_word {
        return at;
    }
    // b"…", c"…", r"…", br#"…"#, b'…'
    let prefix = usize::from(is(0, 'b') || is(0, 'c'));
    if prefix == 1 && is(1, '"') {
        return string_end(text, at + 2);
    }
    if is(0, 'b') && is(1, '\'') {
        return character_end(text, at + 1);
    }
    if is(prefix, 'r') {
        let first = at + prefix + 1;
        let quote = find(text, first, |index| text.get(index) != Some(&'#'));
        if text.get(quote) == Some(&'"') {
            let hashes = quote - first;
            let closes = |index: usize| {
                text.get(index) == Some(&'"')
                    && text
                        .get(index + 1..index + 1 + hashes)
                        .is_some_and(|run| run.iter().all(|c| *c == '#'))
            };
            return (find(text, quote + 1, closes) + 1 + hashes).min(text.len());
        }
    }
    at
}

/// First index from `from` where this holds; the end if nowhere.
fn find(text: &[char], from: usize, holds: impl Fn(usize) -> bool) -> usize {
    (from..text.len())
        .find(|index| holds(*index))
        .unwrap_or(text.len())
}

/// End of a block comment (they nest) whose content begins here.
fn block_end(text: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 1);
    while at < text.len() {
        match (text.get(at), text.get(at + 1)) {
            (Some('*'), Some('/')) if depth == 1 => return at + 2,
            (Some('*'), Some('/')) => (at, depth) = (at + 2, depth - 1),
            (Some('/'), Some('*')) => (at, depth) = (at + 2, depth + 1),
            _ => at += 1,
        }
    }
    text.len()
}

/// End of a string whose content begins here.
fn string_end(text: &[char], from: usize) -> usize {
    let mut at = from;
    while let Some(c) = text.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// End of the character literal whose quote is here; `at` itself for a lifetime.
fn character_end(text: &[char], at: usize) -> usize {
    if text.get(at + 1) == Some(&'\\') {
        return (find(text, at + 3, |index| text.get(index) == Some(&'\'')) + 1).min(text.len());
    }
    if text.get(at + 2) == Some(&'\'') {
        at + 3
    } else {
        at
    }
}

/// Lines (from 1) of the text where the word occurs on its own.
pub(super) fn lines_with_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.lines()
        .enumerate()
        .filter(move |(_, line)| has_word(line, word))
        .map(|(index, _)| index + 1)
}

/// Whether the word occurs with neither a letter, a digit nor `_` beside it.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (
            line.get(..at).unwrap_or(""),
            line.get(at + word.len()..).unwrap_or(""),
        );
        !part(before.chars().next_back()) && !part(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_is_kept() {
        for (text, kept) in [
            ("let a = 1; // gone", "let a = 1;        "),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"x\\\"y\") g", "f(      ) g"),
            ("r#\"a\"b\"# c", "         c"),
            ("br\"a\" b\"c\" d", "           d"),
            (
                "let c = 'x'; let l: &'a str = \"\\\\\"; z",
                "let c =    ; let l: &'a str =     ; z",
            ),
            ("'\\'' '\\u{1F}' x", "              x"),
            ("for r in x {}", "for r in x {}"),
            ("// a\nb", "    \nb"),
        ] {
            assert_eq!(code(text), kept, "{text}");
        }
    }

    #[test]
    fn words_are_found_whole() {
        for (line, expected) in [
            ("an unsafe fn", true),
            ("unsafe_code", false),
            ("x.unsafe{", true),
            ("unsafer", false),
        ] {
            assert_eq!(has_word(line, "unsafe"), expected, "{line}");
        }
    }
}
