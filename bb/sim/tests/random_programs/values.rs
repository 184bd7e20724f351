//! The values of a place, and what is done with them there.

use bb::prelude::*;

#[derive(bb::Dim)]
pub struct M;
#[derive(bb::Dim)]
pub struct N;

/// A fixed length.
pub type Vector = Tensor<f32, (D<3>,)>;
/// A length that has a name.
pub type Counts = Tensor<i64, (M,)>;
/// As many rows as a name says.
pub type Table = Tensor<f32, (N, D<3>)>;

/// A module without a wire.
#[bb::module]
fn folded<P: Place>(x: On<P, Vector>, rows: On<P, Table>) -> On<P, Vector> {
    let mean: On<P, Vector> = rows.reduce_mean(&[0]).shaped();
    (x * 0.5 - mean).shaped()
}

/// All values there are at a place, by their types: at least one of each.
pub struct Pool<P> {
    pub vectors: Vec<On<P, Vector>>,
    pub counts: Vec<On<P, Counts>>,
    pub tables: Vec<On<P, Table>>,
}

/// One of them.
pub fn pick<P, T>(values: &[On<P, T>], n: usize) -> On<P, T>
where
    On<P, T>: Copy,
{
    values[n % values.len()]
}

impl<P: Place> Pool<P> {
    pub fn new((vector, counts, table): (On<P, Vector>, On<P, Counts>, On<P, Table>)) -> Self {
        Pool { vectors: vec![vector], counts: vec![counts], tables: vec![table] }
    }

    /// One value, changed.
    pub fn one(&mut self, op: u8, of: usize) {
        let (v, c, t) = (pick(&self.vectors, of), pick(&self.counts, of), pick(&self.tables, of));
        match op {
            0 => self.vectors.push(v.relu()),
            1 => self.vectors.push(v.tanh()),
            2 => self.vectors.push(-v),
            3 => self.vectors.push(v.softmax()),
            4 => self.counts.push(c * 3 + 1),
            5 => self.counts.push(-c),
            6 => self.tables.push(t.sigmoid()),
            _ => self.tables.push(t * 0.5),
        }
    }

    /// Two values of one type, joined.
    pub fn two(&mut self, op: u8, left: usize, right: usize) {
        let (v, w) = (pick(&self.vectors, left), pick(&self.vectors, right));
        let (c, k) = (pick(&self.counts, left), pick(&self.counts, right));
        let (t, u) = (pick(&self.tables, left), pick(&self.tables, right));
        match op {
            0 => self.vectors.push((v + w).shaped()),
            1 => self.vectors.push((v - w).shaped()),
            // Products stay small.
            2 => self.vectors.push((v.tanh() * w.tanh()).shaped()),
            3 => self.counts.push((c - k).shaped()),
            4 => self.counts.push(c.equal(k).cast::<i64>().shaped()),
            5 => self.tables.push((t + u).shaped()),
            _ => self.tables.push((t - u).tanh().shaped()),
        }
    }

    /// A value of another type than those it is made of.
    pub fn turned(&mut self, op: u8, of: usize, and: usize) {
        let (v, c, t) = (pick(&self.vectors, of), pick(&self.counts, and), pick(&self.tables, and));
        match op {
            0 => self.vectors.push(t.reduce_mean(&[0]).shaped()),
            1 => self.tables.push((t + v).shaped()),
            2 => self.counts.push((c + v.argmax()).shaped()),
            3 => self.vectors.push((v + c.cast::<f32>().reduce_max(&[0]).tanh()).shaped()),
            _ => {
                let product = v.reshape(&[1, 3]).matmul(t.transpose(&[1, 0])).reduce_sum(&[0, 1]);
                self.vectors.push((product.tanh() * v).shaped());
            }
        }
    }

    /// By way of a module that stays a call.
    pub fn folded(&mut self, of: usize, and: usize) {
        self.vectors.push(folded(pick(&self.vectors, of), pick(&self.tables, and)));
    }

    /// Everything there is: every value is used, since a wire that brings nothing to anyone is refused.
    pub fn sum(&self) -> (On<P, Vector>, On<P, Counts>, On<P, Table>) {
        const SOME: &str = "every place has a value of each type from the start";
        (
            self.vectors.iter().copied().reduce(|sum, value| (sum + value).shaped()).expect(SOME),
            self.counts.iter().copied().reduce(|sum, value| (sum + value).shaped()).expect(SOME),
            self.tables.iter().copied().reduce(|sum, value| (sum + value).shaped()).expect(SOME),
        )
    }
}
