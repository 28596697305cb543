//! Releases: the bytes that may leave, with their record.

use jiff::Timestamp;
use tre_core::ids::{ProjectId, ReleaseId, RequestId};

use super::requests::{Move, compare_and_set};
use super::row::{Row, all, one};
use super::{Store, StoreError};
use crate::failpoint::STORE_RELEASE;

const TABLE: &str = "release";

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The request that it answers.
    pub request: RequestId,
    /// The request's project.
    pub project: ProjectId,
    /// When it became available.
    pub released_at: Timestamp,
    /// What the bytes are.
    pub media_type: String,
    /// The file; empty in listings.
    pub output: Vec<u8>,
    /// Hash of it.
    pub output_sha256: String,
    /// The SDC record, JSON; empty in listings.
    pub record: String,
    /// Hash of it.
    pub record_sha256: String,
}

/// The table of releases.
#[derive(Debug, Clone, Copy)]
pub struct Releases<'s> {
    pub(super) store: &'s Store,
}

impl Releases<'_> {
    /// Makes a release available and moves its request, together. Returns false, with nothing changed, if the request
    /// is not (any longer) in the state that the step starts from, is of another project, or the project is closed.
    pub async fn publish(&self, release: &Release, step: &Move<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        if !compare_and_set(&mut transaction, &release.request, step).await? {
            return Ok(false);
        }
        let inserted = sqlx::query(
            "insert into release (id, request, project, released_at, media_type,
                                  output, output_sha256, record, record_sha256)
             select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
             where exists (select 1 from project join request on request.project = project.id
                           where project.id = ?3 and project.state = 'open' and request.id = ?2)",
        )
        .bind(release.id.as_str())
        .bind(release.request.as_str())
        .bind(release.project.as_str())
        .bind(release.released_at.to_string())
        .bind(&release.media_type)
        .bind(&release.output)
        .bind(&release.output_sha256)
        .bind(&release.record)
        .bind(&release.record_sha256)
        .execute(&mut *transaction)
        .await?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        STORE_RELEASE.wait(transaction.commit()).await?;
        Ok(true)
    }

    /// A release by id.
    pub async fn get(&self, id: &ReleaseId) -> Result<Option<Release>, StoreError> {
        let row = sqlx::query("select * from release where id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        one(TABLE, row.as_ref(), read)
    }

    /// All releases, of one project if one is given, the latest first; without bytes and records.
    pub async fn list(&self, project: Option<&ProjectId>) -> Result<Vec<Release>, StoreError> {
        let rows = sqlx::query(
            "select id, request, project, released_at, media_type, x'' as output, output_sha256,
                    '' as record, record_sha256
             from release where ?1 is null or project = ?1 order by released_at desc, id",
        )
        .bind(project.map(ProjectId::as_str))
        .fetch_all(&self.store.pool)
        .await?;
        all(TABLE, &rows, read)
    }
}

fn read(row: &Row<'_>) -> Result<Release, StoreError> {
    Ok(Release {
        id: row.parsed("id")?,
        request: row.parsed("request")?,
        project: row.parsed("project")?,
        released_at: row.parsed("released_at")?,
        media_type: row.text("media_type")?,
        output: row.bytes("output")?,
        output_sha256: row.text("output_sha256")?,
        record: row.text("record")?,
        record_sha256: row.text("record_sha256")?,
    })
}
