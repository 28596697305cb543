//! What reviewers see beside the frozen bytes of a request, sealed by the vault: evidence is about people, and the database
//! file is copied more often than the vault's key.

use tre_core::ids::{ProjectId, RequestId};

use super::row::one;
use super::{Store, StoreError};

/// What is kept of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insight {
    /// Sealed by the vault.
    pub sealed: Vec<u8>,
    /// Hash of what was sealed.
    pub sha256: String,
}

/// The table of insights.
#[derive(Debug, Clone, Copy)]
pub struct Insights<'s> {
    pub(super) store: &'s Store,
}

impl Insights<'_> {
    /// Keeps what belongs to a request that is about to be submitted.
    pub async fn keep(
        &self,
        request: &RequestId,
        project: &ProjectId,
        insight: &Insight,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into insight (request, project, sealed, sha256) values (?, ?, ?, ?)")
            .bind(request.as_str())
            .bind(project.as_str())
            .bind(&insight.sealed)
            .bind(&insight.sha256)
            .execute(&self.store.pool)
            .await?;
        Ok(())
    }

    /// What is kept of a request; none once its project is closed.
    pub async fn of(&self, request: &RequestId) -> Result<Option<Insight>, StoreError> {
        let row = sqlx::query("select sealed, sha256 from insight where request = ?")
            .bind(request.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        one("insight", row.as_ref(), |row| {
            Ok(Insight {
                sealed: row.bytes("sealed")?,
                sha256: row.text("sha256")?,
            })
        })
    }
}
