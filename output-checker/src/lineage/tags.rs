//! Tags through a plan: which tagged columns a column is computed from, and which ones select rows.
//!
//! | node | tags of its columns | selects by |
//! |---|---|---|
//! | scan | the stored column's tag, and the kind of its entity | |
//! | filter | those of the input | every column of the predicate |
//! | project | all that the expression reads | |
//! | join on the unit | those of both sides | columns compared |
//! | join with a public table | those of both sides; a public column without a tag is a name for what it is joined by | its condition |
//! | union | those of the columns at one position | |
//! | aggregation per unit | all that key or argument reads | |
//! | numbering per unit | those of the input; of the number, all that it is given by | |

use std::collections::BTreeSet;

use tre_core::algebra::{Expr, JoinKind, Node};
use tre_core::grant::Grant;
use tre_core::manifest::ColumnMeta;

/// Tags.
pub(super) type Tags = BTreeSet<String>;

/// What is known of a node's tags.
#[derive(Debug, Default)]
pub(super) struct Tagged {
    /// Of each column, in order, all tags that it may tell of.
    pub columns: Vec<Tags>,
    /// Tags of columns by which rows are selected.
    pub selected_by: Tags,
}

impl Tagged {
    /// All tags that an expression may tell of.
    pub(super) fn of(&self, expr: &Expr) -> Tags {
        let mut tags = match expr {
            Expr::Column(position) => self.columns.get(*position).cloned().unwrap_or_default(),
            Expr::Literal(_)
            | Expr::Compare(..)
            | Expr::And(..)
            | Expr::Or(..)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::Arithmetic(..)
            | Expr::InList(..)
            | Expr::Like { .. }
            | Expr::Cast(..)
            | Expr::Call(..)
            | Expr::Case { .. } => Tags::new(),
        };
        for child in expr.children() {
            tags.append(&mut self.of(child));
        }
        tags
    }
}

/// A stored column's own tag: the holder's, else the kind of its entity.
pub(super) fn own(meta: &ColumnMeta) -> Option<String> {
    let entity = || meta.entity.as_ref().map(ToString::to_string);
    meta.tag.clone().or_else(entity)
}

/// The tags of a node that has been resolved against the grant.
pub(super) fn of_node(node: &Node, grant: &Grant) -> Tagged {
    match node {
        Node::Scan {
            dataset,
            table,
            columns,
        } => {
            let table = grant.table(dataset, table);
            let of_column = |name| {
                let (_, meta) = table?.permitted(name)?;
                let entity = meta.entity.as_ref().map(ToString::to_string);
                Some(meta.tag.iter().cloned().chain(entity).collect())
            };
            Tagged {
                columns: columns
                    .iter()
                    .map(|name| of_column(name).unwrap_or_default())
                    .collect(),
                selected_by: Tags::new(),
            }
        }
        Node::Filter { input, predicate } => {
            let mut tagged = of_node(input, grant);
            let mut read = tagged.of(predicate);
            tagged.selected_by.append(&mut read);
            tagged
        }
        Node::Project { input, columns } => {
            let tagged = of_node(input, grant);
            Tagged {
                columns: columns.iter().map(|(_, expr)| tagged.of(expr)).collect(),
                selected_by: tagged.selected_by,
            }
        }
        Node::JoinUnit {
            kind,
            left,
            right,
            on,
            condition,
        } => {
            let (mut tagged, right) = (of_node(left, grant), of_node(right, grant));
            for (one, other) in on {
                for tags in [tagged.columns.get(*one), right.columns.get(*other)] {
                    tagged.selected_by.extend(tags.into_iter().flatten().cloned());
                }
            }
            joined(tagged, right, *kind, condition.as_ref())
        }
        Node::JoinPublic {
            kind,
            left,
            right,
            on,
            condition,
        } => {
            let (tagged, mut right) = (of_node(left, grant), of_node(right, grant));
            let by = on
                .iter()
                .filter_map(|(position, _)| tagged.columns.get(*position));
            let by: Tags = by.flatten().cloned().collect();
            for tags in right.columns.iter_mut().filter(|tags| tags.is_empty()) {
                tags.clone_from(&by);
            }
            joined(tagged, right, *kind, condition.as_ref())
        }
        Node::Union { inputs } => {
            let mut inputs = inputs.iter().map(|input| of_node(input, grant));
            let mut tagged = inputs.next().unwrap_or_default();
            for other in inputs {
                for (tags, more) in tagged.columns.iter_mut().zip(other.columns) {
                    tags.extend(more);
                }
                tagged.selected_by.extend(other.selected_by);
            }
            tagged
        }
        Node::PerUnit { input, keys, calls } => {
            let tagged = of_node(input, grant);
            let of_keys = keys.iter().map(|(_, key)| tagged.of(key));
            let of_calls = calls.iter().map(|(_, call)| {
                let argument = call.argument();
                argument.map_or_else(Tags::new, |argument| tagged.of(argument))
            });
            Tagged {
                columns: of_keys.chain(of_calls).collect(),
                selected_by: tagged.selected_by,
            }
        }
        Node::Number {
            input,
            partition,
            order,
        } => {
            let mut tagged = of_node(input, grant);
            let read = partition.iter().chain(order.iter().map(|order| &order.by));
            let number = read.flat_map(|expr| tagged.of(expr)).collect();
            tagged.columns.push(number);
            tagged
        }
    }
}

/// Both sides of a join, and what its condition selects by.
fn joined(left: Tagged, right: Tagged, kind: JoinKind, condition: Option<&Expr>) -> Tagged {
    let kept = left.columns.len();
    let mut tagged = left;
    tagged.columns.extend(right.columns);
    tagged.selected_by.extend(right.selected_by);
    if let Some(condition) = condition {
        let mut read = tagged.of(condition);
        tagged.selected_by.append(&mut read);
    }
    if !kind.keeps_right() {
        tagged.columns.truncate(kept);
    }
    tagged
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use tre_core::algebra::{Aggregate, Comparison, Frontier, Function};
    use tre_core::grant::GrantedTable;
    use tre_core::ids::VersionId;
    use tre_core::types::{ColumnType, Value};

    use crate::lineage::{Lineage, lineage};

    /// A text column with a tag and a kind of entity; empty: none.
    fn column(name: &str, tag: &str, entity: &str) -> ColumnMeta {
        ColumnMeta {
            name: name.parse().unwrap(),
            column_type: ColumnType::Text,
            description: String::new(),
            entity: entity.parse().ok(),
            measure: None,
            domain: None,
            tag: (!tag.is_empty()).then(|| tag.to_owned()),
            hierarchy: None,
            generalised: String::new(),
        }
    }

    fn table(name: &str, public: bool, stored: Vec<ColumnMeta>) -> GrantedTable {
        GrantedTable {
            version: VersionId::from_hash("claims".parse().unwrap(), [1; 32]),
            table: name.parse().unwrap(),
            description: String::new(),
            public,
            population: "japan".parse().unwrap(),
            cuts: vec![0],
            columns: stored.iter().map(|column| column.name.clone()).collect(),
            stored,
            row_filter: None,
            files: vec![],
        }
    }

    fn grant() -> Grant {
        let visit = vec![
            column("place", "municipality", ""),
            column("payer", "", "insurer"),
            column("sex", "", ""),
        ];
        let places = vec![
            column("code", "municipality", ""),
            column("name", "", ""),
            column("prefecture", "prefecture", ""),
        ];
        Grant {
            project: "p".parse().unwrap(),
            tables: vec![table("visit", false, visit), table("places", true, places)],
        }
    }

    fn scan(table: &str, columns: &[&str]) -> Node {
        Node::Scan {
            dataset: "claims".parse().unwrap(),
            table: table.parse().unwrap(),
            columns: columns.iter().map(|name| name.parse().unwrap()).collect(),
        }
    }

    fn visits() -> Node {
        scan("visit", &["place", "payer", "sex"])
    }

    fn with_places() -> Node {
        Node::JoinPublic {
            kind: JoinKind::Inner,
            left: Box::new(visits()),
            right: Box::new(scan("places", &["code", "name", "prefecture"])),
            on: vec![(0, 0)],
            condition: None,
        }
    }

    fn of(input: Node, key: Expr) -> Lineage {
        let frontier = Frontier {
            input,
            keys: vec![("key".into(), key)],
            arguments: vec![],
            aggregates: vec![Aggregate::CountRows],
        };
        lineage(&frontier, &grant()).unwrap()
    }

    fn start_of(column: usize) -> Expr {
        let arguments = vec![
            Expr::Column(column),
            Expr::Literal(Value::Int(1)),
            Expr::Literal(Value::Int(2)),
        ];
        Expr::Call(Function::Substr, arguments)
    }

    fn equals(column: usize) -> Expr {
        let text = Expr::Literal(Value::Text("13101".into()));
        Expr::Compare(Comparison::Eq, Box::new(Expr::Column(column)), Box::new(text))
    }

    #[test]
    fn keys_have_the_tags_of_what_they_are_computed_from() {
        let project = |input: Node, expr: Expr| Node::Project {
            input: Box::new(input),
            columns: vec![("computed".into(), expr)],
        };
        let filter = |input: Node, column: usize| Node::Filter {
            input: Box::new(input),
            predicate: Expr::Not(Box::new(equals(column))),
        };
        let joined = Node::JoinUnit {
            kind: JoinKind::Inner,
            left: Box::new(visits()),
            right: Box::new(visits()),
            on: vec![(2, 1)],
            condition: None,
        };
        let one = Expr::Column;
        // (case, input, key, its tag, computed from, selected by)
        type Case = (
            &'static str,
            Node,
            Expr,
            Option<&'static str>,
            &'static [&'static str],
            &'static [&'static str],
        );
        let cases: Vec<Case> = vec![
            ("a bare column", visits(), one(0), Some("municipality"), &[], &[]),
            ("an entity", visits(), one(1), Some("insurer"), &[], &[]),
            ("no tag", visits(), one(2), None, &[], &[]),
            ("computed", visits(), start_of(0), None, &["municipality"], &[]),
            (
                "computed from two",
                visits(),
                Expr::And(Box::new(equals(0)), Box::new(equals(1))),
                None,
                &["insurer", "municipality"],
                &[],
            ),
            (
                "computed further down",
                project(visits(), start_of(0)),
                one(0),
                None,
                &["municipality"],
                &[],
            ),
            (
                "handed on as it is",
                project(visits(), one(0)),
                one(0),
                Some("municipality"),
                &[],
                &[],
            ),
            (
                "selected",
                filter(visits(), 0),
                one(2),
                None,
                &[],
                &["municipality"],
            ),
            (
                "selected by something else",
                filter(visits(), 2),
                one(2),
                None,
                &[],
                &[],
            ),
            (
                "a public name of a code",
                with_places(),
                one(4),
                None,
                &["municipality"],
                &[],
            ),
            (
                "a public column with its own tag",
                with_places(),
                one(5),
                Some("prefecture"),
                &[],
                &[],
            ),
            (
                "selected by a public name",
                filter(with_places(), 4),
                one(2),
                None,
                &[],
                &["municipality"],
            ),
            ("compared in a join", joined, one(2), None, &[], &["insurer"]),
        ];
        for (case, input, key, tag, computed_from, selected_by) in cases {
            let lineage = of(input, key);
            let key = lineage.keys.first().unwrap();
            assert_eq!(key.tag.as_deref(), tag, "{case}");
            assert_eq!(key.computed_from, computed_from, "{case}");
            assert_eq!(lineage.selected_by, selected_by, "{case}");
        }
    }
}
