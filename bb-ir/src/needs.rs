//! Components that need others: how a host hands them over, and how they are called.

use crate::component::{Component, ComponentFailure, DependencyDecl, OpError};
use crate::held::Held;
use crate::value::Value;
use std::fmt;
use std::sync::Arc;

/// A component that another one needs, and where it goes.
pub struct Need<'c> {
    /// Which.
    pub of: DependencyDecl,
    /// Where.
    pub place: &'c mut Needed,
}

/// What a component holds of one that it needs: nothing, until its host has handed it over.
#[derive(Default)]
pub struct Needed(Option<HandedOver>);

struct HandedOver {
    component: Held,
    /// What the program calls it.
    name: Arc<str>,
    /// And the one that needs it.
    by: Arc<str>,
}

impl Needed {
    /// This component, which a program would call `name`, for one that it would call `by`.
    pub fn new(component: Held, name: impl Into<Arc<str>>, by: impl Into<Arc<str>>) -> Self {
        Needed(Some(HandedOver { component, name: name.into(), by: by.into() }))
    }

    /// Runs one of its methods, within the method that runs; `read` takes the results.
    ///
    /// # Errors
    /// What it says, with the names of both.
    pub fn call<T>(
        &mut self,
        method: &str,
        inputs: Vec<Value>,
        read: impl FnOnce(&mut dyn Iterator<Item = Value>) -> Result<T, OpError>,
    ) -> Result<T, OpError> {
        let Some(HandedOver { component, name, by }) = &self.0 else {
            return Err(OpError::new(format!("what is to do `{method}` is not there before the node starts")));
        };
        let fail = |what: String| OpError::new(format!("`{name}`, which `{by}` needs, {what}"));
        let values = component.run(method, inputs).map_err(|failure| match failure {
            ComponentFailure::Error(text) => fail(format!("failed: {text}")),
            ComponentFailure::Panicked(text) => fail(format!("panicked: {text}")),
            ComponentFailure::Refused => fail("panicked before, so it takes no more calls".into()),
        })?;
        let mut values = values.into_iter();
        let results = read(&mut values).map_err(|error| fail(format!("gave something else: {error}")))?;
        match values.count() {
            0 => Ok(results),
            more => Err(fail(format!("gave {more} values more than `{method}` has"))),
        }
    }
}
impl fmt::Debug for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("nothing yet", |it| &it.name))
    }
}

/// What a component needs.
pub fn needs_of(component: &mut dyn Component) -> Vec<DependencyDecl> {
    component.needs().into_iter().map(|need| need.of).collect()
}

/// Hands each of these what it needs of them, by what the program calls them.
pub fn hand_over<'h>(components: impl Iterator<Item = (&'h Arc<str>, &'h Held)> + Clone) {
    for (by, held) in components.clone() {
        let mut held = held.lock();
        for Need { of, place } in held.iter_mut().flat_map(|component| component.needs()) {
            if let Some((name, other)) = components.clone().find(|(name, _)| ***name == *of.slot) {
                *place = Needed::new(other.clone(), name.clone(), by.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds what the one below gives.
    struct Adds {
        own: u64,
        below: Option<(&'static str, Needed)>,
    }
    impl Component for Adds {
        fn run(&mut self, method: &str, _: Vec<Value>) -> Result<Vec<Value>, OpError> {
            let number = |values: &mut dyn Iterator<Item = Value>| {
                values.next().and_then(|value| value.as_scalar()).ok_or_else(|| OpError::new("no number"))
            };
            match (&mut self.below, method) {
                (Some((_, below)), _) => Ok(vec![Value::scalar(self.own + below.call::<u64>(method, vec![], number)?)]),
                (None, "err") => Err(OpError::new("no")),
                (None, "panic") => panic!("oh"),
                (None, "much") => Ok(vec![Value::scalar(1u64), Value::scalar(1u64)]),
                (None, "other") => Ok(vec![Value::Trigger]),
                (None, _) => Ok(vec![Value::scalar(self.own)]),
            }
        }
        fn needs(&mut self) -> Vec<Need<'_>> {
            let below = self.below.iter_mut();
            below.map(|(slot, place)| Need { of: DependencyDecl { role: "Adds", slot }, place }).collect()
        }
    }
    fn adds(own: u64, below: Option<&'static str>) -> Held {
        Held::new(Box::new(Adds { own, below: below.map(|slot| (slot, Needed::default())) }))
    }

    #[test]
    fn a_call_goes_down_and_what_goes_wrong_comes_up_with_all_names() {
        let names: [Arc<str>; 3] = ["top".into(), "middle".into(), "bottom".into()];
        let held = [adds(100, Some("middle")), adds(20, Some("bottom")), adds(3, None)];
        let early = held[0].run("add", Vec::new());
        let text = "what is to do `add` is not there before the node starts";
        assert_eq!(early, Err(ComponentFailure::Error(text.into())));

        hand_over(names.iter().zip(&held));
        assert_eq!(held[0].run("add", Vec::new()), Ok(vec![Value::scalar(123u64)]));
        let failed = |method: &str| match held[0].run(method, Vec::new()) {
            Err(ComponentFailure::Error(text)) => text,
            other => panic!("{other:?}"),
        };
        let chain = "`middle`, which `top` needs, failed: `bottom`, which `middle` needs, ";
        assert_eq!(failed("err"), format!("{chain}failed: no"));
        assert_eq!(failed("much"), format!("{chain}gave 1 values more than `much` has"));
        assert_eq!(failed("other"), format!("{chain}gave something else: no number"));
        assert_eq!(failed("panic"), format!("{chain}panicked: oh"));
        assert_eq!(failed("add"), format!("{chain}panicked before, so it takes no more calls"));
        assert_eq!(held.map(|held| held.is_gone()), [false, false, true]);
    }
}
