//! Tokens: which were issued and which revoked. The token itself is not stored.

use jiff::Timestamp;
use tre_core::ids::{ProjectId, TokenId, UserName};
use tre_core::permit::Role;

use super::row::{Row, all, one};
use super::{Store, StoreError};
use crate::failpoint::STORE_TOKEN;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// The project that it is for; none for operators and auditors.
    pub project: Option<ProjectId>,
    /// For whom.
    pub user: UserName,
    /// The one role that it carries.
    pub role: Role,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// By whom.
    pub issued_by: UserName,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When and by whom it was revoked.
    pub revoked: Option<(Timestamp, UserName)>,
}

/// The table of tokens.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'s> {
    pub(super) store: &'s Store,
}

impl Tokens<'_> {
    /// Remembers a new token. Returns false if its project is not open, or its id is taken.
    pub async fn issue(&self, token: &Token) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let inserted = sqlx::query(
            "insert into token (id, project, user, role, issued_at, issued_by, expires_at)
             select ?1, ?2, ?3, ?4, ?5, ?6, ?7
             where ?2 is null or exists (select 1 from project where id = ?2 and state = 'open')
             on conflict do nothing",
        )
        .bind(token.id.as_str())
        .bind(token.project.as_ref().map(ProjectId::as_str))
        .bind(token.user.as_str())
        .bind(token.role.as_str())
        .bind(token.issued_at.to_string())
        .bind(token.issued_by.as_str())
        .bind(token.expires_at.to_string())
        .execute(&mut *transaction)
        .await?;
        STORE_TOKEN.wait(transaction.commit()).await?;
        Ok(inserted.rows_affected() == 1)
    }

    /// A token by id.
    pub async fn get(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        let row = sqlx::query("select * from token where id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        one("token", row.as_ref(), read)
    }

    /// All tokens, of one project if one is given, the latest first.
    pub async fn list(&self, project: Option<&ProjectId>) -> Result<Vec<Token>, StoreError> {
        let rows =
            sqlx::query("select * from token where ?1 is null or project = ?1 order by issued_at desc, id")
                .bind(project.map(ProjectId::as_str))
                .fetch_all(&self.store.pool)
                .await?;
        all("token", &rows, read)
    }

    /// Revokes a token for good. Returns false if there is none of this id that was not revoked before.
    pub async fn revoke(&self, id: &TokenId, at: Timestamp, by: &UserName) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let revoked = sqlx::query(
            "update token set revoked_at = ?, revoked_by = ? where id = ? and revoked_at is null",
        )
        .bind(at.to_string())
        .bind(by.as_str())
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        STORE_TOKEN.wait(transaction.commit()).await?;
        Ok(revoked.rows_affected() == 1)
    }
}

fn read(row: &Row<'_>) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.parsed("id")?,
        project: row.maybe_parsed("project")?,
        user: row.parsed("user")?,
        role: row.parsed("role")?,
        issued_at: row.parsed("issued_at")?,
        issued_by: row.parsed("issued_by")?,
        expires_at: row.parsed("expires_at")?,
        revoked: row
            .maybe_parsed("revoked_at")?
            .zip(row.maybe_parsed("revoked_by")?),
    })
}
