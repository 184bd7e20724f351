#[bb::op]
pub fn f(n: u64, at: usize) -> Option<u64> {
    (n > at as u64).then_some(n)
}
fn main() {}
