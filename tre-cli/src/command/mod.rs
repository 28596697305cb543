//! One file per subcommand: its arguments and help, what it does, and what it prints.

pub(crate) mod audit;
pub(crate) mod budget;
pub(crate) mod check;
pub(crate) mod dataset;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod ingest;
pub(crate) mod init;
pub(crate) mod policy;
pub(crate) mod project;
pub(crate) mod release;
pub(crate) mod request;
pub(crate) mod review;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod sql;
pub(crate) mod token;

/// Tables and columns as `schema` and `dataset show` print them.
mod described;

use tonic::{Response, Status};

use crate::args::Command;
use crate::codes;
use crate::connect::from_status;
use crate::exit::{Failure, Outcome};
use crate::render::Published;
use crate::shell::Shell;

/// Runs a subcommand.
pub(crate) fn run(command: Command, shell: &Shell) -> Outcome {
    match command {
        Command::Init(args) => init::run(&args, shell),
        Command::Ingest(args) => ingest::run(&args, shell),
        Command::Dataset(args) => dataset::run(args, shell),
        Command::Project(args) => project::run(args, shell),
        Command::Token(args) => token::run(args, shell),
        Command::Serve(args) => serve::run(&args, shell),
        Command::Sql(args) => sql::run(&args, shell),
        Command::Check(args) => check::run(&args, shell),
        Command::Schema(args) => schema::run(&args, shell),
        Command::Request(args) => request::run(args, shell),
        Command::Review(args) => review::run(args, shell),
        Command::Release(args) => release::run(args, shell),
        Command::Session(args) => session::run(args, shell),
        Command::Policy(args) => policy::run(args, shell),
        Command::Budget(args) => budget::run(&args),
        Command::Audit(args) => audit::run(args, shell),
        Command::Doctor(args) => doctor::run(&args, shell),
        Command::Explain(args) => explain::run(&args, shell),
        Command::Demo(args) => demo::run(&args, shell),
    }
}

/// Schemas of every document that `--format json` prints.
pub(crate) fn schemas() -> Vec<Published> {
    let all = [
        audit::schemas(),
        check::schemas(),
        dataset::schemas(),
        doctor::schemas(),
        explain::schemas(),
        ingest::schemas(),
        init::schemas(),
        policy::schemas(),
        project::schemas(),
        release::schemas(),
        request::schemas(),
        review::schemas(),
        schema::schemas(),
        session::schemas(),
        sql::schemas(),
    ];
    all.into_iter().flatten().collect()
}

/// Runs one command's calls to their end, or to Ctrl-C: then the future is dropped, which cancels the call.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::of(&codes::CLI_FILE, format!("cannot start: {error}")))?;
    runtime.block_on(async {
        tokio::select! {
            // First, so that whoever sees a sign of the call can already interrupt it.
            biased;
            _pressed = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
            ended = future => ended,
        }
    })
}

/// The message of a call's answer, or what its status means.
fn answer<T>(called: Result<Response<T>, Status>) -> Result<T, Failure> {
    called
        .map(Response::into_inner)
        .map_err(|status| from_status(&status))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn directory() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema")
    }

    fn text(schema: &serde_json::Value) -> String {
        format!("{}\n", serde_json::to_string_pretty(schema).unwrap())
    }

    #[test]
    fn the_published_schemas_are_those_of_the_program() {
        let kinds: Vec<&str> = schemas().iter().map(|published| published.kind).collect();
        let files = std::fs::read_dir(directory()).unwrap().count();
        assert_eq!(files, kinds.len(), "one file for each of {kinds:?}");
        for published in schemas() {
            let path = directory().join(format!("{}.json", published.kind));
            let there = std::fs::read(&path).unwrap_or_default();
            let there: serde_json::Value = serde_json::from_slice(&there).unwrap_or_default();
            assert_eq!(there, published.schema, "{} is stale", path.display());
        }
    }

    #[test]
    #[ignore = "writes tre-cli/schema; run it when a document has changed"]
    fn publish_the_schemas() {
        std::fs::create_dir_all(directory()).unwrap();
        for published in schemas() {
            std::fs::write(
                directory().join(format!("{}.json", published.kind)),
                text(&published.schema),
            )
            .unwrap();
        }
    }

    #[test]
    fn kinds_are_unique_and_every_field_is_described() {
        let mut seen = std::collections::BTreeSet::new();
        for published in schemas() {
            assert!(seen.insert(published.kind), "{} twice", published.kind);
            let properties = published
                .schema
                .get("properties")
                .and_then(|properties| properties.as_object())
                .unwrap();
            for (name, field) in properties.iter().filter(|(name, _)| *name != "kind") {
                assert!(field.get("description").is_some(), "{}.{name}", published.kind);
            }
        }
    }
}
