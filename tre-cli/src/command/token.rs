//! `tre token`: who may call the server, in which role, for how long.

use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use tre_core::codes::Problem;
use tre_core::ids::{ProjectId, TokenId, UserName};
use tre_core::permit::Role;
use tre_proto::v1;
use tre_server::identity::Wish;
use tre_server::local::{Issued, issue as issue_locally, revoke as revoke_locally};

use super::{answer, block_on};
use crate::args::HomeArgs;
use crate::exit::{Exit, Failure, Outcome};
use crate::local::{self, Access};
use crate::shell::Shell;

/// Issue or revoke tokens
///
/// A token says who calls, in which role and for which project. It is signed, ends by itself and can be revoked; the
/// session that runs on it then ends at once. Works on the home's files: a running server is told.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

const EXAMPLES: &str = "\
Examples:
  tre token issue --home /srv/tre --project liver-outcomes --user alice --role analyst
  tre token issue --home /srv/tre --user olga --role operator --ttl 30m
  export TRE_TOKEN=$(tre token issue --project liver-outcomes --user alice --role analyst)
  tre token revoke --home /srv/tre tok_mfrggzdfmztwq2lk";

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Print a new token, and nothing else, on stdout; its id goes to stderr
    Issue {
        /// The project; analysts and checkers must have one. A token of an operator or auditor needs none, and is good
        /// for this one project alone if it has one
        #[arg(long, value_name = "PROJECT", required_if_eq_any([("role", "analyst"), ("role", "checker")]))]
        project: Option<ProjectId>,
        /// The user, as the permit names them
        #[arg(long, value_name = "USER")]
        user: UserName,
        /// What the user acts as: analyst, checker, operator or auditor
        #[arg(long, value_name = "ROLE", value_parser = role)]
        role: Role,
        /// How long the token is good for, e.g. 30m, 8h
        #[arg(long, value_name = "TIME", default_value = "8h", value_parser = ttl)]
        ttl: Duration,
        #[command(flatten)]
        home: HomeArgs,
    },
    /// End a token and the session that runs on it, at once
    Revoke {
        /// The token's id
        id: TokenId,
        #[command(flatten)]
        home: HomeArgs,
    },
}

/// Issues or revokes: asks a running server, or works on the home itself.
pub(crate) fn run(args: TokenArgs, shell: &Shell) -> Outcome {
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell reads the clock for the crates that must not"
    )]
    let now = Timestamp::now();
    block_on(async {
        match args.command {
            TokenCommand::Issue {
                project,
                user,
                role,
                ttl,
                home,
            } => {
                let wish = Wish {
                    user,
                    role,
                    project,
                    ttl,
                };
                let issued = issue(&home, wish, now, shell).await?;
                shell.raw(format!("{}\n", issued.token).as_bytes())?;
                shell.note(&format!("{} until {}", issued.id, issued.expires));
            }
            TokenCommand::Revoke { id, home } => {
                revoke(&home, &id, now, shell).await?;
                shell.note(&format!("revoked {id}"));
            }
        }
        Ok(Exit::Answered)
    })
}

async fn issue(
    home: &HomeArgs,
    wish: Wish,
    now: Timestamp,
    shell: &Shell,
) -> Result<v1::IssueTokenResponse, Failure> {
    match local::access(&home.home, "tre token", shell).await? {
        Access::Server(mut server) => {
            let request = v1::IssueTokenRequest {
                project: wish.project.map(String::from).unwrap_or_default(),
                user: wish.user.into(),
                role: wish.role.as_str().to_owned(),
                ttl_seconds: wish.ttl.as_secs(),
            };
            answer(server.issue_token(request).await)
        }
        Access::Own(home) => {
            let store = home.store().await.map_err(Problem::from)?;
            let Issued { token, id, expires } =
                issue_locally(&home, &store, local::actor()?, wish, now).await?;
            store.close().await;
            Ok(v1::IssueTokenResponse {
                token,
                id: id.into(),
                expires: expires.to_string(),
            })
        }
    }
}

async fn revoke(home: &HomeArgs, id: &TokenId, now: Timestamp, shell: &Shell) -> Result<(), Failure> {
    match local::access(&home.home, "tre token", shell).await? {
        Access::Server(mut server) => {
            answer(
                server
                    .revoke_token(v1::RevokeTokenRequest { id: id.to_string() })
                    .await,
            )?;
        }
        Access::Own(home) => {
            let store = home.store().await.map_err(Problem::from)?;
            // One that was revoked before is as revoked as it can be.
            let _revoked_now = revoke_locally(&home, &store, local::actor()?, id, now).await?;
            store.close().await;
        }
    }
    Ok(())
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|problem: Problem| problem.hint)
}

fn ttl(text: &str) -> Result<Duration, String> {
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|ttl| Duration::try_from(ttl).ok());
    parsed.ok_or_else(|| "write a time such as 30m, 8h or 2h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_do() {
        assert_eq!(ttl("8h"), Ok(Duration::from_secs(8 * 3600)));
        assert_eq!(ttl("2h30m"), Ok(Duration::from_secs(9000)));
        for bad in ["", "8", "soon", "-1h"] {
            assert!(ttl(bad).is_err(), "{bad}");
        }
    }
}
