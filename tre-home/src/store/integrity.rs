//! Is the database what this program wrote? SQLite's own checks, then our hashes.

use super::{Store, StoreError};
use crate::vault::sha256_hex;

pub(super) async fn check(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    let pages: Vec<(String,)> = sqlx::query_as("pragma integrity_check")
        .fetch_all(&store.pool)
        .await?;
    faults.extend(pages.into_iter().map(|(what,)| what).filter(|what| what != "ok"));
    let links: Vec<(String,)> = sqlx::query_as("select distinct \"table\" from pragma_foreign_key_check")
        .fetch_all(&store.pool)
        .await?;
    faults.extend(
        links
            .into_iter()
            .map(|(table,)| format!("`{table}` names rows that are not there")),
    );

    for project in store.projects().list().await? {
        let id = &project.id;
        if sha256_hex(project.permit.as_bytes()) != project.permit_sha256 {
            faults.push(format!("the permit of project `{id}` was altered"));
        }
        for policy in project
            .policies
            .iter()
            .filter(|policy| sha256_hex(&policy.bytes) != policy.sha256)
        {
            faults.push(format!(
                "the policy `{}` of project `{id}` was altered",
                policy.id
            ));
        }
    }
    for listed in store.requests().list(None).await? {
        let Some(request) = store.requests().get(&listed.id).await? else {
            continue;
        };
        if request
            .output
            .is_some_and(|output| sha256_hex(&output) != request.output_sha256)
        {
            faults.push(format!(
                "the frozen bytes of request `{}` were altered",
                request.id
            ));
        }
        if request
            .record
            .is_some_and(|record| sha256_hex(record.as_bytes()) != request.record_sha256)
        {
            faults.push(format!("the record of request `{}` was altered", request.id));
        }
    }
    for listed in store.releases().list(None).await? {
        let Some(release) = store.releases().get(&listed.id).await? else {
            continue;
        };
        if sha256_hex(&release.output) != release.output_sha256 {
            faults.push(format!("the bytes of release `{}` were altered", release.id));
        }
        if sha256_hex(release.record.as_bytes()) != release.record_sha256 {
            faults.push(format!("the record of release `{}` was altered", release.id));
        }
    }
    Ok(faults)
}
