//! Controlled rounding: the values of one column are rounded together, so that the rounded table still adds up.
//!
//! *Definition.* The shown values of a column are a table of two ways: its rows are the values of the first key, its
//! columns the combinations of all others. Every value becomes one of the two multiples of the base next to it, and one
//! that is a multiple already stays as it is (*zero-restricted*). So does every margin: what the rounded values of a row, a
//! column or the whole table add up to is a multiple next to what they added up to before. The whole is the *nearest*
//! multiple, half to even: the very number that the same question without keys is answered with, where nothing is
//! suppressed and nobody is counted in two groups.
//!
//! *Which margins, and why no more.* One aggregation has one level of grouping, so its margins are its own sums; totals
//! that are asked for beside it are tables of their own. With three keys, each way of which has margins, there are tables
//! that cannot be rounded so at all (Causey, Cox and Ernst); of two ways every table can.
//!
//! *How.* Cox's construction. The fractions of the base that the values are above a multiple are completed by a row and
//! a column of slacks, so that all lines add up to multiples. While a value is between 0 and the base, its row has another
//! one, that one's column another, and so on until a cycle closes. Along a cycle values are raised and lowered in turn by
//! the same amount, which no line notices, until one of them is 0 or the base: at least one value less is left to do. A
//! cycle can be shifted both ways. Cox draws the way at random, which makes the rounding unbiased; here it is the way of
//! the smaller step, without a draw: asked again, another draw would average away, and a draw by the unit set would
//! promise more than it keeps, since each step depends on all values. The price is a bias below half a base per value.
//!
//! *What it tells.* Each value is within a base of the truth, as after any rounding. But a value now depends on the other
//! shown values of its column, which may be of other people; never on a suppressed one, which has no place in the table.
//!
//! *Sources.* L. H. Cox, A constructive procedure for unbiased controlled rounding, Journal of the American Statistical
//! Association 82 (1987) 520-524. B. D. Causey, L. H. Cox and L. R. Ernst, Applications of transportation theory to
//! statistical problems, same journal 80 (1985) 903-909.
//!
//! *Parameters.* `rounding.method = "controlled"`, `rounding.base`, `rounding.sums`.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// Where a value stands in its table of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of its row, small: one is kept for every number below.
    pub row: usize,
    /// Number of its column, as small.
    pub column: usize,
}

/// The rounded values, in the order of the given ones. `unit` is the base in the values' own unscaled units.
///
/// A value whose next multiple would be beyond ±`limit` is cut to the one before, towards zero. A `unit` of 1 or less changes
/// nothing.
pub(super) fn round(values: &[(Place, i128)], unit: i128, limit: i128) -> Vec<i128> {
    if unit <= 1 {
        return values.iter().map(|(_, value)| *value).collect();
    }
    let rows = values.iter().map(|(place, _)| place.row + 1).max().unwrap_or(0);
    let columns = values
        .iter()
        .map(|(place, _)| place.column + 1)
        .max()
        .unwrap_or(0);
    let mut table = Table::new(rows, columns, unit);
    let mut floors = Vec::with_capacity(values.len());
    let mut odd = false;
    for (place, value) in values {
        let (floor, rest) = split(*value, unit, limit);
        odd ^= floor / unit % 2 != 0;
        floors.push(floor);
        table.add(place.row, place.column, rest);
    }
    table.complete(odd);
    table.settle_total();
    table.settle_all();
    let rounded = floors.iter().zip(&table.edges);
    rounded
        .map(|(floor, edge)| if edge.rest == unit { floor + unit } else { *floor })
        .collect()
}

/// The multiple below a value and how much is above it; where one of its two multiples is beyond ±`limit`, the other.
fn split(value: i128, unit: i128, limit: i128) -> (i128, i128) {
    let fits = |multiple: &i128| multiple.unsigned_abs() <= limit.unsigned_abs();
    let rest = value.rem_euclid(unit);
    let below = value.checked_sub(rest).filter(fits);
    let above = value.checked_add(unit - rest).filter(fits);
    match (below, above) {
        (Some(below), Some(_)) => (below, rest),
        (Some(one), None) | (None, Some(one)) => (one, 0),
        (None, None) => (0, 0),
    }
}

/// One value of the completed table: how much it is above a multiple, from 0 to the base.
#[derive(Debug, Clone, Copy)]
struct Edge {
    row: usize,
    /// Numbered after the rows.
    column: usize,
    rest: i128,
}

/// The completed table as a graph: lines are nodes, values are edges between a row and a column.
#[derive(Debug)]
struct Table {
    unit: i128,
    rows: usize,
    columns: usize,
    edges: Vec<Edge>,
    /// Edges of each node that are open, and perhaps some that are not.
    of_node: Vec<Vec<usize>>,
    /// The edge of the grand total, and whether its multiple below is an odd one.
    total: Option<(usize, bool)>,
}

impl Table {
    /// An empty table with room for a row and a column of slacks.
    fn new(rows: usize, columns: usize, unit: i128) -> Self {
        Table {
            unit,
            rows,
            columns,
            edges: Vec::new(),
            of_node: vec![Vec::new(); rows + columns + 2],
            total: None,
        }
    }

    /// Adds a value; `column` counts from 0.
    fn add(&mut self, row: usize, column: usize, rest: i128) {
        let (number, column) = (self.edges.len(), self.rows + 1 + column);
        self.edges.push(Edge { row, column, rest });
        if self.is_open(number) {
            for node in [row, column] {
                if let Some(edges) = self.of_node.get_mut(node) {
                    edges.push(number);
                }
            }
        }
    }

    /// Adds what every row and column lacks to a multiple, and in the corner what the total is above one. `odd`: whether
    /// the multiples below the values add up to an odd one.
    fn complete(&mut self, mut odd: bool) {
        let mut of_row = vec![0; self.rows];
        let mut of_column = vec![0; self.columns];
        let mut total = 0;
        for edge in &self.edges {
            let column = edge.column - self.rows - 1;
            let lines = [of_row.get_mut(edge.row), of_column.get_mut(column)];
            for line in lines.into_iter().flatten() {
                advance(line, edge.rest, self.unit);
            }
            odd ^= advance(&mut total, edge.rest, self.unit);
        }
        let lack = |above: i128| if above == 0 { 0 } else { self.unit - above };
        let lacks: Vec<i128> = of_row.into_iter().chain(of_column).map(lack).collect();
        let (rows, columns) = (self.rows, self.columns);
        for (line, lack) in lacks.into_iter().enumerate() {
            match line.checked_sub(rows) {
                None => self.add(line, columns, lack),
                Some(column) => self.add(rows, column, lack),
            }
        }
        self.total = Some((self.edges.len(), odd));
        self.add(rows, columns, total);
    }

    /// Brings the total to its nearest multiple. Its edge is in a cycle as long as it is open: were it the only way between
    /// two parts of the graph, it alone would keep the lines of a part from adding up to a multiple.
    fn settle_total(&mut self) {
        let Some((total, odd)) = self.total else { return };
        let above = self.edges.get(total).map_or(0, |edge| edge.rest);
        let up = match above.cmp(&(self.unit - above)) {
            Ordering::Less => false,
            Ordering::Equal => odd,
            Ordering::Greater => true,
        };
        while self.is_open(total) {
            let Some(mut cycle) = self.way_round(total) else {
                return;
            };
            cycle.insert(0, total);
            self.shift(&cycle, up);
        }
    }

    /// Settles what is open, cycle by cycle, along one walk: after a cycle it goes on from what is left of it.
    fn settle_all(&mut self) {
        let nodes = self.of_node.len();
        // Where a node stands on the walk.
        let mut at: Vec<Option<usize>> = vec![None; nodes];
        for start in 0..nodes {
            let (mut walk, mut path) = (vec![start], Vec::<usize>::new());
            set(&mut at, start, Some(0));
            while let Some(node) = walk.last().copied() {
                let Some(edge) = self.next(node, path.last().copied()) else {
                    walk.pop();
                    path.pop();
                    set(&mut at, node, None);
                    continue;
                };
                let other = self.other_end(edge, node);
                let met = at.get(other).copied().flatten();
                path.push(edge);
                let Some(met) = met else {
                    set(&mut at, other, Some(walk.len()));
                    walk.push(other);
                    continue;
                };
                let cycle = path.get(met..).unwrap_or_default().to_vec();
                self.shift(&cycle, self.is_nearer_up(&cycle));
                let done = cycle.iter().position(|edge| !self.is_open(*edge));
                path.truncate(met + done.unwrap_or(0));
                for node in walk.drain(path.len() + 1..) {
                    set(&mut at, node, None);
                }
            }
        }
    }

    /// An open edge of a node other than the one by which the walk came.
    fn next(&mut self, node: usize, came: Option<usize>) -> Option<usize> {
        let is_open = |edge: &usize| {
            let rest = self.edges.get(*edge).map_or(0, |edge| edge.rest);
            rest > 0 && rest < self.unit
        };
        let edges = self.of_node.get_mut(node)?;
        while edges.last().is_some_and(|edge| !is_open(edge)) {
            edges.pop();
        }
        if edges.last().copied() != came {
            return edges.last().copied();
        }
        loop {
            let below = edges.len().checked_sub(2)?;
            let edge = edges.get(below).copied()?;
            if is_open(&edge) {
                return Some(edge);
            }
            edges.swap_remove(below);
        }
    }

    /// The open edges of a shortest way from the column of an edge back to its row, without itself.
    fn way_round(&self, edge: usize) -> Option<Vec<usize>> {
        let Edge { row, column, .. } = *self.edges.get(edge)?;
        let mut came_by: Vec<Option<usize>> = vec![None; self.of_node.len()];
        let mut queue = VecDeque::from([column]);
        while let Some(node) = queue.pop_front() {
            for next in self.of_node.get(node).into_iter().flatten() {
                let other = self.other_end(*next, node);
                let seen = other == column || came_by.get(other).copied().flatten().is_some();
                if *next == edge || !self.is_open(*next) || seen {
                    continue;
                }
                set(&mut came_by, other, Some(*next));
                if other == row {
                    return self.way_back(row, column, &came_by);
                }
                queue.push_back(other);
            }
        }
        None
    }

    /// The edges from one node to another, the way that a search came, from its end.
    fn way_back(&self, from: usize, to: usize, came_by: &[Option<usize>]) -> Option<Vec<usize>> {
        let (mut node, mut way) = (from, Vec::new());
        while node != to {
            let edge = came_by.get(node).copied().flatten()?;
            way.push(edge);
            node = self.other_end(edge, node);
        }
        Some(way)
    }

    /// Whether the step of a cycle that raises its first edge is the smaller one; of equal ones it is.
    fn is_nearer_up(&self, cycle: &[usize]) -> bool {
        self.room(cycle, true) <= self.room(cycle, false)
    }

    /// How far the edges of a cycle can be shifted in turn, the first one up or down.
    fn room(&self, cycle: &[usize], first_up: bool) -> i128 {
        let room = cycle.iter().enumerate().map(|(i, edge)| {
            let rest = self.edges.get(*edge).map_or(0, |edge| edge.rest);
            if (i % 2 == 0) == first_up {
                self.unit - rest
            } else {
                rest
            }
        });
        room.min().unwrap_or(0)
    }

    /// Shifts a cycle as far as it goes.
    fn shift(&mut self, cycle: &[usize], first_up: bool) {
        let step = self.room(cycle, first_up);
        for (i, edge) in cycle.iter().enumerate() {
            if let Some(edge) = self.edges.get_mut(*edge) {
                edge.rest += if (i % 2 == 0) == first_up { step } else { -step };
            }
        }
    }

    fn is_open(&self, edge: usize) -> bool {
        let rest = self.edges.get(edge).map_or(0, |edge| edge.rest);
        rest > 0 && rest < self.unit
    }

    fn other_end(&self, edge: usize, node: usize) -> usize {
        match self.edges.get(edge) {
            Some(edge) if edge.row == node => edge.column,
            Some(edge) => edge.row,
            None => node,
        }
    }
}

/// Adds to a number below the unit, and says whether it went past it.
fn advance(sum: &mut i128, by: i128, unit: i128) -> bool {
    let past = *sum >= unit - by;
    *sum = if past { *sum - (unit - by) } else { *sum + by };
    past
}

fn set<T>(all: &mut [T], index: usize, value: T) {
    if let Some(one) = all.get_mut(index) {
        *one = value;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::super::multiple::nearest;
    use super::*;

    fn table(rows: &[&[i128]]) -> Vec<(Place, i128)> {
        let places = rows.iter().enumerate().flat_map(|(row, values)| {
            let values = values.iter().enumerate();
            values.map(move |(column, value)| (Place { row, column }, *value))
        });
        places.collect()
    }

    /// Sums of the rows, of the columns, and of all.
    fn margins(places: &[(Place, i128)], values: &[i128]) -> Vec<i128> {
        let rows = places.iter().map(|(place, _)| place.row + 1).max().unwrap_or(0);
        let columns = places.iter().map(|(place, _)| place.column + 1).max();
        let mut sums = vec![0; rows + columns.unwrap_or(0) + 1];
        for ((place, _), value) in places.iter().zip(values) {
            sums[place.row] += value;
            sums[rows + place.column] += value;
            *sums.last_mut().unwrap_or(&mut 0) += value;
        }
        sums
    }

    fn check(case: &str, places: &[(Place, i128)], unit: i128) -> Vec<i128> {
        let before: Vec<i128> = places.iter().map(|(_, value)| *value).collect();
        let after = round(places, unit, i128::MAX / 4);
        let pairs = before.iter().zip(&after).map(|(b, a)| (*b, *a));
        let margins_before = margins(places, &before);
        let margins_after = margins(places, &after);
        let of_margins = margins_before.iter().copied().zip(margins_after.iter().copied());
        for (before, after) in pairs.chain(of_margins) {
            assert_eq!(after % unit, 0, "{case}");
            assert!((after - before).abs() < unit, "{case}: {before} became {after}");
        }
        assert_eq!(
            margins_after.last().copied(),
            margins_before
                .last()
                .map(|total| nearest(*total, unit, i128::MAX)),
            "{case}: the total"
        );
        assert_eq!(after, round(places, unit, i128::MAX / 4), "{case}: twice");
        after
    }

    #[test]
    fn cases() {
        // (case, table, base, rounded)
        type Case = (&'static str, &'static [&'static [i128]], i128, &'static [i128]);
        let cases: [Case; 9] = [
            ("nothing", &[], 5, &[]),
            ("one value is rounded to the nearest", &[&[13]], 5, &[15]),
            ("half to even, down", &[&[25]], 10, &[20]),
            ("half to even, up", &[&[35]], 10, &[40]),
            ("multiples stay", &[&[10, 0], &[5, 20]], 5, &[10, 0, 5, 20]),
            // Each alone would be 10: the total, 36, would have become 30.
            ("three of twelve", &[&[12, 12, 12]], 5, &[10, 10, 15]),
            ("the largest fraction goes up", &[&[14, 11, 11]], 5, &[15, 10, 10]),
            ("a diagonal", &[&[5, 0], &[0, 5]], 10, &[10, 0, 0, 0]),
            ("negative", &[&[-13]], 5, &[-15]),
        ];
        for (case, rows, unit, expected) in cases {
            let places = table(rows);
            let rounded = check(case, &places, unit);
            if case == "three of twelve" || case == "a diagonal" {
                let mut sorted = rounded.clone();
                sorted.sort_unstable();
                let mut of_case = expected.to_vec();
                of_case.sort_unstable();
                assert_eq!(sorted, of_case, "{case}");
            } else {
                assert_eq!(rounded, expected, "{case}");
            }
        }
    }

    #[test]
    fn every_table_adds_up_within_a_base() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut draw = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for round in 0..3_000 {
            let (rows, columns) = (1 + draw(6) as usize, 1 + draw(6) as usize);
            let unit = [2, 3, 5, 6, 10, 1000][draw(6) as usize];
            let mut places = Vec::new();
            for row in 0..rows {
                for column in 0..columns {
                    // Some are suppressed, some zero, some below zero.
                    match draw(8) {
                        0 => {}
                        1 => places.push((Place { row, column }, 0)),
                        2 => places.push((Place { row, column }, -(draw(500) as i128))),
                        _ => places.push((Place { row, column }, draw(60) as i128)),
                    }
                }
            }
            check(&format!("table {round}"), &places, unit);
        }
    }

    #[test]
    fn a_large_table_takes_no_time() {
        let places: Vec<(Place, i128)> = (0..400_usize * 400)
            .map(|i| {
                let place = Place {
                    row: i / 400,
                    column: i % 400,
                };
                (place, (i as i128 * 7919) % 1013)
            })
            .collect();
        check("large", &places, 5);
        let line: Vec<(Place, i128)> = (0..200_000)
            .map(|column| (Place { row: 0, column }, (column as i128 * 31) % 97))
            .collect();
        check("a line", &line, 10);
    }

    #[test]
    fn extremes_stay_within_their_type() {
        let limit = i128::from(i64::MAX);
        let places = table(&[&[limit, 7, -limit]]);
        let rounded = round(&places, 5, limit);
        assert!(
            rounded
                .iter()
                .all(|value| value.unsigned_abs() <= limit.unsigned_abs())
        );
        assert!(rounded.iter().all(|value| value % 5 == 0), "{rounded:?}");
        assert_eq!(round(&places, 1, limit), [limit, 7, -limit]);
    }
}
