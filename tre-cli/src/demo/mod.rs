//! `tre demo`: the whole story on simulated patients, in a temporary home, without a network.
//!
//! A script of real commands. Every step runs this very program as a user would type it, prints the command line, what
//! it answered and why that matters, and compares how it ended with what the script says. A real server process stands
//! behind it. [`stage`] runs commands and the server and cleans up; [`narrator`] prints; the acts tell the story.

mod act_data;
mod act_log;
mod act_questions;
mod act_release;
mod narrator;
mod stage;

use crate::exit::{Exit, Outcome};
use crate::shell::Shell;

use stage::Stage;

/// Tells the story from the beginning to the end. `keep` leaves the home behind and says where it is.
pub(crate) fn tell(keep: bool, shell: &Shell) -> Outcome {
    let mut stage = Stage::set(keep, shell)?;
    let told = story(&mut stage);
    let told = stage.or_interrupted(told);
    let struck = stage.strike(told.is_ok());
    told?;
    struck?;
    Ok(Exit::Answered)
}

fn story(stage: &mut Stage) -> Result<(), crate::exit::Failure> {
    stage.narrator.say(
        "Hospitals hold data that could answer many questions, and nobody wants to find themselves in an answer. A \
         Trusted Research Environment turns things round: the data stay in a locked house, researchers send their \
         questions in, and nothing goes out except through a checker that knows whose data stand behind every number. \
         This is that house in small. The 2,694 patients below never lived: a simulation (Synthea) made them.",
    )?;
    stage.narrator.say(
        "Lines with a prompt are commands that you can type yourself. The name before the $ says who types: a user's \
         token is in TRE_TOKEN then. The demo sets TRE_HOME and TRE_URL once, for everybody.",
    )?;
    act_data::play(stage)?;
    act_questions::play(stage)?;
    act_release::play(stage)?;
    act_log::play(stage)
}
