//! Landlock: a second wall behind the namespaces, which holds even where a namespace has a hole.
//!
//! It binds the calling thread and all that come from it, hence before any other thread.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    Scope, path_beneath_rules,
};

use crate::report::{LANDLOCK_FILES, LANDLOCK_NETWORK, LANDLOCK_SCOPES, Refusal};
use crate::settings::Jail;
use crate::stage::{Failure, Steps};

/// The newest rules that the library knows; the kernel enforces those that it knows too.
const NEWEST: ABI = ABI::V9;

pub(crate) fn bind(steps: &mut Steps<'_>, jail: &Jail) -> Result<(), Refusal> {
    let known = restrict(jail).map_err(|error| error.to_string());
    for (name, needs, how) in [
        (LANDLOCK_FILES, ABI::V1, "no file can be opened by a path"),
        (
            LANDLOCK_NETWORK,
            ABI::V4,
            "no TCP port can be bound or connected to",
        ),
        (
            LANDLOCK_SCOPES,
            ABI::V6,
            "no signal and no abstract socket leads out",
        ),
    ] {
        let outcome = match &known {
            Ok(abi) if *abi >= needs => Ok(format!("{how} (ABI {})", *abi as i32)),
            Ok(abi) => Err(Failure(format!(
                "needs Landlock ABI {}, the kernel has {}",
                needs as i32, *abi as i32
            ))),
            Err(why) => Err(Failure(why.clone())),
        };
        steps.record(name, outcome)?;
    }
    Ok(())
}

fn restrict(jail: &Jail) -> Result<ABI, RulesetError> {
    let files = AccessFs::from_all(NEWEST);
    let shown = jail.binds.iter().map(|bind| bind.inside.as_path());
    let temporary = (jail.temporary_bytes > 0).then_some(Path::new("/tmp"));
    let status = Ruleset::default()
        .handle_access(files)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(shown, AccessFs::ReadFile | AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(temporary, files & !AccessFs::Execute))?
        .restrict_self()?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => effective_abi,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => ABI::Unsupported,
    })
}
