//! What all services of one server share: the home, who may do what, the sessions, and the way workers are started.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tre_core::algebra::Expr;
use tre_core::audit::{Actor, Event};
use tre_core::codes::{self, Problem};
use tre_core::grant::Grant;
use tre_core::ids::{ProjectId, SessionId, TokenId, UserName};
use tre_core::manifest::ColumnMeta;
use tre_core::permit::{ExitName, Limits, Permit, Phase, Role};
use tre_core::policy::Policy;
use tre_home::Home;
use tre_home::audit::AuditError;
use tre_home::store::{Project as StoredProject, Store};

use crate::authz::{Access, Action, Allowed, ProjectFacts, Resource};
use crate::engine::{Desk, DeskError, Jails};
use crate::identity::{self, Caller};
use crate::ledger::Book;
use crate::sessions::Sessions;

/// One per server.
pub(crate) struct Core {
    pub(crate) home: Home,
    pub(crate) store: Store,
    pub(crate) access: Access,
    pub(crate) sessions: Sessions,
    pub(crate) jails: Jails,
    /// What has left.
    pub(crate) book: Book,
    /// Set when the log has refused an entry: from then on nobody is served.
    log_failed: AtomicBool,
}

/// A project as the server works with it.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) stored: StoredProject,
    pub(crate) permit: Permit,
    pub(crate) grant: Grant,
    pub(crate) facts: ProjectFacts,
    /// The permit's, and the deployment's where it names none.
    pub(crate) limits: Limits,
}

/// What a call acts on, as far as the caller of [`Core::authorize`] knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On<'a> {
    /// The deployment.
    Home,
    /// A project.
    Project(&'a Project),
    /// A request of a project.
    Request {
        project: &'a Project,
        author: &'a UserName,
        voters: &'a [UserName],
    },
    /// Somebody's session.
    Session {
        project: &'a Project,
        user: &'a UserName,
    },
}

impl Core {
    /// Opens store and policies of a home. `program` is what workers are started from, by default this program.
    pub(crate) async fn open(home: Home, program: Option<PathBuf>) -> Result<Arc<Core>, Problem> {
        let store = home.store().await?;
        let access = Access::from_home(&home.layout().access_policies())?;
        let jails = Jails::new(&home.config().jail, program)?;
        Ok(Arc::new(Core {
            home,
            store,
            access,
            sessions: Sessions::default(),
            jails,
            book: Book::default(),
            log_failed: AtomicBool::new(false),
        }))
    }

    /// The present moment. The one place of the server that reads the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "the server is the shell: time enters here"
    )]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Problem> {
        Ok(self.home.vault().random()?)
    }

    /// Writes an entry of the log; returns when it is durable. A log that cannot be written ends all service.
    pub(crate) async fn audit(&self, actor: Actor, event: Event) -> Result<(), Problem> {
        match self.home.audit().append(actor, event).await {
            Ok(_) => Ok(()),
            // Nothing was written and nothing is broken: only this entry is too long.
            Err(error @ AuditError::TooLarge { .. }) => Err(error.into()),
            Err(error) => {
                self.log_failed.store(true, Ordering::Release);
                Err(error.into())
            }
        }
    }

    /// Who somebody is in the log.
    pub(crate) fn actor(&self, caller: &Caller, session: Option<&SessionId>) -> Actor {
        Actor {
            user: caller.user.clone(),
            role: Some(caller.role),
            project: caller.project.clone(),
            token: Some(caller.token.clone()),
            session: session.cloned(),
        }
    }

    /// The system as an actor.
    pub(crate) fn system(&self) -> Result<Actor, Problem> {
        let user = Actor::SYSTEM.parse();
        user.map(Actor::user)
            .map_err(|_| Problem::of(&codes::RUN_INTERNAL, "the system has no name"))
    }

    /// The bearer of a token: signed here, in time, not revoked. Refusals are logged.
    pub(crate) async fn caller(&self, bearer: &str) -> Result<Caller, Problem> {
        if self.log_failed.load(Ordering::Acquire) {
            return Err(Problem::of(
                &codes::LOG_WRITE,
                "the audit log cannot be written, so nothing is served",
            ));
        }
        let audience = self.home.config().origin.as_str();
        let refused = match identity::verify(bearer, audience, self.now(), self.home.vault().tokens()) {
            Ok(caller) => match self.store.tokens().get(&caller.token).await? {
                Some(token) if token.revoked.is_none() => return Ok(caller),
                Some(_) => {
                    let problem = self.revoked(&caller).await?;
                    (Some(caller.token), Some(caller.user), problem)
                }
                None => {
                    let problem =
                        Problem::of(&codes::AUTH_INVALID, "the token is not one of this deployment");
                    (None, Some(caller.user), problem)
                }
            },
            Err(problem) => (None, None, problem),
        };
        let (token, user, problem): (Option<TokenId>, Option<UserName>, Problem) = refused;
        let actor = match user {
            Some(user) => Actor::user(user),
            None => self.system()?,
        };
        self.audit(
            actor,
            Event::TokenRefused {
                token,
                code: problem.code.id.to_owned(),
            },
        )
        .await?;
        Err(problem)
    }

    /// Why a revoked token is none any more. Its bearer was a member of the project, and may know that it is closed.
    async fn revoked(&self, caller: &Caller) -> Result<Problem, Problem> {
        let project = match &caller.project {
            Some(id) => self.store.projects().get(id).await?,
            None => None,
        };
        Ok(match project.filter(|project| project.closed.is_some()) {
            Some(project) => Problem::new(
                &codes::AUTH_REVOKED,
                format!("the project `{}` is closed, and its tokens with it", project.id),
                "ask the operator for a token of another project",
            ),
            None => Problem::of(&codes::AUTH_REVOKED, "the token was revoked"),
        })
    }

    /// A project by id.
    pub(crate) async fn project(&self, id: &ProjectId) -> Result<Project, Problem> {
        match self.store.projects().get(id).await? {
            Some(stored) => self.parsed(stored),
            None => Err(Problem::of(
                &codes::PRJ_UNKNOWN,
                format!("there is no project `{id}`"),
            )),
        }
    }

    /// Reads a stored project. What was stored was valid; anything else is damage, and nothing is served.
    pub(crate) fn parsed(&self, stored: StoredProject) -> Result<Project, Problem> {
        let permit = Permit::parse(&stored.permit)?;
        let grant = serde_json::from_str(&stored.grant_json).map_err(|_| {
            Problem::of(
                &codes::RUN_INTERNAL,
                format!("the grant of `{}` cannot be read", stored.id),
            )
        })?;
        let zone = self.home.config().timezone.zone();
        let in_force = stored.closed.is_none() && permit.valid.phase(self.now(), zone) == Phase::InForce;
        let people = |role| permit.people_with(role).cloned().collect();
        let facts = ProjectFacts {
            id: stored.id.clone(),
            in_force,
            analysts: people(Role::Analyst),
            checkers: people(Role::Checker),
        };
        Ok(Project {
            stored,
            limits: self.limits(&permit),
            permit,
            grant,
            facts,
        })
    }

    /// The limits that hold under a permit here: its own, and tre.toml's where it names none.
    pub(crate) fn limits(&self, permit: &Permit) -> Limits {
        permit.limits.or((&self.home.config().limits).into())
    }

    /// Lowers a permit's row condition over the stored columns of a table, at a desk of its own.
    ///
    /// # Errors
    /// A [`Problem`] when it is not a condition over these columns that the algebra can say.
    pub(crate) async fn lower_filter(
        self: &Arc<Self>,
        condition: &str,
        columns: &[ColumnMeta],
    ) -> Result<Expr, Problem> {
        let (core, condition, columns) = (Arc::clone(self), condition.to_owned(), columns.to_vec());
        let session = SessionId::from_random(self.random()?);
        let lowering = tokio::task::spawn_blocking(move || {
            let project = "permit"
                .parse()
                .map_err(|_| Problem::of(&codes::RUN_INTERNAL, "a desk has no name"))?;
            let mut desk = Desk::start(
                &core.jails,
                &session,
                &Grant {
                    project,
                    tables: vec![],
                },
            )?;
            desk.lower_filter(&condition, &columns)
                .map_err(|error| match error {
                    DeskError::Refused(problem) => problem,
                    DeskError::Lost(lost) => lost.problem(),
                })
        });
        lowering
            .await
            .unwrap_or_else(|_| Err(Problem::of(&codes::RUN_INTERNAL, "a desk could not be asked")))
    }

    /// Asks the access policies. Refusals are logged.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        action: Action,
        on: On<'_>,
    ) -> Result<Allowed, Problem> {
        let resource = match on {
            On::Home => Resource::Home,
            On::Project(project) => Resource::Project(&project.facts),
            On::Request {
                project,
                author,
                voters,
            } => Resource::Request {
                project: &project.facts,
                author,
                voters,
            },
            On::Session { project, user } => Resource::Session {
                project: &project.facts,
                user,
            },
        };
        match self.access.authorize(caller.principal(), action, resource) {
            Ok(allowed) => Ok(allowed),
            Err(denied) => {
                let code = denied.problem.code.id.to_owned();
                let event = Event::ControlRefused {
                    call: action.as_str().to_owned(),
                    code,
                };
                self.audit(self.actor(caller, None), event).await?;
                Err(denied.problem)
            }
        }
    }
}

impl Project {
    /// The policy of an exit, as it was pinned, and the number of reviewers.
    pub(crate) fn exit(&self, name: ExitName) -> Result<(Policy, u8), Problem> {
        let exit = self.permit.exits.get(&name).ok_or_else(|| {
            Problem::new(
                &codes::REQ_NO_EXIT,
                format!("the permit of `{}` has no exit `{name}`", self.stored.id),
                "ask for a permit with this exit",
            )
        })?;
        let pinned = self
            .stored
            .policies
            .iter()
            .find(|policy| policy.id == exit.policy);
        let text = pinned.and_then(|policy| std::str::from_utf8(&policy.bytes).ok());
        let (Some(pinned), Some(text)) = (pinned, text) else {
            return Err(Problem::of(
                &codes::RUN_INTERNAL,
                format!("policy `{}` is not pinned", exit.policy),
            ));
        };
        let policy = Policy::parse(&exit.policy, text)?;
        if policy.hash() != pinned.sha256 {
            return Err(Problem::of(
                &codes::RUN_INTERNAL,
                format!("policy `{}` is not the pinned one", exit.policy),
            ));
        }
        match name {
            ExitName::View => policy.check_view()?,
            ExitName::Release => policy.check_release(u32::from(exit.reviewers))?,
        }
        Ok((policy, exit.reviewers))
    }
}
