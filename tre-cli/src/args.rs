//! The command line as clap sees it. Values are parsed into the types that they mean right here, so that a malformed id,
//! address or duration is a usage error (exit 2) before anything is opened or asked.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{
    audit, budget, check, dataset, demo, doctor, explain, ingest, init, policy, project, release, request,
    review, schema, serve, session, sql, token,
};
use crate::render::Format;

/// Ask questions of health data; every answer that leaves is checked
///
/// A Trusted Research Environment: data holders put data in, researchers ask with SQL, and nothing leaves except
/// through a checker that knows whose data stand behind every cell.
///
/// New here? `tre demo` tells the whole story on simulated patients in about a minute.
#[derive(Debug, Parser)]
#[command(name = "tre", version, max_term_width = 100, after_help = OVERVIEW)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const OVERVIEW: &str = "\
Who uses what:
  data holder, operator  init, ingest, dataset, project, token, serve, session, policy, doctor
  analyst                sql, check, schema, request, release
  output checker         review
  auditor                audit
  everybody              explain CODE, demo

Exit codes: 0 answered (also with suppressed cells), 1 error, 2 usage, 3 referred to a person,
4 withheld. Results go to stdout, everything else to stderr.";

/// The subcommands, in the order of the story. What each does stands with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::InitArgs),
    Ingest(ingest::IngestArgs),
    Dataset(dataset::DatasetArgs),
    Project(project::ProjectArgs),
    Token(token::TokenArgs),
    Serve(serve::ServeArgs),
    Sql(sql::SqlArgs),
    Check(check::CheckArgs),
    Schema(schema::SchemaArgs),
    Request(request::RequestArgs),
    Review(review::ReviewArgs),
    Release(release::ReleaseArgs),
    Session(session::SessionArgs),
    Policy(policy::PolicyArgs),
    Budget(budget::BudgetArgs),
    Audit(audit::AuditArgs),
    Doctor(doctor::DoctorArgs),
    Explain(explain::ExplainArgs),
    Demo(demo::DemoArgs),
}

/// Commands that work on a home directory.
#[derive(Debug, Clone, Args)]
pub(crate) struct HomeArgs {
    /// The deployment's home directory
    #[arg(long, env = "TRE_HOME", value_name = "DIR")]
    pub(crate) home: PathBuf,
}

/// Commands that print a listing or a report.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct FormatArgs {
    /// How the result is printed on stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

/// An address to listen on.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an IP address and a port, such as 127.0.0.1:50051 (this machine only), 0.0.0.0:50051 (every network) or \
         [::1]:50051"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
