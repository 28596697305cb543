//! Sessions, so that they can be listed after they ended; the living ones are the server's.

use jiff::Timestamp;
use tre_core::ids::{ProjectId, SessionId, TokenId, UserName};

use super::row::{Row, all, one};
use super::{Store, StoreError};
use crate::failpoint::STORE_SESSION;

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The token that it runs on.
    pub token: TokenId,
    /// The token's project.
    pub project: ProjectId,
    /// The token's user.
    pub user: UserName,
    /// First call.
    pub opened_at: Timestamp,
    /// When and why it ended.
    pub closed: Option<(Timestamp, String)>,
}

/// The table of sessions.
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'s> {
    pub(super) store: &'s Store,
}

impl Sessions<'_> {
    /// Remembers a new session.
    pub async fn open(&self, session: &Session) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        sqlx::query("insert into session (id, token, project, user, opened_at) values (?, ?, ?, ?, ?)")
            .bind(session.id.as_str())
            .bind(session.token.as_str())
            .bind(session.project.as_str())
            .bind(session.user.as_str())
            .bind(session.opened_at.to_string())
            .execute(&mut *transaction)
            .await?;
        STORE_SESSION
            .wait(transaction.commit())
            .await
            .map_err(StoreError::from)
    }

    /// Remembers a session's end. Returns false if it had ended before.
    pub async fn close(&self, id: &SessionId, at: Timestamp, reason: &str) -> Result<bool, StoreError> {
        let mut transaction = self.store.begin().await?;
        let closed = sqlx::query(
            "update session set closed_at = ?, close_reason = ? where id = ? and closed_at is null",
        )
        .bind(at.to_string())
        .bind(reason)
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        STORE_SESSION.wait(transaction.commit()).await?;
        Ok(closed.rows_affected() == 1)
    }

    /// Remembers the end of all sessions that are still open: a server that starts has none. Returns their ids.
    pub async fn close_all(&self, at: Timestamp, reason: &str) -> Result<Vec<SessionId>, StoreError> {
        let mut transaction = self.store.begin().await?;
        let rows = sqlx::query(
            "update session set closed_at = ?, close_reason = ? where closed_at is null returning id",
        )
        .bind(at.to_string())
        .bind(reason)
        .fetch_all(&mut *transaction)
        .await?;
        STORE_SESSION.wait(transaction.commit()).await?;
        all("session", &rows, |row| row.parsed("id"))
    }

    /// A session by id.
    pub async fn get(&self, id: &SessionId) -> Result<Option<Session>, StoreError> {
        let row = sqlx::query("select * from session where id = ?")
            .bind(id.as_str())
            .fetch_optional(&self.store.pool)
            .await?;
        one("session", row.as_ref(), read)
    }

    /// All sessions, of one project if one is given, the latest first.
    pub async fn list(&self, project: Option<&ProjectId>) -> Result<Vec<Session>, StoreError> {
        let rows =
            sqlx::query("select * from session where ?1 is null or project = ?1 order by opened_at desc, id")
                .bind(project.map(ProjectId::as_str))
                .fetch_all(&self.store.pool)
                .await?;
        all("session", &rows, read)
    }
}

fn read(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.parsed("id")?,
        token: row.parsed("token")?,
        project: row.parsed("project")?,
        user: row.parsed("user")?,
        opened_at: row.parsed("opened_at")?,
        closed: row
            .maybe_parsed("closed_at")?
            .zip(row.maybe_text("close_reason")?),
    })
}
