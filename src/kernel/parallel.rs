//! Long lists, processed in two threads.

use std::panic::resume_unwind;
use std::thread;

use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, unshare};
use nix::unistd::Pid;

use super::handle::Kernel;

/// A shorter list gains less than a second thread costs.
const LONG: usize = 200;

impl Kernel {
    /// Processes a list, if it is long in two threads, and returns the results of its parts in order. A listing of many links
    /// spends its time in the kernel, which opens and reads files for each of them.
    ///
    /// The second thread has a Kernel of its own, and its own table of descriptors: two threads that open files in one table wait
    /// for each other.
    pub fn parallel<T: Sync, R: Send>(&self, list: &[T], work: impl Fn(&Kernel, &[T]) -> R + Sync) -> Vec<R> {
        if list.len() < LONG || !self.is_running() || !has_processors() {
            return vec![work(self, list)];
        }
        let (here, there) = list.split_at(list.len() / 2);
        let own_sysfs = self.own_sysfs.get();
        let beside = || {
            // where this is refused, there is one table for both
            let _ = unshare(CloneFlags::CLONE_FILES);
            work(&Kernel::for_thread(own_sysfs), there)
        };
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, beside);
            let first = work(self, here);
            let second = match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => work(self, there),
            };
            vec![first, second]
        })
    }
}

/// Whether this process may run on several processors.
fn has_processors() -> bool {
    let may_run_on = |set: &CpuSet, processor| set.is_set(processor) == Ok(true);
    sched_getaffinity(Pid::from_raw(0))
        .is_ok_and(|set| (0..CpuSet::count()).filter(|&processor| may_run_on(&set, processor)).nth(1).is_some())
}
