//! SIGINT and SIGTERM end long work at the next good place. When the work is
//! over, they mean again what they always mean.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::super::failure::{Failure, Kind};

/// Listens for as long as it lives.
pub(in crate::cli) struct Signals {
    terminated: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Signals {
    /// Raises `stop` at SIGINT and SIGTERM.
    pub(in crate::cli) fn watch(stop: &Arc<AtomicBool>) -> Result<Signals, Failure> {
        let signals = Signals {
            terminated: Arc::new(AtomicBool::new(false)),
            over: Arc::new(AtomicBool::new(false)),
        };
        signals.register(stop).map_err(|e| {
            Failure::new(Kind::Failed, "signals", "cannot listen for signals").caused_by(Some(&e))
        })?;
        Ok(signals)
    }

    fn register(&self, stop: &Arc<AtomicBool>) -> io::Result<()> {
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&self.over))?;
            flag::register(signal, Arc::clone(stop))?;
        }
        flag::register(SIGTERM, Arc::clone(&self.terminated))?;
        Ok(())
    }

    /// Whether the signals raise `stop`, or mean what they always mean.
    pub(in crate::cli) fn listen(&self, yes: bool) {
        self.over.store(!yes, Ordering::Relaxed);
    }

    /// How who was stopped ends.
    pub(in crate::cli) fn kind(&self) -> Kind {
        match self.terminated.load(Ordering::Relaxed) {
            true => Kind::Terminated,
            false => Kind::Interrupted,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listen(false);
    }
}
