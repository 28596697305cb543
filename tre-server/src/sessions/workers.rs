//! The workers of a session, and how they are killed from outside.

use std::sync::{Arc, Mutex, PoisonError};

use sandbox_runner::Killer;
use tre_core::codes::{self, Problem};
use tre_core::ids::SessionId;

use crate::core::{Core, Project};
use crate::engine::{Cancel, Data, DataError, Desk};

/// Desk and data worker. Whoever holds it may block on them.
#[derive(Debug)]
pub(crate) struct Workers {
    session: SessionId,
    desk: Option<Desk>,
    data: Option<Data>,
    killers: Killers,
}

impl Workers {
    /// None started yet.
    pub(super) fn new(session: SessionId, killers: Killers) -> Self {
        Workers {
            session,
            desk: None,
            data: None,
            killers,
        }
    }

    /// The desk; started if there is none that lives. Blocks.
    pub(crate) fn desk(&mut self, core: &Core, project: &Project) -> Result<&mut Desk, Problem> {
        let alive = self
            .desk
            .take()
            .and_then(|mut desk| desk.is_alive().then_some(desk));
        let desk = match alive {
            Some(desk) => desk,
            None => {
                let desk = Desk::start(&core.jails, &self.session, &project.grant)?;
                self.killers.set_desk(desk.killer());
                desk
            }
        };
        Ok(self.desk.insert(desk))
    }

    /// The data worker; started if there is none that lives. Blocks.
    pub(crate) fn data(
        &mut self,
        core: &Core,
        project: &Project,
        cancel: &Cancel,
    ) -> Result<&mut Data, DataError> {
        let alive = self
            .data
            .take()
            .and_then(|mut data| data.is_alive().then_some(data));
        let data = match alive {
            Some(data) => data,
            None => {
                let data = self.start_data(core, project, cancel)?;
                self.killers.set_data(data.killer());
                data
            }
        };
        Ok(self.data.insert(data))
    }

    /// Whether the next query about people starts a data worker.
    pub(crate) fn needs_data(&mut self) -> bool {
        !self.data.as_mut().is_some_and(Data::is_alive)
    }

    fn start_data(&self, core: &Core, project: &Project, cancel: &Cancel) -> Result<Data, DataError> {
        let wrapped = project.stored.pseudonym_key.as_ref().ok_or_else(|| {
            let what = format!("project `{}` is closed", project.stored.id);
            DataError::Unopened(Problem::of(&codes::PRJ_CLOSED, what))
        })?;
        let key = core
            .home
            .vault()
            .unwrap_pseudonym_key(&project.stored.id, wrapped);
        let key = key.map_err(|error| DataError::Unopened(error.into()))?;
        let memory = project.limits.memory;
        Data::start(
            &core.jails,
            &self.session,
            core.home.files(),
            &project.grant,
            key.bytes(),
            memory,
            cancel,
        )
    }
}

/// Kills the workers of a session from any thread, while another waits for their answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Killers(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    desk: Option<Killer>,
    data: Option<Killer>,
    ended: bool,
}

impl Killers {
    fn with<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_desk(&self, killer: Killer) {
        self.with(|known| {
            // A session that ended while its worker was being started must not keep it.
            if known.ended {
                kill(&killer);
            }
            known.desk = Some(killer);
        });
    }

    fn set_data(&self, killer: Killer) {
        self.with(|known| {
            if known.ended {
                kill(&killer);
            }
            known.data = Some(killer);
        });
    }

    pub(super) fn has_data(&self) -> bool {
        self.with(|known| known.data.is_some())
    }

    pub(super) fn kill_all(&self) {
        self.with(|known| {
            known.ended = true;
            for killer in known.desk.iter().chain(&known.data) {
                kill(killer);
            }
        });
    }
}

fn kill(killer: &Killer) {
    if let Err(error) = killer.kill() {
        tracing::error!(%error, "a worker could not be killed");
    }
}
