//! How many people of each group do not have its most frequent contribution, there where the server asks for it.
//!
//! The contributions of a group are counted one by one as long as there are few different ones. With more than `most` of them
//! at least `most` people differ from any given one, which is all that is asked, and nothing more is kept. So the number
//! is exact below `most`, does not depend on the order of people, and adds up over ranges: lists are merged and given up
//! when they are too long together.

use std::mem::size_of;

/// Contributions of all groups, `arguments` per group.
pub(super) struct Values {
    most: usize,
    arguments: usize,
    lists: Vec<Contributions>,
}

/// The different net contributions of people, and how many have each.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Contributions {
    /// All of them, ascending.
    Few(Vec<(i128, u64)>),
    /// There are more than are counted.
    Many,
}

impl Values {
    /// None yet. Up to `most` people are told apart.
    pub(super) fn new(most: u32, arguments: usize) -> Self {
        Values {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            arguments,
            lists: Vec::new(),
        }
    }

    /// Makes room for so many groups.
    pub(super) fn grow(&mut self, groups: usize) {
        self.lists
            .resize(groups * self.arguments, Contributions::Few(Vec::new()));
    }

    /// Bytes that the lists take.
    pub(super) fn memory(&self) -> usize {
        let entries = self.lists.iter().map(|list| match list {
            Contributions::Few(list) => list.capacity(),
            Contributions::Many => 0,
        });
        self.lists.capacity() * size_of::<Contributions>() + entries.sum::<usize>() * size_of::<(i128, u64)>()
    }

    /// A person's net contribution.
    pub(super) fn add(&mut self, group: usize, argument: usize, net: i128) {
        let most = self.most;
        if let Some(list) = self.lists.get_mut(group * self.arguments + argument) {
            list.add(net, 1, most);
        }
    }

    /// Adds a group of other people.
    pub(super) fn merge(&mut self, to: usize, other: &Values, from: usize) {
        let most = self.most;
        let lists = self.lists.iter_mut().skip(to * self.arguments);
        let added = other.lists.iter().skip(from * self.arguments);
        for (list, added) in lists.zip(added).take(self.arguments) {
            match added {
                Contributions::Many => *list = Contributions::Many,
                Contributions::Few(added) => {
                    for (net, people) in added {
                        list.add(*net, *people, most);
                    }
                }
            }
        }
    }

    /// Per group: people with another contribution to an argument than the most frequent one; the largest number stands for
    /// itself and all above.
    pub(super) fn unlike(&self, argument: usize) -> impl Iterator<Item = u64> {
        let lists = self.lists.iter().skip(argument).step_by(self.arguments.max(1));
        lists.map(|list| {
            let most = u64::try_from(self.most).unwrap_or(u64::MAX);
            match list {
                Contributions::Many => most,
                Contributions::Few(list) => {
                    let people: u64 = list.iter().map(|(_, people)| people).sum();
                    let largest = list.iter().map(|(_, people)| *people).max().unwrap_or(0);
                    (people - largest).min(most)
                }
            }
        })
    }
}

impl Contributions {
    fn add(&mut self, net: i128, people: u64, most: usize) {
        let Contributions::Few(list) = self else { return };
        match list.binary_search_by_key(&net, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, known)) = list.get_mut(place) {
                    *known += people;
                }
            }
            Err(_) if list.len() >= most => *self = Contributions::Many,
            Err(place) => list.insert(place, (net, people)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use std::collections::BTreeMap;

    /// By brute force, of all contributions at once.
    fn unlike(contributions: &[i128], most: u64) -> u64 {
        let mut counts: BTreeMap<i128, u64> = BTreeMap::new();
        for net in contributions {
            *counts.entry(*net).or_default() += 1;
        }
        let largest = counts.values().max().copied().unwrap_or(0);
        (contributions.len() as u64 - largest).min(most)
    }

    fn of(contributions: &[i128], most: u32) -> Values {
        let mut values = Values::new(most, 1);
        values.grow(1);
        for net in contributions {
            values.add(0, 0, *net);
        }
        values
    }

    #[test]
    fn whatever_the_order_and_the_ranges_the_number_is_that_of_brute_force() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut draw = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for case in 0..4_000 {
            let (people, different) = (draw(40), 1 + draw(14));
            let contributions: Vec<i128> = (0..people).map(|_| i128::from(draw(different)) - 2).collect();
            let most = u32::try_from(draw(13)).unwrap();
            let expected = unlike(&contributions, u64::from(most));
            let mut reversed = contributions.clone();
            reversed.reverse();
            let cut = usize::try_from(draw(people + 1)).unwrap();
            let (one, two) = contributions.split_at(cut);
            let mut merged = of(two, most);
            merged.merge(0, &of(one, most), 0);
            for values in [of(&contributions, most), of(&reversed, most), merged] {
                assert_eq!(values.unlike(0).collect::<Vec<_>>(), [expected], "case {case}");
            }
        }
    }

    #[test]
    fn groups_and_arguments_are_apart() {
        let mut values = Values::new(3, 2);
        values.grow(2);
        for (group, argument, net) in [
            (0, 0, 1),
            (0, 0, 2),
            (0, 1, 1),
            (1, 0, 5),
            (1, 0, 5),
            (1, 1, 7),
            (1, 1, 8),
        ] {
            values.add(group, argument, net);
        }
        assert_eq!(values.unlike(0).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(values.unlike(1).collect::<Vec<_>>(), [0, 1]);
        assert!(values.memory() > 0);
    }
}
