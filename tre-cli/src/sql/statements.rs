//! Where a statement ends: at a `;` outside quotes and comments. Everything else about SQL is the server's business.

/// The complete statements of a text, without their `;`, and what is left behind the last one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split<'a> {
    /// Statements that hold more than white space and comments.
    pub(crate) complete: Vec<&'a str>,
    /// The unfinished rest, if there is more in it than white space and comments.
    pub(crate) rest: Option<&'a str>,
}

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    /// A text or an identifier, by its quote. A doubled quote ends it and begins it again, which comes to the same.
    Quotes(char),
    LineComment,
    /// Block comments nest.
    BlockComment(u32),
}

/// Finds the statements of a text.
pub(crate) fn split(text: &str) -> Split<'_> {
    let mut complete = Vec::new();
    let mut inside = Inside::Nothing;
    let mut start = 0;
    let mut has_words = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        let next = letters.peek().map(|&(_, next)| next);
        let two = match (inside, c, next) {
            (Inside::Nothing, '-', Some('-')) => Some(Inside::LineComment),
            (Inside::Nothing, '/', Some('*')) => Some(Inside::BlockComment(1)),
            (Inside::BlockComment(depth), '/', Some('*')) => {
                Some(Inside::BlockComment(depth.saturating_add(1)))
            }
            (Inside::BlockComment(1), '*', Some('/')) => Some(Inside::Nothing),
            (Inside::BlockComment(depth), '*', Some('/')) => {
                Some(Inside::BlockComment(depth.saturating_sub(1)))
            }
            _one => None,
        };
        if let Some(entered) = two {
            inside = entered;
            letters.next();
            continue;
        }
        match (inside, c) {
            (Inside::Nothing, ';') => {
                if has_words {
                    complete.push(text.get(start..at).unwrap_or_default().trim());
                }
                start = at + 1;
                has_words = false;
            }
            (Inside::Nothing, '\'' | '"') => {
                inside = Inside::Quotes(c);
                has_words = true;
            }
            (Inside::Nothing, _) => has_words |= !c.is_whitespace(),
            (Inside::Quotes(quote), _) if c == quote => inside = Inside::Nothing,
            (Inside::LineComment, '\n') => inside = Inside::Nothing,
            (Inside::Quotes(_) | Inside::LineComment | Inside::BlockComment(_), _) => {}
        }
    }
    let unfinished = has_words || matches!(inside, Inside::Quotes(_) | Inside::BlockComment(_));
    let rest = text.get(start..).map(str::trim).filter(|_| unfinished);
    Split { complete, rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_at_semicolons_outside_quotes_and_comments() {
        for (text, complete, rest) in [
            ("select 1", vec![], Some("select 1")),
            ("select 1;", vec!["select 1"], None),
            ("select 1; select 2", vec!["select 1"], Some("select 2")),
            ("select ';', \";\" ;", vec!["select ';', \";\""], None),
            ("select 'it''s;' ;", vec!["select 'it''s;'"], None),
            ("select 1 -- ; no\n;", vec!["select 1 -- ; no"], None),
            (
                "select 1 /* ; /* ; */ ; */;",
                vec!["select 1 /* ; /* ; */ ; */"],
                None,
            ),
            ("select 2 - -1;", vec!["select 2 - -1"], None),
            (";; -- nothing\n ; ", vec![], None),
            ("select 'open;", vec![], Some("select 'open;")),
            ("/* open ;", vec![], Some("/* open ;")),
            ("select 'ä;ö';x", vec!["select 'ä;ö'"], Some("x")),
            ("", vec![], None),
        ] {
            assert_eq!(split(text), Split { complete, rest }, "{text}");
        }
    }
}
