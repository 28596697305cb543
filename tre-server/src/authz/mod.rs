//! Who may do what: Cedar policies, asked through one function.
//!
//! The policies stand in `policies/access`: a schema that fixes what they can speak of, what each role may do
//! (`roles.cedar`), and the separation of duties as prohibitions (`separation.cedar`). A home may replace `roles.cedar` by
//! its own files; schema and prohibitions are always those that the server was built with.
//!
//! Cedar skips a policy whose evaluation fails, as if it did not exist, so a prohibition that fails would permit. Therefore
//! policies are validated strictly when they are loaded, every attribute in the schema is required, requests and entities
//! are checked against it, and [`Access::authorize`] takes any error of the evaluation for a refusal.

mod action;
mod entities;
mod policies;

use cedar_policy::{Authorizer, Context, Decision, Entities, PolicySet, Request, Schema};
use tre_core::codes::{self, Problem};
use tre_core::permit::Role;

pub use action::Action;
pub use entities::{ProjectFacts, Resource};
pub use policies::SHIPPED;

/// Whoever calls, as the policies see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal<'a> {
    /// As the token names them, or `local:<os user>`.
    pub user: &'a str,
    /// The token's role; `None` for whoever came over the socket in the home.
    pub role: Option<Role>,
    /// The token's project.
    pub project: Option<&'a str>,
}

impl Principal<'_> {
    fn role_name(&self) -> &'static str {
        self.role.map_or("local", Role::as_str)
    }
}

/// Says that the policies allowed one action. Only [`Access::authorize`] makes it.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    action: Action,
}

impl Allowed {
    /// What was allowed.
    pub fn action(&self) -> Action {
        self.action
    }
}

/// The policies said no, or could not say yes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Denied {
    /// For the caller.
    pub problem: Problem,
    /// Names of the prohibitions that decided; empty: nothing permitted it.
    pub by: Vec<String>,
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Problem {
        denied.problem
    }
}

/// The policies in force.
#[derive(Debug)]
pub struct Access {
    schema: Schema,
    policies: PolicySet,
    authorizer: Authorizer,
}

impl Access {
    /// The policies that the server was built with.
    ///
    /// # Errors
    /// A [`Problem`] if they do not validate.
    pub fn shipped() -> Result<Self, Problem> {
        Self::with_roles(&[(policies::ROLES.0.to_owned(), policies::ROLES.1.to_owned())])
    }

    /// The home's `*.cedar` files in place of the shipped `roles.cedar`; where there are none, the shipped ones.
    ///
    /// # Errors
    /// A [`Problem`] naming file and line when a file cannot be read, parsed or validated.
    pub fn from_home(directory: &std::path::Path) -> Result<Self, Problem> {
        let files = policies::read_home(directory)?;
        if files.is_empty() {
            Self::shipped()
        } else {
            Self::with_roles(&files)
        }
    }

    fn with_roles(roles: &[(String, String)]) -> Result<Self, Problem> {
        let (schema, policies) = policies::load(roles)?;
        Ok(Access {
            schema,
            policies,
            authorizer: Authorizer::new(),
        })
    }

    /// Whether `principal` may do `action` on `resource`.
    ///
    /// # Errors
    /// [`Denied`] when no policy permits it, one forbids it, or anything at all goes wrong on the way.
    pub fn authorize(
        &self,
        principal: Principal<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<Allowed, Denied> {
        let (request, entities) = match self.question(principal, action, resource) {
            Ok(question) => question,
            Err(error) => {
                tracing::error!(%error, action = action.as_str(), "an access question could not be asked");
                return Err(self.denied(principal, action, Vec::new(), &[]));
            }
        };
        let response = self.authorizer.is_authorized(&request, &self.policies, &entities);
        let mut failed = false;
        for error in response.diagnostics().errors() {
            failed = true;
            tracing::error!(%error, action = action.as_str(), "an access policy failed while it decided");
        }
        match response.decision() {
            Decision::Allow if !failed => Ok(Allowed { action }),
            Decision::Allow => Err(self.denied(principal, action, Vec::new(), &[])),
            Decision::Deny => {
                let by = response.diagnostics().reason().map(ToString::to_string).collect();
                let roles = self.roles_that_may(principal, action, resource);
                Err(self.denied(principal, action, by, &roles))
            }
        }
    }

    /// The roles in which the same person could do it.
    fn roles_that_may(&self, principal: Principal<'_>, action: Action, resource: Resource<'_>) -> Vec<Role> {
        let may = |role: &Role| {
            let other = Principal {
                role: Some(*role),
                ..principal
            };
            self.question(other, action, resource)
                .is_ok_and(|(request, entities)| {
                    let asked = self.authorizer.is_authorized(&request, &self.policies, &entities);
                    asked.decision() == Decision::Allow && asked.diagnostics().errors().next().is_none()
                })
        };
        Role::ALL.into_iter().filter(may).collect()
    }

    fn question(
        &self,
        principal: Principal<'_>,
        action: Action,
        resource: Resource<'_>,
    ) -> Result<(Request, Entities), Box<dyn std::error::Error>> {
        let (entities, caller, resource) = entities::entities(principal, resource, &self.schema)?;
        let action = format!("Tre::Action::\"{}\"", action.as_str()).parse()?;
        Ok((
            Request::new(caller, action, resource, Context::empty(), Some(&self.schema))?,
            entities,
        ))
    }

    /// The reason in words: that of the first prohibition by name, or that nothing permits it.
    fn denied(
        &self,
        principal: Principal<'_>,
        action: Action,
        mut by: Vec<String>,
        roles: &[Role],
    ) -> Denied {
        by.sort();
        let note = |key: &str| {
            by.iter().find_map(|id| {
                self.policies
                    .annotation(&cedar_policy::PolicyId::new(id), key)
                    .map(str::to_owned)
            })
        };
        let code = note("code")
            .and_then(|id| codes::find(&id))
            .unwrap_or(&codes::AUTH_DENIED);
        let hint = note("hint")
            .or_else(|| roles_in_words(roles))
            .unwrap_or_else(|| code.remedy.to_owned());
        let what = format!(
            "`{}` may not {} as {}",
            principal.user,
            action.phrase(),
            principal.role_name()
        );
        Denied {
            problem: Problem::new(code, what, hint),
            by,
        }
    }
}

/// `a token of role operator or auditor may`; `None` where no role may.
fn roles_in_words(roles: &[Role]) -> Option<String> {
    let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "a token of role {} may: use one, or ask the operator",
            names.join(" or ")
        )
    })
}
