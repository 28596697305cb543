//! Calls about datasets: what holders put in, and never a row of it.

use std::sync::Arc;

use tre_core::codes::{self, Problem};
use tre_core::ids::{DatasetName, VersionId};
use tre_core::manifest::{Manifest, TableManifest};
use tre_proto::v1;

use super::place::listing;
use super::words;
use crate::authz::Action;
use crate::core::Core;
use crate::fault::Fault;
use crate::identity::Caller;
use crate::projects::internal;

pub(super) async fn list(
    core: &Arc<Core>,
    caller: &Caller,
    _: v1::ListDatasetsRequest,
) -> Result<v1::ListDatasetsResponse, Fault> {
    listing(core, caller, Action::ListDatasets).await?;
    let datasets = blocking(core, |core| {
        let names = core.home.catalogue().datasets()?;
        names
            .iter()
            .map(|name| Ok(summary(&versions(core, name)?)))
            .collect()
    });
    Ok(v1::ListDatasetsResponse {
        datasets: datasets.await?,
    })
}

pub(super) async fn show(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ShowDatasetRequest,
) -> Result<v1::Dataset, Fault> {
    listing(core, caller, Action::ShowDataset).await?;
    let shown = blocking(core, move |core| {
        let (dataset, version) = parse(&message.name)?;
        let all = versions(core, &dataset)?;
        let shown = match &version {
            None => all.first(),
            Some(version) => all.iter().find(|manifest| manifest.version == *version),
        };
        let shown = shown.ok_or_else(|| unknown(&message.name))?;
        Ok(v1::Dataset {
            summary: Some(summary(&all)),
            versions: all.iter().map(|manifest| manifest.version.to_string()).collect(),
            tables: shown.tables.iter().map(|table| described(shown, table)).collect(),
            version: shown.version.to_string(),
        })
    });
    Ok(shown.await?)
}

/// A dataset's name, or that of one of its versions.
fn parse(name: &str) -> Result<(DatasetName, Option<VersionId>), Problem> {
    if let Ok(version) = name.parse::<VersionId>() {
        return Ok((version.dataset().clone(), Some(version)));
    }
    Ok((name.parse().map_err(|_| unknown(name))?, None))
}

fn unknown(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::of(
        &codes::HOME_NO_DATASET,
        format!("there is no dataset or version `{shown}`"),
    )
}

/// All versions, newest first; at least one.
fn versions(core: &Core, dataset: &DatasetName) -> Result<Vec<Manifest>, Problem> {
    let catalogue = core.home.catalogue();
    let mut manifests = Vec::new();
    for version in catalogue.versions(dataset)? {
        manifests.push(catalogue.load(&version)?);
    }
    manifests.sort_by(|one, other| (other.created, &other.version).cmp(&(one.created, &one.version)));
    if manifests.is_empty() {
        Err(unknown(dataset.as_str()))
    } else {
        Ok(manifests)
    }
}

/// Of a dataset by its versions, newest first.
fn summary(versions: &[Manifest]) -> v1::DatasetSummary {
    let Some(newest) = versions.first() else {
        return v1::DatasetSummary::default();
    };
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    v1::DatasetSummary {
        name: newest.dataset().to_string(),
        title: newest.title.clone(),
        population: newest.population.to_string(),
        newest: newest.version.to_string(),
        created: newest.created.to_string(),
        versions: count(versions.len()),
        tables: count(newest.tables.len()),
    }
}

fn described(manifest: &Manifest, table: &TableManifest) -> v1::Table {
    v1::Table {
        dataset: manifest.dataset().to_string(),
        name: table.name.to_string(),
        description: table.description.clone(),
        public: table.public,
        columns: words::columns(table.public, table.columns.iter()),
        rows: String::new(),
        row_count: table.rows,
        population: words::population(table.public, &manifest.population),
    }
}

async fn blocking<T: Send + 'static>(
    core: &Arc<Core>,
    read: impl FnOnce(&Core) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let core = Arc::clone(core);
    tokio::task::spawn_blocking(move || read(&core))
        .await
        .map_err(internal)?
}
