//! What a single answer may show, judged against brute force: enough people behind every value and every label and on
//! both sides of every condition, no two values of a row that few people tell apart, no sum that states or nearly states
//! somebody's value, no line whose people are all in one category where the policy hides that, every declared row.

use arrow::array::{Array, RecordBatch};

use tre_core::policy::Unanimous;

use super::compare::{Column, Judge, Kind, Side, Told, Violation};
use super::grammar::{Call, Read};
use super::oracle::{Group, Groups, Keys};
use super::promise::{Minima, unanimous};

/// The first number that lies under the NULL of a treated value: what leaves is the buffer, not what is read from it.
pub(super) fn under_a_null(treated: &RecordBatch) -> Option<Violation> {
    let schema = treated.schema();
    for (column, field) in treated.columns().iter().zip(schema.fields()) {
        let data = column.to_data();
        let (Some(width), Some(buffer)) = (data.data_type().primitive_width(), data.buffers().first()) else {
            continue;
        };
        for row in (0..data.len()).filter(|row| data.is_null(*row)) {
            let at = (data.offset() + row) * width;
            if buffer.as_slice()[at..at + width].iter().any(|byte| *byte != 0) {
                let what = format!("a number lies under the NULL of `{}` in row {row}", field.name());
                return Some(Violation::new(Kind::Bytes, what));
            }
        }
    }
    None
}

impl Judge<'_> {
    /// The first value, row or absence that a single table of treated cells must not have.
    pub(super) fn alone(&self, side: Side<'_>, columns: &[Column]) -> Option<Violation> {
        if let Some(what) = self.promise.forbids(self.front) {
            return Some(Violation::new(Kind::Shown, what));
        }
        let domains = &self.front.domains;
        let declared: Option<usize> = domains
            .iter()
            .map(|domain| Some(domain.as_ref()?.len()))
            .product();
        let declared = declared.filter(|rows| *rows <= self.promise.completed || domains.is_empty());
        let stand = side.told.order.iter().filter(|keys| self.declares(keys)).count();
        if declared.is_some_and(|rows| rows != stand) {
            return Some(Violation::new(
                Kind::Row,
                format!("{stand} declared rows of {declared:?}"),
            ));
        }
        let nobody = Group::default();
        side.told.told.iter().find_map(|(keys, told)| {
            let group = side.truth.get(keys).unwrap_or(&nobody);
            let shown: Vec<_> = columns
                .iter()
                .zip(told)
                .filter(|(_, told)| !told.suppressed)
                .collect();
            let what = self.row_alone(side.truth, keys, group, &shown)?;
            Some(Violation::new(Kind::Shown, format!("row {keys:?}: {what}")))
        })
    }

    fn row_alone(
        &self,
        groups: &Groups,
        keys: &Keys,
        group: &Group,
        shown: &[(&Column, &Told)],
    ) -> Option<String> {
        let Some(minima) = self.promise.minima(self.front, keys) else {
            return (!shown.is_empty()).then(|| "no class has it".to_owned());
        };
        let carry = group.people(None).len();
        if !self.declares(keys) && carry < minima.labels {
            return Some(format!("{carry} people carry it"));
        }
        for (column, told) in shown {
            let (call, argument) = column.reads[0];
            let found = self
                .behind_is_enough(minima, group, column.reads[0])
                .or_else(|| self.line_is_divided(groups, keys, argument))
                .or_else(|| {
                    let value = told.value.as_deref()?;
                    let sum = (call == Call::Sum).then_some(argument).flatten();
                    let rounded = self.promise.is_rounded(call, value);
                    sum.and_then(|x| self.promise.sum_tells(group, x, value))
                        .or_else(|| (!rounded).then(|| format!("{value} is not rounded")))
                })
                .or_else(|| {
                    let rest = group.without(None, argument).len();
                    let few = rest > 0 && rest < minima.complement;
                    few.then(|| format!("{rest} people are on the other side"))
                });
            if let Some(what) = found {
                return Some(format!("{column:?}: {what}"));
            }
        }
        for (a, _) in shown {
            for (b, _) in shown {
                let [x, y] = [a, b].map(|column| column.reads[0].1);
                let mut apart = vec![group.without(x, y).len()];
                if let (Some(x), Some(y), true) = (x, y, a.scale.is_some() && a.scale == b.scale) {
                    apart.push(group.apart(x, y).len());
                }
                if let Some(few) = apart.iter().find(|n| **n > 0 && **n < minima.complement) {
                    return Some(format!("{few} people tell {a:?} from {b:?}"));
                }
            }
        }
        None
    }

    fn behind_is_enough(&self, minima: Minima, group: &Group, (call, argument): Read) -> Option<String> {
        let enough = |people: usize| people >= minima.people || (self.promise.zeros && people == 0);
        let behind = self.promise.behind(group, call, argument);
        (!enough(behind.len())).then(|| format!("people {behind:?} stand behind it"))
    }

    /// Where the policy hides what all people of a line have, nothing of such a line is shown.
    fn line_is_divided(&self, groups: &Groups, keys: &Keys, argument: Option<usize>) -> Option<String> {
        if self.promise.unanimous == Unanimous::Show {
            return None;
        }
        let mut counted = [None, argument].into_iter();
        counted.find_map(|x| {
            let one = unanimous(groups, keys, |group| group.people(x).len())?;
            Some(format!("all {one} people of a line are in one category"))
        })
    }
}
