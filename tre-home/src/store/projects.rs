//! Projects: a permit in force, with the grant compiled from it, the policies as they were, and the key of its
//! pseudonyms.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use tre_core::ids::{PolicyId, ProjectId, UserName};

use super::row::{Row, all, one};
use super::{Store, StoreError};
use crate::failpoint::{STORE_CLOSE, STORE_PROJECT, STORE_SCRUB};
use crate::vault::Wrapped;

const TABLE: &str = "project";

/// One project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// As its permit names it.
    pub id: ProjectId,
    /// Counts applied permits, from 1.
    pub revision: u32,
    /// The permit, TOML, as it was handed in.
    pub permit: String,
    /// Hash of it.
    pub permit_sha256: String,
    /// What the permit grants, JSON of [`tre_core::grant::Grant`].
    pub grant_json: String,
    /// The policies that its exits name, one each, as they were when it was applied.
    pub policies: Vec<PinnedPolicy>,
    /// The wrapped key of its pseudonyms; none once it is closed.
    pub pseudonym_key: Option<Wrapped>,
    /// When this revision was applied.
    pub applied_at: Timestamp,
    /// By whom.
    pub applied_by: UserName,
    /// When and why it ended; none while it is open.
    pub closed: Option<Closed>,
}

/// The end of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: UserName,
    /// Why: closed by hand, or its permit's end.
    pub reason: String,
}

/// A policy file as it was when a permit was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedPolicy {
    /// Its id.
    pub id: PolicyId,
    /// Hash of its bytes.
    pub sha256: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// The table of projects.
#[derive(Debug, Clone, Copy)]
pub struct Projects<'s> {
    pub(super) store: &'s Store,
}

impl Projects<'_> {
    /// Puts a permit in force: as a new project where `project.revision` is 1, else in place of the revision before.
    /// A project keeps its pseudonym key from revision to revision. Returns false, with nothing changed, if the project is
    /// not (any longer) at the revision before, or closed.
    pub async fn apply(&self, project: &Project) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let changed = if project.revision <= 1 {
            insert(&mut transaction, project).await?
        } else {
            update(&mut transaction, project).await?
        };
        if !changed {
            return Ok(false);
        }
        sqlx::query("delete from project_policy where project = ?")
            .bind(project.id.as_str())
            .execute(&mut *transaction)
            .await?;
        for policy in &project.policies {
            sqlx::query("insert into project_policy (project, policy, sha256, bytes) values (?, ?, ?, ?)")
                .bind(project.id.as_str())
                .bind(policy.id.as_str())
                .bind(&policy.sha256)
                .bind(&policy.bytes)
                .execute(&mut *transaction)
                .await?;
        }
        STORE_PROJECT.wait(transaction.commit()).await?;
        Ok(true)
    }

    /// A project by id.
    pub async fn get(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let row = sqlx::query("select * from project where id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        let mut project = one(TABLE, row.as_ref(), read)?;
        if let Some(project) = &mut project {
            project.policies = self.policies(id).await?;
        }
        Ok(project)
    }

    /// All projects, by id.
    pub async fn list(&self) -> Result<Vec<Project>, StoreError> {
        let rows = sqlx::query("select * from project order by id")
            .fetch_all(&self.store.pool)
            .await?;
        let mut projects = all(TABLE, &rows, read)?;
        for project in &mut projects {
            project.policies = self.policies(&project.id).await?;
        }
        Ok(projects)
    }

    /// Ends a project at once and for good: its tokens are revoked, its sessions closed, its pseudonym key and the
    /// frozen bytes and records of requests that were not released are destroyed, and overwritten on the disk. Returns false
    /// if it was not open. [`StoreError::NotScrubbed`] means that all this is done but for the overwriting.
    pub async fn close(&self, id: &ProjectId, end: &Closed) -> Result<bool, StoreError> {
        let (at, by) = (end.at.to_string(), end.by.as_str());
        let mut transaction = self.store.begin().await?;
        let closed = sqlx::query(
            "update project set state = 'closed', pseudonym_key = null, closed_at = ?, closed_by = ?, close_reason = ?
             where id = ? and state = 'open'",
        )
        .bind(&at)
        .bind(by)
        .bind(&end.reason)
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        if closed.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "update token set revoked_at = ?, revoked_by = ? where project = ? and revoked_at is null",
        )
        .bind(&at)
        .bind(by)
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "update session set closed_at = ?, close_reason = ? where project = ? and closed_at is null",
        )
        .bind(&at)
        .bind(&end.reason)
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "update request set output = null, record = null
             where project = ? and id not in (select request from release)",
        )
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        sqlx::query("delete from insight where project = ?")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("delete from ledger_draft where project = ?")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        STORE_CLOSE.wait(transaction.commit()).await?;
        STORE_SCRUB.wait(self.store.scrub()).await?;
        Ok(true)
    }

    async fn policies(&self, id: &ProjectId) -> Result<Vec<PinnedPolicy>, StoreError> {
        let rows =
            sqlx::query("select policy, sha256, bytes from project_policy where project = ? order by policy")
                .bind(id.as_str())
                .fetch_all(&self.store.pool)
                .await?;
        all("project_policy", &rows, |row| {
            Ok(PinnedPolicy {
                id: row.parsed("policy")?,
                sha256: row.text("sha256")?,
                bytes: row.bytes("bytes")?,
            })
        })
    }
}

async fn insert(
    transaction: &mut Transaction<'static, Sqlite>,
    project: &Project,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "insert into project (id, revision, state, permit, permit_sha256, grant_json, pseudonym_key, applied_at, applied_by)
         values (?, 1, 'open', ?, ?, ?, ?, ?, ?) on conflict do nothing",
    )
    .bind(project.id.as_str())
    .bind(&project.permit)
    .bind(&project.permit_sha256)
    .bind(&project.grant_json)
    .bind(&project.pseudonym_key)
    .bind(project.applied_at.to_string())
    .bind(project.applied_by.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn update(
    transaction: &mut Transaction<'static, Sqlite>,
    project: &Project,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "update project set revision = ?, permit = ?, permit_sha256 = ?, grant_json = ?, applied_at = ?, applied_by = ?
         where id = ? and state = 'open' and revision = ?",
    )
    .bind(i64::from(project.revision))
    .bind(&project.permit)
    .bind(&project.permit_sha256)
    .bind(&project.grant_json)
    .bind(project.applied_at.to_string())
    .bind(project.applied_by.as_str())
    .bind(project.id.as_str())
    .bind(i64::from(project.revision) - 1)
    .execute(&mut **transaction)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Without its policies, which lie in another table.
fn read(row: &Row<'_>) -> Result<Project, StoreError> {
    let closed = match (row.maybe_parsed("closed_at")?, row.maybe_parsed("closed_by")?) {
        (Some(at), Some(by)) => Some(Closed {
            at,
            by,
            reason: row.text("close_reason")?,
        }),
        (Some(_), None) => {
            return Err(StoreError::Corrupt {
                table: TABLE,
                column: "closed_by",
            });
        }
        (None, _) => None,
    };
    let revision = row.number("revision")?;
    Ok(Project {
        id: row.parsed("id")?,
        revision: revision.try_into().map_err(|_| StoreError::Corrupt {
            table: TABLE,
            column: "revision",
        })?,
        permit: row.text("permit")?,
        permit_sha256: row.text("permit_sha256")?,
        grant_json: row.text("grant_json")?,
        policies: Vec::new(),
        pseudonym_key: row.maybe_text("pseudonym_key")?,
        applied_at: row.parsed("applied_at")?,
        applied_by: row.parsed("applied_by")?,
        closed,
    })
}
