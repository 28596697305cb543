//! What a command can see of the world around it: the environment, the terminal, and the two streams it talks to.
//!
//! Read once, in `main`, and passed on. Results go to stdout through [`Shell::show`]; everything else that a person may
//! want to know goes to stderr through [`Shell::note`], so that a pipe gets data and nothing but data.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exit::{Failure, Told};
use crate::render::{self, Format, Paper, Shown, visible};
use crate::sql::MOST_REWRITES;

/// The environment and the terminal.
#[derive(Debug)]
pub(crate) struct Shell {
    /// TRE_TOKEN, the only secret that may come by the environment.
    pub(crate) token: Option<OsString>,
    /// Where a person's own files of this program go: XDG_STATE_HOME, else ~/.local/state.
    pub(crate) state_dir: Option<PathBuf>,
    /// Somebody can be asked.
    pub(crate) interactive: bool,
    /// Results are read by a person.
    pub(crate) paper: Paper,
    /// Text may be coloured: stderr is a terminal and NO_COLOR is not set.
    pub(crate) colour: bool,
    /// Progress may be drawn.
    progress: bool,
}

impl Shell {
    /// Reads the environment and looks at the three streams.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of this program that reads its environment"
    )]
    pub(crate) fn look() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = set("HOME").map(|home| PathBuf::from(home).join(".local/state"));
        let error_is_terminal = io::stderr().is_terminal();
        let out_is_terminal = io::stdout().is_terminal();
        let columns = set("COLUMNS")
            .and_then(|columns| columns.to_str()?.parse().ok())
            .filter(|&columns| columns >= 20);
        Shell {
            token: set("TRE_TOKEN"),
            state_dir: set("XDG_STATE_HOME").map(PathBuf::from).or(home),
            interactive: io::stdin().is_terminal() && out_is_terminal,
            paper: Paper {
                width: columns.or(out_is_terminal.then(terminal_width)),
            },
            colour: error_is_terminal
                && set("NO_COLOR").is_none()
                && set("TERM").is_none_or(|term| term != "dumb"),
            progress: error_is_terminal,
        }
    }

    /// Prints a result on stdout.
    pub(crate) fn show<S: Shown>(&self, shown: &S, format: Format) -> Result<(), Failure> {
        render::print(shown, format, self.paper, &mut io::stdout().lock())
    }

    /// Prints text on stdout as it is: a token, a fetched file.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()?;
        Ok(())
    }

    /// Says something on stderr. Nobody may be listening, and that is no error.
    pub(crate) fn note(&self, text: &str) {
        let mut err = io::stderr().lock();
        for line in text.lines() {
            let _ = writeln!(err, "{}", visible(line));
        }
    }

    /// Says what kept a result from being complete, on stderr.
    pub(crate) fn notice(&self, text: &str) {
        self.line(AnsiColor::Yellow.on_default(), "notice", text);
    }

    /// Says why a command failed, in two lines.
    pub(crate) fn failed(&self, told: &Told) {
        let style = AnsiColor::Red.on_default().bold();
        self.line(style, &told.code, &told.what);
        let mut err = io::stderr().lock();
        for reason in &told.reasons {
            let _ = writeln!(err, "  - {}", visible(reason));
        }
        if !told.hint.is_empty() {
            let _ = writeln!(err, "  {}", visible(&told.hint));
        }
        for instead in told.instead.iter().take(MOST_REWRITES) {
            let _ = writeln!(err, "  or {}", visible(instead));
        }
    }

    fn line(&self, style: Style, head: &str, text: &str) {
        let style = if self.colour { style } else { Style::new() };
        let (head, text) = (visible(head), visible(text));
        let _ = writeln!(io::stderr().lock(), "{style}{head}{style:#}: {text}");
    }

    /// A spinner with the time that has passed; invisible where stderr is no terminal.
    pub(crate) fn spinner(&self, doing: &str) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, self.draw_target());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(doing.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// Where progress is drawn: nowhere, unless stderr is a terminal.
    pub(crate) fn draw_target(&self) -> ProgressDrawTarget {
        if self.progress {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        }
    }
}

/// Columns of the terminal on stdout; 100 where it does not say.
fn terminal_width() -> u16 {
    comfy_table::Table::new()
        .width()
        .filter(|&width| width >= 20)
        .unwrap_or(100)
}
