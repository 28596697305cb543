//! `tre init`: a new deployment.

use std::net::SocketAddr;
use std::path::Path;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::codes::Problem;
use tre_home::config::{Origin, Timezone};
use tre_home::layout::Layout;
use tre_home::{Home, InitOptions};

use crate::args::{FormatArgs, HomeArgs, address};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Published, Shown, View, published};
use crate::shell::Shell;
use crate::{local, shipped};

/// Make a new deployment: configuration, keys, store, audit log
///
/// Makes the home directory with everything that a server needs. Whoever can read its `vault/` can read all data: keep
/// it on a disk of its own, and back up `vault/` apart from `datasets/`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    home: HomeArgs,

    /// What people call the deployment
    #[arg(long, default_value = "Trusted Research Environment")]
    name: String,

    /// Name of the audit log, for good, e.g. tre.example.org/audit; drawn at random if not given
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,

    /// Time zone in which the days of permits begin and end
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: Timezone,

    /// Where the server will listen, if not at 127.0.0.1:50051
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,

    /// Make a self-signed certificate for localhost, and for these host names and addresses
    #[arg(long, value_name = "HOST", num_args = 0..)]
    self_signed: Option<Vec<String>>,

    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLES: &str = "\
Examples:
  tre init --home /srv/tre
  tre init --home /srv/tre --timezone Asia/Tokyo --origin tre.example.org/audit
  tre init --home /srv/tre --self-signed tre.example.org 192.0.2.7 --listen 0.0.0.0:50051
  TRE_HOME=/srv/tre tre init";

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct InitReport {
    /// The home directory.
    home: String,
    /// Its settings.
    settings: String,
    /// The rule packs in it.
    policies: Vec<String>,
    /// Public key of the audit log: whoever has it can verify the log.
    log_key: String,
    /// The certificate for clients to trust, if one was made.
    certificate: Option<String>,
}

impl Shown for InitReport {
    const KIND: &'static str = "init";

    fn view(&self) -> View {
        let mut facts = vec![
            ("home", self.home.clone()),
            ("settings", self.settings.clone()),
            ("policies", self.policies.join(", ")),
            ("log key", self.log_key.clone()),
        ];
        facts.extend(self.certificate.iter().map(|path| ("certificate", path.clone())));
        View {
            facts,
            grids: Vec::new(),
        }
    }
}

/// Schemas of what these commands print as JSON.
pub(super) fn schemas() -> Vec<Published> {
    vec![published::<InitReport>()]
}

/// Makes the home.
pub(crate) fn run(args: &InitArgs, shell: &Shell) -> Outcome {
    let options = InitOptions {
        name: args.name.clone(),
        origin: args.origin.clone(),
        timezone: args.timezone.clone(),
        listen: args.listen,
        web: None,
        certificate: args.self_signed.clone(),
        sdc_policies: shipped::owned(&shipped::SDC),
        access_policies: shipped::owned(&shipped::ACCESS),
        actor: local::actor()?,
    };
    let home = &args.home.home;
    Home::init(home, options).map_err(Problem::from)?;
    shell.show(&report(home, args.self_signed.is_some())?, args.format.format)?;
    shell.note(
        "Give the log key to whoever will verify the log. Next: tre ingest, tre serve, tre token issue.",
    );
    Ok(Exit::Answered)
}

fn report(home: &Path, certified: bool) -> Result<InitReport, Failure> {
    let layout = Layout::new(home);
    let key = layout.audit().join("vkey");
    let log_key = std::fs::read_to_string(&key).map_err(|error| Failure::file("read", &key, &error))?;
    let shown = |path: &Path| path.display().to_string();
    Ok(InitReport {
        home: shown(home),
        settings: shown(&layout.config()),
        policies: shipped::SDC
            .iter()
            .map(|(name, _)| name.trim_end_matches(".toml").to_owned())
            .collect(),
        log_key: log_key.trim_end().to_owned(),
        certificate: certified.then(|| shown(&layout.tls().join("cert.pem"))),
    })
}
