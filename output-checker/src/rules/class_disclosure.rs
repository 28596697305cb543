//! Class disclosure: a group whose people all fall into one category tells that category of each of them.
//!
//! *Definition.* A *line* of a table is what one key divides: all groups with equal values of the other keys. With one
//! key the line is the whole selection. A line is unanimous when people are in exactly one of its categories: 100 % in
//! that one, 0 % in all others, those of a declared domain included. NULL is no category: that nothing is known of some
//! does not protect the others. The same is asked of the people of every argument.
//!
//! *Why lines and not cells.* A zero says of everybody in its line that they are elsewhere, and where only one category
//! is left it says where. A single zero of several categories is left to the rule for zeros.
//!
//! *What is suppressed.* All values of all groups of the line, in one word, which then tells that the line is unanimous and
//! not in which category. Where the one category has too few people that word is `threshold`, also for the zeros: shown
//! beside it they would tell the category of each of the few. A row that is not declared is left out, as every row of
//! which nothing may be shown. Where the policy refers, values stay as they are for the person who decides, but the
//! zeros beside too few people are suppressed all the same; only lines with enough people are referred.
//!
//! *Sources.* Class disclosure and zero cells in SACRO's guide for output checkers; OpenSAFELY asks for care with 0 %
//! and 100 %. Group disclosure in Hundepool et al., Statistical Disclosure Control, 2012, section 5.2.
//!
//! *Parameters.* `class.unanimous`: `show`, `suppress` or `refer`.

/// In which categories of a line people are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nobody is in any.
    Empty,
    /// All are in that of this group.
    Unanimous(usize),
    /// They are in several.
    Divided,
}

/// For every group the one group of its line that people are in; `None` where they are in several, or nobody is in any.
///
/// `lines`: the line of each group, `None` for one whose key is NULL. `people`: how many are in each group.
pub(super) fn unanimous(lines: &[Option<usize>], people: impl Fn(usize) -> u64) -> Vec<Option<usize>> {
    let count = lines.iter().flatten().max().map_or(0, |last| last + 1);
    let mut found = vec![Line::Empty; count];
    for (group, line) in lines.iter().enumerate() {
        if let Some(line) = line.and_then(|line| found.get_mut(line))
            && people(group) > 0
        {
            *line = match line {
                Line::Empty => Line::Unanimous(group),
                Line::Unanimous(_) | Line::Divided => Line::Divided,
            };
        }
    }
    let of_group = |line: &Option<usize>| match line.and_then(|line| found.get(line)) {
        Some(Line::Unanimous(one)) => Some(*one),
        Some(Line::Empty | Line::Divided) | None => None,
    };
    lines.iter().map(of_group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        type Case = (
            &'static str,
            &'static [Option<usize>],
            &'static [u64],
            &'static [Option<usize>],
        );
        // (case, line of each group, people of each group, the one group of its line that people are in)
        let cases: [Case; 9] = [
            ("no groups", &[], &[], &[]),
            ("nobody", &[Some(0), Some(0)], &[0, 0], &[None, None]),
            (
                "all in the first",
                &[Some(0), Some(0)],
                &[30, 0],
                &[Some(0), Some(0)],
            ),
            (
                "all in the last",
                &[Some(0), Some(0)],
                &[0, 30],
                &[Some(1), Some(1)],
            ),
            ("one elsewhere", &[Some(0), Some(0)], &[30, 1], &[None, None]),
            ("a line of one group", &[Some(0)], &[30], &[Some(0)]),
            (
                "two lines",
                &[Some(0), Some(1), Some(0), Some(1)],
                &[5, 7, 0, 7],
                &[Some(0), None, Some(0), None],
            ),
            (
                "NULL does not divide a line",
                &[Some(0), Some(0), None],
                &[30, 0, 9],
                &[Some(0), Some(0), None],
            ),
            ("all are NULL", &[Some(0), None], &[0, 9], &[None, None]),
        ];
        for (case, lines, people, expected) in cases {
            let found = unanimous(lines, |group| people.get(group).copied().unwrap_or(0));
            assert_eq!(found, expected, "{case}");
        }
    }
}
