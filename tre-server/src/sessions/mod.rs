//! Sessions: everything that arrives with one token, over however many connections.
//!
//! A session begins with the token's first call and ends with CloseSession, kill, revocation, the token's expiry, the
//! permit's end or idle minutes. It has a desk from its beginning and a data worker from its first query about people;
//! one that is lost is replaced when it is next needed. One query of a session runs at a time.

mod workers;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tre_core::audit::{Event, WorkerKind};
use tre_core::codes::{self, Problem};
use tre_core::ids::{SessionId, TokenId};
use tre_home::store::Session as StoredSession;

use crate::authz::Action;
use crate::core::{Core, On, Project};
use crate::engine::Cancel;
use crate::identity::Caller;

use workers::Killers;
pub(crate) use workers::Workers;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) caller: Caller,
    /// The project as it was when the session began; a narrowing apply ends the session.
    pub(crate) project: Project,
    pub(crate) opened: Timestamp,
    /// Held while a query runs.
    workers: Arc<tokio::sync::Mutex<Workers>>,
    killers: Killers,
    last_call: Mutex<Timestamp>,
    queries: AtomicU64,
    /// Why it ended, once it has.
    ended: OnceLock<String>,
}

impl Session {
    /// When it was last used.
    pub(crate) fn last_call(&self) -> Timestamp {
        *self.last_call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queries so far.
    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Whether a query runs.
    pub(crate) fn is_querying(&self) -> bool {
        self.workers.try_lock().is_err()
    }

    /// Whether it has a data worker.
    pub(crate) fn has_data_worker(&self) -> bool {
        self.killers.has_data()
    }

    /// What the analyst hears of a session that has ended, and why; none of one that is open. Its workers are killed only
    /// after this is so: whoever loses one and finds none here has lost it by itself.
    pub(crate) fn ending(&self) -> Option<Problem> {
        let reason = self.ended.get()?;
        let what = format!("the session has ended: {reason}");
        Some(Problem::of(&codes::RUN_SESSION_ENDED, what))
    }

    /// The workers, once no other query runs.
    ///
    /// # Errors
    /// When the session has ended.
    pub(crate) async fn workers(&self) -> Result<tokio::sync::OwnedMutexGuard<Workers>, Problem> {
        let workers = Arc::clone(&self.workers).lock_owned().await;
        match self.ending() {
            Some(problem) => Err(problem),
            None => Ok(workers),
        }
    }

    /// Begins a query: counts it, and makes the handle by which it is cancelled when its caller goes away.
    pub(crate) fn begin_query(&self) -> Arc<Cancel> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        Arc::default()
    }

    fn touch(&self, now: Timestamp) {
        *self.last_call.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

/// The open sessions of a server.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<TokenId, Arc<Session>>>,
    /// Held while one is opened, so that limits count right and a token gets one session.
    opening: tokio::sync::Mutex<()>,
}

impl Sessions {
    /// The session of a token; opened, with its desk, by the first call.
    ///
    /// # Errors
    /// A [`Problem`] when the caller may not connect, the permit is not in force, or too many sessions are open.
    pub(crate) async fn of(core: &Arc<Core>, caller: &Caller) -> Result<Arc<Session>, Problem> {
        let _opening = core.sessions.opening.lock().await;
        if let Some(session) = core.sessions.by_token(&caller.token) {
            session.touch(core.now());
            return Ok(session);
        }
        let project_id = caller.project.as_ref().ok_or_else(|| {
            Problem::of(
                &codes::AUTH_DENIED,
                "a token without project cannot open a session",
            )
        })?;
        let project = core.project(project_id).await?;
        let _allowed = core
            .authorize(caller, Action::Connect, On::Project(&project))
            .await?;
        let most = usize::from(project.limits.sessions);
        if core
            .sessions
            .list()
            .iter()
            .filter(|s| s.project.stored.id == *project_id)
            .count()
            >= most
        {
            return Err(Problem::of(
                &codes::RUN_TOO_MANY_SESSIONS,
                format!("project `{project_id}` has {most} sessions open, the most that it may have"),
            ));
        }
        Self::open(core, caller, project).await
    }

    async fn open(core: &Arc<Core>, caller: &Caller, project: Project) -> Result<Arc<Session>, Problem> {
        let id = SessionId::from_random(core.random()?);
        let now = core.now();
        let actor = core.actor(caller, Some(&id));
        let project_id = project.stored.id.clone();
        let opened = Event::SessionOpened {
            session: id.clone(),
            token: caller.token.clone(),
            project: project_id.clone(),
        };
        core.audit(actor.clone(), opened).await?;
        let stored = StoredSession {
            id: id.clone(),
            token: caller.token.clone(),
            project: project_id,
            user: caller.user.clone(),
            opened_at: now,
            closed: None,
        };
        core.store.sessions().open(&stored).await?;
        let killers = Killers::default();
        let workers = Workers::new(id.clone(), killers.clone());
        let session = Arc::new(Session {
            id,
            caller: caller.clone(),
            project,
            opened: now,
            workers: Arc::new(tokio::sync::Mutex::new(workers)),
            killers,
            last_call: Mutex::new(now),
            queries: AtomicU64::new(0),
            ended: OnceLock::new(),
        });
        core.audit(
            actor,
            Event::WorkerStarted {
                session: session.id.clone(),
                worker: WorkerKind::Desk,
            },
        )
        .await?;
        let (workers, shared, for_desk) = (session.workers().await?, Arc::clone(core), Arc::clone(&session));
        let started = tokio::task::spawn_blocking(move || {
            let mut workers = workers;
            workers.desk(&shared, &for_desk.project).map(|_| ())
        });
        match started.await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => {
                Self::finish(core, &session, "its desk could not be started").await;
                return Err(problem);
            }
            Err(_) => return Err(Problem::of(&codes::RUN_INTERNAL, "the desk could not be started")),
        }
        core.sessions
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(caller.token.clone(), Arc::clone(&session));
        Ok(session)
    }

    fn by_token(&self, token: &TokenId) -> Option<Arc<Session>> {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(token)
            .cloned()
    }

    /// An open session by id.
    pub(crate) fn find(&self, id: &SessionId) -> Option<Arc<Session>> {
        self.list().into_iter().find(|session| &session.id == id)
    }

    /// All open sessions, oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Session>> {
        let mut all: Vec<_> = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        all.sort_by(|a, b| (a.opened, &a.id).cmp(&(b.opened, &b.id)));
        all
    }

    /// Ends a session: its workers at once, wherever they are. Returns whether it was open.
    pub(crate) async fn end(core: &Core, id: &SessionId, reason: &str) -> bool {
        match core.sessions.find(id) {
            Some(session) => Self::finish(core, &session, reason).await,
            None => false,
        }
    }

    /// Ends all sessions of which `which` is true; returns their number.
    pub(crate) async fn end_where(core: &Core, reason: &str, which: impl Fn(&Session) -> bool) -> u32 {
        let mut ended = 0;
        for session in core.sessions.list() {
            if which(&session) && Self::finish(core, &session, reason).await {
                ended += 1;
            }
        }
        ended
    }

    /// Ends what is idle, expired, or of a project that is not in force any more. Call it every few seconds.
    pub(crate) async fn sweep(core: &Core) {
        let now = core.now();
        let idle = SignedDuration::from_mins(i64::from(core.home.config().idle_minutes));
        for session in core.sessions.list() {
            let since = now.duration_since(session.last_call());
            let zone = core.home.config().timezone.zone();
            let over = session
                .project
                .permit
                .valid
                .end(zone)
                .is_some_and(|end| end <= now);
            let reason = if session.caller.expires <= now {
                "its token expired"
            } else if over {
                "the permit ended"
            } else if since > idle && !session.is_querying() {
                "it was idle"
            } else {
                continue;
            };
            Self::finish(core, &session, reason).await;
        }
    }

    /// Ends one for a reason that its analyst may read. Killing comes first: a log that cannot be written must not keep a session alive.
    async fn finish(core: &Core, session: &Session, reason: &str) -> bool {
        if session.ended.set(reason.to_owned()).is_err() {
            return false;
        }
        session.killers.kill_all();
        core.sessions
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&session.caller.token);
        let actor = core.actor(&session.caller, Some(&session.id));
        let closed = Event::SessionClosed {
            session: session.id.clone(),
            reason: reason.to_owned(),
        };
        if let Err(problem) = core.audit(actor, closed).await {
            tracing::error!(session = %session.id, %problem, "the end of a session could not be logged");
        }
        if let Err(error) = core.store.sessions().close(&session.id, core.now(), reason).await {
            tracing::error!(session = %session.id, %error, "the end of a session could not be stored");
        }
        true
    }
}
