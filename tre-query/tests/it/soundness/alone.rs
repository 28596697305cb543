//! What a single answer may show, judged against brute force: enough people behind every value and every label, no two
//! values of a row that few people tell apart, no sum that states everybody's value, every declared row.

use std::collections::BTreeSet;

use arrow::array::{Array, RecordBatch};

use super::compare::{Column, Judge, Kind, Side, Violation};
use super::grammar::Call;
use super::oracle::Group;

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
        let nobody = Group::default();
        let declared: Option<usize> = self
            .query
            .domains
            .iter()
            .map(|domain| Some(domain.as_ref()?.len()))
            .product();
        let declared =
            declared.filter(|rows| *rows <= self.promise.completed || self.query.domains.is_empty());
        let stand = side.told.order.iter().filter(|keys| self.declares(keys)).count();
        if declared.is_some_and(|rows| rows != stand) {
            return Some(Violation::new(
                Kind::Row,
                format!("{stand} declared rows of {declared:?}"),
            ));
        }
        for (keys, told) in &side.told.told {
            let group = side.truth.get(keys).unwrap_or(&nobody);
            let carry = group.people(None).len();
            if !self.declares(keys) && carry < self.promise.labels {
                return Some(Violation::new(
                    Kind::Shown,
                    format!("{carry} people carry {keys:?}"),
                ));
            }
            let shown: Vec<_> = columns
                .iter()
                .zip(told)
                .filter(|(_, told)| !told.suppressed)
                .collect();
            for (column, told) in &shown {
                let (call, argument) = column.reads[0];
                let found = self.behind_is_enough(group, call, argument).or_else(|| {
                    let sum = (call == Call::Sum).then_some(argument).flatten()?;
                    self.sum_says_little(group, sum, told.value.as_deref().unwrap_or_default())
                });
                if let Some(what) = found {
                    return Some(Violation::new(
                        Kind::Shown,
                        format!("row {keys:?}, {column:?}: {what}"),
                    ));
                }
            }
            for (a, _) in &shown {
                for (b, _) in &shown {
                    let apart = group.without(a.reads[0].1, b.reads[0].1).len();
                    if apart > 0 && apart < self.promise.complement {
                        let what = format!("row {keys:?}: {apart} people tell {a:?} from {b:?}");
                        return Some(Violation::new(Kind::Shown, what));
                    }
                }
            }
        }
        None
    }

    fn behind_is_enough(&self, group: &Group, call: Call, argument: Option<usize>) -> Option<String> {
        let behind = match (call, argument) {
            (Call::Sum, Some(x)) => group.not_zero(x),
            _ => group.people(argument),
        };
        let enough = behind.len() >= self.promise.people || (self.promise.zeros && behind.is_empty());
        (!enough).then(|| format!("people {behind:?} stand behind it"))
    }

    fn sum_says_little(&self, group: &Group, argument: usize, shown: &str) -> Option<String> {
        let values: BTreeSet<i128> = group.values(argument).collect();
        if values.len() == 1 {
            return Some(format!("everybody has {values:?}"));
        }
        let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
        let significant = digits.trim_matches('0').len();
        let few = self.promise.rounds || significant <= self.promise.digits;
        (!few).then(|| format!("{shown} has {significant} digits"))
    }
}
