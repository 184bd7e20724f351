//! Runs that are expected to fail say so once, at the end.

use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}
static INSTALL: Once = Once::new();

/// Runs `work`; a panic in it is not printed. Those of other threads are, by whatever printed them before.
pub fn quietly<T>(work: impl FnOnce() -> T) -> T {
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let was = QUIET.replace(true);
    let result = work();
    QUIET.set(was);
    result
}
