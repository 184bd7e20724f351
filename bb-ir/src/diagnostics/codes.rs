//! The table of codes.

/// Whether a build fails for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The program is refused.
    Error,
    /// The program is built, and somebody should look.
    Warning,
}

impl Severity {
    /// As rustc writes it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One row of the table of codes.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `BBnnnn`.
    pub code: &'static str,
    /// Whether the program is refused.
    pub severity: Severity,
    /// What kind of fault it is, in a few words.
    pub title: &'static str,
    /// Why it is one, for whoever reads it the first time.
    pub means: &'static str,
}

impl Code {
    /// The row of that code.
    pub fn of(code: &str) -> Option<&'static Code> {
        CODES.binary_search_by(|row| row.code.cmp(code)).ok().map(|row| &CODES[row])
    }
}

macro_rules! codes {
    ($($code:literal $severity:ident $title:literal, $means:literal;)*) => {
        /// Every code, sorted. A fault that has none is a fault of ours.
        pub const CODES: &[Code] = &[
            $(Code { code: $code, severity: Severity::$severity, title: $title, means: $means }),*
        ];
    };
}

codes! {
    "BB0100" Error "a module that `bb::build!` does not mount",
        "A module is recorded while the crate builds, in the build script; a file that the build script does not mount is not seen there.";
    "BB0101" Error "a panic while recording",
        "The body of a module runs while the crate builds. Where it panics, nothing is recorded; the panic's own message says why.";
    "BB0102" Error "two root modules of one name",
        "Artifacts and handles go by the name of their module, so a crate has one module of each name.";
    "BB0103" Error "two bootstraps of one module",
        "What runs once per start is one function, so that its order is what is written.";
    "BB0104" Error "a bootstrap of what calls do not start",
        "A bootstrap belongs to a program: a module that `bb::build!` mounts and that a peer can call. Fragments and generic functions are parts of programs.";
    "BB0201" Error "a value of another module",
        "A value belongs to the recording of the module it was made in. What got out of it some other way than by being returned is unknown elsewhere.";
    "BB0202" Error "the wrong class of a sender",
        "`.sender::<C>()` names the peer that a value came from; the wire says of which class that is.";
    "BB0203" Error "the sender of a value that was not sent",
        "Only a value that came over a wire has a sender.";
    "BB0204" Error "the wrong class of the origin",
        "The origin is the peer that made the call, and the program's inputs say of which class that is.";
    "BB0205" Error "`graph` where the call does not start",
        "`graph` stands for the start of the call, which is where the module's inputs live. Nothing starts on other classes until a value gets there.";
    "BB0206" Error "an operation that is to come after a value of another place",
        "An operation can wait for a value that is where it runs itself; of values elsewhere it knows nothing.";
    "BB0207" Error "the sender of a parameter",
        "Whom an argument came from is known where it is passed, and may differ from call to call.";
    "BB0208" Error "a policy on a gather that is a parameter",
        "How many senders a gather waits for is settled where its wire is.";
    "BB0210" Error "values of two different peers of one class",
        "The type of a value says of which class its peer is, not which one. An operation runs on one peer, and these values are on two.";
    "BB0211" Error "values of a cohort that do not go home",
        "What the peers of a cohort send is gathered by the peer that opened the cohort: it alone knows whom to wait for.";
    "BB0212" Error "a cohort inside a cohort",
        "Each peer of a cohort would open one of its own, and nobody would know how many answers there are.";
    "BB0213" Error "an unknown destination class",
        "A wire leads to a class of peers, which gets a part of the program. No program in Rust lacks the class of a destination, since its type says it; IR from elsewhere may.";
    "BB0214" Error "a wire or an interval in a bootstrap",
        "A bootstrap runs on every peer by itself, once per start, before anyone else is there.";
    "BB0215" Error "an interval in a module with arguments",
        "An interval calls its own module again and again. Nobody is there to pass arguments, and it starts where calls do.";
    "BB0301" Error "element types that differ",
        "Both sides of a value have to say the same element type: what makes it and what takes it, also across wires and calls. Operators take the elements that ONNX says.";
    "BB0302" Error "shapes that differ",
        "Shapes are followed through operators, calls and wires; a dimension's name is one size in the whole program.";
    "BB0303" Error "a type that cannot be found out",
        "A tensor of any element gets its type from what makes or takes it. Here nothing says it.";
    "BB0304" Error "two components of different elements on one value",
        "A component that says what it holds gives its tensors of any element that type. A value that two of them share would be of both.";
    "BB0305" Error "a shape that cannot be found out",
        "With `strict_types` the shape of every tensor has to follow from what the program says. A role and an op give what their signatures say, and a tensor without a shape may have any.";
    "BB0401" Error "a wire nobody reads",
        "A message is sent for the sake of its values or of its sender. If neither is asked for, it is work for nothing.";
    "BB0402" Error "a role served in two ways",
        "In one class a role is served by slots, which are bound at start, or by components that the program names. What asks for the role would not say which is meant.";
    "BB0403" Error "a slot that nothing binds",
        "What serves an operation has to be there where the node starts: a slot of the program, a component that it names, and what that needs in its turn.";
    "BB0404" Error "a deadline that is no duration",
        "A message may take as many times the budget of one hop as there are hops on its way back. That has to be more than nothing, and fit into 63 bits of nanoseconds.";
    "BB0405" Error "a node without its gate",
        "Gates around wires decide before a slot is written. The compiler puts them there; a stage of a user's own may have taken one away.";
    "BB0406" Error "a parameter of a bootstrap that is no component of its module",
        "A bootstrap is about the components of its module, by the names that they have there.";
    "BB0407" Error "a component that cannot be called so",
        "A program calls each component that it names by a name of its own: artifacts have it, and so has whoever binds another one.";
    "BB0408" Error "a component that needs what is not there",
        "A component says which others it needs, by name. They are slots of the program, or named in it, on the same class.";
    "BB0409" Error "a component that needs another role",
        "A component says by name which others it needs, and which role they play.";
    "BB0410" Error "components that need each other",
        "Components are built one after the other, each behind what it needs.";
    "BB0411" Error "more wires than peers tell each other of",
        "Peers that meet tell each other of every wire of their programs, so that they talk where they agree. A program with more wires than that message takes could be started nowhere.";
    "BB0412" Error "a cohort that cannot be unrolled",
        "`unroll` says of how many members the cohorts of a class are where the program is written as one graph. The program has to have one, and that has to have a member.";
    "BB0501" Error "an operator that no backend implements",
        "Operators of `ai.onnx` are those that every backend has. The language offers no others; IR from elsewhere may.";
    "BB0502" Error "a module that calls itself",
        "A program is finite: what it does is recorded once, before it runs. Loops are plain Rust and are unrolled.";
    "BB0601" Error "a gather that no senders can fill",
        "Whatever cohort a call comes with, this gather fails: it asks for more than there can be, or leaves no time.";
    "BB0602" Error "a deadline that its own chain cannot meet",
        "Constant waits on the way are longer than what waits for the value: it is late in every execution.";
    "BB0701" Warning "a value nobody reads",
        "The operation runs in every call and nothing comes of it. Methods of components are left out, since they may be called for what they do.";
    "BB0702" Warning "an output of a module nobody reads",
        "The module works for all its outputs, and its peers may send messages for them.";
    "BB0703" Warning "a large constant on a wire",
        "It is part of the program, which every peer has. Sending it again with every call takes time and gives nothing.";
    "BB0704" Warning "a gather of nobody",
        "A gather waits for one sender at least, so 0 means 1.";
    "BB0801" Error "a model's file that cannot be read",
        "The file of an ONNX model is read while the crate builds, and becomes part of the program.";
    "BB0802" Error "a malformed model",
        "A model is taken only whole: what its nodes read is made before, and its weights are as large as they say. Otherwise nothing of it is recorded.";
    "BB0803" Error "a model of another operator set",
        "Operators change their meaning from one version of ONNX to the next. A model is read in the version that bb speaks, and only where the older meaning is the same.";
    "BB0804" Error "an operator of a model that bb does not have",
        "A model runs as part of the program, so each of its operators has to be one that programs have.";
    "BB0805" Error "a value that a model does not have",
        "A stage of a model begins and ends at values of the model, by the names that the file gives them.";
    "BB0806" Error "a call that does not fit its model",
        "A call hands in what the stage reads, in the stage's order and types, and takes as many values as it gives.";
    "BB0807" Error "a model in a bootstrap",
        "The weights of a model belong to the program that calls compute; what runs once per start has none.";
    "BB0808" Error "an operator that a backend lacks",
        "With `backend_subgraphs` regions of operators go to a backend whole, so it has to have every one of them.";
    "BB0901" Error "a malformed program",
        "No recorded program is: the IR was written by hand or changed by a stage, or the recorder has a fault.";
}
