//! What a project can see, and its rules in words.

use std::sync::Arc;

use tre_core::codes::{self, Problem};
use tre_core::grant::GrantedTable;
use tre_proto::v1;

use super::place::in_project;
use super::words;
use crate::authz::Action;
use crate::core::{Core, Project};
use crate::fault::Fault;
use crate::identity::Caller;

pub(super) async fn get(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::GetSchemaRequest,
) -> Result<v1::ProjectSchema, Fault> {
    let project = in_project(core, caller, Action::GetSchema).await?;
    let wanted = |table: &&GrantedTable| message.table.is_empty() || names(table).contains(&message.table);
    let tables: Vec<v1::Table> = project
        .grant
        .tables
        .iter()
        .filter(wanted)
        .map(|table| described(&project, table))
        .collect();
    if tables.is_empty() {
        return Err(unknown(&project, &message.table));
    }
    Ok(v1::ProjectSchema {
        project: project.stored.id.to_string(),
        title: project.permit.title.clone(),
        tables,
        exits: words::exits(&project)?,
        until: project.permit.valid.until.to_string(),
    })
}

/// How a table can be called: alone or with its dataset.
fn names(table: &GrantedTable) -> [String; 2] {
    [
        table.table.to_string(),
        format!("{}.{}", table.version.dataset(), table.table),
    ]
}

fn unknown(project: &Project, name: &str) -> Fault {
    let shown: String = name.chars().take(80).collect();
    let there: Vec<String> = project
        .grant
        .tables
        .iter()
        .flat_map(|table| names(table).into_iter().take(1))
        .collect();
    let what = format!("the project has no table `{shown}`");
    Problem::new(
        &codes::SQL_UNKNOWN_NAME,
        what,
        format!("there is {}", there.join(", ")),
    )
    .into()
}

fn described(project: &Project, table: &GrantedTable) -> v1::Table {
    let dataset = table.version.dataset();
    let permit = project
        .permit
        .datasets
        .iter()
        .find(|permit| permit.id == *dataset);
    let rows = permit.and_then(|permit| permit.tables.get(&table.table)?.rows.clone());
    v1::Table {
        dataset: dataset.to_string(),
        name: table.table.to_string(),
        description: table.description.clone(),
        public: table.public,
        columns: words::columns(table.public, table.permitted_columns()),
        rows: rows.unwrap_or_default(),
        row_count: 0,
        population: words::population(table.public, &table.population),
    }
}
