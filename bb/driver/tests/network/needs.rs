//! Components that call those they need, on a node over its threads.

use super::program::{LONG, piece};
use bb::__private::Accepts;
use bb::prelude::*;
use bb::{Compiled, Storage};
use bb_driver::engine::{Arg, Component, FailureCode, InstallError, Value};
use bb_driver::{Builder, CallError, Handle, Hosted, Identity, StartError};
use std::sync::OnceLock;

#[derive(bb::Peer)]
pub struct Desk;

#[bb::role]
pub trait Log {
    /// How many were noted before.
    fn note(&mut self, x: u64) -> Result<u64, OpError>;
}
#[bb::role]
pub trait Shelf {
    fn put(&mut self, x: u64) -> Result<u64, OpError>;
}
#[bb::role]
pub trait Clerk {
    /// How many notes there were before, and while it worked.
    fn work(&mut self, x: u64) -> Result<(u64, u64), OpError>;
}

#[derive(Default)]
pub struct Notes(u64);
#[bb::component]
impl Log for Notes {
    fn note(&mut self, x: u64) -> Result<u64, OpError> {
        assert!(x < 1_000_000, "{x} is too much");
        if x > 1_000 {
            return Err(OpError::new("no room"));
        }
        self.0 += 1;
        Ok(self.0 - 1)
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.0.to_le_bytes().to_vec())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), OpError> {
        self.0 = u64::from_le_bytes(state.try_into().map_err(|_| OpError::new("eight bytes"))?);
        Ok(())
    }
}
#[derive(Default)]
pub struct Noted {
    written: LogNeeded,
}
#[bb::component(needs(written: Log))]
impl Shelf for Noted {
    fn put(&mut self, x: u64) -> Result<u64, OpError> {
        self.written.note(x)
    }
}
#[derive(Default)]
pub struct Careful {
    shelf: ShelfNeeded,
}
#[bb::component(needs(shelf: Shelf))]
impl Clerk for Careful {
    fn work(&mut self, x: u64) -> Result<(u64, u64), OpError> {
        let before = self.shelf.put(x)?;
        // Whoever else could write a note now would.
        std::thread::yield_now();
        Ok((before, self.shelf.put(x)? - before))
    }
    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(Vec::new())
    }
    /// It notes that it is back.
    fn restore(&mut self, _: &[u8]) -> Result<(), OpError> {
        self.shelf.put(0).map(drop)
    }
}

type Both = (On<Desk, u64>, On<Desk, u64>, On<Desk, u64>, On<Desk, u64>);
/// Two clerks share a shelf, which has a log.
#[bb::module]
fn desk(_graph: &Graph, x: On<Desk, u64>) -> Both {
    _ = ShelfAt::<Desk>::concrete::<Noted>("shelf");
    _ = LogAt::<Desk>::concrete::<Notes>("written");
    let ((a, b), (c, d)) =
        (ClerkAt::<Desk>::concrete::<Careful>("one").work(x), ClerkAt::<Desk>::concrete::<Careful>("two").work(x));
    (a, b, c, d)
}

fn hosted() -> Hosted {
    static PROGRAM: OnceLock<Compiled> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| bb::compile(desk));
    assert_eq!(program.diagnostics, []);
    let (artifact, entries) = (program.artifacts[0].bytes.clone().into(), bb::components());
    Hosted { artifact, kernels: bb::kernels(), components: Vec::new(), entries }
}
fn node() -> Builder {
    Builder::new().identity(Identity::Seed([1; 32]))
}
fn work(node: &Handle, x: u64) -> bb_driver::Call {
    node.call(node.graphs()[0].graph, vec![Arg::Value(Value::scalar(x))], LONG)
}
async fn works(node: &Handle, x: u64) -> Vec<u64> {
    let values = work(node, x).await.expect("it answers");
    values.iter().map(|value| value.as_scalar().expect("a number")).collect()
}
async fn fails(node: &Handle, x: u64, text: &str) {
    match work(node, x).await {
        Err(CallError::Engine(bb_driver::engine::CallError::Failed(cause))) => {
            assert!(cause.code == FailureCode::OpFailed && cause.message.ends_with(text), "{cause:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn methods_that_need_the_same_run_one_after_the_other_in_the_order_they_fire() {
    let node = node().host(hosted()).start().await.expect("starts");
    let all = futures::future::join_all((0..50).map(|_| works(&node, 1))).await;
    for (n, numbers) in (0..).zip(all) {
        assert_eq!(numbers, [4 * n, 1, 4 * n + 2, 1], "call {n}");
    }
}

#[tokio::test]
async fn what_is_needed_fails_and_panics_with_its_name() {
    let node = node().host(hosted()).start().await.expect("starts");
    let chain = "`shelf`, which `one` needs, failed: `written`, which `shelf` needs,";
    fails(&node, 2_000, &format!("{chain} failed: no room")).await;
    assert_eq!(works(&node, 1).await, [0, 1, 2, 1], "nothing is gone");
    fails(&node, 1_000_000, &format!("{chain} panicked: 1000000 is too much")).await;
    fails(&node, 1, &format!("{chain} panicked before, so it takes no more calls")).await;
}

#[tokio::test]
async fn a_durable_node_takes_up_what_is_needed_before_those_that_need_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = node().durable(dir.path()).host(hosted()).start().await.expect("starts");
    assert_eq!(works(&first, 1).await, [0, 1, 2, 1]);
    first.shutdown().await;
    let again = node().durable(dir.path()).host(hosted()).start().await.expect("starts");
    assert_eq!(works(&again, 1).await, [6, 1, 8, 1], "four notes of before, and two that the clerks are back");
}

#[tokio::test]
async fn what_is_bound_is_handed_over_and_what_it_lacks_is_told_before_the_node_starts() {
    let full = <dyn Log as Accepts<Notes>>::component(Notes(100));
    let bound = node().bind("written", Notes::ROLE, full).host(hosted()).start().await.expect("starts");
    assert_eq!(works(&bound, 1).await, [100, 1, 102, 1]);
    let full = <dyn Log as Accepts<Notes>>::component(Notes(100));
    let server = Hosted { artifact: piece("Server").into(), components: Vec::new(), ..hosted() };
    let Err(error) = node().bind("written", Notes::ROLE, full).host(server).start().await else { panic!("it starts") };
    let help = "\n  help: this program names no component, so there is none to replace; ";
    assert!(error.to_string().contains(help), "{error}");

    /// A log that needs another one.
    #[derive(Default)]
    struct Copied {
        copy: LogNeeded,
    }
    #[bb::component(needs(copy: Log))]
    impl Log for Copied {
        fn note(&mut self, x: u64) -> Result<u64, OpError> {
            self.copy.note(x)
        }
    }
    let copied = || Copied::default().component();
    let Err(StartError::Install(error)) = node().bind("written", Copied::ROLE, copied()).host(hosted()).start().await
    else {
        panic!("it starts")
    };
    let unmet = |error: &InstallError| {
        assert!(matches!(error, InstallError::UnmetNeed { slot, needs, .. } if slot == "written" && needs == "copy"));
    };
    unmet(&error);

    let node = node().start().await.expect("starts");
    let with_copy: Vec<(String, Box<dyn Component>)> = vec![("written".into(), copied())];
    match node.install(Hosted { components: with_copy, ..hosted() }).await {
        Err(StartError::Install(error)) => unmet(&error),
        other => panic!("{other:?}"),
    }
    node.install(hosted()).await.expect("nothing of the other is there");
    assert_eq!(works(&node, 1).await, [0, 1, 2, 1]);
}
