//! How components and kernels that a program links come to the engine.

use crate::typed::Typed;
use bb_ir::component::{Component, ComponentDecl, ComponentEntry, DependencyDecl, KernelEntry, OpError};
use bb_ir::needs::Needed;
use bb_ir::types::ElementKind;
use bb_ir::value::Value;

/// A component slot takes components of type `X`.
pub trait Accepts<X> {
    /// The component as the engine's host calls it.
    fn component(component: X) -> Box<dyn Component>;
}

/// What a role is called in programs; of `dyn Role`, so that it is known of the trait alone.
pub trait RoleName {
    /// A shipped role's name, or `<package>.<Trait>`.
    const ROLE: &'static str;
}

/// A field that a component which needs an `R` has for it.
#[diagnostic::on_unimplemented(
    message = "a `{R}` is needed, and the field of its name is a `{Self}`",
    label = "handed to the field of this name",
    note = "a component that `needs(index: Index)` has a field `index: IndexNeeded`"
)]
pub trait Holds<R: ?Sized> {
    /// Where a host puts the component.
    fn place(&mut self) -> &mut Needed;
}

/// What `#[bb::component]` says of a type, in the crate and in its build script alike.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known while the program is recorded",
    label = "not a component of the program",
    note = "put `#[bb::component]` on the `impl` of its role"
)]
pub trait Storage: Default + Send + 'static {
    /// Package and name, by which artifacts tell components.
    const TYPE: &'static str;
    /// The role it plays.
    const ROLE: &'static str;
    /// What its tensors of any element hold.
    const ELEMENT: Option<ElementKind>;
    /// The components it needs.
    const DEPENDENCIES: &'static [DependencyDecl];
    /// It, as the engine's host calls it.
    #[doc(hidden)]
    fn component(self) -> Box<dyn Component>;
}

/// What a program that names an `X` has to know of it.
pub(crate) const fn declaration<X: Storage>() -> ComponentDecl {
    ComponentDecl { ty: X::TYPE, role: X::ROLE, element: X::ELEMENT, dependencies: X::DEPENDENCIES }
}

/// What one class of a program runs: artifact and components.
#[diagnostic::on_unimplemented(
    message = "a node cannot run `{Self}`",
    label = "not a piece of a program",
    note = "a piece is called by its module and its class, `graph::round::Server {{ .. }}`, and is made by `bb::build!(graph);` in build.rs"
)]
pub trait Piece {
    /// The program's name.
    const MODULE: &'static str;
    /// The class.
    const CLASS: &'static str;
    /// The compiled artifact.
    const ARTIFACT: &'static [u8];
    /// What this peer learns from executions: an output that lives here.
    type Event: Send + 'static;
    /// How many values each output that lives here is, in order.
    fn widths() -> Vec<usize>;
    /// The output of that number, from its values.
    ///
    /// # Errors
    /// Says which value is not of the output's type.
    fn event(output: usize, values: Vec<Value>) -> Result<Self::Event, OpError>;
    /// The components, by slot name.
    fn components(self) -> Vec<(&'static str, Box<dyn Component>)>;
}

/// The piece a call starts from.
#[diagnostic::on_unimplemented(
    message = "a call cannot start from `{Self}`",
    label = "not where the inputs live",
    note = "a call starts on the class that all inputs of the module live on"
)]
pub trait Entry: Piece {
    /// What a call takes.
    type Args: Typed;
    /// What it gives.
    type Output: Typed;
}

/// What a method or an op gives back: its results, or a `Result` of them.
pub trait Reply<T> {
    /// The results, or why there are none.
    fn reply(self) -> Result<T, OpError>;
}
impl<T> Reply<T> for T {
    fn reply(self) -> Result<T, OpError> {
        Ok(self)
    }
}
impl<T, E: std::fmt::Display> Reply<T> for Result<T, E> {
    fn reply(self) -> Result<T, OpError> {
        self.map_err(|e| OpError::new(e.to_string()))
    }
}

/// The arguments of a method or an op, from the values it is given.
///
/// # Errors
/// Says which value is not what the signature takes.
pub fn arguments<T: Typed>(values: &mut dyn Iterator<Item = Value>) -> Result<T, OpError> {
    T::from_values(values)
}
/// How many values a `T` is.
pub fn width<T: Typed>() -> usize {
    T::infos().len()
}
/// The values of a method's or an op's results.
pub fn results<T: Typed>(results: T) -> Vec<Value> {
    let mut out = Vec::new();
    results.into_values(&mut out);
    out
}

/// A kernel that is linked into this program.
pub struct RegisteredKernel(pub KernelEntry);
inventory::collect!(RegisteredKernel);

/// Every kernel that is linked into this program: `#[bb::op]` functions, and those of the backends it uses.
pub fn kernels() -> Vec<KernelEntry> {
    let mut all: Vec<KernelEntry> = inventory::iter::<RegisteredKernel>().map(|k| k.0).collect();
    all.sort_by_key(|k| (k.domain, k.op));
    all
}

/// A type of components that is linked into this program.
pub struct RegisteredComponent(pub ComponentEntry);
inventory::collect!(RegisteredComponent);

/// How an `X` is built by its type.
pub const fn entry<X: Storage>() -> ComponentEntry {
    ComponentEntry { ty: X::TYPE, needs: X::DEPENDENCIES, make: || X::default().component() }
}

/// Every type with `#[bb::component]` that is linked into this program: what programs name by its type is built by
/// `Default`.
pub fn components() -> Vec<ComponentEntry> {
    let mut all: Vec<ComponentEntry> = inventory::iter::<RegisteredComponent>().map(|c| c.0).collect();
    all.sort_by_key(|c| c.ty);
    all
}
