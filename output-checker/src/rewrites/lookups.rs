//! Coarser levels that a public table holds: municipality → prefecture.
//!
//! A column of a spec names its `hierarchy`, the column of a public table that lists its values. The other columns of that
//! table that mean something to rule packs (another tag) or declare their values are coarser levels; names, notes and
//! numbers are not.

use tre_core::algebra::{Expr, JoinKind, Node};
use tre_core::grant::{Grant, GrantedTable};
use tre_core::ids::ColumnName;
use tre_core::manifest::ColumnMeta;

use super::keys::{Base, Step};
use super::level::{Level, width};
use super::written;

/// Values of a level, where its table does not declare how many.
const ABOUT: u64 = 50;

/// Values of the column itself, for want of knowledge.
const MANY: u64 = 1000;

/// Levels of a column's hierarchy, in the order of the public table.
pub(super) fn steps(level: Level<'_>, base: &Base, input: &Node, grant: &Grant) -> Vec<Step> {
    let Level::Stored(of, meta) = level else {
        return vec![];
    };
    let Some((table, code)) = listed(of, meta, grant) else {
        return vec![];
    };
    let is_coarser = |other: &&ColumnMeta| {
        let tagged = other.tag.is_some() && other.tag != meta.tag;
        other.name != code && (tagged || other.domain.is_some())
    };
    let (from, name) = called(table, input, grant);
    let step = |other: &ColumnMeta| {
        let values = other.domain.as_ref().map_or(ABOUT, |domain| domain.len() as u64);
        Step {
            words: format!("by `{}` of `{}`", other.name, table.table),
            sql: format!("{name}.{}", other.name),
            join: Some((
                format!("LEFT JOIN {from} ON {name}.{code} = {base}"),
                joined(input, table, &code, &other.name, base.position),
            )),
            // Behind all columns of the input come the code and its level.
            expr: Expr::Column(width(input) + 1),
            fewer: (MANY / values.max(1)).max(2),
        }
    };
    table.permitted_columns().filter(is_coarser).map(step).collect()
}

/// The public table that a column's hierarchy names, and the column there; none unless the project may read it.
fn listed<'g>(
    of: &GrantedTable,
    meta: &ColumnMeta,
    grant: &'g Grant,
) -> Option<(&'g GrantedTable, ColumnName)> {
    let (table, column) = meta.hierarchy.as_deref()?.split_once('.')?;
    let (table, column) = (table.parse().ok()?, column.parse().ok()?);
    let table = grant.table(of.version.dataset(), &table)?;
    table.permitted(&column)?;
    table.public.then_some((table, column))
}

/// How the table is written in FROM, and in front of its columns. A table that the query reads already gets another name.
fn called(table: &GrantedTable, input: &Node, grant: &Grant) -> (String, String) {
    let alike = |other: &&GrantedTable| other.table == table.table;
    let full = if grant.tables.iter().filter(alike).count() > 1 {
        format!("{}.{}", table.version.dataset(), table.table)
    } else {
        table.table.to_string()
    };
    if written::reads(input, &table.table) || full.contains('.') {
        (format!("{full} AS coarser"), "coarser".to_owned())
    } else {
        (full.clone(), full)
    }
}

fn joined(
    input: &Node,
    table: &GrantedTable,
    code: &ColumnName,
    level: &ColumnName,
    position: usize,
) -> Node {
    let right = Node::Scan {
        dataset: table.version.dataset().clone(),
        table: table.table.clone(),
        columns: vec![code.clone(), level.clone()],
    };
    Node::JoinPublic {
        kind: JoinKind::Left,
        left: Box::new(input.clone()),
        right: Box::new(right),
        on: vec![(position, 0)],
        condition: None,
    }
}
