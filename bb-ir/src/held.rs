//! A component as its host holds it: what a method does to it, panics included, happens here.

use crate::component::{Component, ComponentFailure, OpError};
use crate::value::Value;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A component, as long as it has not panicked. Clones are the same one: its host has one, and each component that needs it.
#[derive(Clone)]
pub struct Held(Arc<Mutex<Option<Box<dyn Component>>>>);

impl Held {
    /// This component.
    pub fn new(component: Box<dyn Component>) -> Self {
        Held(Arc::new(Mutex::new(Some(component))))
    }

    /// Runs one method. One that panics takes the component with it: what it holds may be half done.
    ///
    /// # Errors
    /// Why there are no results.
    pub fn run(&self, method: &str, inputs: Vec<Value>) -> Result<Vec<Value>, ComponentFailure> {
        let mut held = self.lock();
        let Some(component) = held.as_mut() else { return Err(ComponentFailure::Refused) };
        match catch_unwind(AssertUnwindSafe(|| component.run(method, inputs))) {
            Ok(result) => result.map_err(|error| ComponentFailure::Error(error.0)),
            Err(panic) => {
                discard(held.take());
                Err(ComponentFailure::Panicked(text(panic.as_ref())))
            }
        }
    }

    /// Whether this method is cheap. Waits for one that runs, as all that follow do.
    pub fn inline(&self, method: &str) -> bool {
        self.lock().as_ref().is_some_and(|component| component.inline(method))
    }
    /// What it holds, for a node that survives a crash.
    pub fn checkpoint(&self) -> Option<Vec<u8>> {
        self.lock().as_ref()?.checkpoint()
    }
    /// Puts back what [`Held::checkpoint`] gave.
    ///
    /// # Errors
    /// Says what is wrong with the bytes.
    pub fn restore(&self, state: &[u8]) -> Result<(), OpError> {
        self.lock().as_mut().map_or(Ok(()), |component| component.restore(state))
    }
    /// Whether it has panicked.
    pub fn is_gone(&self) -> bool {
        self.lock().is_none()
    }
    /// Takes it for one that has panicked.
    pub fn give_up(&self) {
        discard(self.lock().take());
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Component>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Half done, it may panic again where it is dropped; that changes nothing.
fn discard(component: Option<Box<dyn Component>>) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(component)));
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsTwice;
    impl Component for PanicsTwice {
        fn run(&mut self, _: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
            panic!("once")
        }
        fn checkpoint(&self) -> Option<Vec<u8>> {
            Some(vec![1])
        }
    }
    impl Drop for PanicsTwice {
        fn drop(&mut self) {
            panic!("twice")
        }
    }

    #[test]
    fn what_panics_is_gone_for_all_who_hold_it_even_if_it_panics_again() {
        let held = Held::new(Box::new(PanicsTwice));
        let other = held.clone();
        assert_eq!((held.is_gone(), held.checkpoint()), (false, Some(vec![1])));
        assert_eq!(held.run("any", Vec::new()), Err(ComponentFailure::Panicked("once".into())));
        assert_eq!(other.run("any", Vec::new()), Err(ComponentFailure::Refused));
        assert_eq!((other.is_gone(), other.checkpoint()), (true, None));
    }
}
